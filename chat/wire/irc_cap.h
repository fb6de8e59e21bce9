/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_CAP_H
#define CHAT_WIRE_IRC_CAP_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/irc_message.h"

struct irc_writer;

/*
 * The lists of capability negotiation: "multi-prefix sasl=PLAIN -echo-message". No I/O, no state,
 * no memory. Which capabilities there are is not known here.
 */

struct irc_cap {
    struct irc_span name;  /* "sasl", "draft/chathistory" */
    struct irc_span value; /* behind '='; absent when there is none */
    bool is_off;           /* '-' before the name */
};

/**
 * Takes the next capability off a list with spaces. Items without a name ("-", "=x") come as they
 * are: with an empty name, which no server knows. Returns: false at the end of the list.
 */
bool irc_cap_next(struct irc_span *list, struct irc_cap *ret_cap);

/** The version of CAP LS: a number, at most 65535. Returns: 0 when absent or no number. */
unsigned irc_cap_version(struct irc_span version);

/** A list to be sent: CAP <client> <subcommand> [*] :<caps>. */
struct irc_cap_list {
    struct irc_span source;
    struct irc_span client; /* '*' when absent or empty */
    const char *subcommand; /* "LS", "LIST", "ACK", "NAK", "NEW", "DEL" */
    const struct irc_cap *caps;
    size_t count;
    bool has_values;   /* write the values: LS and NEW to clients of version 302 */
    bool is_continued; /* mark every line but the last with '*': LS and LIST, version 302 */
};

/**
 * Puts the next line of a list, as many capabilities as fit, from *at on, which starts as 0. An
 * empty list is one line with an empty parameter. A capability whose name is empty or that holds
 * what no item can (spaces, NUL, CR, LF), and one that is longer than a line, is left out.
 * Returns: whether another line follows; *at is where it starts.
 */
bool irc_cap_put(struct irc_writer *writer, const struct irc_cap_list *list, size_t *at);

#endif
