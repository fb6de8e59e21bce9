/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_OPTIONS_H
#define BIN_CHAT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/api.h>

#include "chat_target.h"
#include "core/limit.h"

/* What partyline chat was asked for, and how it complains. */

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

/** The first room that was asked for, as the line protocol writes it; NULL when none was. */
const char *chat_options_room(const struct chat_options *options);

/** Writes "partyline chat: text" to standard error. */
void chat_complain(const char *format, ...) PARTY_PRINTF(1, 2);

#endif
