/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>
#include <partyline/stream.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>

#include "server/server_test_util.h"

/* ---- accept4, made to fail ---- */

static atomic_int accept_error; /* 0: accept works */
static atomic_uint accept_failures;
static atomic_uint accept_calls;

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    atomic_fetch_add(&accept_calls, 1);
    if (atomic_load(&accept_failures) > 0) {
        atomic_fetch_sub(&accept_failures, 1);
        errno = atomic_load(&accept_error);
        return -1;
    }
    return __real_accept4(fd, addr, len, flags);
}

/* ---- serving ---- */

static void test_serial_server_serves_one_after_the_other(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    assert_int_not_equal(party_address_port(party_server_address(server)), 0);
    struct serving serving;
    start_serving(&serving, server);
    for (int i = 0; i < 20; i++) {
        echo_once(server, "hello");
    }
    stop_serving(&serving);
    assert_int_equal(tally.logged, 0);
    party_server_destroy(server);
}

static void test_serving_goes_on_after_a_shutdown(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    for (int i = 0; i < 3; i++) {
        struct serving serving;
        start_serving(&serving, server);
        echo_once(server, "once more");
        assert_false(party_server_is_stopping(server));
        stop_serving(&serving);
        assert_true(party_server_is_stopping(server));
    }
    party_server_destroy(server);
}

static void test_shutdown_before_serving_ends_it_at_once(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    party_server_shutdown(server);
    assert_int_equal(party_server_serve_forever(server), 0);
    party_server_stop(server);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_true(party_server_is_stopping(server));
    party_server_destroy(server);
}

static int shut_down_and_answer(struct party_request *request, void *user)
{
    (void)user;
    party_server_shutdown(request->server);
    return party_sock_sendall(request->sock, "bye", 3, 0);
}

static void test_a_handler_may_shut_the_server_down(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, shut_down_and_answer);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    expect(fd, "bye");
    expect_end(fd);
    join_serving(&serving);
    party_server_destroy(server);
}

/* A thread that waits for a signal, as programs do that want no signal handler. */
static void *shut_down_on_signal(void *user)
{
    sigset_t set;
    int signo;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    if (sigwait(&set, &signo) == 0) {
        party_server_shutdown(user);
    }
    return NULL;
}

static void test_a_thread_that_waits_for_signals_may_shut_the_server_down(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    sigset_t set;
    sigset_t before;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &set, &before), 0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, shut_down_on_signal, server), 0);
    assert_int_equal(pthread_kill(thread, SIGUSR1), 0);
    assert_int_equal(party_server_serve_forever(server), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    party_server_destroy(server);
}

static struct party_server *server_to_stop;

static void stop_in_handler(int signo)
{
    (void)signo;
    party_server_stop(server_to_stop);
}

static void test_a_signal_handler_may_stop_the_server(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    server_to_stop = open_with(&settings);
    struct sigaction action = {.sa_handler = stop_in_handler};
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    struct serving serving;
    start_serving(&serving, server_to_stop);
    echo_once(server_to_stop, "it serves");
    assert_int_equal(pthread_kill(serving.thread, SIGUSR1), 0);
    join_serving(&serving);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    party_server_destroy(server_to_stop);
}

static void test_only_one_thread_serves(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "it serves");
    assert_int_equal(party_server_serve_forever(server), -EBUSY);
    assert_int_equal(party_server_handle_request(server), -EBUSY);
    assert_int_equal(party_server_close(server), -EBUSY);
    stop_serving(&serving);
    party_server_destroy(server);
}

static void test_a_second_close_does_nothing(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    assert_true(party_server_fileno(server) >= 0);
    assert_ptr_not_equal(party_server_sock(server), NULL);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(party_server_fileno(server), -1);
    assert_null(party_server_sock(server));
    assert_int_equal(party_server_serve_forever(server), -EBADF);
    assert_int_equal(party_server_handle_request(server), -EBADF);
    assert_int_equal(party_server_bind(server), -EBADF);
    assert_int_equal(party_server_activate(server), -EBADF);
    party_server_destroy(server);
    party_server_destroy(NULL);
}

/* ---- handle_request ---- */

static void count_timeout(struct party_server *server, void *user)
{
    struct tally *tally = user;
    (void)server;
    atomic_fetch_add(&tally->timeouts, 1);
}

static void test_handle_request_handles_one(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_gettimeout(server), -1);
    int first = dial(server);
    int second = dial(server);
    say(first, "one");
    say(second, "two");
    assert_int_equal(shutdown(first, SHUT_WR), 0);
    assert_int_equal(shutdown(second, SHUT_WR), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    expect(first, "one");
    expect_end(first);
    assert_int_equal(party_server_handle_request(server), 0);
    expect(second, "two");
    expect_end(second);
    party_server_destroy(server);
}

static void test_handle_request_times_out(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.ops.handle_timeout = count_timeout;
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_settimeout(server, -2), -EINVAL);
    assert_int_equal(party_server_settimeout(server, 0), 0);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.timeouts, 1);
    assert_int_equal(party_server_settimeout(server, 5), 0);
    assert_int_equal(party_server_gettimeout(server), 5);
    assert_int_equal(party_server_handle_request(server), 0);
    assert_int_equal(tally.timeouts, 2);
    party_server_destroy(server);
}

/* ---- settings ---- */

static void test_what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server *server = NULL;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.model = (enum party_server_model)9;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings = settings_for(&tally, echo);
    settings.kind = (enum party_server_kind)9;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings = settings_for(&tally, echo);
    settings.service_interval_ms = -1;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings = settings_for(&tally, echo);
    settings.handler.timeout_ms = -1;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings = settings_for(&tally, echo);
    settings.model = PARTY_SERVER_LOOPS;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings = settings_for(&tally, echo);
    settings.address_family = AF_INET6;
    assert_int_equal(party_server_create(&settings, &server), -EAFNOSUPPORT);
    settings = settings_for(&tally, echo);
    settings.address_family = AF_INET;
    assert_int_equal(party_server_create(&settings, &server), 0);
    party_server_destroy(server);
}

