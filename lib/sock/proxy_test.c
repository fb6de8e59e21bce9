/* SPDX-License-Identifier: MIT */
#include <partyline/proxy.h>

#include <errno.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/*
 * The blocking exchange. Each test plays the proxy at the other end of a pair, or a thread does at
 * a port. recv, poll and the clock are wrapped at link time for one proxy that is slower than any
 * test may be.
 */

#define MS      INT64_C(1000000)
#define CONNECT "CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n"

static struct {
    bool is_on;
    int64_t now_ns;
    int64_t per_wait_ns; /* how long each wait takes */
    bool has_byte;       /* one has come since the last recv that took it */
    size_t taken;
} drip;

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret_now);
int __real_clock_gettime(clockid_t id, struct timespec *ret_now);

/* A head whose only field never ends. */
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nA:";
    if (!drip.is_on) {
        return __real_recv(fd, buf, len, flags);
    }
    if (!drip.has_byte) {
        errno = EAGAIN;
        return -1;
    }
    *(char *)buf = drip.taken < sizeof(head) - 1 ? head[drip.taken] : 'a';
    if ((flags & MSG_PEEK) == 0) {
        drip.has_byte = false;
        drip.taken++;
    }
    return 1;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (!drip.is_on) {
        return __real_poll(fds, count, timeout_ms);
    }
    assert_true(timeout_ms > 0);
    drip.now_ns += drip.per_wait_ns;
    drip.has_byte = true;
    fds[0].revents = POLLIN;
    return 1;
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_now)
{
    if (!drip.is_on) {
        return __real_clock_gettime(id, ret_now);
    }
    ret_now->tv_sec = (time_t)(drip.now_ns / (1000 * MS));
    ret_now->tv_nsec = (long)(drip.now_ns % (1000 * MS));
    return 0;
}

static const struct party_proxy_settings http = {
    .protocol = PARTY_PROXY_HTTP, .host = "example.org", .port = 443};
static const struct party_proxy_settings socks5 = {
    .protocol = PARTY_PROXY_SOCKS5, .host = "example.org", .port = 443};

/* The two ends of a connection; what the proxy will say is there beforehand. */
static void make_pair(const char *said, size_t len, int64_t timeout_ms,
                      struct party_sock **ret_sock, struct party_sock **ret_proxy)
{
    test_pair(SOCK_STREAM, ret_sock, ret_proxy);
    assert_result(party_sock_settimeout(*ret_sock, timeout_ms), 0);
    assert_result(party_sock_sendall(*ret_proxy, said, len, 0), 0);
}

static void close_pair(struct party_sock *sock, struct party_sock *proxy)
{
    (void)party_sock_close(sock);
    (void)party_sock_close(proxy);
}

#define SAYS(text) text, sizeof(text) - 1

static void test_nothing_of_the_host_is_read(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS, 0};
    for (size_t i = 0; i < 3; i++) {
        struct party_sock *sock;
        struct party_sock *proxy;
        char request[sizeof(CONNECT)];
        char buf[8];
        make_pair(SAYS("HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello"), timeouts_ms[i], &sock, &proxy);
        struct party_proxy_answer answer;
        assert_result(party_proxy_connect(sock, &http, &answer), 0);
        assert_int_equal(answer.status, 200);
        assert_true(party_sock_gettimeout(sock) == timeouts_ms[i]);
        assert_int_equal(party_sock_recv_into(sock, buf, sizeof(buf), 0), 5);
        assert_memory_equal(buf, "hello", 5);
        test_recv_exactly(proxy, request, sizeof(CONNECT) - 1);
        assert_memory_equal(request, CONNECT, sizeof(CONNECT) - 1);
        close_pair(sock, proxy);

        make_pair(SAYS("\5\0\5\0\0\1\0\0\0\0\0\0hello"), timeouts_ms[i], &sock, &proxy);
        assert_result(party_proxy_connect(sock, &socks5, NULL), 0);
        assert_int_equal(party_sock_recv_into(sock, buf, sizeof(buf), 0), 5);
        assert_memory_equal(buf, "hello", 5);
        close_pair(sock, proxy);
    }
}

