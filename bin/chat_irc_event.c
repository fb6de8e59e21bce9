/* SPDX-License-Identifier: MIT */
#include "chat_irc_state.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "wire/irc_name.h"

#define CTCP_ANSWERS_MAX 3 /* in CTCP_WINDOW_MS: who asks for more is not served */
#define CTCP_WINDOW_MS   10000
#define CTCP_MARK        '\001'

/* ": reason", or nothing. */
#define REASON(span) (span).len > 0 ? ": " : "", SPAN(span)

/* ---- what is said ---- */

/* Takes CTCP apart: "\1VERB text\1", of which some leave the last byte out. */
static bool take_ctcp(struct irc_span *text, struct irc_span *ret_verb)
{
    if (text->len < 2 || text->text[0] != CTCP_MARK) {
        return false;
    }
    struct irc_span inner = {text->text + 1, text->len - 1};
    if (inner.text[inner.len - 1] == CTCP_MARK) {
        inner.len--;
    }
    const char *space = memchr(inner.text, ' ', inner.len);
    size_t verb_len = space ? (size_t)(space - inner.text) : inner.len;
    *ret_verb = (struct irc_span){inner.text, verb_len};
    *text = space ? (struct irc_span){space + 1, inner.len - verb_len - 1} : irc_span("");
    return true;
}

static bool may_answer(struct chat_irc *irc)
{
    if (irc->now_ms - irc->ctcp_from_ms >= CTCP_WINDOW_MS || irc->ctcp_count == 0) {
        irc->ctcp_from_ms = irc->now_ms;
        irc->ctcp_count = 0;
    }
    return irc->ctcp_count++ < CTCP_ANSWERS_MAX;
}

static void on_ctcp_question(struct chat_irc *irc, const struct chat_irc_in *in,
                             struct irc_span verb, struct irc_span text)
{
    char nick[CHAT_IRC_NICK_MAX_BYTES + 1], answer[300], stamp[CHAT_STAMP_BYTES + 1];
    chat_irc_copy(nick, sizeof nick, in->from.nick);
    if (irc_span_is_nocase(verb, "VERSION")) {
        (void)snprintf(answer, sizeof answer, "\001VERSION partyline chat\001");
    } else if (irc_span_is_nocase(verb, "PING")) {
        size_t len = text.len < 200 ? text.len : 200;
        (void)snprintf(answer, sizeof answer, "\001PING %.*s\001", (int)len, text.text);
    } else if (irc_span_is_nocase(verb, "TIME")) {
        chat_irc_stamp(irc->wall_ms, stamp);
        (void)snprintf(answer, sizeof answer, "\001TIME %s\001", stamp);
    } else {
        chat_irc_tell(irc, "%.*s sends a CTCP %.*s", SPAN(in->from.nick), SPAN(verb));
        return;
    }
    chat_irc_tell(irc, "%.*s asks for CTCP %.*s", SPAN(in->from.nick), SPAN(verb));
    if (may_answer(irc)) {
        chat_irc_send(irc, answer, "NOTICE", nick, NULL);
    }
}

/* Returns: whether it is done with. An ACTION is something said. */
static bool on_ctcp(struct chat_irc *irc, const struct chat_irc_in *in, struct irc_span verb,
                    struct irc_span *text, bool is_notice)
{
    if (irc_span_is_nocase(verb, "ACTION")) {
        return false;
    }
    if (in->is_own || in->history) {
        return true;
    }
    if (is_notice) {
        chat_irc_tell(irc, "CTCP %.*s of %.*s: %.*s", SPAN(verb), SPAN(in->from.nick), SPAN(*text));
    } else {
        on_ctcp_question(irc, in, verb, *text);
    }
    return true;
}

/* People come with user and host. */
static bool is_server(const struct chat_irc_in *in)
{
    return !in->from.user.text && !in->from.host.text;
}

static void on_server_notice(struct chat_irc *irc, struct irc_span text)
{
    if (text.len > 4 && memcmp(text.text, "*** ", 4) == 0) {
        text = (struct irc_span){text.text + 4, text.len - 4};
    }
    if (!irc->is_returning || irc->phase == IRC_READY) {
        chat_irc_tell(irc, "%.*s", SPAN(text));
    }
}

