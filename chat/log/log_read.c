/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <stdlib.h>

#include "log/log_state.h"
#include "log/row.h"

/*
 * What the hub asks of the log at its start and when a room comes to life again. Everything else is
 * asked of readers.
 */

/* The hub waits for it: where so many rows are hidden, fewer messages will do. */
#define RECENT_ROWS 5000

enum log_fault log_each_room(struct log *log, log_room_fn fn, void *user)
{
    sqlite3_stmt *stmt = log->statements[STMT_EACH_ROOM];
    bool open_ends = false;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0), last_seq = sqlite3_column_int64(stmt, 5);
        struct log_room room = {
            .name = (const char *)sqlite3_column_text(stmt, 1),
            .topic = (const char *)sqlite3_column_text(stmt, 2),
            .topic_actor = (const char *)sqlite3_column_text(stmt, 3),
            .topic_time_ms = sqlite3_column_int64(stmt, 4),
            .topic_source = (const char *)sqlite3_column_text(stmt, 6),
            .sealed = (uint64_t)sqlite3_column_int64(stmt, 7),
        };
        if (id < 1 || id > UINT32_MAX || last_seq < 0 || !room.name || !room.topic ||
            !room.topic_actor || !room.topic_source) {
            code = SQLITE_CORRUPT;
            break;
        }
        room.id = (uint32_t)id;
        room.last_seq = (uint64_t)last_seq;
        bool closed = room.sealed == EVENT_SEALED_ALL;
        open_ends = open_ends || closed || room.last_seq == 0;
        if (closed && !log->settled) {
            room.sealed = room.last_seq;
            room.topic = "";
            room.topic_actor = "";
            room.topic_source = "";
            room.topic_time_ms = 0;
        }
        if (room.last_seq > 0) {
            fn(&room, user);
        }
    }
    enum log_fault fault = code == SQLITE_DONE ? LOG_OK : log_met(log, code);
    log->settled = log->settled || (fault == LOG_OK && !open_ends);
    (void)sqlite3_reset(stmt);
    return fault;
}

enum log_fault log_recent(struct log *log, uint32_t room_id, uint32_t count, struct event_list *out)
{
    struct row_room room;
    size_t from = out->count;
    int code = row_room_load(log->statements[STMT_ROOM_NAME], room_id, &room);
    if (code == SQLITE_ROW) {
        sqlite3_stmt *stmt = log->statements[STMT_RECENT];
        struct row_walk walk = {.kinds = ROW_KINDS_LINES, .count = count, .rows_max = RECENT_ROWS};
        (void)sqlite3_bind_int64(stmt, 1, room_id);
        code = row_walk(stmt, &room, &walk, out);
        free(room.name);
        if (code != SQLITE_OK) {
            event_list_cut(out, from);
        }
        row_list_reverse(out, from);
    } else if (code == SQLITE_DONE) {
        code = SQLITE_OK;
    }
    enum log_fault fault = code == SQLITE_OK ? LOG_OK : log_met(log, code);
    return fault;
}
