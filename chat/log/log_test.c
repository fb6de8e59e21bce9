/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/data_dir.h"
#include "log/side_file.h"

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

static enum log_fault open_fails(const char *dir, char *message, size_t cap)
{
    struct log *log = NULL;
    enum log_fault fault = log_open(dir, &log, message, cap);
    assert_null(log);
    assert_string_not_equal(message, "");
    return fault;
}

static void make_foreign_database(const char *dir)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(test_path(dir, DATA_FILE_DB), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE cats(name)", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
}

/* ---- what goes in comes out ---- */

static void test_new_log_is_empty(void **state)
{
    struct log *log = test_open(*state);
    struct event_list list = {0};
    assert_int_equal(log_last_number(log), 0);
    assert_int_equal(log_last_time_ms(log), 0);
    assert_int_equal(log_recent(log, 1, 10, &list), LOG_OK);
    assert_int_equal(list.count, 0);
    log_close(log);
}

static void test_every_kind_survives_a_restart(void **state)
{
    static const enum event_type types[] = {EVENT_MESSAGE, EVENT_ACTION, EVENT_NOTICE, EVENT_TOPIC};
    struct log *log = test_open(*state);
    struct event_list in = {0}, out = {0};
    for (uint64_t i = 0; i < 4; i++) {
        event_list_take(&in, test_event(types[i], 3, i + 1, i + 1, "\u674e\u96f7",
                                        "caf\u00e9 \u90e8\u7f72 \U0001f389"));
    }
    assert_int_equal(log_commit(log, in.items, in.count), LOG_OK);
    log_close(log);

    log = test_open(*state);
    assert_int_equal(log_last_number(log), 4);
    assert_int_equal(log_last_time_ms(log), 40);
    assert_int_equal(log_recent(log, 3, 10, &out), LOG_OK);
    assert_int_equal(out.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct event *want = in.items[i], *got = out.items[i];
        assert_int_equal(got->type, want->type);
        assert_int_equal(got->audience, AUDIENCE_ROOM);
        assert_true(got->durable);
        assert_int_equal(got->room_id, 3);
        assert_int_equal(got->number, want->number);
        assert_int_equal(got->seq, want->seq);
        assert_int_equal(got->time_ms, want->time_ms);
        assert_int_equal(got->session, 0);
        assert_string_equal(got->room, "room3");
        assert_string_equal(got->actor, want->actor);
        assert_string_equal(got->text, want->text);
        assert_int_equal(got->text_len, want->text_len);
    }
    event_list_finish(&in);
    event_list_finish(&out);
    log_close(log);
}

static void test_recent_gives_the_last_ones_oldest_first_behind_what_is_there(void **state)
{
    struct log *log = test_open(*state);
    struct event_list list = {0};
    test_fill(log, 10);
    event_list_take(&list, test_event(EVENT_JOINED, 9, 0, 0, "x", "kept"));
    assert_int_equal(log_recent(log, 1, 3, &list), LOG_OK);
    assert_int_equal(list.count, 4);
    assert_string_equal(list.items[0]->text, "kept");
    assert_string_equal(list.items[1]->text, "text 8");
    assert_string_equal(list.items[3]->text, "text 10");
    event_list_finish(&list);
    log_close(log);
}

