/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>

#include "server/server_test_util.h"

/* ---- fork and pidfd_open, made to fail ---- */

static atomic_uint fork_failures;
static atomic_uint pidfd_failures;

pid_t __real_fork(void);
pid_t __wrap_fork(void);
int __real_pidfd_open(pid_t pid, unsigned flags);
int __wrap_pidfd_open(pid_t pid, unsigned flags);

pid_t __wrap_fork(void)
{
    if (atomic_load(&fork_failures) > 0) {
        atomic_fetch_sub(&fork_failures, 1);
        errno = EAGAIN;
        return -1;
    }
    return __real_fork();
}

int __wrap_pidfd_open(pid_t pid, unsigned flags)
{
    if (atomic_load(&pidfd_failures) > 0) {
        atomic_fetch_sub(&pidfd_failures, 1);
        errno = EMFILE;
        return -1;
    }
    return __real_pidfd_open(pid, flags);
}

static struct party_server_settings forking(struct tally *tally,
                                            int (*handle)(struct party_request *, void *))
{
    struct party_server_settings settings = settings_for(tally, handle);
    settings.model = PARTY_SERVER_PROCESSES;
    settings.request_queue_size = 128;
    return settings;
}

/* Tells its pid, then echoes. */
static int tell_pid(struct party_request *request, void *user)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%08d", (int)getpid());
    int r = party_sock_sendall(request->sock, text, strlen(text), 0);
    return r < 0 ? r : echo(request, user);
}

static pid_t hear_pid(int fd)
{
    char text[9] = {0};
    assert_int_equal(recv(fd, text, 8, MSG_WAITALL), 8);
    return (pid_t)strtol(text, NULL, 10);
}

/* ---- children ---- */

static void test_each_request_has_a_process(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, tell_pid);
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_gettimeout(server), 300000);
    struct serving serving;
    start_serving(&serving, server);
    int first = dial(server);
    int second = dial(server);
    pid_t first_pid = hear_pid(first);
    pid_t second_pid = hear_pid(second);
    assert_int_not_equal(first_pid, second_pid);
    assert_int_not_equal(first_pid, getpid());
    hang_up(second);
    hang_up(first);
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    /* Both have been waited for: no child is left. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
    party_server_destroy(server);
}

static void serve_more_than_fit(unsigned without_pidfd)
{
    struct tally tally;
    struct party_server_settings settings = forking(&tally, tell_pid);
    settings.max_children = 2;
    struct party_server *server = open_with(&settings);
    atomic_store(&pidfd_failures, without_pidfd);
    struct serving serving;
    start_serving(&serving, server);
    int fds[8];
    for (size_t i = 0; i < 8; i++) {
        fds[i] = dial(server);
    }
    for (size_t i = 0; i < 8; i++) {
        pid_t pid = hear_pid(fds[i]);
        assert_int_equal(kill(pid, 0), 0);
        hang_up(fds[i]);
    }
    stop_serving(&serving);
    assert_int_equal(tally.logged, 0);
    party_server_destroy(server);
    atomic_store(&pidfd_failures, 0);
}

static void test_beyond_max_children_clients_wait(void **state)
{
    (void)state;
    serve_more_than_fit(0);
}

static void test_children_are_reaped_without_a_descriptor_for_each(void **state)
{
    (void)state;
    serve_more_than_fit(8);
}

static void test_with_all_children_busy_handle_request_times_out(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, tell_pid);
    settings.max_children = 1;
    struct party_server *server = open_with(&settings);
    int first = dial(server);
    int second = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    pid_t pid = hear_pid(first);
    assert_int_equal(party_server_settimeout(server, 1), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    hang_up(first);
    assert_int_equal(party_server_settimeout(server, -1), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_not_equal(hear_pid(second), pid);
    hang_up(second);
    party_server_destroy(server);
}

static void test_other_children_of_the_program_stay_its_own(void **state)
{
    (void)state;
    struct tally tally;
    pid_t own = __real_fork();
    assert_int_not_equal(own, -1);
    if (own == 0) {
        _exit(7);
    }
    struct party_server_settings settings = forking(&tally, tell_pid);
    struct party_server *server = open_with(&settings);
    for (int i = 0; i < 3; i++) {
        int fd = dial(server);
        assert_int_equal(party_server_handle_request(server), 0);
        (void)hear_pid(fd);
        hang_up(fd);
    }
    party_server_destroy(server);
    int status = -1;
    assert_int_equal(waitpid(own, &status, 0), own);
    assert_int_equal(WEXITSTATUS(status), 7);
}

static void test_a_program_that_ignores_its_children_can_fork(void **state)
{
    (void)state;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    assert_int_equal(sigaction(SIGCHLD, &ignore, &before), 0);
    serve_more_than_fit(0);
    assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
}

/* ---- failures ---- */

