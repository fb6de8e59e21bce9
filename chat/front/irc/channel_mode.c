/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "front/irc/channel.h"

/* MODE, of channels and of users, and what answers it. */

static const struct irc_mode_types room_types = {
    .list = IRC_LIST_MODES,
    .always = IRC_ALWAYS_MODES,
    .when_on = IRC_WHEN_ON_MODES,
    .flag = IRC_FLAG_MODES,
    .member = IRC_MEMBER_MODES,
};

static const struct irc_mode_types user_types = {.flag = IRC_USER_MODES};

/* Whether a list was asked for already: one line is answered with each once. */
static bool is_asked_again(const struct irc_mode_change *changes, size_t at)
{
    const struct irc_mode_change *change = &changes[at];
    for (size_t i = 0; change->type == IRC_MODE_LIST && !change->param.text && i < at; i++) {
        if (changes[i].letter == change->letter && !changes[i].param.text) {
            return true;
        }
    }
    return false;
}

/* Changes as command.h has them. What is wrong with one is the hub's to say, in its turn. */
static void put_changes(struct record_out *out, const struct irc_mode_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct irc_mode_change *change = &changes[i];
        if (is_asked_again(changes, i)) {
            continue;
        }
        const char letter[] = {change->is_on ? '+' : '-', change->letter};
        bool is_bare = change->fault == IRC_MODE_NO_PARAM ||
                       (change->type == IRC_MODE_LIST && !change->param.text);
        record_put(out, letter, sizeof(letter));
        record_put(out, change->param.text ? change->param.text : "", change->param.len);
        if (is_bare) {
            record_puts(out, "?");
        }
        record_end(out);
    }
}

bool irc_mode_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span target = message->params[0];
    struct irc_mode_change changes[IRC_MODE_CHANGES_MAX];
    struct record_out out = {0};
    size_t count = 0;
    bool is_room = irc_name_is_channel(target);
    if (!is_room && (target.len == 0 || target.text[0] == IRC_CHANNEL_TYPE)) {
        if (line->in_turn) {
            irc_reply(irc, IRC_ERR_NOSUCHCHANNEL, target);
        }
        return false;
    }
    (void)irc_mode_parse(is_room ? &room_types : &user_types, message->params + 1,
                         message->param_count - 1, changes, &count);
    put_changes(&out, changes, count);
    irc_ask(irc, is_room ? COMMAND_MODE : COMMAND_USER_MODE, target,
            irc_span_of(out.bytes, out.len));
    record_out_finish(&out);
    return true;
}

/* ---- answers ---- */

void irc_modes_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[3];
    char channel[IRC_CHANNEL_CAP];
    struct irc_writer writer;
    if (!record_next(&in, fields, 3)) {
        return;
    }
    struct irc_span name = irc_channel(event->room, event->room_len, channel);
    irc_start(irc, &writer);
    irc_numeric_start(&writer, irc_server_name(irc), IRC_RPL_CHANNELMODEIS, irc_nick(irc));
    irc_writer_put_param(&writer, name);
    irc_writer_put_param(&writer, irc_field(&fields[0]));
    struct irc_span params = irc_field(&fields[1]);
    while (params.len > 0) {
        size_t len = strcspn(params.text, " ");
        irc_writer_put_param(&writer, irc_span_of(params.text, len));
        len += params.text[len] == ' ';
        params = irc_span_of(params.text + len, params.len - len);
    }
    irc_send(irc, &writer);
    irc_reply(irc, IRC_RPL_CREATIONTIME, name, irc_field(&fields[2]));
}

static void mask_line(struct irc_session *irc, enum irc_numeric numeric, struct irc_span channel,
                      const struct record_field fields[3])
{
    struct irc_writer writer;
    /* Where name, mask and setter together are too long the mask alone goes. */
    for (size_t count = 3; count > 0; count -= 2) {
        irc_start(irc, &writer);
        irc_numeric_start(&writer, irc_server_name(irc), numeric, irc_nick(irc));
        irc_writer_put_param(&writer, channel);
        for (size_t i = 0; i < count; i++) {
            irc_writer_put_param(&writer,
                                 fields[i].len > 0 ? irc_field(&fields[i]) : irc_span(IRC_NO_NAME));
        }
        if (!writer.is_refused || count == 1) {
            irc_send(irc, &writer);
            return;
        }
    }
}

void irc_masks_reply(struct irc_session *irc, const struct event *event)
{
    enum irc_numeric numeric = IRC_RPL_BANLIST, end = IRC_RPL_ENDOFBANLIST;
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[3];
    char channel[IRC_CHANNEL_CAP];
    struct irc_span name = irc_channel(event->room, event->room_len, channel);
    if (event->value == 'e') {
        numeric = IRC_RPL_EXCEPTLIST;
        end = IRC_RPL_ENDOFEXCEPTLIST;
    } else if (event->value == 'I') {
        numeric = IRC_RPL_INVEXLIST;
        end = IRC_RPL_ENDOFINVEXLIST;
    }
    while (record_next(&in, fields, 3)) {
        mask_line(irc, numeric, name, fields);
    }
    irc_reply(irc, end, name);
}

void irc_user_mode(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field change;
    while (record_next(&in, &change, 1)) {
        bool is_on = change.text[0] == '+';
        if (change.len == 2 && change.text[1] == 'o') {
            irc->is_operator = is_on;
        } else if (change.len == 2 && change.text[1] == 'B') {
            irc->bot = is_on;
        }
    }
    irc_write_event(irc, event);
}
