/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/stream_test_util.h"

/* Bytes in: taking, keeping, pausing, putting back, and the end of input. */

static void test_bytes_are_handed_over_as_they_come(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    assert_int_equal(fcntl(party_stream_fileno(p->stream), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_ptr_equal(party_stream_loop(p->stream), b->loop);
    assert_ptr_equal(party_stream_user(p->stream), p);
    peer_send(p, "hello");
    await(b->loop, p->len == 5);
    peer_send(p, " world");
    await(b->loop, p->len == 11);
    assert_input(p, "hello world");
    assert_int_equal(p->data_calls, 2);
    assert_true(loop_is_idle(b->loop));
    probe_free(p);
}

static void test_one_turn_hands_over_at_most_read_max_bytes(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.read_max_bytes = 7};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    peer_send(p, "0123456789abcdefghijklmnopqrst");
    await(b->loop, p->len == 30);
    assert_int_equal(p->largest, 7);
    assert_input(p, "0123456789abcdefghijklmnopqrst");
    probe_free(p);
}

static void test_untaken_bytes_are_kept_and_reading_pauses(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 3;
    peer_send(p, "abcdefgh");
    await(b->loop, p->data_calls == 1);
    assert_true(party_stream_is_paused(p->stream));
    peer_send(p, "ijkl");
    settle_loop(b->loop);
    assert_true(loop_is_idle(b->loop));
    assert_input(p, "abc");
    p->take = SIZE_MAX;
    party_stream_resume(p->stream);
    assert_false(party_stream_is_paused(p->stream));
    await(b->loop, p->len == 12);
    assert_input(p, "abcdefghijkl");
    probe_free(p);
}

static void test_kept_bytes_can_be_taken_one_by_one(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 1;
    peer_send(p, "abcdef");
    await(b->loop, p->len == 1);
    for (size_t i = 2; i <= 6; i++) {
        settle_loop(b->loop);
        assert_int_equal(p->len, i - 1);
        party_stream_resume(p->stream);
        run_turn(b->loop);
        assert_int_equal(p->len, i);
    }
    assert_false(party_stream_is_paused(p->stream));
    assert_input(p, "abcdef");
    probe_free(p);
}

/* Resumed between two turns, with fresh bytes at the socket: the kept ones still come first. */
static void test_kept_bytes_come_before_fresh_ones_when_resumed_between_turns(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 2;
    peer_send(p, "1234");
    await(b->loop, p->len == 2);
    peer_send(p, "5678");
    p->take = SIZE_MAX;
    party_stream_resume(p->stream);
    await(b->loop, p->len == 8);
    assert_input(p, "12345678");
    probe_free(p);
}

static void test_bytes_put_back_between_turns_come_before_fresh_ones(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    peer_send(p, "fresh");
    assert_int_equal(party_stream_unread(p->stream, "back, ", 6), 0);
    await(b->loop, p->len == 11);
    assert_input(p, "back, fresh");
    probe_free(p);
}

static void test_paused_stream_is_quiet_until_it_is_resumed(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->on_data = DEED_PAUSE;
    peer_send(p, "a");
    await(b->loop, p->len == 1);
    peer_send(p, "b");
    settle_loop(b->loop);
    assert_true(loop_is_idle(b->loop));
    assert_input(p, "a");
    p->on_data = DEED_NONE;
    party_stream_pause(p->stream);
    party_stream_resume(p->stream);
    party_stream_resume(p->stream);
    await(b->loop, p->len == 2);
    probe_free(p);
}

static void test_bytes_put_back_while_paused_wait_for_the_resume(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_pause(p->stream);
    assert_int_equal(party_stream_unread(p->stream, "world", 5), 0);
    assert_int_equal(party_stream_unread(p->stream, "hello ", 6), 0);
    settle_loop(b->loop);
    assert_int_equal(p->data_calls, 0);
    party_stream_resume(p->stream);
    run_turn(b->loop);
    assert_input(p, "hello world");
    probe_free(p);
}

static void test_bytes_put_back_in_on_data_come_again_in_the_same_turn(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->on_data = DEED_UNREAD;
    peer_send(p, "word");
    await(b->loop, p->len >= 4);
    assert_input(p, "wordagain:");
    probe_free(p);
}

/* ---- the end of input ---- */

static void test_end_is_told_once_after_the_last_bytes(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    peer_send(p, "last");
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->ends == 1);
    assert_input(p, "last");
    settle_loop(b->loop);
    assert_int_equal(p->ends, 1);
    assert_int_equal(p->closes, 0);
    assert_true(loop_is_idle(b->loop));
    probe_free(p);
}

static void test_end_waits_for_kept_bytes_and_for_the_resume(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 2;
    peer_send(p, "abcd");
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->len == 2);
    settle_loop(b->loop);
    party_stream_resume(p->stream);
    await(b->loop, p->ends == 1);
    assert_input(p, "abcd");
    probe_free(p);
}

static void test_end_that_came_while_paused_is_told_after_the_resume(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->on_data = DEED_PAUSE;
    peer_send(p, "x");
    peer_close(p);
    await(b->loop, p->len == 1);
    settle_loop(b->loop);
    assert_int_equal(p->ends, 0);
    assert_true(loop_is_idle(b->loop));
    party_stream_resume(p->stream);
    await(b->loop, p->ends == 1);
    assert_int_equal(p->closes, 0);
    probe_free(p);
}

