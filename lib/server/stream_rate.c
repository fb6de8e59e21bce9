/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "server/stream_internal.h"

/*
 * Rate limits: a token bucket for each direction, of which only one number is kept: when it will be
 * full. What is in it follows from the time, so nothing has to run while nobody asks.
 *
 * An empty bucket makes its direction wait until a part of a burst is there (a fiftieth of a
 * second, as a rule): a timer for each single byte would cost more than the bytes.
 */

#define WAITS_PER_S 50u

static uint32_t burst_of(uint32_t rate, uint32_t burst)
{
    return burst ? burst : rate;
}

static uint32_t quantum_of(uint32_t rate, uint32_t burst)
{
    uint32_t quantum = rate / WAITS_PER_S + 1;
    return quantum < burst ? quantum : burst;
}

/* How long it takes for n bytes to come, rounded up. */
static int64_t time_of(uint32_t n, uint32_t rate)
{
    return (int64_t)(((uint64_t)n * (uint64_t)PARTY__NS_PER_S + rate - 1) / rate);
}

/* Bytes in the bucket. It is never emptier than empty: when the rate was raised, or the burst made
   smaller, it fills from there at the new rate. */
static uint32_t level(int64_t *full_ns, int64_t now_ns, uint32_t rate, uint32_t burst)
{
    if (*full_ns <= now_ns) {
        return burst;
    }
    int64_t empty_ns = now_ns + time_of(burst, rate);
    if (*full_ns >= empty_ns) {
        *full_ns = empty_ns;
        return 0;
    }
    /* Less than the burst times PARTY__NS_PER_S, and rounding up. */
    uint64_t missing = (uint64_t)(*full_ns - now_ns) * rate;
    missing = (missing + (uint64_t)PARTY__NS_PER_S - 1) / (uint64_t)PARTY__NS_PER_S;
    return missing < burst ? burst - (uint32_t)missing : 0;
}

static void take(int64_t *full_ns, int64_t now_ns, uint32_t rate, size_t n)
{
    int64_t from_ns = *full_ns > now_ns ? *full_ns : now_ns;
    *full_ns = from_ns + time_of((uint32_t)n, rate);
}

static struct party__stream_rate *state_of(struct party_stream *s)
{
    if (!s->rate) {
        s->rate = calloc(1, sizeof(*s->rate));
        if (!s->rate) {
            party__stream_die(s, -ENOMEM);
        }
    }
    return s->rate;
}

static void on_rate(struct party_timer *timer, void *user);

static void start_timer(struct party_stream *s)
{
    struct party__stream_rate *rate = s->rate;
    int64_t in_ns = rate->in_waits ? rate->in_due_ns : PARTY__NEVER_NS;
    int64_t out_ns = rate->out_waits ? rate->out_due_ns : PARTY__NEVER_NS;
    int64_t due_ns = in_ns < out_ns ? in_ns : out_ns;
    if (due_ns == PARTY__NEVER_NS) {
        return;
    }
    int r =
        party_timer_start(s->loop, &rate->timer, due_ns - party_loop_now_ns(s->loop), on_rate, s);
    if (r < 0) {
        party__stream_die(s, r);
    }
}

static void on_rate(struct party_timer *timer, void *user)
{
    (void)timer;
    struct party_stream *s = user;
    struct party__stream_rate *rate = s->rate;
    int64_t now_ns = party_loop_now_ns(s->loop);
    if (rate->in_waits && rate->in_due_ns <= now_ns) {
        rate->in_waits = false;
        s->input_ns = now_ns; /* the silence was ours */
        party__stream_update_watch(s);
        party__stream_arm(s);
    }
    if (s->state != STREAM_CLOSED && rate->out_waits && rate->out_due_ns <= now_ns) {
        rate->out_waits = false;
        party__stream_queue_task(s);
    }
    if (s->state != STREAM_CLOSED) {
        start_timer(s);
    }
}

size_t party__stream_rate_in(struct party_stream *s, size_t max)
{
    uint32_t rate = s->limits->read_rate_bytes;
    uint32_t burst = burst_of(rate, s->limits->read_burst_bytes);
    uint32_t quantum = quantum_of(rate, burst);
    struct party__stream_rate *state = state_of(s);
    if (!state) {
        return 0;
    }
    int64_t now_ns = party_loop_now_ns(s->loop);
    uint32_t there = level(&state->in_full_ns, now_ns, rate, burst);
    if (there >= quantum) {
        return there < max ? there : max;
    }
    state->in_waits = true;
    state->in_due_ns = now_ns + time_of(quantum - there, rate);
    start_timer(s);
    party__stream_update_watch(s);
    return 0;
}

void party__stream_rate_came(struct party_stream *s, size_t n)
{
    take(&s->rate->in_full_ns, party_loop_now_ns(s->loop), s->limits->read_rate_bytes, n);
}

size_t party__stream_rate_out(struct party_stream *s)
{
    uint32_t rate = s->limits->write_rate_bytes;
    uint32_t burst = burst_of(rate, s->limits->write_burst_bytes);
    uint32_t quantum = quantum_of(rate, burst);
    struct party__stream_rate *state = state_of(s);
    if (!state) {
        return 0;
    }
    int64_t now_ns = party_loop_now_ns(s->loop);
    uint32_t there = level(&state->out_full_ns, now_ns, rate, burst);
    if (there >= quantum || there >= s->out.bytes) {
        state->out_waits = false; /* the rate was raised meanwhile */
        return there;
    }
    uint32_t wanted = quantum < s->out.bytes ? quantum : s->out.bytes;
    state->out_waits = true;
    state->out_due_ns = now_ns + time_of(wanted - there, rate);
    start_timer(s);
    return 0;
}

void party__stream_rate_sent(struct party_stream *s, size_t n)
{
    take(&s->rate->out_full_ns, party_loop_now_ns(s->loop), s->limits->write_rate_bytes, n);
}

int party__stream_rate_clip(struct iovec *iov, int count, size_t max)
{
    for (int i = 0; i < count; i++) {
        if (iov[i].iov_len >= max) {
            iov[i].iov_len = max;
            return i + 1;
        }
        max -= iov[i].iov_len;
    }
    return count;
}
