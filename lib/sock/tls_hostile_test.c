/* SPDX-License-Identifier: MIT */
#include "sock/tls_test_util.h"

#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "fail_malloc.h"
#include "sock/tls_openssl.h"

/* Peers that want more than they should have: identities, memory, time. */

/* A client of OpenSSL's, which does what ours would refuse. The caller frees it. */
static SSL *raw_client(SSL_CTX *ctx, int fd, const char *name)
{
    SSL *ssl = SSL_new(ctx);
    assert_non_null(ssl);
    assert_int_equal(SSL_set_fd(ssl, fd), 1);
    SSL_set_connect_state(ssl);
    assert_int_equal(SSL_set_tlsext_host_name(ssl, name), 1);
    return ssl;
}

static int shake_raw(SSL *ssl, struct party_tls *tls)
{
    int r = -EAGAIN;
    for (int i = 0; i < 20 && r == -EAGAIN; i++) {
        (void)SSL_do_handshake(ssl);
        r = party_tls_do_handshake(tls);
    }
    (void)SSL_do_handshake(ssl);
    ERR_clear_error();
    return r;
}

/* ---- sessions ---- */

static struct party_tls_session *session_of(struct party_tls_context *client, const char *name,
                                            const char *server)
{
    struct party_tls_options options = {.server_hostname = name};
    struct test_ends ends =
        test_wrap_pair(party_tls_context_ref(client), test_server_context(server), &options);
    struct party_tls_session *session = NULL;
    char c;
    assert_result(party_tls_session(ends.client, &session), -ENODATA);
    test_handshake(&ends);
    assert_result(ends.client_result, 0);
    assert_result(party_tls_sendall(ends.server, "x", 1), 0);
    assert_int_equal(party_tls_recv_into(ends.client, &c, 1), 1);
    assert_result(party_tls_session(ends.client, &session), 0);
    test_ends_close(&ends);
    return session;
}

static int wrap_with(struct party_tls_context *context, const char *name,
                     const struct party_tls_session *session)
{
    struct party_tls_options options = {.server_hostname = name, .session = session};
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    int r = party_tls_wrap_socket(context, a, &options, &tls);
    if (r < 0) {
        (void)party_sock_close(a);
    }
    party_tls_close(tls);
    (void)party_sock_close(b);
    return r;
}

/* A resumed session brings no certificate, so nobody would look whose it was. */
static void test_session_is_of_its_context_and_name_only(void **state)
{
    (void)state;
    struct party_tls_settings insecure = {.insecure_no_verify = true};
    struct party_tls_context *careless = test_context(PARTY_TLS_CLIENT, &insecure);
    struct party_tls_context *careful = test_client_context("ca");
    struct party_tls_context *server = test_server_context("good");
    struct party_tls_session *evil = session_of(careless, "localhost", "self");
    struct party_tls_session *nameless = session_of(careless, NULL, "self");
    struct party_tls_session *good = session_of(careful, "localhost", "good");
    assert_result(wrap_with(careful, "localhost", evil), -EINVAL);
    assert_result(wrap_with(careless, "localhost", nameless), -EINVAL);
    assert_result(wrap_with(careless, NULL, evil), -EINVAL);
    assert_result(wrap_with(careless, NULL, nameless), 0);
    assert_result(wrap_with(careful, "one.example.org", good), -EINVAL);
    assert_result(wrap_with(careful, "LOCALHOST", good), 0);
    assert_result(wrap_with(server, NULL, good), -EINVAL);
    party_tls_session_destroy(evil);
    party_tls_session_destroy(nameless);
    party_tls_context_unref(careful);
    party_tls_session_destroy(good); /* keeps its context */
    party_tls_context_unref(careless);
    party_tls_context_unref(server);
}

/* ---- contexts by name ---- */

static struct party_tls_context *closed_context;
static unsigned hook_calls;

static int choose(const char *server_name, void *user, struct party_tls_context **ret_context)
{
    (void)user;
    hook_calls++;
    if (server_name != NULL && strcmp(server_name, "closed.example.org") == 0) {
        *ret_context = closed_context;
    }
    return 0;
}