static void test_end_is_told_again_after_bytes_put_back_in_on_end(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->on_end = DEED_UNREAD;
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->ends == 2);
    assert_input(p, "again:");
    settle_loop(b->loop);
    assert_int_equal(p->ends, 2);
    probe_free(p);
}

/* As a front door does: it learns at the end what to do with the bytes it has, and hands on. */
struct doorkeeper {
    char bytes[32];
    size_t len;
    struct probe *next;
};

static size_t doorkeeper_on_data(struct party_stream *stream, const uint8_t *data, size_t len,
                                 void *user)
{
    (void)stream;
    struct doorkeeper *door = user;
    memcpy(door->bytes + door->len, data, len);
    door->len += len;
    return len;
}

static void hand_on(struct party_stream *stream, struct doorkeeper *door)
{
    party_stream_set_user(stream, &probe_ops, door->next);
    assert_int_equal(party_stream_unread(stream, door->bytes, door->len), 0);
}

static void doorkeeper_on_end(struct party_stream *stream, void *user)
{
    hand_on(stream, user);
}

static const struct party_stream_ops doorkeeper_ops = {
    .on_data = doorkeeper_on_data,
    .on_end = doorkeeper_on_end,
};

static void test_stream_handed_on_at_its_end_gives_all_again(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct doorkeeper door = {.next = p};
    party_stream_set_user(p->stream, &doorkeeper_ops, &door);
    peer_send(p, "one ");
    await(b->loop, door.len == 4);
    peer_send(p, "two");
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->ends == 1);
    assert_input(p, "one two");
    assert_int_equal(p->data_calls, 1);
    probe_free(p);
}

static void test_stream_handed_on_between_turns_gives_all_in_order(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct doorkeeper door = {.next = p};
    party_stream_set_user(p->stream, &doorkeeper_ops, &door);
    peer_send(p, "one ");
    await(b->loop, door.len == 4);
    peer_send(p, "two");
    hand_on(p->stream, &door);
    await(b->loop, p->len == 7);
    assert_input(p, "one two");
    probe_free(p);
}

static void test_half_closed_peer_still_gets_output(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    char got[16];
    bool end;
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->ends == 1);
    party_stream_write(p->stream, "late answer", 11);
    run_turn(b->loop);
    assert_int_equal(peer_read(p, got, sizeof(got), &end), 11);
    assert_false(end);
    probe_free(p);
}

static const struct party_stream_ops endless_ops = {.on_data = probe_on_data,
                                                    .on_close = probe_on_close};

static void test_stream_without_on_end_finishes_by_itself(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    char got[16];
    party_stream_set_user(p->stream, &endless_ops, p);
    party_stream_write(p->stream, "answer", 6);
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), 6);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
    probe_free(p);
}

/* ---- the read time-out ---- */

static void test_silent_peer_is_cut_after_the_read_timeout_counted_from_its_last_byte(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.read_timeout_ms = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    b->clock_ns += 600 * MS;
    peer_send(p, "x");
    await(b->loop, p->len == 1);
    b->clock_ns += 999 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    b->clock_ns += MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->cut_reason, PARTY_ESILENT);
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, PARTY_ESILENT);
    probe_free(p);
}

static void test_paused_stream_is_not_taken_for_silent(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.read_timeout_ms = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    party_stream_pause(p->stream);
    b->clock_ns += 5000 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    party_stream_resume(p->stream);
    b->clock_ns += 999 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    b->clock_ns += MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    probe_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_bytes_are_handed_over_as_they_come),
        ON_BOTH(test_one_turn_hands_over_at_most_read_max_bytes),
        ON_BOTH(test_untaken_bytes_are_kept_and_reading_pauses),
        ON_BOTH(test_kept_bytes_can_be_taken_one_by_one),
        ON_BOTH(test_kept_bytes_come_before_fresh_ones_when_resumed_between_turns),
        ON_BOTH(test_bytes_put_back_between_turns_come_before_fresh_ones),
        ON_BOTH(test_paused_stream_is_quiet_until_it_is_resumed),
        ON_BOTH(test_bytes_put_back_while_paused_wait_for_the_resume),
        ON_BOTH(test_bytes_put_back_in_on_data_come_again_in_the_same_turn),
        ON_BOTH(test_end_is_told_once_after_the_last_bytes),
        ON_BOTH(test_end_waits_for_kept_bytes_and_for_the_resume),
        ON_BOTH(test_end_that_came_while_paused_is_told_after_the_resume),
        ON_BOTH(test_end_is_told_again_after_bytes_put_back_in_on_end),
        ON_BOTH(test_stream_handed_on_at_its_end_gives_all_again),
        ON_BOTH(test_stream_handed_on_between_turns_gives_all_in_order),
        ON_BOTH(test_half_closed_peer_still_gets_output),
        ON_BOTH(test_stream_without_on_end_finishes_by_itself),
        ON_BOTH(test_silent_peer_is_cut_after_the_read_timeout_counted_from_its_last_byte),
        ON_BOTH(test_paused_stream_is_not_taken_for_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
