/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/command.h"
#include "log/data_dir.h"

/*
 * What is stored with a message besides its text, what has a number and no seq, what is taken back,
 * rooms that are closed, and the way from schema 1.
 */

#define TEXT(field, string) .field = (string), .field##_len = sizeof(string) - 1

static int setup(void **state)
{
    *state = test_dir_create();
    return 0;
}

static int teardown(void **state)
{
    test_dir_remove(*state);
    return 0;
}

static enum log_fault commit(struct log *log, const struct event_parts *parts)
{
    return test_commit_one(log, event_create(parts));
}

static void say(struct log *log, uint32_t room, uint64_t seq, const char *text)
{
    uint64_t number = log_last_number(log) + 1;
    struct event *event = test_event(EVENT_MESSAGE, room, seq, number, "alice", text);
    assert_int_equal(test_commit_one(log, event), LOG_OK);
}

static enum log_fault seal(struct log *log, uint32_t room, uint64_t value)
{
    struct event_parts parts = {.type = EVENT_SEALED,
                                .audience = AUDIENCE_SESSION,
                                .durable = true,
                                .room_id = room,
                                TEXT(room, "room1"),
                                .number = log_last_number(log) + 1,
                                .value = value};
    return commit(log, &parts);
}

static enum log_fault take_back(struct log *log, uint32_t room, uint64_t value)
{
    struct event_parts parts = {.type = EVENT_REDACTED,
                                .audience = AUDIENCE_SESSION,
                                .durable = true,
                                .room_id = room,
                                TEXT(room, "room1"),
                                TEXT(actor, "alice"),
                                TEXT(text, "typo"),
                                .number = log_last_number(log) + 1,
                                .value = value};
    return commit(log, &parts);
}

/* ---- messages ---- */

static void test_all_that_belongs_to_a_message_survives_a_restart(void **state)
{
    static const struct {
        enum event_type type;
        enum message_kind kind;
    } types[] = {{EVENT_MESSAGE, MESSAGE_TEXT},
                 {EVENT_ACTION, MESSAGE_ACTION},
                 {EVENT_NOTICE, MESSAGE_NOTICE}};
    struct log *log = test_open(*state);
    for (uint64_t i = 0; i < 3; i++) {
        struct event_parts parts = {.type = types[i].type,
                                    .audience = AUDIENCE_ROOM,
                                    .durable = true,
                                    .kind = (uint8_t)types[i].kind,
                                    .flags = EVENT_FLAG_BOT | EVENT_FLAG_OWN,
                                    .room_id = 1,
                                    .seq = i + 1,
                                    .number = i + 1,
                                    .identity = UINT64_MAX - i,
                                    TEXT(room, "room1"),
                                    TEXT(actor, "alice"),
                                    TEXT(text, "two\nlines"),
                                    TEXT(source, "~a@host.example"),
                                    TEXT(account, "alice.account"),
                                    TEXT(tags, "+draft/reply=m1"),
                                    TEXT(extra, "more")};
        assert_int_equal(commit(log, &parts), LOG_OK);
    }
    log_close(log);
    log = test_open(*state);
    struct event_list found = {0};
    assert_int_equal(log_recent(log, 1, 10, &found), LOG_OK);
    assert_int_equal(found.count, 3);
    for (uint64_t i = 0; i < 3; i++) {
        const struct event *event = found.items[i];
        assert_int_equal(event->type, types[i].type);
        assert_int_equal(event->kind, types[i].kind);
        assert_int_equal(event->flags, EVENT_FLAG_BOT);
        assert_true(event->identity == UINT64_MAX - i);
        assert_string_equal(event->source, "~a@host.example");
        assert_string_equal(event->account, "alice.account");
        assert_string_equal(event->tags, "+draft/reply=m1");
        assert_string_equal(event->extra, "more");
        assert_string_equal(event->text, "two\nlines");
    }
    event_list_finish(&found);
    log_close(log);
}

