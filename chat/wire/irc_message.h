/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_MESSAGE_H
#define CHAT_WIRE_IRC_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads one line of IRC into its parts, which stay where they are: all spans are into the line.
 *
 *   @time=2026-01-01T00:00:00.000Z :dan!d@host PRIVMSG #chan :Hey what's up!
 *    ─────────── tags ───────────   ─ source ─ command params
 *
 * Parts are separated by one or more spaces; spaces before the first part and behind the last one
 * are left out. A parameter that starts with ':' is the last: the ':' is stripped and the rest of
 * the line belongs to it. The 15th parameter is the last in any case (RFC 2812, 2.3.1).
 *
 * No I/O, no state, no memory. Is the text UTF-8? text_is_utf8 tells; nothing here asks.
 */

#define IRC_PARAMS_MAX 15

/** Some bytes of a line, borrowed. text is NULL where the part is absent; "" where it is empty. */
struct irc_span {
    const char *text;
    size_t len;
};

/** A span of a literal or another NUL-ended string. */
struct irc_span irc_span(const char *text);
/** Whether both hold the same bytes; an absent one equals none. */
bool irc_span_is(struct irc_span span, const char *text);
/** The same, with the letters of ASCII in either case: for commands and their keywords. */
bool irc_span_is_nocase(struct irc_span span, const char *text);
/** Whether the bytes hold NUL, CR or LF, which no message can carry. */
bool irc_span_breaks_line(struct irc_span span);
/** Whether this can be a parameter that is not the last: not empty, no space, no ':' in front. */
bool irc_span_is_middle(struct irc_span span);

enum irc_message_fault {
    IRC_MESSAGE_OK,
    IRC_MESSAGE_EMPTY,      /* nothing but spaces */
    IRC_MESSAGE_BREAKS,     /* NUL, CR or LF in it */
    IRC_MESSAGE_NO_COMMAND, /* tags or a source, and nothing behind them */
    /* The command is neither letters nor three digits. All parts are there all the same, for an
       answer that names the command. */
    IRC_MESSAGE_BAD_COMMAND,
};

struct irc_message {
    struct irc_span tags;   /* without '@', not unescaped: see irc_tag.h */
    struct irc_span source; /* without ':' */
    struct irc_span command;
    struct irc_span params[IRC_PARAMS_MAX]; /* never absent up to param_count */
    size_t param_count;
};

/**
 * Reads a line of len bytes without its end.
 * Returns: what is wrong with it. Spans that the line does not have are absent, all of them for the
 *   faults before IRC_MESSAGE_BAD_COMMAND.
 */
enum irc_message_fault irc_message_parse(const char *line, size_t len,
                                         struct irc_message *ret_message);

/** Whether it is a command by the grammar: letters, or three digits. */
bool irc_message_is_command(struct irc_span command);

/** A source as client programs see it: who a message is from. */
struct irc_source {
    struct irc_span nick; /* or the name of a server, which has neither of the others */
    struct irc_span user;
    struct irc_span host;
};

/** Takes "nick!user@host" apart; user and host may be absent, each by itself. */
struct irc_source irc_source_parse(struct irc_span source);

#endif
