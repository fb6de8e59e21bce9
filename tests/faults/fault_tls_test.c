/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <partyline/partyline.h>

#include "fault.h"
#include "fault_calls.h"
#include "sock/tls_test_util.h"

/*
 * TLS while its system calls fail. OpenSSL makes none on a connection: records go through recv(2)
 * and send(2) of the library's objects. Files it opens itself, and its fopen64 is this program's.
 * The peer of the blocking calls is OpenSSL on a socket of its own, whose calls never fail.
 */

#define LONG_MS 30000

/* A run ended well and the bytes were wrong, or a broken connection was whole again. */
#define WRONG_BYTES (-4000)
#define NOT_BROKEN  (-4001)

/* More rounds than any run here takes, also when each brings one byte. */
#define ROUNDS_MAX 20000

/* Two records, of which the last is not full. */
#define BLOCK_BYTES 20000

/* What streams say; a turn may bring them a byte of it. */
#define STREAM_BYTES 300

static struct party_tls_context *client_context, *server_context;
static SSL_CTX *peer_client, *peer_server;
static uint8_t block[BLOCK_BYTES];

__attribute__((visibility("default"))) FILE *fopen64(const char *restrict path,
                                                     const char *restrict mode)
{
    static FILE *(*libc_fopen64)(const char *path, const char *mode);
    if (libc_fopen64 == NULL) {
        *(void **)&libc_fopen64 = dlsym(RTLD_NEXT, "fopen64");
    }
    return fault_fails(FAULT_fopen64) ? NULL : libc_fopen64(path, mode);
}

static int group_setup(void **state)
{
    int r = test_pki_setup(state);
    test_fill_pattern(block, sizeof(block), 0);
    client_context = test_client_context("ca");
    server_context = test_server_context("good");
    peer_client = SSL_CTX_new(TLS_method());
    peer_server = SSL_CTX_new(TLS_method());
    assert_int_equal(SSL_CTX_use_certificate_chain_file(peer_server, test_pki_file("good")), 1);
    assert_int_equal(
        SSL_CTX_use_PrivateKey_file(peer_server, test_pki_file("good"), SSL_FILETYPE_PEM), 1);
    return r;
}

static int group_teardown(void **state)
{
    party_tls_context_unref(client_context);
    party_tls_context_unref(server_context);
    SSL_CTX_free(peer_client);
    SSL_CTX_free(peer_server);
    return test_pki_teardown(state);
}

/* ---- blocking ---- */

struct talk {
    enum party_tls_role role;
    int64_t timeout_ms;
};

struct peer {
    SSL_CTX *ctx;
    bool is_server;
    int fd;
};

/* Sends all back until the end, ends TLS, says "bye" without it, and goes. */
static void *speak(void *user)
{
    const struct peer *peer = user;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    SSL *ssl = SSL_new(peer->ctx);
    SSL_set_fd(ssl, peer->fd);
    if ((peer->is_server ? SSL_accept(ssl) : SSL_connect(ssl)) == 1) {
        char bytes[BLOCK_BYTES];
        int n;
        while ((n = SSL_read(ssl, bytes, sizeof(bytes))) > 0 && SSL_write(ssl, bytes, n) == n) {
        }
        if (SSL_get_error(ssl, n) == SSL_ERROR_ZERO_RETURN && SSL_shutdown(ssl) == 1) {
            (void)send(peer->fd, "bye", 3, MSG_NOSIGNAL);
        }
    }
    SSL_free(ssl);
    (void)close(peer->fd);
    return NULL;
}

static int recv_block(struct party_tls *tls)
{
    static uint8_t bytes[BLOCK_BYTES];
    size_t got = 0;
    while (got < sizeof(bytes)) {
        ssize_t n = party_tls_recv_into(tls, bytes + got, sizeof(bytes) - got);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        got += (size_t)n;
    }
    return memcmp(bytes, block, sizeof(bytes)) == 0 ? 0 : WRONG_BYTES;
}

