/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "front/irc/people.h"

/* WHOIS and WHOWAS. */

/* Whether WHOIS may be asked of this target: this server, or whoever is asked for. */
static bool is_here(const struct irc_session *irc, struct irc_span server, struct irc_span nicks)
{
    char text[IRC_BODY_MAX_BYTES];
    (void)snprintf(text, sizeof(text), "%.*s", (int)nicks.len, nicks.text);
    return irc_span_is_nocase(server, shard_settings(irc->base.shard)->server_name) ||
           irc_span_is(server, "*") || irc_span_is_nocase(server, text);
}

bool irc_whois_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span nick;
    struct irc_span all = message->param_count > 0 ? message->params[0] : irc_span("");
    bool is_elsewhere = false;
    if (message->param_count > 1 && message->params[1].len > 0) {
        all = message->params[1];
        is_elsewhere = !is_here(irc, message->params[0], all);
    }
    struct irc_span list = all;
    if (is_elsewhere || !irc_name_next(&list, &nick)) {
        if (line->in_turn && is_elsewhere) {
            irc_reply(irc, IRC_ERR_NOSUCHSERVER, message->params[0]);
        } else if (line->in_turn) {
            irc_reply0(irc, IRC_ERR_NONICKNAMEGIVEN);
        }
        return false;
    }
    size_t count = 0;
    do {
        irc_ask(irc, COMMAND_WHOIS, nick, irc_span(""));
    } while (++count < IRC_TARGETS_MAX && irc_name_next(&list, &nick));
    irc_finally(irc, IRC_RPL_ENDOFWHOIS, all);
    return true;
}

/* ---- the answer ---- */

enum {
    FIELD_NAME,
    FIELD_USER,
    FIELD_SHOWN,
    FIELD_REAL_NAME,
    FIELD_HOST,
    FIELD_IDLE,
    FIELD_SIGNON,
    FIELD_ACCOUNT,
    FIELD_AWAY,
    FIELD_MODES,
    FIELD_SECURE,
    FIELD_OPERATOR,
    FIELD_COUNT
};

static void rooms_line(struct irc_session *irc, struct irc_span nick, struct record_in *in)
{
    struct record_field room[2];
    struct irc_items items;
    char text[IRC_CHANNEL_CAP + 4], channel[IRC_CHANNEL_CAP];
    irc_items_begin(&items, irc, IRC_RPL_WHOISCHANNELS, &nick, 1, ' ');
    while (record_next(in, room, 2)) {
        size_t marks = irc->caps & IRC_CAP(MULTI_PREFIX) || room[0].len == 0 ? room[0].len : 1;
        (void)irc_channel(room[1].text, room[1].len, channel);
        int n = snprintf(text, sizeof(text), "%.*s%s", (int)marks, room[0].text, channel);
        irc_items_add(&items, irc_span_of(text, (size_t)n));
    }
    irc_items_end(&items, false);
}

/* What is known of some only: the state, and where they really come from. */
static void state_lines(struct irc_session *irc, struct irc_span nick,
                        const struct record_field fields[FIELD_COUNT])
{
    char host[HOST_MAX_BYTES + 2], modes[16];
    if (strchr(fields[FIELD_MODES].text, 'o')) {
        irc_reply(irc, IRC_RPL_WHOISOPERATOR, nick);
    }
    if (fields[FIELD_AWAY].len > 0) {
        irc_numeric_text(irc, IRC_RPL_AWAY, &nick, 1, irc_field(&fields[FIELD_AWAY]));
    }
    if (strchr(fields[FIELD_MODES].text, 'B')) {
        const char *network = shard_settings(irc->base.shard)->network;
        irc_numeric_values(irc, IRC_RPL_WHOISBOT, &nick, 1, IRC_SPANS(irc_span(network)));
    }
    if (fields[FIELD_HOST].len > 0) {
        struct irc_span shown = irc_field(&fields[FIELD_HOST]);
        shown.len = shown.len < HOST_MAX_BYTES ? shown.len : HOST_MAX_BYTES;
        irc_reply(irc, IRC_RPL_WHOISACTUALLY, nick,
                  irc_span_of(host, irc_name_write_host(shown, host)));
        /* Who may see the one may see the other. */
        (void)snprintf(modes, sizeof(modes), "+%s", fields[FIELD_MODES].text);
        irc_numeric_values(irc, IRC_RPL_WHOISMODES, &nick, 1, IRC_SPANS(irc_span(modes)));
    }
    if (fields[FIELD_ACCOUNT].len > 0) {
        irc_reply(irc, IRC_RPL_WHOISACCOUNT, nick, irc_field(&fields[FIELD_ACCOUNT]));
    }
    if (fields[FIELD_SECURE].len > 0) {
        irc_reply(irc, IRC_RPL_WHOISSECURE, nick);
    }
}

