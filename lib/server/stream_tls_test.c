/* SPDX-License-Identifier: MIT */
#include "server/stream_tls_test_util.h"

/* Streams with TLS that work: what they carry, and how they slow down. */

#define RECORD_BYTES 16384

/* ---- what works ---- */

static void test_bytes_both_ways(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    struct probe *p = peer.p;
    assert_string_equal(party_tls_version(party_stream_tls(p->stream)), "TLSv1.3");
    assert_string_equal(party_tls_server_hostname(party_stream_tls(p->stream)), "localhost");
    assert_result(party_tls_sendall(peer.tls, "hello", 5), 0);
    await(bench->loop, p->len == 5);
    assert_input(p, "hello");
    assert_true(secure_in_time);
    party_stream_write(p->stream, "wel", 3);
    party_stream_write(p->stream, "come", 4);
    assert_int_equal(party_stream_queued(p->stream), 7);
    assert_peer_gets(&peer, "welcome");
    assert_int_equal(party_stream_queued(p->stream), 0);
    settle_loop(bench->loop);
    assert_true(loop_is_idle(bench->loop));
    peer_free(&peer);
}

static void test_words_written_before_the_handshake_wait_for_it(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_server(bench, NULL);
    party_stream_write(peer.p->stream, "early", 5);
    settle_loop(bench->loop);
    assert_int_equal(party_stream_queued(peer.p->stream), 5);
    char one[5] = "";
    assert_int_equal(party_stream_peek_queued(peer.p->stream, one, 5), 5);
    assert_memory_equal(one, "early", 5);
    assert_result(peer_handshake(&peer), 0);
    assert_peer_gets(&peer, "early");
    peer_free(&peer);
}

static void test_two_streams_of_one_loop(void **state)
{
    struct bench *bench = *state;
    struct party_tls_options options = {.server_hostname = "localhost"};
    struct probe *server = probe_open(bench->loop, bench->kind, NULL);
    struct probe *client = calloc(1, sizeof(*client));
    client->loop = bench->loop;
    client->take = SIZE_MAX;
    client->drop = -2;
    assert_int_equal(
        party_stream_create(bench->loop, server->peer, &tls_ops, NULL, client, &client->stream), 0);
    client->peer = server->peer = -1;
    secured = 0;
    on_secure = DEED_NONE;
    party_stream_set_user(server->stream, &tls_ops, server);
    assert_result(party_stream_start_tls(client->stream, client_context, &options), 0);
    assert_result(party_stream_start_tls(server->stream, server_context, NULL), 0);
    party_stream_write(client->stream, "ping", 4);
    await(bench->loop, server->len == 4);
    assert_int_equal(secured, 2);
    party_stream_write(server->stream, "pong", 4);
    party_stream_finish(server->stream);
    await(bench->loop, client->len == 4 && client->ends == 1);
    party_stream_finish(client->stream);
    await(bench->loop, client->closes == 1 && server->closes == 1);
    assert_int_equal(client->reason, 0);
    assert_int_equal(server->reason, 0);
    probe_free(client);
    probe_free(server);
}

static void test_starttls_after_plain_words(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    struct probe *p = peer.p;
    assert_result(party_sock_sendall(peer.sock, "STARTTLS\n", 9, 0), 0);
    await(bench->loop, p->len == 9);
    party_stream_write(p->stream, "go ahead\n", 9);
    assert_result(party_stream_start_tls(p->stream, server_context, NULL), 0);
    party_stream_write(p->stream, "secret", 6);
    char buf[32];
    ssize_t n = -EAGAIN;
    while (n == -EAGAIN) {
        run_turn(bench->loop);
        n = party_sock_recv_into(peer.sock, buf, sizeof(buf), 0);
    }
    assert_int_equal(n, 9);
    assert_memory_equal(buf, "go ahead\n", 9);
    wrap_peer(&peer, client_context);
    assert_result(peer_handshake(&peer), 0);
    assert_peer_gets(&peer, "secret");
    peer_free(&peer);
}

/* The front door's way: on_data looks at the ClientHello, puts it back and starts TLS. */
static size_t door_on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct probe *p = user;
    assert_int_equal(data[0], 0x16); /* RFC 8446, 5.1: handshake */
    party_stream_set_user(stream, &tls_ops, p);
    assert_result(party_stream_unread(stream, data, len / 2), 0);
    assert_result(party_stream_start_tls(stream, server_context, NULL), 0);
    return len / 2; /* the rest is left: both ways to give bytes back, in one */
}

