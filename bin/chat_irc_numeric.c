/* SPDX-License-Identifier: MIT */
#include "chat_irc_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "wire/irc_name.h"
#include "wire/irc_numeric.h"

/*
 * How a reply reads: $1 is the parameter behind one's own name, $2- that and all behind it, $l the
 * last, $t1 a time in seconds since 1970. NULL: it says nothing to people.
 */
struct form {
    int number;
    const char *text;
};

/* Every server says that to who comes, who has not asked; later somebody has. */
static bool is_of_greeting(int number)
{
    return (number >= IRC_RPL_LUSERCLIENT && number <= IRC_RPL_LUSERME) || number == 250 ||
           number == IRC_RPL_LOCALUSERS || number == IRC_RPL_GLOBALUSERS;
}

static const struct form forms[] = {
    {IRC_RPL_YOURHOST, NULL},
    {IRC_RPL_CREATED, NULL},
    {42, NULL}, /* a unique id, of ircd-ratbox and others */
    {IRC_RPL_UMODEIS, "Your modes are $1"},
    {211, "$1-"},               /* STATS l */
    {212, "$1-"},               /* STATS m */
    {IRC_RPL_ENDOFSTATS, "$l"}, /* the end of STATS */
    {IRC_RPL_WHOISCERTFP, "$1 $2"},
    {IRC_RPL_LUSEROP, "$1 $2"},
    {IRC_RPL_LUSERUNKNOWN, "$1 $2"},
    {IRC_RPL_LUSERCHANNELS, "$1 $2"},
    {IRC_RPL_LOCALUSERS, "$l"},
    {IRC_RPL_GLOBALUSERS, "$l"},
    {IRC_RPL_AWAY, "$1 is away: $2"},
    {IRC_RPL_UNAWAY, "You are back."},
    {IRC_RPL_NOWAWAY, "You are marked as away."},
    {IRC_RPL_WHOISUSER, "$1 is $2@$3 ($5)"},
    {IRC_RPL_WHOISSERVER, "$1 is on $2 ($3)"},
    {IRC_RPL_WHOWASUSER, "$1 was $2@$3 ($5)"},
    {IRC_RPL_ENDOFWHO, NULL},
    {IRC_RPL_WHOISIDLE, "$1 has been silent for $2 s, here since $t3"},
    {IRC_RPL_ENDOFWHOIS, NULL},
    {IRC_RPL_WHOISCHANNELS, "$1 is in $2"},
    {IRC_RPL_LISTSTART, NULL},
    {IRC_RPL_LIST, "$1 ($2): $3"},
    {IRC_RPL_LISTEND, "That is the list."},
    {IRC_RPL_CHANNELMODEIS, "$1 has the modes $2-"},
    {IRC_RPL_CREATIONTIME, "$1 was made $t2"},
    {IRC_RPL_WHOISACCOUNT, "$1 is logged in as $2"},
    {IRC_RPL_NOTOPIC, "No topic is set in $1."},
    {IRC_RPL_TOPIC, "Topic of $1: $2"},
    {IRC_RPL_TOPICWHOTIME, "It was set by $2, $t3"},
    {IRC_RPL_INVITING, "$1 is invited to $2"},
    {IRC_RPL_INVITELIST, "You are invited to $1"},
    {IRC_RPL_ENDOFINVITELIST, NULL},
    {IRC_RPL_INVEXLIST, "$1 lets in $2"},
    {IRC_RPL_ENDOFINVEXLIST, NULL},
    {IRC_RPL_EXCEPTLIST, "$1 does not ban $2"},
    {IRC_RPL_ENDOFEXCEPTLIST, NULL},
    {IRC_RPL_WHOREPLY, "$5 is $2@$3 ($6), $1"},
    {IRC_RPL_BANLIST, "$1 bans $2"},
    {IRC_RPL_ENDOFBANLIST, NULL},
    {IRC_RPL_ENDOFWHOWAS, NULL},
    {IRC_RPL_MOTDSTART, NULL},
    {IRC_RPL_WHOISREGNICK, "$1 $2"},
    {IRC_RPL_WHOISOPERATOR, "$1 $2"},
    {IRC_RPL_WHOISSPECIAL, "$1 $2"},
    {IRC_RPL_WHOISBOT, "$1 $2"},
    {IRC_RPL_WHOISACTUALLY, "$1 is really at $2"},
    {IRC_RPL_VERSION, "The server runs $1 ($2) $3-"},
    {IRC_RPL_LINKS, "$1: $3"},
    {IRC_RPL_ENDOFLINKS, "$l"},
    {IRC_RPL_WHOISHOST, "$1 $2"},
    {IRC_RPL_WHOISMODES, "$1 $2"},
    {IRC_RPL_WHOISSECURE, "$1 $2"},
    {IRC_RPL_HELPSTART, "$l"}, /* HELP: its subject is what was asked for */
    {IRC_RPL_HELPTXT, "$l"},
    {IRC_RPL_ENDOFHELP, "$l"},
    {IRC_RPL_MONONLINE, "There: $1"}, /* MONITOR */
    {IRC_RPL_MONOFFLINE, "Not there: $1"},
    {IRC_RPL_MONLIST, "Watched: $1"},
    {IRC_RPL_ENDOFMONLIST, NULL},
    {IRC_RPL_TIME, "It is $l"},
    {IRC_RPL_VISIBLEHOST, "Your host is shown as $1"},
};