/* Lets everybody in, but at closed.example.org with that context. */
static struct party_tls_context *door(struct party_tls_context *closed)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.keypairs = &pair, .keypair_count = 1, .sni = choose};
    closed_context = closed;
    hook_calls = 0;
    return test_context(PARTY_TLS_SERVER, &settings);
}

static struct party_tls_context *demanding_context(bool only_tls_1_3)
{
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {.keypairs = &pair,
                                          .keypair_count = 1,
                                          .ca_file = test_pki_file("ca"),
                                          .client_certs = PARTY_TLS_CLIENT_CERTS_REQUIRED,
                                          .only_tls_1_3 = only_tls_1_3};
    return test_context(PARTY_TLS_SERVER, &settings);
}

static SSL_CTX *raw_context(int max_version, const char *certificate)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max_version), 1);
    if (certificate != NULL) {
        const char *file = test_pki_file(certificate);
        assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, file), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, file, SSL_FILETYPE_PEM), 1);
    }
    return ctx;
}

/* Connects with that name, and *session when there is one; leaves a new one in it when the server
   was content. Returns: the server's result. */
static int visit(struct party_tls_context *server, SSL_CTX *ctx, const char *name,
                 SSL_SESSION **session, bool *ret_reused)
{
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    char c;
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    assert_result(party_tls_wrap_socket(server, a, NULL, &tls), 0);
    SSL *ssl = raw_client(ctx, party_sock_fileno(b), name);
    if (*session != NULL) {
        assert_int_equal(SSL_set_session(ssl, *session), 1);
    }
    int r = shake_raw(ssl, tls);
    *ret_reused = party_tls_session_reused(tls);
    if (r == 0) {
        assert_string_equal(party_tls_server_hostname(tls), name);
        assert_result(party_tls_sendall(tls, "x", 1), 0);
        assert_int_equal(SSL_read(ssl, &c, 1), 1);
        SSL_SESSION_free(*session);
        *session = SSL_get1_session(ssl);
        (void)SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    ERR_clear_error();
    party_tls_close(tls);
    (void)party_sock_close(b);
    return r;
}

static void test_context_by_name_asks_for_certificates(void **state)
{
    (void)state;
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        struct party_tls_context *closed = demanding_context(false), *server = door(closed);
        SSL_CTX *nobody = raw_context(versions[i], NULL),
                *alice = raw_context(versions[i], "client");
        SSL_SESSION *session = NULL;
        bool reused;
        assert_result(visit(server, nobody, "closed.example.org", &session, &reused),
                      PARTY_ETLS_NO_CERTIFICATE);
        assert_null(session);
        /* Nor can it be had with a session of a place that asks nothing. */
        assert_result(visit(server, nobody, "open.example.org", &session, &reused), 0);
        assert_result(visit(server, nobody, "open.example.org", &session, &reused), 0);
        assert_true(reused);
        assert_result(visit(server, nobody, "closed.example.org", &session, &reused),
                      PARTY_ETLS_NO_CERTIFICATE);
        SSL_SESSION_free(session);
        session = NULL;
        assert_result(visit(server, alice, "closed.example.org", &session, &reused), 0);
        assert_false(reused);
        assert_result(visit(server, alice, "closed.example.org", &session, &reused), 0);
        assert_true(reused);
        assert_int_equal(hook_calls, 6);
        SSL_SESSION_free(session);
        SSL_CTX_free(nobody);
        SSL_CTX_free(alice);
        party_tls_context_unref(closed);
        party_tls_context_unref(server);
    }
}

static void test_context_by_name_has_its_version_and_role(void **state)
{
    (void)state;
    struct party_tls_context *closed = demanding_context(true), *server = door(closed);
    SSL_CTX *old = raw_context(TLS1_2_VERSION, "client");
    SSL_SESSION *session = NULL;
    bool reused;
    assert_result(visit(server, old, "closed.example.org", &session, &reused),
                  PARTY_ETLS_NO_COMMON);
    assert_result(visit(server, old, "open.example.org", &session, &reused), 0);
    party_tls_context_unref(closed);
    closed_context = test_client_context("ca");
    assert_result(visit(server, old, "closed.example.org", &session, &reused), PARTY_ETLS_PROTOCOL);
    party_tls_context_unref(closed_context);
    party_tls_context_unref(server);
    SSL_SESSION_free(session);
    SSL_CTX_free(old);
}

