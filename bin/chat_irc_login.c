/* SPDX-License-Identifier: MIT */
/*
 * CAP LS 302 comes first, then PASS, NICK and USER: at once when IRC is known to be spoken, else
 * when the server has answered. CAP REQ goes out with all that is wanted of what is offered; the
 * answer to it, or a list with nothing in it, ends the negotiation.
 */
#include "chat_irc_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/irc_cap.h"
#include "wire/irc_name.h"
#include "wire/irc_numeric.h"

#define NICK_AGAIN_MS   10000 /* the server may not have noticed that the old connection is gone */
#define NICK_AGAIN_MAX  12
#define NICK_TRIES_MAX  8 /* other names at the beginning */
#define NICK_SAFE_BYTES 9 /* that every server takes */

static const struct {
    const char *name;
    unsigned bit;
} wanted[] = {
    {"server-time", CAP_SERVER_TIME},           {"message-tags", CAP_MESSAGE_TAGS},
    {"echo-message", CAP_ECHO_MESSAGE},         {"batch", CAP_BATCH},
    {"labeled-response", CAP_LABELED_RESPONSE}, {"draft/chathistory", CAP_CHATHISTORY},
    {"multi-prefix", CAP_MULTI_PREFIX},         {"away-notify", CAP_AWAY_NOTIFY},
    {"account-tag", CAP_ACCOUNT_TAG},           {"setname", CAP_SETNAME},
    {"standard-replies", CAP_STANDARD_REPLIES},
};

static unsigned cap_bit(struct irc_span name)
{
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (irc_span_is(name, wanted[i].name)) {
            return wanted[i].bit;
        }
    }
    return 0;
}

/* ---- the beginning ---- */

static void introduce(struct chat_irc *irc)
{
    char user[32];
    if (irc->has_introduced) {
        return;
    }
    irc->has_introduced = true;
    size_t len = irc_name_clean_user(irc_span(irc->login), 10, user);
    user[len] = '\0';
    if (irc->password) {
        chat_irc_send(irc, irc->password, "PASS", NULL);
    }
    chat_irc_copy(irc->nick, sizeof irc->nick, irc_span(irc->wanted));
    chat_irc_send(irc, NULL, "NICK", irc->nick, NULL);
    chat_irc_send(irc, irc->wanted, "USER", len > 0 ? user : "user", "0", "*", NULL);
}

void chat_irc_login(struct chat_irc *irc, bool has_asked)
{
    if (!has_asked) {
        chat_irc_send(irc, NULL, "CAP", "LS", "302", NULL);
    }
    introduce(irc);
}

/* ---- capabilities ---- */

static void request(struct chat_irc *irc, unsigned bits)
{
    char list[400] = "";
    size_t len = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if ((bits & wanted[i].bit) != 0) {
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len > 0 ? " " : "",
                                    wanted[i].name);
        }
    }
    if (len > 0) {
        chat_irc_send(irc, list, "CAP", "REQ", NULL);
    }
}

/* What an offer means for what is already in use. History comes in batches. */
static unsigned choose(const struct chat_irc *irc)
{
    unsigned bits = irc->caps_offered;
    if ((bits & CAP_BATCH) == 0) {
        bits &= ~(unsigned)(CAP_CHATHISTORY | CAP_LABELED_RESPONSE);
    }
    return bits & ~irc->caps;
}

static void end_negotiation(struct chat_irc *irc)
{
    if (irc->phase == IRC_REGISTERING) {
        chat_irc_send(irc, NULL, "CAP", "END", NULL);
    }
}

static void take_list(struct chat_irc *irc, struct irc_span list, unsigned *bits, bool offers)
{
    struct irc_cap cap;
    while (irc_cap_next(&list, &cap)) {
        unsigned bit = cap_bit(cap.name);
        *bits = cap.is_off ? *bits & ~bit : *bits | bit;
        if (offers && bit == CAP_CHATHISTORY && cap.value.len > 0) {
            unsigned long max = strtoul(cap.value.text, NULL, 10);
            irc->history_max = max > 0 && max < CHAT_IRC_PAGE ? (unsigned)max : CHAT_IRC_PAGE;
        }
    }
}

