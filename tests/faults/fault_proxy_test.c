/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

#include "fault.h"

/*
 * Connections through proxies, and the header a proxy sends first, while each system call fails.
 * The proxy's calls are the kernel's own. All that it will say is in the socket from the start,
 * with the host's first bytes behind it, and what it heard is looked at in the end.
 */

#define LONG_MS 30000

/* A run ended well and the bytes were wrong: no error looks like this. */
#define WRONG_BYTES (-4000)

#define HOST_SAYS   "hello from the host"

struct script {
    struct party_proxy_settings settings;
    const char *says; /* HOST_SAYS included */
    size_t says_len;
    const char *hears;
    size_t hears_len;
};

#define TEXT(text) text, sizeof(text) - 1

static const struct script scripts[] = {
    {{PARTY_PROXY_SOCKS5, "example.org", 443, "alice", "secret"},
     TEXT("\x05\x02\x01\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x01\xbb" HOST_SAYS),
     TEXT("\x05\x02\x00\x02\x01\x05"
          "alice\x06secret\x05\x01\x00\x03\x0b"
          "example.org\x01\xbb")},
    {{PARTY_PROXY_SOCKS4, "example.org", 443, "alice", NULL},
     TEXT("\x00\x5a\x00\x00\x00\x00\x00\x00" HOST_SAYS),
     TEXT("\x04\x01\x01\xbb\x00\x00\x00\x01"
          "alice\x00"
          "example.org\x00")},
    {{PARTY_PROXY_HTTP, "example.org", 443, "alice", "secret"},
     TEXT("HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\n\r\n" HOST_SAYS),
     TEXT("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n"
          "Proxy-Authorization: Basic YWxpY2U6c2VjcmV0\r\n\r\n")},
};

#define SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))

static int recv_exactly(struct party_sock *sock, const char *wanted)
{
    char buf[64];
    size_t len = strlen(wanted);
    size_t got = 0;
    while (got < len) {
        ssize_t n = party_sock_recv(sock, buf + got, len - got, 0);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        got += (size_t)n;
    }
    return memcmp(buf, wanted, len) == 0 ? 0 : WRONG_BYTES;
}

/* Takes fd. Returns: whether the client said what it should, all or (it failed) the beginning. */
static bool heard_it(int fd, const struct script *script, bool all)
{
    char heard[512];
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, heard + len, sizeof(heard) - len, 0)) > 0) {
        len += (size_t)n;
    }
    (void)close(fd);
    bool is_whole = len == script->hears_len;
    return len <= script->hears_len && memcmp(heard, script->hears, len) == 0 && (is_whole || !all);
}

/* ---- a connection that is there ---- */

struct talk {
    const struct script *script;
    int64_t timeout_ms;
};

static int talk_through_proxy(void *user)
{
    const struct talk *talk = user;
    const struct script *script = talk->script;
    struct party_sock *ends[2];
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &ends[0], &ends[1]);
    if (r < 0) {
        return r;
    }
    int proxy = party_sock_detach(ends[1]);
    assert_int_equal(send(proxy, script->says, script->says_len, 0), script->says_len);
    r = talk->timeout_ms >= 0 ? party_sock_settimeout(ends[0], talk->timeout_ms) : 0;
    struct party_proxy_answer answer = {.status = -1};
    r = r < 0 ? r : party_proxy_connect(ends[0], &script->settings, &answer);
    static const int good[] = {
        [PARTY_PROXY_SOCKS5] = 0, [PARTY_PROXY_HTTP] = 200, [PARTY_PROXY_SOCKS4] = 90};
    if (r == 0 && answer.status != good[script->settings.protocol]) {
        r = WRONG_BYTES;
    }
    r = r < 0 ? r : recv_exactly(ends[0], HOST_SAYS);
    (void)party_sock_close(ends[0]);
    return heard_it(proxy, script, r == 0) ? r : WRONG_BYTES;
}

static void test_each_exchange_meets_every_error(void **state)
{
    (void)state;
    static const int64_t timeouts[] = {-1, LONG_MS};
    for (size_t i = 0; i < 2 * SCRIPTS; i++) {
        struct talk talk = {.script = &scripts[i / 2], .timeout_ms = timeouts[i % 2]};
        assert_true(fault_check(talk_through_proxy, &talk, NULL) > 50);
    }
}

/* ---- a connection to make ---- */

struct proxy {
    const struct script *script;
    int listener;
    bool is_right; /* what the clients said */
};

/* Serves until the listener is shut down: a run may connect twice, and say nothing. */
static void *serve(void *user)
{
    struct proxy *proxy = user;
    int fd;
    while ((fd = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC)) != -1) {
        (void)send(fd, proxy->script->says, proxy->script->says_len, MSG_NOSIGNAL);
        proxy->is_right = heard_it(fd, proxy->script, false) && proxy->is_right;
    }
    return NULL;
}

