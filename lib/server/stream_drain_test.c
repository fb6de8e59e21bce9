/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/stream_test_util.h"

/* A peer that reads late: input pauses while much output waits, and on_drain says when to go on. */

#define TOTAL_BYTES (2u * 1024u * 1024u)

static char pattern[TOTAL_BYTES], got[TOTAL_BYTES + 1];

static void fill_pattern(void)
{
    for (size_t i = 0; i < sizeof(pattern); i++) {
        pattern[i] = (char)(i * 31 % 251);
    }
}

/* What on_drain found, beside the usual probe. */
struct drained {
    struct probe *probe;
    unsigned calls;
    size_t most_queued, queued_at_drain;
    bool closes;
};

static size_t echo_what_fits(struct party_stream *stream, const uint8_t *data, size_t len,
                             void *user)
{
    struct drained *d = user;
    size_t room = party_stream_output_room(stream);
    size_t n = len < room ? len : room;
    party_stream_write(stream, data, n);
    size_t queued = party_stream_queued(stream);
    d->most_queued = queued > d->most_queued ? queued : d->most_queued;
    return n;
}

static void go_on(struct party_stream *stream, void *user)
{
    struct drained *d = user;
    d->calls++;
    d->queued_at_drain = party_stream_queued(stream);
    if (d->closes) {
        party_stream_close(stream);
        return;
    }
    party_stream_resume(stream);
}

static void on_end(struct party_stream *stream, void *user)
{
    (void)user;
    party_stream_finish(stream);
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    struct drained *d = user;
    probe_on_close(stream, reason, d->probe);
}

static const struct party_stream_ops echo_ops = {
    .on_data = echo_what_fits, .on_end = on_end, .on_close = on_close, .on_drain = go_on};

static void open_echo(struct bench *b, const struct party_stream_limits *limits, struct drained *d)
{
    *d = (struct drained){.probe = probe_open(b->loop, b->kind, limits)};
    party_stream_set_user(d->probe->stream, &echo_ops, d);
}

/* Sends as much of the pattern as the peer's socket takes. Returns: how much was sent so far. */
static size_t send_more(struct probe *p, size_t sent)
{
    ssize_t n = 1;
    while (sent < TOTAL_BYTES && n > 0) {
        n = send(p->peer, pattern + sent, TOTAL_BYTES - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += n > 0 ? (size_t)n : 0;
    }
    return sent;
}

/* Sends until neither the stream nor any buffer takes more. */
static size_t send_until_stuck(struct bench *b, struct probe *p)
{
    size_t sent = 0, before;
    unsigned still = 0;
    do {
        before = sent;
        sent = send_more(p, sent);
        assert_int_equal(party_loop_run_once(b->loop, 1), 0);
        still = sent == before ? still + 1 : 0;
    } while (still < 20);
    assert_true(party_stream_is_paused(p->stream));
    return sent;
}

static void assert_all_comes_back(struct bench *b, struct drained *d, size_t sent)
{
    struct probe *p = d->probe;
    size_t len = 0;
    bool end = false, shut = false;
    for (int i = 0; i < 100000 && !end; i++) {
        sent = send_more(p, sent);
        if (sent == TOTAL_BYTES && !shut) {
            shut = true;
            assert_int_equal(shutdown(p->peer, SHUT_WR), 0);
        }
        len += peer_read(p, got + len, sizeof(got) - len, &end);
        assert_int_equal(party_loop_run_once(b->loop, 0), 0);
    }
    assert_int_equal(len, TOTAL_BYTES);
    assert_memory_equal(got, pattern, TOTAL_BYTES);
    await(b->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
}

static void test_echo_to_a_peer_that_reads_late_loses_nothing(void **state)
{
    struct bench *b = *state;
    struct drained d;
    open_echo(b, NULL, &d);
    size_t sent = send_until_stuck(b, d.probe);
    assert_true(sent < TOTAL_BYTES);
    assert_int_equal(d.calls, 0);
    assert_all_comes_back(b, &d, sent);
    assert_true(d.calls > 0);
    assert_true(d.most_queued <= 96 * 1024);
    probe_free(d.probe);
}

/* Where what is written may be sent past the queue, its writer is told all the same. */
static void test_echo_with_a_limit_below_what_is_read_at_once(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 20000, .read_max_bytes = 65536};
    struct drained d;
    open_echo(b, &limits, &d);
    assert_all_comes_back(b, &d, 0);
    assert_true(d.calls > 1);
    assert_true(d.most_queued <= 20000);
    probe_free(d.probe);
}

static void test_drain_comes_at_the_low_mark_once(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 1 << 20,
                                               .output_low_bytes = 3000};
    struct drained d;
    bool end;
    open_echo(b, &limits, &d);
    struct probe *p = d.probe;
    party_stream_write(p->stream, pattern, 3000);
    settle_loop(b->loop);
    assert_int_equal(d.calls, 0); /* never more than the mark was queued */
    for (int i = 0; i < 200; i++) {
        party_stream_write(p->stream, pattern, 4096);
    }
    settle_loop(b->loop);
    assert_true(party_stream_queued(p->stream) > 3000);
    assert_int_equal(d.calls, 0);
    while (d.calls == 0) {
        (void)peer_read(p, got, sizeof(got), &end);
        assert_int_equal(party_loop_run_once(b->loop, 10), 0);
    }
    assert_true(d.queued_at_drain <= 3000);
    (void)peer_read(p, got, sizeof(got), &end);
    settle_loop(b->loop);
    assert_int_equal(d.calls, 1);
    probe_free(p);
}

