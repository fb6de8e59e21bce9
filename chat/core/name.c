/* SPDX-License-Identifier: MIT */
#include "core/name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "base/xalloc.h"

/*
 * Nearly every name is ASCII, which is in NFC as it stands and folds by lowering its letters; only
 * the others go through utf8proc.
 */

/* NFC makes text shorter by at most three times; more bytes than this per allowed byte cannot end
 * as a name that fits and are not worth the work of normalising. */
#define NFC_MAX_SHRINK 4

enum name_kind { KIND_USER, KIND_ROOM };

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool is_ascii_digit(utf8proc_int32_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_ascii(utf8proc_int32_t c, enum name_kind kind)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_ascii_digit(c)) {
        return true;
    }
    /* A source with a dot in it is a server's for IRC's clients (Modern IRC, "Clients"). */
    if (c == '.') {
        return kind == KIND_ROOM;
    }
    return c > 0 && strchr("-_[]\\`^{|}", (int)c) != NULL;
}

static bool is_mark(utf8proc_category_t category)
{
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

static bool is_letter_or_digit(utf8proc_category_t category)
{
    switch (category) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
        return true;
    default:
        return false;
    }
}

static bool may_stand(utf8proc_int32_t c, bool is_first, enum name_kind kind)
{
    if (c < 0x80) {
        if (is_first && kind == KIND_USER && (is_ascii_digit(c) || c == '-')) {
            return false;
        }
        return is_name_ascii(c, kind);
    }
    const utf8proc_property_t *property = utf8proc_get_property(c);
    utf8proc_category_t category = (utf8proc_category_t)property->category;
    /* Letters that show nothing (Hangul fillers, variation selectors) vanish when folded: they
     * would make names that look like another's, or like nothing. */
    if (property->ignorable) {
        return false;
    }
    /* A mark at the start would sit on whatever is printed before the name. */
    return is_letter_or_digit(category) || (!is_first && is_mark(category));
}

static enum name_fault check_chars(const char *name, size_t len, enum name_kind kind)
{
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t c;
        utf8proc_ssize_t used =
            utf8proc_iterate((const utf8proc_uint8_t *)name + at, (utf8proc_ssize_t)(len - at), &c);
        if (used <= 0 || !may_stand(c, at == 0, kind)) {
            return NAME_BAD;
        }
        at += (size_t)used;
    }
    return NAME_OK;
}

/* The text under utf8proc's options, in fresh memory; NULL when it is not UTF-8. */
static char *map(const char *text, size_t len, utf8proc_option_t options, size_t *ret_len)
{
    utf8proc_uint8_t *mapped = NULL;
    utf8proc_ssize_t mapped_len =
        utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &mapped, options);
    if (mapped_len == UTF8PROC_ERROR_NOMEM) {
        abort();
    }
    if (mapped_len < 0) {
        return NULL;
    }
    *ret_len = (size_t)mapped_len;
    return (char *)mapped;
}

static enum name_fault check(const char *name, size_t len, size_t max_bytes, enum name_kind kind,
                             char *ret_name, size_t *ret_len)
{
    if (len == 0) {
        return NAME_EMPTY;
    }
    if (len / NFC_MAX_SHRINK > max_bytes) {
        return NAME_LONG;
    }
    char *composed = NULL;
    if (!is_ascii(name, len)) {
        composed = map(name, len, UTF8PROC_COMPOSE | UTF8PROC_STABLE, &len);
        if (composed == NULL) {
            return NAME_BAD;
        }
        name = composed;
    }
    enum name_fault fault = len > max_bytes ? NAME_LONG : check_chars(name, len, kind);
    if (fault == NAME_OK) {
        memmove(ret_name, name, len);
        ret_name[len] = '\0';
        *ret_len = len;
    }
    free(composed);
    return fault;
}

enum name_fault name_user(const char *name, size_t len, size_t max_bytes, char *ret_name,
                          size_t *ret_len)
{
    return check(name, len, max_bytes, KIND_USER, ret_name, ret_len);
}

enum name_fault name_room(const char *name, size_t len, size_t max_bytes, char *ret_name,
                          size_t *ret_len)
{
    if (len > 0 && name[0] == '#') {
        name++;
        len--;
    }
    return check(name, len, max_bytes, KIND_ROOM, ret_name, ret_len);
}

static char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

char *name_fold(const char *name, size_t len, size_t *ret_len)
{
    if (!is_ascii(name, len)) {
        return map(name, len,
                   UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE |
                       UTF8PROC_STABLE,
                   ret_len);
    }
    char *folded = xmemdup0(name, len);
    for (size_t i = 0; i < len; i++) {
        folded[i] = ascii_lower(folded[i]);
    }
    *ret_len = len;
    return folded;
}
