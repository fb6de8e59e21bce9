/* SPDX-License-Identifier: MIT */
#ifndef BIN_OPERATOR_H
#define BIN_OPERATOR_H

#include <stdbool.h>

struct prompt;

/*
 * The operator's prompt ">> ", for `partyline ctl` and for the console of `partyline serve`:
 * commands go to a server's operator socket, answers appear above the prompt.
 */

struct operator_events {
    /** A descriptor to wait for besides, and what to do when it is readable, or -1. */
    int fd;
    /** Returns: false to end. May print. */
    bool (*on_ready)(struct prompt *prompt, void *user);
    /** Ctrl-D. Returns: false to end; true to go on printing without a prompt until on_ready ends
     * it. */
    bool (*on_end)(struct prompt *prompt, void *user);
    /** The server has closed the connection, or cause is why it cannot be talked to. Returns: as
     * on_ready. */
    bool (*on_lost)(struct prompt *prompt, const char *cause, void *user);
    void *user;
};

/** Runs until an event ends it. Returns: 0; -errno when nobody listens at path. */
int operator_run(const char *path, const struct operator_events *events);

#endif
