/* SPDX-License-Identifier: MIT */
#include "chat_probe.h"

#include <string.h>

#include "wire/irc_message.h"
#include "wire/irc_splitter.h"

/* What servers say to a client that has not said anything yet, or has asked for capabilities. */
static bool is_first_word(struct irc_span command)
{
    static const char *const words[] = {"NOTICE", "PING", "ERROR", "CAP", "AUTHENTICATE"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (irc_span_is(command, words[i])) {
            return true;
        }
    }
    return command.len == 3 && command.text[0] >= '0' && command.text[0] <= '9';
}

/* The line has no end yet when len is IRC_MESSAGE_MAX_BYTES. */
static enum chat_probe_result judge(const char *line, size_t len)
{
    static const char refusal[] = "IRC is not spoken here";
    struct irc_message message;
    if (irc_message_parse(line, len, &message) != IRC_MESSAGE_OK ||
        (!message.source.text && !message.tags.text && !is_first_word(message.command))) {
        return CHAT_PROBE_LINE;
    }
    if (irc_span_is(message.command, "ERROR") && message.param_count > 0 &&
        message.params[0].len >= sizeof refusal - 1 &&
        memcmp(message.params[0].text, refusal, sizeof refusal - 1) == 0) {
        return CHAT_PROBE_REFUSED;
    }
    return CHAT_PROBE_IRC;
}

enum chat_probe_result chat_probe(const char *bytes, size_t len)
{
    size_t from = 0;
    while (from < len && (bytes[from] == '\r' || bytes[from] == '\n')) {
        from++;
    }
    if (from == len) {
        return CHAT_PROBE_UNDECIDED;
    }
    const char *line = bytes + from;
    size_t rest = len - from;
    if (line[0] == '*') {
        return CHAT_PROBE_LINE; /* "*** ": no message of IRC begins so */
    }
    const char *end = memchr(line, '\n', rest);
    if (!end && rest < IRC_MESSAGE_MAX_BYTES) {
        return CHAT_PROBE_UNDECIDED;
    }
    size_t line_len = end ? (size_t)(end - line) : rest;
    if (line_len > 0 && line[line_len - 1] == '\r') {
        line_len--;
    }
    return judge(line, line_len);
}
