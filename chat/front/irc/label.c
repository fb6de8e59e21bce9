/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"
#include "wire/text.h"

/*
 * labeled-response: what answers one line is held back until all of it is there. No message: ACK
 * with the label; one: the label on it; one batch: the label on its beginning; else all in a batch
 * of their own (IRCv3 labeled-response, "Responses").
 */

#define LABEL_MAX 64 /* bytes; a longer one is none */

struct irc_label {
    struct text_out held; /* whole messages */
    unsigned count;
    char label[]; /* escaped as on the wire */
};

bool irc_is_label(struct irc_span label)
{
    return label.len > 0 && label.len <= LABEL_MAX && !irc_span_breaks_line(label) &&
           text_is_utf8(label.text, label.len);
}

void irc_label_free(struct irc_label *label)
{
    if (label) {
        text_out_finish(&label->held);
        free(label);
    }
}

void irc_label_begin(struct irc_session *irc, struct irc_span label)
{
    irc_label_free(irc->label);
    irc->label = xcalloc(1, sizeof(*irc->label) + label.len + 1);
    irc->holds_name = false;
    memcpy(irc->label->label, label.text, label.len);
}

void irc_label_hold(struct irc_label *label, const char *bytes, size_t len)
{
    text_out_add(&label->held, bytes, len);
    for (const char *at = bytes; (at = memchr(at, '\n', len - (size_t)(at - bytes))) != NULL;) {
        label->count++;
        if ((size_t)(++at - bytes) == len) {
            break;
        }
    }
}

size_t irc_label_bytes(const struct irc_label *label)
{
    /* Each message gets a tag, the whole of them a batch. */
    return label->held.len + (size_t)label->count * 16 + 256;
}

/* Adds a message with one tag more. */
static void add_tagged(struct text_out *out, const char *tag, const char *value, const char *line,
                       size_t len)
{
    text_out_adds(out, "@");
    text_out_adds(out, tag);
    text_out_adds(out, "=");
    text_out_adds(out, value);
    if (line[0] == '@') {
        text_out_add(out, ";", 1);
        text_out_add(out, line + 1, len - 1);
    } else {
        text_out_add(out, " ", 1);
        text_out_add(out, line, len);
    }
}

static size_t line_len(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    return (size_t)((newline ? newline + 1 : end) - at);
}

/* The command behind tags and source. */
static const char *command_of(const char *line, const char *end)
{
    for (int part = 0; part < 2 && line < end && (*line == '@' || *line == ':'); part++) {
        const char *space = memchr(line, ' ', (size_t)(end - line));
        line = space ? space + 1 : end;
    }
    return line;
}

/* Whether a line is in a batch already. */
static bool is_in_batch(const char *line, size_t len)
{
    struct irc_message message;
    return irc_message_parse(line, len - 2, &message) == IRC_MESSAGE_OK &&
           irc_tags_find(message.tags, "batch").text != NULL;
}

/* Whether all that is held is one batch: its first line opens what its last one closes. */
static bool is_one_batch(const struct text_out *held)
{
    const char *end = held->data + held->len;
    const char *first = command_of(held->data, end);
    if ((size_t)(end - first) < 8 || memcmp(first, "BATCH +", 7) != 0) {
        return false;
    }
    size_t name_len = strcspn(first + 7, " \r");
    const char *last = end - 2;
    while (last > held->data && last[-1] != '\n') {
        last--;
    }
    const char *closing = command_of(last, end);
    return (size_t)(end - closing) == 7 + name_len + 2 && memcmp(closing, "BATCH -", 7) == 0 &&
           memcmp(closing + 7, first + 7, name_len) == 0;
}

static void add_in_batch(struct irc_session *irc, const struct irc_label *label,
                         struct text_out *out)
{
    char name[32];
    const char *at = label->held.data, *end = at + label->held.len;
    (void)snprintf(name, sizeof(name), "L%u", irc->batches++);
    text_out_addf(out, "@label=%s :%s BATCH +%s labeled-response\r\n", label->label,
                  shard_settings(irc->base.shard)->server_name, name);
    while (at < end) {
        size_t len = line_len(at, end);
        if (is_in_batch(at, len)) {
            text_out_add(out, at, len);
        } else {
            add_tagged(out, "batch", name, at, len);
        }
        at += len;
    }
    text_out_addf(out, ":%s BATCH -%s\r\n", shard_settings(irc->base.shard)->server_name, name);
}

void irc_label_end(struct irc_session *irc)
{
    struct irc_label *label = irc->label;
    struct text_out out = {0};
    if (!label) {
        return;
    }
    irc->label = NULL;
    if (label->count == 0) {
        text_out_addf(&out, "@label=%s :%s ACK\r\n", label->label,
                      shard_settings(irc->base.shard)->server_name);
    } else if (label->count == 1 || is_one_batch(&label->held) || !(irc->caps & IRC_CAP(BATCH))) {
        size_t first = line_len(label->held.data, label->held.data + label->held.len);
        add_tagged(&out, "label", label->label, label->held.data, first);
        text_out_add(&out, label->held.data + first, label->held.len - first);
    } else {
        add_in_batch(irc, label, &out);
    }
    session_write(&irc->base, out.data, out.len);
    text_out_finish(&out);
    irc_label_free(label);
}