/* More than one look into the socket's buffer takes. */
static void test_a_long_head_is_read(void **state)
{
    (void)state;
    char head[4096];
    struct party_sock *sock;
    struct party_sock *proxy;
    char buf[8];
    memset(head, 'a', sizeof(head));
    memcpy(head, "HTTP/1.1 200 OK\r\nA: ", 20);
    memcpy(head + sizeof(head) - 9, "\r\n\r\nhello", 9);
    make_pair(head, sizeof(head), TEST_LONG_MS, &sock, &proxy);
    assert_result(party_proxy_connect(sock, &http, NULL), 0);
    assert_int_equal(party_sock_recv_into(sock, buf, sizeof(buf), 0), 5);
    close_pair(sock, proxy);
}

static void test_a_proxy_that_closes_is_the_end(void **state)
{
    (void)state;
    struct party_sock *sock;
    struct party_sock *proxy;
    struct party_proxy_answer answer;
    make_pair(SAYS("HTTP/1.1 200 OK\r\n"), TEST_LONG_MS, &sock, &proxy);
    assert_result(party_sock_shutdown(proxy, SHUT_WR), 0);
    assert_result(party_proxy_connect(sock, &http, &answer), PARTY_EOF);
    assert_int_equal(answer.status, 200);
    close_pair(sock, proxy);

    test_pair(SOCK_STREAM, &sock, &proxy);
    (void)party_sock_close(proxy);
    assert_result(party_proxy_connect(sock, &socks5, &answer), -EPIPE);
    assert_int_equal(answer.status, -1);
    (void)party_sock_close(sock);
}

static void test_refusals_come_through(void **state)
{
    (void)state;
    struct party_sock *sock;
    struct party_sock *proxy;
    struct party_proxy_answer answer;
    make_pair(SAYS("HTTP/1.1 403 No\r\n\r\nbody"), -1, &sock, &proxy);
    assert_result(party_proxy_connect(sock, &http, &answer), PARTY_EPROXY_STATUS);
    assert_int_equal(answer.status, 403);
    close_pair(sock, proxy);
    make_pair(SAYS("\5\0\5\4\0\1\0\0\0\0\0\0"), -1, &sock, &proxy);
    assert_result(party_proxy_connect(sock, &socks5, &answer), PARTY_EPROXY_HOSTUNREACH);
    close_pair(sock, proxy);
    test_pair(SOCK_STREAM, &sock, &proxy);
    const struct party_proxy_settings wrong = {.host = "a b", .port = 1};
    assert_result(party_proxy_connect(sock, &wrong, NULL), PARTY_EADDRESS);
    test_assert_connected(sock, proxy);
    close_pair(sock, proxy);
}

static void test_silence_times_out(void **state)
{
    (void)state;
    struct party_sock *sock;
    struct party_sock *proxy;
    make_pair(SAYS("HTTP/1.1 "), 20, &sock, &proxy);
    assert_result(party_proxy_connect(sock, &http, NULL), PARTY_ETIMEOUT);
    close_pair(sock, proxy);
    make_pair(SAYS("\5"), 0, &sock, &proxy);
    assert_result(party_proxy_connect(sock, &socks5, NULL), -EAGAIN);
    close_pair(sock, proxy);
}

static void test_a_dripping_proxy_cannot_move_the_deadline(void **state)
{
    (void)state;
    struct party_sock *sock;
    struct party_sock *proxy;
    test_pair(SOCK_STREAM, &sock, &proxy);
    assert_result(party_sock_settimeout(sock, 1000), 0);
    memset(&drip, 0, sizeof(drip));
    drip.now_ns = 5000 * MS;
    drip.per_wait_ns = 30 * MS;
    drip.is_on = true;
    int r = party_proxy_connect(sock, &http, NULL);
    drip.is_on = false;
    assert_result(r, PARTY_ETIMEOUT);
    assert_in_range(drip.now_ns, 6000 * MS, 6030 * MS);
    assert_in_range(drip.taken, 33, 34);
    close_pair(sock, proxy);
}

