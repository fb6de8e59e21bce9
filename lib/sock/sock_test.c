/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/time.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

static void test_new_socket_waits_for_ever_and_is_close_on_exec(void **state)
{
    (void)state;
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP, &sock), 0);
    int fd = party_sock_fileno(sock);
    assert_true(fd >= 0);
    assert_int_equal(party_sock_family(sock), AF_INET6);
    assert_int_equal(party_sock_type(sock), SOCK_DGRAM);
    assert_int_equal(party_sock_proto(sock), IPPROTO_UDP);
    assert_int_equal(party_sock_gettimeout(sock), -1);
    assert_true(test_is_cloexec(fd));
    assert_false(test_is_nonblocking(fd));
    party_sock_close(sock);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
    party_sock_close(NULL);
}

static void test_sock_nonblock_means_timeout_zero_and_leaves_the_type(void **state)
{
    (void)state;
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &sock), 0);
    assert_int_equal(party_sock_gettimeout(sock), 0);
    assert_int_equal(party_sock_type(sock), SOCK_STREAM);
    assert_true(test_is_nonblocking(party_sock_fileno(sock)));
    party_sock_close(sock);
}

static void test_socket_tells_what_the_kernel_refused(void **state)
{
    (void)state;
    size_t fds_before = fail_malloc_open_fds();
    size_t allocations_before = fail_malloc_outstanding();
    struct party_sock *sock = NULL;
    struct party_sock *other = NULL;
    assert_result(party_sock_socket(12345, SOCK_STREAM, 0, &sock), -EAFNOSUPPORT);
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, IPPROTO_UDP, &sock), -EPROTONOSUPPORT);
    assert_result(party_sock_socketpair(AF_INET, SOCK_STREAM, 0, &sock, &other), -EOPNOTSUPP);
    assert_null(sock);
    assert_null(other);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    assert_int_equal(fail_malloc_outstanding(), allocations_before);
}

