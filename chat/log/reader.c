/* SPDX-License-Identifier: MIT */
#include "log/reader.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "log/data_dir.h"
#include "log/fault.h"
#include "log/log_internal.h"
#include "log/row.h"
#include "log/schema.h"
#include "log/search.h"

/*
 * Each query is one read transaction, so that what it finds is of one moment, and short, so that it
 * never keeps the writer from starting the WAL anew. All kinds come down to two statements, "before
 * a seq" and "after a seq"; a time is turned into a seq first.
 */

enum statement {
    STMT_BEGIN,
    STMT_END,
    STMT_ROOM_NAME,
    STMT_BEFORE,
    STMT_AFTER,
    STMT_FIRST,
    STMT_LAST,
    STMT_COUNT,
};

static const char *const statement_sql[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN",
    [STMT_END] = "COMMIT",
    [STMT_ROOM_NAME] = "SELECT name FROM rooms WHERE id = ?1",
    [STMT_BEFORE] = ("SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1 AND seq < ?2"
                     " ORDER BY seq DESC LIMIT ?3"),
    [STMT_AFTER] = ("SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1 AND seq > ?2"
                    " ORDER BY seq LIMIT ?3"),
    [STMT_FIRST] = ("SELECT seq, time FROM messages WHERE room = ?1 AND seq >= ?2"
                    " ORDER BY seq LIMIT 1"),
    [STMT_LAST] = "SELECT seq, time FROM messages WHERE room = ?1 ORDER BY seq DESC LIMIT 1",
};

struct reader {
    char *db_path;
    sqlite3 *db;
    sqlite3_stmt *statements[STMT_COUNT];
    struct fold fold;
    uint64_t reached; /* by the last search */
    char message[LOG_MESSAGE_CAP];
};

static enum log_fault met(struct reader *reader, int code)
{
    fault_describe(reader->db, code, reader->db_path, reader->message, sizeof(reader->message));
    enum log_fault fault = fault_of(reader->db, code);
    /* A reader syncs nothing; whatever failed here says nothing about what is stored. */
    return fault == LOG_STOPPED ? LOG_IO : fault;
}

/* ---- opening ---- */

static int configure(sqlite3 *db)
{
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LOG_VALUE_BYTES_MAX);
    (void)sqlite3_busy_timeout(db, LOG_BUSY_MS);
    char sql[160];
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0; PRAGMA query_only = 1;"
                   "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -%d",
                   READER_CACHE_KIB);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int prepare_all(struct reader *reader)
{
    int code = SQLITE_OK;
    for (int i = 0; code == SQLITE_OK && i < STMT_COUNT; i++) {
        code = sqlite3_prepare_v3(reader->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &reader->statements[i], NULL);
    }
    return code;
}

static enum log_fault check_schema(struct reader *reader)
{
    enum schema_state state;
    int version;
    int code = schema_look(reader->db, &state, &version);
    if (code != SQLITE_OK) {
        return met(reader, code);
    }
    if (state != SCHEMA_CURRENT) {
        (void)snprintf(reader->message, sizeof(reader->message),
                       "%s has schema %d, this program reads %d", reader->db_path, version,
                       schema_version());
        return state == SCHEMA_NEWER ? LOG_NEWER : LOG_DAMAGED;
    }
    return LOG_OK;
}

static enum log_fault open_database(struct reader *reader, const char *dir)
{
    char *path = realpath(dir, NULL);
    reader->db_path = data_dir_join(path ? path : dir, DATA_FILE_DB);
    free(path);
    int code = sqlite3_open_v2(reader->db_path, &reader->db,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                                   SQLITE_OPEN_EXRESCODE,
                               NULL);
    if (code == SQLITE_OK) {
        code = configure(reader->db);
    }
    if (code != SQLITE_OK) {
        return met(reader, code);
    }
    enum log_fault fault = check_schema(reader);
    if (fault == LOG_OK) {
        code = prepare_all(reader);
        fault = code == SQLITE_OK ? LOG_OK : met(reader, code);
    }
    return fault;
}

enum log_fault reader_open(const char *dir, struct reader **ret_reader, char *ret_message,
                           size_t message_cap)
{
    struct reader *reader = xcalloc(1, sizeof(*reader));
    enum log_fault fault = open_database(reader, dir);
    if (fault != LOG_OK) {
        (void)snprintf(ret_message, message_cap, "%s", reader->message);
        reader_close(reader);
        return fault;
    }
    *ret_reader = reader;
    return LOG_OK;
}

void reader_close(struct reader *reader)
{
    if (!reader) {
        return;
    }
    for (int i = 0; i < STMT_COUNT; i++) {
        (void)sqlite3_finalize(reader->statements[i]);
    }
    (void)sqlite3_close(reader->db);
    fold_finish(&reader->fold);
    free(reader->db_path);
    free(reader);
}

uint64_t reader_search_reached(const struct reader *reader)
{
    return reader->reached;
}

const char *reader_message(const struct reader *reader)
{
    return reader->message;
}

/* ---- from times to numbers ---- */

/* Returns: SQLITE_ROW with seq and time, SQLITE_DONE when there is none, or an error. */
static int look_up(sqlite3_stmt *stmt, int64_t *ret_seq, int64_t *ret_time_ms)
{
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        *ret_seq = sqlite3_column_int64(stmt, 0);
        *ret_time_ms = sqlite3_column_int64(stmt, 1);
    }
    (void)sqlite3_reset(stmt);
    return code;
}

/*
 * Finds the first seq in the room at or after time_ms by halving; the one after the last when there
 * is none. Returns: SQLITE_OK or an error.
 */
