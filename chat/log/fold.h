/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_FOLD_H
#define CHAT_LOG_FOLD_H

#include <stddef.h>
#include <stdint.h>

/*
 * Texts in the form in which they are compared: Unicode NFKC_Casefold, so that case, full-width
 * forms and the ways to write an accent make no difference. What is not UTF-8 is compared byte by
 * byte with ASCII case folded.
 */

/* The memory of the last result, used again by the next one. Zeroed it is empty. */
struct fold {
    int32_t *room; /* bytes of the result, or code points on the way to it */
    size_t cap;    /* of room, in items */
};

/** Frees the memory. */
void fold_finish(struct fold *fold);

/**
 * Folds len bytes of text. Returns: the folded text, *ret_len bytes, ended by a NUL.
 * Owns: borrowed from fold until its next use.
 */
const char *fold_text(struct fold *fold, const char *text, size_t len, size_t *ret_len);

/** The same without the shortcuts for common scripts, for tests. */
const char *fold_text_slowly(struct fold *fold, const char *text, size_t len, size_t *ret_len);

#endif