static void test_socketpair_is_connected_and_close_on_exec(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    assert_true(test_is_cloexec(party_sock_fileno(a)));
    assert_true(test_is_cloexec(party_sock_fileno(b)));
    assert_int_equal(party_sock_family(b), AF_UNIX);
    test_assert_connected(a, b);
    test_assert_connected(b, a);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_adopt_reads_what_the_descriptor_is(void **state)
{
    (void)state;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_not_equal(fd, -1);
    struct party_sock *sock;
    assert_result(party_sock_adopt(fd, -1, -1, -1, &sock), 0);
    assert_int_equal(party_sock_fileno(sock), fd);
    assert_int_equal(party_sock_family(sock), AF_INET);
    assert_int_equal(party_sock_type(sock), SOCK_DGRAM);
    assert_int_equal(party_sock_proto(sock), IPPROTO_UDP);
    assert_int_equal(party_sock_gettimeout(sock), 0);
    assert_true(test_is_cloexec(fd));
    assert_int_equal(party_sock_detach(sock), fd);
    assert_int_equal(close(fd), 0);

    fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    assert_int_not_equal(fd, -1);
    assert_result(party_sock_adopt(fd, -1, -1, -1, &sock), 0);
    assert_int_equal(party_sock_type(sock), SOCK_SEQPACKET);
    assert_int_equal(party_sock_gettimeout(sock), -1);
    party_sock_close(sock);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_adopt_refuses_what_is_no_socket_and_leaves_it_alone(void **state)
{
    (void)state;
    int fds[2];
    struct party_sock *sock = NULL;
    assert_int_equal(pipe(fds), 0);
    assert_result(party_sock_adopt(fds[0], -1, -1, -1, &sock), -ENOTSOCK);
    assert_false(test_is_cloexec(fds[0]));
    close(fds[0]);
    close(fds[1]);
    assert_result(party_sock_adopt(-1, -1, -1, -1, &sock), -EBADF);
    assert_null(sock);
}

static void test_detach_leaves_the_descriptor_open(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    int fd = party_sock_detach(a);
    assert_int_equal(write(fd, "x", 1), 1);
    char c;
    assert_result(party_sock_recv_into(b, &c, 1, 0), 1);
    close(fd);
    party_sock_close(b);
}

static void test_descriptor_is_nonblocking_exactly_with_a_timeout(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    static const int64_t timeouts_ms[] = {0, 5, -1, INT64_MAX, -1};
    for (size_t i = 0; i < 5; i++) {
        assert_result(party_sock_settimeout(a, timeouts_ms[i]), 0);
        assert_true(party_sock_gettimeout(a) == timeouts_ms[i]);
        assert_int_equal(test_is_nonblocking(party_sock_fileno(a)), timeouts_ms[i] != -1);
    }
    assert_result(party_sock_settimeout(a, -2), -EINVAL);
    assert_true(party_sock_gettimeout(a) == -1);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_recv_without_data_times_out(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, 20), 0);
    assert_result(party_sock_recv_into(a, &c, 1, 0), PARTY_ETIMEOUT);
    assert_result(party_sock_settimeout(a, 0), 0);
    assert_result(party_sock_recv_into(a, &c, 1, 0), -EAGAIN);
    /* A timeout is no failure of the connection. */
    assert_result(party_sock_settimeout(a, TEST_LONG_MS), 0);
    test_assert_connected(b, a);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_recv_returns_what_is_there_then_end_of_stream(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char buf[16];
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_send(a, "abc", 3, 0), 3);
    assert_result(party_sock_shutdown(a, SHUT_WR), 0);
    assert_result(party_sock_recv_into(b, buf, sizeof(buf), MSG_PEEK), 3);
    assert_result(party_sock_recv_into(b, buf, 2, 0), 2);
    assert_memory_equal(buf, "ab", 2);
    assert_result(party_sock_recv_into(b, buf, sizeof(buf), 0), 1);
    assert_result(party_sock_recv_into(b, buf, sizeof(buf), 0), 0);
    assert_result(party_sock_recv_into(b, buf, sizeof(buf), 0), 0);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_send_to_a_closed_peer_is_epipe_and_no_signal(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_count_signals(SIGPIPE);
    test_pair(SOCK_STREAM, &a, &b);
    party_sock_close(b);
    assert_result(party_sock_send(a, "x", 1, 0), -EPIPE);
    assert_result(party_sock_sendall(a, "x", 1, 0), -EPIPE);
    assert_int_equal(atomic_load(&test_signal_count), 0);
    party_sock_close(a);
}

static void test_send_into_a_full_peer_times_out(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    static char block[65536];
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, 0), 0);
    ssize_t n;
    do {
        n = party_sock_send(a, block, sizeof(block), 0);
    } while (n > 0);
    assert_result(n, -EAGAIN);
    assert_result(party_sock_settimeout(a, 20), 0);
    assert_result(party_sock_send(a, block, sizeof(block), 0), PARTY_ETIMEOUT);
    assert_result(party_sock_sendall(a, block, sizeof(block), 0), PARTY_ETIMEOUT);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_an_empty_datagram_is_sent_and_received(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char buf[8];
    test_pair(SOCK_DGRAM, &a, &b);
    assert_result(party_sock_sendall(a, "", 0, 0), 0);
    assert_result(party_sock_sendall(a, "two", 3, 0), 0);
    /* Asking for nothing takes nothing: the empty one is still first. */
    assert_result(party_sock_recv_into(b, buf, 0, 0), 0);
    assert_result(party_sock_recv_into(b, buf, sizeof(buf), 0), 0);
    assert_result(party_sock_recv_into(b, buf, sizeof(buf), 0), 3);
    party_sock_close(a);
    party_sock_close(b);
}

#define BULK_BYTES (8U << 20)

static unsigned char bulk_byte(size_t i)
{
    return (unsigned char)((i * 131) ^ (i >> 8));
}

/* Reads in small, uneven pieces until the end and checks each byte. Returns 0, or -1. */
static int read_bulk(struct test_call *call)
{
    static unsigned char piece[4099];
    size_t at = 0;
    for (size_t want = 1;; want = want * 3 % sizeof(piece) + 1) {
        ssize_t n = party_sock_recv_into(call->sock, piece, want, 0);
        if (n <= 0) {
            return n == 0 && at == BULK_BYTES ? 0 : -1;
        }
        for (ssize_t i = 0; i < n; i++, at++) {
            if (piece[i] != bulk_byte(at)) {
                return -1;
            }
        }
        (void)sched_yield();
    }
}

static void send_bulk(struct party_sock *from, struct party_sock *to)
{
    unsigned char *bulk = malloc(BULK_BYTES);
    assert_non_null(bulk);
    for (size_t i = 0; i < BULK_BYTES; i++) {
        bulk[i] = bulk_byte(i);
    }
    struct test_call reader = {.fn = read_bulk, .sock = to};
    test_call_start(&reader);
    int r = party_sock_sendall(from, bulk, BULK_BYTES, 0);
    int shutdown_r = party_sock_shutdown(from, SHUT_WR);
    free(bulk);
    assert_int_equal(test_call_join(&reader), 0);
    assert_result(r, 0);
    assert_result(shutdown_r, 0);
}

static void test_sendall_brings_megabytes_to_a_slow_reader(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        struct party_address address;
        struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
        struct party_sock *client = test_client(&address);
        struct party_sock *conn;
        assert_result(party_sock_accept(server, &conn, NULL), 0);
        assert_result(party_sock_settimeout(client, timeouts_ms[i]), 0);
        send_bulk(client, conn);
        party_sock_close(conn);
        party_sock_close(client);
        party_sock_close(server);
    }
}

