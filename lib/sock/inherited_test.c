/* SPDX-License-Identifier: MIT */
#include <partyline/inherited.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/*
 * What is inherited lies at fixed descriptors and in the environment, so each test runs in a child
 * of its own, which plays the manager and then the service: descriptors 3, 4, 5 are a listening
 * socket, a pipe's end and a datagram socket.
 */

#define FD_COUNT 3

typedef void (*service_fn)(void);

/* In the child an assertion must not jump into the parent's test. */
#define require(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static void set_variable(const char *name, const char *value)
{
    require((value != NULL ? setenv(name, value, 1) : unsetenv(name)) == 0);
}

/* pid NULL: this process. */
static void set_variables(const char *pid, const char *count, const char *names)
{
    char own_pid[16];
    (void)snprintf(own_pid, sizeof(own_pid), "%d", (int)getpid());
    set_variable("LISTEN_PID", pid != NULL ? pid : own_pid);
    set_variable("LISTEN_FDS", count);
    set_variable("LISTEN_FDNAMES", names);
}

/* Everything of the parent's from 3 on is closed first: a descriptor of its own may lie there. */
static void place_descriptors(void)
{
    int pipe_fds[2];
    require(close_range(3, ~0U, 0) == 0);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    require(server == 3);
    require(listen(server, 1) == 0);
    require(pipe(pipe_fds) == 0);
    require(pipe_fds[0] == 4);
    require(close(pipe_fds[1]) == 0);
    require(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0) == 5);
}

/* Runs fn in a child; what is not so there fails the test here. */
static void run_as_service(service_fn fn)
{
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_int_not_equal(pid, -1);
    if (pid == 0) {
        place_descriptors();
        fn();
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void require_untouched(void)
{
    require(getenv("LISTEN_PID") != NULL && getenv("LISTEN_FDS") != NULL);
    for (int fd = 3; fd < 3 + FD_COUNT; fd++) {
        require(fcntl(fd, F_GETFD) != -1);
    }
}

static void take_all(void)
{
    struct party_inherited_list list;
    set_variables(NULL, "3", "front:control:");
    require(party_inherited_take(&list) == 0);
    require(list.count == FD_COUNT);
    require(strcmp(list.entries[0].name, "front") == 0);
    require(strcmp(list.entries[1].name, "control") == 0);
    require(strcmp(list.entries[2].name, "") == 0);
    require(list.entries[0].sock != NULL && list.entries[0].fd == -1);
    require(party_sock_fileno(list.entries[0].sock) == 3);
    require(party_sock_family(list.entries[0].sock) == AF_INET);
    require(party_sock_gettimeout(list.entries[0].sock) == -1);
    require(list.entries[1].sock == NULL && list.entries[1].fd == 4);
    require(party_sock_type(list.entries[2].sock) == SOCK_DGRAM);
    require(party_sock_gettimeout(list.entries[2].sock) == 0);
    for (int fd = 3; fd < 3 + FD_COUNT; fd++) {
        require((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
    require(getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL);
    require(getenv("LISTEN_FDNAMES") == NULL);

    struct party_inherited_list again;
    require(party_inherited_take(&again) == 0);
    require(again.count == 0 && again.entries == NULL);
    party_inherited_list_finish(&again);

    /* What was taken out stays open, the rest is closed. */
    struct party_sock *server = list.entries[0].sock;
    list.entries[0].sock = NULL;
    party_inherited_list_finish(&list);
    require(list.count == 0 && list.entries == NULL);
    require(fcntl(3, F_GETFD) != -1);
    require(fcntl(4, F_GETFD) == -1 && fcntl(5, F_GETFD) == -1);
    require(party_sock_close(server) == 0);
    party_inherited_list_finish(NULL);
}

static void test_everything_passed_is_taken_over_once(void **state)
{
    (void)state;
    run_as_service(take_all);
}

static void take_without_names(void)
{
    struct party_inherited_list list;
    set_variables(NULL, "2", NULL);
    require(party_inherited_take(&list) == 0);
    require(list.count == 2);
    require(strcmp(list.entries[0].name, "unknown") == 0);
    require(strcmp(list.entries[1].name, "unknown") == 0);
    party_inherited_list_finish(&list);
    require(fcntl(5, F_GETFD) != -1);
}

static void test_without_names_all_are_unknown(void **state)
{
    (void)state;
    run_as_service(take_without_names);
}

static void take_nothing(void)
{
    struct party_inherited_list list;
    set_variables("1", "3", NULL);
    require(party_inherited_take(&list) == 0 && list.count == 0);
    require_untouched();
    set_variable("LISTEN_PID", NULL);
    require(party_inherited_take(&list) == 0 && list.count == 0);
    set_variables(NULL, NULL, NULL);
    require(party_inherited_take(&list) == 0 && list.count == 0);
    set_variables(NULL, "0", NULL);
    require(party_inherited_take(&list) == 0 && list.count == 0);
    require(fcntl(3, F_GETFD) != -1);
}

static void test_what_is_for_another_process_is_left_alone(void **state)
{
    (void)state;
    run_as_service(take_nothing);
}

static void take_malformed(void)
{
    static const struct {
        const char *pid; /* NULL: the right one */
        const char *count;
        const char *names;
        int result;
    } cases[] = {
        {"", "1", NULL, -EINVAL},
        {"0", "1", NULL, -EINVAL},
        {"-1", "1", NULL, -EINVAL},
        {"1x", "1", NULL, -EINVAL},
        {"99999999999", "1", NULL, -EINVAL},
        {NULL, "", NULL, -EINVAL},
        {NULL, "-1", NULL, -EINVAL},
        {NULL, "+1", NULL, -EINVAL},
        {NULL, "01", NULL, -EINVAL},
        {NULL, " 1", NULL, -EINVAL},
        {NULL, "4097", NULL, -EINVAL},
        {NULL, "2", "one", -EINVAL},
        {NULL, "2", "one:two:three", -EINVAL},
        {NULL, "4", NULL, -EBADF},
        {NULL, "4", "a:b:c:d", -EBADF},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_inherited_list list = {.count = 77};
        set_variables(cases[i].pid, cases[i].count, cases[i].names);
        int r = party_inherited_take(&list);
        if (r != cases[i].result || list.count != 77) {
            (void)fprintf(stderr, "case %zu: %s\n", i, party_error_name(r));
            _exit(1);
        }
        require_untouched();
        require(fail_malloc_outstanding() == 0);
    }
}

static void test_malformed_variables_change_nothing(void **state)
{
    (void)state;
    run_as_service(take_malformed);
}

static void take_without_memory(void)
{
    struct party_inherited_list list;
    size_t nth = 0;
    int r = -ENOMEM;
    set_variables(NULL, "3", "a:b:c");
    while (r == -ENOMEM) {
        nth++;
        require(nth < 20);
        fail_malloc_arm(nth, FAIL_MALLOC_ONCE);
        r = party_inherited_take(&list);
        (void)fail_malloc_disarm();
        if (r == -ENOMEM) {
            require_untouched();
            require(fail_malloc_outstanding() == 0);
        }
    }
    require(r == 0 && nth > 5 && list.count == FD_COUNT);
    party_inherited_list_finish(&list);
    require(fail_malloc_outstanding() == 0);
}

static void test_survives_no_memory(void **state)
{
    (void)state;
    run_as_service(take_without_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_passed_is_taken_over_once),
        cmocka_unit_test(test_without_names_all_are_unknown),
        cmocka_unit_test(test_what_is_for_another_process_is_left_alone),
        cmocka_unit_test(test_malformed_variables_change_nothing),
        cmocka_unit_test(test_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
