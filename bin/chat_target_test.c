/* SPDX-License-Identifier: MIT */
#include "chat_target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *shown;
    enum chat_protocol protocol;
    bool tls;
} rows[] = {
    {"", "127.0.0.1:60000", CHAT_AUTO, false},
    {"chat.example.org", "chat.example.org:60000", CHAT_AUTO, false},
    {"chat.example.org:7000", "chat.example.org:7000", CHAT_AUTO, false},
    {"[::1]:7000", "[::1]:7000", CHAT_AUTO, false},
    {"any://127.0.0.1:7000", "127.0.0.1:7000", CHAT_AUTO, false},
    {"line://127.0.0.1", "127.0.0.1:60000", CHAT_LINE, false},
    {"irc://irc.example.org", "irc.example.org:6667", CHAT_IRC, false},
    {"IRCS://irc.example.org", "irc.example.org:6697", CHAT_IRC, true},
    {"ircs://[::1]:7000", "[::1]:7000", CHAT_IRC, true},
    {"unix:/run/x", "unix:/run/x", CHAT_AUTO, false},
    {"line://unix:/run/x", "unix:/run/x", CHAT_LINE, false},
};

static void test_target_says_where_and_what_is_spoken(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct chat_target target;
        assert_int_equal(chat_target_parse(rows[i].text, &target), 0);
        assert_string_equal(target.shown, rows[i].shown);
        assert_int_equal(target.protocol, rows[i].protocol);
        assert_int_equal(target.tls, rows[i].tls);
    }
}

static void test_no_target_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"::1", "[::1", "unix:", "irc://::1:6667"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct chat_target target;
        assert_true(chat_target_parse(texts[i], &target) < 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_target_says_where_and_what_is_spoken),
        cmocka_unit_test(test_no_target_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
