/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_LIVE_H
#define BIN_CHAT_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat_clock.h"
#include "chat_line.h"
#include "chat_link.h"
#include "chat_options.h"

struct prompt;

/*
 * For people: what both protocols share. The prompt, the connection with its outages, signals and
 * timers are here; what is spoken over the connection is a session, which is made once it is known.
 *
 * Threads: one.
 */

struct chat_live;

/* One protocol. Each function gets what create returned. */
struct chat_live_ops {
    void *(*create)(struct chat_live *live);
    void (*destroy)(void *session);
    /** A connection is there; live->returning tells whether it follows another. */
    void (*on_open)(void *session);
    /** A line of the line protocol; NULL for IRC. */
    void (*on_line)(const char *text, size_t len, void *session);
    /** Bytes of IRC; NULL for the line protocol. */
    void (*on_bytes)(const char *bytes, size_t len, void *session);
    /** The connection is gone. */
    void (*on_lost)(void *session);
    /** Something was typed: one clean line, not empty, that does not leave. */
    void (*submit)(void *session, const char *typed);
    /** The user wants to go; typed is "/quit" with what stands behind it. */
    void (*leave)(void *session, const char *typed);
    /** live->deadline_ms has come. It is -1 again. */
    void (*on_deadline)(void *session);
    /** When tick is to be called; -1: never. */
    int64_t (*next_ms)(void *session);
    /** After each wait. */
    void (*tick)(void *session, int64_t now_ms);
    /** What the server gave as its reason to close; "" when it gave none. */
    const char *(*farewell)(const void *session);
    /** Lines that were said and that the room has not seen. */
    size_t (*left)(const void *session);
};

extern const struct chat_live_ops chat_live_line_ops;
extern const struct chat_live_ops chat_live_irc_ops;

struct chat_live {
    const struct chat_options *options;
    struct chat_link link;
    struct prompt *prompt;
    const struct chat_live_ops *ops; /* NULL before the first connection */
    void *session;
    char **early; /* typed before there was a session */
    size_t early_count;
    bool colours;
    bool entered;   /* once at least: what ends now is an outage */
    bool outage;    /* was told; its end was not */
    bool returning; /* this connection follows another: what was missed is to be shown */
    bool leaving;   /* the server was told */
    bool dismissed; /* the server said goodbye by itself */
    bool over;
    int code;            /* when over: the exit code */
    char failure[1100];  /* when over before it began: why; "" if not */
    unsigned attempts;   /* since the session was last in order */
    int64_t retry_ms;    /* when to connect again; -1: not now */
    int64_t deadline_ms; /* for the server's next word; -1: none is due */
    int signal_fd;
};

/** Shows "--- text": the client itself speaks. */
void chat_live_tell(struct chat_live *live, const char *format, ...) PARTY_PRINTF(2, 3);
/** Shows a clean line. */
void chat_live_show(struct chat_live *live, const struct chat_line *line);
/** The session is over, and the program with it. */
void chat_live_finish(struct chat_live *live, int code);
/** Closes the connection because of what the peer did or did not do. */
void chat_live_drop(struct chat_live *live, const char *cause);
/** What was missed is shown: the outage is over. */
void chat_live_settled(struct chat_live *live);
/** Tells that a room is there again, once after an outage. */
void chat_live_back(struct chat_live *live);

#endif
