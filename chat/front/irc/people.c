/* SPDX-License-Identifier: MIT */
#include "front/irc/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * People: AWAY, SETNAME, USERHOST, ISON, LUSERS, and what one is told of others. WHO, WHOIS,
 * WHOWAS and MONITOR are in files of their own.
 */

#define USERHOST_MAX 5 /* names of one line (RFC 2812 4.8) */

static bool do_away(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    irc_ask(irc, COMMAND_AWAY, irc_span(""),
            message->param_count > 0 ? message->params[0] : irc_span(""));
    return true;
}

static bool is_blank(struct irc_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.text[i] != ' ') {
            return false;
        }
    }
    return true;
}

static bool do_setname(struct irc_session *irc, const struct irc_line *line)
{
    struct irc_span name = line->message.params[0];
    if (is_blank(name) || name.len > REAL_NAME_MAX_BYTES) {
        /* Who has not asked for the capability is not told, as of old. */
        if (line->in_turn && irc->caps & IRC_CAP(SETNAME)) {
            irc_fail(irc, "SETNAME", IRC_STANDARD_INVALID_REALNAME);
        }
        return false;
    }
    irc_ask(irc, COMMAND_SETNAME, irc_span(""), name);
    return true;
}

/* ---- short questions ---- */

/* Names as so many parameters, or by spaces in one. */
static void ask_of_names(struct irc_session *irc, enum command_type type,
                         const struct irc_message *message, size_t max)
{
    struct record_out names = {0};
    for (size_t i = 0; i < message->param_count; i++) {
        struct irc_span rest = message->params[i];
        while (rest.len > 0 && names.count < max) {
            const char *space = memchr(rest.text, ' ', rest.len);
            size_t len = space ? (size_t)(space - rest.text) : rest.len;
            if (len > 0) {
                record_put(&names, rest.text, len);
                record_end(&names);
            }
            len += space ? 1 : 0;
            rest = irc_span_of(rest.text + len, rest.len - len);
        }
    }
    irc_submit(irc,
               &(struct command_parts){.type = type, .extra = names.bytes, .extra_len = names.len});
    record_out_finish(&names);
}

static bool do_userhost(struct irc_session *irc, const struct irc_line *line)
{
    ask_of_names(irc, COMMAND_USERHOST, &line->message, USERHOST_MAX);
    return true;
}

static bool do_ison(struct irc_session *irc, const struct irc_line *line)
{
    ask_of_names(irc, COMMAND_ISON, &line->message, SIZE_MAX);
    return true;
}

static void userhost_reply(struct irc_session *irc, const struct event *event)
{
    enum { NAME, OPERATOR, AWAY, USER, HOST, COUNT };
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[COUNT];
    struct irc_items items;
    char text[NAME_CEILING_BYTES + USER_MAX_BYTES + HOST_MAX_BYTES + 16];
    irc_items_begin(&items, irc, IRC_RPL_USERHOST, NULL, 0, ' ');
    while (record_next(&in, fields, COUNT)) {
        int n =
            snprintf(text, sizeof(text), "%s%s=%s%s@%s", fields[NAME].text, fields[OPERATOR].text,
                     fields[AWAY].text, fields[USER].text, fields[HOST].text);
        irc_items_add(&items,
                      irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    }
    irc_items_end(&items, true);
}

static void ison_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field name;
    struct irc_items items;
    irc_items_begin(&items, irc, IRC_RPL_ISON, NULL, 0, ' ');
    while (record_next(&in, &name, 1)) {
        irc_items_add(&items, irc_field(&name));
    }
    irc_items_end(&items, true);
}

/* ---- LUSERS ---- */

static bool do_lusers(struct irc_session *irc, const struct irc_line *line)
{
    (void)line;
    irc_ask(irc, COMMAND_LUSERS, irc_span(""), irc_span(""));
    return true;
}

static struct irc_span number(uint64_t value, char ret[24])
{
    int n = snprintf(ret, 24, "%llu", (unsigned long long)value);
    return irc_span_of(ret, (size_t)n);
}

