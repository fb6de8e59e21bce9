/* SPDX-License-Identifier: MIT */
#include "wire/irc_name.h"

#include <string.h>

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Whether a byte of the span is in the set; NUL counts as one of the set. */
static bool has_any(struct irc_span span, const char *set)
{
    for (size_t i = 0; i < span.len; i++) {
        if (span.text[i] == '\0' || strchr(set, span.text[i])) {
            return true;
        }
    }
    return false;
}

bool irc_name_next(struct irc_span *list, struct irc_span *ret_item)
{
    while (list->len > 0) {
        const char *comma = memchr(list->text, ',', list->len);
        struct irc_span item = {list->text, comma ? (size_t)(comma - list->text) : list->len};
        size_t taken = comma ? item.len + 1 : item.len;
        list->text += taken;
        list->len -= taken;
        if (item.len > 0) {
            *ret_item = item;
            return true;
        }
    }
    return false;
}

bool irc_name_is_channel(struct irc_span name)
{
    return name.len > 1 && name.text[0] == IRC_CHANNEL_TYPE && !has_any(name, " ,\a\r\n");
}

bool irc_name_is_nick(struct irc_span name)
{
    if (name.len == 0 || is_digit(name.text[0]) || has_any(name, " ,*?!@\r\n")) {
        return false;
    }
    return !strchr(":#&$~%+-", name.text[0]);
}

bool irc_name_is_key(struct irc_span key)
{
    for (size_t i = 0; i < key.len; i++) {
        unsigned char byte = (unsigned char)key.text[i];
        if (byte <= ' ' || byte == 0x7f || byte == ',') {
            return false;
        }
    }
    return irc_span_is_middle(key);
}

struct irc_target irc_target_parse(struct irc_span target, const char *prefixes)
{
    struct irc_target ret = {.name = target};
    struct irc_span marks = irc_name_take_prefixes(&ret.name, prefixes);
    if (irc_name_is_channel(ret.name)) {
        ret.kind = marks.len > 0 ? IRC_TARGET_STATUS : IRC_TARGET_CHANNEL;
        const char *lowest = prefixes;
        for (size_t i = 0; i < marks.len; i++) {
            const char *place = strchr(prefixes, marks.text[i]);
            lowest = place > lowest ? place : lowest;
        }
        ret.prefix = marks.len > 0 ? *lowest : '\0';
    } else if (marks.len == 0 && irc_name_is_nick(ret.name)) {
        ret.kind = IRC_TARGET_NICK;
    }
    return ret;
}

struct irc_span irc_name_take_prefixes(struct irc_span *name, const char *prefixes)
{
    size_t len = 0;
    while (len < name->len && name->text[len] != '\0' && strchr(prefixes, name->text[len])) {
        len++;
    }
    struct irc_span taken = {name->text, len};
    if (len > 0) {
        name->text += len;
        name->len -= len;
    }
    return taken;
}

size_t irc_name_clean_user(struct irc_span user, size_t max, char *ret)
{
    size_t written = 0;
    for (size_t i = 0; i < user.len && written < max; i++) {
        char byte = user.text[i];
        bool is_word = is_letter(byte) || is_digit(byte) || byte == '_';
        if (is_word || (written > 0 && (byte == '-' || byte == '.'))) {
            ret[written++] = byte;
        }
    }
    return written;
}

size_t irc_name_write_host(struct irc_span host, char *ret)
{
    size_t zero = host.len > 0 && host.text[0] == ':' ? 1 : 0;
    if (zero > 0) {
        ret[0] = '0';
    }
    if (host.len > 0) {
        memcpy(ret + zero, host.text, host.len);
    }
    return zero + host.len;
}
