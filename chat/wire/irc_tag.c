/* SPDX-License-Identifier: MIT */
#include "wire/irc_tag.h"

#include <string.h>

/* Each byte that is escaped, and the letter that stands for it behind a backslash. */
static const char escaped_bytes[] = "; \\\r\n";
static const char escape_letters[] = ":s\\rn";

static bool is_key_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-';
}

/* The letter for a byte in one table by its place in the other; 0 when it has none. */
static char translate(char byte, const char *from, const char *to)
{
    const char *found = byte != '\0' ? strchr(from, byte) : NULL;
    return found ? to[found - from] : '\0';
}

/* Takes the tag at the start of tags off, empty ones as well. */
static struct irc_tag take_tag(struct irc_span *tags)
{
    const char *end = memchr(tags->text, ';', tags->len);
    size_t len = end ? (size_t)(end - tags->text) : tags->len;
    struct irc_tag tag = {.key = {tags->text, len}};
    const char *equals = len > 0 ? memchr(tags->text, '=', len) : NULL;
    if (equals) {
        tag.key.len = (size_t)(equals - tags->text);
        tag.value = (struct irc_span){equals + 1, len - tag.key.len - 1};
    }
    size_t taken = end ? len + 1 : len;
    tags->text += taken;
    tags->len -= taken;
    return tag;
}

static struct irc_tag *find_tag(struct irc_tag *tags, size_t count, struct irc_span key)
{
    for (size_t i = 0; i < count; i++) {
        if (tags[i].key.len == key.len && memcmp(tags[i].key.text, key.text, key.len) == 0) {
            return &tags[i];
        }
    }
    return NULL;
}

bool irc_tags_parse(struct irc_span tags, struct irc_tag *ret, size_t *ret_count)
{
    *ret_count = 0;
    while (tags.len > 0) {
        struct irc_tag tag = take_tag(&tags);
        if (!irc_tag_is_key(tag.key)) {
            continue;
        }
        struct irc_tag *earlier = find_tag(ret, *ret_count, tag.key);
        if (earlier) {
            *earlier = tag;
        } else if (*ret_count < IRC_TAGS_MAX) {
            ret[(*ret_count)++] = tag;
        } else {
            return false;
        }
    }
    return true;
}

struct irc_span irc_tags_find(struct irc_span tags, const char *key)
{
    struct irc_span value = {0};
    while (tags.len > 0) {
        struct irc_tag tag = take_tag(&tags);
        if (irc_span_is(tag.key, key)) {
            value = tag.value.text ? tag.value : irc_span("");
        }
    }
    return value;
}

bool irc_tag_is_key(struct irc_span key)
{
    if (irc_tag_is_client_only(key)) {
        key.text++;
        key.len--;
    }
    const char *slash = key.len > 0 ? memchr(key.text, '/', key.len) : NULL;
    size_t vendor_len = slash ? (size_t)(slash - key.text) : 0;
    if (slash && vendor_len == 0) {
        return false;
    }
    for (size_t i = 0; i < vendor_len; i++) {
        if (!is_key_byte(key.text[i]) && key.text[i] != '.') {
            return false;
        }
    }
    size_t name = slash ? vendor_len + 1 : 0;
    for (size_t i = name; i < key.len; i++) {
        if (!is_key_byte(key.text[i])) {
            return false;
        }
    }
    return name < key.len;
}

bool irc_tag_is_client_only(struct irc_span key)
{
    return key.len > 0 && key.text[0] == '+';
}

size_t irc_tag_unescape(struct irc_span value, char *ret)
{
    size_t written = 0;
    for (size_t i = 0; i < value.len; i++) {
        char byte = value.text[i];
        if (byte == '\\') {
            if (++i == value.len) {
                break;
            }
            char meant = translate(value.text[i], escape_letters, escaped_bytes);
            byte = meant ? meant : value.text[i];
        }
        ret[written++] = byte;
    }
    return written;
}

size_t irc_tag_escape(struct irc_span value, char *ret)
{
    size_t written = 0;
    for (size_t i = 0; i < value.len; i++) {
        char letter = translate(value.text[i], escaped_bytes, escape_letters);
        if (letter) {
            ret[written++] = '\\';
        }
        ret[written++] = letter ? letter : value.text[i];
    }
    return written;
}
