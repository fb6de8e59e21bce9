/* SPDX-License-Identifier: MIT */
#include "log/reader.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "log/data_dir.h"
#include "log/log_testing.h"
#include "log/search.h"

/* A log with a reader on it. */
struct scene {
    char *dir;
    struct log *log;
    struct reader *reader;
    struct event_list found;
    bool more;
};

static int setup(void **state)
{
    static struct scene scene;
    char message[512];
    scene = (struct scene){.dir = test_dir_create()};
    scene.log = test_open(scene.dir);
    assert_int_equal(reader_open(scene.dir, &scene.reader, message, sizeof(message)), LOG_OK);
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *scene = *state;
    event_list_finish(&scene->found);
    reader_close(scene->reader);
    log_close(scene->log);
    test_dir_remove(scene->dir);
    return 0;
}

static void say(struct scene *scene, uint32_t room, uint64_t seq, const char *text)
{
    uint64_t number = log_last_number(scene->log) + 1;
    struct event *event = test_event(EVENT_MESSAGE, room, seq, number, "alice", text);
    assert_int_equal(test_commit_one(scene->log, event), LOG_OK);
}

static void ask(struct scene *scene, const struct history_query *query)
{
    event_list_clear(&scene->found);
    scene->more = false;
    enum log_fault fault = reader_history(scene->reader, query, &scene->found, &scene->more);
    if (fault != LOG_OK) {
        fail_msg("reader_history: %d: %s", fault, reader_message(scene->reader));
    }
}

/* The seqs found are first to last, in this order. first > last: none. */
static void assert_found(const struct scene *scene, uint64_t first, uint64_t last, bool more)
{
    assert_int_equal(scene->found.count, first > last ? 0 : last - first + 1);
    for (size_t i = 0; i < scene->found.count; i++) {
        assert_int_equal(scene->found.items[i]->seq, first + i);
    }
    assert_int_equal(scene->more, more);
}

/* ---- by number and time ---- */

static void test_an_empty_room_has_no_history(void **state)
{
    for (int kind = HISTORY_LAST; kind <= HISTORY_SEARCH; kind++) {
        struct history_query query = {
            .kind = (enum history_kind)kind, .room_id = 1, .count = 5, .text = "x"};
        ask(*state, &query);
        assert_found(*state, 1, 0, false);
    }
}

static void test_last(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, 10);
    ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = 3});
    assert_found(scene, 8, 10, true);
    assert_string_equal(scene->found.items[0]->text, "text 8");
    assert_string_equal(scene->found.items[0]->room, "room1");
    assert_int_equal(scene->found.items[0]->time_ms, 80);
    ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = 10});
    assert_found(scene, 1, 10, false);
    ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = 11});
    assert_found(scene, 1, 10, false);
    ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = 0});
    assert_found(scene, 1, 0, true);
    ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 2, .count = 3});
    assert_found(scene, 1, 0, false);
}

static void test_before_and_after(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, 10);
    struct history_query query = {.kind = HISTORY_BEFORE, .room_id = 1, .count = 3, .seq = 6};
    ask(scene, &query);
    assert_found(scene, 3, 5, true);
    query.seq = 4;
    ask(scene, &query);
    assert_found(scene, 1, 3, false);
    query.seq = 1;
    ask(scene, &query);
    assert_found(scene, 1, 0, false);
    query.seq = UINT64_MAX;
    ask(scene, &query);
    assert_found(scene, 8, 10, true);
    query.kind = HISTORY_AFTER;
    ask(scene, &query);
    assert_found(scene, 1, 0, false);
    query.seq = 4;
    ask(scene, &query);
    assert_found(scene, 5, 7, true);
    query.seq = 7;
    ask(scene, &query);
    assert_found(scene, 8, 10, false);
    query.seq = 0;
    ask(scene, &query);
    assert_found(scene, 1, 3, true);
}

/* Times are seq * 10: every instant around every message, in rooms of every small size. */
static void test_since_and_until_cut_at_every_instant(void **state)
{
    struct scene *scene = *state;
    for (uint64_t size = 1; size <= 17; size++) {
        test_fill(scene->log, 1);
        for (int64_t at = -1; at <= (int64_t)size * 10 + 11; at++) {
            uint64_t first = at <= 10 ? 1 : (uint64_t)(at + 9) / 10;
            struct history_query query = {
                .kind = HISTORY_SINCE, .room_id = 1, .count = 100, .time_ms = at};
            ask(scene, &query);
            assert_found(scene, first, size, false);
            query.kind = HISTORY_UNTIL;
            ask(scene, &query);
            assert_found(scene, 1, first - 1 < size ? first - 1 : size, false);
        }
    }
    ask(scene,
        &(struct history_query){.kind = HISTORY_SINCE, .room_id = 1, .count = 2, .time_ms = 50});
    assert_found(scene, 5, 6, true);
    ask(scene,
        &(struct history_query){.kind = HISTORY_UNTIL, .room_id = 1, .count = 2, .time_ms = 50});
    assert_found(scene, 3, 4, true);
}

