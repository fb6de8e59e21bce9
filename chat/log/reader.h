/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_READER_H
#define CHAT_LOG_READER_H

#include "core/event.h"
#include "core/record.h"
#include "log/log.h"

/*
 * A read-only connection to the log for history and search. Readers never checkpoint
 * (wal_autocheckpoint=0, no checkpoint on close) and use no mmap.
 *
 *     struct history_query query = {.kind = HISTORY_FIRST_OF, .room_id = 7, .count = 50,
 *                                   .what = HISTORY_MESSAGES, .floor = sealed + 1,
 *                                   .from = {BOUND_NUMBER, .number = 1234}};
 *     enum log_fault fault = reader_history(reader, &query, &found, &more);
 *
 * What was taken back (EVENT_REDACTED) is in no answer. One query looks at a bounded number of
 * rows: where very much is hidden, an answer may say "more" and hold less than was asked for.
 *
 * Threads: each reader belongs to one thread; any number may run beside the writer.
 */
struct reader;

enum history_kind {
    HISTORY_LAST,   /* the last `count` */
    HISTORY_BEFORE, /* the last `count` with seq < `seq`; rooms only */
    HISTORY_AFTER,  /* the first `count` with seq > `seq`; rooms only */
    HISTORY_SINCE,  /* the first `count` at or after `time_ms` */
    HISTORY_UNTIL,  /* the last `count` before `time_ms` */
    HISTORY_SEARCH, /* the last `count` whose text contains `text`, compared in folded form; rooms
                       only */
    /* What CHATHISTORY asks. What a bound names is itself not in the answer, but for AROUND. */
    HISTORY_FIRST_OF, /* the first `count` after `from` and before `to` */
    HISTORY_LAST_OF,  /* the last `count` after `from` and before `to` */
    HISTORY_BETWEEN,  /* as HISTORY_FIRST_OF; when `to` is the older one of the bounds, as
                         HISTORY_LAST_OF with the two exchanged */
    HISTORY_AROUND,   /* `count` / 2 before `from`, the others from there on */
};

/* What of a room, or of a conversation, is wanted. */
enum history_what {
    HISTORY_LINES,    /* all that a line client shows: messages, actions, notices, topics */
    HISTORY_MESSAGES, /* messages, actions, notices */
    HISTORY_EVENTS,   /* all: also topics, EVENT_TAGS and what happened to the room (EVENT_MODE,
                         EVENT_REMOVED, EVENT_ROOM_RENAMED ...), by number; those without seq not
                         with HISTORY_BEFORE, _AFTER and _SEARCH */
};

enum history_bound_kind { BOUND_NONE, BOUND_NUMBER, BOUND_TIME };

struct history_bound {
    enum history_bound_kind kind;
    uint64_t number; /* of an event of this room or conversation: else LOG_UNKNOWN */
    int64_t time_ms;
};

struct history_query {
    enum history_kind kind;
    enum history_what what;
    uint32_t room_id;      /* 0: the private messages between `identity` and `other` */
    uint32_t count;        /* at most HISTORY_MAX */
    uint64_t floor;        /* rooms: what has a lower seq is not there for who asks; 0: all is */
    uint64_t floor_number; /* nor is what has no seq and a lower number */
    uint64_t seq;          /* HISTORY_SEARCH: only below this one; 0: from the newest */
    int64_t time_ms;
    const char *text; /* HISTORY_SEARCH; borrowed for the call */
    struct history_bound from, to;
    uint64_t identity; /* of who asks; 0: nobody, who has no private messages */
    const char *other; /* the other's name, in any case; borrowed for the call */
};

#define HISTORY_MAX 1000

/* A room somebody may read, from the seq `floor` on. */
struct history_room {
    uint32_t room_id;
    uint64_t floor;
};

/* Which rooms and people there was talk with: those whose last message is between two times. */
struct targets_query {
    const struct history_room *rooms; /* borrowed for the call */
    size_t room_count;
    uint64_t identity;      /* of who asks; 0: rooms only */
    uint32_t count;         /* at most HISTORY_MAX */
    int64_t from_ms, to_ms; /* neither included; from later than to: the latest `count` instead of
                               the earliest */
};

/* One message, by its number. */
struct message_query {
    uint32_t room_id; /* 0: a private message */
    uint64_t number;
    uint64_t identity; /* room_id 0: it must be from or to this one */
};

/** Opens a reader on the data directory of an open log. Returns: as log_open. */
enum log_fault reader_open(const char *dir, struct reader **ret_reader, char *ret_message,
                           size_t message_cap);
/** NULL is accepted. */
void reader_close(struct reader *reader);

/**
 * Appends what the query finds to out, always oldest first. Private messages are of
 * EVENT_PRIVATE_TO when they went to `identity`, else of EVENT_PRIVATE_OF; no event has a session
 * or peer. ret_more tells whether there is more of the same beyond what was found; may be NULL.
 * Returns: LOG_OK; LOG_UNKNOWN when a bound's number is not one of this room or conversation, or is
 *   below the floor; else a fault; but for LOG_OK out is as before.
 */
enum log_fault reader_history(struct reader *reader, const struct history_query *query,
                              struct event_list *out, bool *ret_more);

/**
 * Where the last HISTORY_SEARCH that said "more" stopped: every match at or above this seq has been
 * found. As `seq` of the next query it goes on. A search looks at so many messages only, so it may
 * say "more" and have found less than count, even nothing.
 */
uint64_t reader_search_reached(const struct reader *reader);

/**
 * Appends a record for each target, by the time of its last message: room id (0: a person), name,
 * that time (ms).
 * Returns: LOG_OK or a fault; on a fault out is as before.
 */
enum log_fault reader_targets(struct reader *reader, const struct targets_query *query,
                              struct record_out *out);

/**
 * Appends one record, the `extra` of COMMAND_REDACT: room id, seq, the author's identity, the
 * other's (of a private message), the author's name; and "1" when it was taken back already.
 * Returns: LOG_OK; LOG_UNKNOWN when there is no such message; else a fault.
 */
enum log_fault reader_message_place(struct reader *reader, const struct message_query *query,
                                    struct record_out *out);

/** What the last failed call met, for people. */
const char *reader_message(const struct reader *reader);

#endif
