/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mask.h"
#include "core/name.h"
#include "front/irc/channel.h"

/*
 * LIST, with the conditions of ELIST (Modern IRC): C made, T topic set so many minutes ago, U users
 * more or less than so many, M names that match, N names that do not. All conditions must hold; of
 * names that match one is enough.
 */

struct bounds {
    bool has_less, has_more;
    uint64_t less, more;
};

struct conditions {
    struct bounds users, made, topic;
    struct mask masks[IRC_TARGETS_MAX], others[IRC_TARGETS_MAX];
    size_t mask_count, other_count;
    bool has_mask; /* also when none of them is one */
};

static void take_bound(struct bounds *bounds, struct irc_span item)
{
    uint64_t number = 0;
    for (size_t i = 1; i < item.len; i++) {
        if (item.text[i] < '0' || item.text[i] > '9' || number > UINT32_MAX) {
            return;
        }
        number = number * 10 + (uint64_t)(item.text[i] - '0');
    }
    if (item.len > 1 && item.text[0] == '<') {
        bounds->has_less = true;
        bounds->less = number;
    } else if (item.len > 1) {
        bounds->has_more = true;
        bounds->more = number;
    }
}

static void take_mask(struct mask *masks, size_t *count, struct irc_span text)
{
    if (*count < IRC_TARGETS_MAX && mask_init(&masks[*count], text.text, text.len)) {
        (*count)++;
    }
}

static bool is_bound(struct irc_span item, size_t at)
{
    return item.len > at && (item.text[at] == '<' || item.text[at] == '>');
}

static void take_condition(struct conditions *conditions, struct irc_span item)
{
    struct irc_span rest = irc_span_of(item.text + 1, item.len - 1);
    if (is_bound(item, 0)) {
        take_bound(&conditions->users, item);
    } else if (is_bound(item, 1) && item.text[0] == 'C') {
        take_bound(&conditions->made, rest);
    } else if (is_bound(item, 1) && item.text[0] == 'T') {
        take_bound(&conditions->topic, rest);
    } else if (item.text[0] == '!') {
        take_mask(conditions->others, &conditions->other_count, rest);
    } else {
        conditions->has_mask = true;
        take_mask(conditions->masks, &conditions->mask_count, item);
    }
}

static void read_conditions(struct conditions *conditions, const char *text)
{
    struct irc_span list = irc_span(text), item;
    memset(conditions, 0, sizeof(*conditions));
    while (irc_name_next(&list, &item)) {
        take_condition(conditions, item);
    }
}

static void finish_conditions(struct conditions *conditions)
{
    for (size_t i = 0; i < conditions->mask_count; i++) {
        mask_finish(&conditions->masks[i]);
    }
    for (size_t i = 0; i < conditions->other_count; i++) {
        mask_finish(&conditions->others[i]);
    }
}

static bool is_within(const struct bounds *bounds, uint64_t number)
{
    return (!bounds->has_less || number < bounds->less) &&
           (!bounds->has_more || number > bounds->more);
}

/* "<5": less than five minutes ago. "T" leaves out what never had a topic. */
static bool is_old_enough(const struct bounds *bounds, uint64_t then_s, int64_t now_ms)
{
    if (!bounds->has_less && !bounds->has_more) {
        return true;
    }
    uint64_t now_s = (uint64_t)(now_ms / 1000);
    uint64_t age_s = now_s > then_s ? now_s - then_s : 0;
    return then_s > 0 && (!bounds->has_less || age_s < bounds->less * 60) &&
           (!bounds->has_more || age_s >= bounds->more * 60);
}

static bool any_matches(const struct mask *masks, size_t count, const char *folded, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (mask_matches(&masks[i], folded, len)) {
            return true;
        }
    }
    return false;
}

static bool is_named_so(const struct conditions *conditions, struct irc_span channel)
{
    if (!conditions->has_mask && conditions->other_count == 0) {
        return true;
    }
    size_t len = 0;
    char *folded = name_fold(channel.text, channel.len, &len);
    bool is_so = folded &&
                 (!conditions->has_mask ||
                  any_matches(conditions->masks, conditions->mask_count, folded, len)) &&
                 !any_matches(conditions->others, conditions->other_count, folded, len);
    free(folded);
    return is_so;
}

/* A room as EVENT_REPLY_LIST has it. */
enum { FIELD_ROOM, FIELD_MEMBERS, FIELD_TOPIC, FIELD_MADE, FIELD_TOPIC_SET, FIELD_COUNT };

void irc_list_reply(struct irc_session *irc, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[FIELD_COUNT];
    struct conditions conditions;
    char channel[IRC_CHANNEL_CAP];
    char *note = irc_take_note(irc, IRC_NOTE_LIST);
    read_conditions(&conditions, note ? note : "");
    irc_bulk_begin(irc);
    while (record_next(&in, fields, FIELD_COUNT)) {
        struct irc_span name =
            irc_channel(fields[FIELD_ROOM].text, fields[FIELD_ROOM].len, channel);
        bool is_meant =
            is_within(&conditions.users, record_number(&fields[FIELD_MEMBERS])) &&
            is_old_enough(&conditions.made, record_number(&fields[FIELD_MADE]), event->time_ms) &&
            is_old_enough(&conditions.topic, record_number(&fields[FIELD_TOPIC_SET]),
                          event->time_ms) &&
            is_named_so(&conditions, name);
        if (is_meant && !irc_has_room(irc)) {
            irc_reply(irc, IRC_ERR_TOOMANYMATCHES, irc_span("LIST"));
            break;
        }
        if (is_meant) {
            irc_numeric_text(irc, IRC_RPL_LIST, IRC_SPANS(name, irc_field(&fields[FIELD_MEMBERS])),
                             irc_field(&fields[FIELD_TOPIC]));
        }
    }
    irc_bulk_end(irc);
    finish_conditions(&conditions);
    free(note);
}

/* ---- the command ---- */

static bool is_plain(struct irc_span item)
{
    return irc_name_is_channel(item) && !memchr(item.text, '*', item.len) &&
           !memchr(item.text, '?', item.len);
}

/* Whether these are the names of some rooms and nothing else, which the hub can look up. */
static bool are_plain(struct irc_span list)
{
    struct irc_span item;
    size_t count = 0;
    while (irc_name_next(&list, &item)) {
        if (++count > IRC_TARGETS_MAX || !is_plain(item)) {
            return false;
        }
    }
    return count > 0;
}

bool irc_list_command(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    struct irc_span list = message->param_count > 0 ? message->params[0] : irc_span("");
    struct irc_span more = message->param_count > 1 ? message->params[1] : irc_span("");
    struct irc_span item;
    char both[IRC_BODY_MAX_BYTES];
    if (irc_span_is_nocase(more, shard_settings(irc->base.shard)->server_name)) {
        more = irc_span(""); /* RFC 1459 has a server there */
    }
    irc_finally(irc, IRC_RPL_LISTSTART, irc_span("Channel"));
    if (more.len == 0 && are_plain(list)) {
        while (irc_name_next(&list, &item)) {
            irc_ask(irc, COMMAND_LIST, item, irc_span(""));
        }
    } else {
        int n = snprintf(both, sizeof(both), "%.*s,%.*s", (int)list.len, list.text, (int)more.len,
                         more.text);
        irc_note(irc, IRC_NOTE_LIST, irc_span_of(both, (size_t)n));
        irc_ask(irc, COMMAND_LIST, irc_span(""), irc_span(""));
    }
    irc_finally(irc, IRC_RPL_LISTEND, irc_span(""));
    return true;
}
