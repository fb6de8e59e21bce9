/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "server/stream_internal.h"

/*
 * The life of a stream.
 *
 *   OPEN --finish--> FINISHING --output gone, our side shut, peer at its end, or time-out--> CLOSED
 *   OPEN --limit---> CUT --on_cut in this turn's phase 6--> FINISHING (or CLOSED without on_cut)
 *   any  --close, failure--> CLOSED --phase 7: on_close--> freed
 *
 * Only stream_die moves to CLOSED, and it does at once what must not wait (descriptor, output, kept
 * input, timer). The struct itself lives on until the loop's reap phase, so that whoever walks over
 * streams or stands in a callback of one never holds freed memory. The one task of a stream serves
 * both: queued for phase 6 it flushes; found CLOSED there, it goes on to phase 7.
 *
 * While reading is paused or the peer has ended, a hang-up would be reported by epoll for ever,
 * asked for or not; such a stream leaves the loop's watch until it reads again (unwatched).
 */

#define OUTPUT_MAX_DEFAULT        (96u * 1024u)
#define READ_MAX_DEFAULT          (16u * 1024u)
#define READ_MAX_CEILING          (64u * 1024u)
#define FINISH_TIMEOUT_DEFAULT_MS 5000u
#define IOV_PER_SEND              64
#define NS_PER_MS                 1000000ll

enum stream_state { STREAM_OPEN, STREAM_CUT, STREAM_FINISHING, STREAM_CLOSED };

struct party_stream {
    struct party_watch watch;
    struct party_timer timer; /* OPEN: write time-out; FINISHING: its end */
    struct party_task task;
    const struct party_stream_ops *ops;
    void *user;
    const struct party_stream_limits *limits;
    struct party_loop *loop;
    struct party__outq out;
    uint8_t *kept; /* input that on_data did not take; NULL while there is none */
    uint32_t kept_len;
    int fd;
    int reason;
    int64_t progress_ns; /* when output last went out, while blocked */
    int64_t input_ns;    /* when input last came, or was asked for again */
    uint8_t state;
    bool task_queued;
    bool paused;
    bool ended; /* the peer sent its end */
    bool end_told;
    bool blocked; /* the socket takes no more for now */
    bool shut;    /* our side is shut down */
    bool unwatched;
    bool in_cut; /* on_cut runs: the last words may be written */
};

static const struct party_stream_limits default_limits = {
    .output_max_bytes = OUTPUT_MAX_DEFAULT,
    .read_max_bytes = READ_MAX_DEFAULT,
    .write_timeout_ms = 10000,
    .finish_timeout_ms = FINISH_TIMEOUT_DEFAULT_MS,
};

static void on_ready(struct party_watch *watch, unsigned events, void *user);
static void on_timer(struct party_timer *timer, void *user);

static uint32_t output_max(const struct party_stream *s)
{
    return s->limits->output_max_bytes ? s->limits->output_max_bytes : OUTPUT_MAX_DEFAULT;
}

static void on_flush(struct party_task *task, void *user);
static void on_reap(struct party_task *task, void *user);

static void queue_task(struct party_stream *s)
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

static void stream_die(struct party_stream *s, int reason)
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
    free(s->kept);
    s->kept = NULL;
    queue_reap(s); /* a queued flush comes first and goes on to the reap phase itself */
}

static bool wants_input(const struct party_stream *s)
{
    return !s->ended && (s->state == STREAM_FINISHING || !s->paused);
}

/* Brings the loop's watch in line with what the stream waits for. */
static void update_watch(struct party_stream *s)
{
    if (s->state == STREAM_CLOSED) {
        return;
    }
    unsigned events = (wants_input(s) ? PARTY_READ : 0u) | (s->blocked ? PARTY_WRITE : 0u);
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
        stream_die(s, r);
    }
}

static void start_timer(struct party_stream *s, int64_t delay_ns)
{
    int r = party_timer_start(s->loop, &s->timer, delay_ns, on_timer, s);
    if (r < 0) {
        stream_die(s, r);
    }
}

static void cut(struct party_stream *s, int reason)
{
    if (s->state != STREAM_OPEN) {
        stream_die(s, reason);
        return;
    }
    s->state = STREAM_CUT;
    s->reason = reason;
    queue_task(s);
}

