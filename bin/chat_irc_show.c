/* SPDX-License-Identifier: MIT */
#include "chat_irc_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "wire/text.h"

/* A line is made of one message of 8,703 bytes at most, and a byte becomes three at most. */
#define LINE_MAX_BYTES 32768

struct builder {
    char text[LINE_MAX_BYTES];
    size_t len;
};

static void add(struct builder *builder, const char *text)
{
    size_t len = strlen(text);
    if (len < sizeof(builder->text) - builder->len) {
        memcpy(builder->text + builder->len, text, len);
        builder->len += len;
    }
}

/* Whatever comes from the server goes through here. */
static void add_clean(struct builder *builder, struct irc_span span)
{
    if (span.text && span.len * 3 < sizeof(builder->text) - builder->len) {
        builder->len += text_clean(span.text, span.len, builder->text + builder->len);
    }
}

static void show(struct chat_irc *irc, struct builder *builder, struct chat_line *line)
{
    builder->text[builder->len] = '\0';
    line->text = builder->text;
    line->len = builder->len;
    size_t skip = line->kind == CHAT_LINE_SERVER ? 4 : CHAT_STAMP_BYTES + 1;
    line->body = builder->text + skip;
    line->body_len = builder->len - skip;
    irc->events->on_show(line, irc->user);
}

void chat_irc_stamp(int64_t time_ms, char *ret)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm parts;
    if (!localtime_r(&seconds, &parts) ||
        strftime(ret, CHAT_STAMP_BYTES + 1, "%Y-%m-%d %H:%M:%S", &parts) != CHAT_STAMP_BYTES) {
        (void)snprintf(ret, CHAT_STAMP_BYTES + 1, "0000-00-00 00:00:00");
    }
}

static void add_stamp(struct builder *builder, int64_t time_ms)
{
    char stamp[CHAT_STAMP_BYTES + 1];
    chat_irc_stamp(time_ms, stamp);
    add(builder, stamp);
    add(builder, " ");
}

/* With one room there is no question which is meant. */
static bool names_room(const struct chat_irc *irc, struct irc_span room)
{
    return room.len > 0 &&
           (irc->room_count > 1 || !irc->current || !chat_irc_same(irc, room, irc->current->name));
}

static void tell(struct chat_irc *irc, struct irc_span room, const char *format, va_list args)
    PARTY_PRINTF(3, 0);

static void tell(struct chat_irc *irc, struct irc_span room, const char *format, va_list args)
{
    struct builder builder = {.len = 0};
    struct chat_line line = {.kind = CHAT_LINE_SERVER};
    char text[9000];
    int len = vsnprintf(text, sizeof text, format, args);
    add(&builder, "*** ");
    if (names_room(irc, room)) {
        add_clean(&builder, room);
        add(&builder, ": ");
    }
    size_t size = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    add_clean(&builder, (struct irc_span){text, size});
    show(irc, &builder, &line);
}

void chat_irc_tell(struct chat_irc *irc, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(irc, (struct irc_span){0}, format, args);
    va_end(args);
}

void chat_irc_tell_in(struct chat_irc *irc, struct irc_span room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(irc, room, format, args);
    va_end(args);
}

void chat_irc_note(struct chat_irc *irc, int64_t time_ms, struct irc_span room, const char *format,
                   ...)
{
    struct builder builder = {.len = 0};
    struct chat_line line = {.kind = CHAT_LINE_NOTED};
    char text[9000];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_stamp(&builder, time_ms);
    add(&builder, "*** ");
    if (names_room(irc, room)) {
        add_clean(&builder, room);
        add(&builder, ": ");
    }
    size_t size = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    add_clean(&builder, (struct irc_span){text, size});
    show(irc, &builder, &line);
}

void chat_irc_show_said(struct chat_irc *irc, int64_t time_ms, struct irc_span room,
                        struct irc_span name, struct irc_span text, enum chat_irc_voice voice)
{
    static const enum chat_line_kind kinds[] = {[VOICE_SAID] = CHAT_LINE_SAID,
                                                [VOICE_DID] = CHAT_LINE_DID,
                                                [VOICE_NOTICE] = CHAT_LINE_OTHER};
    static const char *const before[] = {
        [VOICE_SAID] = "", [VOICE_DID] = "* ", [VOICE_NOTICE] = "-"};
    static const char *const after[] = {
        [VOICE_SAID] = ": ", [VOICE_DID] = " ", [VOICE_NOTICE] = "- "};
    struct builder builder = {.len = 0};
    struct chat_line line = {.kind = kinds[voice]};
    add_stamp(&builder, time_ms);
    if (names_room(irc, room)) {
        add_clean(&builder, room);
        add(&builder, " ");
    }
    add(&builder, before[voice]);
    line.name = builder.text + builder.len;
    add_clean(&builder, name);
    line.name_len = (size_t)(builder.text + builder.len - line.name);
    add(&builder, after[voice]);
    add_clean(&builder, text);
    show(irc, &builder, &line);
}

void chat_irc_show_private(struct chat_irc *irc, int64_t time_ms, struct irc_span from,
                           struct irc_span to, struct irc_span text, enum chat_irc_voice voice)
{
    struct builder builder = {.len = 0};
    struct chat_line line = {.kind = CHAT_LINE_PRIVATE};
    add_stamp(&builder, time_ms);
    add(&builder, voice == VOICE_DID ? "* [" : voice == VOICE_NOTICE ? "-[" : "[");
    add_clean(&builder, chat_irc_same(irc, from, irc->nick) ? irc_span("you") : from);
    add(&builder, " -> ");
    add_clean(&builder, chat_irc_same(irc, to, irc->nick) ? irc_span("you") : to);
    add(&builder, voice == VOICE_NOTICE ? "]- " : "] ");
    add_clean(&builder, text);
    show(irc, &builder, &line);
}
