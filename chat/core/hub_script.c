/* SPDX-License-Identifier: MIT */
#include "core/hub_script.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINE_CAP   8192
#define OUTPUT_CAP 65536
#define TIME_MS    1000

static const char *const command_names[] = {
    [COMMAND_ENTER] = "ENTER",
    [COMMAND_QUIT] = "QUIT",
    [COMMAND_NICK] = "NICK",
    [COMMAND_JOIN] = "JOIN",
    [COMMAND_LEAVE] = "LEAVE",
    [COMMAND_SAY] = "SAY",
    [COMMAND_ACTION] = "ACTION",
    [COMMAND_PRIVATE] = "PRIVATE",
    [COMMAND_TOPIC] = "TOPIC",
    [COMMAND_GET_TOPIC] = "GET_TOPIC",
    [COMMAND_WHO] = "WHO",
    [COMMAND_ROOMS] = "ROOMS",
    [COMMAND_CLIENTS] = "CLIENTS",
    [COMMAND_ANNOUNCE] = "ANNOUNCE",
    [COMMAND_KICK] = "KICK",
    [COMMAND_ECHO] = "ECHO",
    [COMMAND_REGISTER] = "REGISTER",
    [COMMAND_OPER] = "OPER",
    [COMMAND_AWAY] = "AWAY",
    [COMMAND_SETNAME] = "SETNAME",
    [COMMAND_USER_MODE] = "USER_MODE",
    [COMMAND_KILL] = "KILL",
    [COMMAND_WALLOPS] = "WALLOPS",
    [COMMAND_NAMES] = "NAMES",
    [COMMAND_LIST] = "LIST",
    [COMMAND_MODE] = "MODE",
    [COMMAND_INVITE] = "INVITE",
    [COMMAND_REMOVE] = "REMOVE",
    [COMMAND_RENAME_ROOM] = "RENAME_ROOM",
    [COMMAND_REDACT] = "REDACT",
    [COMMAND_WHOX] = "WHOX",
    [COMMAND_WHOIS] = "WHOIS",
    [COMMAND_WHOWAS] = "WHOWAS",
    [COMMAND_USERHOST] = "USERHOST",
    [COMMAND_ISON] = "ISON",
    [COMMAND_MONITOR] = "MONITOR",
    [COMMAND_LUSERS] = "LUSERS",
};

static const char *const event_names[] = {
    [EVENT_WELCOME] = "WELCOME",
    [EVENT_ENTERED] = "ENTERED",
    [EVENT_GONE_FROM] = "GONE_FROM",
    [EVENT_GOODBYE] = "GOODBYE",
    [EVENT_PRIVATE_TO] = "PRIVATE_TO",
    [EVENT_PRIVATE_OF] = "PRIVATE_OF",
    [EVENT_ERROR] = "ERROR",
    [EVENT_REPLY_TOPIC] = "REPLY_TOPIC",
    [EVENT_REPLY_WHO] = "REPLY_WHO",
    [EVENT_REPLY_ROOMS] = "REPLY_ROOMS",
    [EVENT_REPLY_CLIENTS] = "REPLY_CLIENTS",
    [EVENT_REPLY_DONE] = "REPLY_DONE",
    [EVENT_ECHO] = "ECHO",
    [EVENT_JOINED] = "JOINED",
    [EVENT_LEFT] = "LEFT",
    [EVENT_MESSAGE] = "MESSAGE",
    [EVENT_ACTION] = "ACTION",
    [EVENT_NOTICE] = "NOTICE",
    [EVENT_TOPIC] = "TOPIC",
    [EVENT_QUIT] = "QUIT",
    [EVENT_RENAMED] = "RENAMED",
    [EVENT_TAGS] = "TAGS",
    [EVENT_MODE] = "MODE",
    [EVENT_REMOVED] = "REMOVED",
    [EVENT_ROOM_RENAMED] = "ROOM_RENAMED",
    [EVENT_REDACTED] = "REDACTED",
    [EVENT_AWAY] = "AWAY",
    [EVENT_SETNAME] = "SETNAME",
    [EVENT_INVITED] = "INVITED",
    [EVENT_INVITING] = "INVITING",
    [EVENT_WALLOPS] = "WALLOPS",
    [EVENT_OPERED] = "OPERED",
    [EVENT_USER_MODE] = "USER_MODE",
    [EVENT_ONLINE] = "ONLINE",
    [EVENT_OFFLINE] = "OFFLINE",
    [EVENT_REPLY_NAMES] = "REPLY_NAMES",
    [EVENT_REPLY_LIST] = "REPLY_LIST",
    [EVENT_REPLY_MODE] = "REPLY_MODE",
    [EVENT_REPLY_MASKS] = "REPLY_MASKS",
    [EVENT_REPLY_USER_MODE] = "REPLY_USER_MODE",
    [EVENT_REPLY_INVITES] = "REPLY_INVITES",
    [EVENT_REPLY_WHOX] = "REPLY_WHOX",
    [EVENT_REPLY_WHOIS] = "REPLY_WHOIS",
    [EVENT_REPLY_WHOWAS] = "REPLY_WHOWAS",
    [EVENT_REPLY_USERHOST] = "REPLY_USERHOST",
    [EVENT_REPLY_ISON] = "REPLY_ISON",
    [EVENT_REPLY_MONITOR] = "REPLY_MONITOR",
    [EVENT_REPLY_LUSERS] = "REPLY_LUSERS",
    [EVENT_SEALED] = "SEALED",
};