static void on_message(struct chat_irc *irc, const struct chat_irc_in *in)
{
    bool is_notice = irc_span_is_nocase(in->message->command, "NOTICE");
    struct irc_span target = chat_irc_param(in->message, 0);
    struct irc_span text = chat_irc_param(in->message, 1), verb;
    struct irc_span place = target;
    if (is_notice && is_server(in) && !chat_irc_is_room(irc, target)) {
        on_server_notice(irc, text);
        return;
    }
    if (target.len > 1 && target.text[0] != '\0' && strchr(irc->statusmsg, target.text[0])) {
        place = (struct irc_span){target.text + 1, target.len - 1};
    }
    struct chat_irc_room *room = chat_irc_room_find(irc, place);
    bool is_room = chat_irc_is_room(irc, place);
    if (room && is_room && !chat_irc_room_takes(irc, room, in)) {
        return;
    }
    if (!is_room && in->history) {
        chat_irc_room_count(irc, in);
    }
    bool is_action = take_ctcp(&text, &verb);
    if (is_action && on_ctcp(irc, in, verb, &text, is_notice)) {
        return;
    }
    if (is_notice && is_room && is_server(in)) {
        chat_irc_note(irc, in->time_ms, target, "%.*s: %.*s", SPAN(in->from.nick), SPAN(text));
        return;
    }
    enum chat_irc_voice voice = is_action ? VOICE_DID : is_notice ? VOICE_NOTICE : VOICE_SAID;
    if (is_room) {
        chat_irc_show_said(irc, in->time_ms, target, in->from.nick, text, voice);
    } else {
        chat_irc_show_private(irc, in->time_ms, in->from.nick, target, text, voice);
    }
    if (in->is_own) {
        chat_irc_on_own_message(irc, in, target, text, is_action);
    }
}

/* ---- who comes and goes ---- */

static void on_join(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span name = chat_irc_param(in->message, 0);
    if (!in->is_own) {
        if (!chat_irc_room_is_crowded(irc, name)) {
            chat_irc_tell_in(irc, name, "%.*s joined", SPAN(in->from.nick));
        }
        return;
    }
    struct chat_irc_room *room = chat_irc_room_add(irc, name);
    if (!room) {
        return;
    }
    if (in->from.user.len > 0 && in->from.host.len > 0) {
        (void)snprintf(irc->source, sizeof irc->source, "%.*s@%.*s", SPAN(in->from.user),
                       SPAN(in->from.host));
    }
    chat_irc_copy(room->name, sizeof room->name, name); /* as the server writes it */
    if (!room->was_in) {
        room->last_ms = in->time_ms; /* the server's clock, where it tells */
    }
    if (!irc->current) {
        irc->current = room;
    }
    irc->events->on_changed(irc->user);
    chat_irc_room_entered(irc, room);
}

static void on_part(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span name = chat_irc_param(in->message, 0);
    struct irc_span reason = chat_irc_param(in->message, 1);
    struct chat_irc_room *room = chat_irc_room_find(irc, name);
    if (!in->is_own && !chat_irc_room_is_crowded(irc, name)) {
        chat_irc_tell_in(irc, name, "%.*s left%s%.*s", SPAN(in->from.nick), REASON(reason));
    } else if (in->is_own && room) {
        chat_irc_tell(irc, "You have left %s.", room->name);
        chat_irc_room_remove(irc, room);
        chat_irc_rooms_check(irc);
    }
}

static void on_kick(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span name = chat_irc_param(in->message, 0);
    struct irc_span nick = chat_irc_param(in->message, 1);
    struct irc_span reason = chat_irc_param(in->message, 2);
    struct chat_irc_room *room = chat_irc_room_find(irc, name);
    if (!chat_irc_same(irc, nick, irc->nick)) {
        chat_irc_tell_in(irc, name, "%.*s was kicked by %.*s%s%.*s", SPAN(nick),
                         SPAN(in->from.nick), REASON(reason));
        return;
    }
    chat_irc_tell(irc, "You were kicked from %.*s by %.*s%s%.*s", SPAN(name), SPAN(in->from.nick),
                  REASON(reason));
    if (room) {
        chat_irc_room_remove(irc, room);
        chat_irc_rooms_check(irc);
    }
}

static void on_quit(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span reason = chat_irc_param(in->message, 0);
    if (!in->is_own && !chat_irc_room_is_crowded(irc, irc_span(""))) {
        chat_irc_tell(irc, "%.*s quit%s%.*s", SPAN(in->from.nick), REASON(reason));
    }
}

static void on_nick(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span nick = chat_irc_param(in->message, 0);
    if (nick.len == 0 || nick.len > CHAT_IRC_NICK_MAX_BYTES) {
        return;
    }
    if (in->is_own) {
        chat_irc_on_own_nick(irc, nick);
        chat_irc_tell(irc, "You are now called %.*s.", SPAN(nick));
        return;
    }
    struct chat_irc_room *talk = chat_irc_room_find(irc, in->from.nick);
    if (talk && talk->is_person && !chat_irc_room_find(irc, nick)) {
        chat_irc_copy(talk->name, sizeof talk->name, nick); /* it is the same person */
        irc->events->on_changed(irc->user);
    }
    chat_irc_tell(irc, "%.*s is now called %.*s", SPAN(in->from.nick), SPAN(nick));
}

/* ---- the rest ---- */