/* What recv(2) and send(2) broke stays broken, with the same code; poll(2) breaks nothing. */
static int still_fails(struct party_tls *tls, int r)
{
    char byte;
    if (r == -EAGAIN || r == PARTY_ETIMEOUT || r == -ENOMEM || r == WRONG_BYTES) {
        return r;
    }
    bool is_same = party_tls_do_handshake(tls) == r && party_tls_recv(tls, &byte, 1) == r &&
                   party_tls_send(tls, "x", 1) == r && party_tls_send_close_notify(tls) == r &&
                   party_tls_error_text(tls)[0] != '\0';
    return is_same ? r : NOT_BROKEN;
}

static int recv_bye(struct party_sock *sock)
{
    char bytes[3];
    size_t got = 0;
    while (got < sizeof(bytes)) {
        ssize_t n = party_sock_recv(sock, bytes + got, sizeof(bytes) - got, 0);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        got += (size_t)n;
    }
    return memcmp(bytes, "bye", 3) == 0 ? 0 : WRONG_BYTES;
}

/* Takes sock. */
static int talk_tls(struct party_sock *sock, const struct talk *talk)
{
    static const struct party_tls_options localhost = {.server_hostname = "localhost"};
    bool is_client = talk->role == PARTY_TLS_CLIENT;
    struct party_tls *tls;
    int r = talk->timeout_ms >= 0 ? party_sock_settimeout(sock, talk->timeout_ms) : 0;
    r = r < 0 ? r
              : party_tls_wrap_socket(is_client ? client_context : server_context, sock,
                                      is_client ? &localhost : NULL, &tls);
    if (r < 0) {
        (void)party_sock_close(sock);
        return r;
    }
    r = party_tls_do_handshake(tls);
    r = r < 0 ? r : party_tls_sendall(tls, block, sizeof(block));
    r = r < 0 ? r : recv_block(tls);
    r = r < 0 ? r : party_tls_unwrap(tls, &sock);
    if (r < 0) {
        r = still_fails(tls, r);
        party_tls_close(tls);
        return r;
    }
    r = recv_bye(sock);
    (void)party_sock_close(sock);
    return r;
}

static int talk_to_peer(void *user)
{
    const struct talk *talk = user;
    struct party_sock *ends[2];
    pthread_t thread;
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &ends[0], &ends[1]);
    if (r < 0) {
        return r;
    }
    bool peer_serves = talk->role == PARTY_TLS_CLIENT;
    struct peer peer = {.ctx = peer_serves ? peer_server : peer_client,
                        .is_server = peer_serves,
                        .fd = party_sock_detach(ends[1])};
    assert_int_equal(pthread_create(&thread, NULL, speak, &peer), 0);
    r = talk_tls(ends[0], talk);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return r;
}

static void test_blocking_calls_meet_every_error(void **state)
{
    (void)state;
    static const int64_t timeouts[] = {-1, LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        struct talk client = {PARTY_TLS_CLIENT, timeouts[i]};
        struct talk server = {PARTY_TLS_SERVER, timeouts[i]};
        assert_true(fault_check(talk_to_peer, &client, NULL) > 150);
        assert_true(fault_check(talk_to_peer, &server, NULL) > 150);
    }
}

/* ---- without waiting, and contexts ---- */

struct ends {
    struct party_tls_context *contexts[2];
    struct party_tls *tls[2];
};

static int make_contexts(struct ends *ends)
{
    struct party_tls_keypair good = {.chain_file = test_pki_file("good")};
    struct party_tls_keypair client = {.chain_file = test_pki_file("client")};
    char keylog[128];
    (void)snprintf(keylog, sizeof(keylog), "%s", test_pki_file("keylog"));
    struct party_tls_settings of_client = {.ca_file = test_pki_file("ca"),
                                           .keypairs = &client,
                                           .keypair_count = 1,
                                           .keylog_file = keylog};
    struct party_tls_settings of_server = {.ca_file = test_pki_file("ca"),
                                           .keypairs = &good,
                                           .keypair_count = 1,
                                           .no_tickets = true, /* nobody reads on for them */
                                           .client_certs = PARTY_TLS_CLIENT_CERTS_REQUIRED};
    char text[128] = "";
    int r = party_tls_context_create(PARTY_TLS_CLIENT, &of_client, text, sizeof(text),
                                     &ends->contexts[0]);
    r = r < 0 ? r
              : party_tls_context_create(PARTY_TLS_SERVER, &of_server, text, sizeof(text),
                                         &ends->contexts[1]);
    (void)unlink(keylog);
    return r < 0 && text[0] == '\0' ? WRONG_BYTES : r;
}

