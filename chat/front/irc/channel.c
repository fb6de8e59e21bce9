/* SPDX-License-Identifier: MIT */
#include "front/irc/channel.h"

#include <stdio.h>
#include <string.h>

/*
 * Channels: JOIN, PART, TOPIC, NAMES, INVITE, KICK, RENAME. What may be done is the hub's to say;
 * here a line becomes commands, one for each channel or nick it names. MODE and LIST are in files
 * of their own, what the hub answers is in channel_event.c.
 */

struct irc_span irc_fit(struct irc_span text, size_t max)
{
    if (text.len > max) {
        while (max > 0 && ((unsigned char)text.text[max] & 0xc0) == 0x80) {
            max--;
        }
        text.len = max;
    }
    return text;
}

static size_t count_items(struct irc_span list)
{
    struct irc_span item;
    size_t count = 0;
    while (irc_name_next(&list, &item)) {
        count++;
    }
    return count;
}

/* Says that too little was given, which can only be said in turn. */
static bool need_more(struct irc_session *irc, const struct irc_line *line, const char *command)
{
    if (line->in_turn) {
        irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, irc_span(command));
    }
    return false;
}

/* Whether it is a channel; else it is told, in turn. */
static bool is_channel(struct irc_session *irc, const struct irc_line *line,
                       struct irc_span channel)
{
    bool is_one = irc_name_is_channel(channel);
    if (!is_one && line->in_turn) {
        irc_reply(irc, IRC_ERR_NOSUCHCHANNEL, channel);
    }
    return is_one;
}

/* The same for one of a list, in which the answers come in the order of what was asked for. */
static bool is_listed_channel(struct irc_session *irc, struct irc_span channel,
                              enum irc_numeric otherwise)
{
    bool is_one = irc_name_is_channel(channel);
    if (!is_one) {
        irc_finally(irc, otherwise, channel);
    }
    return is_one;
}

/* ---- JOIN and PART ---- */

/* The key at this place of the list, which counts empty ones: "JOIN #a,#b ,key". */
static struct irc_span take_key(struct irc_span *keys)
{
    const char *comma = keys->len > 0 ? memchr(keys->text, ',', keys->len) : NULL;
    size_t len = comma ? (size_t)(comma - keys->text) : keys->len;
    struct irc_span key = irc_span_of(keys->text, len);
    size_t used = comma ? len + 1 : len;
    *keys = irc_span_of(keys->text + used, keys->len - used);
    return key;
}

static void join(struct irc_session *irc, struct irc_span channel, struct irc_span key)
{
    irc_submit(irc, &(struct command_parts){.type = COMMAND_JOIN,
                                            .flags = COMMAND_FLAG_NAMES,
                                            .target = channel.text,
                                            .target_len = channel.len,
                                            .extra = key.text,
                                            .extra_len = key.len});
}

/* "JOIN 0": out of all. Which those are is known when all before is done. */
static bool leave_all(struct irc_session *irc, const struct irc_line *line)
{
    const struct session *session = &irc->base;
    for (uint32_t i = 0; line->in_turn && i < session->membership_cap; i++) {
        const struct room_group *group = session->memberships[i].group;
        if (group) {
            irc_ask(irc, COMMAND_LEAVE, irc_span_of(group->room->name, group->room->name_len),
                    irc_span(""));
        }
    }
    return line->in_turn;
}

static bool do_join(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span list = message->params[0], channel;
    struct irc_span keys = message->param_count > 1 ? message->params[1] : irc_span("");
    if (irc_span_is(list, "0")) {
        return leave_all(irc, line);
    }
    if (count_items(list) == 0) {
        return need_more(irc, line, "JOIN");
    }
    while (irc_name_next(&list, &channel)) {
        struct irc_span key = take_key(&keys);
        /* "#" is a channel's name gone wrong, as "##" is; "room" is the name of no channel. */
        bool is_marked = channel.text[0] == IRC_CHANNEL_TYPE;
        if (is_listed_channel(irc, channel,
                              is_marked ? IRC_ERR_BADCHANMASK : IRC_ERR_NOSUCHCHANNEL)) {
            join(irc, channel, key);
        }
    }
    return true;
}

static bool do_part(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span list = message->params[0], channel;
    struct irc_span reason = message->param_count > 1 ? message->params[1] : irc_span("");
    if (count_items(list) == 0) {
        return need_more(irc, line, "PART");
    }
    while (irc_name_next(&list, &channel)) {
        if (is_listed_channel(irc, channel, IRC_ERR_NOSUCHCHANNEL)) {
            irc_ask(irc, COMMAND_LEAVE, channel, reason);
        }
    }
    return true;
}

/* ---- TOPIC, NAMES ---- */

static bool do_topic(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span channel = message->params[0];
    if (!is_channel(irc, line, channel)) {
        return false;
    }
    if (message->param_count == 1) {
        irc_ask(irc, COMMAND_GET_TOPIC, channel, irc_span(""));
    } else {
        irc_ask(irc, COMMAND_TOPIC, channel,
                irc_fit(message->params[1], shard_settings(irc->base.shard)->topic_max));
    }
    return true;
}

