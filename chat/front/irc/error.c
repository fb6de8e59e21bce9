/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "front/irc/irc_internal.h"

/* What the hub refuses, as the numerics that IRC has for it. */

static struct irc_span room_span(const struct event *event, char ret[IRC_CHANNEL_CAP])
{
    const char *name = event->text_len > 0 ? event->text : event->room;
    size_t len = event->text_len > 0 ? event->text_len : event->room_len;
    if (len > 0 && name[0] == IRC_CHANNEL_TYPE) {
        return irc_span_of(name, len);
    }
    return irc_channel(name, len, ret);
}

/* Errors whose numeric has the room as its only parameter. */
static bool room_error(struct irc_session *irc, const struct event *event)
{
    static const struct {
        enum event_error code;
        enum irc_numeric numeric;
    } rows[] = {
        /* Modern IRC has 476 for a name that no channel can have, and 403 for one that might; 479
         * is not in it. What is only longer than CHANNELLEN may be a channel's elsewhere, and
         * servers say 403 to it. */
        {ERROR_ROOM_BAD, IRC_ERR_BADCHANMASK},
        {ERROR_ROOM_LONG, IRC_ERR_NOSUCHCHANNEL},
        {ERROR_NO_SUCH_ROOM, IRC_ERR_NOSUCHCHANNEL},
        {ERROR_NOT_IN_ROOM, IRC_ERR_NOTONCHANNEL},
        {ERROR_NOT_RANKED, IRC_ERR_CHANOPRIVSNEEDED},
        {ERROR_KEY, IRC_ERR_BADCHANNELKEY},
        {ERROR_BANNED, IRC_ERR_BANNEDFROMCHAN},
        {ERROR_INVITE_ONLY, IRC_ERR_INVITEONLYCHAN},
        {ERROR_ROOM_FULL, IRC_ERR_CHANNELISFULL},
        {ERROR_CANNOT_SEND, IRC_ERR_CANNOTSENDTOCHAN},
        {ERROR_KEY_SET, IRC_ERR_KEYSET},
    };
    char channel[IRC_CHANNEL_CAP];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (event->code == rows[i].code) {
            irc_reply(irc, rows[i].numeric, room_span(event, channel));
            return true;
        }
    }
    return false;
}

static bool name_error(struct irc_session *irc, const struct event *event)
{
    struct irc_span text = irc_span_of(event->text, event->text_len);
    switch (event->code) {
    case ERROR_NAME_TAKEN:
        irc_reply(irc, IRC_ERR_NICKNAMEINUSE, text);
        return true;
    case ERROR_NAME_ALIKE:
        if (event->asked == COMMAND_JOIN) {
            char channel[IRC_CHANNEL_CAP];
            irc_numeric_text(irc, IRC_ERR_NOSUCHCHANNEL, IRC_SPANS(room_span(event, channel)),
                             irc_span("Channel name looks like one that is already in use"));
            return true;
        }
        irc_numeric_text(irc, IRC_ERR_NICKNAMEINUSE, &text, 1,
                         irc_span("Nickname looks like one that is already in use"));
        return true;
    case ERROR_NAME_BAD:
    case ERROR_NAME_LONG:
        irc_reply(irc, IRC_ERR_ERRONEUSNICKNAME, text);
        return true;
    case ERROR_NO_SUCH_NAME:
        if (event->asked == COMMAND_WHOWAS) {
            irc_reply(irc, IRC_ERR_WASNOSUCHNICK, text);
        } else {
            irc_reply(irc, IRC_ERR_NOSUCHNICK, text);
        }
        return true;
    default:
        return false;
    }
}

static bool mode_error(struct irc_session *irc, const struct event *event)
{
    char channel[IRC_CHANNEL_CAP];
    struct irc_span text = irc_span_of(event->text, event->text_len);
    struct irc_span extra = irc_span_of(event->extra, event->extra_len);
    struct irc_span target =
        event->room_len > 0 ? irc_channel(event->room, event->room_len, channel) : irc_nick(irc);
    switch (event->code) {
    case ERROR_MODE_UNKNOWN:
        /* Modes are bytes: of a character beyond ASCII the first stands for it, as '?'. */
        if (text.len > 0 && ((unsigned char)text.text[0] & 0xc0) == 0x80) {
            return true;
        }
        text = text.len > 0 && (unsigned char)text.text[0] > 0x7f ? irc_span("?") : text;
        if (event->room_len > 0) {
            irc_reply(irc, IRC_ERR_UNKNOWNMODE, text);
        } else {
            irc_reply0(irc, IRC_ERR_UMODEUNKNOWNFLAG);
        }
        return true;
    case ERROR_MODE_PARAM:
        irc_numeric_text(irc, IRC_ERR_INVALIDMODEPARAM, IRC_SPANS(target, text, irc_span("*")),
                         irc_span("You must specify a parameter for this mode"));
        return true;
    case ERROR_MODE_BAD:
        /* A key that will not do is a key all the same: it is not repeated. */
        irc_numeric_text(irc, IRC_ERR_INVALIDMODEPARAM,
                         IRC_SPANS(target, text, irc_span_is(text, "k") ? irc_span("*") : extra),
                         irc_span("That parameter will not do"));
        return true;
    case ERROR_LIST_FULL:
        irc_reply(irc, IRC_ERR_BANLISTFULL, target, text);
        return true;
    case ERROR_NOT_SELF:
        irc_reply0(irc, IRC_ERR_USERSDONTMATCH);
        return true;
    case ERROR_NOT_THERE:
        irc_reply(irc, IRC_ERR_USERNOTINCHANNEL, extra, room_span(event, channel));
        return true;
    case ERROR_THERE:
        irc_reply(irc, IRC_ERR_USERONCHANNEL, extra, room_span(event, channel));
        return true;
    default:
        return false;
    }
}