static int connect_through_proxy(void *user)
{
    struct proxy proxy = {.script = user, .is_right = true};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(in);
    char port[8];
    pthread_t thread;
    proxy.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_not_equal(proxy.listener, -1);
    assert_int_equal(bind(proxy.listener, (struct sockaddr *)&in, len), 0);
    assert_int_equal(listen(proxy.listener, 8), 0);
    assert_int_equal(getsockname(proxy.listener, (struct sockaddr *)&in, &len), 0);
    (void)snprintf(port, sizeof(port), "%u", (unsigned)ntohs(in.sin_port));
    assert_int_equal(pthread_create(&thread, NULL, serve, &proxy), 0);
    struct party_sock *sock;
    int r =
        party_proxy_create_connection("127.0.0.1", port, &proxy.script->settings, LONG_MS, &sock);
    if (r == 0) {
        r = party_sock_gettimeout(sock) == LONG_MS ? recv_exactly(sock, HOST_SAYS) : WRONG_BYTES;
        (void)party_sock_close(sock);
    }
    assert_int_equal(shutdown(proxy.listener, SHUT_RDWR), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)close(proxy.listener);
    return proxy.is_right ? r : WRONG_BYTES;
}

static bool connecting_allows(enum fault_call call, int error, int result)
{
    (void)result;
    return call == FAULT_connect && error == EINPROGRESS;
}

static void test_connecting_through_a_proxy_meets_every_error(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCRIPTS; i++) {
        void *script = (void *)(uintptr_t)&scripts[i];
        assert_true(fault_check(connect_through_proxy, script, connecting_allows) > 50);
    }
}

/* ---- the header that a proxy sends ---- */

/* Reads until the header is whole; what came behind it is the beginning of what the client says. */
static int read_header(struct party_sock *sock, struct party_proxy_header *ret_header)
{
    uint8_t bytes[256];
    size_t got = 0;
    ssize_t len;
    while ((len = party_proxy_header_parse(bytes, got, ret_header)) == 0) {
        ssize_t n = party_sock_recv(sock, bytes + got, sizeof(bytes) - got, 0);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        got += (size_t)n;
    }
    if (len < 0) {
        return (int)len;
    }
    size_t begun = got - (size_t)len;
    if (begun > strlen(HOST_SAYS) || memcmp(bytes + len, HOST_SAYS, begun) != 0) {
        return WRONG_BYTES;
    }
    return recv_exactly(sock, &HOST_SAYS[begun]);
}

/* user: the version. */
static int greet_with_header(void *user)
{
    struct party_proxy_header header = {.version = *(const int *)user, .type = SOCK_STREAM};
    struct party_proxy_header read;
    struct party_sock *ends[2];
    uint8_t bytes[256];
    int r = party_address_parse("192.0.2.1:1000", &header.source);
    r = r < 0 ? r : party_address_parse("192.0.2.2:2000", &header.destination);
    ssize_t len = party_proxy_header_format(&header, bytes, sizeof(bytes));
    assert_true(r == 0 && len > 0);
    r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &ends[0], &ends[1]);
    if (r < 0) {
        return r;
    }
    r = party_sock_settimeout(ends[1], LONG_MS);
    r = r < 0 ? r : party_sock_sendall(ends[0], bytes, (size_t)len, 0);
    r = r < 0 ? r : party_sock_sendall(ends[0], HOST_SAYS, strlen(HOST_SAYS), 0);
    r = r < 0 ? r : read_header(ends[1], &read);
    if (r == 0 && party_address_port(&read.source) != 1000) {
        r = WRONG_BYTES;
    }
    (void)party_sock_close(ends[0]);
    (void)party_sock_close(ends[1]);
    return r;
}

static void test_reading_a_header_meets_every_error(void **state)
{
    (void)state;
    static const int versions[] = {1, 2};
    for (size_t i = 0; i < 2; i++) {
        assert_true(fault_check(greet_with_header, (void *)(uintptr_t)&versions[i], NULL) > 20);
    }
}

static void test_without_descriptors_it_is_emfile(void **state)
{
    (void)state;
    struct talk talk = {.script = &scripts[0], .timeout_ms = LONG_MS};
    assert_int_equal(fault_check_descriptors(talk_through_proxy, &talk, NULL), 2);
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(110);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_exchange_meets_every_error),
        cmocka_unit_test(test_connecting_through_a_proxy_meets_every_error),
        cmocka_unit_test(test_reading_a_header_meets_every_error),
        cmocka_unit_test(test_without_descriptors_it_is_emfile),
    };
    return cmocka_run_group_tests_name("fault_proxy", tests, NULL, NULL);
}
