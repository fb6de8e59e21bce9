/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/stream_test_util.h"

/* Bytes out: gathering, blocking, limits, last words, and the end in good order. */

/* ---- system calls, counted and made to fail ---- */

static unsigned send_calls, sendmsg_calls, recv_calls;
static int send_error, recv_error; /* for the next call; 0: none */
static size_t last_iov_count;

ssize_t __real_send(int fd, const void *buf, size_t len, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __real_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);

static bool take_error(int *error)
{
    errno = *error;
    *error = 0;
    return errno != 0;
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    send_calls++;
    return take_error(&send_error) ? -1 : __real_send(fd, buf, len, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    sendmsg_calls++;
    last_iov_count = msg->msg_iovlen;
    return take_error(&send_error) ? -1 : __real_sendmsg(fd, msg, flags);
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    recv_calls++;
    return take_error(&recv_error) ? -1 : __real_recv(fd, buf, len, flags);
}

static void forget_calls(void)
{
    send_calls = 0;
    sendmsg_calls = 0;
    recv_calls = 0;
}

/* ---- helpers ---- */

static char pattern_at(size_t i)
{
    return i % 64 == 63 ? '\n' : (char)('a' + i % 23);
}

/* Queues `count` bytes of the pattern from place `from` on. */
static void write_pattern(struct probe *p, size_t from, size_t count)
{
    char *bytes = malloc(count);
    for (size_t i = 0; i < count; i++) {
        bytes[i] = pattern_at(from + i);
    }
    party_stream_write(p->stream, bytes, count);
    free(bytes);
}

static void assert_pattern(const char *bytes, size_t from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] != pattern_at(from + i)) {
            print_error("byte %zu is wrong\n", from + i);
            fail();
        }
    }
}

/* Writes until the socket takes no more. Returns: bytes queued so far, all in all. */
static size_t block(struct probe *p)
{
    size_t total = 0;
    for (int i = 0; i < 500 && party_stream_queued(p->stream) == 0; i++) {
        write_pattern(p, total, 4096);
        total += 4096;
        run_turn(p->loop);
        run_turn(p->loop);
    }
    assert_true(party_stream_queued(p->stream) > 0);
    return total;
}

static char got[1 << 21];

/* ---- gathering ---- */

static void test_all_of_a_turn_goes_out_at_its_end_with_one_call(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct party_buf *buf = party_buf_create(64);
    bool end;
    assert_int_equal(party_buf_append(buf, "one two three ", 14), 0);
    forget_calls();
    party_stream_write_span(p->stream, buf, 0, 4);
    party_stream_write_span(p->stream, buf, 4, 8);
    party_stream_write_span(p->stream, buf, 8, 14);
    assert_int_equal(send_calls + sendmsg_calls, 0);
    assert_int_equal(party_stream_queued(p->stream), 14);
    run_turn(b->loop);
    assert_int_equal(send_calls, 1);
    party_stream_write(p->stream, "a ", 2);
    party_stream_write_span(p->stream, buf, 0, 4);
    party_stream_write_span(p->stream, buf, 8, 14);
    run_turn(b->loop);
    assert_int_equal(sendmsg_calls, 1);
    assert_int_equal(last_iov_count, 3);
    assert_int_equal(send_calls, 1);
    assert_int_equal(buf->refs, 1);
    assert_int_equal(peer_read(p, got, sizeof(got), &end), 26);
    assert_memory_equal(got, "one two three a one three ", 26);
    party_buf_unref(buf);
    probe_free(p);
}

static void test_many_spans_arrive_in_order(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct party_buf *buf = party_buf_create(256);
    char head[512];
    for (unsigned i = 0; i < 256; i++) {
        char byte = (char)i;
        assert_int_equal(party_buf_append(buf, &byte, 1), 0);
    }
    for (uint32_t i = 256; i > 0; i--) {
        party_stream_write_span(p->stream, buf, i - 1, i);
    }
    assert_int_equal(party_stream_peek_queued(p->stream, head, sizeof(head)), 256);
    assert_int_equal(party_stream_peek_queued(p->stream, head, 100), 100);
    assert_int_equal((unsigned char)head[99], 156);
    party_stream_finish(p->stream);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), 256);
    for (unsigned i = 0; i < 256; i++) {
        assert_int_equal((unsigned char)got[i], 255 - i);
    }
    assert_int_equal(buf->refs, 1);
    party_buf_unref(buf);
    probe_free(p);
}

