/* SPDX-License-Identifier: MIT */
#include "log/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#include "log/log_testing.h"

static struct fold fast, slow;

static void assert_folds(const char *text, const char *want)
{
    size_t len;
    const char *folded = fold_text(&fast, text, strlen(text), &len);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(folded, want, len + 1);
}

static void test_case_width_and_composition_make_no_difference(void **state)
{
    (void)state;
    assert_folds("", "");
    assert_folds("Hello, WORLD", "hello, world");
    assert_folds("\u00c9t\u00e9", "\u00e9t\u00e9");
    assert_folds("e\u0301", "\u00e9");
    assert_folds("STRA\u00dfE", "strasse");
    assert_folds("\uff28\uff25\uff2c\uff2c\uff2f\uff01", "hello!");
    assert_folds("\u90e8\u7f72 V2", "\u90e8\u7f72 v2");
    assert_folds("\u0394\u03a3", "\u03b4\u03c3");
    assert_folds("\u041f\u0420\u0418\u0412\u0415\u0422", "\u043f\u0440\u0438\u0432\u0435\u0442");
    assert_folds("zero\u200bwidth", "zerowidth");
    assert_folds("\u304b\u3099", "\u304c");
    assert_folds("\U0001f389", "\U0001f389");
}

static void test_what_is_not_utf8_is_kept_with_ascii_folded(void **state)
{
    (void)state;
    assert_folds("A\xff\xfe"
                 "B",
                 "a\xff\xfe"
                 "b");
    assert_folds("\xe4\xb8", "\xe4\xb8");
    assert_folds("X\xed\xa0\x80", "x\xed\xa0\x80"); /* a surrogate */
}

static void assert_fast_is_slow(const char *text, size_t len)
{
    size_t fast_len, slow_len;
    const char *a = fold_text(&fast, text, len, &fast_len);
    const char *b = fold_text_slowly(&slow, text, len, &slow_len);
    assert_int_equal(fast_len, slow_len);
    assert_memory_equal(a, b, fast_len + 1);
}

static size_t put(char *out, int32_t c)
{
    return (size_t)utf8proc_encode_char(c, (utf8proc_uint8_t *)out);
}

static bool is_character(int32_t c)
{
    return c != 0 && !(c >= 0xd800 && c <= 0xdfff);
}

static void test_shortcut_agrees_with_the_library_on_every_character(void **state)
{
    (void)state;
    for (int32_t c = 1; c <= 0x10ffff; c++) {
        char text[8];
        if (is_character(c)) {
            assert_fast_is_slow(text, put(text, c));
        }
    }
}

/* Neighbours that compose would be the shortcut's mistake: try every character behind many. */
static void test_shortcut_agrees_with_the_library_on_neighbours(void **state)
{
    static const int32_t firsts[] = {'A',    'z',    '1',    0x4e00, 0x9fff, 0x3042, 0x304b, 0x3094,
                                     0x30ab, 0x30f4, 0xac00, 0xac01, 0xd7a3, 0xff21, 0x3002};
    (void)state;
    for (size_t i = 0; i < sizeof(firsts) / sizeof(firsts[0]); i++) {
        for (int32_t c = 1; c <= 0xffff; c++) {
            char text[8];
            if (is_character(c)) {
                size_t len = put(text, firsts[i]);
                assert_fast_is_slow(text, len + put(text + len, c));
            }
        }
    }
}

static int teardown(void **state)
{
    (void)state;
    fold_finish(&fast);
    fold_finish(&slow);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_case_width_and_composition_make_no_difference),
        cmocka_unit_test(test_what_is_not_utf8_is_kept_with_ascii_folded),
        cmocka_unit_test(test_shortcut_agrees_with_the_library_on_every_character),
        cmocka_unit_test(test_shortcut_agrees_with_the_library_on_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
