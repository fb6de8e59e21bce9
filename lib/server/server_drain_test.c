/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>

#include "server/server_test_util.h"

static struct party_server_settings drainable(struct tally *tally, enum party_server_model model,
                                              int (*handle)(struct party_request *, void *))
{
    struct party_server_settings settings = settings_for(tally, handle);
    settings.model = model;
    settings.request_queue_size = 128;
    settings.ops.handle_error = tally_error;
    return settings;
}

/* Nobody accepts at the address any more. */
static void expect_refusal(const struct party_address *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, &address->u.sa, address->len), -1);
    assert_int_equal(errno, ECONNREFUSED);
    assert_int_equal(close(fd), 0);
}

/* A connection that its handler is known to serve. */
static int dial_and_talk(struct party_server *server)
{
    int fd = dial(server);
    say(fd, "hello");
    expect(fd, "hello");
    return fd;
}

/* ---- nothing to wait for ---- */

static void test_an_idle_server_drains_at_once(void **state)
{
    (void)state;
    for (enum party_server_model model = PARTY_SERVER_SERIAL; model <= PARTY_SERVER_PROCESSES;
         model++) {
        struct tally tally;
        struct party_server_settings settings = drainable(&tally, model, echo);
        struct party_server *server = open_with(&settings);
        struct serving serving;
        start_serving(&serving, server);
        echo_once(server, "hello");
        const struct party_address address = *party_server_address(server);
        struct party_server_drained drained;
        assert_int_equal(party_server_drain(server, -2, &drained), -EINVAL);
        assert_int_equal(party_server_drain(server, -1, &drained), 0);
        join_serving(&serving);
        assert_int_equal(drained.cut, 0);
        assert_int_equal(drained.stuck, 0);
        assert_null(drained.clients);
        assert_int_equal(party_server_fileno(server), -1);
        expect_refusal(&address);
        /* Again, it has nothing to do, and close neither. */
        assert_int_equal(party_server_drain(server, -1, NULL), 0);
        assert_int_equal(party_server_close(server), 0);
        party_server_drained_finish(&drained);
        party_server_drained_finish(&drained);
        party_server_destroy(server);
    }
}

/* ---- who ends in time ---- */

static void drain_while_clients_talk(enum party_server_model model, size_t clients)
{
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, model, echo);
    struct party_server *server = open_with(&settings);
    const struct party_address address = *party_server_address(server);
    struct serving serving;
    start_serving(&serving, server);
    int fds[10];
    for (size_t i = 0; i < clients; i++) {
        fds[i] = dial_and_talk(server);
    }
    struct draining draining;
    start_draining(&draining, server, -1);
    /* The last to be served is still served, until the client has enough. */
    for (size_t i = 0; i < clients; i++) {
        say(fds[i], "goodbye");
        expect(fds[i], "goodbye");
        hang_up(fds[i]);
    }
    join_draining(&draining, clients, 0, 0);
    join_serving(&serving);
    assert_int_equal(tally.errors, 0);
    expect_refusal(&address);
    party_server_destroy(server);
}

static void test_serial_server_ends_its_request_first(void **state)
{
    (void)state;
    drain_while_clients_talk(PARTY_SERVER_SERIAL, 1);
}

static void test_threads_end_their_requests_first(void **state)
{
    (void)state;
    drain_while_clients_talk(PARTY_SERVER_THREADS, 10);
}

static void test_processes_end_their_requests_first(void **state)
{
    (void)state;
    drain_while_clients_talk(PARTY_SERVER_PROCESSES, 10);
}

/* ---- who is cut ---- */

static bool is_named(const struct party_server_drained *drained, uint16_t port)
{
    for (size_t i = 0; i < drained->cut; i++) {
        if (party_address_port(&drained->clients[i]) == port) {
            return true;
        }
    }
    return false;
}

static void drain_while_clients_are_silent(enum party_server_model model, size_t clients)
{
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, model, echo);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fds[10];
    for (size_t i = 0; i < clients; i++) {
        fds[i] = dial_and_talk(server);
    }
    struct draining draining;
    start_draining(&draining, server, 1);
    join_draining(&draining, 0, clients, 0);
    join_serving(&serving);
    for (size_t i = 0; i < clients; i++) {
        assert_true(is_named(&draining.drained, own_port(fds[i])));
        expect_end(fds[i]);
    }
    party_server_drained_finish(&draining.drained);
    party_server_destroy(server);
    assert_int_equal(tally.logged, 0);
}

static void test_serial_server_cuts_and_names_who_stays(void **state)
{
    (void)state;
    drain_while_clients_are_silent(PARTY_SERVER_SERIAL, 1);
}

static void test_threads_cut_and_name_who_stays(void **state)
{
    (void)state;
    drain_while_clients_are_silent(PARTY_SERVER_THREADS, 10);
}

