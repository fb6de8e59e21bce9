/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chat_catchup.h"

static struct chat_line at(char *text, size_t cap, int second, const char *what)
{
    int len = snprintf(text, cap, "2026-11-20 12:31:%02d bob: %s", second, what);
    return chat_line_parse(text, (size_t)len);
}

static void note(struct chat_catchup *catchup, int second, const char *what)
{
    char text[128];
    struct chat_line line = at(text, sizeof text, second, what);
    chat_catchup_note(catchup, &line);
}

static bool is_new(struct chat_catchup *catchup, enum chat_source source, int second,
                   const char *what)
{
    char text[128];
    struct chat_line line = at(text, sizeof text, second, what);
    return chat_catchup_is_new(catchup, &line, source);
}

static void test_what_was_missed_is_new_once(void **state)
{
    (void)state;
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 1, "seen");
    note(catchup, 2, "seen too");
    assert_string_equal(chat_catchup_begin(catchup), "2026-11-20 12:31:02");
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 2, "seen too"));
    assert_true(is_new(catchup, CHAT_FROM_HISTORY, 3, "missed"));
    assert_false(is_new(catchup, CHAT_FROM_ROOM, 1, "seen"));
    assert_false(is_new(catchup, CHAT_FROM_ROOM, 2, "seen too"));
    assert_false(is_new(catchup, CHAT_FROM_ROOM, 3, "missed"));
    assert_true(is_new(catchup, CHAT_FROM_ROOM, 4, "after"));
    chat_catchup_destroy(catchup);
}

static void test_equal_lines_of_one_second_are_counted(void **state)
{
    (void)state;
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 5, "ok");
    (void)chat_catchup_begin(catchup);
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 5, "ok"));
    assert_true(is_new(catchup, CHAT_FROM_HISTORY, 5, "ok"));
    assert_false(is_new(catchup, CHAT_FROM_ROOM, 5, "ok"));
    assert_false(is_new(catchup, CHAT_FROM_ROOM, 5, "ok"));
    assert_true(is_new(catchup, CHAT_FROM_ROOM, 5, "ok"));
    chat_catchup_destroy(catchup);
}

static void test_second_outage_shows_nothing_of_the_first_again(void **state)
{
    (void)state;
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 1, "a");
    (void)chat_catchup_begin(catchup);
    assert_true(is_new(catchup, CHAT_FROM_HISTORY, 2, "b"));
    assert_true(is_new(catchup, CHAT_FROM_ROOM, 3, "c"));
    assert_string_equal(chat_catchup_begin(catchup), "2026-11-20 12:31:01");
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 1, "a"));
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 2, "b"));
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 3, "c"));
    assert_true(is_new(catchup, CHAT_FROM_HISTORY, 3, "d"));
    note(catchup, 3, "e");
    (void)chat_catchup_begin(catchup);
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 3, "c"));
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 3, "d"));
    assert_false(is_new(catchup, CHAT_FROM_HISTORY, 3, "e"));
    chat_catchup_destroy(catchup);
}

static void test_lines_younger_than_the_history_cannot_repeat(void **state)
{
    (void)state;
    char text[128];
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 1, "a");
    (void)chat_catchup_begin(catchup);
    assert_true(is_new(catchup, CHAT_FROM_HISTORY, 4, "b"));
    struct chat_line same = at(text, sizeof text, 4, "b");
    assert_true(chat_catchup_may_repeat(catchup, &same));
    struct chat_line later = at(text, sizeof text, 5, "c");
    assert_false(chat_catchup_may_repeat(catchup, &later));
    chat_catchup_destroy(catchup);
}

static void test_older_lines_asked_for_do_not_move_the_mark_back(void **state)
{
    (void)state;
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 9, "new");
    note(catchup, 3, "from a search");
    assert_string_equal(chat_catchup_begin(catchup), "2026-11-20 12:31:09");
    chat_catchup_destroy(catchup);
}

static void test_nothing_is_known_of_another_room_but_the_time(void **state)
{
    (void)state;
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 9, "old room");
    chat_catchup_forget(catchup);
    assert_null(chat_catchup_begin(catchup));
    chat_catchup_start_at(catchup, "2026-11-20 12:31:05");
    assert_string_equal(chat_catchup_begin(catchup), "2026-11-20 12:31:05");
    assert_false(is_new(catchup, CHAT_FROM_ROOM, 4, "before I came"));
    assert_true(is_new(catchup, CHAT_FROM_ROOM, 6, "after I came"));
    chat_catchup_destroy(catchup);
}

static void test_many_lines_are_told_apart(void **state)
{
    (void)state;
    char what[32];
    struct chat_catchup *catchup = chat_catchup_create();
    note(catchup, 1, "a");
    (void)chat_catchup_begin(catchup);
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(what, sizeof what, "%d", i);
        assert_true(is_new(catchup, CHAT_FROM_HISTORY, 2, what));
    }
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(what, sizeof what, "%d", i);
        assert_false(is_new(catchup, CHAT_FROM_ROOM, 2, what));
    }
    chat_catchup_destroy(catchup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_missed_is_new_once),
        cmocka_unit_test(test_equal_lines_of_one_second_are_counted),
        cmocka_unit_test(test_second_outage_shows_nothing_of_the_first_again),
        cmocka_unit_test(test_lines_younger_than_the_history_cannot_repeat),
        cmocka_unit_test(test_older_lines_asked_for_do_not_move_the_mark_back),
        cmocka_unit_test(test_nothing_is_known_of_another_room_but_the_time),
        cmocka_unit_test(test_many_lines_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
