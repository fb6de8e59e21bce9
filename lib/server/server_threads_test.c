/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <signal.h>

#include "server/server_test_util.h"

/* ---- pthread_create, made to fail ---- */

static atomic_uint thread_failures;
static atomic_uint threads_made;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user)
{
    if (atomic_load(&thread_failures) > 0) {
        atomic_fetch_sub(&thread_failures, 1);
        return EAGAIN;
    }
    atomic_fetch_add(&threads_made, 1);
    return __real_pthread_create(thread, attributes, run, user);
}

static struct party_server_settings threaded(struct tally *tally,
                                             int (*handle)(struct party_request *, void *))
{
    struct party_server_settings settings = settings_for(tally, handle);
    settings.model = PARTY_SERVER_THREADS;
    settings.request_queue_size = 128;
    return settings;
}

/* ---- the pool ---- */

static atomic_uint running;
static atomic_uint most_running;

static int echo_and_count(struct party_request *request, void *user)
{
    struct tally *tally = user;
    unsigned now = atomic_fetch_add(&running, 1) + 1;
    unsigned most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now)) {
    }
    int r = echo(request, user);
    atomic_fetch_sub(&running, 1);
    atomic_fetch_add(&tally->handled, 1);
    return r;
}

static void test_clients_are_served_beside_each_other(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo_and_count);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fds[100];
    for (size_t i = 0; i < 100; i++) {
        fds[i] = dial(server);
        say(fds[i], "I am here");
        expect(fds[i], "I am here");
    }
    for (size_t i = 100; i-- > 0;) { /* the last that came speaks first */
        say(fds[i], "still");
        expect(fds[i], "still");
        hang_up(fds[i]);
    }
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.handled, 100);
    party_server_destroy(server);
}

static void test_beyond_max_threads_clients_wait(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo_and_count);
    settings.max_threads = 3;
    atomic_store(&most_running, 0);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    atomic_store(&threads_made, 0);
    int fds[30];
    for (size_t i = 0; i < 30; i++) {
        fds[i] = dial(server);
        say(fds[i], "next, please");
    }
    for (size_t i = 0; i < 3; i++) { /* as many as there may be are served at once */
        expect(fds[i], "next, please");
    }
    for (size_t i = 0; i < 30; i++) { /* whose turn it is frees a thread by leaving */
        if (i >= 3) {
            expect(fds[i], "next, please");
        }
        hang_up(fds[i]);
    }
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.handled, 30);
    assert_int_equal(most_running, 3);
    assert_int_equal(threads_made, 3);
    party_server_destroy(server);
}

static void test_a_full_pool_can_be_shut_down(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.max_threads = 1;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    say(fd, "busy");
    expect(fd, "busy");
    stop_serving(&serving);
    say(fd, "and still busy");
    expect(fd, "and still busy");
    hang_up(fd);
    party_server_destroy(server);
}

static void count_timeout(struct party_server *server, void *user)
{
    struct tally *tally = user;
    (void)server;
    atomic_fetch_add(&tally->timeouts, 1);
}

static void test_handle_request_waits_for_a_free_thread_no_longer_than_its_timeout(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.max_threads = 1;
    settings.ops.handle_timeout = count_timeout;
    struct party_server *server = open_with(&settings);
    int first = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    int second = dial(server);
    assert_int_equal(party_server_settimeout(server, 1), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.timeouts, 1);
    hang_up(first);
    assert_int_equal(party_server_settimeout(server, -1), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    say(second, "at last");
    expect(second, "at last");
    hang_up(second);
    party_server_destroy(server);
}

static void test_without_a_thread_only_that_request_ends(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.ops.handle_error = tally_error;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    for (int i = 0; i < 2; i++) {
        atomic_store(&thread_failures, 1);
        expect_end(dial(server));
    }
    assert_int_equal(tally.errors, 2);
    assert_int_equal(tally.error, -EAGAIN);
    echo_once(server, "the next one lives");
    stop_serving(&serving);
    party_server_destroy(server);
}

static int fail_at_once(struct party_request *request, void *user)
{
    (void)request;
    (void)user;
    return -EIO;
}

static void test_a_handler_that_fails_costs_no_thread(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, fail_at_once);
    settings.ops.handle_error = tally_error;
    settings.max_threads = 2;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    for (int i = 0; i < 10; i++) {
        expect_end(dial(server));
    }
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.errors, 10);
    party_server_destroy(server);
}

static int tell_of_signals(struct party_request *request, void *user)
{
    sigset_t blocked;
    (void)user;
    int error = pthread_sigmask(SIG_BLOCK, NULL, &blocked);
    bool is_right = error == 0 && sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM) &&
                    sigismember(&blocked, SIGCHLD) && !sigismember(&blocked, SIGSEGV);
    return party_sock_sendall(request->sock, is_right ? "yes" : "no!", 3, 0);
}

static void test_signals_from_outside_do_not_reach_the_pool(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, tell_of_signals);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "yes");
    expect_end(fd);
    stop_serving(&serving);
    party_server_destroy(server);
}

/* ---- the end ---- */

static int shut_down_and_answer(struct party_request *request, void *user)
{
    struct tally *tally = user;
    party_server_shutdown(request->server);
    atomic_fetch_add(&tally->handled, 1);
    return party_sock_sendall(request->sock, "bye", 3, 0);
}

static void test_a_handler_in_a_thread_may_shut_the_server_down(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, shut_down_and_answer);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "bye");
    expect_end(fd);
    join_serving(&serving);
    party_server_destroy(server);
}

