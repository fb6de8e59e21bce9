/* SPDX-License-Identifier: MIT */
#include "witness_line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/irc/cap.h"
#include "wire/irc_splitter.h"
#include "wire/text.h"

static const char *const cap_names[] = {
#define CAP_NAME(name, wire) wire,
    IRC_CAPS(CAP_NAME)
#undef CAP_NAME
};

uint32_t witness_cap(struct irc_span name)
{
    for (size_t i = 0; i < IRC_CAP_INDEX_COUNT; i++) {
        if (irc_span_is(name, cap_names[i])) {
            return UINT32_C(1) << i;
        }
    }
    return 0;
}

bool witness_number(struct irc_span text, char letter, unsigned *ret_number)
{
    unsigned number = 0;
    if (text.len < 2 || text.len > 6 || text.text[0] != letter) {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (text.text[i] < '0' || text.text[i] > '9') {
            return false;
        }
        number = number * 10 + (unsigned)(text.text[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* The capabilities, all of them, that a client has who is sent this tag. */
static uint32_t caps_of_tag(struct irc_span key)
{
    static const struct {
        const char *key;
        uint32_t caps;
    } tags[] = {
        {"time", IRC_CAP(SERVER_TIME)},
        {"msgid", IRC_CAP(MESSAGE_TAGS)},
        {"bot", IRC_CAP(MESSAGE_TAGS)},
        {"account", IRC_CAP(ACCOUNT_TAG)},
        {"batch", IRC_CAP(BATCH)},
        {"label", IRC_CAP(LABELED_RESPONSE)},
        {"draft/multiline-concat", IRC_CAP(BATCH) | IRC_CAP(MULTILINE)},
    };
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (irc_span_is(key, tags[i].key)) {
            return tags[i].caps;
        }
    }
    return irc_tag_is_client_only(key) ? IRC_CAP(MESSAGE_TAGS) : UINT32_MAX;
}

static const char *tags_fault(struct irc_span tags, uint32_t caps)
{
    const char *at = tags.text, *end = tags.text + tags.len;
    while (at < end) {
        const char *semicolon = memchr(at, ';', (size_t)(end - at));
        const char *stop = semicolon ? semicolon : end;
        const char *equals = memchr(at, '=', (size_t)(stop - at));
        struct irc_span key = {at, (size_t)((equals ? equals : stop) - at)};
        uint32_t needed = caps_of_tag(key);
        if (!irc_tag_is_key(key)) {
            return "a tag's key is one by the grammar";
        }
        if ((caps & needed) != needed) {
            return "it has no tag the client's capabilities do not allow";
        }
        at = stop + 1;
    }
    return tags.len > 0 ? NULL : "where there is '@' there is a tag";
}

const char *witness_line_fault(const char *text, size_t len, uint32_t caps,
                               struct irc_message *ret_message)
{
    if (len == 0 || text[len - 1] != '\r') {
        return "a line ends with CR LF";
    }
    len--;
    if (memchr(text, '\r', len) || memchr(text, '\0', len)) {
        return "there is no CR or NUL inside a line";
    }
    if (!text_is_utf8(text, len)) {
        return "it is UTF-8";
    }
    const char *space = text[0] == '@' ? memchr(text, ' ', len) : NULL;
    size_t tags_len = space ? (size_t)(space - text) + 1 : 0;
    if (tags_len > IRC_TAGS_MAX_BYTES || len - tags_len + 2 > IRC_BODY_MAX_BYTES) {
        return "it is no longer than a line may be";
    }
    if (irc_message_parse(text, len, ret_message) != IRC_MESSAGE_OK) {
        return "it is a message by the grammar";
    }
    return ret_message->tags.text ? tags_fault(ret_message->tags, caps) : NULL;
}

_Noreturn void witness_fail(const char *file, int line, const char *what, const char *nick,
                            const char *text, size_t len)
{
    (void)fprintf(stderr, "%s:%d: broken: %s\n  to '%s': %.*s\n", file, line, what, nick, (int)len,
                  text);
    abort();
}