static void test_an_address_in_use_is_refused_unless_the_port_is_shared(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.allow_reuse_address = true;
    settings.allow_reuse_port = true;
    struct party_server *first = open_with(&settings);
    int value = 0;
    assert_int_equal(
        party_sock_getsockopt(party_server_sock(first), SOL_SOCKET, SO_REUSEADDR, &value), 0);
    assert_int_equal(value, 1);
    settings.address = *party_server_address(first);
    struct party_server *second = open_with(&settings);
    settings.allow_reuse_port = false;
    struct party_server *third = NULL;
    assert_int_equal(party_server_create(&settings, &third), -EADDRINUSE);
    assert_null(third);
    party_server_destroy(second);
    party_server_destroy(first);
}

static void test_a_server_may_be_bound_later(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    settings.no_bind_and_activate = true;
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_address_port(party_server_address(server)), 0);
    assert_int_equal(party_server_bind(server), 0);
    assert_int_equal(party_server_activate(server), 0);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "late");
    stop_serving(&serving);
    party_server_destroy(server);
}

static void test_loops_need_a_stream_handler_and_a_backend_that_exists(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    const struct party_stream_ops nothing = {0};
    struct party_server *server;
    settings.model = PARTY_SERVER_LOOPS;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings.stream = &nothing;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    settings.kind = PARTY_SERVER_DATAGRAM;
    settings.stream = NULL;
    settings.loop_backend = "no such backend";
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    party_server_drained_finish(NULL);
}

static void test_a_socket_that_listens_already_is_served_on(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_sock *sock;
    assert_int_equal(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    assert_int_equal(party_sock_bind(sock, &settings.address), 0);
    assert_int_equal(party_sock_listen(sock, 1), 0);
    settings.sock = sock;
    settings.kind = PARTY_SERVER_DATAGRAM;
    struct party_server *server;
    assert_int_equal(party_server_create(&settings, &server), -EINVAL);
    assert_int_not_equal(fcntl(party_sock_fileno(sock), F_GETFD), -1); /* still the caller's */
    settings.kind = PARTY_SERVER_STREAM;
    server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "inherited");
    stop_serving(&serving);
    party_server_destroy(server);
}

/* ---- a failing accept ---- */

static void serve_through(int error, unsigned failures, struct tally *tally)
{
    struct party_server_settings settings = settings_for(tally, echo);
    struct party_server *server = open_with(&settings);
    atomic_store(&accept_error, error);
    atomic_store(&accept_failures, failures);
    atomic_store(&accept_calls, 0);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "in the end");
    stop_serving(&serving);
    party_server_destroy(server);
}

static void test_out_of_descriptors_the_server_pauses_and_says_so_once(void **state)
{
    (void)state;
    struct tally tally;
    serve_through(EMFILE, 3, &tally);
    assert_int_equal(tally.logged, 1);
    assert_non_null(strstr(tally.last_log, "accepting pauses, new requests wait, at 127.0.0.1:"));
    assert_non_null(strstr(tally.last_log, "Too many open files"));
    assert_int_equal(accept_calls, 4);
}

static void test_a_connection_that_broke_meanwhile_is_passed_over(void **state)
{
    (void)state;
    struct tally tally;
    serve_through(ECONNABORTED, 3, &tally);
    assert_int_equal(tally.logged, 0);
    assert_int_equal(accept_calls, 4);
}

static void test_handle_request_tells_why_it_got_none(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    struct party_server *server = open_with(&settings);
    int fd = dial(server);
    atomic_store(&accept_error, ENFILE);
    atomic_store(&accept_failures, 1);
    assert_int_equal(party_server_handle_request(server), -ENFILE);
    assert_int_equal(close(fd), 0);
    party_server_destroy(server);
}

/* ---- no memory ---- */

static int live_a_life(void *user)
{
    const struct party_server_settings *settings = user;
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
    return r;
}

static void test_a_server_survives_no_memory(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = settings_for(&tally, echo);
    assert_survives_malloc_failure(live_a_life, &settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_serial_server_serves_one_after_the_other),
        cmocka_unit_test(test_serving_goes_on_after_a_shutdown),
        cmocka_unit_test(test_shutdown_before_serving_ends_it_at_once),
        cmocka_unit_test(test_a_handler_may_shut_the_server_down),
        cmocka_unit_test(test_a_thread_that_waits_for_signals_may_shut_the_server_down),
        cmocka_unit_test(test_a_signal_handler_may_stop_the_server),
        cmocka_unit_test(test_only_one_thread_serves),
        cmocka_unit_test(test_a_second_close_does_nothing),
        cmocka_unit_test(test_handle_request_handles_one),
        cmocka_unit_test(test_handle_request_times_out),
        cmocka_unit_test(test_what_makes_no_sense_is_refused),
        cmocka_unit_test(test_an_address_in_use_is_refused_unless_the_port_is_shared),
        cmocka_unit_test(test_a_server_may_be_bound_later),
        cmocka_unit_test(test_loops_need_a_stream_handler_and_a_backend_that_exists),
        cmocka_unit_test(test_a_socket_that_listens_already_is_served_on),
        cmocka_unit_test(test_out_of_descriptors_the_server_pauses_and_says_so_once),
        cmocka_unit_test(test_a_connection_that_broke_meanwhile_is_passed_over),
        cmocka_unit_test(test_handle_request_tells_why_it_got_none),
        cmocka_unit_test(test_a_server_survives_no_memory),
    };
    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