static void test_tags_are_stored_but_are_none_of_the_recent_messages(void **state)
{
    struct log *log = test_open(*state);
    struct event_list found = {0};
    say(log, 1, 1, "hello");
    assert_int_equal(test_commit_one(log, test_event(EVENT_TAGS, 1, 2, 2, "alice", "")), LOG_OK);
    assert_int_equal(log_recent(log, 1, 10, &found), LOG_OK);
    assert_int_equal(found.count, 1);
    assert_int_equal(test_ask_sql(*state, "SELECT count(*) FROM messages WHERE kind = 5"), 1);
    event_list_finish(&found);
    log_close(log);
}

/* ---- what has no seq ---- */

static void test_what_happens_to_a_room_is_kept_and_its_number_counts(void **state)
{
    static const enum event_type types[] = {EVENT_MODE, EVENT_REMOVED, EVENT_JOINED, EVENT_LEFT};
    struct log *log = test_open(*state);
    say(log, 1, 1, "hello");
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(test_commit_one(log, test_happening(types[i], i + 2, "why")), LOG_OK);
        log_close(log);
        log = test_open(*state);
        assert_int_equal(log_last_number(log), i + 2);
        assert_int_equal(log_last_time_ms(log), (i + 2) * 10);
        assert_int_equal(test_commit_one(log, test_happening(types[i], i + 2, "again")),
                         LOG_INTERNAL);
    }
    assert_int_equal(test_ask_sql(*state, "SELECT count(*) FROM room_events"), 4);
    log_close(log);
}

static void test_what_happens_in_several_rooms_is_kept_in_each(void **state)
{
    const uint32_t rooms[] = {1, 2};
    struct event_parts parts = {.type = EVENT_QUIT,
                                .audience = AUDIENCE_ROOMS,
                                .durable = true,
                                .number = 3,
                                .rooms = rooms,
                                .room_count = 2};
    struct log *log = test_open(*state);
    say(log, 1, 1, "hello");
    say(log, 2, 1, "hello");
    assert_int_equal(commit(log, &parts), LOG_OK);
    parts.number = 4;
    parts.room_count = 0;
    assert_int_equal(commit(log, &parts), LOG_OK);
    log_close(log);
    log = test_open(*state);
    assert_int_equal(log_last_number(log), 4);
    assert_int_equal(
        test_ask_sql(*state, "SELECT sum(room) FROM room_events WHERE number = 3 AND kind = 21"),
        3);
    log_close(log);
}

static void test_what_has_no_room_is_refused(void **state)
{
    struct log *log = test_open(*state);
    struct event_parts parts = {.type = EVENT_MODE, .durable = true, .number = 1};
    assert_int_equal(commit(log, &parts), LOG_INTERNAL);
    parts.type = EVENT_SEALED;
    assert_int_equal(commit(log, &parts), LOG_INTERNAL);
    parts.type = EVENT_PRIVATE_TO;
    parts.kind = 77;
    assert_int_equal(commit(log, &parts), LOG_INTERNAL);
    assert_int_equal(log_last_number(log), 0);
    log_close(log);
}

struct seen {
    unsigned count;
    char lines[4][160];
};

static void see(const struct log_room *room, void *user)
{
    struct seen *seen = user;
    assert_true(seen->count < 4);
    (void)snprintf(seen->lines[seen->count++], sizeof(seen->lines[0]), "%u %s [%s] %s %s %llu/%llu",
                   room->id, room->name, room->topic, room->topic_actor, room->topic_source,
                   (unsigned long long)room->last_seq, (unsigned long long)room->sealed);
}

static struct seen look(struct log *log)
{
    struct seen seen = {0};
    assert_int_equal(log_each_room(log, see, &seen), LOG_OK);
    return seen;
}

