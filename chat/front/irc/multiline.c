/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/irc/irc_internal.h"
#include "wire/text.h"

/*
 * draft/multiline: a batch of lines that is one message. Lines are gathered as they are heard; what
 * is wrong is remembered, the rest of the batch is passed over, and its end tells. The label of the
 * batch's beginning is answered at its end.
 */

struct irc_multiline {
    struct irc_target target; /* into name */
    enum message_kind kind;
    unsigned lines;
    bool has_lines, has_fault, is_blank;
    enum irc_standard fault;
    char about[2][IRC_ECHO_MAX + 1]; /* the fault's context */
    struct text_out text, tags;
    char *reference, *name, *label; /* label: NULL when there is none */
};

void irc_multiline_free(struct irc_multiline *multiline)
{
    if (multiline) {
        text_out_finish(&multiline->text);
        text_out_finish(&multiline->tags);
        free(multiline->reference);
        free(multiline->name);
        free(multiline->label);
        free(multiline);
    }
}

struct irc_span irc_multiline_label(const struct irc_session *irc)
{
    const struct irc_multiline *multiline = irc->multiline;
    bool has_label = multiline && multiline->label && (irc->caps & IRC_CAP(LABELED_RESPONSE)) != 0;
    return has_label ? irc_span(multiline->label) : irc_span_of(NULL, 0);
}

static void spoil(struct irc_multiline *multiline, enum irc_standard fault, struct irc_span first,
                  struct irc_span second)
{
    if (multiline->has_fault) {
        return;
    }
    multiline->has_fault = true;
    multiline->fault = fault;
    const struct irc_span about[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        size_t len = about[i].len > 0 ? text_cut(about[i].text, about[i].len, IRC_ECHO_MAX) : 0;
        (void)snprintf(multiline->about[i], sizeof(multiline->about[i]), "%.*s", (int)len,
                       len > 0 ? about[i].text : "");
    }
}

static void spoil_limit(struct irc_multiline *multiline, enum irc_standard fault, uint32_t limit)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%u", limit);
    spoil(multiline, fault, irc_span_of(text, (size_t)n), irc_span(""));
}

static void add_line(struct irc_session *irc, const struct irc_message *message)
{
    struct irc_multiline *multiline = irc->multiline;
    const struct front_settings *settings = shard_settings(irc->base.shard);
    struct irc_span none = irc_span(""), text = message->params[1];
    bool goes_on = irc_tags_find(message->tags, "draft/multiline-concat").text != NULL;
    enum message_kind kind =
        irc_span_is_nocase(message->command, "NOTICE") ? MESSAGE_NOTICE : MESSAGE_TEXT;
    if (multiline->has_lines && kind != multiline->kind) {
        spoil(multiline, IRC_STANDARD_MULTILINE_INVALID, none, none);
        return;
    }
    if (!irc_span_is_nocase(message->params[0], multiline->name)) {
        spoil(multiline, IRC_STANDARD_MULTILINE_INVALID_TARGET, irc_span(multiline->name),
              message->params[0]);
        return;
    }
    if (goes_on && text.len == 0) {
        spoil(multiline, IRC_STANDARD_MULTILINE_INVALID, none, none);
        return;
    }
    if (multiline->has_lines) {
        text_out_add(&multiline->text, goes_on ? "\r" : "\n", 1);
    }
    text_out_add(&multiline->text, text.text, text.len);
    multiline->kind = kind;
    multiline->has_lines = true;
    multiline->is_blank = multiline->is_blank && text.len == 0;
    if (settings->multiline_lines > 0 && ++multiline->lines > settings->multiline_lines) {
        spoil_limit(multiline, IRC_STANDARD_MULTILINE_MAX_LINES, settings->multiline_lines);
    } else if (settings->multiline_bytes > 0 && multiline->text.len > settings->multiline_bytes) {
        spoil_limit(multiline, IRC_STANDARD_MULTILINE_MAX_BYTES, settings->multiline_bytes);
    }
}

static struct irc_span batch_in(struct irc_span tags)
{
    return tags.text ? irc_tags_find(tags, "batch") : irc_span_of(NULL, 0);
}

bool irc_multiline_take(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_multiline *multiline = irc->multiline;
    struct irc_span batch = batch_in(message->tags);
    if (!multiline || batch.len == 0) {
        return false;
    }
    bool is_message = irc_span_is_nocase(message->command, "PRIVMSG") ||
                      irc_span_is_nocase(message->command, "NOTICE");
    if (multiline->has_fault) {
        return true; /* it was told */
    }
    bool is_of_it = irc_span_is(batch, multiline->reference);
    if (!text_is_utf8(line->text, line->len)) {
        spoil(multiline, IRC_STANDARD_INVALID_UTF8, irc_span(""), irc_span(""));
    } else if (!is_of_it || !is_message || message->param_count < 2 ||
               memchr(line->text, '\0', line->len)) {
        spoil(multiline, IRC_STANDARD_MULTILINE_INVALID, irc_span(""), irc_span(""));
    } else {
        add_line(irc, message);
    }
    if (multiline->has_fault) {
        irc_fault_round(irc);
    }
    return true;
}

void irc_multiline_lacks(struct irc_session *irc, struct irc_span tags, bool are_unknown)
{
    struct irc_multiline *multiline = irc->multiline;
    bool is_of_batch = are_unknown || batch_in(tags).len > 0;
    if (multiline && !multiline->has_fault && is_of_batch) {
        spoil(multiline, IRC_STANDARD_MULTILINE_INVALID, irc_span(""), irc_span(""));
        irc_fault_round(irc);
    }
}

