/* SPDX-License-Identifier: MIT */
#include "core/skeleton.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "core/skeleton_table.h"

/* The longest skeleton of one character is of 18 characters; most names stay as long as they are.
 */
#define FIRST_CAP 64

struct build {
    char *bytes;
    size_t len, cap;
};

static void add(struct build *build, const void *bytes, size_t len)
{
    if (len > build->cap - build->len) {
        build->cap = 2 * (build->len + len) + FIRST_CAP;
        build->bytes = xreallocarray(build->bytes, build->cap, 1);
    }
    memcpy(build->bytes + build->len, bytes, len);
    build->len += len;
}

/* The place of the character in the table; skeleton_character_count: it is not in it. */
static size_t find(uint32_t character)
{
    size_t low = 0;
    size_t high = skeleton_character_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (skeleton_characters[middle] < character) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < skeleton_character_count && skeleton_characters[low] == character
               ? low
               : skeleton_character_count;
}

/* Brings RFC 1459's pairs together. */
static char fold_bracket(char c)
{
    switch (c) {
    case '{':
        return '[';
    case '}':
        return ']';
    case '\\':
        return 'l';
    default:
        return c;
    }
}

/* Puts each character's skeleton in its place. */
static void map_all(struct build *build, const char *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t c = (unsigned char)text[at];
        size_t used = 1;
        if (c >= 0x80) {
            used = (size_t)utf8proc_iterate((const utf8proc_uint8_t *)text + at,
                                            (utf8proc_ssize_t)(len - at), &c);
        }
        size_t place = find((uint32_t)c);
        if (place < skeleton_character_count) {
            size_t from = place == 0 ? 0 : skeleton_ends[place - 1];
            add(build, skeleton_bytes + from, (size_t)skeleton_ends[place] - from);
        } else {
            add(build, text + at, used);
        }
        at += used;
    }
    for (size_t i = 0; i < build->len; i++) {
        build->bytes[i] = fold_bracket(build->bytes[i]);
    }
}

/* The text in NFD, in fresh memory; NULL when it is not UTF-8. */
static char *decompose(const char *text, size_t len, size_t *ret_len)
{
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t mapped_len =
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &mapped,
                     UTF8PROC_DECOMPOSE | UTF8PROC_STABLE);
    if (mapped_len == UTF8PROC_ERROR_NOMEM) {
        abort();
    }
    if (mapped_len < 0) {
        return NULL;
    }
    *ret_len = (size_t)mapped_len;
    return (char *)mapped;
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static char *make(const char *folded, size_t len, size_t *ret_len)
{
    struct build build = {0};
    if (is_ascii(folded, len)) {
        map_all(&build, folded, len);
        *ret_len = build.len;
        return build.bytes;
    }
    size_t nfd_len;
    char *nfd = decompose(folded, len, &nfd_len);
    if (nfd == NULL) {
        return NULL;
    }
    map_all(&build, nfd, nfd_len);
    free(nfd);
    /* What came in may stand in another order than NFD wants. */
    char *skeleton = decompose(build.bytes, build.len, ret_len);
    free(build.bytes);
    return skeleton;
}

char *skeleton_make(const char *folded, size_t len, size_t *ret_len)
{
    char *skeleton = len > 0 ? make(folded, len, ret_len) : NULL;
    if (skeleton == NULL || (*ret_len == len && memcmp(skeleton, folded, len) == 0)) {
        free(skeleton);
        *ret_len = len;
        return NULL;
    }
    return skeleton;
}

char *skeleton_of_name(const char *name, size_t len, size_t *ret_len)
{
    size_t seen_len;
    size_t folded_len;
    char *seen = skeleton_make(name, len, &seen_len);
    char *folded = name_fold(seen != NULL ? seen : name, seen_len, &folded_len);
    free(seen);
    if (folded == NULL) {
        return NULL;
    }
    char *skeleton = skeleton_make(folded, folded_len, ret_len);
    if (skeleton != NULL) {
        free(folded);
    } else {
        skeleton = folded;
    }
    for (size_t i = 0; i < *ret_len; i++) {
        skeleton[i] = skeleton[i] == 'i' ? 'l' : skeleton[i];
    }
    return skeleton;
}

static char fold_rfc1459(char c)
{
    switch (c) {
    case '{':
        return '[';
    case '}':
        return ']';
    case '|':
        return '\\';
    default:
        return c;
    }
}

bool skeleton_counts(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (!is_ascii(a, a_len) || !is_ascii(b, b_len)) {
        return true;
    }
    for (size_t i = 0; i < a_len && i < b_len; i++) {
        if (fold_rfc1459(a[i]) != fold_rfc1459(b[i])) {
            return false;
        }
    }
    return a_len == b_len;
}
