/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_TEXT_H
#define CHAT_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Text from and for people: is it UTF-8, and what of it may reach another person's terminal.
 * No I/O, no state.
 */

/**
 * Whether the bytes are UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above
 * U+10FFFF. Fast for ASCII (eight bytes at a time).
 */
bool text_is_utf8(const char *text, size_t len);

/**
 * Whether the text holds nothing that text_clean would change: the usual case, decided quickly.
 */
bool text_is_clean(const char *text, size_t len);

/**
 * Copies UTF-8 text without what could act on a terminal or on the layout of other people's lines:
 * C0 and C1 control characters and DEL are left out, with the mIRC formatting codes (among them
 * colour numbers after 0x03 and 0x04); a tab becomes a space; U+2028 and U+2029 become a space; the
 * bidirectional controls U+202A..U+202E and U+2066..U+2069 are left out. Bytes that are not UTF-8
 * become U+FFFD each.
 * ret has room for 3 * len bytes; the result is no NUL-ended string.
 * Returns: bytes written to ret.
 */
size_t text_clean(const char *text, size_t len, char *ret);

/** The length of text cut to at most max bytes without cutting into a character. */
size_t text_cut(const char *text, size_t len, size_t max);

#endif
