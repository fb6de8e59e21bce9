/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_ROW_H
#define CHAT_LOG_ROW_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

/*
 * Rows of messages and the events they stand for.
 */

/* What a statement must select, in this order. */
#define ROW_COLUMNS "seq, number, time, kind, actor, text"

enum row_column { ROW_SEQ, ROW_NUMBER, ROW_TIME, ROW_KIND, ROW_ACTOR, ROW_TEXT };

/* The room that rows belong to. */
struct row_room {
    uint32_t id;
    char *name; /* owned by whoever filled the struct */
    size_t name_len;
};

/** The kind an event is stored as (enum schema_kind); 0 when it does not belong to a room's log. */
int row_kind(const struct event *event);

/** Looks up the room's name with `SELECT name FROM rooms WHERE id = ?1`. Returns: SQLITE_ROW,
 * SQLITE_DONE when there is no such room, or SQLite's error. Owns: the caller frees ret_room->name.
 */
int row_room_load(sqlite3_stmt *stmt, uint32_t id, struct row_room *ret_room);

/** The event of the row that the statement stands on, with one reference. NULL: not a sound row. */
struct event *row_event(sqlite3_stmt *stmt, const struct row_room *room);

/** Steps through all rows and appends their events. Returns: SQLITE_DONE, or SQLite's error. */
int row_append_all(sqlite3_stmt *stmt, const struct row_room *room, struct event_list *out);

/** Drops the events from the place `from` on. */
void row_list_cut(struct event_list *list, size_t from);

/** Turns the order of the events from the place `from` on around. */
void row_list_reverse(struct event_list *list, size_t from);

#endif
