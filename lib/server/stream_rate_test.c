/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/stream_test_util.h"

/* Rate limits. Time is the test's: what may pass is counted, never waited for. */

/* Turns with the time standing still, until nothing changes any more. */
static void turns(struct bench *bench)
{
    for (int i = 0; i < 20; i++) {
        run_turn(bench->loop);
    }
}

static void advance(struct bench *bench, int64_t ms)
{
    bench->clock_ns += ms * MS;
    turns(bench);
}

static size_t drain(struct probe *p)
{
    static char buf[1 << 17];
    bool end;
    return peer_read(p, buf, sizeof(buf), &end);
}

static void fill_peer(struct probe *p, size_t len)
{
    static char much[1 << 17];
    assert_int_equal(write(p->peer, much, len), len);
}

static void test_reading_stops_at_the_burst_and_goes_on_at_the_rate(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_rate_bytes = 1000, .read_burst_bytes = 500};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 3000);
    turns(bench);
    assert_int_equal(p->len, 500);
    assert_true(loop_is_idle(bench->loop)); /* it sleeps while bytes wait */
    advance(bench, 100);
    assert_in_range(p->len, 580, 600);
    for (int i = 0; i < 9; i++) {
        advance(bench, 100);
    }
    assert_in_range(p->len, 1480, 1500);
    advance(bench, 60 * 1000); /* a long pause gives one burst, and no more */
    assert_in_range(p->len, 1980, 2000);
    probe_free(p);
}

static void test_whole_rate_is_reached(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_rate_bytes = 1000, .read_burst_bytes = 100};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 1200);
    turns(bench);
    for (int i = 0; i < 1000; i++) {
        advance(bench, 1);
    }
    assert_in_range(p->len, 1080, 1100);
    probe_free(p);
}

static void test_writing_is_paced(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {
        .write_rate_bytes = 2000, .write_burst_bytes = 1000, .write_timeout_ms = 100};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    static const char much[5000];
    party_stream_write(p->stream, much, 2500);
    party_stream_write(p->stream, much, 2500);
    turns(bench);
    assert_int_equal(drain(p), 1000);
    assert_int_equal(party_stream_queued(p->stream), 4000);
    assert_true(loop_is_idle(bench->loop));
    advance(bench, 500);
    assert_int_equal(drain(p), 1000);
    size_t sum = 0;
    for (int i = 0; i < 15; i++) {
        advance(bench, 100);
        sum += drain(p);
    }
    assert_int_equal(sum, 3000); /* the last bytes do not wait for a round sum */
    assert_int_equal(party_stream_queued(p->stream), 0);
    assert_int_equal(p->cuts, 0); /* the peer was not slow: we were */
    probe_free(p);
}

static void test_finish_is_paced_and_ends(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.write_rate_bytes = 1000, .write_burst_bytes = 100};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    static const char much[300];
    bool end = false;
    char buf[400];
    party_stream_write(p->stream, much, sizeof(much));
    party_stream_finish(p->stream);
    turns(bench);
    assert_int_equal(peer_read(p, buf, sizeof(buf), &end), 100);
    assert_false(end);
    advance(bench, 100);
    assert_int_equal(peer_read(p, buf, sizeof(buf), &end), 100);
    advance(bench, 100);
    assert_int_equal(peer_read(p, buf, sizeof(buf), &end), 100);
    assert_true(end);
    peer_close(p);
    await(bench->loop, p->closes == 1);
    assert_int_equal(p->reason, 0);
    probe_free(p);
}

static void test_silence_of_ours_is_not_the_peers(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {
        .read_rate_bytes = 100, .read_burst_bytes = 50, .read_timeout_ms = 200};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 250);
    turns(bench);
    for (int i = 0; i < 5; i++) {
        advance(bench, 400);
        assert_int_equal(p->cuts, 0);
    }
    assert_int_equal(p->len, 250);
    advance(bench, 201);
    assert_int_equal(p->cut_reason, PARTY_ESILENT); /* now it is the peer who is silent */
    probe_free(p);
}

static void test_limits_may_change_while_they_bind(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_rate_bytes = 1, .write_rate_bytes = 1};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 1000);
    party_stream_write(p->stream, "0123456789", 10);
    turns(bench);
    assert_int_equal(p->len, 1);
    assert_int_equal(drain(p), 1);
    limits.read_rate_bytes = limits.write_rate_bytes = 0;
    advance(bench, 1000);
    assert_int_equal(p->len, 1000);
    assert_int_equal(drain(p), 9);
    limits.read_rate_bytes = UINT32_MAX;
    limits.write_rate_bytes = UINT32_MAX;
    fill_peer(p, 1000);
    party_stream_write(p->stream, "0123456789", 10);
    turns(bench);
    assert_int_equal(p->len, 2000);
    assert_int_equal(drain(p), 10);
    probe_free(p);
}