/* The second ClientHello, behind a HelloRetryRequest, with another name. */
static int retry_with(const char *first, const char *second)
{
    struct party_tls_context *closed = demanding_context(false), *server = door(closed);
    SSL_CTX *ctx = raw_context(TLS1_3_VERSION, NULL);
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    assert_result(party_tls_wrap_socket(server, a, NULL, &tls), 0);
    assert_int_equal(SSL_set1_groups_list(tls->ssl, "P-384"), 1);
    SSL *ssl = raw_client(ctx, party_sock_fileno(b), first);
    assert_int_equal(SSL_set1_groups_list(ssl, "X25519:P-384"), 1);
    (void)SSL_do_handshake(ssl);
    assert_result(party_tls_do_handshake(tls), -EAGAIN);
    assert_int_equal(SSL_set_tlsext_host_name(ssl, second), 1);
    int r = shake_raw(ssl, tls);
    assert_int_equal(hook_calls, 1);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    party_tls_close(tls);
    (void)party_sock_close(b);
    party_tls_context_unref(closed);
    party_tls_context_unref(server);
    return r;
}

static void test_name_cannot_change_after_it_was_looked_at(void **state)
{
    (void)state;
    assert_result(retry_with("open.example.org", "open.example.org"), 0);
    assert_result(retry_with("open.example.org", "closed.example.org"), PARTY_ETLS_PROTOCOL);
}

/* ---- names beyond ASCII ---- */

static void assert_name_becomes(struct party_tls_context *server, const char *given,
                                const char *ascii, int wanted)
{
    struct party_tls_options options = {.server_hostname = given};
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), party_tls_context_ref(server), &options);
    assert_string_equal(party_tls_server_hostname(ends.client), ascii);
    test_handshake(&ends);
    assert_result(ends.client_result, wanted);
    test_ends_close(&ends);
}

static void test_names_beyond_ascii(void **state)
{
    (void)state;
    struct party_tls_context *client = test_client_context("ca");
    if (wrap_with(client,
                  "b\xc3\xbc"
                  "cher.example.org",
                  NULL) == PARTY_EIDNA_UNSUPPORTED) {
        party_tls_context_unref(client);
        skip(); /* built without libidn2 */
    }
    struct party_tls_context *server = test_server_context("good");
    assert_name_becomes(server,
                        "b\xc3\xbc"
                        "cher.example.org",
                        "xn--bcher-kva.example.org", 0);
    assert_name_becomes(server,
                        "B\xc3\x9c"
                        "CHER.example.org.",
                        "xn--bcher-kva.example.org", 0);
    assert_name_becomes(server,
                        "b\xc3\xbc"
                        "cher.example.net",
                        "xn--bcher-kva.example.net", PARTY_ETLS_HOSTNAME);
    /* What becomes an address is checked as one. */
    assert_name_becomes(server,
                        "127\xe3\x80\x82"
                        "0.0.1",
                        "127.0.0.1", 0);
    assert_name_becomes(server,
                        "127\xe3\x80\x82"
                        "0.0.2",
                        "127.0.0.2", PARTY_ETLS_HOSTNAME);
    party_tls_context_unref(server);
    char label[80] = "\xc3\xbc";
    memset(label + 2, 'a', 70);
    assert_result(wrap_with(client, "\xff", NULL), PARTY_EIDNA);
    assert_result(wrap_with(client, "b\xc3\xbc..org", NULL), PARTY_EIDNA_EMPTY);
    assert_result(wrap_with(client, "\xe3\x80\x82", NULL), PARTY_EIDNA_EMPTY);
    assert_result(wrap_with(client, label, NULL), PARTY_EIDNA_LONG);
    party_tls_context_unref(client);
}

/* ---- memory ---- */

