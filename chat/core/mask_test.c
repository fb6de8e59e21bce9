/* SPDX-License-Identifier: MIT */
#include "core/mask.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/name.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A copy that ends where its memory ends, so that a sanitizer sees a read behind it. */
static char *tight_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    return copy;
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

static bool matches(const char *text, const char *subject)
{
    size_t len = strlen(text);
    char *copy = tight_copy(text, len);
    struct mask mask;
    assert_true(mask_init(&mask, copy, len));
    free(copy);
    size_t folded_len = 0;
    char *folded = name_fold(subject, strlen(subject), &folded_len);
    assert_non_null(folded);
    char *tight = tight_copy(folded, folded_len);
    bool does = mask_matches(&mask, tight, folded_len);
    free(tight);
    free(folded);
    mask_finish(&mask);
    assert_null(mask.bytes);
    return does;
}

static void test_masks_match_as_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *mask, *subject;
        bool matches;
    } rows[] = {
        {"*!*@*", "dan!d@host", true},
        {"dan!*@*", "dan!d@host", true},
        {"DAN!*@*", "dan!d@host", true},
        {"dan!*@*", "DAN!d@host", true},
        {"dan!*@*", "dana!d@host", false},
        {"*!*@*.example.com", "dan!d@a.b.example.com", true},
        {"*!*@*.EXAMPLE.com", "dan!d@a.example.COM", true},
        {"*!*@*.example.com", "dan!d@example.com", false},
        {"*!*@host", "dan!d@host2", false},
        {"*!d@*", "dan!d@host", true},
        {"*!~*@*", "dan!d@host", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"a?c", "abbc", false},
        {"a*c", "ac", true},
        {"a*c", "abbbc", true},
        {"a*c", "abbbd", false},
        {"*", "", true},
        {"*", "anything", true},
        {"", "", true},
        {"", "a", false},
        {"?", "", false},
        {"?", "a", true},
        {"?", "ab", false},
        {"??", "ab", true},
        {"***", "ab", true},
        {"*?*", "", false},
        {"*?*", "a", true},
        {"?*?", "a", false},
        {"*?*?*", "ab", true},
        {"*a*b*c*", "xxaxxbxxcxx", true},
        {"*a*b*c*", "xxaxxcxxbxx", false},
        {"*ab", "aab", true},
        {"*ab*ab", "abab", true},
        {"*ab*ab", "ab", false},
        {"*aab", "aaab", true},
        /* the hub's folding */
        {"zo\xc3\xab!*@*", "ZO\xc3\x8b!d@host", true},
        {"zo?!*@*", "zo\xc3\xab!d@host", true},
        {"zo?\?!*@*", "zo\xc3\xab!d@host", false},
        {"?", "\xf0\x9f\x98\x80", true},
        {"*\xe6\xbc\xa2*", "a\xe6\xbc\xa2z", true},
        {"\xef\xbd\x84\xef\xbd\x81\xef\xbd\x8e!*@*", "dan!d@host", true}, /* wide letters */
        {"\xef\xbc\x8a", "dan", false},                                   /* a wide '*' is none */
        {"\xef\xbc\x9f", "d", false},                                     /* nor is a wide '?' */
        {"[a]!*@*", "{a}!d@host", false},
        /* escapes */
        {"a\\*", "a*", true},
        {"a\\*", "ab", false},
        {"a\\?", "a?", true},
        {"a\\?", "ab", false},
        {"a\\b!*@*", "a\\b!d@host", true},
        {"a\\", "a\\", true},
        {"a\\!*@*", "a\\!d@host", true},
        {"\\\\*", "\\*", true},
        {"\\\\*", "\\\\x", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (matches(rows[i].mask, rows[i].subject) != rows[i].matches) {
            fail_msg("'%s' against '%s'", rows[i].mask, rows[i].subject);
        }
    }
}