/* A socket that is full is waited for, and not for a rate that binds no more. */
static void test_rate_that_went_leaves_no_wait(void **state)
{
    struct bench *bench = *state;
    static const uint32_t rates[] = {0, UINT32_MAX};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct party_stream_limits limits = {.output_max_bytes = 1 << 20, .write_rate_bytes = 1};
        struct probe *p = probe_open(bench->loop, bench->kind, &limits);
        static char much[900000];
        party_stream_write(p->stream, much, sizeof(much));
        turns(bench);
        limits.write_rate_bytes = rates[i];
        bench->clock_ns += MS; /* not yet what the old rate waits for */
        party_stream_write(p->stream, "x", 1);
        turns(bench); /* fills the socket */
        size_t sum = 0, n;
        int idle = 0;
        while (sum < sizeof(much) + 1 && idle < 100) {
            n = drain(p);
            sum += n;
            idle = n > 0 ? 0 : idle + 1;
            assert_int_equal(party_loop_run_once(bench->loop, n > 0 ? 0 : 1), 0);
        }
        assert_int_equal(sum, sizeof(much) + 1);
        probe_free(p);
    }
}

/* A bucket cannot be emptier than empty, whatever the old rate would have taken to fill it. */
static void test_a_rate_that_was_raised_counts_at_once(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_rate_bytes = 1,
                                         .read_burst_bytes = 2000,
                                         .write_rate_bytes = 1,
                                         .write_burst_bytes = 1000};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 3000);
    static const char much[4000];
    party_stream_write(p->stream, much, sizeof(much));
    turns(bench);
    assert_int_equal(p->len, 2000);
    assert_int_equal(drain(p), 1000);
    limits.read_rate_bytes = limits.write_rate_bytes = 1000000000;
    limits.read_burst_bytes = limits.write_burst_bytes = 0;
    advance(bench, 1000); /* the waits that the old rate began end */
    advance(bench, 21);
    assert_int_equal(p->len, 3000);
    assert_int_equal(drain(p), 3000);
    probe_free(p);
}

static void test_peer_that_hangs_up_meanwhile_is_found(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_rate_bytes = 100, .read_burst_bytes = 10};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 20);
    turns(bench);
    peer_close(p);
    turns(bench);
    assert_int_equal(p->len, 10);
    assert_true(loop_is_idle(bench->loop));
    advance(bench, 100);
    assert_int_equal(p->len, 20); /* what came before the end is not lost */
    advance(bench, 100);
    assert_int_equal(p->ends, 1);
    probe_free(p);
}

static void test_closing_while_both_wait(void **state)
{
    struct bench *bench = *state;
    struct party_stream_limits limits = {.read_rate_bytes = 1, .write_rate_bytes = 1};
    struct probe *p = probe_open(bench->loop, bench->kind, &limits);
    fill_peer(p, 10);
    party_stream_write(p->stream, "0123456789", 10);
    turns(bench);
    party_stream_close(p->stream);
    advance(bench, 10000);
    assert_int_equal(p->closes, 1);
    probe_free(p);
}

static int limited(void *user)
{
    (void)user;
    static const struct party_stream_limits limits = {.read_rate_bytes = 1, .write_rate_bytes = 1};
    struct party_loop *loop = NULL;
    struct probe *p = calloc(1, sizeof(*p));
    int r = p ? party_loop_create(NULL, &loop) : -ENOMEM;
    if (r < 0) {
        free(p);
        return r;
    }
    int fds[2];
    make_pair(PAIR_UNIX, fds);
    p->take = SIZE_MAX;
    r = party_stream_create(loop, fds[0], &probe_ops, &limits, p, &p->stream);
    if (r < 0) {
        close(fds[0]);
    } else {
        assert_int_equal(write(fds[1], "12", 2), 2);
        party_stream_write(p->stream, "12", 2);
        for (int i = 0; i < 3; i++) {
            run_turn(loop);
        }
        r = p->closes ? p->reason : 0;
        party_stream_close(p->stream);
    }
    party_loop_destroy(loop);
    close(fds[1]);
    free(p);
    return r;
}

static void test_rate_limits_survive_no_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(limited, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_reading_stops_at_the_burst_and_goes_on_at_the_rate),
        ON_BOTH(test_whole_rate_is_reached),
        ON_BOTH(test_writing_is_paced),
        ON_BOTH(test_finish_is_paced_and_ends),
        ON_BOTH(test_silence_of_ours_is_not_the_peers),
        ON_BOTH(test_limits_may_change_while_they_bind),
        ON_BOTH(test_a_rate_that_was_raised_counts_at_once),
        ON_BOTH(test_rate_that_went_leaves_no_wait),
        ON_BOTH(test_peer_that_hangs_up_meanwhile_is_found),
        ON_BOTH(test_closing_while_both_wait),
        ON_UNIX(test_rate_limits_survive_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