/* What a server says to the first bytes of a ClientHello of that length. */
static int hello_of(uint32_t len, size_t part)
{
    unsigned char bytes[] = {22,
                             3,
                             1,
                             0x40,
                             0,
                             1,
                             (unsigned char)(len >> 16),
                             (unsigned char)(len >> 8),
                             (unsigned char)len};
    struct party_tls_context *server = test_server_context("good");
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    int r = -EAGAIN;
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    assert_result(party_tls_wrap_socket(server, a, NULL, &tls), 0);
    for (size_t at = 0; at < sizeof(bytes) && r == -EAGAIN; at += part) {
        size_t left = sizeof(bytes) - at;
        assert_true(party_sock_send(b, bytes + at, part < left ? part : left, 0) > 0);
        r = party_tls_do_handshake(tls);
    }
    party_tls_close(tls);
    (void)party_sock_close(b);
    party_tls_context_unref(server);
    return r;
}

/* OpenSSL alone would gather 128 KiB of it. */
static void test_long_client_hello_is_refused_at_its_beginning(void **state)
{
    (void)state;
    assert_result(hello_of(16384, 9), -EAGAIN);
    assert_result(hello_of(16385, 9), PARTY_ETLS_PROTOCOL);
    assert_result(hello_of(16385, 1), PARTY_ETLS_PROTOCOL);
    assert_result(hello_of(65536, 1), PARTY_ETLS_PROTOCOL);
    assert_result(hello_of(131072, 4), PARTY_ETLS_PROTOCOL);
}

#define LONG_NAMES 60u

static void test_client_hello_of_some_length_is_read(void **state)
{
    (void)state;
    char name[201];
    const char *alpn[LONG_NAMES];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < LONG_NAMES; i++) {
        alpn[i] = name;
    }
    struct party_tls_settings settings = {
        .ca_file = test_pki_file("ca"), .alpn = alpn, .alpn_count = LONG_NAMES};
    struct test_ends ends = test_wrap_pair(test_context(PARTY_TLS_CLIENT, &settings),
                                           test_server_context("good"), NULL);
    test_handshake(&ends);
    assert_result(ends.client_result, 0);
    assert_result(ends.server_result, 0);
    test_ends_close(&ends);
}

/* ---- time ---- */

#define KEY_UPDATES      2000
#define KEY_UPDATE_BYTES 20 /* and some more each */

/* Two ends over TCP, which keeps much of what nobody reads. */
static struct test_ends tcp_pair(void)
{
    struct test_ends ends = {0};
    struct party_sock *a = NULL, *b = NULL;
    struct party_address address;
    struct party_sock *listener = test_server("127.0.0.1:0", NULL, &address);
    a = test_client(&address);
    assert_result(party_sock_accept(listener, &b, NULL), 0);
    (void)party_sock_close(listener);
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_tls_context *client = test_client_context("ca");
    struct party_tls_context *server = test_server_context("good");
    assert_result(party_sock_settimeout(a, 0), 0);
    assert_result(party_sock_settimeout(b, 0), 0);
    assert_result(party_tls_wrap_socket(client, a, &options, &ends.client), 0);
    assert_result(party_tls_wrap_socket(server, b, NULL, &ends.server), 0);
    party_tls_context_unref(client);
    party_tls_context_unref(server);
    for (int i = 0; i < 1000 && !(ends.client_result == 0 && party_tls_is_secure(ends.server));
         i++) {
        ends.client_result = party_tls_do_handshake(ends.client);
        ends.server_result = party_tls_do_handshake(ends.server);
    }
    assert_result(ends.server_result, 0);
    return ends;
}

static int unread_bytes(const struct party_tls *tls)
{
    int bytes = 0;
    assert_int_equal(ioctl(party_sock_fileno(party_tls_sock(tls)), FIONREAD, &bytes), 0);
    return bytes;
}

