/* SPDX-License-Identifier: MIT */
#include <partyline/stream.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "server/stream_internal.h"
#include "sock/tls_internal.h"

/*
 * TLS on a stream.
 *
 *     socket -> read -> party__stream_tls_input -> records decrypted -> hand_over -> on_data
 *     write -> tls->plain -> party__stream_tls_encrypt, at flush -> s->out -> socket
 *
 * s->out holds what goes on the wire, with TLS as without, so one path sends all streams, and what
 * was written in plain text before party_stream_start_tls goes first. Plain text waits in a queue
 * of its own and is encrypted when the wire has taken what came before: what is dropped, peeked at
 * and limited is plain text, and a record that was made is always sent whole.
 *
 * Input that cannot be used yet stays encrypted (kept), as reading is paused or plain text kept
 * already. Nothing is held for an idle stream but what TLS itself remembers.
 *
 * When TLS fails we often owe the peer an alert, so the stream does not die but finishes, with the
 * failure as its reason; what still comes is dropped undecrypted (broken).
 */

/* No more is encrypted ahead than this, as it cannot be dropped any more. */
#define WIRE_MAX_BYTES               (64u * 1024u)
#define RECORD_MAX_BYTES             16384u
#define HANDSHAKE_TIMEOUT_DEFAULT_MS 10000u

static ssize_t io_recv(void *user, void *buf, size_t len)
{
    struct party__stream_tls *t = ((struct party_stream *)user)->tls;
    if (t->in_len == 0) {
        return t->wire_ended ? 0 : -EAGAIN;
    }
    len = len < t->in_len ? len : t->in_len;
    memcpy(buf, t->in, len);
    t->in += len;
    t->in_len -= len;
    return (ssize_t)len;
}

static ssize_t io_send(void *user, const void *buf, size_t len)
{
    struct party_stream *s = user;
    if (s->state == STREAM_CLOSED) {
        return -EPIPE; /* by a callback of TLS: its queue is not emptied again */
    }
    int r = party__outq_copy(&s->out, buf, (uint32_t)len);
    if (r < 0) {
        return r;
    }
    party__stream_queue_task(s);
    return (ssize_t)len;
}

static const struct party__tls_io stream_io = {.recv = io_recv, .send = io_send};

/* ---- failures ---- */

static bool owes_an_alert(int error)
{
    return error < -4095 && error != PARTY_ETLS_ALERT && error != PARTY_ETLS_TRUNCATED;
}

static void fail(struct party_stream *s, int error)
{
    struct party__stream_tls *t = s->tls;
    t->broken = true;
    party__outq_finish(&t->plain);
    t->in_len = 0;
    if (s->state == STREAM_FINISHING) {
        if (!owes_an_alert(error)) {
            party__stream_die(s, 0); /* the end was wanted; how the peer takes it is no matter */
        }
    } else if (s->state == STREAM_OPEN && owes_an_alert(error)) {
        party__stream_fail(s, error);
    } else {
        party__stream_die(s, error);
    }
}

/* ---- input ---- */

/* Returns: whether there may be records to read. */
static bool shake_hands(struct party_stream *s)
{
    struct party__stream_tls *t = s->tls;
    if (t->secure) {
        return true;
    }
    int r = party__tls_handshake(t->tls);
    if (r == -EAGAIN) {
        return false;
    }
    if (r < 0) {
        fail(s, r);
        return false;
    }
    t->secure = true;
    party__stream_queue_task(s); /* for what waits to be encrypted */
    if (s->state == STREAM_OPEN && s->ops->on_secure) {
        s->ops->on_secure(s, s->user);
    }
    if (s->state != STREAM_CLOSED) {
        party__stream_update_watch(s); /* a paused stream was read for the handshake only */
    }
    return s->state != STREAM_CLOSED;
}

static size_t chunk_max(const struct party_stream *s)
{
    size_t max = s->limits->read_max_bytes;
    return max > 0 && max < RECORD_MAX_BYTES ? max : RECORD_MAX_BYTES;
}

