/* SPDX-License-Identifier: MIT */
#include "sock/tls_test_util.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "fail_malloc.h"

/* Connections that work: what they carry, and how they wait and end. */

static ssize_t recv_all(struct party_tls *tls, char *buf, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = party_tls_recv_into(tls, buf + got, len - got);
        if (n <= 0) {
            return n;
        }
        got += (size_t)n;
    }
    return (ssize_t)got;
}

static void assert_carries(struct party_tls *from, struct party_tls *to, const char *text)
{
    char buf[64];
    size_t len = strlen(text);
    assert_result(party_tls_sendall(from, text, len), 0);
    assert_int_equal(recv_all(to, buf, len), len);
    assert_memory_equal(buf, text, len);
}

static void test_both_ends_talk_and_know_each_other(void **state)
{
    (void)state;
    struct test_ends ends = test_secure_pair();
    int bits = 0;
    assert_carries(ends.client, ends.server, "hello");
    assert_carries(ends.server, ends.client, "welcome");
    assert_string_equal(party_tls_version(ends.client), "TLSv1.3");
    assert_non_null(party_tls_cipher(ends.server, &bits));
    assert_true(bits >= 128);
    assert_true(party_tls_server_side(ends.server));
    assert_false(party_tls_server_side(ends.client));
    assert_string_equal(party_tls_server_hostname(ends.client), "localhost");
    assert_string_equal(party_tls_server_hostname(ends.server), "localhost");
    assert_null(party_tls_selected_alpn_protocol(ends.client));
    assert_string_equal(party_tls_error_text(ends.client), "");
    assert_true(party_tls_is_secure(ends.client));
    test_ends_close(&ends);
}

static void test_peer_certificate_in_each_form(void **state)
{
    (void)state;
    struct test_ends ends = test_secure_pair();
    char text[64] = "", pem[4096] = "";
    unsigned char der[2048];
    assert_int_equal(party_tls_getpeercert(ends.client, PARTY_TLS_CERT_SUBJECT, text, 64), 7);
    assert_string_equal(text, "CN=good");
    assert_int_equal(party_tls_getpeercert(ends.client, PARTY_TLS_CERT_SUBJECT, pem, 7), 7);
    assert_string_equal(pem, ""); /* the NUL has no room */
    ssize_t len = party_tls_getpeercert(ends.client, PARTY_TLS_CERT_DER, der, sizeof(der));
    const unsigned char *end = der;
    X509 *cert = d2i_X509(NULL, &end, len);
    assert_non_null(cert);
    X509_free(cert);
    len = party_tls_getpeercert(ends.client, PARTY_TLS_CERT_PEM, pem, sizeof(pem));
    assert_int_equal(len, strlen(pem));
    assert_memory_equal(pem, "-----BEGIN CERTIFICATE-----\n", 28);
    char print[65] = "";
    assert_int_equal(party_tls_getpeercert(ends.client, PARTY_TLS_CERT_SHA256, print, 65), 64);
    assert_int_equal(strspn(print, "0123456789abcdef"), 64);
    assert_int_equal(party_tls_getpeercert(ends.client, (enum party_tls_cert_form)99, text, 64),
                     -EINVAL);
    assert_int_equal(party_tls_getpeercert(ends.server, PARTY_TLS_CERT_DER, der, 1), -ENODATA);
    test_ends_close(&ends);
}

static void test_nothing_is_known_before_the_handshake(void **state)
{
    (void)state;
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), test_server_context("good"), NULL);
    char buf[8];
    assert_null(party_tls_version(ends.client));
    assert_null(party_tls_cipher(ends.client, NULL));
    assert_false(party_tls_is_secure(ends.client));
    assert_int_equal(party_tls_getpeercert(ends.client, PARTY_TLS_CERT_DER, buf, 8), -ENOTCONN);
    assert_int_equal(party_tls_send_close_notify(ends.client), -ENOTCONN);
    test_ends_close(&ends);
}

static void test_calls_with_timeout_0_say_what_they_wait_for(void **state)
{
    (void)state;
    char buf[8];
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), test_server_context("good"), NULL);
    assert_int_equal(party_tls_wants(ends.client), 0);
    assert_int_equal(party_tls_recv_into(ends.client, buf, sizeof(buf)), -EAGAIN);
    assert_int_equal(party_tls_wants(ends.client), POLLIN);
    assert_int_equal(party_tls_recv_into(ends.client, buf, 0), 0);
    test_handshake(&ends);
    static char much[1 << 20];
    int r;
    do {
        r = party_tls_sendall(ends.client, much, sizeof(much));
    } while (r == 0);
    assert_result(r, -EAGAIN);
    assert_int_equal(party_tls_wants(ends.client), POLLOUT);
    /* The record is made: fewer bytes cannot be a repetition of it. */
    assert_int_equal(party_tls_send(ends.client, much, 1), -EINVAL);
    assert_int_equal(party_tls_send_close_notify(ends.client), -EINVAL);
    assert_int_equal(party_tls_send(ends.client, much, sizeof(much)), -EAGAIN);
    test_ends_close(&ends);
}