static void await_bytes(const struct party_tls *tls, int len)
{
    struct pollfd pollfd = {.fd = party_sock_fileno(party_tls_sock(tls)), .events = POLLIN};
    assert_int_equal(setsockopt(pollfd.fd, SOL_SOCKET, SO_RCVLOWAT, &len, sizeof(len)), 0);
    assert_int_equal(poll(&pollfd, 1, TEST_LONG_MS), 1);
    len = 1;
    assert_int_equal(setsockopt(pollfd.fd, SOL_SOCKET, SO_RCVLOWAT, &len, sizeof(len)), 0);
}

/* OpenSSL reads as long as nothing is to be handed over; we look at the time in between. */
static void test_messages_without_bytes_do_not_hold_a_call(void **state)
{
    (void)state;
    struct test_ends ends = tcp_pair();
    char c;
    assert_result(party_tls_recv_into(ends.client, &c, 1), -EAGAIN); /* tickets */
    for (int i = 0; i < KEY_UPDATES; i++) {
        assert_int_equal(SSL_key_update(ends.server->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        assert_int_equal(SSL_do_handshake(ends.server->ssl), 1);
    }
    await_bytes(ends.client, KEY_UPDATES * KEY_UPDATE_BYTES);
    assert_result(party_tls_recv_into(ends.client, &c, 1), -EAGAIN);
    assert_true(unread_bytes(ends.client) > 0);
    assert_int_equal(party_tls_wants(ends.client), POLLIN);
    /* Who may wait goes on until the time is over, or all is read. */
    assert_int_equal(party_tls_send(ends.server, "x", 1), 1);
    assert_result(party_sock_settimeout(party_tls_sock(ends.client), TEST_LONG_MS), 0);
    assert_int_equal(party_tls_recv_into(ends.client, &c, 1), 1);
    test_ends_close(&ends);
}

#define FLOOD_MAX_BYTES (UINT64_C(4) << 30) /* no flood is longer, so that a failure ends */

static void *flood(void *arg)
{
    struct party_tls *tls = arg;
    static const char bytes[16384];
    uint64_t sum = 0;
    ssize_t n = 1;
    while (n > 0 && sum < FLOOD_MAX_BYTES) {
        n = party_tls_send(tls, bytes, sizeof(bytes));
        sum += n > 0 ? (uint64_t)n : 0;
    }
    return NULL;
}

static void test_unwrap_has_its_time_against_a_flood(void **state)
{
    (void)state;
    struct test_ends ends = tcp_pair();
    struct party_sock *sock = NULL;
    pthread_t thread;
    assert_result(party_sock_settimeout(party_tls_sock(ends.client), 20), 0);
    assert_result(party_sock_settimeout(party_tls_sock(ends.server), TEST_LONG_MS), 0);
    assert_int_equal(pthread_create(&thread, NULL, flood, ends.server), 0);
    await_bytes(ends.client, 32768);
    assert_result(party_tls_unwrap(ends.client, &sock), PARTY_ETIMEOUT);
    assert_null(sock);
    party_tls_close(ends.client);
    assert_int_equal(pthread_join(thread, NULL), 0);
    party_tls_close(ends.server);
}

static void test_unwrap_that_may_not_wait_drops_so_much(void **state)
{
    (void)state;
    struct test_ends ends = tcp_pair();
    struct party_sock *sock = NULL;
    (void)flood(ends.server); /* until nothing more fits */
    await_bytes(ends.client, 32768);
    assert_result(party_tls_unwrap(ends.client, &sock), -EAGAIN);
    assert_null(sock);
    assert_int_equal(party_tls_wants(ends.client), POLLIN);
    assert_true(unread_bytes(ends.client) > 0);
    test_ends_close(&ends);
}

/* ---- a send that a signal ended ---- */

static bool interrupted;

static ssize_t pair_recv(void *user, void *buf, size_t len)
{
    ssize_t n = recv(*(int *)user, buf, len, MSG_DONTWAIT);
    return n == -1 ? -errno : n;
}

static ssize_t pair_send(void *user, const void *buf, size_t len)
{
    ssize_t n = interrupted ? -1 : send(*(int *)user, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return interrupted ? -EINTR : n == -1 ? -errno : n;
}

static void test_interrupted_send_is_to_be_repeated(void **state)
{
    (void)state;
    static const struct party__tls_io io = {.recv = pair_recv, .send = pair_send};
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_tls_context *context = test_client_context("ca");
    struct party_tls_context *server_context = test_server_context("good");
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *client = NULL, *server = NULL;
    char buf[8];
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &a, &b);
    int fd = party_sock_fileno(a), r = -EAGAIN;
    assert_result(party__tls_create(context, &options, &io, &fd, &client), 0);
    assert_result(party_tls_wrap_socket(server_context, b, NULL, &server), 0);
    for (int i = 0; i < 20 && (r == -EAGAIN || !party_tls_is_secure(server)); i++) {
        r = party__tls_handshake(client);
        int other = party_tls_do_handshake(server);
        assert_true(other == 0 || other == -EAGAIN);
    }
    assert_result(r, 0);
    interrupted = true;
    assert_int_equal(party__tls_write(client, "abc", 3), -EINTR);
    interrupted = false;
    assert_int_equal(party__tls_write(client, "a", 1), -EINVAL);
    assert_int_equal(party__tls_end(client), -EINVAL);
    assert_int_equal(party__tls_write(client, "abc", 3), 3);
    assert_int_equal(party_tls_recv_into(server, buf, sizeof(buf)), 3);
    assert_memory_equal(buf, "abc", 3);
    party__tls_destroy(client);
    party_tls_close(server);
    (void)party_sock_close(a);
    party_tls_context_unref(context);
    party_tls_context_unref(server_context);
}

/* ---- no memory ---- */

static struct party_tls_context *no_memory_client, *no_memory_server;

/* Returns: 0; the failure's code. */
static int session_by_name(void *user)
{
    (void)user;
    struct party_tls_options options = {.server_hostname = "closed.example.org"};
    struct party_tls_session *session = NULL;
    struct test_ends ends = {0};
    struct party_sock *a = NULL, *b = NULL;
    char c;
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &a, &b);
    if (r < 0) {
        return r;
    }
    r = party_tls_wrap_socket(no_memory_client, a, &options, &ends.client);
    if (r == 0) {
        a = NULL;
        r = party_tls_wrap_socket(no_memory_server, b, NULL, &ends.server);
    }
    if (r == 0) {
        b = NULL;
        test_handshake(&ends);
        r = ends.server_result < 0 ? ends.server_result : ends.client_result;
    }
    if (r == 0) {
        r = party_tls_sendall(ends.server, "x", 1);
    }
    if (r == 0) {
        assert_int_equal(party_tls_recv_into(ends.client, &c, 1), 1);
        r = party_tls_session(ends.client, &session);
    }
    party_tls_session_destroy(session);
    test_ends_close(&ends);
    (void)party_sock_close(a);
    (void)party_sock_close(b);
    return r;
}

static void test_sessions_and_names_survive_no_memory(void **state)
{
    (void)state;
    struct party_tls_context *other = test_server_context("good");
    no_memory_server = door(other);
    no_memory_client = test_client_context("ca");
    assert_survives_or_recovers_malloc_failure(session_by_name, NULL);
    party_tls_context_unref(no_memory_client);
    party_tls_context_unref(no_memory_server);
    party_tls_context_unref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_session_is_of_its_context_and_name_only),
        cmocka_unit_test(test_context_by_name_asks_for_certificates),
        cmocka_unit_test(test_context_by_name_has_its_version_and_role),
        cmocka_unit_test(test_name_cannot_change_after_it_was_looked_at),
        cmocka_unit_test(test_names_beyond_ascii),
        cmocka_unit_test(test_long_client_hello_is_refused_at_its_beginning),
        cmocka_unit_test(test_client_hello_of_some_length_is_read),
        cmocka_unit_test(test_messages_without_bytes_do_not_hold_a_call),
        cmocka_unit_test(test_unwrap_has_its_time_against_a_flood),
        cmocka_unit_test(test_unwrap_that_may_not_wait_drops_so_much),
        cmocka_unit_test(test_interrupted_send_is_to_be_repeated),
        cmocka_unit_test(test_sessions_and_names_survive_no_memory),
    };
    return cmocka_run_group_tests(tests, test_pki_setup, test_pki_teardown);
}
