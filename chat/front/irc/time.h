/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_TIME_H
#define CHAT_FRONT_IRC_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/irc_message.h"

/**
 * Reads a time as IRCv3 writes it, "2026-11-20T12:31:07.123Z": the fraction may have one to nine
 * digits, or be missing with its dot. Returns: false when it is none.
 */
bool irc_parse_time(struct irc_span text, int64_t *ret_ms);

#endif
