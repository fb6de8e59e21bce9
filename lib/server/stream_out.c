/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/require.h"
#include "server/stream_internal.h"

/*
 * The output of a stream: from the queue to the socket. Nothing is sent where it is written:
 * party__stream_flush, which the stream's task calls in phase 6 and its watch when the socket takes
 * more, sends what the turn has gathered.
 */

#define IOV_PER_SEND 64

/* So many bytes are worth a system call of their own, if that saves copying them. */
#define COPY_MAX_BYTES (16u * 1024u)

/* Sends what the socket takes. Returns: 0, also when it takes no more for now; -errno. */
static int send_out(struct party_stream *s)
{
    while (s->out.count > 0) {
        struct iovec iov[IOV_PER_SEND];
        struct msghdr msg = {.msg_iov = iov};
        int n = party__outq_iov(&s->out, iov, IOV_PER_SEND);
        bool limited = s->limits->write_rate_bytes != 0;
        if (limited) {
            size_t max = party__stream_rate_out(s);
            if (max == 0) {
                return 0;
            }
            n = party__stream_rate_clip(iov, n, max);
        }
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
        if (limited) {
            party__stream_rate_sent(s, (size_t)sent);
        }
        party__outq_consume(&s->out, (size_t)sent);
        s->progress_ns = party_loop_now_ns(s->loop);
    }
    return 0;
}

/* The same; with TLS, what waits is encrypted as the socket takes it. */
static int send_some(struct party_stream *s)
{
    if (!s->tls) {
        return send_out(s);
    }
    for (;;) {
        int encrypted = party__stream_tls_encrypt(s);
        int r = encrypted < 0 ? encrypted : send_out(s);
        if (r < 0 || encrypted == 0 || s->out.count > 0) {
            return r;
        }
    }
}

static uint32_t low_mark(const struct party_stream *s)
{
    return s->limits->output_low_bytes ? s->limits->output_low_bytes
                                       : party__stream_output_max(s) / 4;
}

/* What was written may be enough that somebody waits for it to go: sent bytes of it have gone at
 * once, which its writer does not see. */
static void note_written(struct party_stream *s, size_t sent)
{
    s->above_low = s->above_low || party__stream_queued(s) + sent > low_mark(s);
    party__stream_queue_task(s);
}

static void tell_drain(struct party_stream *s)
{
    if (s->above_low && s->state == STREAM_OPEN && party__stream_queued(s) <= low_mark(s)) {
        s->above_low = false;
        if (s->ops->on_drain) {
            s->ops->on_drain(s, s->user);
        }
    }
}

