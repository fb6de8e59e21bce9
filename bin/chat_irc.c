/* SPDX-License-Identifier: MIT */
/*
 * A connection goes through
 *
 *     REGISTERING until the server says welcome (001)
 *     WELCOMED    until its message of the day is over: what it says of itself has come then
 *     ENTERING    rooms are joined, and what was missed in them is asked for
 *     READY       what is said is sent
 *
 * and from wherever it ends to OFFLINE. What is typed before READY waits in the outbox; commands
 * need WELCOMED.
 *
 * The server's answers have no numbers, but they come in the order of the questions: a PING behind
 * a message (the fence) is answered when everything about that message has been said. That works
 * with every server, and it keeps the client from being faster than the server reads.
 */
#include "chat_irc_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "wire/irc_tag.h"
#include "wire/irc_writer.h"

/* ---- small things ---- */

struct irc_span chat_irc_param(const struct irc_message *message, size_t index)
{
    return index < message->param_count ? message->params[index] : irc_span("");
}

struct irc_span chat_irc_params_from(const struct irc_message *message, size_t index)
{
    if (index >= message->param_count) {
        return irc_span("");
    }
    const struct irc_span *last = &message->params[message->param_count - 1];
    const char *from = message->params[index].text;
    return (struct irc_span){from, (size_t)(last->text + last->len - from)};
}

void chat_irc_copy(char *ret, size_t cap, struct irc_span span)
{
    size_t len = span.len < cap ? span.len : cap - 1;
    if (len > 0) {
        memcpy(ret, span.text, len);
    }
    ret[len] = '\0';
}

static char fold(const struct chat_irc *irc, char letter)
{
    if ((letter >= 'A' && letter <= 'Z') || (irc->is_rfc1459 && letter >= '[' && letter <= '^')) {
        return (char)(letter + 32);
    }
    return letter;
}

bool chat_irc_same(const struct chat_irc *irc, struct irc_span one, const char *other)
{
    if (!one.text || strlen(other) != one.len) {
        return false;
    }
    for (size_t i = 0; i < one.len; i++) {
        if (fold(irc, one.text[i]) != fold(irc, other[i])) {
            return false;
        }
    }
    return true;
}

bool chat_irc_is_room(const struct chat_irc *irc, struct irc_span name)
{
    return name.len > 0 && name.text[0] != '\0' && strchr(irc->chantypes, name.text[0]);
}

/* ---- out ---- */

void chat_irc_send(struct chat_irc *irc, const char *text, const char *command, ...)
{
    struct irc_writer writer;
    va_list args;
    const char *param;
    irc_writer_init(&writer, IRC_CLIENT_TAGS_MAX_BYTES);
    irc_writer_put_command(&writer, irc_span(command));
    va_start(args, command);
    while ((param = va_arg(args, const char *)) != NULL) {
        irc_writer_put_param(&writer, irc_span(param));
    }
    va_end(args);
    if (text) {
        irc_writer_put_text(&writer, irc_span(text));
    }
    size_t len = irc_writer_end(&writer);
    if (len > 0) {
        irc->events->on_send(writer.bytes, len, irc->user);
    } else {
        chat_irc_tell(irc, "That cannot be sent.");
    }
}

void chat_irc_fail(struct chat_irc *irc, const char *format, ...)
{
    char text[600];
    if (irc->is_closing) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    irc->is_closing = true;
    irc->events->on_failed(text, irc->user);
}

/* ---- in ---- */

/* 2026-01-01T00:00:00.000Z. Returns: false when it is no time. */
static bool parse_time(struct irc_span text, int64_t *ret_ms)
{
    char copy[40];
    struct tm parts = {0};
    if (text.len == 0 || text.len >= sizeof copy) {
        return false;
    }
    chat_irc_copy(copy, sizeof copy, text);
    const char *end = strptime(copy, "%Y-%m-%dT%H:%M:%S", &parts);
    if (!end || parts.tm_year > 8000) {
        return false;
    }
    int64_t ms = (int64_t)timegm(&parts) * 1000;
    if (end[0] == '.') {
        int64_t unit = 100;
        for (end++; end[0] >= '0' && end[0] <= '9'; end++, unit /= 10) {
            ms += (end[0] - '0') * unit;
        }
    }
    *ret_ms = ms;
    return end[0] == 'Z';
}

