/* SPDX-License-Identifier: MIT */
#include "log/reader.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "log/data_dir.h"
#include "log/fault.h"
#include "log/log_internal.h"
#include "log/reader_internal.h"
#include "log/schema.h"
#include "log/search.h"

/*
 * Each query is one read transaction, so that what it finds is of one moment, and short, so that it
 * never keeps the writer from starting the WAL anew. What a query asks for is turned into ranges of
 * keys in reader_range.c; reader_targets.c finds out who there was talk with.
 */

static const char *const statement_sql[READER_STMT_COUNT] = {
    [READER_BEGIN] = "BEGIN",
    [READER_END] = "COMMIT",
    [READER_ROOM_NAME] = "SELECT name FROM rooms WHERE id = ?1",
    [READER_MESSAGES_DOWN] = ("SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1 AND seq >= ?2"
                              " AND seq < ?3 ORDER BY seq DESC"),
    [READER_MESSAGES_UP] = ("SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1 AND seq >= ?2"
                            " AND seq < ?3 ORDER BY seq"),
    [READER_SEQ_AT] = ("SELECT seq, time, number FROM messages WHERE room = ?1 AND seq >= ?2"
                       " ORDER BY seq LIMIT 1"),
    [READER_SEQ_LAST] = ("SELECT seq, time, number FROM messages WHERE room = ?1"
                         " ORDER BY seq DESC LIMIT 1"),
    [READER_EVENTS_DOWN] = ("SELECT " ROW_COLUMNS_EVENT " FROM room_events WHERE room = ?1"
                            " AND number >= ?2 AND number < ?3 ORDER BY number DESC"),
    [READER_EVENTS_UP] = ("SELECT " ROW_COLUMNS_EVENT " FROM room_events WHERE room = ?1"
                          " AND number >= ?2 AND number < ?3 ORDER BY number"),
    [READER_EVENT_AT] = ("SELECT number, time, number FROM room_events WHERE room = ?1"
                         " AND number >= ?2 ORDER BY number LIMIT 1"),
    [READER_EVENT_LAST] = ("SELECT number, time, number FROM room_events WHERE room = ?1"
                           " ORDER BY number DESC LIMIT 1"),
    /* CROSS JOIN: conversations first, in its order. */
    [READER_PRIVATE_DOWN] = ("SELECT " ROW_COLUMNS_PRIVATE " FROM conversations AS c CROSS JOIN"
                             " private_messages AS p ON p.number = c.number WHERE c.identity = ?1"
                             " AND c.other = ?4 AND c.number >= ?2 AND c.number < ?3"
                             " ORDER BY c.number DESC"),
    [READER_PRIVATE_UP] = ("SELECT " ROW_COLUMNS_PRIVATE " FROM conversations AS c CROSS JOIN"
                           " private_messages AS p ON p.number = c.number WHERE c.identity = ?1"
                           " AND c.other = ?4 AND c.number >= ?2 AND c.number < ?3"
                           " ORDER BY c.number"),
    /* ?1, a room, has no meaning here. */
    [READER_PRIVATE_AT] = ("SELECT number, time, number FROM private_messages WHERE number >= ?2"
                           " AND ?1 = 0 ORDER BY number LIMIT 1"),
    [READER_PRIVATE_LAST] = ("SELECT number, time, number FROM private_messages WHERE ?1 = 0"
                             " ORDER BY number DESC LIMIT 1"),
    [READER_PRIVATE_ONE] = ("SELECT actor_identity, target_identity, actor, redacted"
                            " FROM private_messages WHERE number = ?1"),
    [READER_IN_CONVERSATION] = ("SELECT 1 FROM conversations WHERE identity = ?1 AND other = ?2"
                                " AND number = ?3"),
    [READER_NEXT_OTHER] = ("SELECT other FROM conversations WHERE identity = ?1 AND other > ?2"
                           " ORDER BY other LIMIT 1"),
};

