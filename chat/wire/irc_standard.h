/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_STANDARD_H
#define CHAT_WIRE_IRC_STANDARD_H

#include "wire/irc_message.h"

struct irc_writer;

/*
 * Standard replies (IRCv3 standard-replies): FAIL, WARN and NOTE with a code for programs and a
 * text for people.
 *
 *   FAIL <command> <code> [<context>...] :<description>
 *
 * The table has the codes of the specifications that are spoken here.
 */

/* X(code, text) */
#define IRC_STANDARD_CODES(X)                                                                      \
    X(ACCOUNT_REQUIRED, "An account is needed for this")                                           \
    X(CANNOT_CHANGE_REALNAME, "The real name cannot be changed now")                               \
    X(CANNOT_RENAME, "This channel cannot be renamed")                                             \
    X(CHANNEL_NAME_IN_USE, "A channel of that name exists already")                                \
    X(INTERNAL_ERROR, "The server could not do this")                                              \
    X(INVALID_MESSAGE, "The message holds a byte that none can and was dropped")                   \
    X(INVALID_MSGREFTYPE, "That kind of reference is not known here")                              \
    X(INVALID_PARAMS, "A parameter is not well-formed")                                            \
    X(INVALID_REALNAME, "That real name is not allowed")                                           \
    X(INVALID_TARGET, "Nothing can be found under that target")                                    \
    X(INVALID_UTF8, "The message is not UTF-8 and was dropped")                                    \
    X(MESSAGE_ERROR, "Messages could not be read")                                                 \
    X(MULTILINE_INVALID, "The batch is not a well-formed message")                                 \
    X(MULTILINE_INVALID_TARGET, "The lines of one message have different targets")                 \
    X(MULTILINE_MAX_BYTES, "The message has too many bytes")                                       \
    X(MULTILINE_MAX_LINES, "The message has too many lines")                                       \
    X(NEED_MORE_PARAMS, "Parameters are missing")                                                  \
    X(NEED_REGISTRATION, "You have to register the connection first")                              \
    X(REDACT_FORBIDDEN, "You may not delete that message")                                         \
    X(REDACT_WINDOW_EXPIRED, "That message is too old to be deleted")                              \
    X(TIMEOUT, "The batch took too long")                                                          \
    X(UNKNOWN_COMMAND, "That subcommand is not known")                                             \
    X(UNKNOWN_MSGID, "There is no message of that id")

#define IRC_STANDARD_ENUM(code, text) IRC_STANDARD_##code,
enum irc_standard { IRC_STANDARD_CODES(IRC_STANDARD_ENUM) IRC_STANDARD_COUNT };
#undef IRC_STANDARD_ENUM

enum irc_standard_verb { IRC_FAIL, IRC_WARN, IRC_NOTE };

/** The code as it is sent. */
const char *irc_standard_code(enum irc_standard code);
/** The text for people. */
const char *irc_standard_text(enum irc_standard code);

/**
 * Puts source, verb, command and code; what follows are context parameters and the text. An absent
 * command is '*': the reply answers none.
 */
void irc_standard_start(struct irc_writer *writer, struct irc_span source,
                        enum irc_standard_verb verb, struct irc_span command,
                        enum irc_standard code);

#endif
