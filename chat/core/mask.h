/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_MASK_H
#define CHAT_CORE_MASK_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Masks: "nick!user@host" and other names with '*' for any characters and '?' for just one. A
 * backslash before '*' or '?' takes their meaning away (Modern IRC, "Wildcard Expressions");
 * elsewhere it stands for itself, as it may be in a nick.
 *
 *   struct mask mask;
 *   if (mask_init(&mask, "*!*@Example.*", 13)) {
 *       bool banned = mask_matches(&mask, folded, folded_len);
 *       mask_finish(&mask);
 *   }
 *
 * Upper and lower case are the same by the folding of names (name_fold of name.h). The mask is
 * folded once, what it is held against is folded by the caller, once for all masks. '?' stands for
 * one character of the folded text.
 *
 * Time: at most the product of both lengths, whatever the mask; in practice their sum.
 */

struct mask {
    char *bytes; /* folded, wildcards as bytes that UTF-8 does not have; NULL while not init */
    size_t len;
};

/**
 * Makes a mask ready to match. Runs of wildcards are brought into a shortest form.
 * Returns: false when the mask is not UTF-8; there is nothing to finish then.
 * Owns: mask its memory until mask_finish; text is borrowed for the call.
 */
bool mask_init(struct mask *mask, const char *text, size_t len);
/** Frees the memory. A zeroed mask is accepted. */
void mask_finish(struct mask *mask);

/** Whether the mask matches all of a text that was folded as the mask was. */
bool mask_matches(const struct mask *mask, const char *folded, size_t len);

/**
 * Brings what a user writes for a mask into the form nick!user@host: "dan" is dan!*@*, "u@h" is
 * *!u@h, "n!u" is n!u@*, a part without bytes is '*', and what has no mark but a '.' or ':' is a
 * host. Extended masks are not for this function.
 * Returns: bytes written to ret; 0 when text is empty, holds a space, NUL, CR or LF, or the result
 *   has more than cap bytes.
 */
size_t mask_complete(const char *text, size_t len, char *ret, size_t cap);

#endif
