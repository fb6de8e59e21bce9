/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_TEST_UTIL_H
#define CHAT_WIRE_IRC_TEST_UTIL_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/irc_message.h"

/*
 * What a parser made of a line, as text that tests compare and people read:
 *
 *   @{tags} :{source} COMMAND [first][second]
 *
 * A fault comes first: "empty", "breaks", "no-command", "bad-command". NUL, CR, LF, DEL and what is
 * not ASCII are written \xx. The text is cut where it does not fit.
 */

struct irc_dump {
    char text[4096];
    size_t len;
};

static inline void irc_dump_add(struct irc_dump *dump, struct irc_span span)
{
    for (size_t i = 0; i < span.len && dump->len + 4 < sizeof(dump->text); i++) {
        unsigned char byte = (unsigned char)span.text[i];
        char *to = dump->text + dump->len;
        if (byte >= 0x20 && byte < 0x7f) {
            *to = span.text[i];
            dump->len++;
        } else {
            dump->len += (size_t)snprintf(to, 4, "\\%02x", byte);
        }
    }
    dump->text[dump->len] = '\0';
}

static inline void irc_dump_part(struct irc_dump *dump, const char *before, struct irc_span span,
                                 const char *after)
{
    if (span.text) {
        irc_dump_add(dump, irc_span(before));
        irc_dump_add(dump, span);
        irc_dump_add(dump, irc_span(after));
    }
}

static inline void irc_dump_message(struct irc_dump *dump, enum irc_message_fault fault,
                                    const struct irc_message *message)
{
    static const char *const faults[] = {"", "empty", "breaks", "no-command", "bad-command "};
    dump->len = 0;
    irc_dump_add(dump, irc_span(faults[fault]));
    irc_dump_part(dump, "@{", message->tags, "} ");
    irc_dump_part(dump, ":{", message->source, "} ");
    irc_dump_part(dump, "", message->command, message->param_count > 0 ? " " : "");
    for (size_t i = 0; i < message->param_count; i++) {
        irc_dump_part(dump, "[", message->params[i], "]");
    }
}

/* A copy that ends where its memory ends, so that a sanitizer sees a read behind it. */
static inline char *irc_test_copy(const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, bytes, len);
    return copy;
}

static inline uint32_t irc_test_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

#endif
