/* SPDX-License-Identifier: MIT */
#ifndef CHAT_BASE_XALLOC_H
#define CHAT_BASE_XALLOC_H

#include <stddef.h>

/*
 * Memory for chat/ and bin/: without memory the process ends with a message. Whatever a peer can
 * make grow has a limit that is checked before.
 */

/** n zeroed items of size bytes; the product is checked. Never NULL. */
void *xcalloc(size_t n, size_t size);
/** size bytes, not zeroed. Never NULL. */
void *xmalloc(size_t size);
/** realloc(3) to n items of size bytes; the product is checked. Never NULL. */
void *xreallocarray(void *old, size_t n, size_t size);
/** A copy of len bytes with a NUL behind them. Never NULL. */
char *xmemdup0(const void *bytes, size_t len);

/** Wipes len bytes and frees them, since they may be a password. NULL is accepted. */
void xfree_wiped(void *memory, size_t len);
/** The same for a string, up to its NUL. */
void xfree_wiped_string(char *string);
/** A block of size bytes that begins with the first len of old, which is wiped and freed. */
void *xgrow_wiped(void *old, size_t len, size_t size);

#endif
