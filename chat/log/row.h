/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_ROW_H
#define CHAT_LOG_ROW_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "log/schema.h"

/*
 * Rows of messages, private_messages and room_events, and the events they stand for.
 */

/* What a statement must select, in this order. */
#define ROW_COLUMNS                                                                                \
    "seq, number, time, kind, actor, text, source, account, tags, extra, identity, flags, "        \
    "redacted"
#define ROW_COLUMNS_PRIVATE                                                                        \
    "0, p.number, time, kind, actor, text, source, account, tags, extra, actor_identity, flags,"   \
    " redacted, target, target_identity, 0"
#define ROW_COLUMNS_EVENT                                                                          \
    "0, number, time, kind, actor, text, source, account, '', extra, 0, flags, 0, target, 0, "     \
    "value"

enum row_column {
    ROW_SEQ,
    ROW_NUMBER,
    ROW_TIME,
    ROW_KIND,
    ROW_ACTOR,
    ROW_TEXT,
    ROW_SOURCE,
    ROW_ACCOUNT,
    ROW_TAGS,
    ROW_EXTRA,
    ROW_IDENTITY,
    ROW_FLAGS,
    ROW_REDACTED,
    ROW_MESSAGE_COUNT, /* rows of messages end here */
    ROW_TARGET = ROW_MESSAGE_COUNT,
    ROW_TARGET_IDENTITY,
    ROW_VALUE,
};

/* Sets of kinds (enum schema_kind). */
#define ROW_KIND_BIT(kind) (UINT32_C(1) << (kind))
#define ROW_KINDS_MESSAGES                                                                         \
    (ROW_KIND_BIT(KIND_MESSAGE) | ROW_KIND_BIT(KIND_ACTION) | ROW_KIND_BIT(KIND_NOTICE))
#define ROW_KINDS_LINES (ROW_KINDS_MESSAGES | ROW_KIND_BIT(KIND_TOPIC))
/* All that may be shown: what is the log's own affair is not. */
#define ROW_KINDS_EVENTS (~(ROW_KIND_BIT(KIND_SEALED) | ROW_KIND_BIT(KIND_REDACTED)))

/* The room, or the one half of a conversation, that rows belong to. */
struct row_room {
    uint32_t id; /* 0: private messages */
    char *name;  /* owned by whoever filled the struct; NULL for private messages */
    size_t name_len;
    uint64_t identity; /* private messages: who asks */
};

/* Which of the rows a walk takes, and how it ended. */
struct row_walk {
    uint32_t kinds;    /* ROW_KIND_BIT; those taken back are never taken */
    uint32_t count;    /* events at most */
    uint32_t rows_max; /* rows looked at, taken or not */
    bool more;         /* result: there is, or when it was cut may be, more */
    bool cut;          /* result: rows_max was met */
    uint64_t reached;  /* result: the number of the last row looked at */
};

/* Rows of one room that one query looks at, where most are hidden. */
#define ROW_WALK_MAX 100000

/** The kind an event is stored as (enum schema_kind); 0 when it is not stored. */
int row_kind(const struct event *event);

/** Whether rows of this kind are in messages, not in room_events. */
bool row_kind_is_message(int kind);

/** Looks up the room's name with `SELECT name FROM rooms WHERE id = ?1`. Returns: SQLITE_ROW,
 * SQLITE_DONE when there is no such room, or SQLite's error. Owns: the caller frees ret_room->name.
 */
int row_room_load(sqlite3_stmt *stmt, uint32_t id, struct row_room *ret_room);

/** The event of the row that the statement stands on, with one reference. NULL: not a sound row. */
struct event *row_event(sqlite3_stmt *stmt, const struct row_room *room);

/**
 * Steps through the rows and appends the events of those that are wanted; resets the statement.
 * Returns: SQLITE_OK, or SQLite's error, with what was found so far in out.
 */
int row_walk(sqlite3_stmt *stmt, const struct row_room *room, struct row_walk *walk,
             struct event_list *out);

/** Turns the order of the events from the place `from` on around. */
void row_list_reverse(struct event_list *list, size_t from);

#endif
