/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_MASK_H
#define CHAT_WIRE_IRC_MASK_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/irc_message.h"

/*
 * Masks: "nick!user@host" and other names with '*' for any characters and '?' for just one. A
 * backslash before '*' or '?' takes their meaning away (Modern IRC, "Wildcard Expressions");
 * elsewhere it stands for itself, as it may be in a nick.
 *
 *   struct irc_mask mask;
 *   if (irc_mask_init(&mask, irc_span("*!*@Example.*"), name_fold)) {
 *       bool banned = irc_mask_matches(&mask, folded, folded_len);
 *       irc_mask_finish(&mask);
 *   }
 *
 * Upper and lower case are the same by the folding that is handed in: the hub's. The mask is folded
 * once, what it is held against is folded by the caller, once for all masks. '?' stands for one
 * character of the folded text.
 *
 * Time: at most the product of both lengths, whatever the mask; in practice their sum.
 */

/** Folds UTF-8 text into fresh memory; NULL when it is not UTF-8: name_fold of core/name.h. */
typedef char *(*irc_fold_fn)(const char *text, size_t len, size_t *ret_len);

struct irc_mask {
    char *bytes; /* folded, wildcards as bytes that UTF-8 does not have; NULL while not init */
    size_t len;
};

/**
 * Makes a mask ready to match. Runs of wildcards are brought into a shortest form.
 * Returns: false when the mask is not UTF-8; there is nothing to finish then.
 * Owns: mask its memory until irc_mask_finish; text is borrowed for the call.
 */
bool irc_mask_init(struct irc_mask *mask, struct irc_span text, irc_fold_fn fold);
/** Frees the memory. A zeroed mask is accepted. */
void irc_mask_finish(struct irc_mask *mask);

/** Whether the mask matches all of a text that was folded as the mask was. */
bool irc_mask_matches(const struct irc_mask *mask, const char *folded, size_t len);

/**
 * Brings what a user writes for a mask into the form nick!user@host: "dan" is dan!*@*, "u@h" is
 * *!u@h, "n!u" is n!u@*, a part without bytes is '*', and what has no mark but a '.' or ':' is a
 * host. Extended masks are not for this function.
 * Returns: bytes written to ret; 0 when text is empty, holds a space, NUL, CR or LF, or the result
 *   has more than cap bytes.
 */
size_t irc_mask_complete(struct irc_span text, char *ret, size_t cap);

#endif
