/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STREAM_INTERNAL_H
#define SERVER_STREAM_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <partyline/stream.h>

/*
 * Streams as their own files see them: outq.c (the queue of spans), stream.c (life and time-outs),
 * stream_in.c, stream_out.c, stream_tls.c, stream_rate.c.
 */

#define PARTY__OUTPUT_MAX_DEFAULT (96u * 1024u)
#define PARTY__READ_MAX_DEFAULT   (16u * 1024u)

/* A piece of a shared buffer in an output queue; owns one reference to buf. */
struct party__span {
    struct party_buf *buf;
    uint32_t from, to;
};

/*
 * The output queue of a stream. The usual queue is empty or one span, which lives inside; a longer
 * one moves to the heap and comes back when it is empty.
 */
struct party__outq {
    struct party__span one;
    struct party__span *spans; /* &one, or a heap block of cap spans */
    uint32_t head, count, cap;
    uint32_t bytes; /* in all spans */
    int last_sent;  /* the byte that went out last; -1 while none has */
};

void party__outq_init(struct party__outq *q);
/** Drops everything. */
void party__outq_finish(struct party__outq *q);
/** Adds a span and takes a reference. Returns: 0; -ENOMEM, and then nothing was added. */
int party__outq_push(struct party__outq *q, struct party_buf *buf, uint32_t from, uint32_t to);
/** Adds a copy, into the last buffer when that is the queue's own and has room. As push. */
int party__outq_copy(struct party__outq *q, const void *bytes, uint32_t len);
/** Fills at most max iovecs from the front. Returns: how many. */
int party__outq_iov(const struct party__outq *q, struct iovec *iov, int max);
/** Takes n bytes off the front. */
void party__outq_consume(struct party__outq *q, size_t n);
/** Bytes went out beside the empty queue, this one last. */
static inline void party__outq_note_sent(struct party__outq *q, uint8_t last)
{
    q->last_sent = last;
}
/** Copies the first bytes. Returns: how many, at most len. */
size_t party__outq_peek(const struct party__outq *q, void *buf, size_t len);
/** See party_stream_drop_queued. */
void party__outq_drop(struct party__outq *q, int delimiter);

enum party__stream_state { STREAM_OPEN, STREAM_CUT, STREAM_FINISHING, STREAM_CLOSED };

/* What a stream has while it speaks TLS. */
struct party__stream_tls {
    struct party_tls *tls;
    struct party__outq plain; /* waits to be encrypted; then it goes to the stream's out */
    const uint8_t *in;        /* what tls may read now */
    size_t in_len;
    uint8_t *kept; /* encrypted input for later; NULL while there is none */
    uint32_t kept_len;
    int64_t handshake_due_ns;
    bool secure;     /* the handshake is done */
    bool stopped;    /* there may be input that nothing but party__stream_tls_go_on looks for */
    bool wire_ended; /* the socket is at its end */
    bool end_sent;   /* close_notify */
    bool broken;     /* input is dropped, and nothing is encrypted any more */
};

/* What a stream has once a rate limit was looked at. */
struct party__stream_rate {
    struct party_timer timer;
    int64_t in_full_ns, out_full_ns; /* when the buckets will be full */
    int64_t in_due_ns, out_due_ns;   /* until when they are waited for */
    bool in_waits, out_waits;
};

/* What each input and output looks at comes first, so that it lies in few cache lines. */
struct party_stream {
    struct party_watch watch;
    const struct party_stream_limits *limits;
    struct party_loop *loop;
    struct party__stream_tls *tls;   /* NULL: plain text */
    struct party__stream_rate *rate; /* NULL: no limit was met yet */
    uint8_t *kept;                   /* input that on_data did not take; NULL while there is none */
    uint32_t kept_len;
    int fd;
    uint8_t state;
    bool task_queued;
    bool paused;
    bool ended; /* the peer sent its end */
    bool end_told;
    bool blocked; /* the socket takes no more for now */
    bool shut;    /* our side is shut down */
    bool unwatched;
    bool in_cut;    /* on_cut runs: the last words may be written */
    bool above_low; /* more than the low mark was queued since on_drain came last */
    int reason;
    int64_t input_ns; /* when input last came, or was asked for again */
    const struct party_stream_ops *ops;
    void *user;
    struct party__outq out;
    int64_t progress_ns;      /* when output last went out, while blocked */
    struct party_timer timer; /* OPEN: write time-out; FINISHING: its end */
    struct party_task task;
};