static void test_messages_of_one_instant_stay_together(void **state)
{
    struct scene *scene = *state;
    struct event_list list = {0};
    for (uint64_t seq = 1; seq <= 9; seq++) {
        struct event_parts parts = {
            .type = EVENT_MESSAGE,
            .audience = AUDIENCE_ROOM,
            .durable = true,
            .room_id = 1,
            .seq = seq,
            .number = seq,
            .time_ms = seq <= 3   ? 100
                       : seq <= 6 ? 200
                                  : 300,
            .room = "r",
            .room_len = 1,
        };
        event_list_take(&list, event_create(&parts));
    }
    assert_int_equal(log_commit(scene->log, list.items, list.count), LOG_OK);
    event_list_finish(&list);
    struct history_query query = {.kind = HISTORY_SINCE, .room_id = 1, .count = 9, .time_ms = 200};
    ask(scene, &query);
    assert_found(scene, 4, 9, false);
    query.kind = HISTORY_UNTIL;
    ask(scene, &query);
    assert_found(scene, 1, 3, false);
}

static void test_paging_both_ways_meets_every_message_once(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, 103);
    uint64_t next = 0;
    do {
        ask(scene,
            &(struct history_query){.kind = HISTORY_AFTER, .room_id = 1, .count = 10, .seq = next});
        assert_int_equal(scene->found.items[0]->seq, next + 1);
        next = scene->found.items[scene->found.count - 1]->seq;
    } while (scene->more);
    assert_int_equal(next, 103);
    next = 104;
    do {
        ask(scene, &(struct history_query){
                       .kind = HISTORY_BEFORE, .room_id = 1, .count = 10, .seq = next});
        assert_int_equal(scene->found.items[scene->found.count - 1]->seq, next - 1);
        next = scene->found.items[0]->seq;
    } while (scene->more);
    assert_int_equal(next, 1);
}

static void test_one_answer_holds_at_most_the_limit(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, HISTORY_MAX + 5);
    ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = UINT32_MAX});
    assert_found(scene, 6, HISTORY_MAX + 5, true);
}

static void test_answers_go_behind_what_is_in_the_list(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, 4);
    struct history_query query = {.kind = HISTORY_LAST, .room_id = 1, .count = 2};
    event_list_take(&scene->found, test_event(EVENT_MESSAGE, 1, 99, 99, "x", "kept"));
    assert_int_equal(reader_history(scene->reader, &query, &scene->found, NULL), LOG_OK);
    assert_int_equal(scene->found.count, 3);
    assert_string_equal(scene->found.items[0]->text, "kept");
    assert_string_equal(scene->found.items[2]->text, "text 4");
}

static void test_a_bad_row_fails_the_query_and_leaves_the_list(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, 4);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(test_path(scene->dir, DATA_FILE_DB), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE messages SET kind = 77 WHERE seq = 2", NULL, NULL, NULL),
        SQLITE_OK);
    (void)sqlite3_close(db);
    struct history_query query = {.kind = HISTORY_LAST, .room_id = 1, .count = 4};
    event_list_take(&scene->found, test_event(EVENT_MESSAGE, 1, 99, 99, "x", "kept"));
    assert_int_equal(reader_history(scene->reader, &query, &scene->found, NULL), LOG_DAMAGED);
    assert_string_not_equal(reader_message(scene->reader), "");
    assert_int_equal(scene->found.count, 1);
    query.count = 2;
    assert_int_equal(reader_history(scene->reader, &query, &scene->found, NULL), LOG_DAMAGED);
    query.count = 1;
    assert_int_equal(reader_history(scene->reader, &query, &scene->found, NULL), LOG_OK);
}

static void test_a_reader_needs_a_log(void **state)
{
    struct reader *reader = NULL;
    char message[512] = "";
    (void)state;
    char *dir = test_dir_create();
    assert_int_equal(reader_open(dir, &reader, message, sizeof(message)), LOG_PERMISSION);
    assert_null(reader);
    assert_non_null(strstr(message, DATA_FILE_DB));
    test_dir_remove(dir);
}

/* ---- search ---- */

static size_t count_of(struct scene *scene, const char *text)
{
    ask(scene,
        &(struct history_query){.kind = HISTORY_SEARCH, .room_id = 1, .count = 100, .text = text});
    return scene->found.count;
}

