/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_LINE_H
#define BIN_CHAT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limit.h"

/*
 * What a line of the server says to a chat client: the line protocol from its other end. No I/O.
 */

#define CHAT_STAMP_BYTES 19 /* "2026-11-20 12:31:07" */

enum chat_line_kind {
    CHAT_LINE_SAID,    /* stamp, "NAME: text" */
    CHAT_LINE_DID,     /* stamp, "* NAME text" */
    CHAT_LINE_PRIVATE, /* stamp, "[NAME -> NAME] text" */
    CHAT_LINE_NOTED,   /* stamp, "*** text": a topic, a notice */
    CHAT_LINE_SERVER,  /* "*** text" */
    CHAT_LINE_OTHER,
};

struct chat_line {
    enum chat_line_kind kind;
    const char *text; /* the whole line; borrowed */
    size_t len;
    const char *body; /* behind the stamp or "*** " */
    size_t body_len;
    const char *name; /* SAID, DID: who; else NULL */
    size_t name_len;
};

struct chat_line chat_line_parse(const char *text, size_t len);

/** Whether the line is part of a room's history: dated, and not private. */
bool chat_line_is_stored(const struct chat_line *line);

/** Whether the server says what one's own name is now; ret_name then has it. */
bool chat_line_own_name(const struct chat_line *line, char ret_name[NAME_CEILING_BYTES + 1]);

/** Whether it is the greeting, with which a connection begins. */
bool chat_line_is_welcome(const struct chat_line *line);

/** Whether the server says which room one is in now. */
bool chat_line_own_room(const struct chat_line *line, char ret_room[ROOM_NAME_CEILING_BYTES + 1]);

/** Whether it says no to a line that was sent. */
bool chat_line_is_refusal(const struct chat_line *line);

/** Whether it says no to something that was to be said. */
bool chat_line_refuses_text(const struct chat_line *line);

/** "*** Goodbye": the server ends the connection and means it. */
bool chat_line_is_goodbye(const struct chat_line *line);

/** The answer to /time; ret_stamp then has the server's time. */
bool chat_line_time(const struct chat_line *line, char ret_stamp[CHAT_STAMP_BYTES + 1]);

/**
 * Whether it is the last line of an answer to /history: ret_count lines before it are the answer,
 * and when ret_more is not 0, `/history after ret_more` has what follows.
 */
bool chat_line_ends_history(const struct chat_line *line, size_t *ret_count, uint64_t *ret_more);

/**
 * The line as it is shown: with colours, times and the server's lines dimmed and each name in a
 * colour of its own. Owns: the caller frees the result.
 */
char *chat_line_paint(const struct chat_line *line, size_t *ret_len);

/* ---- what is typed ---- */

/**
 * What a typed line becomes on its way: without control characters and spaces at its end, as the
 * server would make it. Owns: the caller frees the result, which may be "".
 */
char *chat_typed_clean(const char *typed, size_t len);

/**
 * The body of the line with which the server tells everyone of what was typed: "NAME: text", "*
 * NAME text". NULL when nobody is told: a command. Owns: the caller frees the result.
 */
char *chat_typed_echo(const char *name, const char *typed);

/** Whether the typed line is the command: "nick" finds "/nick x" and "/NICK x". ret_args may be
 * NULL. */
bool chat_typed_is(const char *typed, const char *verb, const char **ret_args);

/** Whether the typed line ends the chat: "/quit", "quit". */
bool chat_typed_is_quit(const char *typed);

#endif
