/* SPDX-License-Identifier: MIT */
#include "core/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct event *make_message(const char *text)
{
    struct event_parts parts = {.type = EVENT_MESSAGE, .text = text, .text_len = strlen(text)};
    return event_create(&parts);
}

static void test_an_event_owns_copies_of_all_its_parts(void **state)
{
    (void)state;
    char room[] = "lobby";
    char actor[] = "alice";
    char target[] = "bob";
    char text[] = "hello";
    uint32_t rooms[] = {4, 9, 2};
    struct event *recent[] = {make_message("one"), make_message("two")};
    struct event *event = event_create(&(struct event_parts){
        .type = EVENT_ENTERED,
        .audience = AUDIENCE_ROOMS,
        .code = 3,
        .durable = true,
        .room_id = 4,
        .session = 5,
        .peer = 6,
        .number = 7,
        .seq = 8,
        .count = 9,
        .time_ms = -10,
        .room = room,
        .room_len = 5,
        .actor = actor,
        .actor_len = 5,
        .target = target,
        .target_len = 3,
        .text = text,
        .text_len = 5,
        .rooms = rooms,
        .room_count = 3,
        .recent = recent,
        .recent_count = 2,
    });
    event_unref(recent[0]);
    event_unref(recent[1]);
    memset(room, 'x', sizeof(room));
    memset(actor, 'x', sizeof(actor));
    memset(target, 'x', sizeof(target));
    memset(text, 'x', sizeof(text));
    memset(rooms, 0, sizeof(rooms));

    assert_int_equal(event->type, EVENT_ENTERED);
    assert_int_equal(event->audience, AUDIENCE_ROOMS);
    assert_int_equal(event->code, 3);
    assert_true(event->durable);
    assert_int_equal(event->room_id, 4);
    assert_int_equal(event->session, 5);
    assert_int_equal(event->peer, 6);
    assert_int_equal(event->number, 7);
    assert_int_equal(event->seq, 8);
    assert_int_equal(event->count, 9);
    assert_true(event->time_ms == -10);
    assert_string_equal(event->room, "lobby");
    assert_string_equal(event->actor, "alice");
    assert_string_equal(event->target, "bob");
    assert_string_equal(event->text, "hello");
    assert_int_equal(event->room_len + event->actor_len + event->target_len + event->text_len, 18);
    assert_int_equal(event->room_count, 3);
    assert_int_equal(event->rooms[0], 4);
    assert_int_equal(event->rooms[2], 2);
    assert_int_equal(event->recent_count, 2);
    assert_string_equal(event->recent[1]->text, "two");
    event_unref(event);
}

static void test_strings_that_are_not_given_are_empty(void **state)
{
    (void)state;
    struct event *event = event_create(&(struct event_parts){.type = EVENT_REPLY_DONE});
    assert_string_equal(event->room, "");
    assert_string_equal(event->actor, "");
    assert_string_equal(event->target, "");
    assert_string_equal(event->text, "");
    assert_int_equal(event->room_count + event->recent_count, 0);
    event_unref(event);
    event_unref(NULL);
}

static void test_an_event_lives_as_long_as_somebody_refers_to_it(void **state)
{
    (void)state;
    struct event *message = make_message("kept");
    struct event *entered = event_create(&(struct event_parts){
        .type = EVENT_ENTERED,
        .recent = &message,
        .recent_count = 1,
    });
    assert_int_equal(message->refs, 2);
    assert_ptr_equal(event_ref(entered), entered);
    event_unref(entered);
    assert_int_equal(message->refs, 2);
    event_unref(entered);
    assert_int_equal(message->refs, 1);
    event_unref(message);
}

static void test_a_list_owns_its_events_and_keeps_its_memory(void **state)
{
    (void)state;
    struct event_list list = {0};
    struct event *message = make_message("hello");
    for (size_t i = 0; i < 100; i++) {
        event_list_take(&list, event_ref(message));
    }
    assert_int_equal(list.count, 100);
    assert_int_equal(message->refs, 101);
    assert_ptr_equal(list.items[99], message);
    size_t cap = list.cap;
    event_list_clear(&list);
    assert_int_equal(list.count, 0);
    assert_int_equal(list.cap, cap);
    assert_int_equal(message->refs, 1);
    event_list_take(&list, message);
    event_list_finish(&list);
    assert_null(list.items);
    assert_int_equal(list.cap, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_owns_copies_of_all_its_parts),
        cmocka_unit_test(test_strings_that_are_not_given_are_empty),
        cmocka_unit_test(test_an_event_lives_as_long_as_somebody_refers_to_it),
        cmocka_unit_test(test_a_list_owns_its_events_and_keeps_its_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