static void on_topic(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span name = chat_irc_param(in->message, 0);
    struct irc_span topic = chat_irc_param(in->message, 1);
    if (topic.len > 0) {
        chat_irc_note(irc, in->time_ms, name, "%.*s set the topic: %.*s", SPAN(in->from.nick),
                      SPAN(topic));
    } else {
        chat_irc_note(irc, in->time_ms, name, "%.*s cleared the topic", SPAN(in->from.nick));
    }
}

static void on_mode(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span target = chat_irc_param(in->message, 0);
    struct irc_span modes = chat_irc_params_from(in->message, 1);
    if (chat_irc_is_room(irc, target)) {
        chat_irc_tell_in(irc, target, "%.*s set the mode %.*s", SPAN(in->from.nick), SPAN(modes));
    } else if (!irc->is_returning) {
        chat_irc_tell(irc, "Your mode is set: %.*s", SPAN(modes));
    }
}

static void on_invite(struct chat_irc *irc, const struct chat_irc_in *in)
{
    chat_irc_tell(irc, "%.*s invites %.*s to %.*s", SPAN(in->from.nick),
                  SPAN(chat_irc_same(irc, chat_irc_param(in->message, 0), irc->nick)
                           ? irc_span("you")
                           : chat_irc_param(in->message, 0)),
                  SPAN(chat_irc_param(in->message, 1)));
}

static void on_away(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span text = chat_irc_param(in->message, 0);
    if (in->is_own || chat_irc_room_is_crowded(irc, irc_span(""))) {
        return; /* of oneself, the reply by number says it */
    }
    if (text.len > 0) {
        chat_irc_tell(irc, "%.*s is away: %.*s", SPAN(in->from.nick), SPAN(text));
    } else {
        chat_irc_tell(irc, "%.*s is back", SPAN(in->from.nick));
    }
}

static void on_setname(struct chat_irc *irc, const struct chat_irc_in *in)
{
    chat_irc_tell(irc, "%.*s has the real name %.*s now",
                  SPAN(in->is_own ? irc_span("You") : in->from.nick),
                  SPAN(chat_irc_param(in->message, 0)));
}

static void on_chghost(struct chat_irc *irc, const struct chat_irc_in *in)
{
    if (in->is_own) {
        (void)snprintf(irc->source, sizeof irc->source, "%.*s@%.*s",
                       SPAN(chat_irc_param(in->message, 0)), SPAN(chat_irc_param(in->message, 1)));
    }
}

static void on_wallops(struct chat_irc *irc, const struct chat_irc_in *in)
{
    chat_irc_tell(irc, "%.*s to all: %.*s", SPAN(in->from.nick),
                  SPAN(chat_irc_param(in->message, 0)));
}

static void on_kill(struct chat_irc *irc, const struct chat_irc_in *in)
{
    irc->is_dismissed =
        irc->is_dismissed || chat_irc_same(irc, chat_irc_param(in->message, 0), irc->nick);
    chat_irc_tell(irc, "%.*s ended the connection of %.*s: %.*s", SPAN(in->from.nick),
                  SPAN(chat_irc_param(in->message, 0)), SPAN(chat_irc_param(in->message, 1)));
}

static void on_error(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span text = chat_irc_param(in->message, 0);
    chat_irc_copy(irc->farewell, sizeof irc->farewell, text);
    static const char *const orders[] = {"kick", "kill", "banned", "-line"};
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        irc->is_dismissed = irc->is_dismissed || strcasestr(irc->farewell, orders[i]);
    }
    for (char *at = irc->farewell; *at != '\0'; at++) {
        *at = (unsigned char)*at < 0x20 || (unsigned char)*at >= 0x7F ? '?' : *at;
    }
    if (!irc->is_closing && irc->phase > IRC_REGISTERING) {
        chat_irc_tell(irc, "The server says: %.*s", SPAN(text));
    }
}

static void ignore(struct chat_irc *irc, const struct chat_irc_in *in)
{
    (void)irc;
    (void)in;
}

bool chat_irc_on_event(struct chat_irc *irc, const struct chat_irc_in *in)
{
    static const struct {
        const char *command;
        void (*handle)(struct chat_irc *irc, const struct chat_irc_in *in);
    } table[] = {
        {"PRIVMSG", on_message}, {"NOTICE", on_message},   {"JOIN", on_join},
        {"PART", on_part},       {"QUIT", on_quit},        {"NICK", on_nick},
        {"KICK", on_kick},       {"TOPIC", on_topic},      {"MODE", on_mode},
        {"INVITE", on_invite},   {"AWAY", on_away},        {"SETNAME", on_setname},
        {"CHGHOST", on_chghost}, {"WALLOPS", on_wallops},  {"KILL", on_kill},
        {"ERROR", on_error},     {"ACCOUNT", ignore},      {"ACK", ignore},
        {"TAGMSG", ignore},      {"AUTHENTICATE", ignore},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (irc_span_is_nocase(in->message->command, table[i].command)) {
            table[i].handle(irc, in);
            return true;
        }
    }
    return false;
}