enum log_fault reader_met(struct reader *reader, int code)
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
    for (int i = 0; code == SQLITE_OK && i < READER_STMT_COUNT; i++) {
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
        return reader_met(reader, code);
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
        return reader_met(reader, code);
    }
    enum log_fault fault = check_schema(reader);
    if (fault == LOG_OK) {
        code = prepare_all(reader);
        fault = code == SQLITE_OK ? LOG_OK : reader_met(reader, code);
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
    for (int i = 0; i < READER_STMT_COUNT; i++) {
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

/* ---- transactions ---- */

static int step_once(sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);
    (void)sqlite3_reset(stmt);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int reader_begin(struct reader *reader)
{
    return step_once(reader->statements[READER_BEGIN]);
}

enum log_fault reader_end(struct reader *reader, int code)
{
    enum log_fault fault = LOG_OK;
    if (code == SQLITE_NOTFOUND) {
        (void)snprintf(reader->message, sizeof(reader->message), "there is no such message");
        fault = LOG_UNKNOWN;
    } else if (code != SQLITE_OK) {
        fault = reader_met(reader, code);
    }
    if (!sqlite3_get_autocommit(reader->db)) {
        (void)step_once(reader->statements[READER_END]);
    }
    return fault;
}

/* ---- history ---- */

static int find_text(struct reader *reader, const struct history_query *query,
                     const struct row_room *room, struct event_list *out, bool *ret_more)
{
    size_t from = out->count;
    struct search search = {
        .text = query->text ? query->text : "",
        .text_len = query->text ? strlen(query->text) : 0,
        .count = query->count < HISTORY_MAX ? query->count : HISTORY_MAX,
        .floor = reader_key(query->floor),
        .before = query->seq ? reader_key(query->seq) : INT64_MAX,
        .rows_max = SEARCH_ROWS_MAX,
        .bytes_max = SEARCH_BYTES_MAX,
    };
    int code =
        search_run(&search, reader->statements[READER_MESSAGES_DOWN], room, &reader->fold, out);
    row_list_reverse(out, from);
    *ret_more = search.more;
    reader->reached = (uint64_t)search.reached;
    return code;
}

static int answer_in_room(struct reader *reader, const struct history_query *query,
                          struct event_list *out, bool *ret_more)
{
    struct row_room room;
    int code = row_room_load(reader->statements[READER_ROOM_NAME], query->room_id, &room);
    if (code != SQLITE_ROW) {
        if (code != SQLITE_DONE) {
            return code;
        }
        /* A room without messages is not there. */
        return reader_names_a_number(query) ? SQLITE_NOTFOUND : SQLITE_OK;
    }
    code = query->kind == HISTORY_SEARCH
               ? find_text(reader, query, &room, out, ret_more)
               : reader_answer(reader, query, &(struct reader_place){.room = room}, out, ret_more);
    free(room.name);
    return code;
}

static int answer_in_private(struct reader *reader, const struct history_query *query,
                             struct event_list *out, bool *ret_more)
{
    struct reader_place place = {.room = {.identity = query->identity}};
    if (query->kind == HISTORY_BEFORE || query->kind == HISTORY_AFTER ||
        query->kind == HISTORY_SEARCH) {
        return SQLITE_MISUSE;
    }
    if (query->identity != 0 && query->other) {
        place.other = name_fold(query->other, strlen(query->other), &place.other_len);
    }
    if (!place.other) {
        return reader_names_a_number(query) ? SQLITE_NOTFOUND : SQLITE_OK;
    }
    int code = reader_answer(reader, query, &place, out, ret_more);
    free(place.other);
    return code;
}

enum log_fault reader_history(struct reader *reader, const struct history_query *query,
                              struct event_list *out, bool *ret_more)
{
    size_t from = out->count;
    bool more = false;
    int code = reader_begin(reader);
    if (code == SQLITE_OK) {
        code = query->room_id != 0 ? answer_in_room(reader, query, out, &more)
                                   : answer_in_private(reader, query, out, &more);
    }
    enum log_fault fault = reader_end(reader, code);
    if (fault != LOG_OK) {
        event_list_cut(out, from);
        return fault;
    }
    if (ret_more) {
        *ret_more = more;
    }
    return LOG_OK;
}