static void test_private_messages_are_stored_apart_from_rooms(void **state)
{
    struct log *log = test_open(*state);
    assert_int_equal(test_commit_one(log, test_private(1, "alice", "bob", "psst")), LOG_OK);
    log_close(log);
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_open(test_path(*state, DATA_FILE_DB), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT number || actor || target || text || time ||"
                                        " (SELECT count(*) FROM messages) FROM private_messages",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "1alicebobpsst100");
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

static void test_what_is_not_durable_is_not_stored(void **state)
{
    struct log *log = test_open(*state);
    struct event_parts parts = {.type = EVENT_JOINED, .room_id = 1, .room = "room1", .room_len = 5};
    struct event_list list = {0};
    event_list_take(&list, event_create(&parts));
    assert_int_equal(log_commit(log, list.items, 1), LOG_OK);
    assert_int_equal(log_last_number(log), 0);
    event_list_take(&list, test_event(EVENT_MESSAGE, 1, 1, 1, "alice", "hello"));
    event_list_take(&list, event_create(&parts));
    assert_int_equal(log_commit(log, list.items, 3), LOG_OK);
    assert_int_equal(log_last_number(log), 1);
    event_list_clear(&list);
    assert_int_equal(log_recent(log, 1, 10, &list), LOG_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(log_commit(log, NULL, 0), LOG_OK);
    event_list_finish(&list);
    log_close(log);
}

struct seen_rooms {
    size_t count;
    char lines[4][128];
};

static void see_room(const struct log_room *room, void *user)
{
    struct seen_rooms *seen = user;
    assert_true(seen->count < 4);
    (void)snprintf(seen->lines[seen->count++], sizeof(seen->lines[0]), "%u %s [%s] %s %lld %llu",
                   room->id, room->name, room->topic, room->topic_actor,
                   (long long)room->topic_time_ms, (unsigned long long)room->last_seq);
}

static void test_rooms_come_with_last_topic_and_last_seq(void **state)
{
    struct log *log = test_open(*state);
    struct event_list list = {0};
    event_list_take(&list, test_event(EVENT_MESSAGE, 5, 1, 1, "alice", "hello"));
    event_list_take(&list, test_event(EVENT_TOPIC, 2, 1, 2, "bob", "first"));
    event_list_take(&list, test_event(EVENT_TOPIC, 2, 2, 3, "carol", "second"));
    event_list_take(&list, test_event(EVENT_MESSAGE, 2, 3, 4, "bob", "said"));
    assert_int_equal(log_commit(log, list.items, list.count), LOG_OK);
    event_list_finish(&list);
    log_close(log);

    log = test_open(*state);
    assert_int_equal(test_commit_one(log, test_event(EVENT_TOPIC, 5, 2, 5, "dave", "")), LOG_OK);
    struct seen_rooms seen = {0};
    assert_int_equal(log_each_room(log, see_room, &seen), LOG_OK);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.lines[0], "2 room2 [second] carol 30 3");
    assert_string_equal(seen.lines[1], "5 room5 [] dave 50 2");
    log_close(log);
}

/* More rooms than the log remembers at a time as known, and two whose memory is the same place. */
static void test_many_rooms_are_each_stored_once(void **state)
{
    struct log *log = test_open(*state);
    struct event_list list = {0};
    uint64_t number = 0;
    for (uint64_t seq = 1; seq <= 2; seq++) {
        for (uint32_t id = 1; id <= 3000; id++) {
            event_list_take(&list, test_event(EVENT_MESSAGE, id, seq, ++number, "alice", "hi"));
        }
    }
    assert_int_equal(log_commit(log, list.items, list.count), LOG_OK);
    event_list_clear(&list);
    for (uint32_t id = 1; id <= 3000; id++) {
        assert_int_equal(log_recent(log, id, 10, &list), LOG_OK);
    }
    assert_int_equal(list.count, 6000);
    event_list_finish(&list);
    log_close(log);
}

/* ---- refusals that leave nothing ---- */

static void test_a_batch_that_cannot_be_stored_leaves_nothing_and_the_next_one_works(void **state)
{
    struct log *log = test_open(*state);
    struct event_list list = {0};
    test_fill(log, 2);
    event_list_take(&list, test_event(EVENT_MESSAGE, 7, 1, 3, "alice", "new room"));
    event_list_take(&list, test_event(EVENT_MESSAGE, 1, 2, 4, "alice", "seq is taken"));
    assert_int_equal(log_commit(log, list.items, list.count), LOG_INTERNAL);
    assert_string_not_equal(log_message(log), "");
    assert_int_equal(log_last_number(log), 2);
    event_list_clear(&list);
    assert_int_equal(log_recent(log, 7, 10, &list), LOG_OK);
    assert_int_equal(list.count, 0);

    /* The room is stored by the next batch although the first one had begun to. */
    assert_int_equal(test_commit_one(log, test_event(EVENT_MESSAGE, 7, 1, 3, "bob", "again")),
                     LOG_OK);
    assert_int_equal(log_recent(log, 7, 10, &list), LOG_OK);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0]->text, "again");
    event_list_finish(&list);
    log_close(log);
}

static void test_numbers_that_do_not_rise_are_refused(void **state)
{
    struct log *log = test_open(*state);
    test_fill(log, 5);
    assert_int_equal(test_commit_one(log, test_event(EVENT_MESSAGE, 1, 6, 5, "a", "b")),
                     LOG_INTERNAL);
    assert_int_equal(test_commit_one(log, test_event(EVENT_WELCOME, 1, 6, 6, "a", "b")),
                     LOG_INTERNAL);
    assert_int_equal(test_commit_one(log, test_event(EVENT_MESSAGE, 1, 6, 6, "a", "b")), LOG_OK);
    log_close(log);
}

