/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_OUTBOX_H
#define BIN_CHAT_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "chat_line.h"

/*
 * What the user said and the room has not seen yet, in order: first what was sent, then what was
 * not. A line leaves the box when the server shows it to the room. After an outage everything that
 * is left is to be sent (again).
 */

#define CHAT_OUTBOX_MAX 100 /* lines */

struct chat_outbox_entry;

struct chat_outbox {
    struct chat_outbox_entry *entries; /* NULL while it was never used */
    size_t count;
    size_t sent; /* the first ones */
};

/** Frees what it holds. */
void chat_outbox_finish(struct chat_outbox *outbox);

/** Adds a cleaned line that says something. Returns: false when the box is full. */
bool chat_outbox_add(struct chat_outbox *outbox, const char *typed);

/** The next line to send; NULL when there is none. */
const char *chat_outbox_next(const struct chat_outbox *outbox);
/** It was sent, under that name. */
void chat_outbox_sent(struct chat_outbox *outbox, const char *name);

/**
 * The room sees a line: if it is one of those sent, that one leaves the box. name is one's own.
 * Answers come in order: those sent before it were refused, and leave it too.
 */
void chat_outbox_confirm(struct chat_outbox *outbox, const struct chat_line *line,
                         const char *name);

/** The server refused what was sent: the first line of it leaves the box. */
void chat_outbox_refuse(struct chat_outbox *outbox);

/** Everything is to be sent again. Returns: how many lines that are. */
size_t chat_outbox_rewind(struct chat_outbox *outbox);

#endif
