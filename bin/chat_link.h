/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_LINK_H
#define BIN_CHAT_LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/api.h>

#include "chat_target.h"

struct party_sock;
struct party_tls;
struct party_tls_context;

/*
 * A chat client's connection, with TLS or without: made in the background, driven by the caller's
 * poll. When the target does not say what is spoken there, that is found out first
 * (chat_probe.h), with a second connection where it must be. Then lines go in and out, cleaned
 * before anybody sees them (wire/text.h), so that they may be printed; or with IRC bytes as they
 * come, which may not.
 *
 * Threads: one; connecting happens in another (chat_connect.h).
 */

#define CHAT_LINE_IN_MAX_BYTES 65536 /* of a line of the server; a longer one is cut */
#define CHAT_LINE_CUT_BYTES    512   /* that are shown of a line too long, or without its end */
#define CHAT_OUT_MAX_BYTES     (1024 * 1024) /* that the server has not taken yet */
#define CHAT_SILENT_MS         5000 /* after which a server that was asked is none of IRC */

enum chat_link_state {
    CHAT_LINK_CLOSED,
    CHAT_LINK_CONNECTING,
    CHAT_LINK_PROBING, /* connected; what is spoken is not known yet */
    CHAT_LINK_OPEN,
};

struct chat_link_events {
    /** The connection is there, and link->protocol is what is spoken. */
    void (*on_open)(void *user);
    /** A line, clean, borrowed for the call; it ends with a NUL that len does not count. */
    void (*on_line)(const char *line, size_t len, void *user);
    /** IRC: bytes as they came. Never printed as they are. */
    void (*on_bytes)(const char *bytes, size_t len, void *user);
    /** It could not be made or is over; the link is closed already. cause is for people. */
    void (*on_closed)(const char *cause, void *user);
};

struct chat_link {
    enum chat_link_state state;
    enum chat_protocol protocol; /* CHAT_AUTO until it is known; it stays known */
    const struct chat_link_events *events;
    void *user;
    const struct chat_target *target;
    struct party_tls_context *context;
    struct party_sock *sock; /* without TLS; else NULL */
    struct party_tls *tls;
    int fd; /* CONNECTING: the pipe; from PROBING on: the socket's; else -1 */
    char *in, *out;
    size_t in_len, out_len;
    bool skipping;       /* the rest of a line that was too long */
    bool has_probed;     /* CHAT_PROBE was sent on this connection: it need not be sent again */
    int64_t deadline_ms; /* PROBING: for the next step; else -1 */
};

/** context NULL: without TLS; it is borrowed. */
void chat_link_init(struct chat_link *link, const struct chat_link_events *events, void *user,
                    struct party_tls_context *context);
void chat_link_finish(struct chat_link *link);

/**
 * Begins to connect a closed link. A failure is told by on_closed, from here already or later.
 * Owns: target is borrowed as long as the link lives.
 */
void chat_link_open(struct chat_link *link, const struct chat_target *target);

/** Closes without a word to the events. */
void chat_link_close(struct chat_link *link);

/** Queues a line; its end is added. Returns: 0; -ENOTCONN; -ENOBUFS. */
PARTY_MUST_USE int chat_link_send(struct chat_link *link, const char *line);
/** Queues bytes as they are. Returns: 0; -ENOTCONN; -ENOBUFS. */
PARTY_MUST_USE int chat_link_write(struct chat_link *link, const char *bytes, size_t len);

/** Fills in what to wait for. Returns: entries used, 0 or 1. */
size_t chat_link_prepare(const struct chat_link *link, struct pollfd *fd);
void chat_link_ready(struct chat_link *link, short revents);

/** When chat_link_tick is to be called at the latest, by chat_now_ms; -1: never. */
int64_t chat_link_deadline(const struct chat_link *link);
void chat_link_tick(struct chat_link *link, int64_t now_ms);

#endif
