/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_NAME_H
#define CHAT_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Names of users and rooms: which are allowed, and which are the same.
 *
 * A name is UTF-8 in NFC: letters, marks and digits of any script, and - _ . [ ] \ ` ^ { | }; no
 * white space, control or format characters, none of the characters that mean something in a line
 * of chat or IRC (# & : , * ? ! @ $ ~ + % / < > " ' ( ) = ;). A user's name has no '.' in it, which
 * only names of servers have, and does not start with a digit (ASCII) or '-'. A room's name may
 * have and start with any of them; a leading '#' is not part of it (name_room strips one), so that
 * "#lobby" and "lobby" are one room.
 *
 * Letters and marks that show nothing or vanish when folded (Hangul fillers, variation selectors)
 * are refused, and a mark at the start.
 *
 * Two names are the same when their folded forms are: Unicode NFKC_Casefold (UAX 31).
 */

enum name_fault { NAME_OK, NAME_EMPTY, NAME_LONG, NAME_BAD };

/**
 * Checks a user's name of len bytes and normalises it to NFC into ret_name (cap at least max_bytes
 * + 1, ended by a NUL). max_bytes is measured after the normalisation.
 */
enum name_fault name_user(const char *name, size_t len, size_t max_bytes, char *ret_name,
                          size_t *ret_len);

/** The same for a room's name; one leading '#' is stripped. */
enum name_fault name_room(const char *name, size_t len, size_t max_bytes, char *ret_name,
                          size_t *ret_len);

/**
 * The folded form of a checked name, in fresh memory that the caller frees; its length in
 * ret_len. NULL when it is not UTF-8.
 */
char *name_fold(const char *name, size_t len, size_t *ret_len);

#endif
