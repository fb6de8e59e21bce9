/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_IRC_TAG_H
#define CHAT_WIRE_IRC_TAG_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/irc_message.h"

/*
 * The tags of a message (IRCv3 message-tags): key[=value];key[=value]...
 *
 * A key is an opaque name: "time", "example.com/name", "+draft/reply". A value is escaped: \: for
 * ';', \s for a space, \\, \r and \n; a backslash before another byte is left out, and so is one at
 * the end. No value and an empty one mean the same. No I/O, no state, no memory.
 */

/** Different keys in one message. 15 are many. */
#define IRC_TAGS_MAX 128

struct irc_tag {
    struct irc_span key;
    struct irc_span value; /* as it came, escaped; absent when there was no '=' */
};

/**
 * Takes the tags of a message apart. Of a key that comes more than once the last one stands, in the
 * place of the first. Keys that are none by the grammar, empty ones among them, are left out. ret
 * has room for IRC_TAGS_MAX.
 * Returns: false when there are more keys; ret holds the first ones then.
 */
bool irc_tags_parse(struct irc_span tags, struct irc_tag *ret, size_t *ret_count);

/** The value of one key, the last when there are several; absent when there is none, "" when the
 * key stands alone. */
struct irc_span irc_tags_find(struct irc_span tags, const char *key);

/** Whether it is a key: ['+'] [vendor '/'] and letters, digits and '-'; a vendor has '.' too. */
bool irc_tag_is_key(struct irc_span key);
/** Whether the key is for clients only ('+'): servers hand it on as it is. */
bool irc_tag_is_client_only(struct irc_span key);

/** Unescapes a value. ret has room for value.len bytes. Returns: bytes written. */
size_t irc_tag_unescape(struct irc_span value, char *ret);
/** Escapes a value. ret has room for 2 * value.len bytes. Returns: bytes written. */
size_t irc_tag_escape(struct irc_span value, char *ret);

#endif
