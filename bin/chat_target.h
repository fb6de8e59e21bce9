/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_TARGET_H
#define BIN_CHAT_TARGET_H

#include <stdbool.h>

#include <partyline/address.h>
#include <partyline/api.h>

/*
 * Where a chat client goes, and what it speaks there.
 */

enum chat_protocol {
    CHAT_AUTO, /* what the server speaks: chat_probe.h finds out */
    CHAT_LINE,
    CHAT_IRC,
};

struct chat_target {
    char host[256];
    char port[32];
    bool is_address; /* address says it all; else host and port are to be looked up */
    struct party_address address;
    char shown[PARTY_ADDRESS_TEXT_MAX]; /* for people */
    enum chat_protocol protocol;        /* what the URL says */
    bool tls;                           /* so does the URL */
};

/**
 * Reads HOST, HOST:PORT, [V6]:PORT, unix:PATH, or a URL: as a server prints it (any://, line://),
 * irc:// or ircs://, which have ports of their own. "" is the default.
 * Returns: 0; a negative code of the library.
 */
PARTY_MUST_USE int chat_target_parse(const char *text, struct chat_target *ret_target);

#endif