static void test_client_hello_read_by_the_door_is_used(void **state)
{
    static const struct party_stream_ops door_ops = {.on_data = door_on_data,
                                                     .on_close = probe_on_close};
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    wrap_peer(&peer, client_context);
    party_stream_set_user(peer.p->stream, &door_ops, peer.p);
    assert_result(peer_handshake(&peer), 0);
    assert_result(party_tls_sendall(peer.tls, "in", 2), 0);
    await(bench->loop, peer.p->len == 2);
    assert_input(peer.p, "in");
    peer_free(&peer);
}

/* What somebody in between put behind the plain word must not pass for the peer's. */
static size_t starttls_on_data(struct party_stream *stream, const uint8_t *data, size_t len,
                               void *user)
{
    struct probe *p = user;
    assert_true(len > 9 && memcmp(data, "STARTTLS\n", 9) == 0);
    party_stream_set_user(stream, &tls_ops, p);
    assert_result(party_stream_start_tls(stream, server_context, NULL), 0);
    return 9;
}

static void test_plain_words_behind_starttls_are_never_handed_over(void **state)
{
    static const struct party_stream_ops ops = {.on_data = starttls_on_data,
                                                .on_close = tls_on_close};
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    party_stream_set_user(peer.p->stream, &ops, peer.p);
    assert_result(party_sock_sendall(peer.sock, "STARTTLS\n/quit injected\n", 24, 0), 0);
    await(bench->loop, party_stream_is_closing(peer.p->stream));
    (void)party_sock_close(peer.sock);
    peer.sock = NULL;
    await(bench->loop, peer.p->closes == 1);
    assert_result(peer.p->reason, PARTY_ETLS_PROTOCOL);
    assert_int_equal(peer.p->len, 0);
    probe_free(peer.p);
}

static void test_handshake_in_single_bytes(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_plain(bench, NULL);
    struct party_sock *here, *there;
    assert_result(party_stream_start_tls(peer.p->stream, server_context, NULL), 0);
    /* The client talks into a pair of its own, from which each byte goes on alone. */
    test_pair(SOCK_STREAM | SOCK_NONBLOCK, &here, &there);
    struct party_sock *wire = peer.sock;
    peer.sock = here;
    wrap_peer(&peer, client_context);
    int r = -EAGAIN;
    for (int i = 0; i < 20000 && (r == -EAGAIN || secured == 0); i++) {
        char byte;
        r = party_tls_do_handshake(peer.tls);
        if (party_sock_recv_into(there, &byte, 1, 0) == 1) {
            assert_result(party_sock_sendall(wire, &byte, 1, 0), 0);
        }
        run_turn(bench->loop);
        if (party_sock_recv_into(wire, &byte, 1, 0) == 1) {
            assert_result(party_sock_sendall(there, &byte, 1, 0), 0);
        }
    }
    assert_result(r, 0);
    assert_int_equal(secured, 1);
    (void)party_sock_close(wire);
    (void)party_sock_close(there);
    peer_free(&peer);
}

/* ---- much ---- */

struct flow {
    struct party_stream *stream;
    uint64_t came, went, total;
    bool closed;
};

static size_t flow_on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct flow *flow = user;
    static uint8_t want[RECORD_BYTES];
    (void)stream;
    assert_true(len <= sizeof(want));
    test_fill_pattern(want, len, flow->came);
    assert_memory_equal(data, want, len);
    flow->came += len;
    return len;
}

static void flow_on_close(struct party_stream *stream, int reason, void *user)
{
    struct flow *flow = user;
    (void)stream;
    assert_result(reason, 0);
    flow->closed = true;
}

static void flow_write(struct flow *flow)
{
    static uint8_t bytes[5000];
    while (flow->went < flow->total && party_stream_output_room(flow->stream) >= sizeof(bytes)) {
        uint64_t left = flow->total - flow->went;
        size_t len = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);
        test_fill_pattern(bytes, len, flow->went);
        party_stream_write(flow->stream, bytes, len);
        flow->went += len;
    }
}

static void flow_on_drain(struct party_stream *stream, void *user)
{
    (void)stream;
    flow_write(user);
}