static int wait_and_count(struct party_request *request, void *user)
{
    struct tally *tally = user;
    char byte;
    ssize_t n = party_sock_recv_into(request->sock, &byte, 1, 0);
    atomic_fetch_add(&tally->handled, 1);
    return n < 0 ? (int)n : 0;
}

static void *close_in_thread(void *user)
{
    struct party_server *server = user;
    return party_server_close(server) == 0 ? NULL : server;
}

static void test_close_waits_for_the_threads(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, wait_and_count);
    struct party_server *server = open_with(&settings);
    int fds[5];
    for (size_t i = 0; i < 5; i++) {
        fds[i] = dial(server);
        assert_int_equal(party_server_handle_request(server), 0);
    }
    pthread_t closer;
    void *failed = server;
    assert_int_equal(pthread_create(&closer, NULL, close_in_thread, server), 0);
    for (size_t i = 0; i < 5; i++) {
        say(fds[i], ".");
        expect_end(fds[i]);
    }
    assert_int_equal(pthread_join(closer, &failed), 0);
    assert_null(failed);
    assert_int_equal(tally.handled, 5);
    party_server_destroy(server);
}

static void leave_a_handler_running(struct party_server_settings *settings)
{
    struct party_server *server = open_with(settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    say(fd, "before");
    expect(fd, "before");
    party_server_destroy(server);
    say(fd, "after");
    expect(fd, "after");
    hang_up(fd);
}

static void test_daemon_threads_are_not_waited_for(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.daemon_threads = true;
    leave_a_handler_running(&settings);
}

static void test_threads_are_not_waited_for_when_close_is_not_to_block(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.no_block_on_close = true;
    leave_a_handler_running(&settings);
}

/* -EBUSY as long as the thread that took the request has not left handle_request. */
static bool is_refused(struct party_server *server)
{
    int r = party_server_close(server);
    return (r == -EDEADLK || r == -EBUSY) && party_server_drain(server, 0, NULL) == -EDEADLK;
}

static int close_own_server(struct party_request *request, void *user)
{
    struct tally *tally = user;
    int r = wait_and_count(request, user);
    if (!is_refused(request->server)) {
        atomic_fetch_add(&tally->errors, 1);
    }
    return r;
}

static void test_a_handler_cannot_close_its_server(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, close_own_server);
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    say(fd, ".");
    expect_end(fd);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.handled, 1);
    assert_int_equal(tally.errors, 0);
    party_server_destroy(server);
}

static void close_in_handle_error(struct party_server *server, struct party_request *request,
                                  int error, void *user)
{
    tally_error(server, request, error, user);
    struct tally *tally = user;
    if (!is_refused(server)) {
        atomic_fetch_add(&tally->errors, 100);
    }
}

static void close_in_shutdown_request(struct party_server *server, struct party_request *request,
                                      void *user)
{
    struct tally *tally = user;
    if (!is_refused(server)) {
        atomic_fetch_add(&tally->errors, 100);
    }
    party_server_default_shutdown_request(server, request);
}

static void test_steps_in_a_thread_cannot_close_their_server(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, fail_at_once);
    settings.ops.handle_error = close_in_handle_error;
    settings.ops.shutdown_request = close_in_shutdown_request;
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    assert_int_equal(party_server_handle_request(server), 0);
    expect_end(fd);
    assert_int_equal(party_server_close(server), 0);
    party_server_destroy(server);
    assert_int_equal(tally.errors, 1);
}

static void test_a_packet_can_be_answered_after_close(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.kind = PARTY_SERVER_DATAGRAM;
    struct party_server *server = open_with(&settings);
    int fds[20];
    for (size_t i = 0; i < 20; i++) {
        fds[i] = dial_address(party_server_address(server), SOCK_DGRAM);
        say(fds[i], "quick");
        assert_int_equal(party_server_handle_request(server), 0);
    }
    party_server_destroy(server);
    for (size_t i = 0; i < 20; i++) {
        expect(fds[i], "quick");
        assert_int_equal(close(fds[i]), 0);
    }
    assert_int_equal(tally.logged, 0);
}

/* ---- no memory ---- */

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

static void test_threads_survive_no_memory(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = threaded(&tally, echo);
    settings.ops.handle_error = tally_error;
    assert_survives_malloc_failure(live_a_life, &settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clients_are_served_beside_each_other),
        cmocka_unit_test(test_beyond_max_threads_clients_wait),
        cmocka_unit_test(test_a_full_pool_can_be_shut_down),
        cmocka_unit_test(test_handle_request_waits_for_a_free_thread_no_longer_than_its_timeout),
        cmocka_unit_test(test_without_a_thread_only_that_request_ends),
        cmocka_unit_test(test_a_handler_that_fails_costs_no_thread),
        cmocka_unit_test(test_signals_from_outside_do_not_reach_the_pool),
        cmocka_unit_test(test_a_handler_in_a_thread_may_shut_the_server_down),
        cmocka_unit_test(test_close_waits_for_the_threads),
        cmocka_unit_test(test_daemon_threads_are_not_waited_for),
        cmocka_unit_test(test_threads_are_not_waited_for_when_close_is_not_to_block),
        cmocka_unit_test(test_a_handler_cannot_close_its_server),
        cmocka_unit_test(test_steps_in_a_thread_cannot_close_their_server),
        cmocka_unit_test(test_a_packet_can_be_answered_after_close),
        cmocka_unit_test(test_threads_survive_no_memory),
    };
    return cmocka_run_group_tests_name("server_threads", tests, NULL, NULL);
}
