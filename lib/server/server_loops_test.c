/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <netinet/tcp.h>

#include <partyline/stream.h>

#include "server/server_test_util.h"

/* ---- pthread_create and recvfrom, made to fail ---- */

static atomic_uint thread_failures;
static atomic_uint recvfrom_failures;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user);
ssize_t __real_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
                        socklen_t *addr_len);
ssize_t __wrap_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
                        socklen_t *addr_len);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *user)
{
    if (atomic_load(&thread_failures) > 0) {
        atomic_fetch_sub(&thread_failures, 1);
        return EAGAIN;
    }
    return __real_pthread_create(thread, attributes, run, user);
}

ssize_t __wrap_recvfrom(int fd, void *buf, size_t len, int flags, struct sockaddr *addr,
                        socklen_t *addr_len)
{
    if (atomic_load(&recvfrom_failures) > 0) {
        atomic_fetch_sub(&recvfrom_failures, 1);
        errno = ENOBUFS;
        return -1;
    }
    return __real_recvfrom(fd, buf, len, flags, addr, addr_len);
}

/* ---- a stream handler ---- */

static atomic_uint closes;

/* Echoes; "stop" shuts the server down, "close" closes the stream. */
static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct party_request *request = user;
    struct tally *tally = request->user;
    if (request->stream != stream || request->sock != NULL || request->data != tally) {
        atomic_fetch_add(&tally->errors, 1);
    }
    party_stream_write(stream, data, len);
    if (len == 4 && memcmp(data, "stop", 4) == 0) {
        party_server_shutdown(request->server);
        if (party_server_close(request->server) != -EBUSY ||
            party_server_drain(request->server, 0, NULL) != -EDEADLK) {
            atomic_fetch_add(&tally->errors, 1);
        }
    }
    if (len == 5 && memcmp(data, "close", 5) == 0) {
        party_stream_finish(stream);
    }
    return len;
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    struct party_request *request = user;
    if (request->stream == stream && reason == 0) {
        atomic_fetch_add(&closes, 1);
    }
}

static const struct party_stream_ops stream_ops = {.on_data = on_data, .on_close = on_close};

static int set_up(struct party_request *request, void *user)
{
    struct tally *tally = user;
    int value = 0;
    socklen_t len = sizeof(value);
    int fd = party_stream_fileno(request->stream);
    int r = getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &value, &len);
    request->data = tally;
    atomic_fetch_add(&tally->setups, r == 0 && value == 1 ? 1 : 1000);
    return 0;
}

static int refuse_to_set_up(struct party_request *request, void *user)
{
    (void)request;
    (void)user;
    return -EPERM;
}

static int clean_up(struct party_request *request, void *user)
{
    struct tally *tally = user;
    (void)request;
    atomic_fetch_add(&tally->finished, 1);
    return 0;
}

static struct party_server_settings looping(struct tally *tally)
{
    struct party_server_settings settings = settings_for(tally, echo);
    settings.model = PARTY_SERVER_LOOPS;
    settings.request_queue_size = 128;
    settings.max_threads = 3;
    settings.stream = &stream_ops;
    settings.handler.setup = set_up;
    settings.handler.finish = clean_up;
    settings.handler.disable_nagle_algorithm = true;
    settings.ops.handle_error = tally_error;
    return settings;
}

/* ---- serving ---- */

/* tcp(7): of a listening socket TCP_INFO tells the backlog where others have tcpi_sacked. */
static unsigned backlog_of(const struct party_server *server)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    int fd = party_server_fileno(server);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return info.tcpi_sacked;
}

static void test_many_may_come_at_once(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.request_queue_size = 0;
    struct party_server *server = open_with(&settings);
    int somaxconn =
        PARTY_SERVER_LOOPS_QUEUE_SIZE; /* the kernel allows no more than its own limit */
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "r");
    if (file != NULL) {
        assert_int_equal(fscanf(file, "%d", &somaxconn), 1);
        (void)fclose(file);
    }
    int wanted =
        somaxconn < PARTY_SERVER_LOOPS_QUEUE_SIZE ? somaxconn : PARTY_SERVER_LOOPS_QUEUE_SIZE;
    assert_int_equal(backlog_of(server), wanted);
    party_server_destroy(server);
}