static void test_interrupted_calls_are_made_again(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    bool end;
    send_error = EINTR;
    recv_error = EINTR;
    party_stream_write(p->stream, "hello", 5);
    peer_send(p, "hi");
    await(b->loop, p->len == 2);
    assert_int_equal(peer_read(p, got, sizeof(got), &end), 5);
    recv_error = EAGAIN;
    send_error = EAGAIN;
    peer_send(p, "ho");
    party_stream_write(p->stream, "world", 5);
    await(b->loop, p->len == 4 && party_stream_queued(p->stream) == 0);
    assert_int_equal(peer_read(p, got, sizeof(got), &end), 5);
    probe_free(p);
}

static void test_failing_send_closes_with_its_error(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    send_error = ENOBUFS;
    party_stream_write(p->stream, "hello", 5);
    run_turn(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, -ENOBUFS);
    probe_free(p);
}

static void test_failing_recv_closes_with_its_error(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    recv_error = ETIMEDOUT;
    peer_send(p, "x");
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, -ETIMEDOUT);
    assert_int_equal(p->data_calls, 0);
    probe_free(p);
}

static void test_blocked_output_goes_on_when_the_peer_reads(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    size_t total = block(p);
    assert_true(loop_is_idle(b->loop));
    write_pattern(p, total, 30000);
    total += 30000;
    forget_calls();
    settle_loop(b->loop);
    assert_int_equal(send_calls + sendmsg_calls, 0);
    party_stream_finish(p->stream);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), total);
    assert_pattern(got, 0, total);
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
    probe_free(p);
}

/* ---- at once ---- */

static void test_try_write_sends_at_once_unless_something_is_queued(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    bool end;
    forget_calls();
    assert_int_equal(party_stream_try_write(p->stream, "one ", 4), 4);
    assert_int_equal(send_calls, 1);
    assert_int_equal(party_stream_queued(p->stream), 0);
    party_stream_write(p->stream, "two ", 4);
    assert_int_equal(party_stream_try_write(p->stream, "never", 5), 0);
    assert_int_equal(party_stream_try_write(p->stream, "", 0), 0);
    assert_int_equal(send_calls, 1);
    run_turn(b->loop);
    assert_int_equal(party_stream_try_write(p->stream, "three", 5), 5);
    assert_int_equal(peer_read(p, got, sizeof(got), &end), 13);
    assert_memory_equal(got, "one two three", 13);
    probe_free(p);
}

static void test_try_write_to_a_full_socket_takes_nothing(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    send_error = EAGAIN;
    assert_int_equal(party_stream_try_write(p->stream, "hello", 5), 0);
    assert_false(party_stream_is_closing(p->stream));
    (void)block(p);
    forget_calls();
    assert_int_equal(party_stream_try_write(p->stream, "hello", 5), 0);
    assert_int_equal(send_calls, 0);
    probe_free(p);
}

static void test_failing_try_write_closes_with_its_error(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    send_error = EPIPE;
    assert_int_equal(party_stream_try_write(p->stream, "hello", 5), 0);
    assert_true(party_stream_is_closing(p->stream));
    assert_int_equal(party_stream_try_write(p->stream, "hello", 5), 0);
    assert_int_equal(p->closes, 0);
    run_turn(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, -EPIPE);
    probe_free(p);
}

/* What try_write sent may have been a part of a line; dropping keeps the rest of it. */
static void test_dropping_after_try_write_leaves_no_torn_line(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    bool end;
    assert_int_equal(party_stream_try_write(p->stream, "a whole", 7), 7);
    party_stream_write(p->stream, " line\nanother\n", 14);
    party_stream_drop_queued(p->stream, '\n');
    run_turn(b->loop);
    assert_int_equal(peer_read(p, got, sizeof(got), &end), 13);
    assert_memory_equal(got, "a whole line\n", 13);
    probe_free(p);
}