static int wrap_ends(struct ends *ends)
{
    static const struct party_tls_options localhost = {.server_hostname = "localhost"};
    struct party_sock *socks[2];
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &socks[0], &socks[1]);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < 2; i++) {
        if (r == 0) {
            r = party_tls_wrap_socket(ends->contexts[i], socks[i], i == 0 ? &localhost : NULL,
                                      &ends->tls[i]);
        }
        if (r < 0) {
            (void)party_sock_close(socks[i]);
        }
    }
    return r;
}

/* Moves both ends until both have done their step. */
static int in_turn(struct ends *ends, int (*step)(struct party_tls **tls))
{
    int results[2] = {-EAGAIN, -EAGAIN};
    for (int round = 0; round < ROUNDS_MAX; round++) {
        for (size_t i = 0; i < 2; i++) {
            results[i] = results[i] == -EAGAIN ? step(&ends->tls[i]) : results[i];
            if (results[i] < 0 && results[i] != -EAGAIN) {
                return results[i];
            }
        }
        if (results[0] == 0 && results[1] == 0) {
            return 0;
        }
    }
    return PARTY_ETIMEOUT;
}

static int step_handshake(struct party_tls **tls)
{
    int r = party_tls_do_handshake(*tls);
    short wants = party_tls_wants(*tls);
    return r == -EAGAIN && wants != POLLIN && wants != POLLOUT ? WRONG_BYTES : r;
}

static int step_send(struct party_tls **tls)
{
    ssize_t n = party_tls_send(*tls, "a few bytes", 11);
    return n < 0 ? (int)n : n == 11 ? 0 : WRONG_BYTES;
}

static int step_recv(struct party_tls **tls)
{
    char bytes[16];
    ssize_t n = party_tls_recv_into(*tls, bytes, sizeof(bytes));
    return n < 0 ? (int)n : n == 11 && memcmp(bytes, "a few bytes", 11) == 0 ? 0 : WRONG_BYTES;
}

static int step_unwrap(struct party_tls **tls)
{
    struct party_sock *sock;
    int r = party_tls_unwrap(*tls, &sock);
    if (r == 0) {
        *tls = NULL;
        (void)party_sock_close(sock);
    }
    return r;
}

static int talk_in_turn(void *user)
{
    (void)user;
    struct ends ends = {0};
    int r = make_contexts(&ends);
    r = r < 0 ? r : wrap_ends(&ends);
    r = r < 0 ? r : in_turn(&ends, step_handshake);
    r = r < 0 ? r : in_turn(&ends, step_send);
    r = r < 0 ? r : in_turn(&ends, step_recv);
    r = r < 0 ? r : in_turn(&ends, step_unwrap);
    for (size_t i = 0; i < 2; i++) {
        party_tls_close(ends.tls[i]);
        party_tls_context_unref(ends.contexts[i]);
    }
    return r;
}

static bool in_turn_allows(enum fault_call call, int error, int result)
{
    /* A line of the key log that cannot be written is no fault of the connection's. */
    (void)error;
    return call == FAULT_write && result == 0;
}

static void test_calls_that_never_wait_and_contexts_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(talk_in_turn, NULL, in_turn_allows) > 150);
}

static void test_contexts_without_descriptors_are_emfile_and_nothing_leaks(void **state)
{
    (void)state;
    assert_int_equal(fault_check_descriptors(talk_in_turn, NULL, NULL), 3);
}

/* ---- streams ---- */