struct chat_irc_batch *chat_irc_batch_find(struct chat_irc *irc, struct irc_span name)
{
    for (size_t i = 0; name.len > 0 && i < CHAT_IRC_BATCHES_MAX; i++) {
        if (irc_span_is(name, irc->batches[i].name)) {
            return &irc->batches[i];
        }
    }
    return NULL;
}

/* The label of what a message answers: its own, or that of its batch. */
static struct irc_span label_of(struct chat_irc *irc, const struct irc_message *message)
{
    struct irc_span label = irc_tags_find(message->tags, "label");
    const struct chat_irc_batch *batch =
        label.text ? NULL : chat_irc_batch_find(irc, irc_tags_find(message->tags, "batch"));
    return batch ? irc_span(batch->label) : label;
}

/* The history that a message belongs to, perhaps through other batches. */
static const struct chat_irc_batch *history_of(struct chat_irc *irc, struct irc_span name)
{
    for (int depth = 0; depth < 8; depth++) {
        const struct chat_irc_batch *batch = chat_irc_batch_find(irc, name);
        if (!batch || batch->is_history) {
            return batch;
        }
        name = irc_span(batch->parent);
    }
    return NULL;
}

static void begin_batch(struct chat_irc *irc, const struct chat_irc_in *in, struct irc_span name)
{
    for (size_t i = 0; i < CHAT_IRC_BATCHES_MAX; i++) {
        struct chat_irc_batch *batch = &irc->batches[i];
        if (batch->name[0] != '\0') {
            continue;
        }
        struct irc_span kind = chat_irc_param(in->message, 1);
        *batch = (struct chat_irc_batch){.is_history = irc_span_is(kind, "chathistory") ||
                                                       irc_span_is(kind, "draft/chathistory")};
        chat_irc_copy(batch->name, sizeof batch->name, name);
        chat_irc_copy(batch->parent, sizeof batch->parent,
                      irc_tags_find(in->message->tags, "batch"));
        chat_irc_copy(batch->room, sizeof batch->room, chat_irc_param(in->message, 2));
        chat_irc_copy(batch->label, sizeof batch->label, in->label);
        return;
    }
}

static void on_batch(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span name = chat_irc_param(in->message, 0);
    char mark = name.len > 1 ? name.text[0] : '\0';
    name = name.len > 1 ? (struct irc_span){name.text + 1, name.len - 1} : irc_span("");
    struct chat_irc_batch *batch = chat_irc_batch_find(irc, name);
    if (mark == '+' && !batch && name.len < sizeof batch->name) {
        begin_batch(irc, in, name);
    } else if (mark == '-' && batch) {
        struct chat_irc_room *room =
            batch->is_history ? chat_irc_room_find(irc, irc_span(batch->room)) : NULL;
        batch->name[0] = '\0';
        if (batch->parent[0] == '\0') {
            chat_irc_on_label(irc, irc_span(batch->label));
        }
        if (room) {
            chat_irc_room_answered(irc, room, false);
        }
    }
}

static void dispatch(struct chat_irc *irc, const struct chat_irc_in *in)
{
    const struct irc_message *message = in->message;
    struct irc_span command = message->command;
    if (command.len == 3 && command.text[0] >= '0' && command.text[0] <= '9') {
        chat_irc_on_numeric(irc, in,
                            (command.text[0] - '0') * 100 + (command.text[1] - '0') * 10 +
                                (command.text[2] - '0'));
    } else if (irc_span_is_nocase(command, "PING")) {
        char token[400];
        chat_irc_copy(token, sizeof token, chat_irc_param(message, 0));
        chat_irc_send(irc, token, "PONG", NULL);
    } else if (irc_span_is_nocase(command, "PONG")) {
        chat_irc_on_pong(irc, message->param_count > 0 ? message->params[message->param_count - 1]
                                                       : irc_span(""));
    } else if (irc_span_is_nocase(command, "CAP")) {
        chat_irc_on_cap(irc, in);
    } else if (irc_span_is_nocase(command, "BATCH")) {
        on_batch(irc, in);
    } else if (irc_span_is_nocase(command, "FAIL") || irc_span_is_nocase(command, "WARN") ||
               irc_span_is_nocase(command, "NOTE")) {
        chat_irc_on_standard(irc, in);
    } else if (!chat_irc_on_event(irc, in)) {
        chat_irc_tell(irc, "%.*s", (int)in->len, in->line);
    }
}

