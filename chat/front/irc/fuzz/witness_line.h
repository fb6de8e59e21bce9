/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_FUZZ_WITNESS_LINE_H
#define CHAT_FRONT_IRC_FUZZ_WITNESS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/irc_message.h"
#include "wire/irc_tag.h"

#define WITNESS_SERVER "server"

/**
 * Reads a line of the server, with its CR.
 * Returns: NULL; else what of it no client with these capabilities may be sent.
 */
const char *witness_line_fault(const char *text, size_t len, uint32_t caps,
                               struct irc_message *ret_message);

/** The bit of a capability by its name; 0: there is none. */
uint32_t witness_cap(struct irc_span name);

/** Reads a letter and a number. */
bool witness_number(struct irc_span text, char letter, unsigned *ret_number);

/** Says what is wrong, to whom and with what line, and ends the process. */
_Noreturn void witness_fail(const char *file, int line, const char *what, const char *nick,
                            const char *text, size_t len);

#endif