static void test_processes_cut_and_name_who_stays(void **state)
{
    (void)state;
    drain_while_clients_are_silent(PARTY_SERVER_PROCESSES, 10);
}

/* Waits for what only the test can give it, whatever becomes of its connection. */
static int gate[2];

static int get_stuck(struct party_request *request, void *user)
{
    char byte;
    struct tally *tally = user;
    int r = party_sock_sendall(request->sock, "stuck", 5, 0);
    if (read(gate[0], &byte, 1) == 1) {
        atomic_fetch_add(&tally->handled, 1);
    }
    return r;
}

static void open_gate(void)
{
    assert_int_equal(write(gate[1], "", 1), 1);
}

static void make_gate(void)
{
    assert_int_equal(pipe(gate), 0);
}

static void remove_gate(void)
{
    assert_int_equal(close(gate[0]), 0);
    assert_int_equal(close(gate[1]), 0);
}

static void test_a_thread_that_is_stuck_is_left_behind(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, PARTY_SERVER_THREADS, get_stuck);
    make_gate();
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "stuck");
    struct draining draining;
    start_draining(&draining, server, 1);
    join_draining(&draining, 0, 1, 1);
    join_serving(&serving);
    assert_true(is_named(&draining.drained, own_port(fd)));
    party_server_drained_finish(&draining.drained);
    party_server_destroy(server); /* does not wait */
    assert_int_equal(tally.handled, 0);
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0); /* the client has been let go of */
    assert_int_equal(close(fd), 0);
    open_gate();
    while (atomic_load(&tally.handled) == 0) {
        (void)sched_yield();
    }
    remove_gate();
}

static void test_a_serial_server_that_is_stuck_is_left_behind(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, PARTY_SERVER_SERIAL, get_stuck);
    make_gate();
    struct party_server *server = open_with(&settings);
    const struct party_address address = *party_server_address(server);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "stuck");
    struct draining draining;
    start_draining(&draining, server, 0);
    join_draining(&draining, 0, 1, 1);
    party_server_drained_finish(&draining.drained);
    expect_refusal(&address); /* though the thread that serves has not come back */
    party_server_destroy(server);
    open_gate();
    join_serving(&serving);
    assert_int_equal(tally.handled, 1);
    expect_end(fd);
    remove_gate();
}

/* The first request passes, the second one finds a step that does not return. */
static bool verify_and_get_stuck(struct party_server *server, struct party_request *request,
                                 void *user)
{
    struct tally *tally = user;
    (void)server;
    (void)request;
    char byte;
    return atomic_fetch_add(&tally->verified, 1) == 0 || read(gate[0], &byte, 1) == 1;
}

static size_t count_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    assert_non_null(dir);
    size_t count = 0;
    while (readdir(dir) != NULL) {
        count++;
    }
    assert_int_equal(closedir(dir), 0);
    return count;
}

static void test_threads_end_when_the_serving_thread_was_left_behind(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, PARTY_SERVER_THREADS, echo);
    settings.ops.verify_request = verify_and_get_stuck;
    make_gate();
    size_t before = count_threads();
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "hello");
    int fd = dial(server);
    while (atomic_load(&tally.verified) < 2) {
        (void)sched_yield();
    }
    struct draining draining;
    start_draining(&draining, server, 0);
    join_draining(&draining, 0, 1, 1);
    party_server_drained_finish(&draining.drained);
    party_server_destroy(server);
    open_gate();
    join_serving(&serving);
    expect_end(fd);
    while (count_threads() > before) {
        (void)sched_yield();
    }
    remove_gate();
}

static int ignore_the_end(struct party_request *request, void *user)
{
    (void)user;
    (void)signal(SIGTERM, SIG_IGN);
    int r = party_sock_sendall(request->sock, "stuck", 5, 0);
    for (;;) {
        (void)pause();
    }
    return r;
}

static void test_a_child_that_is_stuck_is_killed(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings =
        drainable(&tally, PARTY_SERVER_PROCESSES, ignore_the_end);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "stuck");
    struct draining draining;
    start_draining(&draining, server, 1);
    join_draining(&draining, 0, 1, 0);
    join_serving(&serving);
    assert_true(is_named(&draining.drained, own_port(fd)));
    expect_end(fd);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* reaped, too */
    assert_int_equal(errno, ECHILD);
    party_server_drained_finish(&draining.drained);
    party_server_destroy(server);
}

/* ---- children that may not be signalled ---- */

static atomic_bool is_forbidden;

int __real_pidfd_send_signal(int fd, int signo, siginfo_t *info, unsigned flags);
int __wrap_pidfd_send_signal(int fd, int signo, siginfo_t *info, unsigned flags);
int __real_kill(pid_t pid, int signo);
int __wrap_kill(pid_t pid, int signo);

