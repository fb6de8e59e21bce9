/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_SEARCH_H
#define CHAT_LOG_SEARCH_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"
#include "log/fold.h"
#include "log/row.h"

/*
 * Search by looking: goes through a room from the newest message back, folds each text and looks
 * for the folded words in it. Right for every script, since it knows nothing of words; bounded by
 * the two limits, after which it says where to go on.
 */

#define SEARCH_ROWS_MAX  100000             /* messages one query looks at */
#define SEARCH_BYTES_MAX (16 * 1024 * 1024) /* bytes of text one query looks at */

struct search {
    const char *text; /* what is looked for, not folded yet */
    size_t text_len;
    uint32_t count;     /* how many to find at most */
    int64_t floor;      /* only from this seq on */
    int64_t before;     /* only below this seq */
    uint32_t rows_max;  /* SEARCH_ROWS_MAX */
    uint64_t bytes_max; /* SEARCH_BYTES_MAX */
    bool more;          /* result: there is, or when a limit was met may be, more below reached */
    int64_t reached;    /* result: all matches at or above this seq are found */
};

/**
 * Runs the search; newest first. stmt selects ROW_COLUMNS of the room ?1 from the seq ?2 on and
 * below ?3, newest first. Returns: SQLITE_OK or an error; what was found so far is then in out.
 */
int search_run(struct search *search, sqlite3_stmt *stmt, const struct row_room *room,
               struct fold *fold, struct event_list *out);

#endif