static void test_a_renamed_room_keeps_its_new_name_and_history_the_old_one(void **state)
{
    char message[512];
    struct log *log = test_open(*state);
    struct reader *reader = NULL;
    struct event_list found = {0};
    struct history_query query = {
        .kind = HISTORY_LAST, .what = HISTORY_EVENTS, .room_id = 1, .count = 9};
    struct event_parts parts = {.type = EVENT_ROOM_RENAMED,
                                .audience = AUDIENCE_ROOM,
                                .durable = true,
                                .room_id = 1,
                                .number = 2,
                                TEXT(room, "room1"),
                                TEXT(target, "cellar"),
                                TEXT(text, "it is down there")};
    say(log, 1, 1, "hello");
    assert_int_equal(commit(log, &parts), LOG_OK);
    assert_string_equal(look(log).lines[0], "1 cellar []   1/0");
    log_close(log);
    log = test_open(*state);
    assert_string_equal(look(log).lines[0], "1 cellar []   1/0");
    assert_int_equal(reader_open(*state, &reader, message, sizeof(message)), LOG_OK);
    assert_int_equal(reader_history(reader, &query, &found, NULL), LOG_OK);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0]->room, "cellar");
    assert_int_equal(found.items[1]->type, EVENT_ROOM_RENAMED);
    assert_string_equal(found.items[1]->room, "room1");
    assert_string_equal(found.items[1]->target, "cellar");
    assert_string_equal(found.items[1]->text, "it is down there");
    assert_string_equal(found.items[1]->extra, "");
    event_list_finish(&found);
    reader_close(reader);
    log_close(log);
}

/* The hub may give its id to another room. */
static void test_a_room_where_nothing_was_said_is_forgotten_with_the_first_commit(void **state)
{
    struct log *log = test_open(*state);
    assert_int_equal(test_commit_one(log, test_happening(EVENT_MODE, 1, "")), LOG_OK);
    log_close(log);
    log = test_open(*state);
    assert_int_equal(log_last_number(log), 1);
    assert_int_equal(look(log).count, 0);
    log_close(log);
    log = test_open(*state);
    assert_int_equal(log_last_number(log), 1);
    struct event_parts parts = {.type = EVENT_MESSAGE,
                                .audience = AUDIENCE_ROOM,
                                .durable = true,
                                .room_id = 1,
                                .seq = 1,
                                .number = 2,
                                TEXT(room, "another")};
    assert_int_equal(commit(log, &parts), LOG_OK);
    assert_int_equal(look(log).count, 1);
    assert_string_equal(look(log).lines[0], "1 another []   1/0");
    assert_int_equal(test_ask_sql(*state, "SELECT count(*) FROM room_events"), 0);
    log_close(log);
}

/* ---- taken back ---- */

static bool file_has(const char *path, const char *text)
{
    static char bytes[1 << 20];
    FILE *file = fopen(path, "r");
    size_t len = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
    if (file) {
        (void)fclose(file);
    }
    return memmem(bytes, len, text, strlen(text)) != NULL;
}

static void test_what_is_taken_back_is_erased(void **state)
{
    struct log *log = test_open(*state);
    struct event_list found = {0};
    struct event_parts parts = {.type = EVENT_MESSAGE,
                                .audience = AUDIENCE_ROOM,
                                .durable = true,
                                .room_id = 1,
                                .seq = 1,
                                .number = 1,
                                TEXT(room, "room1"),
                                TEXT(actor, "alice"),
                                TEXT(text, "my-password-is-swordfish"),
                                TEXT(tags, "+tag-with-swordfish"),
                                TEXT(extra, "extra-swordfish")};
    assert_int_equal(commit(log, &parts), LOG_OK);
    say(log, 1, 2, "what?");
    assert_int_equal(test_commit_one(log, test_private(3, "alice", "bob", "private-swordfish")),
                     LOG_OK);
    assert_int_equal(take_back(log, 1, 1), LOG_OK);
    assert_int_equal(take_back(log, 0, 3), LOG_OK);
    assert_int_equal(log_last_number(log), 5);
    assert_int_equal(log_recent(log, 1, 10, &found), LOG_OK);
    assert_int_equal(found.count, 1);
    assert_string_equal(found.items[0]->text, "what?");
    event_list_finish(&found);
    log_close(log);

    const char *db = test_path(*state, DATA_FILE_DB);
    assert_true(file_has(db, "what?"));
    assert_false(file_has(db, "swordfish"));
    log = test_open(*state);
    assert_int_equal(log_last_number(log), 5);
    assert_int_equal(test_ask_sql(*state, "SELECT redacted FROM messages WHERE seq = 1"), 1);
    assert_int_equal(test_ask_sql(*state, "SELECT redacted FROM private_messages"), 1);
    log_close(log);
}

