/* SPDX-License-Identifier: MIT */
#include <partyline/buf.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

struct party_buf *party_buf_create(uint32_t cap)
{
    size_t size = sizeof(struct party_buf);
    /* Only where size_t has 32 bits can this overflow. */
    if (__builtin_add_overflow(size, cap, &size)) {
        return NULL;
    }
    struct party_buf *buf = malloc(size);
    if (buf == NULL) {
        return NULL;
    }
    buf->refs = 1;
    buf->len = 0;
    buf->cap = cap;
    return buf;
}

struct party_buf *party_buf_ref(struct party_buf *buf)
{
    PARTY__REQUIRE(NULL, buf);
    assert(buf->refs > 0 && buf->refs < UINT32_MAX);
    buf->refs++;
    return buf;
}

void party_buf_unref(struct party_buf *buf)
{
    if (buf == NULL) {
        return;
    }
    assert(buf->refs > 0);
    buf->refs--;
    if (buf->refs == 0) {
        free(buf);
    }
}

int party_buf_append(struct party_buf *buf, const void *bytes, size_t len)
{
    PARTY__REQUIRE(-EINVAL, buf);
    PARTY__REQUIRE_BYTES(-EINVAL, bytes, len);
    if (len > party_buf_room(buf)) {
        return -ENOSPC;
    }
    if (len > 0) {
        /* memcpy(3) must not see NULL, which an empty append may well pass. */
        memcpy(buf->data + buf->len, bytes, len);
        buf->len += (uint32_t)len;
    }
    return 0;
}