static void test_streams_live_from_setup_to_finish(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_handle_request(server), -EOPNOTSUPP);
    atomic_store(&closes, 0);
    struct serving serving;
    start_serving(&serving, server);
    int fds[100];
    for (size_t i = 0; i < 100; i++) {
        fds[i] = dial(server);
        say(fds[i], "hello");
    }
    for (size_t i = 0; i < 100; i++) {
        expect(fds[i], "hello");
        hang_up(fds[i]);
    }
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.setups, 100);
    assert_int_equal(tally.finished, 100);
    assert_int_equal(closes, 100);
    assert_int_equal(tally.errors, 0);
    assert_int_equal(tally.logged, 0);
    party_server_destroy(server);
}

static void test_streams_stand_still_between_two_times_of_serving(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    say(fd, "one");
    expect(fd, "one");
    stop_serving(&serving);
    say(fd, "two");
    start_serving(&serving, server);
    expect(fd, "two");
    stop_serving(&serving);
    party_server_destroy(server); /* closes what is left */
    expect_end(fd);
    assert_int_equal(tally.finished, 1);
    assert_int_equal(tally.errors, 0);
}

static void test_a_stream_in_any_loop_may_shut_the_server_down(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    for (int i = 0; i < 20; i++) { /* the kernel chooses the loop */
        start_serving(&serving, server);
        int fd = dial(server);
        say(fd, "stop");
        join_serving(&serving);
        assert_int_equal(close(fd), 0);
    }
    assert_int_equal(tally.errors, 0);
    party_server_destroy(server);
}

static void test_shutdown_may_come_before_the_loops_are_made(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    for (int i = 0; i < 20; i++) {
        struct party_server *server = open_with(&settings);
        struct serving serving;
        start_serving(&serving, server);
        stop_serving(&serving);
        party_server_destroy(server);
    }
}

/* ---- steps ---- */

static bool refuse(struct party_server *server, struct party_request *request, void *user)
{
    struct tally *tally = user;
    struct party_address peer;
    bool knows_peer = party_sock_getpeername(request->sock, &peer) == 0 &&
                      party_address_equal(&peer, &request->client_address);
    (void)server;
    atomic_fetch_add(&tally->verified, knows_peer ? 1 : 1000);
    return tally->verified != 1;
}

static void test_verify_request_sees_the_connection_and_may_refuse_it(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.ops.verify_request = refuse;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    expect_end(dial(server));
    echo_once(server, "the second is welcome");
    stop_serving(&serving);
    assert_int_equal(tally.verified, 2);
    assert_int_equal(tally.setups, 1);
    party_server_destroy(server);
}

static void test_a_failed_setup_closes_the_stream(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.handler.setup = refuse_to_set_up;
    struct party_server *server = open_with(&settings);
    atomic_store(&closes, 0);
    struct serving serving;
    start_serving(&serving, server);
    expect_end(dial(server));
    stop_serving(&serving);
    assert_int_equal(party_server_close(server), 0);
    assert_int_equal(tally.error, -EPERM);
    assert_int_equal(tally.finished, 0);
    assert_int_equal(closes, 0);
    party_server_destroy(server);
}

static void stop_after_three(struct party_server *server, void *user)
{
    struct tally *tally = user;
    if (atomic_fetch_add(&tally->actions, 1) == 2) {
        party_server_stop(server);
    }
}

static void test_service_actions_come_by_interval(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.ops.service_actions = stop_after_three;
    settings.service_interval_ms = 1;
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_serve_forever(server), 0);
    assert_true(tally.actions >= 3);
    party_server_destroy(server);
}

/* ---- draining ---- */

static void say_goodbye(struct party_request *request, void *user)
{
    (void)user;
    party_stream_write(request->stream, "bye", 3);
    party_stream_finish(request->stream);
}

static void test_streams_are_told_of_a_drain(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.handler.drain = say_goodbye;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fds[9];
    for (size_t i = 0; i < 9; i++) {
        fds[i] = dial(server);
        say(fds[i], "x");
        expect(fds[i], "x");
    }
    struct draining draining;
    start_draining(&draining, server, -1);
    for (size_t i = 0; i < 9; i++) {
        expect(fds[i], "bye");
        expect_end(fds[i]);
    }
    join_draining(&draining, 9, 0, 0);
    join_serving(&serving);
    assert_null(draining.drained.clients);
    assert_int_equal(tally.finished, 9);
    party_server_destroy(server);
}

