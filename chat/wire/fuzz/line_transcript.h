/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_FUZZ_LINE_TRANSCRIPT_H
#define CHAT_WIRE_FUZZ_LINE_TRANSCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/line.h"

/*
 * What a line decoder said, as text: one row per call, so that two runs are compared with strcmp
 * and a difference can be read.
 *
 *   line "abc"      long      not-utf8      answer ff fc 01      ayt
 *
 * Bytes that are not printable ASCII, '"' and '\' are written \xx. The transcript stops the decoder
 * at each line when stop_each is set.
 */

struct line_transcript {
    char *text; /* NULL while empty; ended by a NUL */
    size_t len, cap;
    size_t lines;
    bool stop_each;
};

static inline void transcript_add(struct line_transcript *log, const char *text, size_t len)
{
    if (log->cap - log->len < len + 1) {
        log->cap = (log->len + len + 1) * 2;
        log->text = realloc(log->text, log->cap);
        if (!log->text) {
            abort();
        }
    }
    memcpy(log->text + log->len, text, len);
    log->len += len;
    log->text[log->len] = '\0';
}

static inline void transcript_add_hex(struct line_transcript *log, char mark, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    const char text[] = {mark, digits[byte >> 4], digits[byte & 15]};
    transcript_add(log, text, sizeof(text));
}

static inline void transcript_puts(struct line_transcript *log, const char *text)
{
    transcript_add(log, text, strlen(text));
}

static inline bool transcript_on_line(enum line_fault fault, const char *line, size_t len,
                                      void *user)
{
    struct line_transcript *log = user;
    log->lines++;
    if (fault != LINE_OK) {
        transcript_puts(log, fault == LINE_TOO_LONG ? "long" : "not-utf8");
        transcript_puts(log, len == 0 ? "\n" : " but not empty\n");
        return !log->stop_each;
    }
    transcript_puts(log, "line \"");
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)line[i];
        if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
            transcript_add(log, line + i, 1);
        } else {
            transcript_add_hex(log, '\\', byte);
        }
    }
    transcript_puts(log, "\"\n");
    return !log->stop_each;
}

static inline void transcript_on_answer(const uint8_t *bytes, size_t len, void *user)
{
    transcript_puts(user, "answer");
    for (size_t i = 0; i < len; i++) {
        transcript_add_hex(user, ' ', bytes[i]);
    }
    transcript_puts(user, "\n");
}

static inline void transcript_on_are_you_there(void *user)
{
    transcript_puts(user, "ayt\n");
}

static const struct line_sink transcript_sink = {
    .on_line = transcript_on_line,
    .on_answer = transcript_on_answer,
    .on_are_you_there = transcript_on_are_you_there,
};

static inline const char *transcript_text(const struct line_transcript *log)
{
    return log->text ? log->text : "";
}

static inline void transcript_finish(struct line_transcript *log)
{
    free(log->text);
    *log = (struct line_transcript){0};
}

#endif