static void test_search_finds_words_of_any_script_and_length(void **state)
{
    struct scene *scene = *state;
    say(scene, 1, 1, "\u4eca\u5929\u90e8\u7f72\u5230\u751f\u4ea7\u73af\u5883");
    say(scene, 1, 2, "Deploy is DONE, \u5b8c\u6210\u4e86");
    say(scene, 1, 3, "caf\u00e9 STRASSE");
    say(scene, 1, 4, "\uff48\uff45\uff4c\uff4c\uff4f\u90e8");
    say(scene, 2, 1, "\u90e8\u7f72 in another room");
    assert_int_equal(count_of(scene, "\u90e8\u7f72"), 1);
    assert_int_equal(scene->found.items[0]->seq, 1);
    assert_int_equal(count_of(scene, "\u90e8"), 2);
    assert_int_equal(scene->found.items[0]->seq, 1); /* oldest first */
    assert_int_equal(scene->found.items[1]->seq, 4);
    assert_int_equal(count_of(scene, "\u5929\u90e8\u7f72\u5230"), 1);
    assert_int_equal(count_of(scene, "\u7f72\u90e8"), 0);
    assert_int_equal(count_of(scene, "deploy"), 1);
    assert_int_equal(count_of(scene, "done"), 1);
    assert_int_equal(count_of(scene, "e"), 3);
    assert_int_equal(count_of(scene, "CAFE\u0301"), 1);
    assert_int_equal(count_of(scene, "stra\u00dfe"), 1);
    assert_int_equal(count_of(scene, "HELLO"), 1);
    assert_int_equal(count_of(scene, "%"), 0);
    assert_int_equal(count_of(scene, "nothing like it"), 0);
}

static void test_search_for_nothing_finds_nothing(void **state)
{
    struct scene *scene = *state;
    test_fill(scene->log, 3);
    assert_int_equal(count_of(scene, ""), 0);
    assert_int_equal(count_of(scene, "\u200b"), 0); /* invisible: folds to nothing */
}

static void test_search_pages_back_and_tells_whether_there_is_more(void **state)
{
    struct scene *scene = *state;
    for (uint64_t seq = 1; seq <= 20; seq++) {
        say(scene, 1, seq, seq % 2 ? "odd one" : "even one");
    }
    struct history_query query = {.kind = HISTORY_SEARCH, .room_id = 1, .count = 4, .text = "odd"};
    uint64_t expected = 19;
    do {
        ask(scene, &query);
        for (size_t i = scene->found.count; i-- > 0; expected -= 2) {
            assert_int_equal(scene->found.items[i]->seq, expected);
        }
        query.seq = reader_search_reached(scene->reader);
    } while (scene->more);
    assert_int_equal(expected, UINT64_MAX); /* 1 was the last one */
    query.seq = 0;
    query.count = 10;
    ask(scene, &query);
    assert_int_equal(scene->found.count, 10);
    assert_false(scene->more);
}

/* Small limits on the search itself: it stops, says so, and goes on where it stopped. */
static void test_search_looks_at_so_much_and_no_more(void **state)
{
    struct scene *scene = *state;
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    struct fold fold = {0};
    struct row_room room = {.id = 1, .name = (char[]){"room1"}, .name_len = 5};
    say(scene, 1, 1, "needle");
    for (uint64_t seq = 2; seq <= 30; seq++) {
        say(scene, 1, seq, "hay");
    }
    assert_int_equal(sqlite3_open(test_path(scene->dir, DATA_FILE_DB), &db), SQLITE_OK);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1"
                                        " AND seq >= ?2 AND seq < ?3 ORDER BY seq DESC",
                                        -1, &stmt, NULL),
                     SQLITE_OK);
    struct search search = {.text = "NEEDLE",
                            .text_len = 6,
                            .count = 5,
                            .before = INT64_MAX,
                            .rows_max = 7,
                            .bytes_max = 1000};
    int rounds = 0;
    do {
        assert_int_equal(search_run(&search, stmt, &room, &fold, &scene->found), SQLITE_OK);
        assert_true(search.reached < search.before);
        search.before = search.reached;
        rounds++;
    } while (search.more);
    assert_int_equal(rounds, 5); /* 30 messages, 7 at a time */
    assert_int_equal(scene->found.count, 1);
    search.before = INT64_MAX;
    search.rows_max = 1000;
    search.bytes_max = 30; /* ten times "hay" */
    assert_int_equal(search_run(&search, stmt, &room, &fold, &scene->found), SQLITE_OK);
    assert_true(search.more);
    assert_int_equal(search.reached, 21);
    fold_finish(&fold);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