static void test_much_is_sent_at_once_and_only_the_rest_is_queued(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 1 << 20};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    forget_calls();
    write_pattern(p, 0, 16384);
    assert_int_equal(send_calls, 1);
    size_t total = 16384;
    while (party_stream_queued(p->stream) == 0) {
        write_pattern(p, total, 100000);
        total += 100000;
    }
    assert_true(party_stream_queued(p->stream) <= 100000);
    party_stream_finish(p->stream);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), total);
    assert_pattern(got, 0, total);
    probe_free(p);
    p = probe_open(b->loop, b->kind, NULL);
    send_error = ECONNRESET;
    write_pattern(p, 0, 20000);
    assert_true(party_stream_is_closing(p->stream));
    run_turn(b->loop);
    assert_int_equal(p->reason, -ECONNRESET);
    probe_free(p);
}

/* ---- the output limit ---- */

static void test_overflow_cuts_and_the_last_words_follow_a_whole_line(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 20000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    p->drop = '\n';
    p->on_cut = DEED_WRITE;
    (void)block(p);
    write_pattern(p, 0, 20000);
    assert_true(party_stream_is_closing(p->stream));
    write_pattern(p, 0, 1);
    assert_int_equal(p->cuts, 0);
    run_turn(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->cut_reason, PARTY_EOVERFLOW);
    size_t len = peer_read_to_end(p, got, sizeof(got));
    size_t words = sizeof(last_words_1) + sizeof(last_words_2) - 2;
    assert_true(len > words);
    assert_memory_equal(got + len - words, "*** cut off, come back\n", words);
    assert_int_equal(got[len - words - 1], '\n');
    assert_pattern(got, 0, len - words);
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, PARTY_EOVERFLOW);
    assert_int_equal(p->cuts, 1);
    probe_free(p);
}

static void test_output_of_exactly_the_limit_is_no_overflow(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    write_pattern(p, 0, 999);
    write_pattern(p, 999, 1);
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    write_pattern(p, 0, 1001);
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    probe_free(p);
}

static void test_lowered_limit_counts_what_is_queued(void **state)
{
    struct bench *b = *state;
    struct party_stream_limits limits = {.output_max_bytes = 20000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    (void)block(p);
    write_pattern(p, 0, 4000);
    limits.output_max_bytes = 1000;
    write_pattern(p, 0, 1);
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->cut_reason, PARTY_EOVERFLOW);
    probe_free(p);
}

static const struct party_stream_ops cutless_ops = {.on_data = probe_on_data,
                                                    .on_close = probe_on_close};

static void test_cut_without_on_cut_closes_in_the_same_turn(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 10};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    party_stream_set_user(p->stream, &cutless_ops, p);
    party_stream_write(p->stream, "0123456789a", 11);
    run_turn(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, PARTY_EOVERFLOW);
    probe_free(p);
}

static void test_overflow_in_the_turn_of_the_write_timeout_still_tells_on_cut(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 20000, .write_timeout_ms = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    (void)block(p);
    b->clock_ns += 1000 * MS;
    write_pattern(p, 0, 20000);
    run_turn(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->cut_reason, PARTY_EOVERFLOW);
    probe_free(p);
}

/* ---- the write time-out ---- */

static void test_peer_that_takes_nothing_is_cut_after_the_write_timeout(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.write_timeout_ms = 1000, .finish_timeout_ms = 500};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    p->drop = '\n';
    p->on_cut = DEED_WRITE;
    (void)block(p);
    b->clock_ns += 999 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    b->clock_ns += MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->cut_reason, PARTY_EIDLE);
    b->clock_ns += 499 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->closes, 0);
    b->clock_ns += MS;
    settle_loop(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, PARTY_EIDLE);
    probe_free(p);
}

static void test_last_words_of_a_cut_have_a_time_of_their_own(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {
        .write_timeout_ms = 1000, .finish_timeout_ms = 500, .cut_timeout_ms = 2000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    p->drop = '\n';
    p->on_cut = DEED_WRITE;
    (void)block(p);
    b->clock_ns += 1000 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    b->clock_ns += 1999 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->closes, 0);
    b->clock_ns += MS;
    settle_loop(b->loop);
    assert_int_equal(p->closes, 1);
    probe_free(p);
}

