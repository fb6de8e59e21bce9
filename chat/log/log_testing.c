/* SPDX-License-Identifier: MIT */
#include "log/log_testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/data_dir.h"

char *test_dir_create(void)
{
    const char *base = getenv("TMPDIR");
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/partyline-log-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    return strdup(path);
}

void test_dir_remove(char *dir)
{
    DIR *stream = opendir(dir);
    assert_non_null(stream);
    struct dirent *entry;
    while ((entry = readdir(stream))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            if (unlinkat(dirfd(stream), entry->d_name, 0) == -1) {
                (void)unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
            }
        }
    }
    (void)closedir(stream);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
}

const char *test_path(const char *dir, const char *name)
{
    static char paths[8][600];
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in == -1) {
        return; /* A log that is closed has no WAL. */
    }
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_not_equal(out, -1);
    char buf[65536];
    ssize_t got;
    while ((got = read(in, buf, sizeof(buf))) > 0) {
        assert_int_equal(write(out, buf, (size_t)got), got);
    }
    (void)close(in);
    (void)close(out);
}

void test_copy_log(const char *from, const char *to)
{
    static const char *const names[] = {DATA_FILE_DB, DATA_FILE_WAL, DATA_FILE_SIDE};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        copy_file(test_path(from, names[i]), test_path(to, names[i]));
    }
}

struct event *test_event(enum event_type type, uint32_t room_id, uint64_t seq, uint64_t number,
                         const char *actor, const char *text)
{
    char room[24];
    (void)snprintf(room, sizeof(room), "room%" PRIu32, room_id);
    struct event_parts parts = {
        .type = type,
        .audience = AUDIENCE_ROOM,
        .durable = true,
        .room_id = room_id,
        .session = 7,
        .seq = seq,
        .number = number,
        .time_ms = (int64_t)number * 10,
        .room = room,
        .room_len = strlen(room),
        .actor = actor,
        .actor_len = strlen(actor),
        .text = text,
        .text_len = strlen(text),
    };
    return event_create(&parts);
}

struct event *test_private(uint64_t number, const char *actor, const char *target, const char *text)
{
    struct event_parts parts = {
        .type = EVENT_PRIVATE_TO,
        .audience = AUDIENCE_SESSION,
        .durable = true,
        .identity = 1,
        .peer_identity = 2,
        .number = number,
        .time_ms = (int64_t)number * 10,
        .actor = actor,
        .actor_len = strlen(actor),
        .target = target,
        .target_len = strlen(target),
        .text = text,
        .text_len = strlen(text),
    };
    return event_create(&parts);
}

struct event *test_happening(enum event_type type, uint64_t number, const char *text)
{
    return test_event(type, 1, 0, number, "alice", text);
}

