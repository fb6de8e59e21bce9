/* SPDX-License-Identifier: MIT */
#include "wire/irc_writer.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "wire/irc_tag.h"
#include "wire/text.h"

#define CR_LF_BYTES 2

static void put_byte(struct irc_writer *writer, char byte)
{
    writer->bytes[writer->len++] = byte;
}

static void put_span(struct irc_writer *writer, struct irc_span span)
{
    if (span.len > 0) {
        memcpy(writer->bytes + writer->len, span.text, span.len);
        writer->len += span.len;
    }
}

/* The first part behind the tags ends them with a space. */
static void close_tags(struct irc_writer *writer)
{
    if (writer->tags_len > 0 && !writer->has_source && !writer->has_command) {
        put_byte(writer, ' ');
        writer->tags_len++;
    }
}

/* How many bytes a value takes with '='; 0 for none. */
static size_t value_size(struct irc_span value, bool is_raw)
{
    size_t size = value.len > 0 ? 1 + value.len : 0;
    for (size_t i = 0; !is_raw && i < value.len; i++) {
        size += value.text[i] != '\0' && strchr("; \\\r\n", value.text[i]);
    }
    return size;
}

static bool put_tag(struct irc_writer *writer, struct irc_span key, struct irc_span value,
                    bool is_raw)
{
    /* '@' or ';' goes before the tag, and the space behind them all must fit, too. */
    size_t want = 1 + key.len + value_size(value, is_raw);
    if (writer->has_source || writer->has_command || !irc_tag_is_key(key) ||
        (value.len > 0 && memchr(value.text, '\0', value.len)) ||
        writer->tags_len + want + 1 > writer->max_tags) {
        return false;
    }
    put_byte(writer, writer->tags_len == 0 ? '@' : ';');
    put_span(writer, key);
    if (value.len > 0) {
        put_byte(writer, '=');
        if (is_raw) {
            put_span(writer, value);
        } else {
            writer->len += irc_tag_escape(value, writer->bytes + writer->len);
        }
    }
    writer->tags_len = writer->len;
    return true;
}

/* Opens a parameter: false, and the message is refused, when one of len bytes cannot be put. */
static bool may_put_param(struct irc_writer *writer, size_t len)
{
    bool good = writer->has_command && !writer->is_closed && writer->param_count < IRC_PARAMS_MAX &&
                1 + len <= irc_writer_room(writer);
    writer->is_refused |= !good;
    return good;
}

static void put_checked_param(struct irc_writer *writer, struct irc_span param)
{
    bool is_last = !irc_span_is_middle(param);
    if (!may_put_param(writer, param.len + (is_last ? 1 : 0))) {
        return;
    }
    put_byte(writer, ' ');
    if (is_last) {
        put_byte(writer, ':');
        writer->is_closed = true;
    }
    put_span(writer, param);
    writer->param_count++;
}

void irc_writer_init(struct irc_writer *writer, size_t max_tags)
{
    assert(max_tags <= IRC_TAGS_MAX_BYTES);
    /* Not the 8 KiB of bytes: a message is rarely longer than 200. */
    memset(writer, 0, offsetof(struct irc_writer, bytes));
    writer->max_tags = max_tags;
}

bool irc_writer_put_tag(struct irc_writer *writer, struct irc_span key, struct irc_span value)
{
    return put_tag(writer, key, value, false);
}

bool irc_writer_put_raw_tag(struct irc_writer *writer, struct irc_span key, struct irc_span value)
{
    if (value.len > 0 && (irc_span_breaks_line(value) || memchr(value.text, ' ', value.len) ||
                          memchr(value.text, ';', value.len))) {
        return false;
    }
    return put_tag(writer, key, value, true);
}

void irc_writer_put_source(struct irc_writer *writer, struct irc_span source)
{
    /* ':' and the space behind it */
    if (writer->has_source || writer->has_command || source.len == 0 ||
        irc_span_breaks_line(source) || memchr(source.text, ' ', source.len) ||
        source.len + 2 > irc_writer_room(writer)) {
        writer->is_refused = true;
        return;
    }
    close_tags(writer);
    writer->has_source = true;
    put_byte(writer, ':');
    put_span(writer, source);
    put_byte(writer, ' ');
}

void irc_writer_put_command(struct irc_writer *writer, struct irc_span command)
{
    if (writer->has_command || command.len > irc_writer_room(writer) ||
        !irc_message_is_command(command)) {
        writer->is_refused = true;
        return;
    }
    close_tags(writer);
    writer->has_command = true;
    put_span(writer, command);
}

void irc_writer_put_param(struct irc_writer *writer, struct irc_span param)
{
    if (irc_span_breaks_line(param)) {
        writer->is_refused = true;
        return;
    }
    put_checked_param(writer, param);
}

void irc_writer_put_number(struct irc_writer *writer, long long number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%lld", number);
    put_checked_param(writer, (struct irc_span){digits, (size_t)len});
}

void irc_writer_put_echo(struct irc_writer *writer, struct irc_span param, size_t max)
{
    if (param.len > 0) {
        param.len = text_cut(param.text, param.len, max);
    }
    if (!irc_span_is_middle(param) || irc_span_breaks_line(param)) {
        param = irc_span("*");
    }
    put_checked_param(writer, param);
}

void irc_writer_put_text(struct irc_writer *writer, struct irc_span text)
{
    if (!may_put_param(writer, 1)) {
        return;
    }
    put_byte(writer, ' ');
    put_byte(writer, ':');
    writer->is_closed = true;
    writer->param_count++;
    size_t room = irc_writer_room(writer);
    if (text.len > room) {
        writer->is_cut = true;
        text.len = text_cut(text.text, text.len, room);
    }
    char *start = writer->bytes + writer->len;
    put_span(writer, text);
    if (irc_span_breaks_line(text)) {
        for (size_t i = 0; i < text.len; i++) {
            if (start[i] == '\0' || start[i] == '\r' || start[i] == '\n') {
                start[i] = ' ';
            }
        }
    }
}

size_t irc_writer_room(const struct irc_writer *writer)
{
    size_t body = writer->len - writer->tags_len;
    return IRC_BODY_MAX_BYTES - CR_LF_BYTES - body;
}

size_t irc_writer_end(struct irc_writer *writer)
{
    if (writer->is_refused || !writer->has_command) {
        return 0;
    }
    put_byte(writer, '\r');
    put_byte(writer, '\n');
    return writer->len;
}