/* Fills bytes from as many records as there are. Returns: as party__tls_read. */
static ssize_t read_records(const struct party__stream_tls *t, uint8_t *bytes, size_t max)
{
    size_t len = 0;
    ssize_t n;
    do {
        n = party__tls_read(t->tls, bytes + len, max - len);
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && len < max);
    return len > 0 ? (ssize_t)len : n; /* an end or failure is found again by the next call */
}

/* Uses t->in as far as the stream wants it. */
static void pump(struct party_stream *s)
{
    struct party__stream_tls *t = s->tls;
    uint8_t bytes[RECORD_MAX_BYTES];
    t->stopped = false;
    while (s->state != STREAM_CLOSED && !t->broken && shake_hands(s)) {
        if (s->state == STREAM_OPEN && (s->paused || s->kept)) {
            t->stopped = true;
            return;
        }
        ssize_t n = read_records(t, bytes, chunk_max(s));
        if (n == -EAGAIN) {
            return;
        }
        if (n < 0) {
            fail(s, (int)n);
            return;
        }
        if (n == 0) {
            t->in_len = 0; /* RFC 8446, 6.1: what comes after close_notify is ignored */
            party__stream_peer_end(s);
            return;
        }
        if (s->state == STREAM_OPEN) {
            party__stream_hand_over(s, bytes, (size_t)n);
        }
    }
}

static void drop_kept(struct party__stream_tls *t)
{
    free(t->kept);
    t->kept = NULL;
    t->kept_len = 0;
}

/* After all input: answers of TLS itself are output too, and have the same limit. */
static void check_output(struct party_stream *s)
{
    uint64_t max = (uint64_t)party__stream_output_max(s) + WIRE_MAX_BYTES;
    if (s->state != STREAM_CLOSED && s->out.bytes > max) {
        party__stream_cut(s, PARTY_EOVERFLOW); /* one that finishes dies */
    } else if (s->state != STREAM_CLOSED && s->tls->plain.count > 0) {
        party__stream_queue_task(s); /* a message that had come in part may have held it up */
    }
}

int party__stream_tls_keep(struct party_stream *s, const uint8_t *bytes, size_t len)
{
    struct party__stream_tls *t = s->tls;
    uint8_t *kept = realloc(t->kept, t->kept_len + len);
    if (!kept) {
        party__stream_die(s, -ENOMEM);
        return -ENOMEM;
    }
    memcpy(kept + t->kept_len, bytes, len);
    t->kept = kept;
    t->kept_len += (uint32_t)len;
    t->stopped = true;
    return 0;
}

static void use(struct party_stream *s, const uint8_t *bytes, size_t len)
{
    struct party__stream_tls *t = s->tls;
    t->in = bytes;
    t->in_len = len;
    pump(s);
    if (s->state != STREAM_CLOSED && !t->broken && t->in_len > 0) {
        (void)party__stream_tls_keep(s, t->in, t->in_len); /* without memory the stream dies */
    }
    t->in_len = 0;
    check_output(s);
}

void party__stream_tls_input(struct party_stream *s, const uint8_t *bytes, size_t len)
{
    struct party__stream_tls *t = s->tls;
    if (len > 0) {
        use(s, bytes, len);
    } else if (s->state != STREAM_FINISHING) {
        t->wire_ended = true;
        use(s, bytes, 0);
    } else if (t->secure || t->broken) {
        party__stream_peer_end(s); /* what we still have to say may be read */
    } else {
        party__stream_die(s, 0);
    }
}

void party__stream_tls_go_on(struct party_stream *s)
{
    struct party__stream_tls *t = s->tls;
    if (!t->stopped || (s->state == STREAM_OPEN && t->secure && (s->paused || s->kept))) {
        return;
    }
    uint8_t *kept = t->kept;
    size_t len = t->kept_len;
    t->kept = NULL;
    t->kept_len = 0;
    use(s, kept, len);
    free(kept);
}

/* ---- output ---- */

/* The first bytes that wait, in one piece. Small spans are gathered, so that they share a record.
 */
