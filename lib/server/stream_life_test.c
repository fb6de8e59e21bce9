/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/stream_test_util.h"

/* How streams end: closed in any callback, reset at any point, hung up on, without memory. */

/* ---- close ---- */

static void test_close_in_on_data_ends_all_callbacks(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.read_max_bytes = 2};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    p->on_data = DEED_CLOSE;
    p->take = 1;
    peer_send(p, "abcdef");
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->data_calls, 1);
    assert_int_equal(p->ends, 0);
    assert_int_equal(p->reason, 0);
    probe_free(p);
}

static void test_close_in_on_data_of_kept_bytes_ends_all_callbacks(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 1;
    peer_send(p, "abc");
    peer_close(p);
    await(b->loop, p->data_calls == 1);
    p->on_data = DEED_CLOSE;
    party_stream_write(p->stream, "x", 1);
    party_stream_resume(p->stream);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->data_calls, 2);
    assert_int_equal(p->ends, 0);
    probe_free(p);
}

static void test_close_in_on_end(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->on_end = DEED_CLOSE;
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->ends, 1);
    assert_int_equal(p->reason, 0);
    probe_free(p);
}

static void test_finish_in_on_data_and_in_on_end(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct probe *q = probe_open(b->loop, b->kind, NULL);
    p->on_data = DEED_FINISH;
    p->take = 0;
    q->on_end = DEED_FINISH;
    peer_send(p, "abc");
    peer_close(p);
    peer_close(q);
    await(b->loop, p->closes == 1 && q->closes == 1);
    assert_int_equal(p->ends, 0);
    assert_int_equal(q->ends, 1);
    probe_free(p);
    probe_free(q);
}

static void test_close_in_on_cut_keeps_the_reason_of_the_cut(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 1};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    p->on_cut = DEED_CLOSE;
    party_stream_write(p->stream, "xy", 2);
    run_turn(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, PARTY_EOVERFLOW);
    probe_free(p);
}

static void test_close_before_on_cut_drops_it(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 1};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    party_stream_write(p->stream, "xy", 2);
    party_stream_close(p->stream);
    run_turn(b->loop);
    assert_int_equal(p->cuts, 0);
    assert_int_equal(p->closes, 1);
    probe_free(p);
}

static void test_close_in_on_close_of_another_stream(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct probe *q = probe_open(b->loop, b->kind, NULL);
    p->on_close = DEED_CLOSE;
    p->other = q->stream;
    party_stream_write(q->stream, "unsent", 6);
    party_stream_close(p->stream);
    run_turn(b->loop);
    assert_int_equal(p->closes, 1);
    run_turn(b->loop);
    assert_int_equal(q->closes, 1);
    probe_free(p);
    probe_free(q);
}

/* All are ready in the same turn; the first one closes the others before their turn has come. */
static void test_stream_closed_by_another_in_the_same_turn_hears_nothing(void **state)
{
    struct bench *b = *state;
    struct probe *p[3];
    unsigned calls = 0, closes = 0;
    for (int i = 0; i < 3; i++) {
        p[i] = probe_open(b->loop, b->kind, NULL);
    }
    for (int i = 0; i < 3; i++) {
        p[i]->on_data = DEED_CLOSE;
        p[i]->other = p[(i + 1) % 3]->stream;
        peer_send(p[i], "x");
    }
    settle_loop(b->loop);
    for (int i = 0; i < 3; i++) {
        calls += p[i]->data_calls;
        closes += p[i]->closes;
    }
    /* The first closes the second; the third still hears and closes the first. */
    assert_int_equal(calls, 2);
    assert_int_equal(closes, 2);
    for (int i = 0; i < 3; i++) {
        probe_free(p[i]);
    }
}