static void test_streams_that_do_not_end_are_cut_and_named(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    say(fd, "x");
    expect(fd, "x");
    struct party_server_drained drained;
    assert_int_equal(party_server_drain(server, 1, &drained), 0);
    join_serving(&serving);
    assert_int_equal(drained.cut, 1);
    assert_int_equal(drained.stuck, 0);
    assert_int_equal(drained.finished, 0);
    assert_int_equal(party_address_port(&drained.clients[0]), own_port(fd));
    expect_end(fd);
    party_server_drained_finish(&drained);
    party_server_destroy(server);
}

static void tell_that_it_drains(struct party_request *request, void *user)
{
    (void)user;
    party_stream_write(request->stream, "draining", 8);
}

static void test_streams_that_stand_still_are_cut_at_once(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    say(fd, "x");
    expect(fd, "x");
    stop_serving(&serving);
    struct party_server_drained drained;
    assert_int_equal(party_server_drain(server, -1, &drained), 0);
    assert_int_equal(drained.cut, 1);
    assert_int_equal(drained.stuck, 0);
    expect_end(fd);
    party_server_drained_finish(&drained);
    party_server_destroy(server);
}

/* Else the drain would wait for streams that nobody moves any more. */
static void test_streams_are_cut_when_serving_ends_during_the_drain(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.handler.drain = tell_that_it_drains;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    start_serving(&serving, server);
    int fd = dial(server);
    say(fd, "x");
    expect(fd, "x");
    struct draining draining;
    start_draining(&draining, server, -1);
    expect(fd, "draining");
    stop_serving(&serving);
    join_draining(&draining, 0, 1, 0);
    expect_end(fd);
    party_server_drained_finish(&draining.drained);
    party_server_destroy(server);
}

static atomic_bool dialling;

static void *dial_again_and_again(void *user)
{
    const struct party_address *address = user;
    while (atomic_load(&dialling)) {
        /* A handshake that the drain interrupts would wait for TCP's own timer. */
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd != -1) {
            (void)connect(fd, &address->u.sa, address->len); /* refused once the server drains */
            (void)close(fd);
        }
    }
    return NULL;
}

/* What is cut is named, and may have been accepted in that moment. */
static void test_a_drain_cuts_while_clients_come(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct tally tally;
        struct party_server_settings settings = looping(&tally);
        struct party_server *server = open_with(&settings);
        struct party_address address = *party_server_address(server);
        struct serving serving;
        start_serving(&serving, server);
        pthread_t clients[2];
        atomic_store(&dialling, true);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(pthread_create(&clients[i], NULL, dial_again_and_again, &address), 0);
        }
        echo_once(server, "hello");
        struct party_server_drained drained;
        assert_int_equal(party_server_drain(server, 0, &drained), 0);
        join_serving(&serving);
        atomic_store(&dialling, false);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(pthread_join(clients[i], NULL), 0);
        }
        for (size_t i = 0; i < drained.cut; i++) {
            assert_int_equal(party_address_family(&drained.clients[i]), AF_INET);
        }
        assert_int_equal(drained.stuck, 0);
        party_server_drained_finish(&drained);
        party_server_destroy(server);
        assert_int_equal(tally.finished, tally.setups);
    }
}

/* ---- failures ---- */

static void test_without_a_thread_serving_fails_and_can_be_tried_again(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    atomic_store(&thread_failures, 1);
    assert_int_equal(party_server_serve_forever(server), -EAGAIN);
    struct serving serving;
    start_serving(&serving, server);
    echo_once(server, "now it works");
    stop_serving(&serving);
    party_server_destroy(server);
}

static void test_without_kernel_memory_packets_wait(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.kind = PARTY_SERVER_DATAGRAM;
    settings.handler.setup = NULL;
    struct party_server *server = open_with(&settings);
    struct serving serving;
    atomic_store(&recvfrom_failures, 2);
    start_serving(&serving, server);
    int fd = dial_address(party_server_address(server), SOCK_DGRAM);
    say(fd, "late");
    expect(fd, "late");
    assert_int_equal(close(fd), 0);
    stop_serving(&serving);
    assert_true(tally.logged >= 1);
    assert_non_null(strstr(tally.last_log, "packets wait, at 127.0.0.1:"));
    party_server_destroy(server);
}

