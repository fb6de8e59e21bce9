/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "fuzz.h"
#include "wire/text.h"

/*
 * The input is text. Promises: the check of UTF-8 agrees with libutf8proc's; clean text is UTF-8,
 * clean, cleaned to itself and without control bytes; a cut is where it should be.
 */

static bool is_utf8_by_utf8proc(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    while (at < len) {
        utf8proc_int32_t point;
        utf8proc_ssize_t step = utf8proc_iterate(bytes + at, (utf8proc_ssize_t)(len - at), &point);
        if (step <= 0) {
            return false;
        }
        at += (size_t)step;
    }
    return true;
}

static void check_clean(const char *text, size_t len)
{
    char *clean = malloc(3 * len + 1);
    char *again = malloc(9 * len + 1);
    fuzz_check(clean && again);
    size_t clean_len = text_clean(text, len, clean);
    fuzz_check(clean_len <= 3 * len);
    fuzz_check(text_is_utf8(clean, clean_len));
    fuzz_check(text_is_clean(clean, clean_len));
    fuzz_check(text_clean(clean, clean_len, again) == clean_len);
    fuzz_check(memcmp(clean, again, clean_len) == 0);
    bool same = clean_len == len && memcmp(clean, text, len) == 0;
    fuzz_check(text_is_clean(text, len) == same);
    for (size_t i = 0; i < clean_len; i++) {
        fuzz_check((uint8_t)clean[i] >= 0x20 && clean[i] != 0x7f);
    }
    free(again);
    free(clean);
}

static void check_cut(const char *text, size_t len, bool valid)
{
    for (size_t max = 0; max <= len + 1; max++) {
        size_t cut = text_cut(text, len, max);
        fuzz_check(cut <= max && cut <= len);
        fuzz_check(max >= len ? cut == len : max - cut <= 3);
        fuzz_check(!valid || (text_is_utf8(text, cut) && text_is_utf8(text + cut, len - cut)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_copy(data, size);
    bool valid = text_is_utf8(text, size);
    fuzz_check(valid == is_utf8_by_utf8proc(data, size));
    check_clean(text, size);
    if (size <= 512) {
        check_cut(text, size, valid);
    }
    free(text);
    return 0;
}