static size_t put(char *ret, size_t at, size_t cap, struct irc_span span)
{
    int n = snprintf(ret + at, cap - at, "%.*s", SPAN(span));
    return n < 0 ? at : (size_t)n < cap - at ? at + (size_t)n : cap - 1;
}

static struct irc_span last_of(const struct irc_message *message)
{
    return message->param_count > 1 ? message->params[message->param_count - 1] : irc_span("");
}

/* Takes off what stands before a text that is empty. */
static void trim(const struct irc_message *message, char *text)
{
    size_t len = strlen(text);
    while (last_of(message).len == 0 && len > 0 && (text[len - 1] == ' ' || text[len - 1] == ':')) {
        text[--len] = '\0';
    }
}

/* Fills in a form, see above. */
static void fill(const char *form, const struct irc_message *message, char *ret, size_t cap)
{
    size_t len = 0;
    while (*form != '\0' && len + 1 < cap) {
        bool is_time = form[0] == '$' && form[1] == 't';
        const char *digit = form + (is_time ? 2 : 1);
        if (form[0] == '$' && form[1] == 'l') {
            form += 2;
            len = put(ret, len, cap, last_of(message));
            continue;
        }
        if (form[0] != '$' || digit[0] < '1' || digit[0] > '9') {
            ret[len++] = *form++;
            continue;
        }
        size_t index = (size_t)(digit[0] - '0');
        form = digit + 1;
        if (is_time) {
            char number[24], stamp[CHAT_STAMP_BYTES + 1];
            chat_irc_copy(number, sizeof number, chat_irc_param(message, index));
            int64_t seconds = strtoll(number, NULL, 10);
            bool is_one = seconds > 0 && seconds < 4102444800; /* the year 2100 */
            chat_irc_stamp(is_one ? seconds * 1000 : 0, stamp);
            len = put(ret, len, cap, irc_span(is_one ? stamp : "a time unknown"));
        } else if (form[0] == '-') {
            form++;
            len = put(ret, len, cap, chat_irc_params_from(message, index));
        } else {
            len = put(ret, len, cap, chat_irc_param(message, index));
        }
    }
    ret[len] = '\0';
}

/* Parameters, then the text: "#garden: No such channel". The first is one's own name. */
static void describe(const struct irc_message *message, char *ret, size_t cap)
{
    size_t len = 0;
    ret[0] = '\0';
    for (size_t i = 1; i < message->param_count; i++) {
        const char *between = i == 1 ? "" : i + 1 == message->param_count ? ": " : " ";
        len = put(ret, len, cap, irc_span(between));
        len = put(ret, len, cap, message->params[i]);
    }
}

static void show_form(struct chat_irc *irc, const struct chat_irc_in *in, int number)
{
    char text[1200];
    if (is_of_greeting(number) && irc->phase < IRC_ENTERING) {
        return;
    }
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (forms[i].number != number) {
            continue;
        }
        if (forms[i].text) {
            fill(forms[i].text, in->message, text, sizeof text);
            trim(in->message, text);
            chat_irc_tell(irc, "%s", text);
        }
        return;
    }
    describe(in->message, text, sizeof text);
    trim(in->message, text);
    chat_irc_tell(irc, "%s", text);
}

