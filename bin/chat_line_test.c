/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chat_line.h"

static struct chat_line parse(const char *text)
{
    return chat_line_parse(text, strlen(text));
}

static void test_lines_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum chat_line_kind kind;
        const char *name; /* NULL: none */
    } cases[] = {
        {"2026-11-20 12:31:07 alice: hi", CHAT_LINE_SAID, "alice"},
        {"2026-11-20 12:31:07 alice: *** Welcome to x. You are y;", CHAT_LINE_SAID, "alice"},
        {"2026-11-20 12:31:07 * alice waves: hi", CHAT_LINE_DID, "alice"},
        {"2026-11-20 12:31:07 [alice -> you] hi: there", CHAT_LINE_PRIVATE, NULL},
        {"2026-11-20 12:31:07 *** alice set the topic: x", CHAT_LINE_NOTED, NULL},
        {"2026-11-20 12:31:07", CHAT_LINE_OTHER, NULL},
        {"2026-11-20 12:31 alice: hi", CHAT_LINE_OTHER, NULL},
        {"*** bob joined", CHAT_LINE_SERVER, NULL},
        {"***", CHAT_LINE_OTHER, NULL},
        {"", CHAT_LINE_OTHER, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chat_line line = parse(cases[i].text);
        assert_int_equal(line.kind, cases[i].kind);
        assert_int_equal(line.name != NULL, cases[i].name != NULL);
        if (cases[i].name) {
            assert_int_equal(line.name_len, strlen(cases[i].name));
            assert_memory_equal(line.name, cases[i].name, line.name_len);
        }
    }
}

static bool own_name(const char *text, char *ret)
{
    struct chat_line line = parse(text);
    return chat_line_own_name(&line, ret);
}

static void test_own_name_is_learned_from_the_server_alone(void **state)
{
    (void)state;
    char name[NAME_CEILING_BYTES + 1];
    assert_true(own_name("*** Welcome to The Net. You are guest7; /nick NAME changes that.", name));
    assert_string_equal(name, "guest7");
    assert_true(own_name("*** Welcome to X. You are Y. You are z; /nick ...", name));
    assert_string_equal(name, "z");
    assert_true(own_name("*** You are now called a.b.", name));
    assert_string_equal(name, "a.b");
    assert_false(own_name("2026-11-20 12:31:07 bob: You are now called x.", name));
    assert_false(own_name("*** You are now called .", name));
    assert_false(own_name("*** bob is now called x", name));
}

static void test_own_room_is_learned_and_refusals_are_no_rooms(void **state)
{
    (void)state;
    char room[ROOM_NAME_CEILING_BYTES + 1];
    struct chat_line line = parse("*** You are in 茶馆, with 3 others.");
    assert_true(chat_line_own_room(&line, room));
    assert_string_equal(room, "茶馆");
    line = parse("*** You are in lobby already; /quit leaves for good.");
    assert_false(chat_line_own_room(&line, room));
    line = parse("*** You are in 100 rooms, and that is the most.");
    assert_false(chat_line_own_room(&line, room));
}

static bool is_refusal(const char *text)
{
    struct chat_line line = parse(text);
    return chat_line_is_refusal(&line);
}

static void test_refusals_are_known_from_what_users_do(void **state)
{
    (void)state;
    assert_true(is_refusal("*** That line is longer than 1024 bytes and was not sent."));
    assert_true(
        is_refusal("*** Not sent: the server cannot store it (disk full). Try again later."));
    assert_true(is_refusal("*** The name alice is taken."));
    assert_true(is_refusal("*** There is no command /x. /help lists them; //x says it."));
    assert_false(is_refusal("*** That joined"));
    assert_false(is_refusal("*** That is now called There"));
    assert_false(is_refusal("*** There quit: There is no"));
    assert_false(is_refusal("2026-11-20 12:31:07 bob: That is longer"));
}

static void test_end_of_a_history_says_how_much_it_was_and_what_follows(void **state)
{
    (void)state;
    size_t count = 9;
    uint64_t more = 9;
    struct chat_line line = parse("*** 12 lines, number 5 to 24.");
    assert_true(chat_line_ends_history(&line, &count, &more));
    assert_int_equal(count, 12);
    assert_int_equal(more, 0);
    line = parse("*** 1 line, number 5 to 5. More: /history after 5");
    assert_true(chat_line_ends_history(&line, &count, &more));
    assert_int_equal(count, 1);
    assert_int_equal(more, 5);
    line = parse("*** Nothing there.");
    assert_true(chat_line_ends_history(&line, &count, &more));
    assert_int_equal(count, 0);
    line = parse("*** 3 rooms, with people and topic:");
    assert_false(chat_line_ends_history(&line, &count, &more));
    line = parse("*** 99999999999999999999999 lines, number 1 to 2.");
    assert_false(chat_line_ends_history(&line, &count, &more));
}

static void assert_echo(const char *typed, const char *wanted)
{
    char *echo = chat_typed_echo("al", typed);
    if (wanted) {
        assert_non_null(echo);
        assert_string_equal(echo, wanted);
    } else {
        assert_null(echo);
    }
    free(echo);
}

static void test_echo_is_what_the_server_tells_everyone(void **state)
{
    (void)state;
    assert_echo("hi", "al: hi");
    assert_echo(" /who", "al:  /who");
    assert_echo("//who", "al: /who");
    assert_echo("/me waves", "* al waves");
    assert_echo("/ME  waves", "* al waves");
    assert_echo("/me", NULL);
    assert_echo("/who", NULL);
    assert_echo("Quit", NULL);
    assert_echo("quite", "al: quite");
    assert_echo("/message", NULL);
}

static void test_typed_text_is_cleaned_as_the_server_cleans_it(void **state)
{
    (void)state;
    char *clean = chat_typed_clean("a\tb\033[31m  ", 10);
    assert_string_equal(clean, "a b[31m");
    free(clean);
    clean = chat_typed_clean("   ", 3);
    assert_string_equal(clean, "");
    free(clean);
}

static void test_paint_adds_colours_and_nothing_else(void **state)
{
    (void)state;
    static const char *const texts[] = {"2026-11-20 12:31:07 alice: hi", "*** bob joined",
                                        "2026-11-20 12:31:07 * alice waves", "plain",
                                        "2026-11-20 12:31:07 [a -> you] x"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct chat_line line = parse(texts[i]);
        size_t len, kept = 0;
        char *painted = chat_line_paint(&line, &len);
        for (size_t at = 0; at < len; at++) {
            if (painted[at] == '\033') {
                while (painted[at] != 'm') {
                    at++;
                }
            } else {
                painted[kept++] = painted[at];
            }
        }
        assert_int_equal(kept, strlen(texts[i]));
        assert_memory_equal(painted, texts[i], kept);
        free(painted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_told_apart),
        cmocka_unit_test(test_own_name_is_learned_from_the_server_alone),
        cmocka_unit_test(test_own_room_is_learned_and_refusals_are_no_rooms),
        cmocka_unit_test(test_refusals_are_known_from_what_users_do),
        cmocka_unit_test(test_end_of_a_history_says_how_much_it_was_and_what_follows),
        cmocka_unit_test(test_echo_is_what_the_server_tells_everyone),
        cmocka_unit_test(test_typed_text_is_cleaned_as_the_server_cleans_it),
        cmocka_unit_test(test_paint_adds_colours_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
