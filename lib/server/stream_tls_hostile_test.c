/* SPDX-License-Identifier: MIT */
#include "server/stream_tls_test_util.h"

#include "sock/tls_openssl.h"

/* Peers that want memory of a stream with TLS, and callbacks that end it at odd moments. */

/* ---- answers that TLS itself gives ---- */

/* Turns until the stream has no more to read. */
static void turns(struct bench *bench)
{
    for (int i = 0; i < 20; i++) {
        run_turn(bench->loop);
    }
}

/* A client's stream whose server may ask for a new handshake as often as it likes; each time it is
   told no, by an alert. */
static struct peer open_pestered(struct bench *bench, const struct party_stream_limits *limits)
{
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    struct peer peer = open_plain(bench, limits);
    assert_result(party_stream_start_tls(peer.p->stream, client_context, &options), 0);
    assert_result(party_tls_wrap_socket(server_context, peer.sock, NULL, &peer.tls), 0);
    assert_int_equal(SSL_set_max_proto_version(peer.tls->ssl, TLS1_2_VERSION), 1);
    SSL_clear_options(peer.tls->ssl, SSL_OP_NO_RENEGOTIATION);
    assert_result(peer_handshake(&peer), 0);
    await(bench->loop, secured == 1);
    return peer;
}

/* The most that was queued for the wire while so many HelloRequests came, which nobody reads the
   answers of. */
static size_t pester(struct peer *peer, int count)
{
    size_t most = 0;
    for (int i = 0; i < count && peer->p->closes == 0; i++) {
        (void)SSL_renegotiate(peer->tls->ssl);
        (void)SSL_do_handshake(peer->tls->ssl);
        run_turn(peer->p->loop);
        size_t queued = peer->p->stream ? party_stream_queued(peer->p->stream) : 0;
        most = queued > most ? queued : most;
    }
    return most;
}

#define PESTERINGS    10000
#define WIRE_BYTES    (64u * 1024u)
#define OUTPUT_BYTES  (32u * 1024u)
#define ANSWERS_BYTES (16u * 1024u) /* of one turn, at most */

static char much[OUTPUT_BYTES];

static void test_answers_to_a_flood_have_a_limit(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.output_max_bytes = OUTPUT_BYTES};
    struct peer peer = open_pestered(bench, &limits);
    size_t most = pester(&peer, PESTERINGS);
    assert_int_equal(peer.p->cut_reason, PARTY_EOVERFLOW);
    assert_true(most <= OUTPUT_BYTES + WIRE_BYTES + ANSWERS_BYTES);
    peer_free(&peer);
}

/* A stream that finishes still reads, and still answers until its close_notify is made. */
static void test_answers_of_a_finish_have_the_limit_too(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.output_max_bytes = 4 * OUTPUT_BYTES};
    struct peer peer = open_pestered(bench, &limits);
    for (int i = 0; i < 4; i++) {
        party_stream_write(peer.p->stream, much, sizeof(much));
        turns(bench);
    }
    party_stream_finish(peer.p->stream);
    limits.output_max_bytes = OUTPUT_BYTES;
    size_t most = pester(&peer, PESTERINGS);
    assert_int_equal(peer.p->closes, 1);
    assert_true(most <= 4 * OUTPUT_BYTES + WIRE_BYTES + ANSWERS_BYTES);
    peer_free(&peer);
}

static void test_greatest_output_limit_is_no_small_one(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.output_max_bytes = UINT32_MAX};
    struct peer peer = open_secure(bench, &limits);
    limits.write_rate_bytes = 1000; /* what waits for its time is encrypted before */
    for (int i = 0; i < 6; i++) {
        party_stream_write(peer.p->stream, much, 15000);
        turns(bench);
    }
    assert_true(party_stream_queued(peer.p->stream) > WIRE_BYTES);
    assert_result(party_tls_sendall(peer.tls, "w", 1), 0);
    await(bench->loop, peer.p->len == 1 || peer.p->closes > 0);
    assert_int_equal(peer.p->cuts, 0);
    peer_free(&peer);
}

/* ---- callbacks ---- */

static struct party_stream *to_close;

static int close_in_handshake(const char *name, void *user, struct party_tls_context **ret_context)
{
    (void)name;
    (void)user;
    (void)ret_context;
    party_stream_close(to_close);
    return 0;
}