/* ---- who is there ---- */

static void on_names(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span list = chat_irc_param(in->message, 3);
    while (list.len > 0) {
        const char *space = memchr(list.text, ' ', list.len);
        size_t len = space ? (size_t)(space - list.text) : list.len;
        struct irc_span name = {list.text, len};
        size_t taken = space ? len + 1 : len;
        list = (struct irc_span){list.text + taken, list.len - taken};
        struct irc_span bare = name;
        (void)irc_name_take_prefixes(&bare, irc->prefixes[0] ? irc->prefixes : "~&@%+");
        if (bare.len == 0) {
            continue;
        }
        irc->names_count++;
        if (!irc->names_asked && chat_irc_same(irc, bare, irc->nick)) {
            continue; /* others are told of */
        }
        if (irc->names_len + len + 2 > sizeof irc->names) {
            irc->names_left_out++;
            continue;
        }
        irc->names[irc->names_len++] = ' ';
        memcpy(irc->names + irc->names_len, name.text, len);
        irc->names_len += len;
    }
}

/* Outside of an outage: it is no news then. */
static void on_names_end(struct chat_irc *irc, const struct chat_irc_in *in)
{
    struct irc_span name = chat_irc_param(in->message, 1);
    struct chat_irc_room *room = chat_irc_room_find(irc, name);
    char more[40] = "";
    if (room) {
        room->people = irc->names_count;
    }
    if (irc->names_left_out > 0) {
        (void)snprintf(more, sizeof more, " and %zu more", irc->names_left_out);
    }
    int len = (int)irc->names_len;
    if (irc->names_asked) {
        chat_irc_tell(irc, "In %.*s (%zu):%.*s%s", SPAN(name), irc->names_count, len, irc->names,
                      more);
    } else if (irc->phase < IRC_READY && irc->is_returning) {
        /* nothing: who comes back knows where */
    } else if (irc->names_count <= 1) {
        chat_irc_tell(irc, "You are in %.*s, alone so far.", SPAN(name));
    } else {
        chat_irc_tell(irc, "You are in %.*s, with %zu other%s:%.*s%s", SPAN(name),
                      irc->names_count - 1, irc->names_count == 2 ? "" : "s", len, irc->names,
                      more);
    }
    irc->names_asked = false;
    irc->names_len = irc->names_count = irc->names_left_out = 0;
}

/* ---- errors ---- */

static bool is_join_refusal(int number)
{
    switch (number) {
    case IRC_ERR_NOSUCHCHANNEL:
    case IRC_ERR_TOOMANYCHANNELS:
    case IRC_ERR_TOOMANYTARGETS:
    case IRC_ERR_UNAVAILRESOURCE:
    case 470: /* another channel is entered instead */
    case IRC_ERR_CHANNELISFULL:
    case IRC_ERR_INVITEONLYCHAN:
    case IRC_ERR_BANNEDFROMCHAN:
    case IRC_ERR_BADCHANNELKEY:
    case IRC_ERR_BADCHANMASK:
    case IRC_ERR_NEEDREGGEDNICK:
    case 479: /* bad channel name, on ircd-hybrid and others */
    case 489: /* TLS only, on InspIRCd and UnrealIRCd */
    case 520: /* operators only */
        return true;
    default:
        return false;
    }
}

static bool is_nick_refusal(int number)
{
    return number == IRC_ERR_NONICKNAMEGIVEN || number == IRC_ERR_ERRONEUSNICKNAME ||
           number == IRC_ERR_NICKNAMEINUSE || number == IRC_ERR_NICKCOLLISION ||
           number == IRC_ERR_NONICKCHANGE || number == IRC_ERR_UNAVAILRESOURCE;
}

/* Old servers that know nothing of capabilities. */
static bool is_about_cap(const struct chat_irc_in *in)
{
    return irc_span_is_nocase(chat_irc_param(in->message, 1), "CAP");
}

static void refuse(struct chat_irc *irc, const struct chat_irc_in *in, const char *text)
{
    chat_irc_tell(irc, "%s", text);
    chat_irc_on_refusal(irc, in, text);
}

