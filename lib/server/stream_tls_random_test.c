/* SPDX-License-Identifier: MIT */
#include "server/stream_tls_test_util.h"

/*
 * Long random lives of many streams with TLS, a part of which begin in plain text and some of which
 * have rate limits. As in stream_random_test.c byte number i in either direction is i % PERIOD, so
 * each side can tell whether what it got continues what it had:
 *   - what the peer got is a prefix of what was written, and all of it when the peer has seen the
 *     close_notify of party_stream_finish;
 *   - what on_data got continues what it took, and is all the peer sent when on_end comes; on_end
 *     comes behind a close_notify only;
 *   - on_close comes once, and nothing after it.
 */

#define STREAMS        16
#define OPERATIONS     60000
#define PERIOD         251u
#define SPAN_MAX_BYTES 2000u
#define OUTPUT_MAX     6000u

struct link {
    struct world *world;
    struct party_stream *stream; /* NULL once gone */
    struct party_tls *tls;       /* the peer; NULL once closed */
    uint64_t written, got;       /* to the peer: queued; seen there */
    uint64_t sent, taken;        /* from the peer: sent; accepted by on_data */
    uint32_t again;              /* the peer's send that is to be repeated */
    bool finished, broken;       /* by party_stream_finish; in another way */
    bool peer_ended, ended, secure;
    bool late; /* TLS begins when the first plain byte came */
};

struct world {
    struct bench *bench;
    struct party_buf *buf; /* the pattern, long enough for any span from any phase */
    struct link links[STREAMS];
    uint64_t random;
    unsigned opens, closes, secured, ends, completes, cuts, truncations;
};

static uint32_t roll(struct world *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(w->random >> 33) % below;
}

/* They change while streams live. */
static struct party_stream_limits limits[2] = {{.output_max_bytes = OUTPUT_MAX,
                                                .read_max_bytes = 700,
                                                .write_timeout_ms = 2000,
                                                .read_timeout_ms = 8000,
                                                .handshake_timeout_ms = 4000},
                                               {.output_max_bytes = OUTPUT_MAX,
                                                .write_timeout_ms = 2000,
                                                .read_rate_bytes = 50000,
                                                .read_burst_bytes = 3000,
                                                .write_rate_bytes = 50000,
                                                .write_burst_bytes = 3000}};

static void start_tls(struct link *l)
{
    assert_result(party_stream_start_tls(l->stream, server_context, NULL), 0);
    l->late = false;
}

/* What any callback may also do to its stream. */
static void meddle(struct link *l)
{
    switch (roll(l->world, 200)) {
    case 0:
        l->broken = true;
        party_stream_close(l->stream);
        break;
    case 1:
        l->finished = true;
        party_stream_finish(l->stream);
        break;
    case 2:
    case 3:
        party_stream_pause(l->stream);
        break;
    case 4:
        party_stream_resume(l->stream);
        break;
    default:
        break;
    }
}

static void put_back(struct link *l, uint32_t len)
{
    len = len < l->taken ? len : (uint32_t)l->taken;
    uint64_t from = l->taken - len;
    if (l->secure && !party_stream_is_closing(l->stream)) {
        assert_int_equal(party_stream_unread(l->stream, l->world->buf->data + from % PERIOD, len),
                         0);
        l->taken = from;
        l->ended = l->ended && len == 0;
    }
}

static size_t random_on_data(struct party_stream *stream, const uint8_t *data, size_t len,
                             void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_true(len > 0);
    if (l->late) { /* of the plain words, the first is ours */
        assert_int_equal(data[0], '!');
        start_tls(l);
        meddle(l);
        return 1;
    }
    assert_true(l->secure && !l->ended);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], (l->taken + i) % PERIOD);
    }
    size_t taken = roll(l->world, 3) == 0 ? roll(l->world, (uint32_t)len + 1) : len;
    l->taken += taken;
    assert_true(l->taken <= l->sent);
    if (taken == len && roll(l->world, 20) == 0) {
        put_back(l, roll(l->world, 50)); /* with bytes left over the order would be unclear */
    }
    meddle(l);
    return taken;
}