/* ---- beside the writer ---- */

struct race {
    struct log *log;
    _Atomic bool reader_is_ready;
    _Atomic uint64_t stored;
};

#define RACE_COMMITS 3000

static void *write_along(void *user)
{
    struct race *race = user;
    while (!atomic_load(&race->reader_is_ready)) {
    }
    for (uint64_t seq = 1; seq <= RACE_COMMITS; seq++) {
        struct event *event = test_event(EVENT_MESSAGE, 1, seq, seq, "alice", "along");
        if (log_commit(race->log, &event, 1) != LOG_OK) {
            break;
        }
        event_unref(event);
        atomic_store(&race->stored, seq);
    }
    return NULL;
}

/* Whatever the moment: no gap, and all that was acknowledged before the question. */
static void test_readers_beside_the_writer_see_whole_rooms(void **state)
{
    struct scene *scene = *state;
    struct race race = {.log = scene->log};
    pthread_t thread;
    uint64_t before, after = 0;
    assert_int_equal(pthread_create(&thread, NULL, write_along, &race), 0);
    do {
        before = atomic_load(&race.stored);
        ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = 50});
        atomic_store(&race.reader_is_ready, true);
        if (scene->found.count) {
            uint64_t last = scene->found.items[scene->found.count - 1]->seq;
            assert_true(last >= before && last >= after);
            assert_int_equal(scene->found.items[0]->seq, last - scene->found.count + 1);
            assert_found(scene, last - scene->found.count + 1, last, last > 50);
            after = last;
        }
    } while (before < RACE_COMMITS);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(after, RACE_COMMITS);
}

static off_t wal_size(const struct scene *scene)
{
    struct stat st;
    assert_int_equal(stat(test_path(scene->dir, DATA_FILE_WAL), &st), 0);
    return st.st_size;
}

/* Stores 64 long messages in one commit: some 40 frames. */
static void store_much(struct scene *scene)
{
    struct event_list list = {0};
    uint64_t number = log_last_number(scene->log);
    char text[2048];
    memset(text, 'w', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (int i = 0; i < 64; i++) {
        number++;
        event_list_take(&list, test_event(EVENT_MESSAGE, 1, number, number, "alice", text));
    }
    assert_int_equal(log_commit(scene->log, list.items, list.count), LOG_OK);
    event_list_finish(&list);
}

#define MIB (1024 * 1024)

static void test_the_wal_starts_anew_while_readers_come_and_go(void **state)
{
    struct scene *scene = *state;
    for (int batch = 0; batch < 600; batch++) {
        store_much(scene);
        ask(scene, &(struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = 10});
    }
    assert_true(wal_size(scene) < 16 * MIB);
}

static void test_the_wal_shrinks_again_after_a_reader_that_did_not_end(void **state)
{
    struct scene *scene = *state;
    sqlite3 *db = NULL;
    store_much(scene);
    assert_int_equal(sqlite3_open(test_path(scene->dir, DATA_FILE_DB), &db), SQLITE_OK);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM messages", NULL, NULL, NULL),
                     SQLITE_OK);
    while (wal_size(scene) < 40 * MIB) {
        store_much(scene);
    }
    (void)sqlite3_close(db);
    for (int batch = 0; batch < 60 && wal_size(scene) >= 40 * MIB; batch++) {
        store_much(scene);
    }
    assert_true(wal_size(scene) <= 17 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define READER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        READER_TEST(test_an_empty_room_has_no_history),
        READER_TEST(test_last),
        READER_TEST(test_before_and_after),
        READER_TEST(test_since_and_until_cut_at_every_instant),
        READER_TEST(test_messages_of_one_instant_stay_together),
        READER_TEST(test_paging_both_ways_meets_every_message_once),
        READER_TEST(test_one_answer_holds_at_most_the_limit),
        READER_TEST(test_answers_go_behind_what_is_in_the_list),
        READER_TEST(test_a_bad_row_fails_the_query_and_leaves_the_list),
        READER_TEST(test_a_reader_needs_a_log),
        READER_TEST(test_search_finds_words_of_any_script_and_length),
        READER_TEST(test_search_for_nothing_finds_nothing),
        READER_TEST(test_search_pages_back_and_tells_whether_there_is_more),
        READER_TEST(test_search_looks_at_so_much_and_no_more),
        READER_TEST(test_readers_beside_the_writer_see_whole_rooms),
        READER_TEST(test_the_wal_starts_anew_while_readers_come_and_go),
        READER_TEST(test_the_wal_shrinks_again_after_a_reader_that_did_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