static void on_error_reply(struct chat_irc *irc, const struct chat_irc_in *in, int number)
{
    char text[600];
    struct chat_irc_room *room = chat_irc_room_find(irc, chat_irc_param(in->message, 1));
    describe(in->message, text, sizeof text);
    if (is_nick_refusal(number) && !(room && !room->is_person) &&
        chat_irc_on_nick_refused(irc, in, number)) {
        return;
    }
    if (irc->phase == IRC_REGISTERING) {
        if (!is_about_cap(in) && number != IRC_ERR_NOTREGISTERED) {
            chat_irc_tell(irc, "%s", text);
        }
        if (number == IRC_ERR_PASSWDMISMATCH || number == IRC_ERR_YOUREBANNEDCREEP) {
            chat_irc_fail(irc, "%s", text);
        }
        return;
    }
    if (is_join_refusal(number) && room && room->is_asked) {
        chat_irc_tell(irc, "%s", text);
        if (irc->phase == IRC_ENTERING && !irc->is_returning) {
            irc->events->on_refused(text, irc->user);
        } else {
            chat_irc_on_refusal(irc, in, text);
        }
        chat_irc_room_refused(irc, room);
        return;
    }
    if (irc_span_is_nocase(chat_irc_param(in->message, 1), "JOIN")) {
        chat_irc_rooms_refused(irc, text); /* no such command, or not with these parameters */
    }
    refuse(irc, in, text);
}

/* ---- dispatch ---- */

void chat_irc_on_numeric(struct chat_irc *irc, const struct chat_irc_in *in, int number)
{
    switch (number) {
    case IRC_RPL_WELCOME:
        chat_irc_on_welcome(irc, in);
        return;
    case IRC_RPL_MYINFO:
        chat_irc_on_myinfo(irc, in);
        return;
    case IRC_RPL_ISUPPORT:
        chat_irc_on_isupport(irc, in);
        return;
    case IRC_RPL_MOTD:
        if (!irc->is_returning || irc->phase == IRC_READY) {
            chat_irc_tell(irc, "%.*s", SPAN(chat_irc_param(in->message, 1)));
        }
        return;
    case IRC_RPL_ENDOFMOTD:
    case IRC_ERR_NOMOTD:
        chat_irc_on_motd_end(irc);
        return;
    case IRC_RPL_NAMREPLY:
        on_names(irc, in);
        return;
    case IRC_RPL_ENDOFNAMES:
        on_names_end(irc, in);
        return;
    case 263: /* try again */
    case 439: /* not so fast, on several servers */
        show_form(irc, in, number);
        chat_irc_on_busy(irc);
        return;
    default:
        break;
    }
    if (number == IRC_RPL_VISIBLEHOST || number == 42) {
        irc->source[0] = '\0'; /* what others see has changed: not known until it is told */
    }
    if ((number == IRC_RPL_TOPIC || number == IRC_RPL_TOPICWHOTIME) && irc->is_returning &&
        irc->phase != IRC_READY) {
        return; /* no news after an outage */
    }
    if (number >= 400 && number < 600) {
        on_error_reply(irc, in, number);
    } else {
        show_form(irc, in, number);
    }
}

void chat_irc_on_standard(struct chat_irc *irc, const struct chat_irc_in *in)
{
    const struct irc_message *message = in->message;
    bool is_failure = irc_span_is_nocase(message->command, "FAIL");
    struct irc_span verb = chat_irc_param(message, 0), code = chat_irc_param(message, 1);
    struct irc_span text =
        message->param_count > 2 ? message->params[message->param_count - 1] : irc_span("");
    if (is_failure && irc_span_is_nocase(verb, "CHATHISTORY")) {
        for (size_t i = 2; i + 1 < message->param_count; i++) {
            struct chat_irc_room *room = chat_irc_room_find(irc, message->params[i]);
            if (room && room->ask != ASK_NOTHING) {
                if (room->ask == ASK_USER) {
                    chat_irc_tell(irc, "%.*s", SPAN(text));
                }
                chat_irc_room_answered(irc, room, true);
                return;
            }
        }
    }
    char line[600];
    (void)snprintf(line, sizeof line, "%.*s (%.*s)", SPAN(text), SPAN(code));
    if (is_failure && (irc_span_is(code, "RATE_LIMITED") || irc_span_is(code, "TRY_AGAIN"))) {
        chat_irc_tell(irc, "%s", line);
        chat_irc_on_busy(irc);
    } else if (is_failure) {
        refuse(irc, in, line);
    } else {
        chat_irc_tell(irc, "%s", line);
    }
}
