/* SPDX-License-Identifier: MIT */
#include "core/mask.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"

/*
 * A mask is kept as folded text in which two bytes that no UTF-8 has stand for the wildcards. The
 * text between wildcards is folded run by run, so that a character whose folded form happens to be
 * '*' (the wide one, U+FF0A) stays a character.
 *
 * Matching goes forward and remembers only the last '*' and where its text began: when what follows
 * does not fit, that '*' takes one character more. An earlier '*' never has to be asked again, as a
 * later one can take all it could. So the time is bounded by the product of the lengths.
 */

#define ANY ((char)0xff) /* '*' */
#define ONE ((char)0xfe) /* '?' */

/* Borrowed bytes. */
struct span {
    const char *text;
    size_t len;
};

/* A mask being built. */
struct build {
    char *bytes;
    size_t len, cap;
};

static void add(struct build *build, const char *bytes, size_t len)
{
    if (len > build->cap - build->len) {
        build->cap = 2 * (build->len + len);
        build->bytes = xreallocarray(build->bytes, build->cap, 1);
    }
    if (len > 0) {
        memcpy(build->bytes + build->len, bytes, len);
        build->len += len;
    }
}

static bool is_wild(char byte)
{
    return byte == '*' || byte == '?';
}

/* Adds the text before the next wildcard, folded. Returns: bytes taken of text; -1: not UTF-8. */
static ssize_t add_plain(struct build *build, struct span text)
{
    char *plain = xmalloc(text.len);
    size_t plain_len = 0;
    size_t at = 0;
    while (at < text.len && !is_wild(text.text[at])) {
        if (text.text[at] == '\\' && at + 1 < text.len && is_wild(text.text[at + 1])) {
            at++;
        }
        plain[plain_len++] = text.text[at++];
    }
    size_t folded_len = 0;
    char *folded = name_fold(plain, plain_len, &folded_len);
    free(plain);
    if (!folded) {
        return -1;
    }
    add(build, folded, folded_len);
    free(folded);
    return (ssize_t)at;
}

/* Adds a run of wildcards: first all '?', then one '*' if there was any. Returns: bytes taken. */
static size_t add_wild(struct build *build, struct span text)
{
    static const char any = ANY;
    static const char one = ONE;
    bool has_any = false;
    size_t at = 0;
    for (; at < text.len && is_wild(text.text[at]); at++) {
        if (text.text[at] == '*') {
            has_any = true;
        } else {
            add(build, &one, 1);
        }
    }
    if (has_any) {
        add(build, &any, 1);
    }
    return at;
}

/* Bytes of the character at text, which is UTF-8; never more than there are. */
static size_t char_size(const char *text, size_t len)
{
    size_t size = 1;
    while (size < len && ((unsigned char)text[size] & 0xc0) == 0x80) {
        size++;
    }
    return size;
}

bool mask_init(struct mask *mask, const char *bytes, size_t len)
{
    struct span text = {bytes, len};
    struct build build = {0};
    add(&build, "", 1); /* there is memory for the empty mask, too */
    build.len = 0;
    while (text.len > 0) {
        ssize_t taken =
            is_wild(text.text[0]) ? (ssize_t)add_wild(&build, text) : add_plain(&build, text);
        if (taken < 0) {
            free(build.bytes);
            return false;
        }
        text.text += taken;
        text.len -= (size_t)taken;
    }
    /* It is kept for long: without the space to grow. */
    build.bytes = xreallocarray(build.bytes, build.len > 0 ? build.len : 1, 1);
    *mask = (struct mask){.bytes = build.bytes, .len = build.len};
    return true;
}

void mask_finish(struct mask *mask)
{
    free(mask->bytes);
    *mask = (struct mask){0};
}

bool mask_matches(const struct mask *mask, const char *folded, size_t len)
{
    size_t at = 0;      /* in the mask */
    size_t in_text = 0; /* in the text */
    bool has_any = false;
    size_t any_at = 0;   /* behind the last ANY */
    size_t any_text = 0; /* where the text behind it is tried */
    while (in_text < len) {
        if (at < mask->len && mask->bytes[at] == ANY) {
            has_any = true;
            any_at = ++at;
            any_text = in_text;
        } else if (at < mask->len && mask->bytes[at] == ONE) {
            at++;
            in_text += char_size(folded + in_text, len - in_text);
        } else if (at < mask->len && mask->bytes[at] == folded[in_text]) {
            at++;
            in_text++;
        } else if (has_any) {
            any_text += char_size(folded + any_text, len - any_text);
            in_text = any_text;
            at = any_at;
        } else {
            return false;
        }
    }
    while (at < mask->len && mask->bytes[at] == ANY) {
        at++;
    }
    return at == mask->len;
}

/* Adds a part of a mask that is brought into form; '*' for none. */
static void add_part(char *ret, size_t *len, const char *before, struct span part)
{
    part = part.len > 0 ? part : (struct span){"*", 1};
    for (; *before != '\0'; before++) {
        ret[(*len)++] = *before;
    }
    memcpy(ret + *len, part.text, part.len);
    *len += part.len;
}

/* What no line could carry on. */
static bool breaks_line(struct span text)
{
    return memchr(text.text, '\n', text.len) || memchr(text.text, '\r', text.len) ||
           memchr(text.text, '\0', text.len);
}

size_t mask_complete(const char *bytes, size_t bytes_len, char *ret, size_t cap)
{
    struct span text = {bytes, bytes_len};
    if (text.len == 0 || breaks_line(text) || memchr(text.text, ' ', text.len)) {
        return 0;
    }
    const char *mark = memchr(text.text, '!', text.len);
    const char *at = memrchr(text.text, '@', text.len);
    if (at && mark && at < mark) {
        at = NULL; /* "a@b!c": the mark comes first in a mask */
    }
    const char *end = text.text + text.len;
    const char *user = mark ? mark + 1 : text.text;
    struct span parts[3] = {{0}};
    if (at) {
        parts[2] = (struct span){at + 1, (size_t)(end - at - 1)};
    }
    if (mark || at) {
        parts[1] = (struct span){user, (size_t)((at ? at : end) - user)};
        parts[0] = mark ? (struct span){text.text, (size_t)(mark - text.text)} : parts[0];
    } else {
        bool is_host = memchr(text.text, '.', text.len) || memchr(text.text, ':', text.len);
        parts[is_host ? 2 : 0] = text;
    }
    size_t want = strlen("!@");
    for (size_t i = 0; i < 3; i++) {
        want += parts[i].len > 0 ? parts[i].len : 1;
    }
    if (want > cap) {
        return 0;
    }
    size_t len = 0;
    add_part(ret, &len, "", parts[0]);
    add_part(ret, &len, "!", parts[1]);
    add_part(ret, &len, "@", parts[2]);
    return len;
}