static inline bool party__stream_wants_input(const struct party_stream *s)
{
    if (s->ended || s->state == STREAM_FINISHING) {
        return !s->ended;
    }
    if (s->rate && s->rate->in_waits) {
        return false;
    }
    return !s->paused || (s->tls && !s->tls->secure);
}

/* Where writes go, and what drops and peeks look at. */
static inline struct party__outq *party__stream_queue(struct party_stream *s)
{
    return s->tls ? &s->tls->plain : &s->out;
}

/* All that is unsent. */
static inline uint32_t party__stream_queued(const struct party_stream *s)
{
    return s->out.bytes + (s->tls ? s->tls->plain.bytes : 0);
}

static inline uint32_t party__stream_output_max(const struct party_stream *s)
{
    return s->limits->output_max_bytes ? s->limits->output_max_bytes : PARTY__OUTPUT_MAX_DEFAULT;
}

/* stream.c */

/** Has the stream's task run in phase 6 of this turn. */
void party__stream_queue_task(struct party_stream *s);
/** Ends the stream now. The first reason that is not 0 counts. */
void party__stream_die(struct party_stream *s, int reason);
/** Ends an open stream with a reason, in good order: what is on its way to the wire still goes. */
void party__stream_fail(struct party_stream *s, int reason);
/** A limit was met: on_cut comes in phase 6. A stream that is on its way out dies. */
void party__stream_cut(struct party_stream *s, int reason);
/** Brings the loop's watch in line with what the stream waits for. */
void party__stream_update_watch(struct party_stream *s);
/** Has the timer fire when the first time-out of an open stream may be due. */
void party__stream_arm(struct party_stream *s);

/* stream_in.c */

/** Reads once and hands over what came. */
void party__stream_read(struct party_stream *s);
/** Calls on_data of an open stream, and keeps what it does not take. */
void party__stream_hand_over(struct party_stream *s, const uint8_t *data, size_t len);
/** The peer sends no more. */
void party__stream_peer_end(struct party_stream *s);
/** Hands over what was kept. */
void party__stream_hand_over_kept(struct party_stream *s);
/** Wipes and frees what was kept. */
void party__stream_drop_kept(struct party_stream *s);
/** Calls on_end when it is its time. */
void party__stream_tell_end(struct party_stream *s);

/* stream_out.c */

/** Sends what the socket takes now, and waits for it to take more when that is not all. */
void party__stream_flush(struct party_stream *s);

/* stream_tls.c; each for a stream that has tls */

/** Takes what came from the socket; no bytes are its end. */
void party__stream_tls_input(struct party_stream *s, const uint8_t *bytes, size_t len);
/** Keeps encrypted bytes for phase 6. Returns: 0; -ENOMEM, and the stream is dead. */
int party__stream_tls_keep(struct party_stream *s, const uint8_t *bytes, size_t len);
/** In phase 6: what could not be used before. */
void party__stream_tls_go_on(struct party_stream *s);
/** Moves what was written to the wire's queue. Returns: whether anything was; negative codes. */
int party__stream_tls_encrypt(struct party_stream *s);
/** Whether nothing more has to go to the wire's queue before our side is shut. */
bool party__stream_tls_is_done(const struct party_stream *s);
/** Drops what waits; the rest is for on_close to look at. */
void party__stream_tls_die(struct party_stream *s);
void party__stream_tls_free(struct party_stream *s);

/* stream_rate.c; each while the limit of its direction is set */

/** Returns: how much of max may be read now; 0: none, and reading waits for its time. */
size_t party__stream_rate_in(struct party_stream *s, size_t max);
void party__stream_rate_came(struct party_stream *s, size_t n);
/** Returns: how much may be sent now; 0: nothing, and sending waits for its time. */
size_t party__stream_rate_out(struct party_stream *s);
void party__stream_rate_sent(struct party_stream *s, size_t n);
/** Cuts iov to max bytes, at least 1. Returns: how many of its count are left. */
int party__stream_rate_clip(struct iovec *iov, int count, size_t max);

#endif
