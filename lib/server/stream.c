/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "server/stream_internal.h"

/*
 * The life of a stream. Its input is in stream_in.c, its output in stream_out.c.
 *
 *   OPEN --finish--> FINISHING --output gone, our side shut, peer at its end, or time-out--> CLOSED
 *   OPEN --limit---> CUT --on_cut in this turn's phase 6--> FINISHING (or CLOSED without on_cut)
 *   any  --close, failure--> CLOSED --phase 7: on_close--> freed
 *
 * Only party__stream_die moves to CLOSED, and it does at once what must not wait (descriptor,
 * output, kept input, timer). The struct itself lives on until the loop's reap phase, so that
 * whoever walks over streams or stands in a callback of one never holds freed memory. The one task
 * of a stream serves both: queued for phase 6 it flushes; found CLOSED there, it goes on to
 * phase 7.
 *
 * While reading is paused or the peer has ended, a hang-up would be reported by epoll for ever,
 * asked for or not; such a stream leaves the loop's watch until it reads again (unwatched).
 */

#define FINISH_TIMEOUT_DEFAULT_MS 5000u

static const struct party_stream_limits default_limits = {
    .output_max_bytes = PARTY__OUTPUT_MAX_DEFAULT,
    .read_max_bytes = PARTY__READ_MAX_DEFAULT,
    .write_timeout_ms = 10000,
    .finish_timeout_ms = FINISH_TIMEOUT_DEFAULT_MS,
};

static void on_ready(struct party_watch *watch, unsigned events, void *user);
static void on_timer(struct party_timer *timer, void *user);
static void on_flush(struct party_task *task, void *user);
static void on_reap(struct party_task *task, void *user);

void party__stream_queue_task(struct party_stream *s)
{
    if (!s->task_queued) {
        s->task_queued = true;
        party_task_init(&s->task, on_flush, s);
        party_loop_defer(s->loop, &s->task);
    }
}

static void queue_reap(struct party_stream *s)
{
    if (!s->task_queued) {
        s->task_queued = true;
        party_task_init(&s->task, on_reap, s);
        party_loop_reap(s->loop, &s->task);
    }
}

void party__stream_die(struct party_stream *s, int reason)
{
    if (s->state == STREAM_CLOSED) {
        return;
    }
    s->state = STREAM_CLOSED;
    if (s->reason == 0) {
        s->reason = reason;
    }
    party_watch_stop(&s->watch);
    party_timer_stop(&s->timer);
    (void)close(s->fd); /* the descriptor is gone whatever close says (close(2), EINTR on Linux) */
    party__outq_finish(&s->out);
    if (s->tls) {
        party__stream_tls_die(s);
    }
    if (s->rate) {
        party_timer_stop(&s->rate->timer);
    }
    party__stream_drop_kept(s);
    queue_reap(s); /* a queued flush comes first and goes on to the reap phase itself */
}

void party__stream_update_watch(struct party_stream *s)
{
    if (s->state == STREAM_CLOSED) {
        return;
    }
    unsigned events =
        (party__stream_wants_input(s) ? PARTY_READ : 0u) | (s->blocked ? PARTY_WRITE : 0u);
    int r = 0;
    if (s->unwatched) {
        if (events != 0) {
            s->unwatched = false;
            r = party_watch_start(s->loop, &s->watch, s->fd, events, on_ready, s);
        }
    } else if (events != s->watch.events) {
        r = party_watch_modify(&s->watch, events);
    }
    if (r < 0) {
        party__stream_die(s, r);
    }
}

static void start_timer(struct party_stream *s, int64_t delay_ns)
{
    int r = party_timer_start(s->loop, &s->timer, delay_ns, on_timer, s);
    if (r < 0) {
        party__stream_die(s, r);
    }
}

void party__stream_cut(struct party_stream *s, int reason)
{
    if (s->state != STREAM_OPEN) {
        party__stream_die(s, reason);
        return;
    }
    s->state = STREAM_CUT;
    s->reason = reason;
    party__stream_queue_task(s);
}

