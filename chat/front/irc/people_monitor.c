/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "front/irc/people.h"

/* MONITOR (IRCv3): whose coming and going one is told. */

/* What the hub tells of a user; user is "" of one who is not there. */
enum { FIELD_NAME, FIELD_USER, FIELD_HOST, FIELD_COUNT };

static void put_names(struct record_out *out, struct irc_span list)
{
    struct irc_span name;
    while (irc_name_next(&list, &name)) {
        record_put(out, name.text, name.len);
        record_end(out);
    }
}

bool irc_monitor_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span word = message->params[0];
    struct irc_span list = message->param_count > 1 ? message->params[1] : irc_span("");
    struct record_out names = {0};
    bool takes_list = irc_span_is(word, "+") || irc_span_is(word, "-");
    bool is_known = takes_list || irc_span_is_nocase(word, "C") || irc_span_is_nocase(word, "L") ||
                    irc_span_is_nocase(word, "S");
    if (!is_known || (takes_list && list.len == 0)) {
        if (line->in_turn && is_known) {
            irc_reply(irc, IRC_ERR_NEEDMOREPARAMS, irc_span("MONITOR"));
        } else if (line->in_turn) {
            irc_numeric_text(irc, IRC_ERR_UNKNOWNERROR, IRC_SPANS(irc_span("MONITOR"), word),
                             irc_span("There is no such subcommand"));
        }
        return false;
    }
    if (takes_list) {
        put_names(&names, list);
    }
    /* The letters of the hub are large. */
    char letter = takes_list ? word.text[0] : (char)(word.text[0] & ~0x20);
    irc_submit(irc, &(struct command_parts){.type = COMMAND_MONITOR,
                                            .value = (unsigned char)letter,
                                            .extra = names.bytes,
                                            .extra_len = names.len});
    record_out_finish(&names);
    return true;
}

/* Writes those of the records that are there, or that are not, or all, as one numeric. */
static void put_targets(struct irc_session *irc, const struct event *event,
                        enum irc_numeric numeric)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[FIELD_COUNT];
    struct irc_items items;
    char text[NAME_CEILING_BYTES + USER_MAX_BYTES + HOST_MAX_BYTES + 8];
    irc_items_begin(&items, irc, numeric, NULL, 0, ',');
    while (record_next(&in, fields, FIELD_COUNT)) {
        bool is_there = fields[FIELD_USER].len > 0;
        int n;
        if (numeric == IRC_RPL_MONLIST || (numeric == IRC_RPL_MONOFFLINE && !is_there)) {
            n = snprintf(text, sizeof(text), "%s", fields[FIELD_NAME].text);
        } else if (numeric == IRC_RPL_MONONLINE && is_there) {
            n = snprintf(text, sizeof(text), "%s!%s@%s", fields[FIELD_NAME].text,
                         fields[FIELD_USER].text, fields[FIELD_HOST].text);
        } else {
            continue;
        }
        irc_items_add(&items,
                      irc_span_of(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    }
    irc_items_end(&items, false);
}

void irc_monitor_event(struct irc_session *irc, const struct event *event)
{
    if (event->type == EVENT_ONLINE) {
        put_targets(irc, event, IRC_RPL_MONONLINE);
    } else if (event->type == EVENT_OFFLINE) {
        put_targets(irc, event, IRC_RPL_MONOFFLINE);
    } else if (event->value == 'S') {
        put_targets(irc, event, IRC_RPL_MONONLINE);
        put_targets(irc, event, IRC_RPL_MONOFFLINE);
    } else {
        put_targets(irc, event, IRC_RPL_MONLIST);
        irc_reply0(irc, IRC_RPL_ENDOFMONLIST);
    }
}