void chat_irc_on_cap(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span verb = chat_irc_param(in->message, 1);
    bool is_continued = in->message->param_count > 3 && irc_span_is(in->message->params[2], "*");
    struct irc_span list = chat_irc_param(in->message, is_continued ? 3 : 2);
    unsigned gone = 0;
    if (irc_span_is_nocase(verb, "LS") || irc_span_is_nocase(verb, "NEW")) {
        take_list(irc, list, &irc->caps_offered, true);
        if (!is_continued && choose(irc) != 0) {
            request(irc, choose(irc));
        } else if (!is_continued) {
            end_negotiation(irc);
        }
    } else if (irc_span_is_nocase(verb, "ACK")) {
        take_list(irc, list, &irc->caps, false);
        end_negotiation(irc);
    } else if (irc_span_is_nocase(verb, "NAK")) {
        end_negotiation(irc);
    } else if (irc_span_is_nocase(verb, "DEL")) {
        take_list(irc, list, &gone, false);
        irc->caps &= ~gone;
        irc->caps_offered &= ~gone;
    }
}

/* ---- what the server says of itself ---- */

void chat_irc_on_welcome(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span nick = chat_irc_param(in->message, 0);
    if (irc->phase != IRC_REGISTERING) {
        return;
    }
    irc->phase = IRC_WELCOMED;
    if (nick.len > 0) {
        chat_irc_copy(irc->nick, sizeof irc->nick, nick);
    }
    irc->nick_tries = 0;
    if (strcmp(irc->nick, irc->wanted) != 0 && irc->is_returning) {
        irc->nick_again_ms = irc->now_ms + NICK_AGAIN_MS;
    } else if (!irc->is_returning) {
        chat_irc_copy(irc->wanted, sizeof irc->wanted, irc_span(irc->nick));
    }
    if (!irc->is_returning) {
        chat_irc_tell(irc, "%.*s", SPAN(chat_irc_param(in->message, 1)));
    }
    irc->events->on_changed(irc->user);
}

void chat_irc_on_myinfo(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span version = chat_irc_param(in->message, 2);
    static const char name[] = "partyline";
    irc->is_partyline = version.len >= sizeof name - 1 &&
                        irc_span_is_nocase((struct irc_span){version.text, sizeof name - 1}, name);
}

static void on_token(struct chat_irc *irc, struct irc_span token)
{
    const char *equals = token.len > 0 ? memchr(token.text, '=', token.len) : NULL;
    struct irc_span key = {token.text, equals ? (size_t)(equals - token.text) : token.len};
    struct irc_span value =
        equals ? (struct irc_span){equals + 1, token.len - key.len - 1} : irc_span("");
    if (irc_span_is(key, "CHANTYPES")) {
        chat_irc_copy(irc->chantypes, sizeof irc->chantypes, value);
    } else if (irc_span_is(key, "STATUSMSG")) {
        chat_irc_copy(irc->statusmsg, sizeof irc->statusmsg, value);
    } else if (irc_span_is(key, "PREFIX") && value.len > 0) {
        const char *end = memchr(value.text, ')', value.len);
        size_t skip = end ? (size_t)(end - value.text) + 1 : value.len;
        chat_irc_copy(irc->prefixes, sizeof irc->prefixes,
                      (struct irc_span){value.text + skip, value.len - skip});
    } else if (irc_span_is(key, "CASEMAPPING")) {
        irc->is_rfc1459 = irc_span_is(value, "rfc1459") || irc_span_is(value, "rfc1459-strict");
    } else if (irc_span_is(key, "MSGREFTYPES")) {
        irc->no_msgid_refs = !value.len || !memmem(value.text, value.len, "msgid", 5);
    }
}

void chat_irc_on_isupport(struct chat_irc *irc, const struct chat_irc_in *in)
{
    for (size_t i = 1; i + 1 < in->message->param_count; i++) {
        on_token(irc, in->message->params[i]);
    }
}

void chat_irc_on_motd_end(struct chat_irc *irc)
{
    if (irc->phase != IRC_WELCOMED) {
        return;
    }
    irc->phase = IRC_ENTERING;
    if (irc->room_count == 0 && irc->is_partyline && !irc->is_returning) {
        irc->current = chat_irc_room_add(irc, irc_span("#lobby")); /* where its line users are */
    }
    irc->has_entered = true;
    for (size_t i = 0; i < irc->room_count; i++) {
        if (!irc->rooms[i]->is_person) {
            chat_irc_room_join(irc, irc->rooms[i]);
        }
    }
    irc->events->on_changed(irc->user);
    chat_irc_rooms_check(irc);
}