/*
 * The time-outs of an open stream share the timer. It is not moved with each byte: it looks at the
 * last ones when it fires.
 */
static int64_t write_due_ns(const struct party_stream *s)
{
    int64_t timeout_ns = (int64_t)s->limits->write_timeout_ms * PARTY__NS_PER_MS;
    return timeout_ns > 0 && s->blocked ? s->progress_ns + timeout_ns : INT64_MAX;
}

static int64_t read_due_ns(const struct party_stream *s)
{
    int64_t timeout_ns = (int64_t)s->limits->read_timeout_ms * PARTY__NS_PER_MS;
    return timeout_ns > 0 && party__stream_wants_input(s) ? s->input_ns + timeout_ns : INT64_MAX;
}

static int64_t handshake_due_ns(const struct party_stream *s)
{
    return s->tls && !s->tls->secure ? s->tls->handshake_due_ns : INT64_MAX;
}

void party__stream_arm(struct party_stream *s)
{
    if (s->state != STREAM_OPEN) {
        return;
    }
    int64_t write_ns = write_due_ns(s), read_ns = read_due_ns(s);
    int64_t due_ns = write_ns < read_ns ? write_ns : read_ns;
    if (s->tls && handshake_due_ns(s) < due_ns) {
        due_ns = handshake_due_ns(s);
    }
    if (due_ns != INT64_MAX && (!s->timer.loop || s->timer.due_ns > due_ns)) {
        start_timer(s, due_ns - party_loop_now_ns(s->loop));
    }
}

static void on_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    struct party_stream *s = user;
    int64_t now_ns = party_loop_now_ns(s->loop);
    if (s->state == STREAM_FINISHING) {
        party__stream_die(s, party__stream_queued(s) > 0 ? PARTY_ETIMEOUT : 0);
    } else if (s->state != STREAM_OPEN) {
        return; /* cut already, and on_cut is still to come in this turn */
    } else if (now_ns >= handshake_due_ns(s)) {
        party__stream_die(s, PARTY_ETIMEOUT);
    } else if (now_ns >= write_due_ns(s)) {
        party__stream_cut(s, PARTY_EIDLE);
    } else if (now_ns >= read_due_ns(s)) {
        party__stream_cut(s, PARTY_ESILENT);
    } else {
        party__stream_arm(s);
    }
}

static void on_ready(struct party_watch *watch, unsigned events, void *user)
{
    (void)watch;
    struct party_stream *s = user;
    if (events & PARTY_WRITE) {
        party__stream_flush(s);
    }
    if (s->state == STREAM_CLOSED) {
        return;
    }
    if (party__stream_wants_input(s)) {
        if (events & (PARTY_READ | PARTY_ERROR)) {
            party__stream_read(s);
        }
    } else if ((events & PARTY_ERROR) && s->state != STREAM_CLOSED) {
        /* Nobody asks for input: the hang-up is found by the next read or write. */
        if (s->blocked || s->state == STREAM_FINISHING) {
            party__stream_die(s, -EPIPE);
        } else {
            party_watch_stop(&s->watch);
            s->unwatched = true;
        }
    }
}

static uint32_t finish_timeout_ms(const struct party_stream *s)
{
    return s->limits->finish_timeout_ms ? s->limits->finish_timeout_ms : FINISH_TIMEOUT_DEFAULT_MS;
}

static void finish_within(struct party_stream *s, uint32_t timeout_ms)
{
    s->state = STREAM_FINISHING;
    party__stream_drop_kept(s);
    party_loop_update_now(s->loop); /* it begins here, however long this turn took */
    start_timer(s, (int64_t)timeout_ms * PARTY__NS_PER_MS);
    if (s->state != STREAM_CLOSED) {
        party__stream_queue_task(s);
    }
}

void party__stream_fail(struct party_stream *s, int reason)
{
    s->reason = reason;
    finish_within(s, finish_timeout_ms(s));
}

