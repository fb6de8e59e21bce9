/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/stream_test_util.h"

/*
 * Long random lives of many streams, with a model of what must have arrived. Byte number i in
 * either direction of any stream is i % PERIOD, so each side can tell whether what it got continues
 * what it had:
 *   - what the peer got is a prefix of what was written, and all of it when the end came from
 *     party_stream_finish;
 *   - what on_data got continues what it took, and is all the peer sent when on_end comes;
 *   - on_close comes once, and nothing after it.
 */

#define STREAMS        32
#define OPERATIONS     200000
#define PERIOD         251u
#define SPAN_MAX_BYTES 2000u
#define OUTPUT_MAX     6000u
#define FINISH_MS      50u

struct link {
    struct world *world;
    struct party_stream *stream; /* NULL once gone */
    int peer;                    /* -1 once closed */
    uint64_t written, got;       /* to the peer: queued; seen there */
    uint64_t sent, taken;        /* from the peer: sent; accepted by on_data */
    int64_t finished_ns;         /* when party_stream_finish was called; 0: not */
    bool peer_shut, ended, complete, broken, cut;
    bool lazy; /* the peer hardly reads */
};

struct world {
    struct bench *bench;
    struct party_buf *buf; /* the pattern, long enough for any span from any phase */
    struct link links[STREAMS];
    uint64_t random;
    unsigned closes, opens, ends, cuts, completes;
    unsigned reasons_ok, reasons_other;
};

static uint32_t roll(struct world *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(w->random >> 33) % below;
}

static const struct party_stream_limits limits = {.output_max_bytes = OUTPUT_MAX,
                                                  .read_max_bytes = 700,
                                                  .write_timeout_ms = 400,
                                                  .read_timeout_ms = 4000,
                                                  .finish_timeout_ms = FINISH_MS};

static void finish(struct link *l)
{
    if (!party_stream_is_closing(l->stream)) {
        l->finished_ns = party_loop_now_ns(l->world->bench->loop);
        party_stream_finish(l->stream);
    }
}