static void test_streams_closed_before_the_loop_is_destroyed_are_told(void **state)
{
    struct bench *b = *state;
    struct party_loop *loop = create_loop();
    struct probe *p = probe_open(loop, b->kind, NULL);
    struct probe *q = probe_open(loop, b->kind, NULL);
    p->on_close = DEED_CLOSE;
    p->other = q->stream;
    party_stream_write(p->stream, "never sent", 10);
    peer_send(p, "never heard");
    party_stream_close(p->stream);
    party_loop_destroy(loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(q->closes, 1);
    assert_int_equal(p->data_calls, 0);
    peer_close(p);
    peer_close(q);
    free(p);
    free(q);
}

static void test_null_is_closed_without_harm(void **state)
{
    (void)state;
    party_stream_close(NULL);
}

/* ---- hang-ups ---- */

static void test_hang_up_of_a_paused_peer_does_not_spin_and_is_told_later(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    peer_send(p, "unread");
    party_stream_pause(p->stream);
    peer_close(p);
    settle_loop(b->loop);
    assert_int_equal(p->closes, 0);
    assert_true(loop_is_idle(b->loop));
    party_stream_resume(p->stream);
    await(b->loop, p->ends == 1);
    assert_input(p, "unread");
    settle_loop(b->loop);
    assert_true(loop_is_idle(b->loop));
    probe_free(p);
}

static void test_hang_up_with_kept_input_does_not_spin(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 2;
    peer_send(p, "kept");
    await(b->loop, p->len == 2);
    peer_close(p);
    settle_loop(b->loop);
    assert_true(loop_is_idle(b->loop));
    p->take = SIZE_MAX;
    party_stream_resume(p->stream);
    await(b->loop, p->ends == 1);
    assert_input(p, "kept");
    probe_free(p);
}

static void test_output_to_a_paused_peer_that_hung_up_finds_it_gone(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_pause(p->stream);
    peer_close(p);
    settle_loop(b->loop);
    for (int i = 0; i < 3 && p->closes == 0; i++) {
        party_stream_write(p->stream, "hello?", 6); /* over TCP the first one brings the reset */
        settle_loop(b->loop);
    }
    assert_int_equal(p->closes, 1);
    assert_true(p->reason < 0);
    probe_free(p);
}

static void test_paused_peer_that_hung_up_can_be_finished(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_pause(p->stream);
    peer_close(p);
    settle_loop(b->loop);
    party_stream_finish(p->stream);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
    assert_int_equal(p->ends, 0);
    probe_free(p);
}

/* ---- resets ---- */

static void fill_until_blocked(struct probe *p)
{
    static const char zeros[4096];
    for (int i = 0; i < 500 && party_stream_queued(p->stream) == 0; i++) {
        party_stream_write(p->stream, zeros, sizeof(zeros));
        run_turn(p->loop);
        run_turn(p->loop);
    }
    assert_true(party_stream_queued(p->stream) > 0);
}

static void test_reset_while_reading(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    peer_reset(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, -ECONNRESET);
    assert_int_equal(p->ends, 0);
    probe_free(p);
}

static void test_reset_while_output_is_blocked(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    fill_until_blocked(p);
    peer_reset(p);
    await(b->loop, p->closes == 1);
    assert_true(p->reason == -ECONNRESET || p->reason == -EPIPE);
    probe_free(p);
}

static void test_reset_while_paused_is_found_by_the_next_read(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_pause(p->stream);
    peer_reset(p);
    settle_loop(b->loop);
    assert_true(loop_is_idle(b->loop));
    assert_int_equal(p->closes, 0);
    party_stream_resume(p->stream);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, -ECONNRESET);
    probe_free(p);
}

static void test_reset_with_kept_input_gives_the_input_first(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 1;
    peer_send(p, "abc");
    await(b->loop, p->len == 1);
    peer_reset(p);
    settle_loop(b->loop);
    p->take = SIZE_MAX;
    party_stream_resume(p->stream);
    await(b->loop, p->closes == 1);
    assert_input(p, "abc");
    assert_int_equal(p->reason, -ECONNRESET);
    probe_free(p);
}

static void test_reset_while_paused_and_blocked(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    fill_until_blocked(p);
    party_stream_pause(p->stream);
    settle_loop(b->loop);
    peer_reset(p);
    await(b->loop, p->closes == 1);
    assert_true(p->reason < 0);
    probe_free(p);
}

static void test_reset_while_finishing_with_output(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    fill_until_blocked(p);
    party_stream_finish(p->stream);
    settle_loop(b->loop);
    peer_reset(p);
    await(b->loop, p->closes == 1);
    probe_free(p);
}

static void test_reset_while_waiting_for_the_peers_end(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_finish(p->stream);
    settle_loop(b->loop);
    assert_int_equal(p->closes, 0);
    peer_reset(p);
    await(b->loop, p->closes == 1);
    probe_free(p);
}

static void test_reset_after_the_peers_end(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->ends == 1);
    peer_reset(p);
    settle_loop(b->loop);
    assert_true(loop_is_idle(b->loop));
    party_stream_write(p->stream, "answer", 6);
    await(b->loop, p->closes == 1);
    assert_true(p->reason < 0);
    assert_int_equal(p->ends, 1);
    probe_free(p);
}

/* A Unix peer that closes with unread bytes resets: the bytes it sent before are lost, as in TCP,
 * only that the kernel still gives them. */
static void test_reset_of_a_unix_peer(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_write(p->stream, "unread", 6);
    run_turn(b->loop);
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, -ECONNRESET);
    probe_free(p);
}

/* ---- creation ---- */

static void test_bad_descriptor_is_refused(void **state)
{
    struct bench *b = *state;
    struct party_stream *stream = NULL;
    assert_int_equal(party_stream_create(b->loop, -1, &probe_ops, NULL, NULL, &stream), -EBADF);
    assert_null(stream);
}

