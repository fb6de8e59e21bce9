/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_H
#define BIN_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/api.h>

#include "chat_target.h"
#include "core/limit.h"

/* Inside partyline chat. */

/* Of a line that is sent; the server may allow less and says so. */
#define CHAT_TYPED_MAX_BYTES TEXT_CEILING_BYTES
/* How long the server may take for the greeting, the echo of a line and the goodbye. */
#define CHAT_ANSWER_MS 10000

#define CHAT_ROOMS_MAX 20 /* that can be asked for at the start */

struct party_tls_context;

struct chat_options {
    struct chat_target target;
    const char *nick; /* NULL: the line protocol's server gives one; IRC: the login name */
    const char *rooms[CHAT_ROOMS_MAX]; /* as they were given */
    size_t room_count;                 /* 0: where the server lets one in */
    char *password;                    /* of the server; NULL: none */
    struct party_tls_context *tls;     /* NULL: without TLS */
    bool plain;
    bool no_reconnect;
};

/** With an own prompt, for people. Returns: an exit code. */
int chat_live_run(const struct chat_options *options);

/** For pipes. Returns: an exit code. */
int chat_plain_run(const struct chat_options *options);

/** The first room that was asked for, as the line protocol writes it; NULL when none was. */
const char *chat_options_room(const struct chat_options *options);

/** Writes "partyline chat: text" to standard error. */
void chat_complain(const char *format, ...) PARTY_PRINTF(1, 2);

/** Milliseconds of a clock that never runs back. */
int64_t chat_now_ms(void);

/** How long poll may wait until the time; -1 for a time of -1: never. */
int chat_wait_ms(int64_t until_ms);

#endif
