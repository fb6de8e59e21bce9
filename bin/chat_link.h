/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_LINK_H
#define BIN_CHAT_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>
#include <partyline/api.h>

/*
 * A chat client's connection: made in the background, lines in and out, driven by the caller's
 * poll. Lines are cleaned before anybody sees them (wire/text.h), so they may be printed.
 *
 * Threads: one; the look-up of a name and the connecting happen in a thread of their own, which
 * shares nothing but a pipe and may be left behind.
 */

#define CHAT_LINE_IN_MAX_BYTES 65536 /* of a line of the server; a longer one is cut */
#define CHAT_LINE_CUT_BYTES    512   /* that are shown of a line too long, or without its end */
#define CHAT_OUT_MAX_BYTES     (1024 * 1024) /* that the server has not taken yet */
#define CHAT_CONNECT_MS        10000

struct chat_target {
    char host[256];
    char port[32];
    bool is_address; /* address says it all; else host and port are to be looked up */
    struct party_address address;
    char shown[PARTY_ADDRESS_TEXT_MAX]; /* for people */
};

/**
 * Reads HOST, HOST:PORT, [V6]:PORT, unix:PATH, or a URL as a server prints it; "" is the default.
 * Returns: 0; a negative code of the library.
 */
int chat_target_parse(const char *text, struct chat_target *ret_target);

enum chat_link_state { CHAT_LINK_CLOSED, CHAT_LINK_CONNECTING, CHAT_LINK_OPEN };

struct chat_link_events {
    /** The connection is there. */
    void (*on_open)(void *user);
    /** A line, clean, borrowed for the call; it ends with a NUL that len does not count. */
    void (*on_line)(const char *line, size_t len, void *user);
    /** It could not be made or is over; the link is closed already. cause is for people. */
    void (*on_closed)(const char *cause, void *user);
};

struct chat_link {
    enum chat_link_state state;
    const struct chat_link_events *events;
    void *user;
    int fd; /* CONNECTING: the pipe; OPEN: the socket; else -1 */
    char *in, *out;
    size_t in_len, out_len;
    bool skipping; /* the rest of a line that was too long */
};

void chat_link_init(struct chat_link *link, const struct chat_link_events *events, void *user);
void chat_link_finish(struct chat_link *link);

/** Begins to connect a closed link. A failure is told by on_closed, from here already or later. */
void chat_link_open(struct chat_link *link, const struct chat_target *target);

/** Closes without a word to the events. */
void chat_link_close(struct chat_link *link);

/** Queues a line; its end is added. Returns: 0; -ENOTCONN; -ENOBUFS. */
PARTY_MUST_USE int chat_link_send(struct chat_link *link, const char *line);

/** Fills in what to wait for. Returns: entries used, 0 or 1. */
size_t chat_link_prepare(const struct chat_link *link, struct pollfd *fd);
void chat_link_ready(struct chat_link *link, short revents);

#endif