static void lusers_reply(struct irc_session *irc, const struct event *event)
{
    enum { USERS, INVISIBLE, OPERATORS, ROOMS, MOST, COUNT };
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[COUNT];
    const struct shard_env *env = &irc->base.shard->env;
    char visible[24], unknown[24];
    if (!record_next(&in, fields, COUNT)) {
        return;
    }
    struct irc_span users = irc_field(&fields[USERS]), most = irc_field(&fields[MOST]);
    uint64_t shown = record_number(&fields[USERS]) - record_number(&fields[INVISIBLE]);
    irc_numeric_values(
        irc, IRC_RPL_LUSERCLIENT, NULL, 0,
        IRC_SPANS(number(shown, visible), irc_field(&fields[INVISIBLE]), irc_span("1")));
    irc_reply(irc, IRC_RPL_LUSEROP, irc_field(&fields[OPERATORS]));
    irc_reply(irc, IRC_RPL_LUSERUNKNOWN, number(env->unregistered(env->user), unknown));
    irc_reply(irc, IRC_RPL_LUSERCHANNELS, irc_field(&fields[ROOMS]));
    irc_numeric_values(irc, IRC_RPL_LUSERME, NULL, 0, IRC_SPANS(users, irc_span("1")));
    const struct irc_span both[] = {users, most};
    irc_numeric_values(irc, IRC_RPL_LOCALUSERS, both, 2, both, 2);
    irc_numeric_values(irc, IRC_RPL_GLOBALUSERS, both, 2, both, 2);
}

const struct irc_command irc_people_commands[] = {
    {.name = "WHO", .fn = irc_who_command, .least = 1, .when = IRC_AFTER, .cost = 2},
    {.name = "WHOIS", .fn = irc_whois_command, .least = 0, .when = IRC_AFTER, .cost = 1, .list = 2},
    {.name = "WHOWAS",
     .fn = irc_whowas_command,
     .least = 0,
     .when = IRC_AFTER,
     .cost = 2,
     .list = 1},
    {.name = "USERHOST", .fn = do_userhost, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "ISON", .fn = do_ison, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "AWAY", .fn = do_away, .least = 0, .when = IRC_AFTER, .cost = 1},
    {.name = "SETNAME", .fn = do_setname, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "MONITOR", .fn = irc_monitor_command, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "LUSERS", .fn = do_lusers, .least = 0, .when = IRC_AFTER, .cost = 1},
    {.name = NULL},
};

/* ---- what becomes of oneself and others ---- */

/* Of somebody one shares no room with: extended-monitor, and the capability of the event, which
 * irc_encode asks for. */
static void watched(struct irc_session *irc, const struct event *event)
{
    if (irc->caps & IRC_CAP(EXTENDED_MONITOR)) {
        irc_write_event(irc, event);
    }
}

static void away(struct irc_session *irc, const struct event *event)
{
    if (event->flags & EVENT_FLAG_WATCHED) {
        watched(irc, event);
    } else {
        irc_reply0(irc, event->text_len > 0 ? IRC_RPL_NOWAWAY : IRC_RPL_UNAWAY);
    }
}

static void setname(struct irc_session *irc, const struct event *event)
{
    if (event->flags & EVENT_FLAG_WATCHED) {
        watched(irc, event);
        return;
    }
    free(irc->real_name);
    irc->real_name = xmemdup0(event->text, event->text_len);
    irc_write_event(irc, event);
}

bool irc_people_event(struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_AWAY:
        away(irc, event);
        return true;
    case EVENT_SETNAME:
        setname(irc, event);
        return true;
    case EVENT_ONLINE:
    case EVENT_OFFLINE:
    case EVENT_REPLY_MONITOR:
        irc_monitor_event(irc, event);
        return true;
    case EVENT_REPLY_WHOX:
        irc_who_reply(irc, event);
        return true;
    case EVENT_REPLY_WHOIS:
        irc_whois_reply(irc, event);
        return true;
    case EVENT_REPLY_WHOWAS:
        irc_whowas_reply(irc, event);
        return true;
    case EVENT_REPLY_USERHOST:
        userhost_reply(irc, event);
        return true;
    case EVENT_REPLY_ISON:
        ison_reply(irc, event);
        return true;
    case EVENT_REPLY_LUSERS:
        lusers_reply(irc, event);
        return true;
    default:
        return false;
    }
}