/* Each has its own end. What is no channel has no names, and no error either (RFC 2812 3.2.5). */
static bool do_names(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span list = message->param_count > 0 ? message->params[0] : irc_span("");
    struct irc_span channel;
    size_t count = 0;
    for (; count < IRC_TARGETS_MAX && irc_name_next(&list, &channel); count++) {
        if (irc_name_is_channel(channel)) {
            irc_ask(irc, COMMAND_NAMES, channel, irc_span(""));
        } else {
            irc_finally(irc, IRC_RPL_ENDOFNAMES, channel);
        }
    }
    if (count == 0) {
        irc_finally(irc, IRC_RPL_ENDOFNAMES, irc_span("*"));
    }
    return true;
}

/* ---- INVITE, KICK, RENAME ---- */

static bool do_invite(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    const struct irc_span *params = message->params;
    if (message->param_count == 0) {
        irc_ask(irc, COMMAND_INVITE, irc_span(""), irc_span(""));
        return true;
    }
    if (message->param_count < 2 || params[0].len == 0) {
        return need_more(irc, line, "INVITE");
    }
    if (!is_channel(irc, line, params[1])) {
        return false;
    }
    irc_submit(irc, &(struct command_parts){.type = COMMAND_INVITE,
                                            .target = params[1].text,
                                            .target_len = params[1].len,
                                            .extra = params[0].text,
                                            .extra_len = params[0].len});
    return true;
}

static void kick(struct irc_session *irc, struct irc_span channel, struct irc_span nick,
                 struct irc_span reason)
{
    irc_submit(irc, &(struct command_parts){.type = COMMAND_REMOVE,
                                            .target = channel.text,
                                            .target_len = channel.len,
                                            .extra = nick.text,
                                            .extra_len = nick.len,
                                            .text = reason.text,
                                            .text_len = reason.len});
}

/* One channel and some nicks, or as many channels as nicks (RFC 2812 3.2.8). */
static bool do_kick(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span channels = message->params[0], nicks = message->params[1];
    struct irc_span reason = message->param_count > 2 ? message->params[2] : irc_span("");
    struct irc_span channel = irc_span(""), nick;
    size_t channel_count = count_items(channels), nick_count = count_items(nicks);
    bool is_paired = channel_count != 1;
    if (nick_count == 0 || (is_paired && channel_count != nick_count)) {
        return need_more(irc, line, "KICK");
    }
    for (size_t i = 0; i < IRC_TARGETS_MAX && irc_name_next(&nicks, &nick); i++) {
        if (i == 0 || is_paired) {
            (void)irc_name_next(&channels, &channel);
        }
        if (is_listed_channel(irc, channel, IRC_ERR_NOSUCHCHANNEL)) {
            kick(irc, channel, nick, reason);
        }
    }
    return true;
}

/* draft/channel-rename */
static bool do_rename(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span from = message->params[0], to = message->params[1];
    struct irc_span reason = message->param_count > 2 ? message->params[2] : irc_span("");
    char both[IRC_BODY_MAX_BYTES];
    if (!is_channel(irc, line, from)) {
        return false;
    }
    if (!irc_name_is_channel(to)) {
        if (line->in_turn) {
            irc_fail(irc, "RENAME", IRC_STANDARD_CANNOT_RENAME, from, to);
        }
        return false;
    }
    int n =
        snprintf(both, sizeof(both), "%.*s %.*s", (int)from.len, from.text, (int)to.len, to.text);
    irc_note(irc, IRC_NOTE_RENAME, irc_span_of(both, (size_t)n));
    irc_submit(irc, &(struct command_parts){.type = COMMAND_RENAME_ROOM,
                                            .target = from.text,
                                            .target_len = from.len,
                                            .extra = to.text,
                                            .extra_len = to.len,
                                            .text = reason.text,
                                            .text_len = reason.len});
    return true;
}

const struct irc_command irc_channel_commands[] = {
    {.name = "JOIN",
     .fn = do_join,
     .least = 1,
     .when = IRC_AFTER,
     .cost = 1,
     .list = 1,
     .share = 4},
    {.name = "PART",
     .fn = do_part,
     .least = 1,
     .when = IRC_AFTER,
     .cost = 1,
     .list = 1,
     .share = 4},
    {.name = "TOPIC", .fn = do_topic, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "NAMES", .fn = do_names, .least = 0, .when = IRC_AFTER, .cost = 2, .list = 1},
    {.name = "LIST", .fn = irc_list_command, .least = 0, .when = IRC_AFTER, .cost = 3},
    {.name = "INVITE", .fn = do_invite, .least = 0, .when = IRC_AFTER, .cost = 1},
    {.name = "KICK", .fn = do_kick, .least = 2, .when = IRC_AFTER, .cost = 1, .list = 2},
    {.name = "MODE", .fn = irc_mode_command, .least = 1, .when = IRC_AFTER, .cost = 1},
    {.name = "RENAME", .fn = do_rename, .least = 2, .when = IRC_AFTER, .cost = 5},
    {.name = NULL},
};
