/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_READER_INTERNAL_H
#define CHAT_LOG_READER_INTERNAL_H

#include <sqlite3.h>

#include "log/axis.h"
#include "log/fault.h"
#include "log/fold.h"
#include "log/reader.h"
#include "log/row.h"

/*
 * The inside of a reader, shared by the files that open it and answer (reader.c), find a range of
 * history (reader_range.c) and look up targets and single messages (reader_targets.c).
 */

enum reader_statement {
    READER_BEGIN,
    READER_END,
    READER_ROOM_NAME,
    READER_MESSAGES_DOWN,
    READER_MESSAGES_UP,
    READER_SEQ_AT,
    READER_SEQ_LAST,
    READER_EVENTS_DOWN,
    READER_EVENTS_UP,
    READER_EVENT_AT,
    READER_EVENT_LAST,
    READER_PRIVATE_DOWN,
    READER_PRIVATE_UP,
    READER_PRIVATE_AT,
    READER_PRIVATE_LAST,
    READER_PRIVATE_ONE,
    READER_IN_CONVERSATION,
    READER_NEXT_OTHER,
    READER_STMT_COUNT,
};

struct reader {
    char *db_path;
    sqlite3 *db;
    sqlite3_stmt *statements[READER_STMT_COUNT];
    struct fold fold;
    uint64_t reached; /* by the last search */
    char message[LOG_MESSAGE_CAP];
};

/* Where history is asked: a room, or the conversation of room.identity with `other`. */
struct reader_place {
    struct row_room room;
    char *other; /* folded; NULL for a room */
    size_t other_len;
};

enum log_fault reader_met(struct reader *reader, int code);

/** Begins a transaction. Returns: SQLite's code. */
int reader_begin(struct reader *reader);
/** Ends it. Returns: the fault for code; LOG_UNKNOWN for SQLITE_NOTFOUND. */
enum log_fault reader_end(struct reader *reader, int code);

/** A number or seq as a key of SQLite's. */
int64_t reader_key(uint64_t number);

/** Whether the query has a bound that is a number. */
bool reader_names_a_number(const struct history_query *query);

/** Answers all kinds but HISTORY_SEARCH. Returns: SQLite's code; SQLITE_NOTFOUND: a bound's number
 * is not here. */
int reader_answer(struct reader *reader, const struct history_query *query,
                  const struct reader_place *place, struct event_list *out, bool *ret_more);

/** Steps through one half of a conversation: from the key `from` on, below `to`. */
int reader_walk_private(struct reader *reader, const struct reader_place *place, int64_t from,
                        int64_t to, bool newest_first, struct row_walk *walk,
                        struct event_list *out);

#endif
