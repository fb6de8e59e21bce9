/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "fuzz.h"
#include "wire/irc_mask.h"
#include "wire/text.h"

/*
 * The input is a mask, a NUL and a text. Promises: a mask is taken just when it is UTF-8; it
 * matches what a table of all starts of both says, which shares no code with the matcher; a
 * completed mask has its three parts.
 */

/* NFKC_Casefold, as the hub folds. */
static char *fold(const char *text, size_t len, size_t *ret_len)
{
    utf8proc_uint8_t *folded = NULL;
    utf8proc_ssize_t size = utf8proc_map(
        (const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, &folded,
        UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE | UTF8PROC_STABLE);
    if (size < 0) {
        return NULL;
    }
    *ret_len = (size_t)size;
    return (char *)folded;
}

/* Whether one step of the mask takes the text from a byte to another. */
static bool ends_char(const char *text, size_t len, size_t at)
{
    return at == len || ((unsigned char)text[at] & 0xc0) != 0x80;
}

/* row[j]: the mask so far matches the first j bytes of text. */
static bool model_matches(const struct irc_mask *mask, const char *text, size_t len)
{
    bool *row = calloc(len + 1, sizeof(*row));
    bool *next = calloc(len + 1, sizeof(*next));
    fuzz_check(row && next);
    row[0] = true;
    for (size_t i = 0; i < mask->len; i++) {
        unsigned char step = (unsigned char)mask->bytes[i];
        memset(next, 0, (len + 1) * sizeof(*next));
        bool reached = false;
        for (size_t j = 0; j <= len; j++) {
            if (step == 0xff) {
                reached |= row[j];
                next[j] = reached && ends_char(text, len, j);
            } else if (step == 0xfe && row[j] && j < len) {
                size_t to = j + 1;
                while (!ends_char(text, len, to)) {
                    to++;
                }
                next[to] = true;
            } else if (step < 0xfe && j < len && row[j] && text[j] == mask->bytes[i]) {
                next[j + 1] = true;
            }
        }
        bool *spare = row;
        row = next;
        next = spare;
    }
    bool matches = row[len];
    free(row);
    free(next);
    return matches;
}

static void check_complete(struct irc_span text)
{
    char *ret = malloc(text.len + 8);
    fuzz_check(ret);
    size_t len = irc_mask_complete(text, ret, text.len + 5);
    bool is_bad = text.len == 0 || irc_span_breaks_line(text) || memchr(text.text, ' ', text.len);
    fuzz_check((len == 0) == is_bad);
    if (len > 0) {
        struct irc_source parts = irc_source_parse((struct irc_span){ret, len});
        fuzz_check(parts.nick.len > 0 && parts.user.len > 0 && parts.host.len > 0);
        char *again = malloc(len);
        fuzz_check(again);
        fuzz_check(irc_mask_complete((struct irc_span){ret, len}, again, len) == len);
        fuzz_check(memcmp(ret, again, len) == 0);
        free(again);
    }
    free(ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1024) {
        return 0;
    }
    const uint8_t *end = memchr(data, '\0', size);
    size_t mask_len = end ? (size_t)(end - data) : size;
    char *text = fuzz_copy(data, mask_len);
    struct irc_span span = {text, mask_len};
    check_complete(span);
    struct irc_mask mask;
    bool good = irc_mask_init(&mask, span, fold);
    fuzz_check(good == text_is_utf8(text, mask_len));
    size_t folded_len = 0;
    char *folded = end ? fold((const char *)end + 1, size - mask_len - 1, &folded_len) : NULL;
    if (good && folded) {
        char *tight = fuzz_copy(folded, folded_len);
        fuzz_check(irc_mask_matches(&mask, tight, folded_len) ==
                   model_matches(&mask, tight, folded_len));
        free(tight);
    }
    if (good) {
        irc_mask_finish(&mask);
    }
    free(folded);
    free(text);
    return 0;
}
