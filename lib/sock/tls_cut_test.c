/* SPDX-License-Identifier: MIT */
#include "sock/tls_test_util.h"

#include <sys/socket.h>

/* A relay between two ends that passes bytes on in small pieces, or cuts them off somewhere. */

#define WORDS "what the server says"

struct relay {
    struct party_tls *client, *server;
    struct party_sock *to_client, *to_server; /* the relay's sides */
    size_t piece;                             /* at most so many bytes at a time */
    size_t left;                              /* that the client gets before its end */
    bool cut;                                 /* there were more */
};

static struct relay make_relay(struct party_tls_context *client, struct party_tls_context *server)
{
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    struct relay relay = {.piece = 1 << 14, .left = SIZE_MAX};
    struct party_sock *c = NULL, *s = NULL;
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &c, &relay.to_client);
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &s, &relay.to_server);
    assert_result(party_tls_wrap_socket(client, c, &options, &relay.client), 0);
    assert_result(party_tls_wrap_socket(server, s, NULL, &relay.server), 0);
    return relay;
}

static void free_relay(struct relay *relay)
{
    party_tls_close(relay->client);
    party_tls_close(relay->server);
    (void)party_sock_close(relay->to_client);
    (void)party_sock_close(relay->to_server);
}

/* Returns: how many bytes went on. */
static size_t pass(struct party_sock *from, struct party_sock *to, size_t max)
{
    char buf[1 << 14];
    ssize_t n = party_sock_recv_into(from, buf, max < sizeof(buf) ? max : sizeof(buf), 0);
    if (n > 0) {
        assert_result(party_sock_sendall(to, buf, (size_t)n, 0), 0);
    }
    return n > 0 ? (size_t)n : 0;
}

static void shuttle(struct relay *relay)
{
    (void)pass(relay->to_client, relay->to_server, relay->piece);
    if (relay->left > 0) {
        size_t max = relay->piece < relay->left ? relay->piece : relay->left;
        relay->left -= pass(relay->to_server, relay->to_client, max);
    } else if (!relay->cut) {
        struct pollfd pollfd = {.fd = party_sock_fileno(relay->to_server), .events = POLLIN};
        relay->cut = poll(&pollfd, 1, 0) == 1;
        if (relay->cut) {
            assert_result(party_sock_shutdown(relay->to_client, SHUT_WR), 0);
        }
    }
}

/* The server says its words and ends; the client reads. Returns: the client's last result. */
static ssize_t listen_to_server(struct relay *relay, char *got, size_t *ret_len)
{
    ssize_t n = -EAGAIN;
    bool said = false;
    *ret_len = 0;
    for (int i = 0; i < 100000 && (n > 0 || n == -EAGAIN); i++) {
        if (!said && party_tls_do_handshake(relay->server) == 0) {
            assert_result(party_tls_sendall(relay->server, WORDS, strlen(WORDS)), 0);
            assert_result(party_tls_send_close_notify(relay->server), 0);
            said = true;
        }
        shuttle(relay);
        n = party_tls_recv_into(relay->client, got + *ret_len, strlen(WORDS) + 1 - *ret_len);
        *ret_len += n > 0 ? (size_t)n : 0;
    }
    return n;
}

static void test_single_bytes_are_enough(void **state)
{
    (void)state;
    struct party_tls_context *client = test_client_context("ca");
    struct party_tls_context *server = test_server_context("good");
    char got[64];
    size_t len;
    for (size_t piece = 1; piece < 8; piece += 2) {
        struct relay relay = make_relay(client, server);
        relay.piece = piece;
        assert_int_equal(listen_to_server(&relay, got, &len), 0);
        assert_int_equal(len, strlen(WORDS));
        assert_memory_equal(got, WORDS, len);
        free_relay(&relay);
    }
    party_tls_context_unref(client);
    party_tls_context_unref(server);
}

/* Wherever the bytes end, in the handshake, in a record or between two, it is not taken for the
   end that the server meant. */
static void test_truncation_at_each_byte_is_told(void **state)
{
    (void)state;
    struct party_tls_context *client = test_client_context("ca");
    struct party_tls_context *server = test_server_context("good");
    char got[64];
    size_t len;
    bool cut = true;
    unsigned cuts = 0, after_all_words = 0;
    for (size_t at = 0; cut; at++) {
        struct relay relay = make_relay(client, server);
        relay.left = at;
        ssize_t n = listen_to_server(&relay, got, &len);
        cut = relay.cut;
        assert_result(n, cut ? PARTY_ETLS_TRUNCATED : 0);
        assert_true(len == 0 || len == strlen(WORDS));
        assert_memory_equal(got, WORDS, len);
        cuts += cut;
        after_all_words += cut && len > 0;
        free_relay(&relay);
    }
    assert_true(cuts > 500);
    assert_true(after_all_words > 10); /* the words were whole, the end was missing */
    party_tls_context_unref(client);
    party_tls_context_unref(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_single_bytes_are_enough),
        cmocka_unit_test(test_truncation_at_each_byte_is_told),
    };
    return cmocka_run_group_tests(tests, test_pki_setup, test_pki_teardown);
}
