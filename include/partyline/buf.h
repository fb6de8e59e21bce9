/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_BUF_H
#define PARTYLINE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include <partyline/api.h>

PARTY_BEGIN_DECLS

/*
 * A shared buffer: bytes that are written once at the end and then only read, by as many streams as
 * hold a reference. A span is a piece of one: (buffer, from, to).
 *
 *     struct party_buf *buf = party_buf_create(4096);
 *     uint32_t from = party_buf_len(buf);
 *     party_buf_append(buf, "hello\n", 6);
 *     party_stream_write_span(stream, buf, from, party_buf_len(buf));
 *     party_buf_unref(buf);
 *
 * The bytes of a buffer never move and never change once written, so a span stays good as long as
 * the reference that came with it.
 *
 * Threads: a buffer and all its references belong to one thread; the count is not atomic.
 */

/* In C++ clang warns of the array all the same. */
#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wc99-extensions"
#endif
struct party_buf {
    uint32_t refs;
    uint32_t len; /* bytes written */
    uint32_t cap; /* bytes of room in data */
    PARTY_EXTENSION uint8_t data[];
};
#if defined(__cplusplus) && defined(__clang__)
#pragma clang diagnostic pop
#endif

/** A buffer with room for cap bytes and one reference. Returns: NULL without memory. */
PARTY_API struct party_buf *party_buf_create(uint32_t cap);

/** Takes one more reference and returns the same buffer. */
PARTY_API struct party_buf *party_buf_ref(struct party_buf *buf);

/** Drops a reference; the last one frees the buffer. NULL is accepted. */
PARTY_API void party_buf_unref(struct party_buf *buf);

/**
 * Copies len bytes to the end of the buffer.
 * Returns: 0; -ENOSPC when they do not fit, and then nothing was written.
 */
PARTY_API PARTY_MUST_USE int party_buf_append(struct party_buf *buf, const void *bytes, size_t len);

/** Bytes written so far. */
static inline uint32_t party_buf_len(const struct party_buf *buf)
{
    return buf->len;
}

/** Bytes that still fit. */
static inline uint32_t party_buf_room(const struct party_buf *buf)
{
    return buf->cap - buf->len;
}

PARTY_END_DECLS
#endif
