/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_SKELETON_H
#define CHAT_CORE_SKELETON_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Which names look alike: UTS 39, section 4. Two names do when their skeletons are the same, case
 * apart.
 *
 * Names of ASCII alone are what most people can read and type, and many of them have one skeleton
 * ("rnike" and "mike", "guest1" and "guestl"): two of them count as alike only when they differ in
 * nothing but the characters RFC 1459 took for upper and lower case of each other, {}| and []\, as
 * some clients still do. To that end the skeletons here hold [ for {, ] for } and l (as for |) for
 * \.
 */

/**
 * The skeleton of a folded name, in fresh memory that the caller frees. NULL when the name is not
 * UTF-8, and when it is its own skeleton (ret_len is len then).
 */
char *skeleton_make(const char *folded, size_t len, size_t *ret_len);

/**
 * The skeleton of a name as it is written, in fresh memory that the caller frees; NULL when the
 * name is not UTF-8. Capitals look like other letters than their small ones do (Cyrillic U+0412
 * like B, U+0432 like none), so what is folded is the skeleton, and made a skeleton once more. I
 * looks like l: that its small letter be held against neither, i and l are one here.
 */
char *skeleton_of_name(const char *name, size_t len, size_t *ret_len);

/** Whether two folded names of the same skeleton count as alike. */
bool skeleton_counts(const char *a, size_t a_len, const char *b, size_t b_len);

#endif