static void test_timeout_is_one_deadline_for_the_call(void **state)
{
    (void)state;
    char buf[8];
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), test_server_context("good"), NULL);
    assert_result(party_sock_settimeout(party_tls_sock(ends.client), 1), 0);
    assert_result(party_tls_do_handshake(ends.client), PARTY_ETIMEOUT);
    assert_result(party_sock_settimeout(party_tls_sock(ends.client), 0), 0);
    test_handshake(&ends);
    assert_result(ends.client_result, 0); /* a time-out breaks nothing */
    assert_result(party_sock_settimeout(party_tls_sock(ends.client), 1), 0);
    assert_result(party_tls_recv_into(ends.client, buf, sizeof(buf)), PARTY_ETIMEOUT);
    assert_carries(ends.server, ends.client, "still there");
    test_ends_close(&ends);
}

static void test_close_notify_ends_one_direction(void **state)
{
    (void)state;
    char buf[8];
    struct test_ends ends = test_secure_pair();
    assert_result(party_tls_send_close_notify(ends.client), 0);
    assert_result(party_tls_send_close_notify(ends.client), 0);
    assert_int_equal(party_tls_send(ends.client, "x", 1), -EPIPE);
    assert_int_equal(party_tls_recv_into(ends.server, buf, sizeof(buf)), 0);
    assert_int_equal(party_tls_recv_into(ends.server, buf, sizeof(buf)), 0);
    assert_carries(ends.server, ends.client, "the rest");
    test_ends_close(&ends);
}

static void test_unwrap_gives_the_socket_back_for_plain_text(void **state)
{
    (void)state;
    struct test_ends ends = test_secure_pair();
    struct party_sock *a = NULL, *b = NULL;
    assert_result(party_tls_sendall(ends.server, "dropped", 7), 0);
    assert_result(party_tls_unwrap(ends.client, &a), -EAGAIN);
    assert_null(a);
    assert_result(party_tls_unwrap(ends.server, &b), 0);
    assert_result(party_tls_unwrap(ends.client, &a), 0);
    test_assert_connected(a, b);
    test_assert_connected(b, a);
    (void)party_sock_close(a);
    (void)party_sock_close(b);
}

/* OpenSSL answers an end that comes too early with an alert; that nobody takes it is not the cause.
 */
static void test_end_of_both_directions_is_a_truncation_too(void **state)
{
    (void)state;
    char buf[8];
    struct test_ends ends = test_secure_pair();
    assert_result(party_sock_shutdown(party_tls_sock(ends.server), SHUT_RDWR), 0);
    assert_result(party_tls_recv_into(ends.client, buf, 8), PARTY_ETLS_TRUNCATED);
    test_ends_close(&ends);
}

static void test_end_without_close_notify_is_a_truncation(void **state)
{
    (void)state;
    char buf[8];
    struct test_ends ends = test_secure_pair();
    assert_result(party_tls_sendall(ends.server, "half a tale", 11), 0);
    assert_result(party_sock_shutdown(party_tls_sock(ends.server), SHUT_WR), 0);
    assert_int_equal(party_tls_recv_into(ends.client, buf, 8), 8);
    assert_int_equal(party_tls_pending(ends.client), 3);
    assert_int_equal(party_tls_recv_into(ends.client, buf, 8), 3);
    assert_result(party_tls_recv_into(ends.client, buf, 8), PARTY_ETLS_TRUNCATED);
    assert_result(party_tls_recv_into(ends.client, buf, 8), PARTY_ETLS_TRUNCATED);
    assert_result(party_tls_sendall(ends.client, buf, 8), PARTY_ETLS_TRUNCATED);
    assert_true(strlen(party_tls_error_text(ends.client)) > 0);
    test_ends_close(&ends);
}

static void test_ragged_end_can_be_suppressed(void **state)
{
    (void)state;
    char buf[8];
    struct party_tls_options options = {.server_hostname = "localhost",
                                        .suppress_ragged_eofs = true};
    struct test_ends ends =
        test_wrap_pair(test_client_context("ca"), test_server_context("good"), &options);
    test_handshake(&ends);
    assert_result(party_sock_shutdown(party_tls_sock(ends.server), SHUT_WR), 0);
    assert_int_equal(party_tls_recv_into(ends.client, buf, 8), 0);
    test_ends_close(&ends);
}

static void test_close_tells_the_peer(void **state)
{
    (void)state;
    char buf[8];
    struct test_ends ends = test_secure_pair();
    party_tls_close(ends.server);
    assert_int_equal(party_tls_recv_into(ends.client, buf, 8), 0);
    party_tls_close(ends.client);
    party_tls_close(NULL);
}

