/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "wire/irc_message.h"
#include "wire/irc_tag.h"
#include "wire/irc_writer.h"

/*
 * The input is one line. Promises: parts lie in the line and hold no byte that ends one; what was
 * read and is written again reads the same; nothing that is written from any bytes at all is more
 * than one line; a tag's value survives escaping.
 */

static void check_inside(struct irc_span span, const char *line, size_t len)
{
    if (span.text) {
        fuzz_check(span.text >= line && span.text + span.len <= line + len);
        fuzz_check(!irc_span_breaks_line(span));
    }
}

static void check_same(struct irc_span a, struct irc_span b)
{
    fuzz_check(a.len == b.len && (a.len == 0 || memcmp(a.text, b.text, a.len) == 0));
}

/* Whether what was written is one message: its end at the end and nowhere else. */
static void check_one_line(const struct irc_writer *writer, size_t len)
{
    fuzz_check(len > 2 && memcmp(writer->bytes + len - 2, "\r\n", 2) == 0);
    fuzz_check(!irc_span_breaks_line((struct irc_span){writer->bytes, len - 2}));
    fuzz_check(len - writer->tags_len <= IRC_BODY_MAX_BYTES);
    fuzz_check(writer->tags_len <= IRC_TAGS_MAX_BYTES);
}

static size_t check_tags(struct irc_span span, struct irc_tag *tags)
{
    size_t count;
    (void)irc_tags_parse(span, tags, &count);
    for (size_t i = 0; i < count; i++) {
        fuzz_check(irc_tag_is_key(tags[i].key));
        check_inside(tags[i].value, span.text, span.len);
        for (size_t j = 0; j < i; j++) {
            fuzz_check(tags[i].key.len != tags[j].key.len ||
                       memcmp(tags[i].key.text, tags[j].key.text, tags[i].key.len) != 0);
        }
    }
    return count;
}

/* Writes the message again with its tags raw, and reads that. */
static void check_round_trip(const struct irc_message *message)
{
    static struct irc_tag tags[IRC_TAGS_MAX], again_tags[IRC_TAGS_MAX];
    size_t count = check_tags(message->tags, tags);
    struct irc_writer writer;
    irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        all = irc_writer_put_raw_tag(&writer, tags[i].key, tags[i].value) && all;
    }
    if (message->source.len > 0) {
        irc_writer_put_source(&writer, message->source);
    }
    irc_writer_put_command(&writer, message->command);
    for (size_t i = 0; i < message->param_count; i++) {
        irc_writer_put_param(&writer, message->params[i]);
    }
    size_t len = irc_writer_end(&writer);
    if (len == 0) {
        return; /* too long: the input is not bound to 512 bytes */
    }
    check_one_line(&writer, len);
    struct irc_message again;
    fuzz_check(irc_message_parse(writer.bytes, len - 2, &again) == IRC_MESSAGE_OK);
    check_same(again.source, message->source);
    check_same(again.command, message->command);
    fuzz_check(again.param_count == message->param_count);
    for (size_t i = 0; i < again.param_count; i++) {
        check_same(again.params[i], message->params[i]);
    }
    size_t again_count = check_tags(again.tags, again_tags);
    fuzz_check(!all || again_count == count);
    for (size_t i = 0; all && i < count; i++) {
        check_same(again_tags[i].key, tags[i].key);
        check_same(again_tags[i].value, tags[i].value);
    }
}

/* Any bytes as any part. */
static void check_writer_is_safe(struct irc_span any)
{
    struct irc_writer writer;
    for (int part = 0; part < 6; part++) {
        irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
        if (part == 0) {
            (void)irc_writer_put_tag(&writer, any, any);
            (void)irc_writer_put_raw_tag(&writer, irc_span("k"), any);
        }
        if (part == 1) {
            irc_writer_put_source(&writer, any);
        }
        irc_writer_put_command(&writer, part == 2 ? any : irc_span("X"));
        if (part == 3) {
            irc_writer_put_param(&writer, any);
        }
        if (part == 4) {
            irc_writer_put_echo(&writer, any, 40);
        }
        irc_writer_put_text(&writer, part == 5 ? any : irc_span("t"));
        size_t len = irc_writer_end(&writer);
        fuzz_check(len > 0 || (part >= 1 && part <= 3));
        if (len > 0) {
            check_one_line(&writer, len);
        }
    }
}

static void check_escaping(struct irc_span any)
{
    char *escaped = malloc(2 * any.len + 1);
    char *back = malloc(2 * any.len + 1);
    fuzz_check(escaped && back);
    size_t len = irc_tag_escape(any, escaped);
    fuzz_check(len <= 2 * any.len);
    size_t back_len = irc_tag_unescape((struct irc_span){escaped, len}, back);
    check_same((struct irc_span){back, back_len}, any);
    fuzz_check(irc_tag_unescape(any, back) <= any.len);
    free(back);
    free(escaped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *line = fuzz_copy(data, size);
    struct irc_span any = {line, size};
    struct irc_message message;
    enum irc_message_fault fault = irc_message_parse(line, size, &message);
    fuzz_check((fault == IRC_MESSAGE_BREAKS) == irc_span_breaks_line(any));
    check_inside(message.tags, line, size);
    check_inside(message.source, line, size);
    check_inside(message.command, line, size);
    for (size_t i = 0; i < message.param_count; i++) {
        fuzz_check(message.params[i].text);
        check_inside(message.params[i], line, size);
        fuzz_check(i + 1 == message.param_count || irc_span_is_middle(message.params[i]));
    }
    fuzz_check((message.command.len > 0) ==
               (fault == IRC_MESSAGE_OK || fault == IRC_MESSAGE_BAD_COMMAND));
    if (fault == IRC_MESSAGE_OK) {
        check_round_trip(&message);
    }
    struct irc_source source = irc_source_parse(message.source);
    check_inside(source.nick, line, size);
    check_inside(source.user, line, size);
    check_inside(source.host, line, size);
    check_writer_is_safe(any);
    check_escaping(any);
    free(line);
    return 0;
}