static void test_progress_puts_the_write_timeout_off(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.write_timeout_ms = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    bool end;
    (void)block(p);
    for (int i = 0; i < 10; i++) {
        b->clock_ns += 900 * MS;
        size_t before = party_stream_queued(p->stream);
        for (int turns = 0; turns < 1000 && party_stream_queued(p->stream) == before; turns++) {
            (void)peer_read(p, got, sizeof(got), &end);
            assert_int_equal(party_loop_run_once(b->loop, 10), 0);
        }
        assert_true(party_stream_queued(p->stream) < before);
        if (party_stream_queued(p->stream) == 0) {
            (void)block(p);
        }
    }
    assert_int_equal(p->cuts, 0);
    b->clock_ns += 1000 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    probe_free(p);
}

static void test_write_timeout_of_zero_never_cuts(void **state)
{
    struct bench *b = *state;
    struct party_stream_limits limits = {.write_timeout_ms = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    (void)block(p);
    limits.write_timeout_ms = 0; /* while it runs */
    b->clock_ns += 100000 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    probe_free(p);
}

static void test_no_write_timeout_runs_once_the_output_was_dropped(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.write_timeout_ms = 1000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    (void)block(p);
    party_stream_drop_queued(p->stream, -1);
    assert_int_equal(party_stream_queued(p->stream), 0);
    b->clock_ns += 5000 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 0);
    assert_true(loop_is_idle(b->loop));
    probe_free(p);
}

/* ---- finish ---- */

static void test_finish_sends_what_is_queued_and_waits_for_the_peers_end(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    party_stream_write(p->stream, "last words", 10);
    party_stream_finish(p->stream);
    assert_true(party_stream_is_closing(p->stream));
    party_stream_write(p->stream, "too late", 8);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), 10);
    assert_int_equal(p->closes, 0);
    for (int i = 0; i < 5; i++) {
        peer_send(p, "nobody hears this");
        settle_loop(b->loop);
    }
    assert_int_equal(p->closes, 0);
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
    assert_int_equal(p->data_calls, 0);
    assert_int_equal(p->ends, 0);
    probe_free(p);
}

static void test_finish_of_a_paused_stream_reads_the_rest(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    p->take = 1;
    peer_send(p, "abc");
    await(b->loop, p->len == 1);
    peer_send(p, "def");
    party_stream_finish(p->stream);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), 0);
    peer_close(p);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
    assert_input(p, "a");
    probe_free(p);
}

static void test_finish_after_the_peers_end_closes_when_all_is_sent(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
    await(b->loop, p->ends == 1);
    party_stream_write(p->stream, "bye", 3);
    party_stream_finish(p->stream);
    run_turn(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), 3);
    probe_free(p);
}

static void test_finish_timeout_closes_whatever_the_peer_does(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.finish_timeout_ms = 300};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    bool end;
    (void)block(p);
    party_stream_finish(p->stream);
    settle_loop(b->loop);
    b->clock_ns += 200 * MS;
    (void)peer_read(p, got, 5000, &end); /* progress does not put it off */
    settle_loop(b->loop);
    assert_int_equal(p->closes, 0);
    size_t left = party_stream_queued(p->stream);
    assert_true(left > 0 || b->kind == PAIR_TCP); /* whose socket may have taken the rest */
    b->clock_ns += 100 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, left > 0 ? PARTY_ETIMEOUT : 0);
    probe_free(p);
}

static void test_finish_timeout_is_no_failure_once_all_was_sent(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.finish_timeout_ms = 300};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    party_stream_write(p->stream, "bye", 3);
    b->clock_ns += 1000 * MS; /* the turn took long; the time-out begins with the call */
    party_stream_finish(p->stream);
    settle_loop(b->loop);
    assert_int_equal(p->closes, 0); /* it waits for the peer's end */
    b->clock_ns += 300 * MS;
    settle_loop(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(p->reason, 0);
    probe_free(p);
}

static void test_finish_with_dropped_output_shuts_down_at_once(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    size_t total = block(p);
    size_t queued = party_stream_queued(p->stream);
    party_stream_finish(p->stream);
    party_stream_drop_queued(p->stream, -1);
    assert_int_equal(peer_read_to_end(p, got, sizeof(got)), total - queued);
    peer_close(p);
    await(b->loop, p->closes == 1);
    probe_free(p);
}