static void test_writing_to_a_gone_peer_raises_no_signal(void **state)
{
    (void)state;
    struct test_ends ends = test_secure_pair();
    party_tls_close(ends.client);
    /* Python's rule for sockets, too: the error is the call's. */
    assert_result(party_tls_sendall(ends.server, "x", 1), -EPIPE);
    assert_result(party_tls_sendall(ends.server, "x", 1), -EPIPE);
    party_tls_close(ends.server);
}

static void test_session_is_resumed(void **state)
{
    (void)state;
    struct party_tls_context *client = test_client_context("ca");
    struct party_tls_context *server = test_server_context("good");
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_tls_session *session = NULL;
    for (int i = 0; i < 2; i++) {
        struct test_ends ends =
            test_wrap_pair(party_tls_context_ref(client), party_tls_context_ref(server), &options);
        test_handshake(&ends);
        assert_result(ends.client_result, 0);
        assert_int_equal(party_tls_session_reused(ends.client), i == 1);
        if (i == 0) {
            assert_result(party_tls_session(ends.server, &session), -ENODATA);
            assert_result(party_tls_session(ends.client, &session), -ENODATA);
        }
        assert_carries(ends.server, ends.client, "ticket before this");
        if (i == 0) {
            assert_result(party_tls_session(ends.client, &session), 0);
            options.session = session;
        }
        test_ends_close(&ends);
    }
    party_tls_session_destroy(session);
    party_tls_session_destroy(NULL);
    party_tls_context_unref(client);
    party_tls_context_unref(server);
}

/* ---- with a thread at the other end ---- */

struct transfer {
    struct party_tls *tls;
    uint64_t bytes;
    int result;
};

static void *send_pattern(void *arg)
{
    struct transfer *transfer = arg;
    static _Thread_local uint8_t buf[50000];
    for (uint64_t at = 0; at < transfer->bytes && transfer->result == 0;) {
        size_t left = (size_t)(transfer->bytes - at);
        size_t len = left < sizeof(buf) ? left : sizeof(buf);
        test_fill_pattern(buf, len, at);
        transfer->result = party_tls_sendall(transfer->tls, buf, len);
        at += len;
    }
    if (transfer->result == 0) {
        transfer->result = party_tls_send_close_notify(transfer->tls);
    }
    return NULL;
}

/* Sends from one end in a thread, reads at the other. */
static void assert_transfers(struct party_tls *from, struct party_tls *to)
{
    static uint8_t got[70000], want[70000];
    struct transfer transfer = {.tls = from, .bytes = test_transfer_bytes()};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_pattern, &transfer), 0);
    uint64_t at = 0;
    ssize_t n;
    while ((n = party_tls_recv_into(to, got, sizeof(got))) > 0) {
        test_fill_pattern(want, (size_t)n, at);
        assert_memory_equal(got, want, (size_t)n);
        at += (uint64_t)n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_result(transfer.result, 0);
    assert_int_equal(at, transfer.bytes);
}

static void test_much_arrives_byte_exact(void **state)
{
    int64_t timeout_ms = (int64_t)(intptr_t)*state;
    struct test_ends ends = test_secure_pair();
    assert_result(party_sock_settimeout(party_tls_sock(ends.client), timeout_ms), 0);
    assert_result(party_sock_settimeout(party_tls_sock(ends.server), timeout_ms), 0);
    assert_transfers(ends.client, ends.server);
    assert_transfers(ends.server, ends.client);
    test_ends_close(&ends);
}

static int recv_in_thread(struct test_call *call)
{
    return (int)party_tls_recv_into((struct party_tls *)(void *)call->sock, call->buf,
                                    sizeof(call->buf));
}

static int interrupted_at;

static int interrupt(struct party_sock *sock, void *user)
{
    (void)sock;
    return ++interrupted_at >= 3 ? -ECANCELED : *(int *)user;
}

static void test_signals_do_not_end_a_recv_unless_the_hook_says_so(void **state)
{
    int64_t timeout_ms = (int64_t)(intptr_t)*state;
    int go_on = 0;
    struct test_ends ends = test_secure_pair();
    struct party_sock *sock = party_tls_sock(ends.client);
    assert_result(party_sock_settimeout(sock, timeout_ms), 0);
    struct test_call call = {.fn = recv_in_thread, .sock = (void *)ends.client};
    test_call_start(&call);
    test_call_interrupt(&call, 3);
    assert_result(party_tls_sendall(ends.server, "x", 1), 0);
    assert_int_equal(test_call_join(&call), 1);
    interrupted_at = 0;
    party_sock_set_interrupt(sock, interrupt, &go_on);
    test_call_start(&call);
    test_call_interrupt(&call, 2);
    assert_int_equal(pthread_kill(call.thread, SIGUSR1), 0);
    assert_result(test_call_join(&call), -ECANCELED);
    assert_carries(ends.server, ends.client, "nothing is lost");
    test_ends_close(&ends);
}

