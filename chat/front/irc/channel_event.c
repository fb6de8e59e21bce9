/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "front/irc/channel.h"

/* What the hub tells one session of rooms: its own coming and going, invitations, answers. */

static void topic_lines(struct irc_session *irc, const struct event *event, const char *setter,
                        const char *setter_source, int64_t time_ms)
{
    char channel[IRC_CHANNEL_CAP], who[NAME_CEILING_BYTES + USER_MAX_BYTES + HOST_MAX_BYTES + 8];
    char when[24];
    struct irc_span name = irc_channel(event->room, event->room_len, channel);
    int n =
        snprintf(who, sizeof(who), "%s%s%s", setter, setter_source[0] ? "!" : "", setter_source);
    int w = snprintf(when, sizeof(when), "%" PRId64, time_ms / 1000);
    irc_numeric_text(irc, IRC_RPL_TOPIC, &name, 1, irc_span_of(event->text, event->text_len));
    irc_reply(irc, IRC_RPL_TOPICWHOTIME, name,
              irc_span_of(who, n < (int)sizeof(who) ? (size_t)n : sizeof(who) - 1),
              irc_span_of(when, (size_t)w));
}

/* The own JOIN; what else a joining member is told; the names come behind it. */
static void enter(struct irc_session *irc, const struct event *event)
{
    struct event own = *event;
    char channel[IRC_CHANNEL_CAP];
    struct irc_span real_name = irc_fit(irc_span(irc->real_name), REAL_NAME_MAX_BYTES);
    own.extra = real_name.text;
    own.extra_len = (uint32_t)real_name.len;
    irc_bulk_begin(irc);
    irc_write_event(irc, &own);
    if (event->text_len > 0) {
        topic_lines(irc, event, event->target, event->extra, (int64_t)event->peer);
    }
    irc_marks_tell(irc, irc_channel(event->room, event->room_len, channel));
}

static void topic_reply(struct irc_session *irc, const struct event *event)
{
    char channel[IRC_CHANNEL_CAP];
    char *note = irc_take_note(irc, IRC_NOTE_TOPIC);
    if (event->text_len > 0) {
        topic_lines(irc, event, event->actor, event->source, event->time_ms);
    } else if (!note) {
        irc_reply(irc, IRC_RPL_NOTOPIC, irc_channel(event->room, event->room_len, channel));
    }
    free(note);
}

/* ---- names ---- */

enum { FIELD_PREFIXES, FIELD_NAME, FIELD_USER, FIELD_HOST, FIELD_COUNT };

static void add_name(const struct irc_session *irc, struct irc_items *items,
                     const struct record_field fields[FIELD_COUNT])
{
    char text[NAME_CEILING_BYTES + USER_MAX_BYTES + HOST_MAX_BYTES + 16];
    const struct record_field *prefixes = &fields[FIELD_PREFIXES];
    size_t shown = irc->caps & IRC_CAP(MULTI_PREFIX) || prefixes->len == 0 ? prefixes->len : 1;
    int n =
        snprintf(text, sizeof(text), "%.*s%s", (int)shown, prefixes->text, fields[FIELD_NAME].text);
    if (irc->caps & IRC_CAP(USERHOST_IN_NAMES)) {
        n += snprintf(text + n, sizeof(text) - (size_t)n, "!%s@%s", fields[FIELD_USER].text,
                      fields[FIELD_HOST].text);
    }
    irc_items_add(items, irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
}

static void names_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[FIELD_COUNT];
    struct irc_items items;
    char channel[IRC_CHANNEL_CAP];
    /* Of a room that there is not, the name as it was asked for: with its '#'. */
    struct irc_span name = event->room_len > 0 ? irc_channel(event->room, event->room_len, channel)
                                               : irc_span_of(event->target, event->target_len);
    const struct irc_span params[] = {irc_span(event->flags & EVENT_FLAG_SECRET ? "@" : "="), name};
    irc_items_begin(&items, irc, IRC_RPL_NAMREPLY, params, 2, ' ');
    bool is_all = true;
    irc_bulk_begin(irc);
    while (is_all && record_next(&in, fields, FIELD_COUNT)) {
        is_all = irc_has_room(irc);
        if (is_all) {
            add_name(irc, &items, fields);
        }
    }
    irc_items_end(&items, false);
    if (!is_all) {
        irc_reply(irc, IRC_ERR_TOOMANYMATCHES, irc_span("NAMES"), name);
    }
    irc_reply(irc, IRC_RPL_ENDOFNAMES, name);
    irc_bulk_end(irc);
}

/* ---- invitations ---- */

static void inviting(struct irc_session *irc, const struct event *event)
{
    char channel[IRC_CHANNEL_CAP];
    struct irc_span nick = irc_span_of(event->target, event->target_len);
    irc_reply(irc, IRC_RPL_INVITING, nick, irc_channel(event->room, event->room_len, channel));
    if (event->extra_len > 0) {
        irc_numeric_text(irc, IRC_RPL_AWAY, &nick, 1, irc_span_of(event->extra, event->extra_len));
    }
}