static void test_a_newer_database_is_refused_and_left_alone(void **state)
{
    char message[512] = "";
    log_close(test_open(*state));
    test_run_sql(*state, "PRAGMA user_version = 99");
    assert_int_equal(open_fails(*state, message, sizeof(message)), LOG_NEWER);
    assert_non_null(strstr(message, DATA_FILE_DB));
    assert_non_null(strstr(message, "99"));
    test_run_sql(*state, "PRAGMA user_version = 2");
    log_close(test_open(*state));
}

static void test_a_database_of_something_else_is_refused(void **state)
{
    char message[512] = "";
    make_foreign_database(*state);
    assert_int_equal(chmod(test_path(*state, DATA_FILE_DB), 0600), 0);
    assert_int_equal(open_fails(*state, message, sizeof(message)), LOG_DAMAGED);
    assert_non_null(strstr(message, DATA_FILE_DB));
}

static void test_a_file_that_is_no_database_is_refused(void **state)
{
    char message[512] = "";
    FILE *file = fopen(test_path(*state, DATA_FILE_DB), "w");
    for (int i = 0; i < 1000; i++) {
        (void)fputs("this is not a database, and long enough\n", file);
    }
    (void)fclose(file);
    assert_int_equal(open_fails(*state, message, sizeof(message)), LOG_DAMAGED);
}

static void test_a_database_without_its_tables_is_refused(void **state)
{
    char message[512] = "";
    log_close(test_open(*state));
    test_run_sql(*state, "DROP TABLE messages");
    assert_int_equal(open_fails(*state, message, sizeof(message)), LOG_DAMAGED);
}

static void test_a_second_server_is_kept_out_until_the_first_is_gone(void **state)
{
    char message[512] = "";
    struct log *log = test_open(*state);
    assert_int_equal(open_fails(*state, message, sizeof(message)), LOG_BUSY_DIR);
    assert_non_null(strstr(message, *state));
    test_fill(log, 1);
    log_close(log);
    log_close(test_open(*state));
}

/* ---- damage ---- */

static void flip_bit(const char *path, off_t offset)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    unsigned char byte;
    assert_int_not_equal(fd, -1);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    (void)close(fd);
}

static off_t size_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void test_a_flipped_bit_in_the_wal_is_noticed_and_nothing_is_changed(void **state)
{
    char message[512] = "", *copy = test_dir_create();
    struct log *log = test_open(*state);
    for (int i = 0; i < 20; i++) {
        test_fill(log, 1);
    }
    test_copy_log(*state, copy); /* As kill -9 would leave it. */
    log_close(log);

    const char *wal = test_path(copy, DATA_FILE_WAL);
    off_t size = size_of(wal);
    flip_bit(wal, size / 2);
    assert_int_equal(open_fails(copy, message, sizeof(message)), LOG_DAMAGED);
    assert_non_null(strstr(message, "20"));
    assert_non_null(strstr(message, DATA_FILE_SIDE));
    assert_non_null(strstr(message, "backup"));
    wal = test_path(copy, DATA_FILE_WAL);
    assert_int_equal(size_of(wal), size);

    /* Once the bit is right again, all is there: refusing has not touched the evidence. */
    flip_bit(wal, size / 2);
    log = test_open(copy);
    assert_int_equal(log_last_number(log), 20);
    log_close(log);
    test_dir_remove(copy);
}

static void test_removing_the_side_file_accepts_the_loss(void **state)
{
    char message[512] = "", *copy = test_dir_create();
    struct log *log = test_open(*state);
    for (int i = 0; i < 20; i++) {
        test_fill(log, 1);
    }
    test_copy_log(*state, copy);
    log_close(log);
    const char *wal = test_path(copy, DATA_FILE_WAL);
    flip_bit(wal, size_of(wal) / 2);
    assert_int_equal(open_fails(copy, message, sizeof(message)), LOG_DAMAGED);
    assert_int_equal(unlink(test_path(copy, DATA_FILE_SIDE)), 0);
    log = test_open(copy);
    assert_in_range(log_last_number(log), 1, 19);
    log_close(log);
    test_dir_remove(copy);
}

static void test_a_database_that_vanished_is_noticed(void **state)
{
    char message[512] = "";
    struct log *log = test_open(*state);
    test_fill(log, 3);
    log_close(log);
    assert_int_equal(unlink(test_path(*state, DATA_FILE_DB)), 0);
    assert_int_equal(open_fails(*state, message, sizeof(message)), LOG_DAMAGED);
}