static int find_time(struct reader *reader, uint32_t room_id, int64_t time_ms, int64_t *ret_seq)
{
    sqlite3_stmt *first = reader->statements[STMT_FIRST], *last = reader->statements[STMT_LAST];
    int64_t low = 1, high, seq, at;
    (void)sqlite3_bind_int64(last, 1, room_id);
    (void)sqlite3_bind_int64(first, 1, room_id);
    int code = look_up(last, &seq, &at);
    if (code != SQLITE_ROW) {
        *ret_seq = 1;
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }
    high = at < time_ms ? seq + 1 : seq;
    low = at < time_ms ? high : low;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        (void)sqlite3_bind_int64(first, 2, middle);
        code = look_up(first, &seq, &at);
        if (code != SQLITE_ROW) {
            return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
        }
        if (at < time_ms) {
            low = seq + 1;
        } else {
            high = middle;
        }
    }
    *ret_seq = low;
    return SQLITE_OK;
}

/* ---- queries ---- */

static int64_t clamp_seq(uint64_t seq)
{
    return seq > INT64_MAX ? INT64_MAX : (int64_t)seq;
}

/* One row more than asked for is read, and dropped again: it tells whether there is more. */
static int fetch(sqlite3_stmt *stmt, const struct row_room *room, int64_t seq, uint32_t count,
                 struct event_list *out, bool *ret_more)
{
    size_t from = out->count;
    (void)sqlite3_bind_int64(stmt, 1, room->id);
    (void)sqlite3_bind_int64(stmt, 2, seq);
    (void)sqlite3_bind_int64(stmt, 3, (int64_t)count + 1);
    int code = row_append_all(stmt, room, out);
    (void)sqlite3_reset(stmt);
    *ret_more = out->count - from > count;
    if (*ret_more) {
        row_list_cut(out, from + count);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int fetch_before(struct reader *reader, const struct row_room *room, int64_t seq,
                        uint32_t count, struct event_list *out, bool *ret_more)
{
    size_t from = out->count;
    int code = fetch(reader->statements[STMT_BEFORE], room, seq, count, out, ret_more);
    row_list_reverse(out, from);
    return code;
}

static int fetch_after(struct reader *reader, const struct row_room *room, int64_t seq,
                       uint32_t count, struct event_list *out, bool *ret_more)
{
    return fetch(reader->statements[STMT_AFTER], room, seq, count, out, ret_more);
}

static int find_text(struct reader *reader, const struct history_query *query,
                     const struct row_room *room, uint32_t count, struct event_list *out,
                     bool *ret_more)
{
    size_t from = out->count;
    struct search search = {
        .text = query->text ? query->text : "",
        .text_len = query->text ? strlen(query->text) : 0,
        .count = count,
        .before = query->seq ? clamp_seq(query->seq) : INT64_MAX,
        .rows_max = SEARCH_ROWS_MAX,
        .bytes_max = SEARCH_BYTES_MAX,
    };
    int code = search_run(&search, reader->statements[STMT_BEFORE], room, &reader->fold, out);
    row_list_reverse(out, from);
    *ret_more = search.more;
    reader->reached = (uint64_t)search.reached;
    return code;
}

static int answer(struct reader *reader, const struct history_query *query,
                  const struct row_room *room, struct event_list *out, bool *ret_more)
{
    uint32_t count = query->count < HISTORY_MAX ? query->count : HISTORY_MAX;
    int64_t seq = INT64_MAX;
    int code = SQLITE_OK;
    if (query->kind == HISTORY_SINCE || query->kind == HISTORY_UNTIL) {
        code = find_time(reader, room->id, query->time_ms, &seq);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    switch (query->kind) {
    case HISTORY_LAST:
    case HISTORY_UNTIL:
        return fetch_before(reader, room, seq, count, out, ret_more);
    case HISTORY_BEFORE:
        return fetch_before(reader, room, clamp_seq(query->seq), count, out, ret_more);
    case HISTORY_AFTER:
        return fetch_after(reader, room, clamp_seq(query->seq), count, out, ret_more);
    case HISTORY_SINCE:
        return fetch_after(reader, room, seq - 1, count, out, ret_more);
    case HISTORY_SEARCH:
        return find_text(reader, query, room, count, out, ret_more);
    case HISTORY_FIRST_OF:
    case HISTORY_LAST_OF:
    case HISTORY_BETWEEN:
    case HISTORY_AROUND:
        break;
    }
    return SQLITE_MISUSE;
}

static int step_once(sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int answer_in_room(struct reader *reader, const struct history_query *query,
                          struct event_list *out, bool *ret_more)
{
    struct row_room room;
    int code = row_room_load(reader->statements[STMT_ROOM_NAME], query->room_id, &room);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_OK : code; /* A room without messages is not there. */
    }
    code = answer(reader, query, &room, out, ret_more);
    free(room.name);
    return code;
}

enum log_fault reader_history(struct reader *reader, const struct history_query *query,
                              struct event_list *out, bool *ret_more)
{
    size_t from = out->count;
    bool more = false;
    int code = step_once(reader->statements[STMT_BEGIN]);
    if (code == SQLITE_OK) {
        code = answer_in_room(reader, query, out, &more);
    }
    enum log_fault fault = code == SQLITE_OK ? LOG_OK : met(reader, code);
    if (!sqlite3_get_autocommit(reader->db)) {
        (void)step_once(reader->statements[STMT_END]);
    }
    if (fault != LOG_OK) {
        row_list_cut(out, from);
        return fault;
    }
    if (ret_more) {
        *ret_more = more;
    }
    return LOG_OK;
}
