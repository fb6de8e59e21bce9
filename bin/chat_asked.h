/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_ASKED_H
#define BIN_CHAT_ASKED_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The questions to which the server owes an answer, oldest first: each is the client's own, whose
 * answer is not shown, or one that was typed. Answers come in the order of the questions.
 */
#define CHAT_ASKED_MAX 64u

struct chat_asked {
    uint64_t own; /* bit n: question n is the client's own; 0 is the oldest */
    unsigned count;
};

/** A question was sent. Returns: false when there is no room for it, and it must not be sent. */
bool chat_asked_add(struct chat_asked *asked, bool own);

/** An answer has come. Returns: whether it is that to a question of the client's own. */
bool chat_asked_take(struct chat_asked *asked);

#endif
