/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_CATCHUP_H
#define BIN_CHAT_CATCHUP_H

#include <stdbool.h>
#include <stddef.h>

#include "chat_line.h"

/*
 * Which lines of a room were shown already: so that after an outage what was missed is shown, all
 * of it, and nothing twice. See the design note in chat_catchup.c.
 *
 *     chat_catchup_forget     another room
 *     chat_catchup_note       for each stored line that is shown
 *     chat_catchup_begin      the connection is new: from here on lines come once more
 *     chat_catchup_is_new     for each stored line: is it to be shown?
 */
struct chat_catchup;

enum chat_source {
    CHAT_FROM_ROOM,    /* as the room's newcomer gets them: its last lines, then each new one */
    CHAT_FROM_HISTORY, /* the answer to /history */
};

struct chat_catchup *chat_catchup_create(void);
/** NULL is accepted. */
void chat_catchup_destroy(struct chat_catchup *catchup);

void chat_catchup_forget(struct chat_catchup *catchup);

/** Without a line to go by, what is older than this was not missed: the server's time. */
void chat_catchup_start_at(struct chat_catchup *catchup, const char stamp[CHAT_STAMP_BYTES + 1]);

void chat_catchup_note(struct chat_catchup *catchup, const struct chat_line *line);

/**
 * Returns: the time since when lines may have been missed, for `/history since`; NULL when nothing
 * is known of the room.
 */
const char *chat_catchup_begin(struct chat_catchup *catchup);

/** Counts the line as come from source, and as shown when it is new. After chat_catchup_begin. */
bool chat_catchup_is_new(struct chat_catchup *catchup, const struct chat_line *line,
                         enum chat_source source);

/**
 * Whether a line of the room may still be one that the history had: the caller may go back to
 * chat_catchup_note when it may not.
 */
bool chat_catchup_may_repeat(const struct chat_catchup *catchup, const struct chat_line *line);

#endif
