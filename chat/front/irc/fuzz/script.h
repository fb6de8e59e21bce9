/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_FUZZ_SCRIPT_H
#define CHAT_FRONT_IRC_FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes a session is made of, and the lines that are made of them. */

struct script {
    const uint8_t *bytes;
    size_t len; /* left */
};

/** The next byte; 0 behind the end. */
uint8_t script_byte(struct script *script);

#define SCRIPT_LINE_MAX 8192

/** How many kinds of lines an IRC client has. */
unsigned script_irc_kinds(void);

/**
 * Writes the lines of that kind, their words chosen by the script; newest is a number near those of
 * the messages there are. Returns: bytes written, with the end of the last line.
 */
size_t script_irc_lines(struct script *script, unsigned kind, uint64_t newest,
                        char ret[SCRIPT_LINE_MAX]);
size_t script_line_lines(struct script *script, unsigned kind, char ret[SCRIPT_LINE_MAX]);

/** A list of capabilities for CAP REQ. */
const char *script_caps(uint8_t choice);

#endif