struct play {
    struct party_stream *streams[2];
    int open;
    int reason; /* the first that is not 0 */
    unsigned secured;
    size_t echoed;
    bool is_wrong;
};

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct play *play = user;
    if (stream == play->streams[1]) {
        party_stream_write(stream, data, len);
        return len;
    }
    play->is_wrong = play->is_wrong || play->echoed + len > STREAM_BYTES ||
                     memcmp(block + play->echoed, data, len) != 0;
    play->echoed += len;
    if (play->echoed == STREAM_BYTES) {
        party_stream_finish(stream);
    }
    return len;
}

static void on_secure(struct party_stream *stream, void *user)
{
    (void)stream;
    ((struct play *)user)->secured++;
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    struct play *play = user;
    play->streams[stream == play->streams[1]] = NULL;
    play->open--;
    play->reason = play->reason == 0 ? reason : play->reason;
}

static const struct party_stream_ops stream_ops = {
    .on_data = on_data, .on_close = on_close, .on_secure = on_secure};

static int start_streams(struct play *play, struct party_loop *loop)
{
    static const struct party_tls_options localhost = {.server_hostname = "localhost"};
    struct party_sock *socks[2];
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &socks[0], &socks[1]);
    for (size_t i = 0; i < 2 && r >= 0; i++) {
        r = party_stream_create(loop, party_sock_fileno(socks[i]), &stream_ops, NULL, play,
                                &play->streams[i]);
        if (r < 0) {
            (void)party_sock_close(socks[i]);
            if (i == 0) {
                (void)party_sock_close(socks[1]);
            }
            return r;
        }
        play->open++;
        assert_true(party_sock_detach(socks[i]) >= 0);
        if (i == 1) {
            r = party_stream_start_tls(play->streams[0], client_context, &localhost);
            r = r < 0 ? r : party_stream_start_tls(play->streams[1], server_context, NULL);
        }
    }
    return r;
}

/* user: the backend. */
static int echo_by_streams(void *user)
{
    struct play play = {0};
    struct party_loop_settings settings = {.backend = user};
    struct party_loop *loop;
    int r = party_loop_create(&settings, &loop);
    if (r < 0) {
        return r;
    }
    r = start_streams(&play, loop);
    if (r == 0) {
        party_stream_write(play.streams[0], block, STREAM_BYTES);
    }
    for (int i = 0; i < ROUNDS_MAX && r >= 0 && play.open > 0; i++) {
        r = party_loop_run_once(loop, LONG_MS);
    }
    r = r < 0 ? r : play.open > 0 ? PARTY_ETIMEOUT : play.reason;
    if (r == 0 && (play.is_wrong || play.echoed != STREAM_BYTES || play.secured != 2)) {
        r = WRONG_BYTES;
    }
    party_stream_close(play.streams[0]);
    party_stream_close(play.streams[1]);
    party_loop_destroy(loop);
    return r;
}

static bool streams_allow(enum fault_call call, int error, int result)
{
    (void)error;
    switch (call) {
    case FAULT_shutdown:
        /* Who is not connected any more is gone, and the other's last words fail. */
        return result == 0 || result == -EPIPE;
    case FAULT_read:
    case FAULT_write:
    case FAULT_io_uring_queue_init_params:
    case FAULT_io_uring_register:
    case FAULT_io_uring_get_events:
    case FAULT_io_uring_submit:
    case FAULT_io_uring_submit_and_get_events:
    case FAULT_io_uring_submit_and_wait:
    case FAULT_io_uring_submit_and_wait_timeout:
        return result == 0;
    default:
        return false;
    }
}

static void test_streams_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(echo_by_streams, (void *)(uintptr_t) "epoll", streams_allow) > 50);
    assert_true(fault_check(echo_by_streams, (void *)(uintptr_t) "io_uring", streams_allow) > 50);
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(110);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocking_calls_meet_every_error),
        cmocka_unit_test(test_calls_that_never_wait_and_contexts_meet_every_error),
        cmocka_unit_test(test_contexts_without_descriptors_are_emfile_and_nothing_leaks),
        cmocka_unit_test(test_streams_meet_every_error),
    };
    return cmocka_run_group_tests_name("fault_tls", tests, group_setup, group_teardown);
}