void chat_irc_handle(struct chat_irc *irc, const char *line, size_t len)
{
    struct irc_message message;
    if (irc_message_parse(line, len, &message) != IRC_MESSAGE_OK) {
        return; /* nothing that could be answered, or that a person could use */
    }
    struct chat_irc_in in = {.message = &message,
                             .line = line,
                             .len = len,
                             .from = irc_source_parse(message.source),
                             .time_ms = irc->wall_ms,
                             .msgid = irc_tags_find(message.tags, "msgid"),
                             .label = label_of(irc, &message),
                             .history = history_of(irc, irc_tags_find(message.tags, "batch"))};
    if (in.from.nick.text) {
        in.is_own = chat_irc_same(irc, in.from.nick, irc->nick);
    } else {
        in.from.nick = irc_span("");
    }
    (void)parse_time(irc_tags_find(message.tags, "time"), &in.time_ms);
    dispatch(irc, &in);
    /* Without a batch the one message is the whole answer. */
    if (!irc_span_is_nocase(message.command, "BATCH")) {
        chat_irc_on_label(irc, irc_tags_find(message.tags, "label"));
    }
}

static bool on_line(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    struct chat_irc *irc = user;
    if (fault == IRC_LINE_OK) {
        chat_irc_handle(irc, line, len);
    } else {
        chat_irc_tell(irc, "The server sent a line that is too long; it is left out.");
    }
    return irc->phase != IRC_OFFLINE;
}

void chat_irc_feed(struct chat_irc *irc, const char *bytes, size_t len)
{
    if (irc->phase == IRC_OFFLINE) {
        return;
    }
    (void)irc_splitter_feed(&irc->splitter, (const uint8_t *)bytes, len, on_line, irc);
    chat_irc_pump(irc);
}

/* ---- life ---- */

struct chat_irc *chat_irc_create(const struct chat_irc_settings *settings,
                                 const struct chat_irc_events *events, void *user)
{
    struct chat_irc *irc = xcalloc(1, sizeof(*irc));
    irc->events = events;
    irc->user = user;
    irc->strict = settings->strict;
    irc->any_nick = settings->any_nick;
    irc->login = xmemdup0(settings->user, strlen(settings->user));
    if (settings->password) {
        irc->password = xmemdup0(settings->password, strlen(settings->password));
    }
    chat_irc_copy(irc->wanted, sizeof irc->wanted, irc_span(settings->nick));
    chat_irc_copy(irc->nick, sizeof irc->nick, irc_span(settings->nick));
    irc_splitter_init(&irc->splitter, IRC_BODY_MAX_BYTES, IRC_TAGS_MAX_BYTES);
    (void)snprintf(irc->chantypes, sizeof irc->chantypes, "#&+!");
    irc->nick_again_ms = irc->pace_until_ms = -1;
    for (size_t i = 0; i < settings->room_count; i++) {
        char name[CHAT_IRC_ROOM_MAX_BYTES + 2];
        bool marked = chat_irc_is_room(irc, irc_span(settings->rooms[i]));
        (void)snprintf(name, sizeof name, "%s%s", marked ? "" : "#", settings->rooms[i]);
        (void)chat_irc_room_add(irc, irc_span(name));
    }
    irc->current = irc->room_count > 0 ? irc->rooms[0] : NULL;
    return irc;
}