static void after_output_gone(struct party_stream *s)
{
    if (s->state != STREAM_FINISHING || s->shut || (s->tls && !party__stream_tls_is_done(s))) {
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
    if (s->state == STREAM_CLOSED) {
        return;
    }
    bool paced = s->rate && s->rate->out_waits && s->limits->write_rate_bytes != 0;
    bool blocked = s->out.count > 0 && !paced;
    bool newly = blocked && !s->blocked;
    s->blocked = blocked;
    if (newly) {
        s->progress_ns = party_loop_now_ns(s->loop);
        party__stream_arm(s);
    }
    if (s->out.count == 0) {
        after_output_gone(s);
    }
    party__stream_update_watch(s);
    tell_drain(s);
}

/* The limit may have been lowered below what is queued. */
static bool is_over(const struct party_stream *s, size_t n)
{
    uint32_t max = party__stream_output_max(s);
    return n > max || party__stream_queued(s) > max - n;
}

/* A turn may bring more than the limit to a peer who reads: what the socket takes goes out first.
 */
static bool make_room(struct party_stream *s, size_t n)
{
    int r = send_some(s);
    if (r < 0) {
        party__stream_die(s, r);
    }
    return s->state == STREAM_OPEN && !is_over(s, n);
}

/* Whether n more bytes may be queued; cuts the stream when they may not. */
static bool admit_output(struct party_stream *s, size_t n)
{
    if (s->state == STREAM_CUT) {
        return s->in_cut && n <= UINT32_MAX - party__stream_queued(s);
    }
    if (s->state != STREAM_OPEN) {
        return false;
    }
    if (!is_over(s, n) || make_room(s, n)) {
        return true;
    }
    if (s->state == STREAM_OPEN) {
        party__stream_cut(s, PARTY_EOVERFLOW);
    }
    return false;
}

void party_stream_write_span(struct party_stream *stream, struct party_buf *buf, uint32_t from,
                             uint32_t to)
{
    PARTY__REQUIRE_VOID(stream, buf);
    if (from > to || to > buf->len) {
        party__stream_die(stream,
                          -EINVAL); /* what lies behind the bytes written is nobody's to see */
        return;
    }
    if (!admit_output(stream, to - from)) {
        return;
    }
    if (party__outq_push(party__stream_queue(stream), buf, from, to) < 0) {
        party__stream_die(stream, -ENOMEM);
        return;
    }
    note_written(stream, 0);
}

/* Whether bytes may go out at once: they overtake nothing, and nothing has to be done to them. */
static bool may_send_now(const struct party_stream *s)
{
    return s->state == STREAM_OPEN && s->out.count == 0 && !s->blocked && !s->tls &&
           s->limits->write_rate_bytes == 0;
}

size_t party_stream_try_write(struct party_stream *stream, const void *bytes, size_t len)
{
    PARTY__REQUIRE(0, stream);
    PARTY__REQUIRE_BYTES(0, bytes, len);
    if (len == 0 || !may_send_now(stream)) {
        return 0;
    }
    ssize_t sent = send(stream->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
        party__outq_note_sent(&stream->out, ((const uint8_t *)bytes)[sent - 1]);
        return (size_t)sent;
    }
    if (errno != EAGAIN && errno != EINTR) {
        party__stream_die(stream, -errno);
        return 0;
    }
    return 0;
}

void party_stream_write(struct party_stream *stream, const void *bytes, size_t len)
{
    PARTY__REQUIRE_VOID(stream);
    PARTY__REQUIRE_BYTES_VOID(bytes, len);
    size_t sent = 0;
    if (len >= COPY_MAX_BYTES) {
        sent = party_stream_try_write(stream, bytes, len);
        bytes = (const uint8_t *)bytes + sent;
        len -= sent;
    }
    bool is_admitted = admit_output(stream, len);
    /* What has gone may end within a line, whose rest on_cut has to find. */
    bool is_torn = sent > 0 && stream->state == STREAM_CUT && len <= UINT32_MAX;
    if (!is_admitted && !(is_torn && stream->ops->on_cut)) {
        return;
    }
    if (party__outq_copy(party__stream_queue(stream), bytes, (uint32_t)len) < 0) {
        party__stream_die(stream, -ENOMEM);
        return;
    }
    note_written(stream, sent);
}

void party_stream_drop_queued(struct party_stream *stream, int delimiter)
{
    PARTY__REQUIRE_VOID(stream);
    if (stream->state == STREAM_CLOSED) {
        return;
    }
    party__outq_drop(party__stream_queue(stream), delimiter);
    if (stream->blocked && stream->out.count == 0) {
        stream->blocked =
            false; /* nothing waits for the peer any more, so no time-out runs either */
        party__stream_queue_task(stream);
    }
}

size_t party_stream_peek_queued(const struct party_stream *stream, void *buf, size_t len)
{
    PARTY__REQUIRE(0, stream);
    PARTY__REQUIRE_BYTES(0, buf, len);
    return party__outq_peek(stream->tls ? &stream->tls->plain : &stream->out, buf, len);
}

size_t party_stream_queued(const struct party_stream *stream)
{
    PARTY__REQUIRE(0, stream);
    return party__stream_queued(stream);
}

size_t party_stream_output_room(const struct party_stream *stream)
{
    PARTY__REQUIRE(0, stream);
    uint32_t max = party__stream_output_max(stream), queued = party__stream_queued(stream);
    return queued < max ? max - queued : 0;
}