/* The same two ways at the peer, which must not lose its place when the socket is full. */
static void peer_flow(struct party_tls *tls, struct flow *flow)
{
    static uint8_t out[RECORD_BYTES], in[RECORD_BYTES], want[RECORD_BYTES];
    ssize_t n;
    do {
        n = party_tls_recv_into(tls, in, sizeof(in));
        if (n > 0) {
            test_fill_pattern(want, (size_t)n, flow->came);
            assert_memory_equal(in, want, (size_t)n);
            flow->came += (uint64_t)n;
        }
    } while (n > 0);
    assert_int_equal(n, -EAGAIN);
    for (n = 1; n > 0 && flow->went < flow->total;) {
        uint64_t left = flow->total - flow->went;
        size_t len = left < sizeof(out) ? (size_t)left : sizeof(out);
        test_fill_pattern(out, len, flow->went);
        n = party_tls_send(tls, out, len);
        assert_true(n > 0 || n == -EAGAIN);
        flow->went += n > 0 ? (uint64_t)n : 0;
    }
}

static void test_much_both_ways_at_once(void **state)
{
    static const struct party_stream_ops flow_ops = {
        .on_data = flow_on_data, .on_close = flow_on_close, .on_drain = flow_on_drain};
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    struct flow here = {.stream = peer.p->stream, .total = test_transfer_bytes()};
    struct flow there = {.total = here.total};
    party_stream_set_user(peer.p->stream, &flow_ops, &here);
    flow_write(&here);
    while (here.came < here.total || there.came < there.total) {
        run_turn(bench->loop);
        peer_flow(peer.tls, &there);
    }
    assert_result(party_tls_send_close_notify(peer.tls), 0);
    await(bench->loop, here.closed);
    party_tls_close(peer.tls);
    free(peer.p);
}

/* ---- back-pressure ---- */

static void test_what_is_not_taken_stays_and_nothing_is_lost(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    struct probe *p = peer.p;
    static char much[40000];
    memset(much, 'm', sizeof(much));
    p->take = 1000;
    size_t sent = 0, calls = 0;
    for (int i = 0; i < 10000 && p->len < sizeof(much); i++) {
        if (sent < sizeof(much)) {
            size_t part = sizeof(much) - sent < 5000 ? sizeof(much) - sent : 5000;
            ssize_t n = party_tls_send(peer.tls, much + sent, part);
            assert_true(n > 0 || n == -EAGAIN);
            sent += n > 0 ? (size_t)n : 0;
        }
        run_turn(bench->loop);
        if (party_stream_is_paused(p->stream)) {
            size_t before = p->len;
            run_turn(bench->loop);
            assert_int_equal(p->len, before); /* paused is paused */
            calls++;
            party_stream_resume(p->stream);
        }
    }
    assert_int_equal(p->len, sizeof(much));
    assert_memory_equal(p->input, much, sizeof(much));
    assert_true(calls > 10);
    peer_free(&peer);
}

static void test_paused_stream_shakes_hands_and_keeps_what_follows(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_server(bench, NULL);
    struct probe *p = peer.p;
    party_stream_pause(p->stream);
    assert_result(peer_handshake(&peer), 0);
    assert_result(party_tls_sendall(peer.tls, "later", 5), 0);
    assert_result(party_tls_send_close_notify(peer.tls), 0);
    await(bench->loop, secured == 1);
    settle_loop(bench->loop);
    assert_int_equal(p->data_calls, 0);
    assert_int_equal(p->ends, 0);
    party_stream_resume(p->stream);
    await(bench->loop, p->ends == 1);
    assert_input(p, "later");
    peer_free(&peer);
}

static void test_unread_plain_text_comes_first(void **state)
{
    struct bench *bench = *state;
    struct peer peer = open_secure(bench, NULL);
    struct probe *p = peer.p;
    p->on_data = DEED_UNREAD;
    assert_result(party_tls_sendall(peer.tls, "one", 3), 0);
    assert_result(party_tls_sendall(peer.tls, "two", 3), 0);
    await(bench->loop, p->len == 12);
    assert_true(memmem(p->input, p->len, "again:", 6) != NULL);
    assert_memory_equal(p->input, "one", 3);
    peer_free(&peer);
}

static void test_small_read_limit_bounds_each_call(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_max_bytes = 100};
    struct peer peer = open_secure(bench, &limits);
    static char much[3000];
    assert_result(party_tls_sendall(peer.tls, much, sizeof(much)), 0);
    await(bench->loop, peer.p->len == sizeof(much));
    assert_true(peer.p->largest <= 100);
    peer_free(&peer);
}