static struct irc_span description(const struct irc_session *irc)
{
    const struct front_settings *settings = shard_settings(irc->base.shard);
    const char *text = settings->description;
    return irc_span(text && text[0] ? text : settings->network);
}

void irc_whois_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[FIELD_COUNT];
    if (!record_next(&in, fields, FIELD_COUNT)) {
        return;
    }
    struct irc_span nick = irc_field(&fields[FIELD_NAME]);
    irc_numeric_text(irc, IRC_RPL_WHOISUSER,
                     IRC_SPANS(nick, irc_field(&fields[FIELD_USER]),
                               irc_field(&fields[FIELD_SHOWN]), irc_span("*")),
                     irc_field(&fields[FIELD_REAL_NAME]));
    rooms_line(irc, nick, &in);
    irc_numeric_text(irc, IRC_RPL_WHOISSERVER, IRC_SPANS(nick, irc_server_name(irc)),
                     description(irc));
    state_lines(irc, nick, fields);
    irc_reply(irc, IRC_RPL_WHOISIDLE, nick, irc_field(&fields[FIELD_IDLE]),
              irc_field(&fields[FIELD_SIGNON]));
}

/* ---- WHOWAS ---- */

/* "WHOWAS <nick> [<count>]": what is no positive number means all. */
bool irc_whowas_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    uint64_t most = 0;
    if (message->param_count == 0 || message->params[0].len == 0) {
        if (line->in_turn) {
            irc_reply0(irc, IRC_ERR_NONICKNAMEGIVEN);
        }
        return false;
    }
    struct irc_span count = message->param_count > 1 ? message->params[1] : irc_span("");
    for (size_t i = 0; i < count.len && count.len < 10; i++) {
        if (count.text[i] < '0' || count.text[i] > '9') {
            most = 0;
            break;
        }
        most = most * 10 + (uint64_t)(count.text[i] - '0');
    }
    irc_submit(irc, &(struct command_parts){.type = COMMAND_WHOWAS,
                                            .value = most,
                                            .target = message->params[0].text,
                                            .target_len = message->params[0].len});
    return true;
}

static void whowas_lines(struct irc_session *irc, const struct record_field fields[5])
{
    time_t left = (time_t)record_number(&fields[4]);
    struct tm tm;
    char when[64] = "";
    struct irc_span nick = irc_field(&fields[0]);
    irc_numeric_text(irc, IRC_RPL_WHOWASUSER,
                     IRC_SPANS(nick, irc_field(&fields[1]), irc_field(&fields[2]), irc_span("*")),
                     irc_field(&fields[3]));
    if (gmtime_r(&left, &tm)) {
        (void)strftime(when, sizeof(when), "%a %b %d %H:%M:%S %Y UTC", &tm);
    }
    irc_numeric_text(irc, IRC_RPL_WHOISSERVER, IRC_SPANS(nick, irc_server_name(irc)),
                     irc_span(when));
}

void irc_whowas_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[5];
    struct irc_span nick = irc_span_of(event->target, event->target_len);
    if (event->count == 0) {
        irc_reply(irc, IRC_ERR_WASNOSUCHNICK, nick);
    }
    while (irc_has_room(irc) && record_next(&in, fields, 5)) {
        whowas_lines(irc, fields);
    }
    irc_reply(irc, IRC_RPL_ENDOFWHOWAS, nick);
}