static void random_on_end(struct party_stream *stream, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_false(l->ended);
    assert_true(l->peer_ended);
    assert_int_equal(l->taken, l->sent);
    l->ended = true;
    l->world->ends++;
    if (roll(l->world, 4) == 0) {
        put_back(l, roll(l->world, 30));
    }
    meddle(l);
}

static void random_on_secure(struct party_stream *stream, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_false(l->secure);
    l->secure = true;
    l->world->secured++;
    meddle(l);
}

static void random_on_cut(struct party_stream *stream, int reason, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_true(reason == PARTY_EOVERFLOW || reason == PARTY_EIDLE || reason == PARTY_ESILENT);
    l->broken = true;
    l->world->cuts++;
    if (roll(l->world, 2) == 0) {
        party_stream_drop_queued(stream, -1);
    }
}

static void random_on_close(struct party_stream *stream, int reason, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    l->stream = NULL;
    l->world->closes++;
    l->world->truncations += reason == PARTY_ETLS_TRUNCATED;
}

static const struct party_stream_ops random_ops = {
    .on_data = random_on_data,
    .on_end = random_on_end,
    .on_secure = random_on_secure,
    .on_cut = random_on_cut,
    .on_close = random_on_close,
};

static void link_open(struct world *w, struct link *l)
{
    static const struct party_tls_options options = {.server_hostname = "localhost"};
    struct party_sock *sock = NULL;
    int fds[2];
    *l = (struct link){.world = w, .late = roll(w, 3) == 0};
    make_pair(w->bench->kind, fds);
    small_buffers(w->bench->kind, fds[0]);
    small_buffers(w->bench->kind, fds[1]);
    assert_int_equal(party_stream_create(w->bench->loop, fds[0], &random_ops, &limits[roll(w, 2)],
                                         l, &l->stream),
                     0);
    assert_result(party_sock_adopt(fds[1], -1, -1, -1, &sock), 0);
    if (l->late) {
        assert_int_equal(party_sock_send(sock, "!", 1, 0), 1);
    } else {
        start_tls(l);
    }
    assert_result(party_tls_wrap_socket(client_context, sock, &options, &l->tls), 0);
    w->opens++;
}

/* ---- operations ---- */

static void write_some(struct link *l)
{
    struct world *w = l->world;
    uint32_t len = roll(w, roll(w, 4) == 0 ? SPAN_MAX_BYTES : 80);
    uint32_t from = (uint32_t)(l->written % PERIOD);
    if (party_stream_is_closing(l->stream) || l->late) {
        return;
    }
    if (roll(w, 2) == 0) {
        party_stream_write(l->stream, w->buf->data + from, len);
    } else {
        party_stream_write_span(l->stream, w->buf, from, from + len);
    }
    if (!party_stream_is_closing(l->stream)) { /* else it was past the limit, and dropped */
        l->written += len;
    }
}

static void peer_write(struct link *l)
{
    if (l->peer_ended) {
        return;
    }
    uint32_t len = l->again != 0 ? l->again : roll(l->world, SPAN_MAX_BYTES) + 1;
    ssize_t n = party_tls_send(l->tls, l->world->buf->data + l->sent % PERIOD, len);
    l->again = n == -EAGAIN && party_tls_wants(l->tls) == POLLOUT ? len : 0;
    l->sent += n > 0 ? (uint64_t)n : 0;
}