static sqlite3 *open_beside(const char *dir)
{
    sqlite3 *db = NULL;
    assert_int_equal(
        sqlite3_open_v2(test_path(dir, DATA_FILE_DB), &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return db;
}

void test_run_sql(const char *dir, const char *sql)
{
    sqlite3 *db = open_beside(dir);
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
    (void)sqlite3_close(db);
}

static uint64_t query_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    uint64_t value = (uint64_t)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return value;
}

int64_t test_ask_sql(const char *dir, const char *sql)
{
    sqlite3 *db = open_beside(dir);
    uint64_t value = query_number(db, sql);
    (void)sqlite3_close(db);
    return (int64_t)value;
}

void test_make_old_log(const char *dir)
{
    /* As schema 1 was, for ever. */
    static const char sql[] =
        "PRAGMA journal_mode = WAL; PRAGMA application_id = 1348563572; PRAGMA user_version = 1;"
        "CREATE TABLE rooms(id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
        " topic TEXT NOT NULL DEFAULT '', topic_actor TEXT NOT NULL DEFAULT '',"
        " topic_time INTEGER NOT NULL DEFAULT 0) STRICT;"
        "CREATE TABLE messages(room INTEGER NOT NULL, seq INTEGER NOT NULL, number INTEGER NOT "
        "NULL,"
        " time INTEGER NOT NULL, kind INTEGER NOT NULL, actor TEXT NOT NULL, text TEXT NOT NULL,"
        " PRIMARY KEY(room, seq)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE private_messages(number INTEGER PRIMARY KEY, time INTEGER NOT NULL,"
        " actor TEXT NOT NULL, target TEXT NOT NULL, text TEXT NOT NULL) STRICT;"
        "INSERT INTO rooms VALUES(1, 'room1', 'old topic', 'bob', 20), (4, 'room4', '', '', 0);"
        "INSERT INTO messages VALUES(1, 1, 1, 10, 1, 'alice', 'one'), (1, 2, 2, 20, 4, 'bob',"
        " 'old topic'), (4, 1, 3, 30, 3, 'server', 'notice'), (1, 3, 5, 50, 2, 'alice', 'waves'),"
        " (1, 4, 6, 60, 1, 'bob', 'last');"
        "INSERT INTO private_messages VALUES(4, 40, 'alice', 'bob', 'psst')";
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(test_path(dir, DATA_FILE_DB), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(db);
    assert_int_equal(chmod(test_path(dir, DATA_FILE_DB), 0600), 0);
}

struct log *test_open(const char *dir)
{
    struct log *log = NULL;
    char message[512] = "";
    enum log_fault fault = log_open(dir, &log, message, sizeof(message));
    if (fault != LOG_OK) {
        fail_msg("log_open: %d: %s", fault, message);
    }
    return log;
}

enum log_fault test_commit_one(struct log *log, struct event *event)
{
    enum log_fault fault = log_commit(log, &event, 1);
    event_unref(event);
    return fault;
}

static void text_of(uint64_t number, char *ret_text, size_t cap)
{
    (void)snprintf(ret_text, cap, "text %" PRIu64, number);
}

void test_fill(struct log *log, uint64_t count)
{
    struct event_list list = {0};
    uint64_t number = log_last_number(log);
    for (uint64_t i = 0; i < count; i++) {
        char text[32];
        number++;
        text_of(number, text, sizeof(text));
        event_list_take(&list, test_event(EVENT_MESSAGE, 1, number, number, "alice", text));
    }
    assert_int_equal(log_commit(log, list.items, list.count), LOG_OK);
    event_list_finish(&list);
}

/* ---- the writer whose events follow from their numbers ---- */

/* Texts of many lengths, so that rows cross sectors and pages and some need overflow pages. */
static void long_text_of(uint64_t number, char *ret_text, size_t cap)
{
    size_t len = (size_t)(number * 2654435761u % 97);
    len = number % 11 == 0 ? len * 21 : len;
    int used = snprintf(ret_text, cap, "text %" PRIu64 " ", number);
    for (size_t i = 0; i < len && (size_t)used + 1 < cap; i++) {
        ret_text[used++] = (char)('a' + (number + i) % 26);
    }
    ret_text[used] = '\0';
}

/* Every seventh event is private; some are no messages; the others go round the rooms. */
enum shape { SHAPE_MESSAGE, SHAPE_PRIVATE, SHAPE_MODE, SHAPE_REDACTED };

#define TAKEN_BACK_AGO 4 /* what SHAPE_REDACTED takes back was said so many numbers before */

static enum shape shape_of(uint64_t number)
{
    if (number % 7 == 0) {
        return SHAPE_PRIVATE;
    }
    if (number % 13 == 5) {
        return SHAPE_MODE;
    }
    return number % 17 == 9 && number > TAKEN_BACK_AGO ? SHAPE_REDACTED : SHAPE_MESSAGE;
}

/* What is taken back lies where the one lies that takes it back. */
static uint32_t room_of(uint64_t number)
{
    uint64_t of = shape_of(number) == SHAPE_REDACTED ? number - TAKEN_BACK_AGO : number;
    return shape_of(of) == SHAPE_PRIVATE ? 0 : (uint32_t)(of % TEST_ROOMS) + 1;
}

static bool is_taken_back(uint64_t number, uint64_t last)
{
    return number + TAKEN_BACK_AGO <= last && shape_of(number + TAKEN_BACK_AGO) == SHAPE_REDACTED;
}

static struct event *taken_back_event(uint64_t number)
{
    struct event_parts parts = {
        .type = EVENT_REDACTED,
        .audience = room_of(number) ? AUDIENCE_ROOM : AUDIENCE_SESSION,
        .durable = true,
        .room_id = room_of(number),
        .room = "other",
        .room_len = 5,
        .number = number,
        .value = number - TAKEN_BACK_AGO,
        .time_ms = (int64_t)number * 10,
    };
    return event_create(&parts);
}

/* The next event of the writer, which is moved on. */
static struct event *next_event(struct test_writer *writer)
{
    char text[2400];
    uint64_t number = ++writer->number;
    uint32_t room = room_of(number);
    long_text_of(number, text, sizeof(text));
    switch (shape_of(number)) {
    case SHAPE_PRIVATE:
        return test_private(number, "alice", "bob", text);
    case SHAPE_MODE:
        return test_event(EVENT_MODE, room, 0, number, "alice", text);
    case SHAPE_REDACTED:
        return taken_back_event(number);
    case SHAPE_MESSAGE:
        break;
    }
    return test_event(EVENT_MESSAGE, room, ++writer->seqs[room], number, "alice", text);
}

void test_writer_go_on(struct test_writer *writer, uint64_t number)
{
    while (writer->number < number) {
        event_unref(next_event(writer));
    }
}

enum log_fault test_write_batch(struct log *log, struct test_writer *writer, uint64_t shape)
{
    struct event_list list = {0};
    struct test_writer next = *writer;
    uint64_t count = shape % 5 + 1;
    for (uint64_t i = 0; i < count; i++) {
        event_list_take(&list, next_event(&next));
    }
    enum log_fault fault = log_commit(log, list.items, list.count);
    if (fault == LOG_OK) {
        *writer = next;
    }
    event_list_finish(&list);
    return fault;
}

/* The columns: number, room, seq, text. */
static void check_row(sqlite3_stmt *stmt, uint64_t number, uint64_t last, uint64_t *seqs)
{
    char text[2400] = "";
    enum shape shape = shape_of(number);
    uint32_t room = room_of(number);
    bool bare = shape == SHAPE_REDACTED || (shape != SHAPE_MODE && is_taken_back(number, last));
    if (!bare) {
        long_text_of(number, text, sizeof(text));
    }
    assert_int_equal(sqlite3_column_int64(stmt, 0), number);
    assert_int_equal(sqlite3_column_int64(stmt, 1), room);
    assert_int_equal(sqlite3_column_int64(stmt, 2), shape == SHAPE_MESSAGE ? ++seqs[room] : 0);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 3), text);
}

