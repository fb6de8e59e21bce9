/* SPDX-License-Identifier: MIT */
#include "log/fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/xalloc.h"

/*
 * A search folds every text it looks at, so what most texts consist of is folded here directly:
 * ASCII and those three-byte characters that fold to themselves or to ASCII, and that no neighbour
 * within this set changes. Any other character sends the whole text through utf8proc.
 */

#define FOLD_OPTIONS                                                                               \
    ((utf8proc_option_t)(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |                    \
                         UTF8PROC_CASEFOLD | UTF8PROC_IGNORE))

void fold_finish(struct fold *fold)
{
    free(fold->room);
    *fold = (struct fold){0};
}

static void reserve(struct fold *fold, size_t items)
{
    if (items > fold->cap) {
        fold->room = xreallocarray(fold->room, items, sizeof(*fold->room));
        fold->cap = items;
    }
}

static unsigned char lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + ('a' - 'A')) : byte;
}

static const char *fold_bytes(struct fold *fold, const char *text, size_t len, size_t *ret_len)
{
    reserve(fold, len / sizeof(*fold->room) + 1);
    char *out = (char *)fold->room;
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)lower((unsigned char)text[i]);
    }
    out[len] = '\0';
    *ret_len = len;
    return out;
}

const char *fold_text_slowly(struct fold *fold, const char *text, size_t len, size_t *ret_len)
{
    reserve(fold, len + 1);
    const utf8proc_uint8_t *bytes = (const utf8proc_uint8_t *)text;
    utf8proc_ssize_t items;
    for (;;) {
        items = utf8proc_decompose(bytes, (utf8proc_ssize_t)len, fold->room,
                                   (utf8proc_ssize_t)fold->cap, FOLD_OPTIONS);
        if (items < 0) {
            return fold_bytes(fold, text, len, ret_len);
        }
        if ((size_t)items < fold->cap) {
            break;
        }
        reserve(fold, (size_t)items + 1);
    }
    utf8proc_ssize_t folded = utf8proc_reencode(fold->room, items, FOLD_OPTIONS);
    if (folded < 0) {
        return fold_bytes(fold, text, len, ret_len);
    }
    *ret_len = (size_t)folded;
    return (const char *)fold->room;
}

/* Han, kana, Hangul syllables and the commonest punctuation between them. */
static bool folds_to_itself(uint32_t c)
{
    return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3041 && c <= 0x3094) ||
           (c >= 0x30a1 && c <= 0x30f4) || (c >= 0xac00 && c <= 0xd7a3) || c == 0x3001 ||
           c == 0x3002 || c == 0x2018 || c == 0x2019 || c == 0x201c || c == 0x201d;
}

static bool is_full_width_ascii(uint32_t c)
{
    return c >= 0xff01 && c <= 0xff5e;
}

static bool is_tail(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Folds the three-byte character at in to *out. Returns: the bytes written; 0: not a common one. */
static size_t fold_three(const unsigned char *in, size_t left, unsigned char *out)
{
    if (left < 3 || (in[0] & 0xf0) != 0xe0 || !is_tail(in[1]) || !is_tail(in[2])) {
        return 0;
    }
    uint32_t c = (uint32_t)(in[0] & 0x0f) << 12 | (uint32_t)(in[1] & 0x3f) << 6 | (in[2] & 0x3fu);
    if (is_full_width_ascii(c)) {
        out[0] = lower((unsigned char)(c - 0xff01 + 0x21));
        return 1;
    }
    if (!folds_to_itself(c)) {
        return 0;
    }
    memcpy(out, in, 3);
    return 3;
}

const char *fold_text(struct fold *fold, const char *text, size_t len, size_t *ret_len)
{
    reserve(fold, len / sizeof(*fold->room) + 1);
    const unsigned char *in = (const unsigned char *)text;
    unsigned char *out = (unsigned char *)fold->room;
    size_t used = 0;
    for (size_t i = 0; i < len;) {
        if (in[i] < 0x80) {
            out[used++] = lower(in[i++]);
            continue;
        }
        size_t written = fold_three(in + i, len - i, out + used);
        if (written == 0) {
            return fold_text_slowly(fold, text, len, ret_len);
        }
        used += written;
        i += 3;
    }
    out[used] = '\0';
    *ret_len = used;
    return (const char *)out;
}