static void test_taking_back_what_is_not_there_changes_nothing(void **state)
{
    struct log *log = test_open(*state);
    say(log, 1, 1, "one");
    say(log, 2, 1, "two");
    say(log, 1, 2, "three");
    assert_int_equal(take_back(log, 1, 2), LOG_OK);
    assert_int_equal(take_back(log, 1, 99), LOG_OK);
    assert_int_equal(take_back(log, 0, 1), LOG_OK);
    assert_int_equal(take_back(log, 9, 1), LOG_OK);
    assert_int_equal(test_ask_sql(*state, "SELECT sum(redacted) FROM messages"), 0);
    log_close(log);
}

/* Pages are split and put together anew: what lay in them must not stay where it was. */
static void test_what_is_taken_back_is_erased_from_pages_that_were_split_too(void **state)
{
    struct log *log = test_open(*state);
    uint64_t numbers[60];
    for (uint64_t seq = 1; seq <= 600; seq++) {
        char text[100];
        uint32_t room = (uint32_t)(seq % 3) + 1;
        bool secret = seq % 10 == 0;
        (void)snprintf(text, sizeof(text), "%s of a usual length, the %llu. in its room",
                       secret ? "a swordfish" : "some words", (unsigned long long)seq);
        say(log, room, seq, text);
        if (secret) {
            numbers[seq / 10 - 1] = seq;
        }
    }
    log_checkpoint(log);
    for (size_t i = 0; i < 60; i++) {
        assert_int_equal(take_back(log, (uint32_t)(numbers[i] % 3) + 1, numbers[i]), LOG_OK);
    }
    assert_int_equal(test_ask_sql(*state, "SELECT sum(redacted) FROM messages"), 60);
    log_close(log);
    assert_true(file_has(test_path(*state, DATA_FILE_DB), "some words"));
    assert_false(file_has(test_path(*state, DATA_FILE_DB), "swordfish"));
}

/* ---- closed rooms ---- */

static void test_a_sealed_room_is_sealed_after_a_restart_and_has_no_topic(void **state)
{
    struct log *log = test_open(*state);
    say(log, 1, 1, "before");
    assert_int_equal(test_commit_one(log, test_event(EVENT_TOPIC, 1, 2, 2, "bob", "secret")),
                     LOG_OK);
    assert_int_equal(seal(log, 1, EVENT_SEALED_ALL), LOG_OK);
    assert_string_equal(look(log).lines[0], "1 room1 [secret] bob  2/9223372036854775807");
    say(log, 1, 3, "inside");
    assert_int_equal(seal(log, 1, 3), LOG_OK);
    assert_string_equal(look(log).lines[0], "1 room1 []   3/3");
    say(log, 1, 4, "open");
    log_close(log);
    log = test_open(*state);
    assert_string_equal(look(log).lines[0], "1 room1 []   4/3");
    log_close(log);
}

static void test_a_room_that_was_closed_at_the_end_of_the_process_is_sealed_up_to_there(
    void **state)
{
    struct log *log = test_open(*state);
    struct event_parts topic = {.type = EVENT_TOPIC,
                                .audience = AUDIENCE_ROOM,
                                .durable = true,
                                .room_id = 1,
                                .seq = 1,
                                .number = 1,
                                TEXT(room, "room1"),
                                TEXT(actor, "bob"),
                                TEXT(source, "b@h"),
                                TEXT(text, "secret")};
    assert_int_equal(commit(log, &topic), LOG_OK);
    assert_string_equal(look(log).lines[0], "1 room1 [secret] bob b@h 1/0");
    assert_int_equal(seal(log, 1, EVENT_SEALED_ALL), LOG_OK);
    say(log, 1, 2, "inside");
    log_close(log);
    for (int i = 0; i < 2; i++) {
        log = test_open(*state);
        assert_string_equal(look(log).lines[0], "1 room1 []   2/2");
        log_close(log);
    }
    log = test_open(*state);
    say(log, 1, 3, "open");
    assert_string_equal(look(log).lines[0], "1 room1 []   3/2");
    log_close(log);
    log = test_open(*state);
    assert_string_equal(look(log).lines[0], "1 room1 []   3/2");
    log_close(log);
}