/* A proxy at a port: takes one connection, reads the CONNECT, gives the answer in buf, and says
   "host" as the host would. */
static int serve_once(struct test_call *call)
{
    struct party_sock *conn;
    char request[sizeof(CONNECT)];
    int r = party_sock_accept(call->sock, &conn, NULL);
    if (r < 0) {
        return r;
    }
    size_t got = 0;
    while (r == 0 && got < sizeof(CONNECT) - 1) {
        ssize_t n = party_sock_recv_into(conn, request + got, sizeof(CONNECT) - 1 - got, 0);
        r = n < 0 ? (int)n : n == 0 ? PARTY_EOF : 0;
        got += n > 0 ? (size_t)n : 0;
    }
    if (r == 0) {
        r = party_sock_sendall(conn, call->buf, strlen(call->buf), 0);
    }
    (void)party_sock_close(conn);
    return r;
}

static void test_create_connection_goes_through_the_proxy(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)party_address_port(&address));
    size_t fds_before = fail_malloc_open_fds();
    for (size_t i = 0; i < 2; i++) {
        struct test_call call = {.fn = serve_once, .sock = server};
        struct party_sock *sock;
        char buf[8];
        (void)snprintf(call.buf, sizeof(call.buf), "HTTP/1.1 200 OK\r\n\r\nhost");
        test_call_start(&call);
        assert_result(
            party_proxy_create_connection("127.0.0.1", port, &http, timeouts_ms[i], &sock), 0);
        assert_true(party_sock_gettimeout(sock) == timeouts_ms[i]);
        test_recv_exactly(sock, buf, 4);
        assert_memory_equal(buf, "host", 4);
        assert_result(test_call_join(&call), 0);
        (void)party_sock_close(sock);
    }
    struct test_call call = {.fn = serve_once, .sock = server};
    struct party_sock *sock = NULL;
    (void)snprintf(call.buf, sizeof(call.buf), "HTTP/1.1 502 Gone\r\n\r\n");
    test_call_start(&call);
    assert_result(party_proxy_create_connection("127.0.0.1", port, &http, -1, &sock),
                  PARTY_EPROXY_STATUS);
    assert_result(test_call_join(&call), 0);
    const struct party_proxy_settings wrong = {.host = "a", .port = 0};
    assert_result(party_proxy_create_connection("127.0.0.1", port, &wrong, -1, &sock), -EINVAL);
    /* Nobody answers there: the connection is made, and the proxy's silence has an end. */
    assert_result(party_proxy_create_connection("127.0.0.1", port, &http, 20, &sock),
                  PARTY_ETIMEOUT);
    assert_null(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    (void)party_sock_close(server);
    assert_result(party_proxy_create_connection("127.0.0.1", "65536", &http, -1, &sock),
                  PARTY_EGAI_SERVICE);
}

static int connect_through_pair(void *user)
{
    (void)user;
    struct party_sock *sock;
    struct party_sock *proxy;
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &sock, &proxy);
    if (r < 0) {
        return r;
    }
    r = party_sock_sendall(proxy, SAYS("\5\0\5\0\0\1\0\0\0\0\0\0"), 0);
    if (r == 0) {
        r = party_proxy_connect(sock, &socks5, NULL);
    }
    close_pair(sock, proxy);
    return r;
}

static void test_survives_no_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(connect_through_pair, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_of_the_host_is_read),
        cmocka_unit_test(test_a_long_head_is_read),
        cmocka_unit_test(test_a_proxy_that_closes_is_the_end),
        cmocka_unit_test(test_refusals_come_through),
        cmocka_unit_test(test_silence_times_out),
        cmocka_unit_test(test_a_dripping_proxy_cannot_move_the_deadline),
        cmocka_unit_test(test_create_connection_goes_through_the_proxy),
        cmocka_unit_test(test_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