static void test_span_beyond_what_was_written_closes(void **state)
{
    struct bench *b = *state;
    struct party_buf *buf = party_buf_create(64);
    assert_int_equal(party_buf_append(buf, "hello", 5), 0);
    const uint32_t spans[][2] = {{0, 6}, {6, 7}, {3, 2}};
    for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
        struct probe *p = probe_open(b->loop, b->kind, NULL);
        party_stream_write_span(p->stream, buf, spans[i][0], spans[i][1]);
        run_turn(b->loop);
        assert_int_equal(p->closes, 1);
        assert_int_equal(p->reason, -EINVAL);
        probe_free(p);
    }
    assert_int_equal(buf->refs, 1);
    party_buf_unref(buf);
}

static void test_nothing_is_queued_after_close(void **state)
{
    struct bench *b = *state;
    struct probe *p = probe_open(b->loop, b->kind, NULL);
    struct party_buf *buf = party_buf_create(8);
    assert_int_equal(party_buf_append(buf, "x", 1), 0);
    party_stream_write_span(p->stream, buf, 0, 1);
    assert_int_equal(buf->refs, 2);
    party_stream_close(p->stream);
    assert_int_equal(buf->refs, 1);
    party_stream_write_span(p->stream, buf, 0, 1);
    party_stream_write(p->stream, "y", 1);
    party_stream_drop_queued(p->stream, -1);
    party_stream_finish(p->stream);
    party_stream_pause(p->stream);
    party_stream_resume(p->stream);
    assert_int_equal(party_stream_unread(p->stream, "z", 1), 0);
    assert_int_equal(party_stream_queued(p->stream), 0);
    party_stream_close(p->stream);
    assert_int_equal(p->closes, 0);
    run_turn(b->loop);
    assert_int_equal(p->closes, 1);
    assert_int_equal(buf->refs, 1);
    party_buf_unref(buf);
    probe_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_all_of_a_turn_goes_out_at_its_end_with_one_call),
        ON_BOTH(test_many_spans_arrive_in_order),
        ON_BOTH(test_interrupted_calls_are_made_again),
        ON_BOTH(test_failing_send_closes_with_its_error),
        ON_BOTH(test_failing_recv_closes_with_its_error),
        ON_BOTH(test_blocked_output_goes_on_when_the_peer_reads),
        ON_BOTH(test_try_write_sends_at_once_unless_something_is_queued),
        ON_BOTH(test_try_write_to_a_full_socket_takes_nothing),
        ON_BOTH(test_failing_try_write_closes_with_its_error),
        ON_BOTH(test_dropping_after_try_write_leaves_no_torn_line),
        ON_BOTH(test_much_is_sent_at_once_and_only_the_rest_is_queued),
        ON_BOTH(test_overflow_cuts_and_the_last_words_follow_a_whole_line),
        ON_BOTH(test_output_of_exactly_the_limit_is_no_overflow),
        ON_BOTH(test_lowered_limit_counts_what_is_queued),
        ON_BOTH(test_cut_without_on_cut_closes_in_the_same_turn),
        ON_BOTH(test_overflow_in_the_turn_of_the_write_timeout_still_tells_on_cut),
        ON_BOTH(test_peer_that_takes_nothing_is_cut_after_the_write_timeout),
        ON_BOTH(test_last_words_of_a_cut_have_a_time_of_their_own),
        ON_BOTH(test_progress_puts_the_write_timeout_off),
        ON_BOTH(test_write_timeout_of_zero_never_cuts),
        ON_BOTH(test_no_write_timeout_runs_once_the_output_was_dropped),
        ON_BOTH(test_finish_sends_what_is_queued_and_waits_for_the_peers_end),
        ON_BOTH(test_finish_of_a_paused_stream_reads_the_rest),
        ON_BOTH(test_finish_after_the_peers_end_closes_when_all_is_sent),
        ON_BOTH(test_finish_timeout_closes_whatever_the_peer_does),
        ON_BOTH(test_finish_timeout_is_no_failure_once_all_was_sent),
        ON_BOTH(test_finish_with_dropped_output_shuts_down_at_once),
        ON_BOTH(test_nothing_is_queued_after_close),
        ON_BOTH(test_span_beyond_what_was_written_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
