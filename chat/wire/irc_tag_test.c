/* SPDX-License-Identifier: MIT */
#include "wire/irc_tag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_test_util.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_values_are_unescaped_by_the_table_of_the_specification(void **state)
{
    (void)state;
    static const struct {
        const char *escaped, *value;
    } rows[] = {
        {"", ""},
        {"plain", "plain"},
        {"\\:", ";"},
        {"\\s", " "},
        {"\\\\", "\\"},
        {"\\r", "\r"},
        {"\\n", "\n"},
        {"raw+:=,escaped\\:\\s\\\\", "raw+:=,escaped; \\"},
        {"test\\", "test"},
        {"\\", ""},
        {"\\\\\\", "\\"},
        {"\\\\s", "\\s"},
        {"\\b", "b"},
        {"\\a\\z\\=", "az="},
        {"\\S\\R\\N", "SRN"},
        {"a\\sb\\sc", "a b c"},
        {"\\\xc3\xa9", "\xc3\xa9"},
        {"=", "="},
        {"a=b==", "a=b=="},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].escaped);
        char *copy = irc_test_copy(rows[i].escaped, len);
        char *value = malloc(len + 1);
        assert_non_null(value);
        size_t value_len = irc_tag_unescape((struct irc_span){copy, len}, value);
        assert_int_equal(value_len, strlen(rows[i].value));
        assert_memory_equal(value, rows[i].value, value_len);
        free(value);
        free(copy);
    }
}

static void test_each_byte_is_escaped_and_comes_back(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char raw[] = {'a', (char)byte, 'b', (char)byte};
        char escaped[2 * sizeof(raw)];
        char back[sizeof(escaped)];
        size_t len = irc_tag_escape((struct irc_span){raw, sizeof(raw)}, escaped);
        assert_int_equal(len > sizeof(raw), byte != 0 && strchr("; \\\r\n", byte) != NULL);
        assert_null(memchr(escaped, ';', len));
        assert_null(memchr(escaped, ' ', len));
        assert_null(memchr(escaped, '\r', len));
        assert_null(memchr(escaped, '\n', len));
        size_t back_len = irc_tag_unescape((struct irc_span){escaped, len}, back);
        assert_int_equal(back_len, sizeof(raw));
        assert_memory_equal(back, raw, back_len);
    }
}

static void test_keys_follow_the_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",
        "time",
        "MSGID",
        "a-b",
        "-",
        "9",
        "+typing",
        "+draft/reply",
        "a/b",
        "example.com/x",
        "znc.in/server-time",
        "xn--e1afmkfd.org/foo",
        "+a.b.c/d",
        "./a",
    };
    static const char *const bad[] = {
        "",    "+",   "/",   "a/",    "/a",    "+/a",  "+a/",  "++a",      "a+", "a.b", "a/b.c",
        "a b", "a=b", "a_b", "a/b/c", "a\x7f", "a\tb", "a\\b", "\xc3\xa9", "@a", "a:b", "a;b",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(irc_tag_is_key(irc_span(good[i])));
        assert_int_equal(irc_tag_is_client_only(irc_span(good[i])), good[i][0] == '+');
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(irc_tag_is_key(irc_span(bad[i])));
    }
    assert_false(irc_tag_is_key((struct irc_span){"a\0b", 3}));
    assert_false(irc_tag_is_key((struct irc_span){0}));
}

/* Tags as "key=value;key" with '-' for an absent value, so that "a" and "a=" differ. */
static void print_tags(const char *text, struct irc_dump *dump)
{
    size_t len = strlen(text);
    char *copy = irc_test_copy(text, len);
    struct irc_tag tags[IRC_TAGS_MAX];
    size_t count;
    assert_true(irc_tags_parse((struct irc_span){copy, len}, tags, &count));
    dump->len = 0;
    dump->text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        irc_dump_part(dump, i > 0 ? ";" : "", tags[i].key, "=");
        irc_dump_add(dump, tags[i].value.text ? tags[i].value : irc_span("-"));
    }
    free(copy);
}

static void test_tags_are_taken_apart_and_the_last_of_a_key_stands(void **state)
{
    (void)state;
    static const struct {
        const char *tags, *expected;
    } rows[] = {
        {"", ""},
        {"a", "a=-"},
        {"a=", "a="},
        {"a=b", "a=b"},
        {"a=b=c", "a=b=c"},
        {"a=b;c;d=e", "a=b;c=-;d=e"},
        {"a=1;a=2", "a=2"},
        {"a=1;b=2;a=3;b=4;a", "a=-;b=4"},
        {"a=1;A=2", "a=1;A=2"},
        {"a=1;+a=2", "a=1;+a=2"},
        {";;a;;b;;", "a=-;b=-"},
        {"=x;a", "a=-"},
        {"a b=1", ""},
        {"a_b=1;ok=2", "ok=2"},
        {"+a.example/b=c", "+a.example/b=c"},
        {"a=\\:\\", "a=\\:\\"},
        {"a=;a=", "a="},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_dump dump;
        print_tags(rows[i].tags, &dump);
        assert_string_equal(dump.text, rows[i].expected);
    }
}

static void test_more_keys_than_the_limit_are_told(void **state)
{
    (void)state;
    char text[8 * (IRC_TAGS_MAX + 1)];
    size_t len = 0;
    struct irc_tag tags[IRC_TAGS_MAX];
    size_t count;
    for (int i = 0; i <= IRC_TAGS_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "k%d;", i);
        bool fits = irc_tags_parse((struct irc_span){text, len}, tags, &count);
        assert_int_equal(fits, i < IRC_TAGS_MAX);
        assert_int_equal(count, i < IRC_TAGS_MAX ? i + 1 : IRC_TAGS_MAX);
    }
    /* Not keys but tags: a key that comes often counts once. */
    for (size_t i = 0; i < sizeof(text); i += 2) {
        memcpy(text + i, "k;", 2);
    }
    assert_true(irc_tags_parse((struct irc_span){text, sizeof(text)}, tags, &count));
    assert_int_equal(count, 1);
}

static void test_one_key_is_found(void **state)
{
    (void)state;
    struct irc_span tags = irc_span("a=1;label=x;b;label=\\sy;c=");
    assert_true(irc_span_is(irc_tags_find(tags, "label"), "\\sy"));
    assert_true(irc_span_is(irc_tags_find(tags, "a"), "1"));
    assert_true(irc_span_is(irc_tags_find(tags, "b"), ""));
    assert_true(irc_span_is(irc_tags_find(tags, "c"), ""));
    assert_null(irc_tags_find(tags, "lab").text);
    assert_null(irc_tags_find(tags, "labels").text);
    assert_null(irc_tags_find((struct irc_span){0}, "a").text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_are_unescaped_by_the_table_of_the_specification),
        cmocka_unit_test(test_each_byte_is_escaped_and_comes_back),
        cmocka_unit_test(test_keys_follow_the_grammar),
        cmocka_unit_test(test_tags_are_taken_apart_and_the_last_of_a_key_stands),
        cmocka_unit_test(test_more_keys_than_the_limit_are_told),
        cmocka_unit_test(test_one_key_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
