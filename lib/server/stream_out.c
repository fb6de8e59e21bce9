/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "server/stream_internal.h"

/*
 * The output of a stream: from the queue to the socket. Nothing is sent where it is written:
 * party__stream_flush, which the stream's task calls in phase 6 and its watch when the socket takes
 * more, sends what the turn has gathered.
 */

#define IOV_PER_SEND 64

static uint32_t output_max(const struct party_stream *s)
{
    return s->limits->output_max_bytes ? s->limits->output_max_bytes : PARTY__OUTPUT_MAX_DEFAULT;
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
        party__stream_die(s, 0);
    }
}

void party__stream_flush(struct party_stream *s)
{
    int r = send_some(s);
    if (r < 0) {
        party__stream_die(s, r);
        return;
    }
    bool blocked = s->out.count > 0;
    bool newly = blocked && !s->blocked;
    s->blocked = blocked;
    if (newly) {
        s->progress_ns = party_loop_now_ns(s->loop);
        party__stream_arm(s);
    }
    if (!blocked) {
        after_output_gone(s);
    }
    party__stream_update_watch(s);
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
        party__stream_cut(s, PARTY_EOVERFLOW);
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
        party__stream_die(s, -ENOMEM);
        return;
    }
    party__stream_queue_task(s);
}

void party_stream_write(struct party_stream *s, const void *bytes, size_t len)
{
    if (!admit_output(s, len)) {
        return;
    }
    if (party__outq_copy(&s->out, bytes, (uint32_t)len) < 0) {
        party__stream_die(s, -ENOMEM);
        return;
    }
    party__stream_queue_task(s);
}

void party_stream_drop_queued(struct party_stream *s, int delimiter)
{
    if (s->state == STREAM_CLOSED) {
        return;
    }
    party__outq_drop(&s->out, delimiter);
    if (s->blocked && s->out.count == 0) {
        s->blocked = false; /* nothing waits for the peer any more, so no time-out runs either */
        party__stream_queue_task(s);
    }
}

size_t party_stream_peek_queued(const struct party_stream *s, void *buf, size_t len)
{
    return party__outq_peek(&s->out, buf, len);
}

size_t party_stream_queued(const struct party_stream *s)
{
    return s->out.bytes;
}

size_t party_stream_output_room(const struct party_stream *s)
{
    return s->out.bytes < output_max(s) ? output_max(s) - s->out.bytes : 0;
}
