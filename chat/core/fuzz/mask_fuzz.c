/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "core/mask.h"
#include "core/name.h"
#include "fuzz.h"

/*
 * The input is a mask, a NUL and a text. Promises: a mask is taken just when it is UTF-8; it
 * matches what a table of all starts of both says, which shares no code with the matcher; a
 * completed mask has its three parts.
 */

/* Whether one step of the mask takes the text from a byte to another. */
static bool ends_char(const char *text, size_t len, size_t at)
{
    return at == len || ((unsigned char)text[at] & 0xc0) != 0x80;
}

/* row[j]: the mask so far matches the first j bytes of text. */
static bool model_matches(const struct mask *mask, const char *text, size_t len)
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

static void check_complete(const char *text, size_t text_len)
{
    char *ret = malloc(text_len + 8);
    fuzz_check(ret);
    size_t len = mask_complete(text, text_len, ret, text_len + 5);
    bool is_bad = text_len == 0;
    for (size_t i = 0; i < text_len; i++) {
        is_bad |= memchr("\r\n ", text[i], 4) != NULL; /* with the NUL */
    }
    fuzz_check((len == 0) == is_bad);
    if (len > 0) {
        const char *mark = memchr(ret, '!', len);
        const char *at = memrchr(ret, '@', len);
        fuzz_check(mark && at && mark > ret && at > mark + 1 && at + 1 < ret + len);
        char *again = malloc(len);
        fuzz_check(again);
        fuzz_check(mask_complete(ret, len, again, len) == len);
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
    check_complete(text, mask_len);
    struct mask mask;
    bool good = mask_init(&mask, text, mask_len);
    size_t folded_len = 0;
    char *plain = name_fold(text, mask_len, &folded_len);
    fuzz_check(good == (plain != NULL));
    free(plain);
    char *folded = end ? name_fold((const char *)end + 1, size - mask_len - 1, &folded_len) : NULL;
    if (good && folded) {
        char *tight = fuzz_copy(folded, folded_len);
        fuzz_check(mask_matches(&mask, tight, folded_len) ==
                   model_matches(&mask, tight, folded_len));
        free(tight);
    }
    if (good) {
        mask_finish(&mask);
    }
    free(folded);
    free(text);
    return 0;
}
