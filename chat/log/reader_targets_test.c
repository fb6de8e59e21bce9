/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * With whom there was talk, and where one message is.
 */

#define ALICE UINT64_C(0xfedcba9876543210)

struct scene {
    char *dir;
    struct log *log;
    struct reader *reader;
    char text[2000]; /* what was answered: "1 room1 40;0 bob 50;" */
};

static void whisper(struct log *log, uint64_t identity, const char *actor, uint64_t other,
                    const char *target)
{
    uint64_t number = log_last_number(log) + 1;
    struct event_parts parts = {.type = EVENT_PRIVATE_TO,
                                .durable = true,
                                .number = number,
                                .time_ms = (int64_t)number * 10,
                                .identity = identity,
                                .peer_identity = other,
                                .actor = actor,
                                .actor_len = strlen(actor),
                                .target = target,
                                .target_len = strlen(target),
                                .text = "psst",
                                .text_len = 4};
    assert_int_equal(test_commit_one(log, event_create(&parts)), LOG_OK);
}

static void say(struct log *log, uint32_t room, uint64_t seq)
{
    uint64_t number = log_last_number(log) + 1;
    struct event *event = test_event(EVENT_MESSAGE, room, seq, number, "alice", "hello");
    assert_int_equal(test_commit_one(log, event), LOG_OK);
}

static void take_back(struct log *log, uint32_t room, uint64_t value)
{
    struct event_parts parts = {.type = EVENT_REDACTED,
                                .durable = true,
                                .room_id = room,
                                .room = "room1",
                                .room_len = 5,
                                .number = log_last_number(log) + 1,
                                .value = value};
    assert_int_equal(test_commit_one(log, event_create(&parts)), LOG_OK);
}

static int setup(void **state)
{
    static struct scene scene;
    char message[512];
    scene = (struct scene){.dir = test_dir_create()};
    scene.log = test_open(scene.dir);
    whisper(scene.log, ALICE, "alice", 2, "Bob");   /* 10 */
    say(scene.log, 1, 1);                           /* 20 */
    whisper(scene.log, 3, "Carol", ALICE, "ALICE"); /* 30 */
    say(scene.log, 2, 1);                           /* 40 */
    whisper(scene.log, 2, "BOB", ALICE, "alice");   /* 50 */
    say(scene.log, 1, 2);                           /* 60 */
    whisper(scene.log, 3, "carol", 2, "bob");       /* 70 */
    assert_int_equal(reader_open(scene.dir, &scene.reader, message, sizeof(message)), LOG_OK);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    reader_close(scene->reader);
    log_close(scene->log);
    test_dir_remove(scene->dir);
    return 0;
}

/* The records of `count` fields as text. */
static const char *show(struct scene *scene, struct record_out *out, size_t count)
{
    struct record_in in = {out->bytes, out->len};
    struct record_field fields[6];
    size_t used = 0;
    scene->text[0] = '\0';
    while (record_next(&in, fields, 6)) {
        for (size_t i = 0; i < count; i++) {
            used += (size_t)snprintf(scene->text + used, sizeof(scene->text) - used, "%s%c",
                                     fields[i].text, i + 1 == count ? ';' : ' ');
        }
    }
    record_out_finish(out);
    return scene->text;
}

static const char *targets(struct scene *scene, uint64_t identity, int64_t from_ms, int64_t to_ms,
                           uint32_t count)
{
    static const struct history_room rooms[] = {{1, 0}, {2, 1}, {3, 0}};
    const struct targets_query query = {.rooms = rooms,
                                        .room_count = 3,
                                        .identity = identity,
                                        .count = count,
                                        .from_ms = from_ms,
                                        .to_ms = to_ms};
    struct record_out out = {0};
    assert_int_equal(reader_targets(scene->reader, &query, &out), LOG_OK);
    return show(scene, &out, 3);
}

static void test_targets_come_by_their_last_message(void **state)
{
    struct scene *scene = *state;
    assert_string_equal(targets(scene, ALICE, 0, 1000, 10),
                        "0 Carol 30;2 room2 40;0 BOB 50;1 room1 60;");
    assert_string_equal(targets(scene, 3, 0, 1000, 10),
                        "0 ALICE 30;2 room2 40;1 room1 60;0 bob 70;");
    assert_string_equal(targets(scene, 0, 0, 1000, 10), "2 room2 40;1 room1 60;");
    assert_string_equal(targets(scene, 77, 0, 1000, 10), "2 room2 40;1 room1 60;");
}

