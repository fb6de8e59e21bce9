/* SPDX-License-Identifier: MIT */
#include "server/stream_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Small answers of one turn share a buffer of this size. */
#define COPY_MIN_BYTES 512u

void party__outq_init(struct party__outq *q)
{
    memset(q, 0, sizeof(*q));
    q->spans = &q->one;
    q->cap = 1;
    q->last_sent = -1;
}

static struct party__span *span_at(const struct party__outq *q, uint32_t i)
{
    return &q->spans[q->head + i];
}

static void reset_to_inside(struct party__outq *q)
{
    if (q->spans != &q->one) {
        free(q->spans);
    }
    q->spans = &q->one;
    q->cap = 1;
    q->head = 0;
    q->count = 0;
    q->bytes = 0;
}

void party__outq_finish(struct party__outq *q)
{
    for (uint32_t i = 0; i < q->count; i++) {
        party_buf_unref(span_at(q, i)->buf);
    }
    reset_to_inside(q);
}

/* Makes room for one more span behind the last. */
static int make_room(struct party__outq *q)
{
    if (q->head + q->count < q->cap) {
        return 0;
    }
    if (q->head > 0) {
        memmove(q->spans, q->spans + q->head, q->count * sizeof(*q->spans));
        q->head = 0;
        return 0;
    }
    uint32_t cap = q->cap < 4 ? 8 : q->cap * 2;
    struct party__span *spans = malloc(cap * sizeof(*spans));
    if (!spans) {
        return -ENOMEM;
    }
    memcpy(spans, q->spans, q->count * sizeof(*spans));
    if (q->spans != &q->one) {
        free(q->spans);
    }
    q->spans = spans;
    q->cap = cap;
    return 0;
}

int party__outq_push(struct party__outq *q, struct party_buf *buf, uint32_t from, uint32_t to)
{
    if (from == to) {
        return 0;
    }
    if (q->count > 0) {
        struct party__span *last = span_at(q, q->count - 1);
        if (last->buf == buf && last->to == from) {
            last->to = to;
            q->bytes += to - from;
            return 0;
        }
    }
    int r = make_room(q);
    if (r < 0) {
        return r;
    }
    *span_at(q, q->count) = (struct party__span){party_buf_ref(buf), from, to};
    q->count++;
    q->bytes += to - from;
    return 0;
}

int party__outq_copy(struct party__outq *q, const void *bytes, uint32_t len)
{
    if (len == 0) {
        return 0;
    }
    if (q->count > 0) {
        struct party__span *last = span_at(q, q->count - 1);
        struct party_buf *buf = last->buf;
        if (buf->refs == 1 && last->to == buf->len && party_buf_append(buf, bytes, len) == 0) {
            last->to += len;
            q->bytes += len;
            return 0;
        }
    }
    struct party_buf *buf = party_buf_create(len > COPY_MIN_BYTES ? len : COPY_MIN_BYTES);
    if (!buf) {
        return -ENOMEM;
    }
    int r = party_buf_append(buf, bytes, len);
    if (r == 0) {
        r = party__outq_push(q, buf, 0, len);
    }
    party_buf_unref(buf);
    return r;
}

int party__outq_iov(const struct party__outq *q, struct iovec *iov, int max)
{
    int n = 0;
    for (uint32_t i = 0; i < q->count && n < max; i++, n++) {
        const struct party__span *span = span_at(q, i);
        iov[n].iov_base = span->buf->data + span->from;
        iov[n].iov_len = span->to - span->from;
    }
    return n;
}

void party__outq_consume(struct party__outq *q, size_t n)
{
    q->bytes -= (uint32_t)n;
    while (n > 0) {
        struct party__span *span = span_at(q, 0);
        uint32_t len = span->to - span->from;
        if (n < len) {
            span->from += (uint32_t)n;
            q->last_sent = span->buf->data[span->from - 1];
            return;
        }
        q->last_sent = span->buf->data[span->to - 1];
        n -= len;
        party_buf_unref(span->buf);
        q->head++;
        q->count--;
    }
    if (q->count == 0) {
        reset_to_inside(q);
    }
}

size_t party__outq_peek(const struct party__outq *q, void *buf, size_t len)
{
    size_t done = 0;
    for (uint32_t i = 0; i < q->count && done < len; i++) {
        const struct party__span *span = span_at(q, i);
        size_t part = span->to - span->from;
        part = part < len - done ? part : len - done;
        memcpy((uint8_t *)buf + done, span->buf->data + span->from, part);
        done += part;
    }
    return done;
}

/*
 * The bytes at the front that must stay: a unit that was begun is ended. Whether it was begun is
 * told by the last byte sent and not by the one before the span, which need not have gone out.
 */
static uint32_t torn_bytes(const struct party__outq *q, int delimiter)
{
    uint32_t bytes = 0;
    if (delimiter < 0 || q->last_sent == -1 || q->last_sent == delimiter) {
        return 0;
    }
    for (uint32_t i = 0; i < q->count; i++) {
        const struct party__span *span = span_at(q, i);
        const uint8_t *start = span->buf->data + span->from;
        const uint8_t *end = memchr(start, delimiter, span->to - span->from);
        if (end) {
            return bytes + (uint32_t)(end - start) + 1;
        }
        bytes += span->to - span->from;
    }
    return bytes;
}

void party__outq_drop(struct party__outq *q, int delimiter)
{
    uint32_t keep = torn_bytes(q, delimiter);
    uint32_t left = keep, kept = 0;
    for (uint32_t i = 0; i < q->count; i++) {
        struct party__span *span = span_at(q, i);
        if (left == 0) {
            party_buf_unref(span->buf);
            continue;
        }
        if (span->to - span->from > left) {
            span->to = span->from + left;
        }
        left -= span->to - span->from;
        kept++;
    }
    q->count = kept;
    q->bytes = keep;
    if (kept == 0) {
        reset_to_inside(q);
    }
}