/* Sends what the socket takes. Returns: 0, also when it takes no more for now; -errno. */
static int send_some(struct party_stream *s)
{
    while (s->out.count > 0) {
        struct iovec iov[IOV_PER_SEND];
        struct msghdr msg = {.msg_iov = iov};
        int n = party__outq_iov(&s->out, iov, IOV_PER_SEND);
        msg.msg_iovlen = (size_t)n;
        ssize_t sent;
        if (n == 1) {
            sent = send(s->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
        } else {
            sent = sendmsg(s->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (sent == -1) {
            if (errno == EINTR) {
                continue;
            }
            return errno == EAGAIN ? 0 : -errno;
        }
        party__outq_consume(&s->out, (size_t)sent);
        s->progress_ns = party_loop_now_ns(s->loop);
    }
    return 0;
}

static void after_output_gone(struct party_stream *s)
{
    if (s->state != STREAM_FINISHING || s->shut) {
        return;
    }
    s->shut = true;
    if (shutdown(s->fd, SHUT_WR) == -1 || s->ended) {
        stream_die(s, 0);
    }
}

/*
 * The time-outs of an open stream share the timer. It is not moved with each byte: it looks at the
 * last ones when it fires.
 */
static int64_t write_due_ns(const struct party_stream *s)
{
    int64_t timeout_ns = (int64_t)s->limits->write_timeout_ms * NS_PER_MS;
    return timeout_ns > 0 && s->blocked ? s->progress_ns + timeout_ns : INT64_MAX;
}

static int64_t read_due_ns(const struct party_stream *s)
{
    int64_t timeout_ns = (int64_t)s->limits->read_timeout_ms * NS_PER_MS;
    return timeout_ns > 0 && wants_input(s) ? s->input_ns + timeout_ns : INT64_MAX;
}

/* Has the timer fire when the first of them may be due. */
static void arm(struct party_stream *s)
{
    if (s->state != STREAM_OPEN) {
        return;
    }
    int64_t write_ns = write_due_ns(s), read_ns = read_due_ns(s);
    int64_t due_ns = write_ns < read_ns ? write_ns : read_ns;
    if (due_ns != INT64_MAX && (!s->timer.loop || s->timer.due_ns > due_ns)) {
        start_timer(s, due_ns - party_loop_now_ns(s->loop));
    }
}

static void flush(struct party_stream *s)
{
    int r = send_some(s);
    if (r < 0) {
        stream_die(s, r);
        return;
    }
    bool blocked = s->out.count > 0;
    bool newly = blocked && !s->blocked;
    s->blocked = blocked;
    if (newly) {
        s->progress_ns = party_loop_now_ns(s->loop);
        arm(s);
    }
    if (!blocked) {
        after_output_gone(s);
    }
    update_watch(s);
}

static void on_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    struct party_stream *s = user;
    int64_t now_ns = party_loop_now_ns(s->loop);
    if (s->state == STREAM_FINISHING) {
        stream_die(s, 0);
    } else if (s->state != STREAM_OPEN) {
        return; /* cut already, and on_cut is still to come in this turn */
    } else if (now_ns >= write_due_ns(s)) {
        cut(s, PARTY_EIDLE);
    } else if (now_ns >= read_due_ns(s)) {
        cut(s, PARTY_ESILENT);
    } else {
        arm(s);
    }
}

/* Keeps what the front did not take. */
static void keep(struct party_stream *s, const uint8_t *data, size_t len)
{
    if (party_stream_unread(s, data, len) < 0) {
        stream_die(s, -ENOMEM);
        return;
    }
    s->paused = true;
}

static void hand_over(struct party_stream *s, const uint8_t *data, size_t len)
{
    size_t taken = s->ops->on_data(s, data, len, s->user);
    if (s->state == STREAM_OPEN && taken < len) {
        keep(s, data + taken, len - taken);
        update_watch(s);
    }
}

static void hand_over_kept(struct party_stream *s)
{
    uint8_t *kept = s->kept;
    size_t len = s->kept_len;
    s->kept = NULL;
    s->kept_len = 0;
    hand_over(s, kept, len);
    free(kept);
}

/* The end of input comes after all input: not while some is kept or reading is paused. */
static void tell_end(struct party_stream *s)
{
    if (!s->ended || s->end_told || s->kept || s->paused || s->state != STREAM_OPEN) {
        return;
    }
    s->end_told = true;
    if (s->ops->on_end) {
        s->ops->on_end(s, s->user);
    } else {
        party_stream_finish(s);
    }
}

static void on_peer_end(struct party_stream *s)
{
    s->ended = true;
    if (s->state == STREAM_FINISHING && s->shut) {
        stream_die(s, 0);
        return;
    }
    tell_end(s);
    update_watch(s);
}

static void read_some(struct party_stream *s)
{
    if (s->kept) {
        return; /* they come first, in this turn's phase 6 */
    }
    uint8_t bytes[READ_MAX_CEILING];
    size_t max = s->limits->read_max_bytes ? s->limits->read_max_bytes : READ_MAX_DEFAULT;
    if (max > sizeof(bytes)) {
        max = sizeof(bytes);
    }
    ssize_t n = recv(s->fd, bytes, max, MSG_DONTWAIT);
    if (n > 0) {
        s->input_ns = party_loop_now_ns(s->loop);
        arm(s); /* the limits may have changed */
        if (s->state == STREAM_OPEN) {
            hand_over(s, bytes, (size_t)n);
        }
    } else if (n == 0) {
        on_peer_end(s);
    } else if (errno != EAGAIN && errno != EINTR) {
        stream_die(s, -errno);
    }
}

static void on_ready(struct party_watch *watch, unsigned events, void *user)
{
    (void)watch;
    struct party_stream *s = user;
    if (events & PARTY_WRITE) {
        flush(s);
    }
    if (s->state == STREAM_CLOSED) {
        return;
    }
    if (wants_input(s)) {
        if (events & (PARTY_READ | PARTY_ERROR)) {
            read_some(s);
        }
    } else if ((events & PARTY_ERROR) && s->state != STREAM_CLOSED) {
        /* Nobody asks for input: the hang-up is found by the next read or write. */
        if (s->blocked || s->state == STREAM_FINISHING) {
            stream_die(s, -EPIPE);
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
    free(s->kept);
    s->kept = NULL;
    s->kept_len = 0;
    start_timer(s, (int64_t)timeout_ms * NS_PER_MS);
    if (s->state != STREAM_CLOSED) {
        queue_task(s);
    }
}

static void run_cut(struct party_stream *s)
{
    int reason = s->reason;
    if (!s->ops->on_cut) {
        stream_die(s, reason);
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
        hand_over_kept(s);
    }
    tell_end(s);
    if (s->state != STREAM_CLOSED && !s->blocked) {
        flush(s);
    }
    if (s->state == STREAM_CLOSED) {
        queue_reap(s);
    }
}

int party_stream_create(struct party_loop *loop, int fd, const struct party_stream_ops *ops,
                        const struct party_stream_limits *limits, void *user,
                        struct party_stream **ret_stream)
{
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

/* Whether n more bytes may be queued; cuts the stream when they may not. */
static bool admit_output(struct party_stream *s, size_t n)
{
    if (s->state == STREAM_CUT) {
        return s->in_cut && n <= UINT32_MAX - s->out.bytes;
    }
    if (s->state != STREAM_OPEN) {
        return false;
    }
    /* The limit may have been lowered below what is queued. */
    if (n > output_max(s) || s->out.bytes > output_max(s) - n) {
        cut(s, PARTY_EOVERFLOW);
        return false;
    }
    return true;
}

void party_stream_write_span(struct party_stream *s, struct party_buf *buf, uint32_t from,
                             uint32_t to)
{
    if (!admit_output(s, to - from)) {
        return;
    }
    if (party__outq_push(&s->out, buf, from, to) < 0) {
        stream_die(s, -ENOMEM);
        return;
    }
    queue_task(s);
}

void party_stream_write(struct party_stream *s, const void *bytes, size_t len)
{
    if (!admit_output(s, len)) {
        return;
    }
    if (party__outq_copy(&s->out, bytes, (uint32_t)len) < 0) {
        stream_die(s, -ENOMEM);
        return;
    }
    queue_task(s);
}

void party_stream_drop_queued(struct party_stream *s, int delimiter)
{
    if (s->state == STREAM_CLOSED) {
        return;
    }
    party__outq_drop(&s->out, delimiter);
    if (s->blocked && s->out.count == 0) {
        s->blocked = false; /* nothing waits for the peer any more, so no time-out runs either */
        queue_task(s);
    }
}

void party_stream_close(struct party_stream *s)
{
    if (s) {
        stream_die(s, 0);
    }
}

void party_stream_finish(struct party_stream *s)
{
    if (s->state != STREAM_OPEN) {
        return;
    }
    finish_within(s, finish_timeout_ms(s));
}

void party_stream_pause(struct party_stream *s)
{
    if (!s->paused) {
        s->paused = true;
        update_watch(s);
    }
}

void party_stream_resume(struct party_stream *s)
{
    if (s->paused) {
        s->paused = false;
        s->input_ns = party_loop_now_ns(s->loop);
        if (s->kept || s->ended) {
            queue_task(s);
        }
        update_watch(s);
        arm(s);
    }
}

int party_stream_unread(struct party_stream *s, const void *bytes, size_t len)
{
    if (s->state != STREAM_OPEN || len == 0) {
        return 0;
    }
    uint8_t *kept = malloc(len + s->kept_len);
    if (!kept) {
        return -ENOMEM;
    }
    memcpy(kept, bytes, len);
    if (s->kept) {
        memcpy(kept + len, s->kept, s->kept_len);
        free(s->kept);
    }
    s->kept = kept;
    s->kept_len += (uint32_t)len;
    s->end_told = false;
    queue_task(s);
    return 0;
}

size_t party_stream_peek_queued(const struct party_stream *s, void *buf, size_t len)
{
    return party__outq_peek(&s->out, buf, len);
}

bool party_stream_is_paused(const struct party_stream *s)
{
    return s->paused;
}

size_t party_stream_queued(const struct party_stream *s)
{
    return s->out.bytes;
}

size_t party_stream_output_room(const struct party_stream *s)
{
    return s->out.bytes < output_max(s) ? output_max(s) - s->out.bytes : 0;
}

bool party_stream_is_closing(const struct party_stream *s)
{
    return s->state != STREAM_OPEN;
}

int party_stream_fileno(const struct party_stream *s)
{
    return s->state == STREAM_CLOSED ? -1 : s->fd;
}

struct party_loop *party_stream_loop(const struct party_stream *s)
{
    return s->loop;
}

void *party_stream_user(const struct party_stream *s)
{
    return s->user;
}

void party_stream_set_user(struct party_stream *s, const struct party_stream_ops *ops, void *user)
{
    s->ops = ops;
    s->user = user;
}