static void test_descriptor_stays_the_callers_when_the_loop_has_it_already(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct party_stream *stream = NULL;
    int fd = party_stream_fileno(p->stream);
    assert_int_equal(party_stream_create(b->loop, fd, &probe_ops, NULL, p, &stream), -EEXIST);
    assert_null(stream);
    peer_send(p, "still there");
    await(b->loop, p->len == 11);
    probe_free(p);
}

/* ---- without memory ---- */

struct life {
    enum pair_kind kind;
    int reason;
    unsigned closes;
    bool hold;
};

static size_t life_on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct life *life = user;
    if (life->hold) {
        life->hold = false;
        return len / 2;
    }
    party_stream_write(stream, data, len);
    return len;
}

static void life_on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    struct life *life = user;
    life->closes++;
    life->reason = reason;
}

static const struct party_stream_ops life_ops = {.on_data = life_on_data,
                                                 .on_close = life_on_close};

static int turns(struct party_loop *loop)
{
    for (int i = 0; i < 4; i++) {
        int r = party_loop_run_once(loop, 0);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

/* Everything that takes memory: keeping, copies, spans, putting back, time-outs, finishing. */
static int talk(struct party_loop *loop, struct party_stream *stream, int peer, struct life *life)
{
    struct party_buf *buf = party_buf_create(64);
    if (!buf) {
        return -ENOMEM;
    }
    int r = party_buf_append(buf, "0123456789", 10);
    life->hold = true;
    if (write(peer, "abcdef", 6) != 6) {
        r = -EIO;
    }
    r = r < 0 ? r : turns(loop);
    if (life->closes == 0 && r == 0) {
        r = party_stream_unread(stream, "back", 4);
        party_stream_resume(stream);
    }
    for (uint32_t i = 0; i < 12 && life->closes == 0; i++) {
        party_stream_write_span(stream, buf, i % 3, i % 3 + 2);
        party_stream_write(stream, "copy", 4);
    }
    int r2 = turns(loop);
    party_buf_unref(buf);
    if (life->closes == 0) {
        party_stream_finish(stream);
    }
    return r < 0 ? r : r2;
}

static int live(void *user)
{
    struct life *life = user;
    const struct party_stream_limits limits = {.read_timeout_ms = 100000};
    struct party_loop *loop;
    struct party_stream *stream;
    int fds[2];
    *life = (struct life){.kind = life->kind};
    struct party_loop_settings settings = test_settings();
    int r = party_loop_create(&settings, &loop);
    if (r < 0) {
        return r;
    }
    make_pair(life->kind, fds);
    r = party_stream_create(loop, fds[0], &life_ops, &limits, life, &stream);
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        party_loop_destroy(loop);
        return r;
    }
    r = talk(loop, stream, fds[1], life);
    if (life->closes == 0) {
        party_stream_close(stream);
        (void)turns(loop);
    }
    party_loop_destroy(loop);
    close(fds[1]);
    if (life->closes != 1) {
        return -EIO;
    }
    return r < 0 ? r : life->reason;
}

static void test_stream_survives_no_memory(void **state)
{
    struct bench *b = *state;
    struct life life = {.kind = b->kind};
    assert_survives_malloc_failure(live, &life);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_close_in_on_data_ends_all_callbacks),
        ON_BOTH(test_close_in_on_data_of_kept_bytes_ends_all_callbacks),
        ON_BOTH(test_close_in_on_end),
        ON_BOTH(test_finish_in_on_data_and_in_on_end),
        ON_BOTH(test_close_in_on_cut_keeps_the_reason_of_the_cut),
        ON_BOTH(test_close_before_on_cut_drops_it),
        ON_BOTH(test_close_in_on_close_of_another_stream),
        ON_BOTH(test_stream_closed_by_another_in_the_same_turn_hears_nothing),
        ON_BOTH(test_streams_closed_before_the_loop_is_destroyed_are_told),
        ON_UNIX(test_null_is_closed_without_harm),
        ON_BOTH(test_hang_up_of_a_paused_peer_does_not_spin_and_is_told_later),
        ON_BOTH(test_hang_up_with_kept_input_does_not_spin),
        ON_BOTH(test_output_to_a_paused_peer_that_hung_up_finds_it_gone),
        ON_BOTH(test_paused_peer_that_hung_up_can_be_finished),
        ON_TCP(test_reset_while_reading),
        ON_BOTH(test_reset_while_output_is_blocked),
        ON_TCP(test_reset_while_paused_is_found_by_the_next_read),
        ON_TCP(test_reset_with_kept_input_gives_the_input_first),
        ON_BOTH(test_reset_while_paused_and_blocked),
        ON_BOTH(test_reset_while_finishing_with_output),
        ON_BOTH(test_reset_while_waiting_for_the_peers_end),
        ON_TCP(test_reset_after_the_peers_end),
        ON_UNIX(test_reset_of_a_unix_peer),
        ON_UNIX(test_bad_descriptor_is_refused),
        ON_BOTH(test_descriptor_stays_the_callers_when_the_loop_has_it_already),
        ON_BOTH(test_stream_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