/* What is wrong with the new name of a room; both names are what the question had. */
static bool rename_error(struct irc_session *irc, const struct event *event)
{
    bool is_taken = event->code == ERROR_ROOM_TAKEN;
    if (event->asked != COMMAND_RENAME_ROOM ||
        (!is_taken && event->code != ERROR_ROOM_BAD && event->code != ERROR_ROOM_LONG &&
         event->code != ERROR_RENAME_DENIED)) {
        return false;
    }
    char *note = irc_take_note(irc, IRC_NOTE_RENAME);
    const char *names = note ? note : "* *";
    size_t len = strcspn(names, " ");
    irc_fail(irc, "RENAME",
             is_taken ? IRC_STANDARD_CHANNEL_NAME_IN_USE : IRC_STANDARD_CANNOT_RENAME,
             irc_span_of(names, len), irc_span(names + len + 1));
    free(note);
    return true;
}

static void not_stored(struct irc_session *irc, const struct event *event)
{
    irc_notice(irc, "Not done: the server cannot store it (%s). Try again later.", event->text);
}

static void other_error(struct irc_session *irc, const struct event *event)
{
    char channel[IRC_CHANNEL_CAP], msgid[IRC_MSGID_CAP];
    struct irc_span text = irc_span_of(event->text, event->text_len);
    struct irc_span room = irc_channel(event->room, event->room_len, channel);
    struct irc_span target = event->room_len > 0 ? room : text;
    int n = snprintf(msgid, sizeof(msgid), "m%llu", (unsigned long long)event->count);
    switch (event->code) {
    case ERROR_TOO_MANY_ROOMS:
        irc_reply(irc, IRC_ERR_TOOMANYCHANNELS, event->room_len > 0 ? room : text);
        break;
    case ERROR_ROOMS_FULL:
        irc_reply(irc, IRC_ERR_UNAVAILRESOURCE, event->room_len > 0 ? room : text);
        break;
    case ERROR_TEXT_EMPTY:
        irc_reply0(irc, IRC_ERR_NOTEXTTOSEND);
        break;
    case ERROR_TEXT_LONG:
    case ERROR_TOPIC_LONG:
        irc_reply0(irc, IRC_ERR_INPUTTOOLONG);
        break;
    case ERROR_NOT_STORED:
        not_stored(irc, event);
        break;
    case ERROR_MONITOR_FULL:
        n = snprintf(msgid, sizeof(msgid), "%llu", (unsigned long long)event->count);
        irc_reply(irc, IRC_ERR_MONLISTFULL, irc_span_of(msgid, (size_t)n),
                  irc_span_of(event->extra, event->extra_len));
        break;
    case ERROR_REDACT_DENIED:
        irc_fail(irc, "REDACT", IRC_STANDARD_REDACT_FORBIDDEN, target,
                 irc_span_of(msgid, (size_t)n));
        break;
    case ERROR_REDACT_UNKNOWN:
        irc_fail(irc, "REDACT", IRC_STANDARD_UNKNOWN_MSGID, target, irc_span_of(msgid, (size_t)n));
        break;
    case ERROR_DENIED:
        irc_reply0(irc, IRC_ERR_NOPRIVILEGES);
        break;
    default:
        break; /* ERROR_IN_ROOM: a JOIN to where one is has no answer */
    }
}

/*
 * Nothing that answers a NOTICE may cause an answer (RFC 2812 3.3.2). Nor is anybody told of a
 * question that the front asked: of the topic of a room with a new name, left since.
 */
static bool is_silent(struct irc_session *irc, const struct event *event)
{
    char *note = event->asked == COMMAND_GET_TOPIC ? irc_take_note(irc, IRC_NOTE_TOPIC) : NULL;
    bool is_own_question = note != NULL;
    free(note);
    bool is_message = event->asked == COMMAND_SAY || event->asked == COMMAND_PRIVATE;
    return is_own_question || (is_message && event->kind == MESSAGE_NOTICE);
}

void irc_error(struct irc_session *irc, const struct event *event)
{
    if (!is_silent(irc, event) && !rename_error(irc, event) && !name_error(irc, event) &&
        !room_error(irc, event) && !mode_error(irc, event)) {
        other_error(irc, event);
    }
}