static void invites_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field room;
    char channel[IRC_CHANNEL_CAP];
    while (record_next(&in, &room, 1)) {
        irc_reply(irc, IRC_RPL_INVITELIST, irc_channel(room.text, room.len, channel));
    }
    irc_reply0(irc, IRC_RPL_ENDOFINVITELIST);
}

/* ---- draft/channel-rename ---- */

/* An event of this session's own in the room of that name. */
static void write_own(struct irc_session *irc, const struct event *event, enum event_type type,
                      struct irc_span room, struct irc_span text)
{
    char source[USER_MAX_BYTES + HOST_MAX_BYTES + 8];
    struct irc_span real_name = irc_fit(irc_span(irc->real_name), REAL_NAME_MAX_BYTES);
    int n = snprintf(source, sizeof(source), "%s@%s", irc->user, irc->host);
    const struct event own = {
        .type = (uint8_t)type,
        .time_ms = event->time_ms,
        .identity = irc->identity,
        .flags = irc->bot ? EVENT_FLAG_BOT : 0,
        .room = room.text,
        .room_len = (uint32_t)room.len,
        .actor = irc->nick,
        .actor_len = (uint32_t)strlen(irc->nick),
        .target = "",
        .text = text.text,
        .text_len = (uint32_t)text.len,
        .source = source,
        .source_len = n < (int)sizeof(source) ? (uint32_t)n : (uint32_t)sizeof(source) - 1,
        .account = "",
        .tags = "",
        .extra = real_name.text,
        .extra_len = (uint32_t)real_name.len,
    };
    irc_write_event(irc, &own);
}

/* Whether a room's new name is the old one in other case: then nobody has to come in again. */
static bool is_same_room(const struct event *event)
{
    size_t old_len, new_len;
    char *old = name_fold(event->room, event->room_len, &old_len);
    char *new = name_fold(event->target, event->target_len, &new_len);
    bool is_same = old && new &&old_len == new_len &&memcmp(old, new, old_len) == 0;
    free(old);
    free(new);
    return is_same;
}

void irc_on_room_renamed(struct session *session, const struct event *event)
{
    struct irc_session *irc = (struct irc_session *)session;
    struct irc_label *held = irc->label;
    char channel[IRC_CHANNEL_CAP];
    if ((irc->caps & IRC_CAP(CHANNEL_RENAME)) || is_same_room(event)) {
        return;
    }
    if (event->session != session->id) {
        irc->label = NULL; /* no answer to what is under way */
    }
    struct irc_span name = irc_channel(event->target, event->target_len, channel);
    write_own(irc, event, EVENT_GONE_FROM, irc_span_of(event->room, event->room_len),
              irc_span_of(event->text, event->text_len));
    write_own(irc, event, EVENT_ENTERED, irc_span_of(event->target, event->target_len),
              irc_span(""));
    irc_marks_tell(irc, name);
    irc->label = held;
    irc_aside(irc, true);
    irc_note(irc, IRC_NOTE_TOPIC, irc_span(""));
    irc_ask(irc, COMMAND_GET_TOPIC, name, irc_span(""));
    irc_ask(irc, COMMAND_NAMES, name, irc_span(""));
    irc_aside(irc, false);
}

/* What happens to the session in rooms. */
static bool own_event(struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_ENTERED:
        enter(irc, event);
        return true;
    case EVENT_GONE_FROM:
        if (event->code != GONE_REMOVED) { /* that was a KICK */
            irc_write_event(irc, event);
        }
        return true;
    case EVENT_INVITED:
        irc_write_event(irc, event);
        return true;
    case EVENT_INVITING:
        inviting(irc, event);
        return true;
    case EVENT_USER_MODE:
        irc_user_mode(irc, event);
        return true;
    default:
        return false;
    }
}

bool irc_channel_event(struct irc_session *irc, const struct event *event)
{
    switch (event->type) {
    case EVENT_REPLY_TOPIC:
        topic_reply(irc, event);
        return true;
    case EVENT_REPLY_NAMES:
        names_reply(irc, event);
        return true;
    case EVENT_REPLY_LIST:
        irc_list_reply(irc, event);
        return true;
    case EVENT_REPLY_MODE:
        irc_modes_reply(irc, event);
        return true;
    case EVENT_REPLY_MASKS:
        irc_masks_reply(irc, event);
        return true;
    case EVENT_REPLY_INVITES:
        invites_reply(irc, event);
        return true;
    case EVENT_REPLY_USER_MODE:
        irc_reply(irc, IRC_RPL_UMODEIS, irc_span_of(event->text, event->text_len));
        return true;
    default:
        return own_event(irc, event);
    }
}