static const uint8_t *next_piece(struct party__outq *q, uint8_t *gathered, size_t *ret_len)
{
    struct iovec first;
    (void)party__outq_iov(q, &first, 1);
    if (q->count == 1 || first.iov_len >= RECORD_MAX_BYTES) {
        *ret_len = first.iov_len < RECORD_MAX_BYTES ? first.iov_len : RECORD_MAX_BYTES;
        return first.iov_base;
    }
    *ret_len = party__outq_peek(q, gathered, RECORD_MAX_BYTES);
    return gathered;
}

int party__stream_tls_encrypt(struct party_stream *s)
{
    struct party__stream_tls *t = s->tls;
    uint8_t gathered[RECORD_MAX_BYTES];
    uint32_t before = s->out.bytes;
    if (!t->secure || t->broken) {
        return 0;
    }
    while (t->plain.count > 0 && s->out.bytes < WIRE_MAX_BYTES) {
        size_t len;
        const uint8_t *piece = next_piece(&t->plain, gathered, &len);
        ssize_t n = party__tls_write(t->tls, piece, len);
        if (n == -EAGAIN) {
            break; /* TLS waits for input; the next one queues the flush again */
        }
        if (n < 0) {
            return (int)n;
        }
        party__outq_consume(&t->plain, (size_t)n);
    }
    if (s->state == STREAM_FINISHING && t->plain.count == 0 && !t->end_sent) {
        int r = party__tls_end(t->tls);
        if (r < 0 && r != -EAGAIN) {
            return r;
        }
        t->end_sent = r == 0;
    }
    return s->out.bytes > before;
}

bool party__stream_tls_is_done(const struct party_stream *s)
{
    const struct party__stream_tls *t = s->tls;
    return t->broken || (t->plain.count == 0 && (!t->secure || t->end_sent));
}

/* ---- life ---- */

static int64_t handshake_end_ns(const struct party_stream *s)
{
    uint32_t timeout_ms = s->limits->handshake_timeout_ms ? s->limits->handshake_timeout_ms
                                                          : HANDSHAKE_TIMEOUT_DEFAULT_MS;
    return party_loop_now_ns(s->loop) + (int64_t)timeout_ms * PARTY__NS_PER_MS;
}

int party_stream_start_tls(struct party_stream *stream, struct party_tls_context *context,
                           const struct party_tls_options *options)
{
    PARTY__REQUIRE(-EINVAL, stream, context);
    if (stream->tls) {
        return -EALREADY;
    }
    if (stream->state != STREAM_OPEN) {
        return -ENOTCONN;
    }
    struct party__stream_tls *t = calloc(1, sizeof(*t));
    if (!t) {
        return -ENOMEM;
    }
    int r = party__tls_create(context, options, &stream_io, stream, &t->tls);
    if (r < 0) {
        free(t);
        return r;
    }
    party__outq_init(&t->plain);
    t->kept = stream->kept; /* what was put back is the peer's first records */
    t->kept_len = stream->kept_len;
    stream->kept = NULL;
    stream->kept_len = 0;
    party_loop_update_now(stream->loop); /* it begins here, however long this turn took */
    t->handshake_due_ns = handshake_end_ns(stream);
    t->stopped = true; /* a client speaks first, and kept input waits: both in phase 6 */
    stream->tls = t;
    stream->ended = false; /* the socket says it again, and then it is a truncation */
    stream->end_told = false;
    party__stream_arm(stream);
    party__stream_update_watch(stream);
    if (stream->state != STREAM_CLOSED) {
        party__stream_queue_task(stream);
    }
    return 0;
}

void party__stream_tls_die(struct party_stream *s)
{
    party__outq_finish(&s->tls->plain);
    drop_kept(s->tls);
}

void party__stream_tls_free(struct party_stream *s)
{
    party__tls_destroy(s->tls->tls);
    free(s->tls);
    s->tls = NULL;
}

const struct party_tls *party_stream_tls(const struct party_stream *stream)
{
    PARTY__REQUIRE(NULL, stream);
    return stream->tls ? stream->tls->tls : NULL;
}
