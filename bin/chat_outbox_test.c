/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "chat_outbox.h"

static void send_next(struct chat_outbox *outbox, const char *wanted)
{
    const char *next = chat_outbox_next(outbox);
    assert_non_null(next);
    assert_string_equal(next, wanted);
    chat_outbox_sent(outbox, "al");
}

static void see(struct chat_outbox *outbox, const char *text, const char *own_name)
{
    struct chat_line line = chat_line_parse(text, strlen(text));
    chat_outbox_confirm(outbox, &line, own_name);
}

static void test_line_leaves_when_the_room_sees_it(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    assert_true(chat_outbox_add(&outbox, "hi"));
    send_next(&outbox, "hi");
    assert_null(chat_outbox_next(&outbox));
    see(&outbox, "2026-11-20 12:31:07 bob: hi", "al");
    assert_int_equal(outbox.count, 1);
    see(&outbox, "2026-11-20 12:31:07 al: hi", "al");
    assert_int_equal(outbox.count, 0);
    chat_outbox_finish(&outbox);
}

static void test_line_that_was_not_sent_cannot_be_seen(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    assert_true(chat_outbox_add(&outbox, "hi"));
    see(&outbox, "2026-11-20 12:31:07 al: hi", "al");
    assert_int_equal(outbox.count, 1);
    chat_outbox_finish(&outbox);
}

static void test_equal_lines_leave_one_by_one(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    assert_true(chat_outbox_add(&outbox, "ok"));
    assert_true(chat_outbox_add(&outbox, "ok"));
    send_next(&outbox, "ok");
    send_next(&outbox, "ok");
    see(&outbox, "2026-11-20 12:31:07 al: ok", "al");
    assert_int_equal(outbox.count, 1);
    chat_outbox_finish(&outbox);
}

static void test_lines_before_one_that_was_seen_were_refused(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    assert_true(chat_outbox_add(&outbox, "too long"));
    assert_true(chat_outbox_add(&outbox, "/me waves"));
    assert_true(chat_outbox_add(&outbox, "third"));
    send_next(&outbox, "too long");
    send_next(&outbox, "/me waves");
    see(&outbox, "2026-11-20 12:31:07 * al waves", "al");
    assert_int_equal(outbox.count, 1);
    assert_int_equal(outbox.sent, 0);
    send_next(&outbox, "third");
    chat_outbox_refuse(&outbox);
    assert_int_equal(outbox.count, 0);
    chat_outbox_finish(&outbox);
}

static void test_after_an_outage_what_is_left_is_sent_again(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    assert_true(chat_outbox_add(&outbox, "one"));
    assert_true(chat_outbox_add(&outbox, "two"));
    assert_true(chat_outbox_add(&outbox, "three"));
    send_next(&outbox, "one");
    send_next(&outbox, "two");
    see(&outbox, "2026-11-20 12:31:07 al: one", "al");
    assert_int_equal(chat_outbox_rewind(&outbox), 2);
    send_next(&outbox, "two");
    send_next(&outbox, "three");
    chat_outbox_finish(&outbox);
}

static void test_line_is_known_by_the_name_of_then_or_now(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    assert_true(chat_outbox_add(&outbox, "one"));
    assert_true(chat_outbox_add(&outbox, "two"));
    send_next(&outbox, "one");
    send_next(&outbox, "two");
    see(&outbox, "2026-11-20 12:31:07 al: one", "albert");
    see(&outbox, "2026-11-20 12:31:07 albert: two", "albert");
    assert_int_equal(outbox.count, 0);
    chat_outbox_finish(&outbox);
}

static void test_full_box_takes_no_more(void **state)
{
    (void)state;
    struct chat_outbox outbox = {0};
    for (int i = 0; i < CHAT_OUTBOX_MAX; i++) {
        assert_true(chat_outbox_add(&outbox, "x"));
    }
    assert_false(chat_outbox_add(&outbox, "x"));
    chat_outbox_finish(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_leaves_when_the_room_sees_it),
        cmocka_unit_test(test_line_that_was_not_sent_cannot_be_seen),
        cmocka_unit_test(test_equal_lines_leave_one_by_one),
        cmocka_unit_test(test_lines_before_one_that_was_seen_were_refused),
        cmocka_unit_test(test_after_an_outage_what_is_left_is_sent_again),
        cmocka_unit_test(test_line_is_known_by_the_name_of_then_or_now),
        cmocka_unit_test(test_full_box_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