static void peer_gone(struct link *l)
{
    if (l->tls) {
        struct linger linger = {.l_onoff = 1, .l_linger = 0};
        int fd = party_sock_fileno(party_tls_sock(l->tls));
        if (roll(l->world, 2) == 0) {
            (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        }
        l->peer_ended = true; /* as far as it fits, closing says close_notify */
        party_tls_close(l->tls);
        l->tls = NULL;
    }
}

static void peer_take(struct link *l)
{
    uint8_t bytes[4096];
    ssize_t n = party_tls_recv_into(l->tls, bytes, roll(l->world, sizeof(bytes)) + 1);
    for (ssize_t i = 0; i < n; i++) {
        assert_int_equal(bytes[i], (l->got + (uint64_t)i) % PERIOD);
    }
    l->got += n > 0 ? (uint64_t)n : 0;
    assert_true(l->got <= l->written);
    if (n == 0) { /* close_notify: nothing can have been lost */
        assert_true(l->finished || l->broken || l->ended);
        if (l->finished && !l->broken) {
            assert_int_equal(l->got, l->written);
            l->world->completes++;
        }
        peer_gone(l);
    } else if (n < 0 && n != -EAGAIN) {
        assert_true(n == PARTY_ETLS_TRUNCATED || n == -ECONNRESET || n == -EPIPE);
        peer_gone(l);
    }
}

static void operate_on_peer(struct link *l)
{
    switch (roll(l->world, 40)) {
    case 0:
        if (roll(l->world, 3) == 0 && l->again == 0 && party_tls_send_close_notify(l->tls) == 0) {
            l->peer_ended = true;
        }
        break;
    case 1:
        if (roll(l->world, 8) == 0) {
            peer_gone(l);
        }
        break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        peer_write(l);
        break;
    default:
        peer_take(l);
        break;
    }
}

static void operate_on_stream(struct link *l)
{
    switch (roll(l->world, 400)) {
    case 0:
        l->broken = true;
        party_stream_close(l->stream);
        break;
    case 1:
        l->finished = true;
        party_stream_finish(l->stream);
        break;
    case 2:
    case 3:
    case 4:
        party_stream_pause(l->stream);
        break;
    case 5:
    case 6:
    case 7:
    case 8:
        if (!l->ended) {
            put_back(l, roll(l->world, 100));
        }
        break;
    case 9:
        limits[1].read_rate_bytes = roll(l->world, 3) * 25000;
        limits[1].write_burst_bytes = roll(l->world, 3) * 2000;
        break;
    case 10:
        limits[1].write_rate_bytes = roll(l->world, 3) == 0 ? UINT32_MAX : 40000;
        limits[1].read_burst_bytes = roll(l->world, 3) == 0 ? UINT32_MAX : 1;
        break;
    default:
        if (roll(l->world, 3) == 0) {
            party_stream_resume(l->stream);
        } else {
            write_some(l);
        }
        break;
    }
}

static void operate(struct world *w)
{
    struct link *l = &w->links[roll(w, STREAMS)];
    if (!l->stream && !l->tls) {
        link_open(w, l);
    } else if (l->tls && (!l->stream || roll(w, 2) == 0)) {
        operate_on_peer(l);
    } else if (l->stream) {
        operate_on_stream(l);
    }
    if (roll(w, 6) == 0) {
        run_turn(w->bench->loop);
    }
    if (roll(w, 50) == 0) {
        w->bench->clock_ns += roll(w, 40) * MS;
    }
}

static void close_all(struct world *w)
{
    for (unsigned i = 0; i < STREAMS; i++) {
        w->links[i].broken = true;
        party_stream_close(w->links[i].stream);
    }
    settle_loop(w->bench->loop);
    for (unsigned i = 0; i < STREAMS; i++) {
        assert_null(w->links[i].stream);
        party_tls_close(w->links[i].tls);
    }
}

static void test_random_lives_keep_every_byte_in_order(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->bench = *state;
    const char *seed = getenv("PARTY_TEST_SEED");
    w->random = seed ? strtoull(seed, NULL, 10) : 20261121;
    w->buf = party_buf_create(PERIOD + SPAN_MAX_BYTES + 1);
    for (uint32_t i = 0; i < PERIOD + SPAN_MAX_BYTES + 1; i++) {
        uint8_t byte = (uint8_t)(i % PERIOD);
        assert_int_equal(party_buf_append(w->buf, &byte, 1), 0);
    }
    for (unsigned i = 0; i < STREAMS; i++) {
        link_open(w, &w->links[i]);
    }
    for (unsigned i = 0; i < OPERATIONS; i++) {
        operate(w);
    }
    close_all(w);
    assert_int_equal(w->closes, w->opens);
    assert_int_equal(w->buf->refs, 1);
    print_message("# %u streams, %u secured, %u ends, %u cuts, %u complete, %u truncated\n",
                  w->opens, w->secured, w->ends, w->cuts, w->completes, w->truncations);
    assert_true(w->secured > 50 && w->ends > 10 && w->completes > 10 && w->cuts > 5);
    party_buf_unref(w->buf);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_random_lives_keep_every_byte_in_order),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