void chat_irc_destroy(struct chat_irc *irc)
{
    if (!irc) {
        return;
    }
    irc_splitter_finish(&irc->splitter);
    chat_irc_room_free_all(irc);
    chat_irc_say_free(irc);
    free(irc->login);
    free(irc->password);
    free(irc);
}

void chat_irc_set_time(struct chat_irc *irc, int64_t now_ms, int64_t wall_ms)
{
    irc->now_ms = now_ms;
    irc->wall_ms = wall_ms;
}

void chat_irc_connected(struct chat_irc *irc, bool has_asked)
{
    irc->phase = IRC_REGISTERING;
    irc->is_returning = irc->has_entered;
    irc->is_closing = irc->is_dismissed = false;
    irc->farewell[0] = '\0';
    irc->login_until_ms = irc->now_ms + CHAT_IRC_LOGIN_MS;
    irc->caps = irc->caps_offered = 0;
    irc->has_introduced = irc->is_partyline = irc->is_rfc1459 = irc->no_msgid_refs = false;
    irc->history_max = CHAT_IRC_PAGE;
    irc->source[0] = irc->prefixes[0] = irc->statusmsg[0] = '\0';
    (void)snprintf(irc->chantypes, sizeof irc->chantypes, "#&");
    memset(irc->batches, 0, sizeof irc->batches);
    irc->names_len = irc->names_count = irc->names_left_out = 0;
    irc->fence = irc->fence_seen = irc->command_fence = 0;
    irc->nick_tries = 0;
    irc_splitter_finish(&irc->splitter);
    irc_splitter_init(&irc->splitter, IRC_BODY_MAX_BYTES, IRC_TAGS_MAX_BYTES);
    chat_irc_login(irc, has_asked);
}

void chat_irc_lost(struct chat_irc *irc)
{
    irc->phase = IRC_OFFLINE;
    irc->nick_again_ms = -1;
    chat_irc_rooms_lost(irc);
    chat_irc_say_lost(irc);
}

void chat_irc_quit(struct chat_irc *irc, const char *reason)
{
    irc->is_closing = true;
    if (irc->phase != IRC_OFFLINE) {
        chat_irc_send(irc, reason, "QUIT", NULL);
    }
}

/* ---- time ---- */

int64_t chat_irc_next_ms(const struct chat_irc *irc)
{
    if (irc->phase == IRC_OFFLINE) {
        return -1;
    }
    const int64_t times[] = {irc->phase == IRC_REGISTERING ? irc->login_until_ms : -1,
                             irc->nick_again_ms, chat_irc_rooms_next_ms(irc),
                             chat_irc_say_next_ms(irc)};
    int64_t first = -1;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i] >= 0 && (first < 0 || times[i] < first)) {
            first = times[i];
        }
    }
    return first;
}

void chat_irc_tick(struct chat_irc *irc)
{
    if (irc->phase == IRC_OFFLINE) {
        return;
    }
    if (irc->phase == IRC_REGISTERING && irc->now_ms >= irc->login_until_ms) {
        chat_irc_fail(irc, "the server did not let us in within %d s", CHAT_IRC_LOGIN_MS / 1000);
        return;
    }
    if (irc->nick_again_ms >= 0 && irc->now_ms >= irc->nick_again_ms) {
        chat_irc_ask_for_nick(irc);
    }
    chat_irc_rooms_tick(irc);
    chat_irc_say_tick(irc);
}

/* ---- what is asked from outside ---- */

bool chat_irc_is_registered(const struct chat_irc *irc)
{
    return irc->phase > IRC_REGISTERING;
}

size_t chat_irc_waiting(const struct chat_irc *irc)
{
    return irc->outbox_count;
}

const char *chat_irc_farewell(const struct chat_irc *irc)
{
    return irc->farewell;
}

bool chat_irc_is_dismissed(const struct chat_irc *irc)
{
    return irc->is_dismissed;
}

void chat_irc_prompt(const struct chat_irc *irc, char *ret_text, size_t cap)
{
    (void)snprintf(ret_text, cap, "%s%s%s> ", irc->nick, irc->current ? " " : "",
                   irc->current ? irc->current->name : "");
}