static const char *const error_names[] = {
    [ERROR_NAME_TAKEN] = "NAME_TAKEN",
    [ERROR_NAME_BAD] = "NAME_BAD",
    [ERROR_NAME_LONG] = "NAME_LONG",
    [ERROR_ROOM_BAD] = "ROOM_BAD",
    [ERROR_ROOM_LONG] = "ROOM_LONG",
    [ERROR_ROOMS_FULL] = "ROOMS_FULL",
    [ERROR_NO_SUCH_ROOM] = "NO_SUCH_ROOM",
    [ERROR_NO_SUCH_NAME] = "NO_SUCH_NAME",
    [ERROR_NOT_IN_ROOM] = "NOT_IN_ROOM",
    [ERROR_IN_ROOM] = "IN_ROOM",
    [ERROR_WHICH_ROOM] = "WHICH_ROOM",
    [ERROR_TOO_MANY_ROOMS] = "TOO_MANY_ROOMS",
    [ERROR_TEXT_EMPTY] = "TEXT_EMPTY",
    [ERROR_TEXT_LONG] = "TEXT_LONG",
    [ERROR_TOPIC_LONG] = "TOPIC_LONG",
    [ERROR_NOT_STORED] = "NOT_STORED",
    [ERROR_DENIED] = "DENIED",
    [ERROR_NAME_ALIKE] = "NAME_ALIKE",
    [ERROR_NOT_RANKED] = "NOT_RANKED",
    [ERROR_KEY] = "KEY",
    [ERROR_BANNED] = "BANNED",
    [ERROR_INVITE_ONLY] = "INVITE_ONLY",
    [ERROR_ROOM_FULL] = "ROOM_FULL",
    [ERROR_CANNOT_SEND] = "CANNOT_SEND",
    [ERROR_NOT_THERE] = "NOT_THERE",
    [ERROR_THERE] = "THERE",
    [ERROR_MODE_UNKNOWN] = "MODE_UNKNOWN",
    [ERROR_MODE_PARAM] = "MODE_PARAM",
    [ERROR_MODE_BAD] = "MODE_BAD",
    [ERROR_LIST_FULL] = "LIST_FULL",
    [ERROR_NOT_SELF] = "NOT_SELF",
    [ERROR_MONITOR_FULL] = "MONITOR_FULL",
    [ERROR_KEY_SET] = "KEY_SET",
    [ERROR_ROOM_TAKEN] = "ROOM_TAKEN",
    [ERROR_RENAME_DENIED] = "RENAME_DENIED",
    [ERROR_REDACT_DENIED] = "REDACT_DENIED",
    [ERROR_REDACT_UNKNOWN] = "REDACT_UNKNOWN",
};

struct output {
    char bytes[OUTPUT_CAP];
    size_t len;
};