static void run_cut(struct party_stream *s)
{
    int reason = s->reason;
    if (!s->ops->on_cut) {
        party__stream_die(s, reason);
        return;
    }
    s->in_cut = true;
    s->ops->on_cut(s, reason, s->user);
    s->in_cut = false;
    if (s->state == STREAM_CUT) {
        finish_within(s,
                      s->limits->cut_timeout_ms ? s->limits->cut_timeout_ms : finish_timeout_ms(s));
    }
}

/* Phase 7: nobody holds the stream any more. */
static void on_reap(struct party_task *task, void *user)
{
    (void)task;
    struct party_stream *s = user;
    s->ops->on_close(s, s->reason, s->user);
    if (s->tls) {
        party__stream_tls_free(s);
    }
    free(s->rate);
    free(s);
}

/* Phase 6: what the turn gathered. */
static void on_flush(struct party_task *task, void *user)
{
    (void)task;
    struct party_stream *s = user;
    s->task_queued = false;
    if (s->state == STREAM_CUT) {
        run_cut(s);
    }
    if (s->kept && !s->paused && s->state == STREAM_OPEN) {
        party__stream_hand_over_kept(s);
    }
    if (s->tls && s->state != STREAM_CLOSED) {
        party__stream_tls_go_on(s);
    }
    party__stream_tell_end(s);
    if (s->state != STREAM_CLOSED && !s->blocked) {
        party__stream_flush(s);
    }
    if (s->state == STREAM_CLOSED) {
        queue_reap(s);
    }
}

int party_stream_create(struct party_loop *loop, int fd, const struct party_stream_ops *ops,
                        const struct party_stream_limits *limits, void *user,
                        struct party_stream **ret_stream)
{
    PARTY__REQUIRE(-EINVAL, loop, ops, ret_stream);
    if (ops == NULL || ops->on_data == NULL || ops->on_close == NULL) {
        return -EINVAL;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)) {
        return -errno;
    }
    struct party_stream *s = calloc(1, sizeof(*s));
    if (!s) {
        return -ENOMEM;
    }
    s->loop = loop;
    s->ops = ops;
    s->user = user;
    s->limits = limits ? limits : &default_limits;
    s->fd = fd;
    party__outq_init(&s->out);
    int r = party_watch_start(loop, &s->watch, fd, PARTY_READ, on_ready, s);
    if (r < 0) {
        free(s);
        return r;
    }
    party_loop_update_now(loop); /* time-outs begin here, however long this turn took */
    s->input_ns = party_loop_now_ns(loop);
    int64_t due_ns = read_due_ns(s);
    if (due_ns != INT64_MAX) {
        r = party_timer_start(loop, &s->timer, due_ns - s->input_ns, on_timer, s);
        if (r < 0) {
            party_watch_stop(&s->watch);
            free(s);
            return r;
        }
    }
    *ret_stream = s;
    return 0;
}

void party_stream_close(struct party_stream *stream)
{
    if (stream) {
        party__stream_die(stream, 0);
    }
}

void party_stream_finish(struct party_stream *stream)
{
    PARTY__REQUIRE_VOID(stream);
    if (stream->state != STREAM_OPEN) {
        return;
    }
    finish_within(stream, finish_timeout_ms(stream));
}

bool party_stream_is_closing(const struct party_stream *stream)
{
    PARTY__REQUIRE(false, stream);
    return stream->state != STREAM_OPEN;
}

int party_stream_fileno(const struct party_stream *stream)
{
    PARTY__REQUIRE(-EINVAL, stream);
    return stream->state == STREAM_CLOSED ? -1 : stream->fd;
}

struct party_loop *party_stream_loop(const struct party_stream *stream)
{
    PARTY__REQUIRE(NULL, stream);
    return stream->loop;
}

void *party_stream_user(const struct party_stream *stream)
{
    PARTY__REQUIRE(NULL, stream);
    return stream->user;
}

void party_stream_set_user(struct party_stream *stream, const struct party_stream_ops *ops,
                           void *user)
{
    PARTY__REQUIRE_VOID(stream, ops);
    stream->ops = ops;
    stream->user = user;
}
