/* SPDX-License-Identifier: MIT */
#include "wire/irc_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_test_util.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_lists_are_taken_apart_at_commas(void **state)
{
    (void)state;
    static const struct {
        const char *list, *expected;
    } rows[] = {
        {"", ""},
        {",", ""},
        {"a", "[a]"},
        {"a,b", "[a][b]"},
        {"a,", "[a]"},
        {",a", "[a]"},
        {",,a,,b,,", "[a][b]"},
        {"#a,#b,c", "[#a][#b][c]"},
        {" ", "[ ]"},
        {"a b,c", "[a b][c]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].list);
        char *copy = irc_test_copy(rows[i].list, len);
        struct irc_span list = {copy, len};
        struct irc_span item;
        struct irc_dump dump = {0};
        while (irc_name_next(&list, &item)) {
            irc_dump_part(&dump, "[", item, "]");
        }
        assert_string_equal(dump.text, rows[i].expected);
        free(copy);
    }
}

static void test_channels_nicks_and_keys_follow_the_grammar(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_channel, is_nick, is_key;
    } rows[] = {
        {"#chan", true, false, true},
        {"##", true, false, true},
        {"#", false, false, true},
        {"", false, false, false},
        {"&chan", false, false, true},
        {"#a b", false, false, false},
        {"#a,b", false, false, false},
        {"#a\a", false, false, false},
        {"#a\r", false, false, false},
        {"#a:b", true, false, true},
        {"#\xe6\xbc\xa2", true, false, true},
        {"dan", false, true, true},
        {"[x]\\`^{|}", false, true, true},
        {"\xe5\x90\x8d", false, true, true},
        {"a-1", false, true, true},
        {"1a", false, false, true},
        {"-a", false, false, true},
        {":a", false, false, false},
        {"$a", false, false, true},
        {"~a", false, false, true},
        {"%a", false, false, true},
        {"+a", false, false, true},
        {"@a", false, false, true},
        {"a@b", false, false, true},
        {"a!b", false, false, true},
        {"a*", false, false, true},
        {"a?", false, false, true},
        {"a,b", false, false, false},
        {"a b", false, false, false},
        {"a\tb", false, true, false},
        {"a\x7f", false, true, false},
        {"a\nb", false, false, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_span name = irc_span(rows[i].name);
        assert_int_equal(irc_name_is_channel(name), rows[i].is_channel);
        assert_int_equal(irc_name_is_nick(name), rows[i].is_nick);
        assert_int_equal(irc_name_is_key(name), rows[i].is_key);
    }
    const struct irc_span nul = {"#a\0b", 4};
    assert_false(irc_name_is_channel(nul));
    assert_false(irc_name_is_nick((struct irc_span){"a\0b", 3}));
    assert_false(irc_name_is_key(nul));
    assert_false(irc_name_is_channel((struct irc_span){0}));
    assert_false(irc_name_is_nick((struct irc_span){0}));
    assert_false(irc_name_is_key((struct irc_span){0}));
}

static void test_targets_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *target;
        enum irc_target_kind kind;
        char prefix;
        const char *name;
    } rows[] = {
        {"dan", IRC_TARGET_NICK, '\0', "dan"},
        {"#chan", IRC_TARGET_CHANNEL, '\0', "#chan"},
        {"@#chan", IRC_TARGET_STATUS, '@', "#chan"},
        {"+#chan", IRC_TARGET_STATUS, '+', "#chan"},
        {"@+#chan", IRC_TARGET_STATUS, '+', "#chan"},
        {"+@#chan", IRC_TARGET_STATUS, '+', "#chan"},
        {"@@#chan", IRC_TARGET_STATUS, '@', "#chan"},
        {"%#chan", IRC_TARGET_BAD, '\0', "%#chan"},
        {"@dan", IRC_TARGET_BAD, '\0', "dan"},
        {"@", IRC_TARGET_BAD, '\0', ""},
        {"@#", IRC_TARGET_BAD, '\0', "#"},
        {"#", IRC_TARGET_BAD, '\0', "#"},
        {"", IRC_TARGET_BAD, '\0', ""},
        {"$*.example.com", IRC_TARGET_BAD, '\0', "$*.example.com"},
        {"a@b", IRC_TARGET_BAD, '\0', "a@b"},
        {"#a,#b", IRC_TARGET_BAD, '\0', "#a,#b"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_target target = irc_target_parse(irc_span(rows[i].target), "@+");
        assert_int_equal(target.kind, rows[i].kind);
        assert_int_equal(target.prefix, rows[i].prefix);
        assert_true(irc_span_is(target.name, rows[i].name));
    }
    assert_int_equal(irc_target_parse(irc_span("@#chan"), "").kind, IRC_TARGET_BAD);
}

static void test_prefixes_are_taken_off_names(void **state)
{
    (void)state;
    struct irc_span name = irc_span("@+dan!d@host");
    assert_true(irc_span_is(irc_name_take_prefixes(&name, "@+"), "@+"));
    assert_true(irc_span_is(name, "dan!d@host"));
    assert_true(irc_span_is(irc_name_take_prefixes(&name, "@+"), ""));
    name = irc_span("@@");
    assert_true(irc_span_is(irc_name_take_prefixes(&name, "@+"), "@@"));
    assert_int_equal(name.len, 0);
}

static void test_user_names_keep_what_is_harmless(void **state)
{
    (void)state;
    static const struct {
        const char *user;
        size_t max;
        const char *expected;
    } rows[] = {
        {"dan", 10, "dan"},       {"~dan", 10, "dan"}, {"d@n!x", 10, "dnx"},
        {"-.a-.b", 10, "a-.b"},   {"", 10, ""},        {"@!*?", 10, ""},
        {"abcdef", 3, "abc"},     {"_A9", 10, "_A9"},  {"caf\xc3\xa9", 10, "caf"},
        {"a b:c\r\n", 10, "abc"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char clean[16];
        size_t len = irc_name_clean_user(irc_span(rows[i].user), rows[i].max, clean);
        assert_true(irc_span_is((struct irc_span){clean, len}, rows[i].expected));
    }
}

static void test_addresses_can_be_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *host, *expected;
    } rows[] = {
        {"::1", "0::1"}, {"::", "0::"}, {"2001:db8::1", "2001:db8::1"}, {"host", "host"}, {"", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char host[32];
        size_t len = irc_name_write_host(irc_span(rows[i].host), host);
        assert_true(irc_span_is((struct irc_span){host, len}, rows[i].expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_are_taken_apart_at_commas),
        cmocka_unit_test(test_channels_nicks_and_keys_follow_the_grammar),
        cmocka_unit_test(test_targets_are_told_apart),
        cmocka_unit_test(test_prefixes_are_taken_off_names),
        cmocka_unit_test(test_user_names_keep_what_is_harmless),
        cmocka_unit_test(test_addresses_can_be_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