static int call_recv(struct test_call *call)
{
    return (int)party_sock_recv_into(call->sock, call->buf, sizeof(call->buf), 0);
}

static void test_interrupted_recv_goes_on(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        struct party_sock *a;
        struct party_sock *b;
        test_pair(SOCK_STREAM, &a, &b);
        assert_result(party_sock_settimeout(a, timeouts_ms[i]), 0);
        struct test_call call = {.fn = call_recv, .sock = a};
        test_call_start(&call);
        test_call_interrupt(&call, 3);
        assert_result(party_sock_sendall(b, "hello", 5, 0), 0);
        assert_int_equal(test_call_join(&call), 5);
        assert_memory_equal(call.buf, "hello", 5);
        party_sock_close(a);
        party_sock_close(b);
    }
}

static void test_a_storm_of_signals_does_not_prolong_the_timeout(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, 60), 0);
    test_count_signals(SIGALRM);
    /* Every signal comes long before the timeout: were it counted anew each time, the call would
       never end. */
    struct itimerval often = {.it_interval = {.tv_usec = 3000}, .it_value = {.tv_usec = 3000}};
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    int r = (int)party_sock_recv_into(a, &c, 1, 0);
    struct itimerval never = {0};
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_result(r, PARTY_ETIMEOUT);
    assert_true(atomic_load(&test_signal_count) > 0);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_accept_gives_a_blocking_close_on_exec_socket_and_its_peer(void **state)
{
    (void)state;
    struct party_address address;
    struct party_address peer;
    struct party_address local;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    assert_result(party_sock_settimeout(server, TEST_LONG_MS), 0);
    struct party_sock *client = test_client(&address);
    struct party_sock *conn;
    assert_result(party_sock_accept(server, &conn, &peer), 0);
    assert_int_equal(party_sock_gettimeout(conn), -1);
    assert_false(test_is_nonblocking(party_sock_fileno(conn)));
    assert_true(test_is_cloexec(party_sock_fileno(conn)));
    assert_int_equal(party_sock_family(conn), AF_INET);
    assert_int_equal(party_sock_type(conn), SOCK_STREAM);
    assert_result(party_sock_getsockname(client, &local), 0);
    assert_true(party_address_equal(&peer, &local));
    assert_result(party_sock_getpeername(client, &peer), 0);
    assert_true(party_address_equal(&peer, &address));
    test_assert_connected(client, conn);
    party_sock_close(conn);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_accept_without_a_connection_times_out(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct party_sock *conn = NULL;
    assert_result(party_sock_settimeout(server, 20), 0);
    assert_result(party_sock_accept(server, &conn, NULL), PARTY_ETIMEOUT);
    assert_result(party_sock_settimeout(server, 0), 0);
    assert_result(party_sock_accept(server, &conn, NULL), -EAGAIN);
    assert_null(conn);
    party_sock_close(server);
}

static int call_accept(struct test_call *call)
{
    struct party_sock *conn;
    int r = party_sock_accept(call->sock, &conn, NULL);
    if (r == 0) {
        party_sock_close(conn);
    }
    return r;
}

static void test_interrupted_accept_goes_on(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct test_call call = {.fn = call_accept, .sock = server};
    test_call_start(&call);
    test_call_interrupt(&call, 3);
    struct party_sock *client = test_client(&address);
    assert_int_equal(test_call_join(&call), 0);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_options_are_set_and_read(void **state)
{
    (void)state;
    struct party_sock *sock;
    int value = -1;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    assert_result(party_sock_getsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &value), 0);
    assert_int_equal(value, 0);
    assert_result(party_sock_setsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
    assert_result(party_sock_getsockopt(sock, SOL_SOCKET, SO_KEEPALIVE, &value), 0);
    assert_int_equal(value, 1);
    assert_result(party_sock_setsockopt(sock, SOL_SOCKET, 9999, 1), -ENOPROTOOPT);
    assert_result(party_sock_getsockopt(sock, SOL_SOCKET, 9999, &value), -ENOPROTOOPT);
    assert_int_equal(value, 1);
    party_sock_close(sock);
}

static void test_calls_tell_what_the_kernel_said(void **state)
{
    (void)state;
    struct party_sock *sock;
    struct party_address address = test_address("127.0.0.1:0");
    struct party_address kept = address;
    char c;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    assert_result(party_sock_getpeername(sock, &kept), -ENOTCONN);
    assert_true(party_address_equal(&kept, &address));
    assert_result(party_sock_recv_into(sock, &c, 1, 0), -ENOTCONN);
    assert_result(party_sock_shutdown(sock, SHUT_RDWR), -ENOTCONN);
    assert_result(party_sock_bind(sock, &address), 0);
    assert_result(party_sock_bind(sock, &address), -EINVAL);
    party_sock_close(sock);
}

static void test_a_negative_backlog_counts_as_none(void **state)
{
    (void)state;
    struct party_address address = test_address("127.0.0.1:0");
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    assert_result(party_sock_bind(sock, &address), 0);
    assert_result(party_sock_listen(sock, -5), 0);
    assert_result(party_sock_getsockname(sock, &address), 0);
    struct party_sock *first = test_client(&address);
    test_wait_readable(sock);
    /* One connection fills it; to the kernel -5 would have been the system's maximum. */
    struct party_sock *second;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &second), 0);
    assert_result(party_sock_settimeout(second, 20), 0);
    assert_result(party_sock_connect(second, &address), PARTY_ETIMEOUT);
    party_sock_close(second);
    party_sock_close(first);
    party_sock_close(sock);
}

