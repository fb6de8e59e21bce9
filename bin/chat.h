/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_H
#define BIN_CHAT_H

#include <stdbool.h>
#include <stdint.h>

#include "chat_link.h"

/* Inside partyline chat. */

/* Of a line that is sent; the server may allow less and says so. */
#define CHAT_TYPED_MAX_BYTES TEXT_CEILING_BYTES
/* How long the server may take for the greeting, the echo of a line and the goodbye. */
#define CHAT_ANSWER_MS 10000

struct chat_options {
    struct chat_target target;
    const char *nick; /* NULL: what the server gives */
    const char *room; /* NULL: where the server lets one in; without '#' */
    bool plain;
    bool no_reconnect;
};

/** With an own prompt, for people. Returns: an exit code. */
int chat_live_run(const struct chat_options *options);

/** For pipes. Returns: an exit code. */
int chat_plain_run(const struct chat_options *options);

/** Writes "partyline chat: text" to standard error. */
void chat_complain(const char *format, ...) PARTY_PRINTF(1, 2);

/** Milliseconds of a clock that never runs back. */
int64_t chat_now_ms(void);

/** How long poll may wait until the time; -1 for a time of -1: never. */
int chat_wait_ms(int64_t until_ms);

#endif