static void test_a_torn_or_old_side_file_is_no_alarm(void **state)
{
    struct log *log = test_open(*state);
    test_fill(log, 3);
    log_close(log);
    int fd = open(test_path(*state, DATA_FILE_SIDE), O_RDWR | O_CLOEXEC);
    assert_int_equal(side_file_read(fd), 3);

    /* Torn: the digits of a larger number with the checksum of another. */
    assert_int_equal(pwrite(fd, "9", 1, 30), 1);
    assert_int_equal(side_file_read(fd), 0);
    log_close(test_open(*state));

    assert_int_equal(side_file_write(fd, 1), 0);
    log = test_open(*state);
    assert_int_equal(log_last_number(log), 3);
    test_fill(log, 1);
    assert_int_equal(side_file_read(fd), 4);
    log_close(log);

    assert_int_equal(ftruncate(fd, 20), 0);
    log_close(test_open(*state));
    (void)close(fd);
}

static void test_every_torn_side_line_is_recognised(void **state)
{
    int fd = open(test_path(*state, "side"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char older[SIDE_LINE_BYTES], newer[SIDE_LINE_BYTES];
    assert_int_equal(side_file_write(fd, 1234567), 0);
    assert_int_equal(pread(fd, older, SIDE_LINE_BYTES, 0), SIDE_LINE_BYTES);
    assert_int_equal(side_file_write(fd, 1299999), 0);
    assert_int_equal(pread(fd, newer, SIDE_LINE_BYTES, 0), SIDE_LINE_BYTES);
    for (size_t cut = 0; cut <= SIDE_LINE_BYTES; cut++) {
        char line[SIDE_LINE_BYTES];
        memcpy(line, newer, cut);
        memcpy(line + cut, older + cut, SIDE_LINE_BYTES - cut);
        assert_int_equal(pwrite(fd, line, sizeof(line), 0), SIDE_LINE_BYTES);
        uint64_t number = side_file_read(fd);
        assert_true(number == 0 || number == 1234567 || number == 1299999);
        bool whole =
            memcmp(line, older, sizeof(line)) == 0 || memcmp(line, newer, sizeof(line)) == 0;
        assert_int_equal(number != 0, whole);
    }
    (void)close(fd);
}

static void test_a_reserved_wal_is_written_over_and_read_back(void **state)
{
    char *dir = test_dir_create(), *copy = test_dir_create();
    struct log *log = test_open(dir);
    struct test_writer writer = {0};
    struct stat before, after;
    (void)state;
    log_reserve(log);
    assert_int_equal(stat(test_path(dir, DATA_FILE_WAL), &before), 0);
    assert_true(before.st_size >= (off_t)WAL_CHECKPOINT_FRAMES * 4096);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(test_write_batch(log, &writer, 3), LOG_OK);
    }
    assert_int_equal(stat(test_path(dir, DATA_FILE_WAL), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    /* What a process that is killed now leaves behind. */
    test_copy_log(dir, copy);
    (void)test_check_log(copy, writer.number, writer.number);
    log_close(log);
    test_dir_remove(copy);
    test_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        LOG_TEST(test_new_log_is_empty),
        LOG_TEST(test_every_kind_survives_a_restart),
        LOG_TEST(test_recent_gives_the_last_ones_oldest_first_behind_what_is_there),
        LOG_TEST(test_private_messages_are_stored_apart_from_rooms),
        LOG_TEST(test_what_is_not_durable_is_not_stored),
        LOG_TEST(test_rooms_come_with_last_topic_and_last_seq),
        LOG_TEST(test_many_rooms_are_each_stored_once),
        LOG_TEST(test_a_batch_that_cannot_be_stored_leaves_nothing_and_the_next_one_works),
        LOG_TEST(test_numbers_that_do_not_rise_are_refused),
        LOG_TEST(test_a_newer_database_is_refused_and_left_alone),
        LOG_TEST(test_a_database_of_something_else_is_refused),
        LOG_TEST(test_a_file_that_is_no_database_is_refused),
        LOG_TEST(test_a_database_without_its_tables_is_refused),
        LOG_TEST(test_a_second_server_is_kept_out_until_the_first_is_gone),
        LOG_TEST(test_a_flipped_bit_in_the_wal_is_noticed_and_nothing_is_changed),
        LOG_TEST(test_removing_the_side_file_accepts_the_loss),
        LOG_TEST(test_a_database_that_vanished_is_noticed),
        LOG_TEST(test_a_torn_or_old_side_file_is_no_alarm),
        LOG_TEST(test_every_torn_side_line_is_recognised),
        LOG_TEST(test_a_reserved_wal_is_written_over_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