static void serve_shared(struct party_server_settings *settings)
{
    struct party_server *server = open_with(settings);
    struct serving serving;
    start_serving(&serving, server);
    for (int i = 0; i < 20; i++) {
        echo_once(server, "shared");
    }
    stop_serving(&serving);
    party_server_destroy(server);
}

/* A listening socket that no loop accepts from would take its part of the clients. */
static void test_activating_twice_leaves_no_socket_behind(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    struct party_server *server = open_with(&settings);
    assert_int_equal(party_server_activate(server), 0);
    struct serving serving;
    start_serving(&serving, server);
    for (int i = 0; i < 20; i++) {
        echo_once(server, "twice");
    }
    stop_serving(&serving);
    party_server_destroy(server);
}

static int own_bind(struct party_server *server, void *user)
{
    (void)user;
    return party_server_default_server_bind(server);
}

static void test_loops_share_a_socket_that_they_did_not_make(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.ops.server_bind = own_bind;
    serve_shared(&settings);
    settings.max_threads = 0; /* as many as there are processors */
    settings.ops.server_bind = NULL;
    serve_shared(&settings);
    assert_int_equal(tally.errors, 0);
}

/* Leaves a connection at the port in TIME_WAIT, made by a socket that did not share it. */
static struct party_address leave_a_connection(void)
{
    struct party_address address = loopback();
    int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(listener, &address.u.sa, address.len), 0);
    assert_int_equal(getsockname(listener, &address.u.sa, &address.len), 0);
    assert_int_equal(listen(listener, 1), 0);
    int client = dial_address(&address, SOCK_STREAM);
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_int_not_equal(fd, -1);
    assert_int_equal(close(fd), 0);
    expect_end(client);
    assert_int_equal(close(listener), 0);
    return address;
}

static void test_a_port_that_others_left_a_moment_ago_can_be_shared(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    settings.address = leave_a_connection();
    settings.allow_reuse_address = true;
    serve_shared(&settings);
}

static int serve_nobody(void *user)
{
    const struct party_server_settings *settings = user;
    struct party_server *server;
    int r = party_server_create(settings, &server);
    if (r < 0) {
        return r;
    }
    party_server_stop(server);
    r = party_server_serve_forever(server);
    party_server_destroy(server);
    return r;
}

static void test_loops_survive_no_memory(void **state)
{
    (void)state;
    struct tally tally;
    struct party_server_settings settings = looping(&tally);
    assert_survives_malloc_failure(serve_nobody, &settings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_may_come_at_once),
        cmocka_unit_test(test_streams_live_from_setup_to_finish),
        cmocka_unit_test(test_streams_stand_still_between_two_times_of_serving),
        cmocka_unit_test(test_a_stream_in_any_loop_may_shut_the_server_down),
        cmocka_unit_test(test_shutdown_may_come_before_the_loops_are_made),
        cmocka_unit_test(test_verify_request_sees_the_connection_and_may_refuse_it),
        cmocka_unit_test(test_a_failed_setup_closes_the_stream),
        cmocka_unit_test(test_service_actions_come_by_interval),
        cmocka_unit_test(test_streams_are_told_of_a_drain),
        cmocka_unit_test(test_streams_that_do_not_end_are_cut_and_named),
        cmocka_unit_test(test_streams_that_stand_still_are_cut_at_once),
        cmocka_unit_test(test_streams_are_cut_when_serving_ends_during_the_drain),
        cmocka_unit_test(test_a_drain_cuts_while_clients_come),
        cmocka_unit_test(test_a_port_that_others_left_a_moment_ago_can_be_shared),
        cmocka_unit_test(test_without_a_thread_serving_fails_and_can_be_tried_again),
        cmocka_unit_test(test_without_kernel_memory_packets_wait),
        cmocka_unit_test(test_activating_twice_leaves_no_socket_behind),
        cmocka_unit_test(test_loops_share_a_socket_that_they_did_not_make),
        cmocka_unit_test(test_loops_survive_no_memory),
    };
    return cmocka_run_group_tests_name("server_loops", tests, NULL, NULL);
}
