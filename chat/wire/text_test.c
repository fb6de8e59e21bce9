/* SPDX-License-Identifier: MIT */
#include "wire/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Bytes in a literal, NULs and all. */
#define BYTES(literal) literal, sizeof(literal) - 1

struct sample {
    const char *text;
    size_t len;
};

/* Slow and by the book: collects the bits, then asks whether the number may be written like that.
 */
static bool reference_is_utf8(const uint8_t *bytes, size_t len)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t at = 0;
    while (at < len) {
        uint8_t lead = bytes[at];
        size_t size = lead < 0x80           ? 1
                      : (lead >> 5) == 0x06 ? 2
                      : (lead >> 4) == 0x0e ? 3
                      : (lead >> 3) == 0x1e ? 4
                                            : 0;
        if (size == 0 || size > len - at) {
            return false;
        }
        uint32_t point = size == 1 ? lead : lead & (0xffU >> (size + 1));
        for (size_t i = 1; i < size; i++) {
            if ((bytes[at + i] >> 6) != 2) {
                return false;
            }
            point = (point << 6) | (bytes[at + i] & 0x3fU);
        }
        if (point < smallest[size] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
            return false;
        }
        at += size;
    }
    return true;
}

/* The text behind n bytes of ASCII, in memory that ends with it: words are met at every offset. */
static bool is_utf8_behind(size_t n, const char *text, size_t len)
{
    char *copy = malloc(n + len + 1);
    assert_non_null(copy);
    memset(copy, 'a', n);
    memcpy(copy + n, text, len);
    char *exact = malloc(n + len > 0 ? n + len : 1);
    assert_non_null(exact);
    memcpy(exact, copy, n + len);
    bool result = text_is_utf8(exact, n + len);
    free(exact);
    free(copy);
    return result;
}

static void test_valid_text_is_utf8_at_every_offset(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {BYTES("")},
        {BYTES("plain")},
        {BYTES("\0")},
        {BYTES("\x7f")},
        {BYTES("\xc2\x80")},
        {BYTES("\xdf\xbf")},
        {BYTES("\xe0\xa0\x80")},
        {BYTES("\xed\x9f\xbf")},
        {BYTES("\xee\x80\x80")},
        {BYTES("\xef\xbf\xbd")},
        {BYTES("\xef\xbf\xbe")},
        {BYTES("\xef\xbf\xbf")},
        {BYTES("\xef\xbb\xbf")},
        {BYTES("\xf0\x90\x80\x80")},
        {BYTES("\xf4\x8f\xbf\xbf")},
        {BYTES("\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5")},
        {BYTES("\xe5\xa4\xa7\xe5\xae\xb6\xe5\xa5\xbd and a long tail of plain words")},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        for (size_t n = 0; n < 20; n++) {
            assert_true(is_utf8_behind(n, samples[i].text, samples[i].len));
        }
    }
}

static void test_malformed_text_is_not_utf8_at_any_offset(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        {BYTES("\x80")},     /* continuation without a start */
        {BYTES("\xbf\x80")}, /* two of them */
        {BYTES("\xc3")},     /* start without its continuation */
        {BYTES("\xc3 ")},    /* the same before a blank */
        {BYTES("\xe6\xbc")}, /* last byte missing */
        {BYTES("\xe6\xbc ")},
        {BYTES("\xf0\x9f\x98")},
        {BYTES("\xf0\x9f\x98x")},
        {BYTES("\xfe")}, /* bytes that never occur */
        {BYTES("\xff")},
        {BYTES("\xc0\xaf")}, /* overlong '/' */
        {BYTES("\xe0\x80\xaf")},
        {BYTES("\xf0\x80\x80\xaf")},
        {BYTES("\xf8\x80\x80\x80\xaf")},
        {BYTES("\xfc\x80\x80\x80\x80\xaf")},
        {BYTES("\xc1\xbf")}, /* highest overlong forms */
        {BYTES("\xe0\x9f\xbf")},
        {BYTES("\xf0\x8f\xbf\xbf")},
        {BYTES("\xc0\x80")},     /* overlong NUL */
        {BYTES("\xed\xa0\x80")}, /* surrogates, single and in pairs */
        {BYTES("\xed\xad\xbf")},
        {BYTES("\xed\xbf\xbf")},
        {BYTES("\xed\xa0\x80\xed\xb0\x80")},
        {BYTES("\xf4\x90\x80\x80")}, /* U+110000 */
        {BYTES("\xf5\x80\x80\x80")},
        {BYTES("\xf7\xbf\xbf\xbf")},
        {BYTES("\xf8\x88\x80\x80\x80")},
    };
    for (size_t i = 0; i < COUNT(samples); i++) {
        for (size_t n = 0; n < 20; n++) {
            assert_false(is_utf8_behind(n, samples[i].text, samples[i].len));
        }
        char tail[64];
        memset(tail, 'z', sizeof(tail));
        memcpy(tail, samples[i].text, samples[i].len);
        assert_false(text_is_utf8(tail, sizeof(tail)));
    }
}

