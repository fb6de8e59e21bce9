/* SPDX-License-Identifier: MIT */
#include "wire/irc_message.h"

#include <string.h>
#include <strings.h>

#define NUMERIC_DIGITS 3

/* What is left of a line. */
struct rest {
    const char *text;
    size_t len;
};

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static void skip(struct rest *rest, size_t len)
{
    rest->text += len;
    rest->len -= len;
}

static void skip_spaces(struct rest *rest)
{
    while (rest->len > 0 && rest->text[0] == ' ') {
        skip(rest, 1);
    }
}

/* Takes the bytes up to the next space, and the spaces behind them. */
static struct irc_span take_word(struct rest *rest)
{
    const char *space = memchr(rest->text, ' ', rest->len);
    struct irc_span word = {rest->text, space ? (size_t)(space - rest->text) : rest->len};
    skip(rest, word.len);
    skip_spaces(rest);
    return word;
}

/* A part that a mark announces; absent when the mark is not there. */
static struct irc_span take_marked(struct rest *rest, char mark)
{
    if (rest->len == 0 || rest->text[0] != mark) {
        return (struct irc_span){0};
    }
    skip(rest, 1);
    return take_word(rest);
}

static struct irc_span take_param(struct rest *rest, bool is_last)
{
    bool is_trailing = rest->text[0] == ':';
    if (!is_trailing && !is_last) {
        return take_word(rest);
    }
    skip(rest, is_trailing ? 1 : 0);
    struct irc_span param = {rest->text, rest->len};
    skip(rest, rest->len);
    return param;
}

struct irc_span irc_span(const char *text)
{
    return (struct irc_span){text, strlen(text)};
}

bool irc_span_is(struct irc_span span, const char *text)
{
    return span.text && strlen(text) == span.len && memcmp(span.text, text, span.len) == 0;
}

bool irc_span_is_nocase(struct irc_span span, const char *text)
{
    /* The process keeps the C locale, in which only the letters of ASCII have cases. */
    return span.text && strlen(text) == span.len && strncasecmp(span.text, text, span.len) == 0;
}

bool irc_span_breaks_line(struct irc_span span)
{
    if (span.len == 0) {
        return false;
    }
    return memchr(span.text, '\n', span.len) || memchr(span.text, '\r', span.len) ||
           memchr(span.text, '\0', span.len);
}

bool irc_span_is_middle(struct irc_span span)
{
    return span.len > 0 && span.text[0] != ':' && !memchr(span.text, ' ', span.len);
}

enum irc_message_fault irc_message_parse(const char *line, size_t len,
                                         struct irc_message *ret_message)
{
    *ret_message = (struct irc_message){0};
    if (irc_span_breaks_line((struct irc_span){line, len})) {
        return IRC_MESSAGE_BREAKS;
    }
    struct rest rest = {line, len};
    skip_spaces(&rest);
    if (rest.len == 0) {
        return IRC_MESSAGE_EMPTY;
    }
    struct irc_span tags = take_marked(&rest, '@');
    struct irc_span source = take_marked(&rest, ':');
    if (rest.len == 0) {
        return IRC_MESSAGE_NO_COMMAND;
    }
    ret_message->tags = tags;
    ret_message->source = source;
    ret_message->command = take_word(&rest);
    while (rest.len > 0) {
        bool is_last = ret_message->param_count == IRC_PARAMS_MAX - 1;
        ret_message->params[ret_message->param_count++] = take_param(&rest, is_last);
    }
    return irc_message_is_command(ret_message->command) ? IRC_MESSAGE_OK : IRC_MESSAGE_BAD_COMMAND;
}

bool irc_message_is_command(struct irc_span command)
{
    size_t letters = 0;
    size_t digits = 0;
    for (size_t i = 0; i < command.len; i++) {
        letters += is_letter(command.text[i]);
        digits += is_digit(command.text[i]);
    }
    return (letters == command.len && letters > 0) ||
           (digits == NUMERIC_DIGITS && command.len == NUMERIC_DIGITS);
}

struct irc_source irc_source_parse(struct irc_span source)
{
    struct irc_source ret = {.nick = source};
    const char *at = source.text ? memrchr(source.text, '@', source.len) : NULL;
    if (at) {
        size_t before = (size_t)(at - source.text);
        ret.host = (struct irc_span){at + 1, source.len - before - 1};
        ret.nick.len = before;
    }
    const char *mark = ret.nick.len > 0 ? memchr(source.text, '!', ret.nick.len) : NULL;
    if (mark) {
        size_t before = (size_t)(mark - source.text);
        ret.user = (struct irc_span){mark + 1, ret.nick.len - before - 1};
        ret.nick.len = before;
    }
    return ret;
}