static void test_low_mark_is_a_quarter_of_the_limit(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 4000};
    struct drained d;
    open_echo(b, &limits, &d);
    party_stream_write(d.probe->stream, pattern, 1000);
    settle_loop(b->loop);
    assert_int_equal(d.calls, 0);
    party_stream_write(d.probe->stream, pattern, 1001);
    settle_loop(b->loop);
    assert_int_equal(d.calls, 1);
    probe_free(d.probe);
}

static void test_stream_may_be_closed_on_drain(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_low_bytes = 1};
    struct drained d;
    open_echo(b, &limits, &d);
    d.closes = true;
    party_stream_write(d.probe->stream, "ab", 2);
    settle_loop(b->loop);
    assert_int_equal(d.calls, 1);
    assert_int_equal(d.probe->closes, 1);
    assert_int_equal(d.probe->reason, 0);
    probe_free(d.probe);
}

static void test_no_drain_comes_once_the_stream_ends(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_low_bytes = 1};
    struct drained d;
    open_echo(b, &limits, &d);
    party_stream_write(d.probe->stream, "ab", 2);
    party_stream_finish(d.probe->stream);
    settle_loop(b->loop);
    assert_int_equal(d.calls, 0);
    probe_free(d.probe);
}

static void test_more_than_the_limit_may_be_written_when_the_socket_takes_it(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 20000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    int size = 1 << 20;
    bool end;
    assert_int_equal(
        setsockopt(party_stream_fileno(p->stream), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    party_stream_write(p->stream, pattern, 100000);
    size_t len = 0;
    for (int i = 0; i < 10000 && len < 100000; i++) {
        len += peer_read(p, got + len, sizeof(got) - len, &end);
        assert_int_equal(party_loop_run_once(b->loop, 1), 0);
    }
    assert_int_equal(len, 100000);
    assert_memory_equal(got, pattern, len);
    assert_int_equal(p->cuts + p->closes, 0);
    probe_free(p);
}

/* Many spans in one turn: nothing was sent yet, and the peer would read it all. */
static void test_a_turn_may_bring_more_than_the_limit_to_who_reads(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 20000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    struct party_buf *buf = party_buf_create(10000);
    int size = 1 << 20;
    bool end;
    assert_int_equal(
        setsockopt(party_stream_fileno(p->stream), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    assert_non_null(buf);
    assert_int_equal(party_buf_append(buf, pattern, 10000), 0);
    for (int i = 0; i < 10; i++) {
        party_stream_write_span(p->stream, buf, 0, 10000);
        party_stream_write(p->stream, pattern, 100);
    }
    party_buf_unref(buf);
    size_t len = 0;
    for (int i = 0; i < 10000 && len < 101000; i++) {
        len += peer_read(p, got + len, sizeof(got) - len, &end);
        assert_int_equal(party_loop_run_once(b->loop, 1), 0);
    }
    assert_int_equal(len, 101000);
    for (size_t at = 0; at < len; at += 10100) {
        assert_memory_equal(got + at, pattern, 10000);
        assert_memory_equal(got + at + 10000, pattern, 100);
    }
    assert_int_equal(p->cuts + p->closes, 0);
    probe_free(p);
}

static void test_what_the_socket_does_not_take_is_held_to_the_limit(void **state)
{
    struct bench *b = *state;
    const struct party_stream_limits limits = {.output_max_bytes = 20000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    party_stream_write(p->stream, pattern, sizeof(pattern));
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    assert_int_equal(p->cut_reason, PARTY_EOVERFLOW);
    probe_free(p);
}

/* What has gone of a line cannot be called back, so the line arrives whole before the last words.
 */
static void test_cut_by_what_the_socket_did_not_take_tears_no_line(void **state)
{
    struct bench *b = *state;
    static char lines[TOTAL_BYTES];
    const size_t words = strlen("*** cut off, come back\n");
    const struct party_stream_limits limits = {.output_max_bytes = 20000};
    struct probe *p = probe_open(b->loop, b->kind, &limits);
    p->drop = '\n';
    p->on_cut = DEED_WRITE;
    for (size_t i = 0; i < sizeof(lines); i++) {
        lines[i] = i % 997 == 996 ? '\n' : 'x';
    }
    party_stream_write(p->stream, lines, sizeof(lines));
    settle_loop(b->loop);
    assert_int_equal(p->cuts, 1);
    size_t len = peer_read_to_end(p, got, sizeof(got));
    assert_true(len > words);
    assert_memory_equal(got + len - words, "*** cut off, come back\n", words);
    assert_int_equal((len - words) % 997, 0);
    assert_memory_equal(got, lines, len - words);
    probe_free(p);
}

int main(void)
{
    fill_pattern();
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_echo_to_a_peer_that_reads_late_loses_nothing),
        ON_BOTH(test_echo_with_a_limit_below_what_is_read_at_once),
        ON_BOTH(test_drain_comes_at_the_low_mark_once),
        ON_BOTH(test_low_mark_is_a_quarter_of_the_limit),
        ON_BOTH(test_stream_may_be_closed_on_drain),
        ON_BOTH(test_no_drain_comes_once_the_stream_ends),
        ON_BOTH(test_more_than_the_limit_may_be_written_when_the_socket_takes_it),
        ON_BOTH(test_a_turn_may_bring_more_than_the_limit_to_who_reads),
        ON_BOTH(test_what_the_socket_does_not_take_is_held_to_the_limit),
        ON_BOTH(test_cut_by_what_the_socket_did_not_take_tears_no_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