static int make_socket(void *user)
{
    (void)user;
    struct party_sock *sock;
    int r = party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock);
    if (r == 0) {
        party_sock_close(sock);
    }
    return r;
}

static int make_socketpair(void *user)
{
    (void)user;
    struct party_sock *a;
    struct party_sock *b;
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &a, &b);
    if (r == 0) {
        party_sock_close(a);
        party_sock_close(b);
    }
    return r;
}

static int adopt_descriptor(void *user)
{
    const int *fd = user;
    struct party_sock *sock;
    int r = party_sock_adopt(*fd, -1, -1, -1, &sock);
    if (r == 0) {
        r = party_sock_detach(sock) == *fd ? 0 : -EBADF;
    }
    return r;
}

static void test_making_sockets_survives_no_memory(void **state)
{
    (void)state;
    assert_int_equal(assert_survives_malloc_failure(make_socket, NULL), 1);
    assert_int_equal(assert_survives_malloc_failure(make_socketpair, NULL), 2);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_not_equal(fd, -1);
    assert_int_equal(assert_survives_malloc_failure(adopt_descriptor, &fd), 1);
    close(fd);
}

static int accept_one(void *user)
{
    struct party_sock *conn;
    int r = party_sock_accept(user, &conn, NULL);
    if (r == 0) {
        party_sock_close(conn);
    }
    return r;
}

static void test_accept_without_memory_loses_no_connection(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    /* One for the run that gets through in each mode: the failing ones must leave theirs waiting.
     */
    struct party_sock *first = test_client(&address);
    struct party_sock *second = test_client(&address);
    assert_int_equal(assert_survives_malloc_failure(accept_one, server), 1);
    assert_result(party_sock_settimeout(server, 0), 0);
    struct party_sock *conn;
    assert_result(party_sock_accept(server, &conn, NULL), -EAGAIN);
    party_sock_close(first);
    party_sock_close(second);
    party_sock_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_socket_waits_for_ever_and_is_close_on_exec),
        cmocka_unit_test(test_sock_nonblock_means_timeout_zero_and_leaves_the_type),
        cmocka_unit_test(test_socket_tells_what_the_kernel_refused),
        cmocka_unit_test(test_socketpair_is_connected_and_close_on_exec),
        cmocka_unit_test(test_adopt_reads_what_the_descriptor_is),
        cmocka_unit_test(test_adopt_refuses_what_is_no_socket_and_leaves_it_alone),
        cmocka_unit_test(test_detach_leaves_the_descriptor_open),
        cmocka_unit_test(test_descriptor_is_nonblocking_exactly_with_a_timeout),
        cmocka_unit_test(test_recv_without_data_times_out),
        cmocka_unit_test(test_recv_returns_what_is_there_then_end_of_stream),
        cmocka_unit_test(test_send_to_a_closed_peer_is_epipe_and_no_signal),
        cmocka_unit_test(test_send_into_a_full_peer_times_out),
        cmocka_unit_test(test_an_empty_datagram_is_sent_and_received),
        cmocka_unit_test(test_sendall_brings_megabytes_to_a_slow_reader),
        cmocka_unit_test(test_interrupted_recv_goes_on),
        cmocka_unit_test(test_a_storm_of_signals_does_not_prolong_the_timeout),
        cmocka_unit_test(test_accept_gives_a_blocking_close_on_exec_socket_and_its_peer),
        cmocka_unit_test(test_accept_without_a_connection_times_out),
        cmocka_unit_test(test_interrupted_accept_goes_on),
        cmocka_unit_test(test_options_are_set_and_read),
        cmocka_unit_test(test_calls_tell_what_the_kernel_said),
        cmocka_unit_test(test_a_negative_backlog_counts_as_none),
        cmocka_unit_test(test_making_sockets_survives_no_memory),
        cmocka_unit_test(test_accept_without_memory_loses_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