static void test_without_a_process_only_that_request_ends(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, tell_pid);
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    atomic_store(&fork_failures, 1);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect_end(fd);
    assert_int_equal(tally.error, -EAGAIN);
    fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    (void)hear_pid(fd);
    hang_up(fd);
    party_server_destroy(server);
}

/* handle_error runs in the child; the client is how the test hears of it. */
static void tell_error(struct party_server *server, struct party_request *request, int error,
                       void *user)
{
    (void)server;
    (void)user;
    const char *name = party_error_name(error);
    int r = party_sock_sendall(request->sock, name, strlen(name), 0);
    (void)r;
}

static int fail_at_once(struct party_request *request, void *user)
{
    (void)request;
    (void)user;
    return -EIO;
}

static void test_a_failure_is_told_in_the_child(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, fail_at_once);
    settings.ops.handle_error = tell_error;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect(fd, "EIO");
    expect_end(fd);
    party_server_destroy(server);
    assert_int_equal(tally.logged, 0);
}

static int kill_oneself(struct party_request *request, void *user)
{
    (void)request;
    (void)user;
    return kill(getpid(), SIGKILL);
}

static void test_a_child_that_a_signal_ended_is_told_of(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, kill_oneself);
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect_end(fd);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.logged, 1);
    assert_non_null(strstr(tally.last_log, "the process that served 127.0.0.1:"));
    assert_non_null(strstr(tally.last_log, "ended by signal 9 (SIGKILL)"));
    party_server_destroy(server);
}

/* ---- the end ---- */

static int shut_parent_down(struct party_request *request, void *user)
{
    (void)user;
    party_server_shutdown(request->server);
    bool cannot_close = party_server_close(request->server) == -EBUSY;
    return party_sock_sendall(request->sock, cannot_close ? "bye" : "???", 3, 0);
}

static void test_a_handler_in_a_child_may_shut_the_server_down(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, shut_parent_down);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "bye");
    expect_end(fd);
    join_serving(&serving);
    party_server_destroy(server);
}

static void test_children_are_not_waited_for_when_close_is_not_to_block(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, tell_pid);
    settings.no_block_on_close = true;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    pid_t pid = hear_pid(fd);
    party_server_destroy(server);
    say(fd, "after");
    expect(fd, "after");
    hang_up(fd);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int live_a_life(void *user)
{
    const struct party_server_settings *settings = user;
    struct tally *tally = settings->user;
    atomic_store(&tally->errors, 0);
    struct party_server *server;
    int r = party_server_create(settings, &server);
    if (r < 0) {
        return r;
    }
    int fd = dial(server);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    r = party_server_handle_request(server);
    party_server_destroy(server);
    assert_int_equal(close(fd), 0);
    return tally->errors > 0 ? tally->error : r;
}

static void test_processes_survive_no_memory(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = forking(&tally, echo);
    settings.ops.handle_error = tally_error;
    assert_survives_malloc_failure(live_a_life, &settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_request_has_a_process),
        cmocka_unit_test(test_beyond_max_children_clients_wait),
        cmocka_unit_test(test_children_are_reaped_without_a_descriptor_for_each),
        cmocka_unit_test(test_with_all_children_busy_handle_request_times_out),
        cmocka_unit_test(test_other_children_of_the_program_stay_its_own),
        cmocka_unit_test(test_a_program_that_ignores_its_children_can_fork),
        cmocka_unit_test(test_without_a_process_only_that_request_ends),
        cmocka_unit_test(test_a_failure_is_told_in_the_child),
        cmocka_unit_test(test_a_child_that_a_signal_ended_is_told_of),
        cmocka_unit_test(test_a_handler_in_a_child_may_shut_the_server_down),
        cmocka_unit_test(test_children_are_not_waited_for_when_close_is_not_to_block),
        cmocka_unit_test(test_processes_survive_no_memory),
    };
    return cmocka_run_group_tests_name("server_processes", tests, NULL, NULL);
}
