/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_NAME_H
#define CHAT_WIRE_IRC_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/irc_message.h"

/*
 * Names as IRC's grammar has them: what separates them, what marks them, what may stand in a line.
 * Which names the chat allows beyond that, and which are the same, is the hub's to say
 * (core/name.h). No I/O, no state, no memory.
 */

/** What a channel's name starts with: CHANTYPES. */
#define IRC_CHANNEL_TYPE '#'

/** Takes the next item off a list with commas, skipping empty ones. Returns: false at its end. */
bool irc_name_next(struct irc_span *list, struct irc_span *ret_item);

/** Whether it is a channel's name by the grammar: '#', then no space, comma, BEL, NUL, CR or LF. */
bool irc_name_is_channel(struct irc_span name);
/** Whether it is a nick by the grammar: nothing in it that marks, separates or matches, and no
 * digit or '-' in front. */
bool irc_name_is_nick(struct irc_span name);
/** Whether it can be a channel's key: printable, without space and comma, not ':' in front. */
bool irc_name_is_key(struct irc_span key);

enum irc_target_kind {
    IRC_TARGET_BAD,     /* neither of these, "" among them; say ERR_NOSUCHNICK */
    IRC_TARGET_NICK,    /* "dan" */
    IRC_TARGET_CHANNEL, /* "#chan" */
    IRC_TARGET_STATUS,  /* "@#chan": those in the channel who have the prefix, or a higher one */
};

struct irc_target {
    enum irc_target_kind kind;
    char prefix;          /* of several the lowest; 0 unless IRC_TARGET_STATUS */
    struct irc_span name; /* the nick, or the channel with its '#' */
};

/** Reads what a message is sent to. prefixes are the server's, the highest first: "@+". */
struct irc_target irc_target_parse(struct irc_span target, const char *prefixes);

/** Takes the prefixes off a name of a NAMES reply: "@+dan!d@host". Returns: the prefixes. */
struct irc_span irc_name_take_prefixes(struct irc_span *name, const char *prefixes);

/**
 * What is left of a user name (the first parameter of USER) when only letters and digits of ASCII,
 * '-', '_' and '.' stay, with no '.' or '-' in front. ret has room for max bytes.
 * Returns: bytes written; 0 when nothing is left (ERR_INVALIDUSERNAME).
 */
size_t irc_name_clean_user(struct irc_span user, size_t max, char *ret);

/**
 * A host or address that can be a parameter: "0" goes before an IPv6 address that starts with ':'.
 * ret has room for host.len + 1 bytes. Returns: bytes written.
 */
size_t irc_name_write_host(struct irc_span host, char *ret);

#endif