/* FNV-1a, 64 bits. Two references of one hash would be told of once, and refused both. */
static uint64_t hash_of(struct irc_span reference)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < reference.len; i++) {
        hash = (hash ^ (unsigned char)reference.text[i]) * UINT64_C(0x100000001b3);
    }
    return hash != 0 ? hash : 1;
}

void irc_multiline_stray(struct irc_session *irc, struct irc_span reference)
{
    uint64_t hash = hash_of(reference);
    if (irc->refused_batch != hash) {
        irc->refused_batch = hash;
        irc_fail(irc, "BATCH", IRC_STANDARD_MULTILINE_INVALID, reference);
    }
}

static bool is_opening(const struct irc_message *message)
{
    return message->param_count > 0 && message->params[0].len > 1 &&
           message->params[0].text[0] == '+';
}

bool irc_is_batch_closing(const struct irc_session *irc, const struct irc_message *message)
{
    return irc->multiline && irc_span_is_nocase(message->command, "BATCH") &&
           message->param_count > 0 && message->params[0].len > 1 &&
           message->params[0].text[0] == '-' &&
           irc_span_is(irc_span_of(message->params[0].text + 1, message->params[0].len - 1),
                       irc->multiline->reference);
}

bool irc_is_batch_opening(const struct irc_session *irc, const struct irc_message *message)
{
    /* After a fault it may begin again without an end. */
    return (!irc->multiline || irc->multiline->has_fault) &&
           (irc->caps & IRC_CAP(MULTILINE)) != 0 && irc_span_is_nocase(message->command, "BATCH") &&
           is_opening(message) && message->param_count >= 3 &&
           irc_span_is(message->params[1], "draft/multiline") &&
           irc_target_parse(message->params[2], IRC_MEMBER_MARKS).kind != IRC_TARGET_BAD;
}

static void open_batch(struct irc_session *irc, const struct irc_message *message)
{
    struct irc_multiline *multiline = xcalloc(1, sizeof(*multiline));
    struct irc_span label = irc_tags_find(message->tags, "label");
    multiline->is_blank = true;
    irc->refused_batch = 0; /* it may have been of the same name */
    multiline->reference = xmemdup0(message->params[0].text + 1, message->params[0].len - 1);
    multiline->name = xmemdup0(message->params[2].text, message->params[2].len);
    multiline->target = irc_target_parse(irc_span(multiline->name), IRC_MEMBER_MARKS);
    if (irc_is_label(label) && irc->caps & IRC_CAP(LABELED_RESPONSE)) {
        multiline->label = xmemdup0(label.text, label.len);
    }
    (void)irc_client_tags(irc, message, &multiline->tags);
    irc_multiline_free(irc->multiline);
    irc->multiline = multiline;
}

static void tell_fault(struct irc_session *irc)
{
    const struct irc_multiline *multiline = irc->multiline;
    struct irc_span about[2] = {irc_span(multiline->about[0]), irc_span(multiline->about[1])};
    size_t count = about[1].len > 0 ? 2 : about[0].len > 0 ? 1 : 0;
    irc_standard(irc, IRC_FAIL, "BATCH", multiline->fault, about, count);
}

void irc_multiline_fault(struct irc_session *irc)
{
    struct irc_multiline *multiline = irc->multiline;
    struct irc_span label = irc_multiline_label(irc);
    if (label.text) {
        irc_label_begin(irc, label);
    }
    tell_fault(irc);
    irc_label_end(irc);
    free(multiline->label); /* answered: the end of the batch has no label any more */
    multiline->label = NULL;
}

/* The end of the batch: the message goes to the hub, unless there was a fault, which was told. */
static bool close_batch(struct irc_session *irc, const struct irc_line *line)
{
    struct irc_multiline *multiline = irc->multiline;
    bool is_empty = !multiline->has_lines || multiline->is_blank;
    if (!multiline->has_fault && is_empty && !line->in_turn) {
        return false;
    }
    if (!multiline->has_fault && is_empty) {
        spoil(multiline, IRC_STANDARD_MULTILINE_INVALID, irc_span(""), irc_span(""));
        tell_fault(irc);
    } else if (!multiline->has_fault) {
        irc_send_to(irc, &multiline->target, multiline->kind,
                    irc_span_of(multiline->text.data, multiline->text.len),
                    irc_span_of(multiline->tags.data, multiline->tags.len));
    }
    irc_multiline_free(multiline);
    irc->multiline = NULL;
    return true;
}

/* A batch that does not begin or end. Its lines, and its end, are told of by this answer. */
static void refuse(struct irc_session *irc, const struct irc_message *message)
{
    struct irc_span name = message->param_count > 0 ? message->params[0] : irc_span("*");
    struct irc_span reference = name.len > 0 ? irc_span_of(name.text + 1, name.len - 1) : name;
    if (reference.len > 0 && name.text[0] == '-' && irc->refused_batch == hash_of(reference)) {
        irc->refused_batch = 0;
        return;
    }
    if (is_opening(message)) {
        irc->refused_batch = hash_of(reference);
    }
    irc_fail(irc, "BATCH", IRC_STANDARD_MULTILINE_INVALID, name);
}

static bool do_batch(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    if (irc_is_batch_closing(irc, message)) {
        return close_batch(irc, line);
    }
    if (irc_is_batch_opening(irc, message)) {
        open_batch(irc, message);
        return true;
    }
    if (line->in_turn) {
        refuse(irc, message);
    }
    return false;
}

const struct irc_command irc_batch_commands[] = {
    {.name = "BATCH", .fn = do_batch, .when = IRC_AFTER, .cost = 1},
    {.name = NULL},
};
