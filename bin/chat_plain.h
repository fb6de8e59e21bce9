/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_PLAIN_H
#define BIN_CHAT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chat_clock.h"
#include "chat_link.h"
#include "chat_options.h"

/*
 * For pipes: what both protocols share. One line after the other: the next one is sent when the
 * server has shown the last one to the room or refused it, so that a refusal is known to be of this
 * line, and the exit status can be believed.
 *
 * Threads: one.
 */

struct chat_plain;

/* One protocol. Each function gets what create returned. */
struct chat_plain_ops {
    void *(*create)(struct chat_plain *plain);
    void (*destroy)(void *session);
    void (*on_open)(void *session);
    void (*on_line)(const char *text, size_t len, void *session);
    void (*on_bytes)(const char *bytes, size_t len, void *session);
    /** The connection is gone. */
    void (*on_closed)(const char *cause, void *session);
    /** Whether name and room are there, and it is not on its way out. */
    bool (*is_entered)(const void *session);
    /** Whether the next line may be sent. */
    bool (*is_ready)(const void *session);
    /** Sends a clean line, which is not empty and does not leave. */
    void (*submit)(const char *typed, void *session);
    /** Everything was sent. */
    void (*leave)(void *session);
    /** plain->deadline_ms has come. */
    void (*on_deadline)(void *session);
    /** When tick is to be called; -1: never. */
    int64_t (*next_ms)(const void *session);
    void (*tick)(void *session);
};

extern const struct chat_plain_ops chat_plain_line_ops;
extern const struct chat_plain_ops chat_plain_irc_ops;

/* A line one byte too long must be seen to be so. */
#define CHAT_INPUT_MAX_BYTES (CHAT_TYPED_MAX_BYTES + 2)

struct chat_plain {
    const struct chat_options *options;
    struct chat_link link;
    const struct chat_plain_ops *ops; /* NULL before the connection */
    void *session;
    int64_t deadline_ms; /* for what is waited for; -1: nothing is */
    char input[CHAT_INPUT_MAX_BYTES];
    size_t input_len;
    unsigned long line_number;
    bool input_ended, skipping; /* skipping: the rest of a line that was too long */
    bool failed, over;
    int signals;
};

/** Complains, and makes the exit status 1; it goes on unless the connection is gone. */
void chat_plain_fail(struct chat_plain *plain, const char *format, ...) PARTY_PRINTF(2, 3);
/** Ends with exit status 1. */
void chat_plain_give_up(struct chat_plain *plain);
/** Writes a line to standard output. */
void chat_plain_print(struct chat_plain *plain, const char *text, size_t len);

#endif