static void test_neither_time_is_included(void **state)
{
    struct scene *scene = *state;
    assert_string_equal(targets(scene, ALICE, 30, 60, 10), "2 room2 40;0 BOB 50;");
    assert_string_equal(targets(scene, ALICE, 29, 61, 10),
                        "0 Carol 30;2 room2 40;0 BOB 50;1 room1 60;");
    assert_string_equal(targets(scene, ALICE, 40, 40, 10), "");
}

static void test_the_order_of_times_says_which_end_counts(void **state)
{
    struct scene *scene = *state;
    assert_string_equal(targets(scene, ALICE, 0, 1000, 2), "0 Carol 30;2 room2 40;");
    assert_string_equal(targets(scene, ALICE, 1000, 0, 2), "0 BOB 50;1 room1 60;");
    assert_string_equal(targets(scene, ALICE, 1000, 0, 0), "");
}

static void test_what_was_taken_back_or_is_not_for_them_does_not_count(void **state)
{
    struct scene *scene = *state;
    static const struct history_room rooms[] = {{1, 3}};
    const struct targets_query query = {
        .rooms = rooms, .room_count = 1, .identity = ALICE, .count = 9, .to_ms = 1000};
    struct record_out out = {0};
    take_back(scene->log, 0, 5);
    take_back(scene->log, 1, 6);
    assert_string_equal(targets(scene, ALICE, 0, 1000, 10),
                        "0 Bob 10;1 room1 20;0 Carol 30;2 room2 40;");
    assert_int_equal(reader_targets(scene->reader, &query, &out), LOG_OK);
    assert_string_equal(show(scene, &out, 3), "0 Bob 10;0 Carol 30;");
}

static enum log_fault locate(struct scene *scene, uint32_t room, uint64_t number, uint64_t identity)
{
    const struct message_query query = {.room_id = room, .number = number, .identity = identity};
    struct record_out out = {0};
    enum log_fault fault = reader_message_place(scene->reader, &query, &out);
    (void)show(scene, &out, 6);
    return fault;
}

static void test_a_message_is_found_by_its_number(void **state)
{
    struct scene *scene = *state;
    char wanted[100];
    assert_int_equal(locate(scene, 1, 6, 0), LOG_OK);
    assert_string_equal(scene->text, "1 2 0 0 alice ;");
    assert_int_equal(locate(scene, 0, 3, ALICE), LOG_OK);
    (void)snprintf(wanted, sizeof(wanted), "0 0 3 %" PRIu64 " Carol ;", ALICE);
    assert_string_equal(scene->text, wanted);
    assert_int_equal(locate(scene, 0, 3, 3), LOG_OK);
    assert_string_equal(scene->text, wanted);
    take_back(scene->log, 1, 6);
    take_back(scene->log, 0, 7);
    assert_int_equal(locate(scene, 1, 6, 0), LOG_OK);
    assert_string_equal(scene->text, "1 2 0 0 alice 1;");
    assert_int_equal(locate(scene, 0, 7, 2), LOG_OK);
    assert_string_equal(scene->text, "0 0 3 2 carol 1;");
}

static void test_a_message_of_others_or_of_another_room_is_not_found(void **state)
{
    struct scene *scene = *state;
    struct event *topic = test_event(EVENT_TOPIC, 1, 3, 8, "alice", "topic");
    assert_int_equal(test_commit_one(scene->log, topic), LOG_OK);
    static const struct message_query queries[] = {
        {.room_id = 2, .number = 6},          {.room_id = 1, .number = 4},
        {.room_id = 1, .number = 1},          {.room_id = 1, .number = 0},
        {.room_id = 1, .number = UINT64_MAX}, {.room_id = 9, .number = 1},
        {.number = 1, .identity = 3},         {.number = 1, .identity = 0},
        {.number = 2, .identity = ALICE},     {.number = 99, .identity = ALICE},
        {.room_id = 1, .number = 8},
    };
    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        assert_int_equal(locate(scene, queries[i].room_id, queries[i].number, queries[i].identity),
                         LOG_UNKNOWN);
        assert_string_equal(scene->text, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TARGETS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TARGETS_TEST(test_targets_come_by_their_last_message),
        TARGETS_TEST(test_neither_time_is_included),
        TARGETS_TEST(test_the_order_of_times_says_which_end_counts),
        TARGETS_TEST(test_what_was_taken_back_or_is_not_for_them_does_not_count),
        TARGETS_TEST(test_a_message_is_found_by_its_number),
        TARGETS_TEST(test_a_message_of_others_or_of_another_room_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
