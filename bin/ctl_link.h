/* SPDX-License-Identifier: MIT */
#ifndef BIN_CTL_LINK_H
#define BIN_CTL_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include <partyline/api.h>

#include "ctl_table.h"

/*
 * A connection to a server's operator socket: commands out, answers in, as lines to print. An
 * answer is any number of lines that begin with "| " and a last one, "ok" or "error CAUSE"; answers
 * come in the order of the commands.
 */

#define CTL_ANSWER_LINE_MAX_BYTES 65536
#define CTL_PENDING_MAX           32    /* commands that wait for their answer */
#define CTL_ANSWER_MS             30000 /* how long the server may take for an answer, or a command */

struct ctl_link_events {
    /** A line to print, clean, borrowed for the call. */
    void (*on_text)(const char *line, size_t len, void *user);
    /** The end of an answer; cause is the server's, NULL when all went well. */
    void (*on_end)(const char *cause, void *user);
};

struct ctl_link {
    int fd; /* -1 when closed */
    const struct ctl_link_events *events;
    void *user;
    char *in;
    size_t in_len;
    struct ctl_table table;
    const char *headings[CTL_PENDING_MAX]; /* of the tables that are on their way; NULL: none */
    size_t pending;                        /* commands without an answer so far */
    bool heading_shown;
};

/**
 * Connects to the socket at path, which may be longer than sun_path.
 * Returns: 0; -errno of connect(2), and then there is nothing to close.
 */
PARTY_MUST_USE int ctl_link_open(struct ctl_link *link, const char *path,
                                 const struct ctl_link_events *events, void *user);
void ctl_link_close(struct ctl_link *link);

/**
 * Sends one command, a line without its end.
 * Returns: 0; -EINVAL for more than one line; -EBUSY when too many wait; -errno of send(2).
 */
PARTY_MUST_USE int ctl_link_send(struct ctl_link *link, const char *command);

/**
 * Reads what has come, and tells it; with wait, when nothing has, as soon as something comes.
 * Returns: 0; PARTY_EOF when the server has closed; PARTY_ETIMEOUT; -errno of recv(2).
 */
PARTY_MUST_USE int ctl_link_receive(struct ctl_link *link, bool wait);

#endif