/* ---- the name ---- */

void chat_irc_ask_for_nick(struct chat_irc *irc)
{
    irc->nick_again_ms = -1;
    if (strcmp(irc->nick, irc->wanted) != 0 && irc->nick_tries < NICK_AGAIN_MAX) {
        irc->nick_tries++;
        irc->nick_asked = true;
        chat_irc_send(irc, NULL, "NICK", irc->wanted, NULL);
    }
}

/* wanted_, wanted__ ... then wanted12: never longer than a server that knows only 9 letters takes,
 * unless what was wanted is longer. */
static void make_other(struct chat_irc *irc)
{
    size_t len = strlen(irc->wanted);
    size_t max = len > NICK_SAFE_BYTES ? len : NICK_SAFE_BYTES;
    char tail[16];
    if (irc->nick_tries <= 2 && len + irc->nick_tries <= max) {
        (void)snprintf(tail, sizeof tail, "%s", irc->nick_tries == 1 ? "_" : "__");
    } else {
        (void)snprintf(tail, sizeof tail, "%u",
                       ((unsigned)irc->now_ms + irc->nick_tries * 37) % 90 + 10);
    }
    size_t keep = max - strlen(tail);
    keep = len < keep ? len : keep;
    while (keep > 0 && ((unsigned char)irc->wanted[keep] & 0xC0) == 0x80) {
        keep--;
    }
    (void)snprintf(irc->nick, sizeof irc->nick, "%.*s%s", (int)keep, irc->wanted, tail);
}

/* There are servers that know nine letters. */
static void cut_wanted(struct chat_irc *irc)
{
    size_t keep = NICK_SAFE_BYTES;
    while (keep > 0 && ((unsigned char)irc->wanted[keep] & 0xC0) == 0x80) {
        keep--;
    }
    irc->wanted[keep] = '\0';
}

static bool refuse_first_nick(struct chat_irc *irc, struct irc_span text, int numeric)
{
    bool is_strange = numeric == IRC_ERR_ERRONEUSNICKNAME || numeric == IRC_ERR_NONICKNAMEGIVEN;
    bool is_fixed = irc->strict && !irc->any_nick;
    bool is_long = strlen(irc->wanted) > NICK_SAFE_BYTES && irc->nick_tries == 0;
    if (!irc->is_returning && (is_fixed || (is_strange && !is_long))) {
        chat_irc_fail(irc, "the name %s is refused: %.*s", irc->wanted, SPAN(text));
        return true;
    }
    if (++irc->nick_tries > NICK_TRIES_MAX) {
        chat_irc_fail(irc, "no name is free like %s", irc->wanted);
        return true;
    }
    char before[CHAT_IRC_NICK_MAX_BYTES + 1];
    chat_irc_copy(before, sizeof before, irc_span(irc->nick));
    if (is_strange && is_long) {
        cut_wanted(irc);
        chat_irc_copy(irc->nick, sizeof irc->nick, irc_span(irc->wanted));
    } else {
        make_other(irc);
    }
    if (!irc->is_returning) {
        chat_irc_tell(irc, "The name %s is %s; trying %s.", before,
                      is_strange ? "not allowed" : "taken", irc->nick);
    }
    chat_irc_send(irc, NULL, "NICK", irc->nick, NULL);
    return true;
}

bool chat_irc_on_nick_refused(struct chat_irc *irc, const struct chat_irc_in *in, int numeric)
{
    struct irc_span text = in->message->param_count > 0
                               ? in->message->params[in->message->param_count - 1]
                               : irc_span("");
    if (irc->phase == IRC_REGISTERING) {
        return refuse_first_nick(irc, text, numeric);
    }
    if (!irc->nick_asked) {
        return false;
    }
    irc->nick_asked = false;
    irc->nick_again_ms = irc->nick_tries < NICK_AGAIN_MAX ? irc->now_ms + NICK_AGAIN_MS : -1;
    return true;
}

void chat_irc_on_own_nick(struct chat_irc *irc, struct irc_span nick)
{
    chat_irc_copy(irc->nick, sizeof irc->nick, nick);
    chat_irc_copy(irc->wanted, sizeof irc->wanted, nick); /* chosen: after an outage, too */
    irc->nick_asked = false;
    irc->nick_again_ms = -1;
    irc->events->on_changed(irc->user);
}