/* ---- threads ---- */

#define THREADS         4
#define PAIRS_OF_THREAD 20

struct shared {
    struct party_tls_context *client, *server;
    atomic_uint good;
};

static void *talk_in_pairs(void *arg)
{
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    struct shared *shared = arg;
    for (int i = 0; i < PAIRS_OF_THREAD; i++) {
        struct test_ends ends = {0};
        struct party_sock *a = NULL, *b = NULL;
        char c = 0;
        bool good = party_sock_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &a, &b) == 0 &&
                    party_tls_wrap_socket(shared->client, a, &options, &ends.client) == 0 &&
                    party_tls_wrap_socket(shared->server, b, NULL, &ends.server) == 0;
        if (good) {
            test_handshake(&ends);
            good = party_tls_send(ends.client, "x", 1) == 1 &&
                   party_tls_recv_into(ends.server, &c, 1) == 1 && c == 'x';
            test_ends_close(&ends);
        }
        atomic_fetch_add(&shared->good, good);
    }
    return NULL;
}

static void test_threads_share_contexts(void **state)
{
    (void)state;
    struct shared shared = {.client = test_client_context("ca"),
                            .server = test_server_context("good")};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, talk_in_pairs, &shared), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&shared.good), THREADS * PAIRS_OF_THREAD);
    party_tls_context_unref(shared.client);
    party_tls_context_unref(shared.server);
}

/* ---- memory ---- */

static int make_and_end_a_pair(void *user)
{
    struct party_tls_context *client = NULL, *server = NULL;
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    static const char *const alpn[] = {"chat"};
    struct party_tls_settings settings = {
        .keypairs = &pair, .keypair_count = 1, .alpn = alpn, .alpn_count = 1};
    struct party_tls_settings client_settings = {.ca_file = test_pki_file("ca")};
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_sock *a = NULL, *b = NULL;
    struct party_tls *tls = NULL;
    int r = party_tls_context_create(PARTY_TLS_SERVER, &settings, NULL, 0, &server);
    if (r == 0) {
        r = party_tls_context_create(PARTY_TLS_CLIENT, &client_settings, NULL, 0, &client);
    }
    if (r == 0) {
        r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &a, &b);
    }
    if (r == 0) {
        r = party_tls_wrap_socket(client, a, &options, &tls);
    }
    if (r == 0) {
        party_tls_close(tls);
        a = NULL;
    }
    (void)party_sock_close(a);
    (void)party_sock_close(b);
    party_tls_context_unref(client);
    party_tls_context_unref(server);
    (void)user;
    return r;
}

static void test_contexts_and_connections_survive_no_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(make_and_end_a_pair, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_talk_and_know_each_other),
        cmocka_unit_test(test_peer_certificate_in_each_form),
        cmocka_unit_test(test_nothing_is_known_before_the_handshake),
        cmocka_unit_test(test_calls_with_timeout_0_say_what_they_wait_for),
        cmocka_unit_test(test_timeout_is_one_deadline_for_the_call),
        cmocka_unit_test(test_close_notify_ends_one_direction),
        cmocka_unit_test(test_unwrap_gives_the_socket_back_for_plain_text),
        cmocka_unit_test(test_end_of_both_directions_is_a_truncation_too),
        cmocka_unit_test(test_end_without_close_notify_is_a_truncation),
        cmocka_unit_test(test_ragged_end_can_be_suppressed),
        cmocka_unit_test(test_close_tells_the_peer),
        cmocka_unit_test(test_writing_to_a_gone_peer_raises_no_signal),
        cmocka_unit_test(test_session_is_resumed),
        {"test_much_arrives_byte_exact_blocking", test_much_arrives_byte_exact, NULL, NULL,
         (void *)(intptr_t)-1},
        {"test_much_arrives_byte_exact_with_timeouts", test_much_arrives_byte_exact, NULL, NULL,
         (void *)(intptr_t)TEST_LONG_MS},
        {"test_signals_do_not_end_a_blocking_recv",
         test_signals_do_not_end_a_recv_unless_the_hook_says_so, NULL, NULL, (void *)(intptr_t)-1},
        {"test_signals_do_not_end_a_recv_with_timeout",
         test_signals_do_not_end_a_recv_unless_the_hook_says_so, NULL, NULL,
         (void *)(intptr_t)TEST_LONG_MS},
        cmocka_unit_test(test_threads_share_contexts),
        cmocka_unit_test(test_contexts_and_connections_survive_no_memory),
    };
    return cmocka_run_group_tests(tests, test_pki_setup, test_pki_teardown);
}
