/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_IRC_H
#define BIN_CHAT_IRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat_line.h"

/*
 * A client of an IRC server, without I/O and clock: bytes of the server and typed lines go in,
 * bytes for the server and lines for people come out. It outlives its connections: after an outage
 * it takes its name and its rooms again, shows what was missed where the server keeps it
 * (draft/chathistory), and says what was not said yet.
 *
 *     struct chat_irc *irc = chat_irc_create(&settings, &events, user);
 *     chat_irc_set_time(irc, now_ms, wall_ms);      before each of the following
 *     chat_irc_connected(irc, false);
 *     chat_irc_feed(irc, bytes, len);
 *     chat_irc_submit(irc, "hello");
 *     chat_irc_tick(irc);                           when chat_irc_next_ms has come
 *     chat_irc_lost(irc);
 *
 * What the server sends is cleaned before it is shown (wire/text.h), mIRC's formatting with it.
 *
 * Threads: one. Without memory the process ends (xalloc).
 */
struct chat_irc;

#define CHAT_IRC_NICK_MAX_BYTES NAME_CEILING_BYTES
#define CHAT_IRC_ROOM_MAX_BYTES ROOM_NAME_CEILING_BYTES
#define CHAT_IRC_ANSWER_MS      10000 /* for the echo of a line, and a page of history */
#define CHAT_IRC_LOGIN_MS       30000 /* some servers look for names first, and wait for them */

struct chat_irc_settings {
    const char *nick;     /* to have */
    const char *user;     /* the login name; any text */
    const char *password; /* NULL: none */
    const char *const *rooms;
    size_t room_count;
    /* For scripts: no name and no room but those, and a line that no echo confirms was refused. */
    bool strict;
    bool any_nick; /* even then another name will do */
};

struct chat_irc_events {
    /** One or more messages to send. */
    void (*on_send)(const char *bytes, size_t len, void *user);
    /** A line to show, clean and borrowed for the call. */
    void (*on_show)(const struct chat_line *line, void *user);
    /** Name or room have changed: see chat_irc_prompt. */
    void (*on_changed)(void *user);
    /** Once a connection: the rooms are entered, what was missed is shown. */
    void (*on_ready)(void *user);
    /** Something that was typed, or asked for at the start, was refused. It was not shown. */
    void (*on_refused)(const char *text, void *user);
    /** The connection is of no use: it is to be closed. */
    void (*on_failed)(const char *cause, void *user);
};

/** Owns: settings and what it points to are copied; events are borrowed. */
struct chat_irc *chat_irc_create(const struct chat_irc_settings *settings,
                                 const struct chat_irc_events *events, void *user);
/** NULL is accepted. Nothing is sent. */
void chat_irc_destroy(struct chat_irc *irc);

/** now_ms: of a clock that never runs back; wall_ms: since 1970, for lines without a time. */
void chat_irc_set_time(struct chat_irc *irc, int64_t now_ms, int64_t wall_ms);

/** There is a connection. has_asked: CAP LS 302 was sent on it already. */
void chat_irc_connected(struct chat_irc *irc, bool has_asked);
void chat_irc_feed(struct chat_irc *irc, const char *bytes, size_t len);
/** It is gone. */
void chat_irc_lost(struct chat_irc *irc);

/** Something typed: one clean line (chat_typed_clean), not empty. */
void chat_irc_submit(struct chat_irc *irc, const char *typed);
/** Sends QUIT; the server then closes. reason may be "". */
void chat_irc_quit(struct chat_irc *irc, const char *reason);

/** When chat_irc_tick is to be called at the latest; -1: never. */
int64_t chat_irc_next_ms(const struct chat_irc *irc);
void chat_irc_tick(struct chat_irc *irc);

/** Whether the server has let one in since the last chat_irc_connected. */
bool chat_irc_is_registered(const struct chat_irc *irc);
/** Whether what was typed is answered: nothing waits to be sent, shown or refused. */
bool chat_irc_is_idle(const struct chat_irc *irc);
/** Whether a typed line will be shown as the room sees it, so that it need not stay to be seen. */
bool chat_irc_will_show(const struct chat_irc *irc, const char *typed);
/** Lines that were said and that the server has not confirmed. */
size_t chat_irc_waiting(const struct chat_irc *irc);
/** What the server gave as its reason to close; "" when it gave none. */
const char *chat_irc_farewell(const struct chat_irc *irc);
/** Whether an operator has put us out: then it is not for us to come back. */
bool chat_irc_is_dismissed(const struct chat_irc *irc);
/** The prompt: "alice #garden> ". */
void chat_irc_prompt(const struct chat_irc *irc, char *ret_text, size_t cap);

#endif