static void test_all_pairs_of_bytes_agree_with_a_slow_decoder(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const uint8_t pair[] = {(uint8_t)first, (uint8_t)second};
            assert_int_equal(text_is_utf8((const char *)pair, 2), reference_is_utf8(pair, 2));
        }
    }
}

static void test_all_triples_and_quadruples_at_the_borders_agree_with_a_slow_decoder(void **state)
{
    (void)state;
    static const uint8_t border[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90,
                                     0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (unsigned lead = 0xc0; lead < 256; lead++) {
        for (size_t i = 0; i < COUNT(border) * COUNT(border) * COUNT(border); i++) {
            const uint8_t bytes[] = {(uint8_t)lead, border[i % COUNT(border)],
                                     border[i / COUNT(border) % COUNT(border)],
                                     border[i / COUNT(border) / COUNT(border)]};
            for (size_t len = 1; len <= 4; len++) {
                assert_int_equal(text_is_utf8((const char *)bytes, len),
                                 reference_is_utf8(bytes, len));
            }
        }
    }
}

static void check_cleaned(const char *text, size_t len, const char *expected, size_t expected_len)
{
    char *out = malloc(3 * len + 1);
    assert_non_null(out);
    size_t written = text_clean(text, len, out);
    assert_int_equal(written, expected_len);
    assert_memory_equal(out, expected, expected_len);
    assert_int_equal(text_is_clean(text, len), len == written && memcmp(text, out, len) == 0);
    assert_true(text_is_clean(out, written));
    free(out);
}

static void test_clean_leaves_out_what_acts_on_a_terminal(void **state)
{
    (void)state;
    static const struct {
        struct sample from, to;
    } rows[] = {
        {{BYTES("")}, {BYTES("")}},
        {{BYTES("hello, world")}, {BYTES("hello, world")}},
        {{BYTES("a\tb")}, {BYTES("a b")}},
        {{BYTES("a\0b\r\nc")}, {BYTES("abc")}},
        {{BYTES("\x1b[31mred\x1b[0m\a")}, {BYTES("[31mred[0m")}},
        {{BYTES("del\x7f\x7f")}, {BYTES("del")}},
        {{BYTES("c1\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0")}, {BYTES("c1\xc2\xa0")}},
        {{BYTES("a\xe2\x80\xa8"
                "b\xe2\x80\xa9")},
         {BYTES("a b ")}},
        {{BYTES("\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae")}, {BYTES("")}},
        {{BYTES("\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9")}, {BYTES("")}},
        {{BYTES("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\x8d")},
         {BYTES("\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa\xe2\x80\x8d")}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_cleaned(rows[i].from.text, rows[i].from.len, rows[i].to.text, rows[i].to.len);
    }
}

static void test_clean_leaves_out_formatting_with_its_colours(void **state)
{
    (void)state;
    static const struct {
        struct sample from, to;
    } rows[] = {
        {{BYTES("\x02\x0f\x11\x16\x1d\x1e\x1f"
                "b")},
         {BYTES("b")}},
        {{BYTES("\x03"
                "4red")},
         {BYTES("red")}},
        {{BYTES("\x03"
                "04,12red")},
         {BYTES("red")}},
        {{BYTES("\x03"
                "4,1")},
         {BYTES("")}},
        {{BYTES("\x03"
                "123")},
         {BYTES("3")}},
        {{BYTES("\x03"
                "1,234")},
         {BYTES("4")}},
        {{BYTES("\x03"
                "4,")},
         {BYTES(",")}},
        {{BYTES("\x03"
                "4,x")},
         {BYTES(",x")}},
        {{BYTES("\x03,4")}, {BYTES(",4")}},
        {{BYTES("\x03")}, {BYTES("")}},
        {{BYTES("\x03\x03"
                "55")},
         {BYTES("")}},
        {{BYTES("\x04"
                "ff0000red")},
         {BYTES("red")}},
        {{BYTES("\x04"
                "FF0000,00ff00red")},
         {BYTES("red")}},
        {{BYTES("\x04"
                "ff00")},
         {BYTES("ff00")}},
        {{BYTES("\x04"
                "ff0000,00ff")},
         {BYTES(",00ff")}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_cleaned(rows[i].from.text, rows[i].from.len, rows[i].to.text, rows[i].to.len);
    }
}

static void test_clean_replaces_each_byte_that_is_not_utf8(void **state)
{
    (void)state;
    check_cleaned(BYTES("caf\xe9"), BYTES("caf\xef\xbf\xbd"));
    check_cleaned(BYTES("\xed\xa0\x80"), BYTES("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
    check_cleaned(BYTES("\xe2\x80\x02\xa8"), BYTES("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
    check_cleaned(BYTES("\xc3"), BYTES("\xef\xbf\xbd"));
}

static void test_one_bad_byte_anywhere_is_not_clean(void **state)
{
    (void)state;
    for (size_t at = 0; at < 40; at++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[40];
            memset(text, '~', sizeof(text));
            text[at] = (char)byte;
            assert_int_equal(text_is_clean(text, sizeof(text)), byte >= 0x20 && byte < 0x7f);
        }
    }
}

static void test_every_code_point_is_cleaned_as_documented(void **state)
{
    (void)state;
    for (uint32_t point = 0x80; point <= 0x10ffff; point++) {
        if (point >= 0xd800 && point <= 0xdfff) {
            continue;
        }
        uint8_t text[4];
        size_t len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        uint32_t bits = point;
        for (size_t i = len - 1; i > 0; i--) {
            text[i] = (uint8_t)(0x80 | (bits & 0x3f));
            bits >>= 6;
        }
        text[0] = (uint8_t)((len == 2 ? 0xc0 : len == 3 ? 0xe0 : 0xf0) | bits);
        bool space = point == 0x2028 || point == 0x2029;
        bool dropped = point < 0xa0 || (point >= 0x202a && point <= 0x202e) ||
                       (point >= 0x2066 && point <= 0x2069);
        char out[12];
        size_t written = text_clean((const char *)text, len, out);
        assert_int_equal(written, space ? 1 : dropped ? 0 : len);
        assert_int_equal(text_is_clean((const char *)text, len), !space && !dropped);
        assert_memory_equal(out, space ? (const uint8_t *)" " : text, written);
    }
}

static void test_cut_never_cuts_into_a_character(void **state)
{
    (void)state;
    static const char text[] = "a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80z";
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11, 11};
    for (size_t max = 0; max < COUNT(expected); max++) {
        assert_int_equal(text_cut(text, sizeof(text) - 1, max), expected[max]);
    }
    assert_int_equal(text_cut(text, sizeof(text) - 1, SIZE_MAX), sizeof(text) - 1);
}

static void test_cut_of_malformed_text_still_cuts_close_to_max(void **state)
{
    (void)state;
    static const char lonely[] = "\x80\x80\x80\x80\x80\x80\x80\x80";
    for (size_t max = 0; max < sizeof(lonely); max++) {
        assert_int_equal(text_cut(lonely, sizeof(lonely) - 1, max), max);
    }
    assert_int_equal(text_cut(BYTES("ab\xe6\xbc"), 3), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_text_is_utf8_at_every_offset),
        cmocka_unit_test(test_malformed_text_is_not_utf8_at_any_offset),
        cmocka_unit_test(test_all_pairs_of_bytes_agree_with_a_slow_decoder),
        cmocka_unit_test(test_all_triples_and_quadruples_at_the_borders_agree_with_a_slow_decoder),
        cmocka_unit_test(test_clean_leaves_out_what_acts_on_a_terminal),
        cmocka_unit_test(test_clean_leaves_out_formatting_with_its_colours),
        cmocka_unit_test(test_clean_replaces_each_byte_that_is_not_utf8),
        cmocka_unit_test(test_one_bad_byte_anywhere_is_not_clean),
        cmocka_unit_test(test_every_code_point_is_cleaned_as_documented),
        cmocka_unit_test(test_cut_never_cuts_into_a_character),
        cmocka_unit_test(test_cut_of_malformed_text_still_cuts_close_to_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
