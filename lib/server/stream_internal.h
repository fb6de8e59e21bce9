/* SPDX-License-Identifier: MIT */
#ifndef SERVER_STREAM_INTERNAL_H
#define SERVER_STREAM_INTERNAL_H

#include <stdint.h>
#include <sys/uio.h>

#include <partyline/stream.h>

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
/** Copies the first bytes. Returns: how many, at most len. */
size_t party__outq_peek(const struct party__outq *q, void *buf, size_t len);
/** See party_stream_drop_queued. */
void party__outq_drop(struct party__outq *q, int delimiter);

#endif