/* What any callback may also do to its stream. */
static void meddle(struct link *l)
{
    switch (roll(l->world, 150)) {
    case 0:
        l->broken = true;
        party_stream_close(l->stream);
        break;
    case 1:
        finish(l);
        break;
    case 2:
        party_stream_pause(l->stream);
        break;
    case 3:
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
    if (!party_stream_is_closing(l->stream)) {
        assert_int_equal(party_stream_unread(l->stream, l->world->buf->data + from % PERIOD, len),
                         0);
        l->taken = from;
        l->ended = l->ended && len == 0;
    }
}

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_false(l->ended);
    assert_true(len > 0);
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

static void on_end(struct party_stream *stream, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_false(l->ended);
    assert_true(l->peer_shut || l->peer == -1);
    assert_int_equal(l->taken, l->sent);
    l->ended = true;
    l->world->ends++;
    if (roll(l->world, 4) == 0) {
        put_back(l, roll(l->world, 30));
    }
    meddle(l);
}

static void on_cut(struct party_stream *stream, int reason, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    assert_true(reason == PARTY_EOVERFLOW || reason == PARTY_EIDLE || reason == PARTY_ESILENT);
    assert_false(l->cut);
    l->cut = true;
    l->broken = true;
    l->world->cuts++;
    if (roll(l->world, 2) == 0) {
        party_stream_drop_queued(stream, -1);
    }
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    struct link *l = user;
    assert_ptr_equal(l->stream, stream);
    l->stream = NULL;
    l->world->closes++;
    bool in_time = l->finished_ns != 0 &&
                   party_loop_now_ns(l->world->bench->loop) < l->finished_ns + FINISH_MS * MS;
    l->complete = reason == 0 && in_time && !l->broken;
    l->world->reasons_ok += reason == 0;
    l->world->reasons_other += reason != 0;
}

static const struct party_stream_ops ops = {
    .on_data = on_data,
    .on_end = on_end,
    .on_cut = on_cut,
    .on_close = on_close,
};

static void link_open(struct world *w, struct link *l)
{
    int fds[2];
    *l = (struct link){.world = w};
    l->lazy = roll(w, 4) == 0;
    make_pair(w->bench->kind, fds);
    small_buffers(PAIR_UNIX, fds[0]); /* smallest: how long TCP stops does not matter here */
    small_buffers(PAIR_UNIX, fds[1]);
    l->peer = fds[1];
    assert_int_equal(party_stream_create(w->bench->loop, fds[0], &ops, &limits, l, &l->stream), 0);
    w->opens++;
}

/* ---- operations ---- */

static void write_some(struct link *l)
{
    struct world *w = l->world;
    uint32_t len = roll(w, roll(w, 4) == 0 ? SPAN_MAX_BYTES : 80);
    uint32_t from = (uint32_t)(l->written % PERIOD);
    if (party_stream_is_closing(l->stream)) {
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
    if (l->peer_shut) {
        return;
    }
    uint32_t len = roll(l->world, SPAN_MAX_BYTES);
    ssize_t n = send(l->peer, l->world->buf->data + l->sent % PERIOD, len, MSG_NOSIGNAL);
    l->sent += n > 0 ? (uint64_t)n : 0;
}

static void check_end(struct link *l)
{
    /* While the stream is there, an end at the peer can only come from its shutdown. */
    if (l->complete || (l->stream && l->finished_ns != 0 && !l->broken)) {
        assert_int_equal(l->got, l->written);
        l->world->completes++;
    }
    close(l->peer);
    l->peer = -1;
}

static void peer_take(struct link *l)
{
    uint8_t bytes[4096];
    ssize_t n = recv(l->peer, bytes, roll(l->world, sizeof(bytes)) + 1, 0);
    for (ssize_t i = 0; i < n; i++) {
        assert_int_equal(bytes[i], (l->got + (uint64_t)i) % PERIOD);
    }
    l->got += n > 0 ? (uint64_t)n : 0;
    assert_true(l->got <= l->written);
    if (n == 0) {
        check_end(l);
    }
}

static void end_peer(struct link *l)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (roll(l->world, 2) == 0) {
        (void)setsockopt(l->peer, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    }
    l->broken = true;
    close(l->peer);
    l->peer = -1;
}

static void operate_on_peer(struct link *l)
{
    switch (roll(l->world, 20)) {
    case 0:
        if (!l->peer_shut && roll(l->world, 3) == 0) {
            (void)shutdown(l->peer, SHUT_WR);
            l->peer_shut = true;
        }
        break;
    case 1:
        if (roll(l->world, 5) == 0) {
            end_peer(l);
        }
        break;
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
        peer_write(l);
        break;
    default:
        if (!l->lazy || roll(l->world, 20) == 0) {
            peer_take(l);
        }
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
    case 2:
        finish(l);
        break;
    case 3:
    case 4:
    case 5:
        party_stream_pause(l->stream);
        break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
        if (!l->ended) {
            put_back(l, roll(l->world, 100));
        }
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
    if (!l->stream && l->peer == -1) {
        link_open(w, l);
    } else if (l->peer != -1 && (!l->stream || roll(w, 2) == 0)) {
        operate_on_peer(l);
    } else if (l->stream) {
        operate_on_stream(l);
    }
    if (roll(w, 6) == 0) {
        run_turn(w->bench->loop);
    }
    if (roll(w, 50) == 0) {
        w->bench->clock_ns += roll(w, 20) * MS;
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
        if (w->links[i].peer != -1) {
            close(w->links[i].peer);
        }
    }
}

static void test_random_lives_keep_every_byte_in_order(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    w->bench = *state;
    const char *seed = getenv("PARTY_TEST_SEED");
    w->random = seed ? strtoull(seed, NULL, 10) : 20261121;
    w->buf = party_buf_create(PERIOD + SPAN_MAX_BYTES);
    for (uint32_t i = 0; i < PERIOD + SPAN_MAX_BYTES; i++) {
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
    print_message("# %u streams, %u ends, %u cuts, %u complete, %u closed with 0, %u otherwise\n",
                  w->opens, w->ends, w->cuts, w->completes, w->reasons_ok, w->reasons_other);
    assert_true(w->ends > 20 && w->cuts > 20 && w->completes > 20 && w->reasons_other > 20);
    party_buf_unref(w->buf);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_random_lives_keep_every_byte_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
