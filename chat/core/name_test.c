/* SPDX-License-Identifier: MIT */
#include "core/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/limit.h"

static enum name_fault user(const char *name)
{
    char clean[NAME_MAX_BYTES + 1];
    size_t len;
    return name_user(name, strlen(name), NAME_MAX_BYTES, clean, &len);
}

static enum name_fault room(const char *name)
{
    char clean[NAME_MAX_BYTES + 1];
    size_t len;
    return name_room(name, strlen(name), NAME_MAX_BYTES, clean, &len);
}

static bool is_same(const char *a, const char *b)
{
    size_t a_len;
    size_t b_len;
    char *a_folded = name_fold(a, strlen(a), &a_len);
    char *b_folded = name_fold(b, strlen(b), &b_len);
    bool same = a_len == b_len && memcmp(a_folded, b_folded, a_len) == 0;
    free(a_folded);
    free(b_folded);
    return same;
}

static void test_letters_and_digits_of_any_script_are_allowed(void **state)
{
    (void)state;
    static const char *const good[] = {"a",     "Alice", "x9",     "a-b_c-d", "[x]\\`^{|}",
                                       "_",     "Zoë",   "Ελλάδα", "名字",    "שלום",
                                       "हिन्दी", "ไทย",   "٣a",     "한국어",  "Ñandú"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(user(good[i]), NAME_OK);
        assert_int_equal(room(good[i]), NAME_OK);
    }
}

static void test_every_other_character_of_ascii_is_refused(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        char name[] = {'a', (char)c, '\0'};
        bool good = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    strchr("-_.[]\\`^{|}", c) != NULL;
        assert_int_equal(user(name), good && c != '.' ? NAME_OK : NAME_BAD);
        assert_int_equal(room(name), good ? NAME_OK : NAME_BAD);
    }
    char clean[8];
    size_t len;
    assert_int_equal(name_user("a\0b", 3, 7, clean, &len), NAME_BAD);
}

static void test_a_user_has_no_dot_nor_starts_with_digit_or_dash_but_a_room_may(void **state)
{
    (void)state;
    static const char *const names[] = {"1a", "-a", ".a", "irc.example", "a."};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(user(names[i]), NAME_BAD);
        assert_int_equal(room(names[i]), NAME_OK);
    }
}

static void test_characters_that_hide_or_deceive_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a\xc2\xa0z",     /* no-break space */
        "a\xe2\x80\x8bz", /* zero width space */
        "a\xe2\x80\x8dz", /* zero width joiner */
        "a\xe2\x80\xaez", /* right-to-left override */
        "a\xe2\x80\xa8z", /* line separator */
        "a\xef\xb8\x8fz", /* variation selector */
        "\xe3\x85\xa4",   /* Hangul filler, a letter that shows nothing */
        "\xcc\x81z",      /* a mark with nothing before it */
        "a\xc2\x85z",     /* next line, a control */
        "a\xe2\x9c\x93z", /* check mark, a symbol */
        "a\xee\x80\x80z", /* private use */
        "a\xcd\xb8z",     /* not assigned */
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(user(bad[i]), NAME_BAD);
        assert_int_equal(room(bad[i]), NAME_BAD);
    }
}

static void test_what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "a\x80z"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(user(bad[i]), NAME_BAD);
        size_t len;
        assert_null(name_fold(bad[i], strlen(bad[i]), &len));
    }
}

static void test_length_is_measured_in_bytes_after_normalising(void **state)
{
    (void)state;
    char clean[5];
    size_t len = 99;
    assert_int_equal(name_user("", 0, 4, clean, &len), NAME_EMPTY);
    assert_int_equal(name_user("abcde", 5, 4, clean, &len), NAME_LONG);
    assert_int_equal(name_user("\xc3\xab\xc3\xab\xc3\xab", 6, 4, clean, &len), NAME_LONG);
    assert_int_equal(len, 99);
    assert_int_equal(name_user("abcd", 4, 4, clean, &len), NAME_OK);
    assert_int_equal(len, 4);
    assert_string_equal(clean, "abcd");
    /* e with a combining diaeresis, twice: six bytes that become four. */
    assert_int_equal(name_user("e\xcc\x88"
                               "e\xcc\x88",
                               6, 4, clean, &len),
                     NAME_OK);
    assert_string_equal(clean, "\xc3\xab\xc3\xab");
}

static void test_one_leading_hash_is_no_part_of_a_room(void **state)
{
    (void)state;
    char clean[NAME_MAX_BYTES + 1];
    size_t len;
    assert_int_equal(name_room("#lobby", 6, 5, clean, &len), NAME_OK);
    assert_string_equal(clean, "lobby");
    assert_int_equal(len, 5);
    assert_int_equal(name_room("##lobby", 7, 32, clean, &len), NAME_BAD);
    assert_int_equal(name_room("#", 1, 32, clean, &len), NAME_EMPTY);
    assert_int_equal(name_user("#lobby", 6, 32, clean, &len), NAME_BAD);
}

static void test_names_are_the_same_when_folded_alike(void **state)
{
    (void)state;
    assert_true(is_same("alice", "ALICE"));
    assert_true(is_same("Zoë", "ZOË"));
    assert_true(is_same("zo\xc3\xab", "zoe\xcc\x88"));
    assert_true(is_same("straße", "STRASSE"));
    assert_true(is_same("ｇｕｅｓｔ１", "guest1"));
    assert_true(is_same("ΣΊΣΥΦΟΣ", "σίσυφος"));
    assert_true(is_same("ﬁsh", "fish"));
    assert_false(is_same("zoe", "zoë"));
    assert_false(is_same("alice", "alice_"));
    assert_false(is_same("[x]", "{x}"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_and_digits_of_any_script_are_allowed),
        cmocka_unit_test(test_every_other_character_of_ascii_is_refused),
        cmocka_unit_test(test_a_user_has_no_dot_nor_starts_with_digit_or_dash_but_a_room_may),
        cmocka_unit_test(test_characters_that_hide_or_deceive_are_refused),
        cmocka_unit_test(test_what_is_not_utf8_is_refused),
        cmocka_unit_test(test_length_is_measured_in_bytes_after_normalising),
        cmocka_unit_test(test_one_leading_hash_is_no_part_of_a_room),
        cmocka_unit_test(test_names_are_the_same_when_folded_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