static void check_rows(sqlite3 *db, uint64_t last)
{
    sqlite3_stmt *stmt = NULL;
    const char *sql = "SELECT number, room, seq, text FROM messages UNION ALL"
                      " SELECT number, room, 0, text FROM room_events UNION ALL"
                      " SELECT number, 0, 0, text FROM private_messages ORDER BY number";
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    uint64_t seqs[TEST_ROOMS + 1] = {0}, number = 0;
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        check_row(stmt, ++number, last, seqs);
    }
    (void)sqlite3_finalize(stmt);
    assert_int_equal(number, last);
}

uint64_t test_check_log(const char *dir, uint64_t least, uint64_t most)
{
    sqlite3 *db = open_beside(dir);
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(stmt, 0), "ok");
    (void)sqlite3_finalize(stmt);
    uint64_t last = query_number(
        db, "SELECT coalesce(max(n), 0) FROM (SELECT max(number) AS n FROM messages UNION ALL"
            " SELECT max(number) FROM room_events UNION ALL"
            " SELECT max(number) FROM private_messages)");
    assert_in_range(last, least, most);
    check_rows(db, last);
    assert_int_equal(query_number(db, "SELECT count(*) FROM conversations"),
                     query_number(db, "SELECT 2 * count(*) FROM private_messages"));
    (void)sqlite3_close(db);
    return last;
}