static void print(struct output *output, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void print(struct output *output, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(output->bytes + output->len, OUTPUT_CAP - output->len, format, args);
    va_end(args);
    assert_in_range(len, 0, OUTPUT_CAP - output->len - 1);
    output->len += (size_t)len;
}

static char shown(char c)
{
    switch (c) {
    case '\t':
    case '\0':
        return ';';
    case '\n':
        return '/';
    case '\r':
        return '~';
    default:
        return c;
    }
}

static void print_text(struct output *output, const char *key, const char *text, size_t len)
{
    if (len == 0) {
        return;
    }
    print(output, " %s=", key);
    for (size_t i = 0; i < len; i++) {
        print(output, "%c", shown(text[i]));
    }
}

/* The same, but for the source of those who entered without a record. */
static void print_source(struct output *output, const char *key, const char *text, size_t len)
{
    if (strcmp(text, "guest@unknown") != 0) {
        print_text(output, key, text, len);
    }
}

static void print_number(struct output *output, const char *key, uint64_t number)
{
    if (number != 0) {
        print(output, " %s=%" PRIu64, key, number);
    }
}

/* Letters and signs as they are, numbers as numbers. */
static void print_value(struct output *output, const struct event *event)
{
    uint64_t value = event->value;
    if (event->type == EVENT_ENTERED) {
        /* Mostly all of the history may be read. */
        print_number(output, "from", value != 1 ? value : 0);
    } else if (value == EVENT_SEALED_ALL) {
        print(output, " value=all");
    } else if (!event->durable && value > ' ' && value < 0x7f && !(value >= '0' && value <= '9')) {
        print(output, " value=%c", (int)value);
    } else {
        print_number(output, "value", value);
    }
}

static void print_flags(struct output *output, unsigned flags)
{
    static const char *const names[] = {"bot", "own", "watched", "secret"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (flags & (1u << i)) {
            print(output, " %s", names[i]);
        }
    }
}

static void print_audience(struct output *output, const struct event *event)
{
    switch ((enum event_audience)event->audience) {
    case AUDIENCE_SESSION:
        print(output, " @%" PRIu64, event->session);
        print_text(output, "room", event->room, event->room_len);
        break;
    case AUDIENCE_ROOM:
        print(output, " #%s", event->room);
        break;
    case AUDIENCE_ROOMS:
        print(output, " +");
        for (uint32_t i = 0; i < event->room_count; i++) {
            print(output, "%" PRIu32 "+", event->rooms[i]);
        }
        break;
    }
}

static void print_event(struct output *output, const struct event *event)
{
    print(output, "%s", event_names[event->type]);
    print_audience(output, event);
    if (event->type == EVENT_ERROR) {
        print(output, " %s", error_names[event->code]);
    }
    print_text(output, "by", event->actor, event->actor_len);
    print_source(output, "src", event->source, event->source_len);
    print_text(output, "of", event->target, event->target_len);
    print_text(output, "text", event->text, event->text_len);
    print_source(output, "extra", event->extra, event->extra_len);
    print_text(output, "tags", event->tags, event->tags_len);
    if (event->type == EVENT_PRIVATE_TO || event->type == EVENT_PRIVATE_OF) {
        print_number(output, "kind", event->kind);
    }
    print_value(output, event);
    print_flags(output, event->flags);
    print_number(output, "count", event->count);
    print_number(output, "seq", event->seq);
    print_number(output, "n", event->number);
    for (uint32_t i = 0; i < event->recent_count; i++) {
        print(output, " [%s]", event->recent[i]->text);
    }
    print(output, "\n");
}

static const char *check_event(const struct event *event, uint64_t *number, unsigned *used)
{
    if (event->time_ms < TIME_MS && event->type != EVENT_REPLY_TOPIC) {
        return "an event has a time before that of its command";
    }
    bool is_first = event->type == EVENT_ENTERED && event->count == 1;
    if (((event->flags & EVENT_FLAG_NEW) != 0) != is_first) {
        return "who is alone in a room entered it when it was empty, and nobody else";
    }
    if (event->durable) {
        if (event->number != (*number)++) {
            return "durable events are not numbered without gaps";
        }
        (*used)++;
    }
    return NULL;
}

static enum command_type find_command(const char *name)
{
    for (size_t i = 0; i < sizeof(command_names) / sizeof(command_names[0]); i++) {
        if (strcmp(command_names[i], name) == 0) {
            return (enum command_type)i;
        }
    }
    fail_msg("unknown command in a script: %s", name);
    abort();
}

/* Cuts the line at the mark and returns what stands behind it; "" when it has none. */
static char *cut(char *line, const char *mark)
{
    char *at = strstr(line, mark);
    if (at == NULL) {
        return line + strlen(line);
    }
    *at = '\0';
    return at + strlen(mark);
}

static size_t unescape(char *text, char nul)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == ';') {
            text[i] = nul;
        } else if (text[i] == '/') {
            text[i] = '\n';
        } else if (text[i] == '~' && nul == ';') {
            text[i] = '\r';
        }
    }
    return len;
}