/* ---- from schema 1 ---- */

static void test_an_old_log_is_brought_up_to_date_with_all_that_is_in_it(void **state)
{
    char message[512];
    struct event_list found = {0};
    test_make_old_log(*state);
    struct log *log = test_open(*state);
    assert_int_equal(test_ask_sql(*state, "PRAGMA user_version"), 2);
    assert_int_equal(log_last_number(log), 6);
    assert_int_equal(log_last_time_ms(log), 60);
    struct seen seen = look(log);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.lines[0], "1 room1 [old topic] bob  4/0");
    assert_string_equal(seen.lines[1], "4 room4 []   1/0");
    assert_int_equal(log_recent(log, 1, 10, &found), LOG_OK);
    assert_int_equal(found.count, 4);
    assert_int_equal(found.items[2]->type, EVENT_ACTION);
    assert_string_equal(found.items[2]->text, "waves");
    assert_string_equal(found.items[2]->source, "");
    assert_int_equal(found.items[2]->identity, 0);

    /* It goes on where it was. */
    assert_int_equal(test_commit_one(log, test_private(7, "bob", "alice", "yes?")), LOG_OK);
    say(log, 4, 2, "new");
    struct reader *reader = NULL;
    assert_int_equal(reader_open(*state, &reader, message, sizeof(message)), LOG_OK);
    struct history_query query = {.kind = HISTORY_LAST_OF, .room_id = 4, .count = 10};
    event_list_clear(&found);
    assert_int_equal(reader_history(reader, &query, &found, NULL), LOG_OK);
    assert_int_equal(found.count, 2);
    assert_string_equal(found.items[0]->text, "notice");
    reader_close(reader);
    event_list_finish(&found);
    log_close(log);
}

static void test_an_old_log_that_lost_its_end_is_refused_and_stays_old(void **state)
{
    char message[512] = "";
    struct log *log = NULL;
    test_make_old_log(*state);
    log_close(test_open(*state)); /* The side file says 6 once something is stored. */
    log = test_open(*state);
    say(log, 1, 5, "seventh");
    log_close(log);
    log = NULL;
    assert_int_equal(unlink(test_path(*state, DATA_FILE_DB)), 0);
    test_make_old_log(*state);
    assert_int_equal(log_open(*state, &log, message, sizeof(message)), LOG_DAMAGED);
    assert_null(log);
    assert_int_equal(test_ask_sql(*state, "PRAGMA user_version"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        STORE_TEST(test_all_that_belongs_to_a_message_survives_a_restart),
        STORE_TEST(test_tags_are_stored_but_are_none_of_the_recent_messages),
        STORE_TEST(test_what_happens_to_a_room_is_kept_and_its_number_counts),
        STORE_TEST(test_what_happens_in_several_rooms_is_kept_in_each),
        STORE_TEST(test_what_has_no_room_is_refused),
        STORE_TEST(test_a_renamed_room_keeps_its_new_name_and_history_the_old_one),
        STORE_TEST(test_a_room_where_nothing_was_said_is_forgotten_with_the_first_commit),
        STORE_TEST(test_what_is_taken_back_is_erased),
        STORE_TEST(test_what_is_taken_back_is_erased_from_pages_that_were_split_too),
        STORE_TEST(test_taking_back_what_is_not_there_changes_nothing),
        STORE_TEST(test_a_sealed_room_is_sealed_after_a_restart_and_has_no_topic),
        STORE_TEST(test_a_room_that_was_closed_at_the_end_of_the_process_is_sealed_up_to_there),
        STORE_TEST(test_an_old_log_is_brought_up_to_date_with_all_that_is_in_it),
        STORE_TEST(test_an_old_log_that_lost_its_end_is_refused_and_stays_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
