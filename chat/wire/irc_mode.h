/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_MODE_H
#define CHAT_WIRE_IRC_MODE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/irc_message.h"

struct irc_writer;

/*
 * Changes of modes: "+o-v+b alice bob *!*@host" and back. Which letters take a parameter is what
 * the server says in CHANMODES and PREFIX; what they mean is the hub's. No I/O, no state, no
 * memory.
 */

/** Changes that are read of one command. More letters are dropped. */
#define IRC_MODE_CHANGES_MAX 64

enum irc_mode_type {
    IRC_MODE_UNKNOWN, /* no letter of this server */
    IRC_MODE_LIST,    /* type A: a list; with a parameter it is changed, without one it is shown */
    IRC_MODE_ALWAYS,  /* type B: a parameter with + and - */
    IRC_MODE_WHEN_ON, /* type C: a parameter with + only */
    IRC_MODE_FLAG,    /* type D: no parameter */
    IRC_MODE_MEMBER,  /* of PREFIX: a nick with + and - */
};

/** The letters of each type; NULL counts as "". For user modes all are flags. */
struct irc_mode_types {
    const char *list, *always, *when_on, *flag, *member;
};

enum irc_mode_fault {
    IRC_MODE_OK,
    IRC_MODE_NO_SUCH,   /* unknown letter */
    IRC_MODE_NO_PARAM,  /* it needs one and there was none left */
    IRC_MODE_BAD_PARAM, /* empty, a space or ':' in front: no line could carry it on */
};

struct irc_mode_change {
    bool is_on; /* '+' */
    char letter;
    enum irc_mode_type type;
    enum irc_mode_fault fault;
    struct irc_span param; /* absent when there is none */
};

/** The type of a letter. */
enum irc_mode_type irc_mode_type_of(const struct irc_mode_types *types, char letter);

/**
 * Reads the parameters of MODE behind the target: the letters, then what they take. Before the
 * first sign it is '+'. Every unknown letter is a change of its own, with its fault. ret has room
 * for IRC_MODE_CHANGES_MAX.
 * Returns: false when there are more letters; ret holds the first ones then.
 */
bool irc_mode_parse(const struct irc_mode_types *types, const struct irc_span *params, size_t count,
                    struct irc_mode_change *ret, size_t *ret_count);

/**
 * Puts changes into a message that has its command and target: one sign for neighbours that share
 * it, then the parameters; as many as fit, at most max_params (from 1) with a parameter (MODES of
 * ISUPPORT). Left out is a change with a fault, with a parameter that no line could carry, or one
 * for which even an empty message has no room. Call again with a new message for the rest.
 * Returns: how many changes it is done with: 0 only when count is 0. ret_put tells how many of them
 *   are in the message; when it is 0 nothing was put, and the message is not worth sending.
 */
size_t irc_mode_put(struct irc_writer *writer, const struct irc_mode_change *changes, size_t count,
                    size_t max_params, size_t *ret_put);

#endif