static uint8_t find_bit(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return (uint8_t)i;
        }
    }
    fail_msg("unknown flag or kind in a script: %s", name);
    abort();
}

/* What follows the verb: "=V" a value, ".NOTICE" a kind, "/MOVE" a flag. Cuts the verb. */
static void parse_verb(char *verb, struct command_parts *parts)
{
    static const char *const flags[] = {"MOVE", "NAMES", "OPERS", "SECURE", "KEEP"};
    static const char *const kinds[] = {"TEXT", "ACTION", "NOTICE", "TAGS"};
    char *flag = cut(verb, "/");
    if (*flag != '\0') {
        parts->flags = (uint8_t)(1u << find_bit(flag, flags, sizeof(flags) / sizeof(flags[0])));
    }
    char *kind = cut(verb, ".");
    if (*kind != '\0') {
        parts->kind = find_bit(kind, kinds, sizeof(kinds) / sizeof(kinds[0]));
    }
    char *value = cut(verb, "=");
    if (*value != '\0') {
        bool is_number = *value >= '0' && *value <= '9';
        parts->value = is_number ? strtoull(value, NULL, 10) : (unsigned char)*value;
    }
    parts->type = find_command(verb);
}

/* "> *9 KICK alice | rude" without "> ". The line is written over. */
static struct command *parse_command(char *line)
{
    struct command_parts parts = {0};
    parts.tags = cut(line, " @ ");
    parts.tags_len = strlen(parts.tags);
    char *extra = cut(line, " || ");
    parts.extra = extra;
    parts.extra_len = unescape(extra, '\0');
    char *text = cut(line, " | ");
    parts.text = text;
    parts.text_len = unescape(text, strchr(text, ';') != NULL ? '\0' : ';');
    bool is_operator = line[0] == '*';
    parts.authority = is_operator ? AUTHORITY_OPERATOR : AUTHORITY_USER;
    char *verb;
    parts.session = strtoull(line + is_operator, &verb, 10);
    assert_int_equal(*verb, ' ');
    verb++;
    parts.target = cut(verb, " ");
    parts.target_len = strlen(parts.target);
    parse_verb(verb, &parts);
    return command_make(&parts);
}

static void apply_and_roll_back(struct hub *hub, const struct command *command, uint64_t number,
                                struct event_list *events)
{
    uint64_t before = hub_digest(hub);
    hub_begin(hub);
    hub_apply(hub, command, TIME_MS, number, events);
    assert_null(hub_check(hub));
    hub_rollback(hub);
    assert_null(hub_check(hub));
    assert_int_equal(hub_digest(hub), before);
    event_list_clear(events);
}

static void run_command(struct hub *hub, char *line, uint64_t *number, struct output *output)
{
    struct event_list events = {0};
    struct command *command = parse_command(line);
    apply_and_roll_back(hub, command, *number, &events);
    hub_begin(hub);
    unsigned used = hub_apply(hub, command, TIME_MS, *number, &events);
    hub_commit(hub);
    assert_null(hub_check(hub));
    unsigned durable = 0;
    for (size_t i = 0; i < events.count; i++) {
        assert_null(check_event(events.items[i], number, &durable));
        print_event(output, events.items[i]);
    }
    assert_int_equal(used, durable);
    command_destroy(command);
    event_list_finish(&events);
}

void hub_script_run(struct hub *hub, const char *script)
{
    static struct output output;
    uint64_t number = 1;
    output.len = 0;
    for (const char *at = script; *at != '\0';) {
        char line[LINE_CAP];
        size_t len = strcspn(at, "\n");
        assert_in_range(len, 0, LINE_CAP - 1);
        memcpy(line, at, len);
        line[len] = '\0';
        at += len + (at[len] == '\n');
        if (line[0] != '>') {
            continue;
        }
        print(&output, "%s\n", line);
        if (line[2] == '!') {
            hub_set_log_fault(hub, line[3] == ' ' ? line + 4 : NULL);
        } else {
            run_command(hub, line + 2, &number, &output);
        }
    }
    output.bytes[output.len] = '\0';
    assert_string_equal(output.bytes, script);
}
