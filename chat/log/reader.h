/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_READER_H
#define CHAT_LOG_READER_H

#include "core/event.h"
#include "log/log.h"

/*
 * A read-only connection to the log for history and search. Readers never checkpoint
 * (wal_autocheckpoint=0, no checkpoint on close) and use no mmap.
 *
 * Threads: each reader belongs to one thread; any number may run beside the writer.
 */
struct reader;

enum history_kind {
    HISTORY_LAST,   /* the last `count` */
    HISTORY_BEFORE, /* the last `count` with seq < `seq` */
    HISTORY_AFTER,  /* the first `count` with seq > `seq` */
    HISTORY_SINCE,  /* the first `count` at or after `time_ms` */
    HISTORY_UNTIL,  /* the last `count` before `time_ms` */
    HISTORY_SEARCH, /* the last `count` whose text contains `text`, compared in folded form */
};

struct history_query {
    enum history_kind kind;
    uint32_t room_id;
    uint32_t count; /* at most HISTORY_MAX */
    uint64_t seq;   /* HISTORY_SEARCH: only below this one; 0: from the newest */
    int64_t time_ms;
    const char *text; /* HISTORY_SEARCH; borrowed for the call */
};

#define HISTORY_MAX 1000

/** Opens a reader on the data directory of an open log. Returns: as log_open. */
enum log_fault reader_open(const char *dir, struct reader **ret_reader, char *ret_message,
                           size_t message_cap);
/** NULL is accepted. */
void reader_close(struct reader *reader);

/**
 * Appends what the query finds to out, always oldest first.
 * ret_more tells whether there is more of the same beyond what was found; may be NULL.
 * Returns: LOG_OK or a fault; on a fault out is as before.
 */
enum log_fault reader_history(struct reader *reader, const struct history_query *query,
                              struct event_list *out, bool *ret_more);

/**
 * Where the last HISTORY_SEARCH that said "more" stopped: every match at or above this seq has been
 * found. As `seq` of the next query it goes on. A search looks at so many messages only, so it may
 * say "more" and have found less than count, even nothing.
 */
uint64_t reader_search_reached(const struct reader *reader);

/** What the last failed call met, for people. */
const char *reader_message(const struct reader *reader);

#endif