static void test_a_mask_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"\xff", "a\xc3", "*\xed\xa0\x80*", "\xfe!*@*", "a*\xff"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mask mask = {0};
        assert_false(mask_init(&mask, bad[i], strlen(bad[i])));
        mask_finish(&mask);
    }
}

/* A slow matcher that tries everything, on short ASCII. */
static bool slow_match(const char *mask, size_t mask_len, const char *text, size_t len)
{
    if (mask_len == 0) {
        return len == 0;
    }
    if (mask[0] == '*') {
        return slow_match(mask + 1, mask_len - 1, text, len) ||
               (len > 0 && slow_match(mask, mask_len, text + 1, len - 1));
    }
    return len > 0 && (mask[0] == '?' || mask[0] == text[0]) &&
           slow_match(mask + 1, mask_len - 1, text + 1, len - 1);
}

static void test_random_masks_match_as_a_slow_matcher_does(void **state)
{
    (void)state;
    uint32_t seed = 9;
    size_t matched = 0;
    for (int round = 0; round < 50000; round++) {
        char mask[9] = "";
        char text[9] = "";
        size_t mask_len = next_random(&seed) % 9;
        size_t len = next_random(&seed) % 9;
        for (size_t i = 0; i < mask_len; i++) {
            mask[i] = "ab*?*"[next_random(&seed) % 5];
        }
        for (size_t i = 0; i < len; i++) {
            text[i] = "ab"[next_random(&seed) % 2];
        }
        mask[mask_len] = '\0';
        text[len] = '\0';
        bool expected = slow_match(mask, mask_len, text, len);
        assert_int_equal(matches(mask, text), expected);
        matched += expected;
    }
    assert_true(matched > 1000);
}

/* Takes for ever when every '*' is tried again. */
static void test_a_bomb_is_matched_in_bounded_time(void **state)
{
    (void)state;
    char mask[510];
    char text[511];
    for (size_t i = 0; i + 1 < sizeof(mask); i += 2) {
        mask[i] = '*';
        mask[i + 1] = 'a';
    }
    mask[sizeof(mask) - 2] = 'b';
    mask[sizeof(mask) - 1] = '\0';
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 100; i++) {
        assert_false(matches(mask, text));
    }
    memset(mask, '?', sizeof(mask) - 1);
    mask[0] = '*';
    assert_true(matches(mask, text));
}

static void test_masks_are_completed(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"dan", "dan!*@*"},
        {"d@host", "*!d@host"},
        {"dan!d", "dan!d@*"},
        {"dan!d@host", "dan!d@host"},
        {"!", "*!*@*"},
        {"@", "*!*@*"},
        {"!@", "*!*@*"},
        {"*", "*!*@*"},
        {"@host", "*!*@host"},
        {"dan!@", "dan!*@*"},
        {"!d@", "*!d@*"},
        {"*.example.com", "*!*@*.example.com"},
        {"2001:db8::1", "*!*@2001:db8::1"},
        {"a@b@c", "*!a@b@c"},
        {"a@b!c", "a@b!c@*"},
        {"n!a!b@c", "n!a!b@c"},
        {"", ""},
        {"a b", ""},
        {"a\rb", ""},
        {"a\nb", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char ret[64];
        const char *text = rows[i].text;
        size_t len = mask_complete(text, strlen(text), ret, sizeof(ret));
        assert_int_equal(len, strlen(rows[i].expected));
        assert_memory_equal(ret, rows[i].expected, len);
        char *tight = malloc(len + 1);
        assert_non_null(tight);
        assert_int_equal(mask_complete(text, strlen(text), tight, len), len);
        assert_true(len == 0 || mask_complete(text, strlen(text), tight, len - 1) == 0);
        free(tight);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks_match_as_the_table_says),
        cmocka_unit_test(test_a_mask_that_is_not_utf8_is_refused),
        cmocka_unit_test(test_random_masks_match_as_a_slow_matcher_does),
        cmocka_unit_test(test_a_bomb_is_matched_in_bounded_time),
        cmocka_unit_test(test_masks_are_completed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