static void test_closing_in_the_hook_for_names(void **state)
{
    struct bench *bench = *state;
    struct party_tls_keypair pair = {.chain_file = test_pki_file("good")};
    struct party_tls_settings settings = {
        .keypairs = &pair, .keypair_count = 1, .sni = close_in_handshake};
    struct party_tls_context *context = test_context(PARTY_TLS_SERVER, &settings);
    struct peer peer = open_plain(bench, NULL);
    to_close = peer.p->stream;
    assert_result(party_stream_start_tls(peer.p->stream, context, NULL), 0);
    party_tls_context_unref(context);
    wrap_peer(&peer, client_context);
    assert_true(peer_handshake(&peer) < 0);
    assert_int_equal(peer.p->closes, 1);
    assert_int_equal(peer.p->reason, 0);
    assert_int_equal(secured, 0);
    peer_free(&peer); /* the bench sees what is left */
}

/* A door that takes nothing, begins TLS, and says only that it is full. */
static size_t refuse_politely(struct party_stream *stream, const uint8_t *data, size_t len,
                              void *user)
{
    (void)data;
    (void)len;
    (void)user;
    assert_result(party_stream_start_tls(stream, server_context, NULL), 0);
    party_stream_write(stream, "full", 4);
    party_stream_finish(stream);
    return 0;
}

static void test_finish_in_the_call_that_begins_tls(void **state)
{
    struct bench *bench = *state;
    struct party_stream_ops ops = tls_ops;
    ops.on_data = refuse_politely;
    struct peer peer = open_plain(bench, NULL);
    party_stream_set_user(peer.p->stream, &ops, peer.p);
    wrap_peer(&peer, client_context);
    assert_result(peer_handshake(&peer), 0);
    char buf[8] = "";
    assert_peer_gets(&peer, "full");
    assert_int_equal(peer_recv(&peer, buf, 1), 0);
    peer_free(&peer);
}

static void test_more_than_can_be_put_back(void **state)
{
    struct bench *bench = *state;
    struct probe *p = probe_open(bench->loop, bench->kind, NULL);
    assert_int_equal(party_stream_unread(p->stream, "some", 4), 0);
    assert_int_equal(party_stream_unread(p->stream, much, UINT32_MAX), -ENOMEM);
    assert_int_equal(party_stream_unread(p->stream, much, SIZE_MAX), -ENOMEM);
    turns(bench);
    assert_input(p, "some");
    probe_free(p);
}

/* ---- names ---- */

static void test_names_beyond_ascii(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *name;
        int wanted;
    } cases[] = {
        {"b\xc3\xbc..org", PARTY_EIDNA_EMPTY},
        {"\xff", PARTY_EIDNA},
        {"", -EINVAL},
        {NULL, -EINVAL},
    };
    struct peer peer = open_plain(bench, NULL);
    struct party_tls_options options = {.server_hostname = "\xc3\xbc.example.org"};
    int r = party_stream_start_tls(peer.p->stream, client_context, &options);
    if (r == 0) {
        assert_string_equal(party_tls_server_hostname(party_stream_tls(peer.p->stream)),
                            "xn--tda.example.org");
        peer_free(&peer);
        peer = open_plain(bench, NULL);
    } else {
        assert_result(r, PARTY_EIDNA_UNSUPPORTED);
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool ascii = cases[i].wanted == -EINVAL;
        options.server_hostname = cases[i].name;
        assert_result(party_stream_start_tls(peer.p->stream, client_context, &options),
                      r == 0 || ascii ? cases[i].wanted : PARTY_EIDNA_UNSUPPORTED);
        assert_null(party_stream_tls(peer.p->stream));
    }
    peer_free(&peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_UNIX(test_answers_to_a_flood_have_a_limit),
        ON_UNIX(test_answers_of_a_finish_have_the_limit_too),
        ON_BOTH(test_greatest_output_limit_is_no_small_one),
        ON_BOTH(test_closing_in_the_hook_for_names),
        ON_BOTH(test_finish_in_the_call_that_begins_tls),
        ON_UNIX(test_more_than_can_be_put_back),
        ON_UNIX(test_names_beyond_ascii),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