static void test_slow_reader_is_cut_at_the_limit(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.output_max_bytes = 300000, .cut_timeout_ms = 1000};
    struct peer peer = open_secure(bench, &limits);
    struct probe *p = peer.p;
    static char line[10000];
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    p->drop = '\n';
    p->on_cut = DEED_WRITE;
    for (int i = 0; i < 200 && p->cuts == 0; i++) {
        party_stream_write(p->stream, line, sizeof(line));
        run_turn(bench->loop);
        assert_true(party_stream_queued(p->stream) <= 310000);
    }
    assert_int_equal(p->cut_reason, PARTY_EOVERFLOW);
    /* The peer reads at last: whole lines, the last words, and an end in good order. */
    static char got[2000000];
    size_t len = 0;
    ssize_t n = -EAGAIN;
    for (int i = 0; i < 100000 && n != 0; i++) {
        n = party_tls_recv_into(peer.tls, got + len, sizeof(got) - len);
        assert_true(n >= 0 || n == -EAGAIN);
        len += n > 0 ? (size_t)n : 0;
        run_turn(bench->loop);
    }
    assert_int_equal(n, 0);
    const size_t words = strlen(last_words_1) + strlen(last_words_2);
    assert_true(len > words && (len - words) % sizeof(line) == 0);
    assert_memory_equal(got + len - strlen(last_words_2), last_words_2, strlen(last_words_2));
    peer_free(&peer);
    (void)p;
}

static void test_idle_writer_is_cut_by_time(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.output_max_bytes = 4000000, .write_timeout_ms = 1000};
    struct peer peer = open_secure(bench, &limits);
    static char much[3000000];
    party_stream_write(peer.p->stream, much, sizeof(much));
    settle_loop(bench->loop);
    bench->clock_ns += 1001 * MS;
    await(bench->loop, peer.p->cuts == 1);
    assert_int_equal(peer.p->cut_reason, PARTY_EIDLE);
    peer_free(&peer);
}

/* ---- memory ---- */

static int talk_on(struct party_loop *loop)
{
    struct party_stream *stream = NULL;
    struct probe *p = calloc(1, sizeof(*p));
    if (!p) {
        return -ENOMEM;
    }
    int fds[2];
    make_pair(PAIR_UNIX, fds);
    p->take = 2;
    p->drop = -2;
    p->peer = fds[1];
    int r = party_stream_create(loop, fds[0], &tls_ops, NULL, p, &stream);
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        free(p);
        return r;
    }
    struct party_sock *sock = NULL;
    struct party_tls *tls = NULL;
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    r = party_stream_start_tls(stream, server_context, NULL);
    if (r == 0) {
        r = party_sock_adopt(fds[1], -1, -1, -1, &sock);
        p->peer = r == 0 ? -1 : p->peer;
    }
    if (r == 0) {
        r = party_tls_wrap_socket(client_context, sock, &options, &tls);
        sock = r == 0 ? NULL : sock;
    }
    for (int i = 0; r == 0 && i < 40 && p->closes == 0; i++) {
        ssize_t n = party_tls_send(tls, "abcdef", 6);
        assert_true(n != 0);
        party_stream_write(stream, "ghi", 3);
        run_turn(loop);
        if (p->closes == 0) {
            party_stream_resume(stream);
        }
    }
    if (p->closes == 0) {
        party_stream_close(stream);
    } else if (r == 0) {
        r = p->reason;
    }
    party_tls_close(tls);
    (void)party_sock_close(sock);
    peer_close(p);
    settle_loop(loop);
    free(p);
    return r;
}

static int talk(void *user)
{
    (void)user;
    struct party_loop *loop = NULL;
    int r = party_loop_create(NULL, &loop);
    if (r == 0) {
        r = talk_on(loop);
        party_loop_destroy(loop);
    }
    return r;
}

static void test_streams_survive_no_memory(void **state)
{
    (void)state;
    assert_survives_or_recovers_malloc_failure(talk, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_bytes_both_ways),
        ON_BOTH(test_words_written_before_the_handshake_wait_for_it),
        ON_BOTH(test_two_streams_of_one_loop),
        ON_BOTH(test_starttls_after_plain_words),
        ON_BOTH(test_client_hello_read_by_the_door_is_used),
        ON_BOTH(test_plain_words_behind_starttls_are_never_handed_over),
        ON_BOTH(test_handshake_in_single_bytes),
        ON_TCP(test_much_both_ways_at_once),
        ON_BOTH(test_what_is_not_taken_stays_and_nothing_is_lost),
        ON_BOTH(test_paused_stream_shakes_hands_and_keeps_what_follows),
        ON_BOTH(test_unread_plain_text_comes_first),
        ON_BOTH(test_small_read_limit_bounds_each_call),
        ON_BOTH(test_slow_reader_is_cut_at_the_limit),
        ON_BOTH(test_idle_writer_is_cut_by_time),
        ON_UNIX(test_streams_survive_no_memory),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