int __wrap_pidfd_send_signal(int fd, int signo, siginfo_t *info, unsigned flags)
{
    if (atomic_load(&is_forbidden)) {
        errno = EPERM;
        return -1;
    }
    return __real_pidfd_send_signal(fd, signo, info, flags);
}

int __wrap_kill(pid_t pid, int signo)
{
    if (atomic_load(&is_forbidden)) {
        errno = EPERM;
        return -1;
    }
    return __real_kill(pid, signo);
}

static int tell_pid_and_stay(struct party_request *request, void *user)
{
    (void)user;
    char text[9];
    (void)snprintf(text, sizeof(text), "%08d", (int)getpid());
    int r = party_sock_sendall(request->sock, text, 8, 0);
    return r < 0 ? r : (int)party_sock_recv(request->sock, text, 1, 0);
}

static void test_a_child_that_may_not_be_signalled_is_left_behind(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings =
        drainable(&tally, PARTY_SERVER_PROCESSES, tell_pid_and_stay);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    char text[9] = {0};
    start_serving(&serving, server);
    int fd = dial(server);
    assert_int_equal(recv(fd, text, 8, MSG_WAITALL), 8);
    struct draining draining;
    atomic_store(&is_forbidden, true);
    start_draining(&draining, server, 1);
    join_draining(&draining, 0, 1, 1);
    atomic_store(&is_forbidden, false);
    join_serving(&serving);
    party_server_drained_finish(&draining.drained);
    party_server_destroy(server);
    /* It still serves its client, and is the program's to reap. */
    hang_up(fd);
    pid_t pid = (pid_t)strtol(text, NULL, 10);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* ---- who may drain ---- */

static int drain_oneself(struct party_request *request, void *user)
{
    struct tally *tally = user;
    atomic_store(&tally->error, party_server_drain(request->server, 0, NULL));
    return 0;
}

static void test_a_handler_cannot_drain_its_server(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, PARTY_SERVER_SERIAL, drain_oneself);
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect_end(fd);
    assert_int_equal(tally.error, -EDEADLK);
    party_server_destroy(server);
}

static void test_while_one_drains_others_cannot(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, PARTY_SERVER_THREADS, echo);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial_and_talk(server);
    struct draining draining;
    start_draining(&draining, server, -1);
    join_serving(&serving); /* so the drain has begun */
    assert_true(party_server_is_stopping(server));
    assert_int_equal(party_server_drain(server, 0, NULL), -EBUSY);
    assert_int_equal(party_server_close(server), -EBUSY);
    assert_int_equal(party_server_serve_forever(server), -EBUSY);
    hang_up(fd);
    join_draining(&draining, 1, 0, 0);
    party_server_destroy(server);
}

static void test_a_drain_without_memory_cuts_and_counts_all_the_same(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = drainable(&tally, PARTY_SERVER_THREADS, echo);
    struct party_server *server = open_with(&settings);
    int fds[3];
    for (size_t i = 0; i < 3; i++) {
        fds[i] = dial(server);
        assert_int_equal(party_server_handle_request(server), 0);
        say(fds[i], "hello");
        expect(fds[i], "hello");
    }
    struct party_server_drained drained;
    fail_malloc_arm(1, FAIL_MALLOC_FROM_NTH);
    int r = party_server_drain(server, 0, &drained);
    assert_true(fail_malloc_disarm() > 0);
    assert_int_equal(r, 0);
    assert_int_equal(drained.cut, 3);
    assert_null(drained.clients);
    for (size_t i = 0; i < 3; i++) {
        expect_end(fds[i]);
    }
    party_server_drained_finish(&drained);
    party_server_destroy(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_idle_server_drains_at_once),
        cmocka_unit_test(test_serial_server_ends_its_request_first),
        cmocka_unit_test(test_threads_end_their_requests_first),
        cmocka_unit_test(test_processes_end_their_requests_first),
        cmocka_unit_test(test_serial_server_cuts_and_names_who_stays),
        cmocka_unit_test(test_threads_cut_and_name_who_stays),
        cmocka_unit_test(test_processes_cut_and_name_who_stays),
        cmocka_unit_test(test_a_thread_that_is_stuck_is_left_behind),
        cmocka_unit_test(test_a_serial_server_that_is_stuck_is_left_behind),
        cmocka_unit_test(test_threads_end_when_the_serving_thread_was_left_behind),
        cmocka_unit_test(test_a_child_that_is_stuck_is_killed),
        cmocka_unit_test(test_a_child_that_may_not_be_signalled_is_left_behind),
        cmocka_unit_test(test_a_handler_cannot_drain_its_server),
        cmocka_unit_test(test_while_one_drains_others_cannot),
        cmocka_unit_test(test_a_drain_without_memory_cuts_and_counts_all_the_same),
    };
    return cmocka_run_group_tests_name("server_drain", tests, NULL, NULL);
}
