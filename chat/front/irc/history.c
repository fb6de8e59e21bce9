/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "front/irc/irc_internal.h"
#include "front/irc/time.h"

/*
 * CHATHISTORY (IRCv3 draft/chathistory): the question to the reader, and its answer as a batch. A
 * channel's history is for its members, from where the room says; a conversation is for the two.
 */

static const char command_name[] = "CHATHISTORY";

static void fail(struct irc_session *irc, enum irc_standard code, struct irc_span subcommand,
                 struct irc_span about)
{
    const struct irc_span context[] = {subcommand, about};
    irc_standard(irc, IRC_FAIL, command_name, code, context, about.len > 0 ? 2 : 1);
}

struct room_view *irc_own_room(const struct irc_session *irc, struct irc_span channel)
{
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    size_t len, wanted_len, room_len;
    struct room_view *found = NULL;
    if (name_room(channel.text, channel.len, ROOM_NAME_CEILING_BYTES, clean, &len) != NAME_OK) {
        return NULL;
    }
    char *wanted = name_fold(clean, len, &wanted_len);
    for (uint32_t i = 0; wanted && !found && i < irc->base.membership_cap; i++) {
        const struct room_group *group = irc->base.memberships[i].group;
        char *name = group ? name_fold(group->room->name, group->room->name_len, &room_len) : NULL;
        if (name && room_len == wanted_len && memcmp(name, wanted, room_len) == 0) {
            found = group->room;
        }
        free(name);
    }
    free(wanted);
    return found;
}

bool irc_parse_msgid(struct irc_span text, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (text.len < 2 || text.len > 20 || text.text[0] != 'm' || text.text[1] == '0') {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (text.text[i] < '0' || text.text[i] > '9' || number > INT64_MAX / 10 - 1) {
            return false;
        }
        number = number * 10 + (uint64_t)(text.text[i] - '0');
    }
    *ret_number = number;
    return true;
}

/* A msgid that is not of this server's making names no message: the reader will not know it. */
static bool parse_bound(struct irc_span text, struct history_bound *ret)
{
    static const char msgid[] = "msgid=", timestamp[] = "timestamp=";
    if (text.len > sizeof(msgid) - 1 && memcmp(text.text, msgid, sizeof(msgid) - 1) == 0) {
        struct irc_span id =
            irc_span_of(text.text + sizeof(msgid) - 1, text.len - (sizeof(msgid) - 1));
        *ret = (struct history_bound){.kind = BOUND_NUMBER};
        if (!irc_parse_msgid(id, &ret->number)) {
            ret->number = INT64_MAX;
        }
        return true;
    }
    if (text.len > sizeof(timestamp) - 1 &&
        memcmp(text.text, timestamp, sizeof(timestamp) - 1) == 0) {
        *ret = (struct history_bound){.kind = BOUND_TIME};
        return irc_parse_time(
            irc_span_of(text.text + sizeof(timestamp) - 1, text.len - (sizeof(timestamp) - 1)),
            &ret->time_ms);
    }
    return false;
}

/* Whether a reference is of a kind that is not offered, rather than badly written. */
static bool is_other_kind(struct irc_span text)
{
    const char *equals = memchr(text.text, '=', text.len);
    size_t len = equals ? (size_t)(equals - text.text) : text.len;
    return !(equals && ((len == 5 && memcmp(text.text, "msgid", 5) == 0) ||
                        (len == 9 && memcmp(text.text, "timestamp", 9) == 0)));
}

static bool parse_limit(const struct irc_session *irc, struct irc_span text, uint32_t *ret)
{
    uint32_t max = shard_settings(irc->base.shard)->chathistory_max;
    uint64_t limit = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.text[i] < '0' || text.text[i] > '9' || text.len > 9) {
            return false;
        }
        limit = limit * 10 + (uint64_t)(text.text[i] - '0');
    }
    *ret = max > 0 && limit > max ? max : limit > HISTORY_MAX ? HISTORY_MAX : (uint32_t)limit;
    return text.len > 0;
}

/* Who or what the history is of. Returns: false when there is none for this session. */
static bool set_target(struct irc_session *irc, struct irc_span target, struct query *query)
{
    struct irc_target parsed = irc_target_parse(target, "");
    if (parsed.kind == IRC_TARGET_CHANNEL) {
        const struct room_view *room = irc_own_room(irc, parsed.name);
        if (!room) {
            return false;
        }
        query->history.room_id = room->id;
        query->history.floor = room->floor;
        query->history.floor_number = room->floor_number;
        return true;
    }
    if (parsed.kind != IRC_TARGET_NICK) {
        return false;
    }
    query->text = xmemdup0(target.text, target.len);
    query->history.other = query->text;
    query->history.identity = irc->identity;
    return true;
}

struct subcommand {
    const char *name;
    enum history_kind kind;
    uint8_t bounds;  /* references */
    bool from_is_to; /* the only one is the later end */
    bool may_be_any; /* '*' stands for none */
};

static const struct subcommand subcommands[] = {
    {"LATEST", HISTORY_LAST_OF, 1, false, true},   {"BEFORE", HISTORY_LAST_OF, 1, true, false},
    {"AFTER", HISTORY_FIRST_OF, 1, false, false},  {"AROUND", HISTORY_AROUND, 1, false, false},
    {"BETWEEN", HISTORY_BETWEEN, 2, false, false},
};

/* Reads the references and the limit. Returns: false, and told, when one is wrong. */
static bool set_bounds(struct irc_session *irc, const struct subcommand *sub,
                       const struct irc_span *params, struct history_query *history)
{
    struct history_bound *const bounds[] = {sub->from_is_to ? &history->to : &history->from,
                                            &history->to};
    for (unsigned i = 0; i < sub->bounds; i++) {
        struct irc_span text = params[2 + i];
        if (sub->may_be_any && irc_span_is(text, "*")) {
            continue;
        }
        if (!parse_bound(text, bounds[i])) {
            fail(irc,
                 is_other_kind(text) ? IRC_STANDARD_INVALID_MSGREFTYPE
                                     : IRC_STANDARD_INVALID_PARAMS,
                 params[0], text);
            return false;
        }
    }
    if (!parse_limit(irc, params[2 + sub->bounds], &history->count)) {
        fail(irc, IRC_STANDARD_INVALID_PARAMS, params[0], params[2 + sub->bounds]);
        return false;
    }
    return true;
}

bool irc_wait_for(struct irc_session *irc, const struct irc_line *line, struct query *query)
{
    if (!session_ask(&irc->base, query)) {
        return false;
    }
    free(irc->later);
    irc->later = xmemdup0(line->text, line->len);
    irc->waiting = true;
    return true;
}

static void ask(struct irc_session *irc, const struct irc_line *line, struct query *query)
{
    if (!irc_wait_for(irc, line, query)) {
        fail(irc, IRC_STANDARD_MESSAGE_ERROR, line->message.params[0], line->message.params[1]);
    }
}

/* Without a batch around it, what happened once would look as if it happened now. */
static bool plays_events(const struct irc_session *irc)
{
    const uint32_t needed = IRC_CAP(EVENT_PLAYBACK) | IRC_CAP(BATCH);
    return (irc->caps & needed) == needed;
}

static void ask_messages(struct irc_session *irc, const struct irc_line *line,
                         const struct subcommand *sub)
{
    const struct irc_span *params = line->message.params;
    struct query *query = query_create(irc->base.id);
    query->history.kind = sub->kind;
    query->history.what = plays_events(irc) ? HISTORY_EVENTS : HISTORY_MESSAGES;
    if (!set_bounds(irc, sub, params, &query->history)) {
        query_destroy(query);
    } else if (!set_target(irc, params[1], query)) {
        fail(irc, IRC_STANDARD_INVALID_TARGET, params[0], params[1]);
        query_destroy(query);
    } else {
        ask(irc, line, query);
    }
}

static void ask_targets(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_span *params = line->message.params;
    struct history_bound from, to;
    uint32_t count;
    if (!parse_bound(params[1], &from) || from.kind != BOUND_TIME) {
        fail(irc, IRC_STANDARD_INVALID_PARAMS, params[0], params[1]);
        return;
    }
    if (!parse_bound(params[2], &to) || to.kind != BOUND_TIME) {
        fail(irc, IRC_STANDARD_INVALID_PARAMS, params[0], params[2]);
        return;
    }
    if (!parse_limit(irc, params[3], &count)) {
        fail(irc, IRC_STANDARD_INVALID_PARAMS, params[0], params[3]);
        return;
    }
    struct query *query = query_create(irc->base.id);
    query->kind = QUERY_TARGETS;
    query->rooms = xcalloc(irc->base.membership_cap, sizeof(*query->rooms));
    for (uint32_t i = 0; i < irc->base.membership_cap; i++) {
        const struct room_group *group = irc->base.memberships[i].group;
        if (group) {
            query->rooms[query->targets.room_count++] =
                (struct history_room){group->room->id, group->room->floor};
        }
    }
    query->targets.rooms = query->rooms;
    query->targets.identity = irc->identity;
    query->targets.count = count;
    query->targets.from_ms = from.time_ms;
    query->targets.to_ms = to.time_ms;
    ask(irc, line, query);
}

static bool do_chathistory(struct irc_session *irc, const struct irc_line *line)
{
    const struct irc_message *message = &line->message;
    if (!shard_settings(irc->base.shard)->history_enabled) {
        irc_reply(irc, IRC_ERR_UNKNOWNCOMMAND, message->command);
        return true;
    }
    if (message->param_count == 0) {
        irc_fail(irc, command_name, IRC_STANDARD_NEED_MORE_PARAMS, irc_span("*"));
        return true;
    }
    struct irc_span word = message->params[0];
    bool is_targets = irc_span_is_nocase(word, "TARGETS");
    const struct subcommand *sub = NULL;
    for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++) {
        sub = irc_span_is_nocase(word, subcommands[i].name) ? &subcommands[i] : sub;
    }
    if (!sub && !is_targets) {
        fail(irc, IRC_STANDARD_UNKNOWN_COMMAND, word, irc_span(""));
    } else if (message->param_count < (is_targets ? 4u : 3u + sub->bounds)) {
        fail(irc, IRC_STANDARD_NEED_MORE_PARAMS, word, irc_span(""));
    } else if (is_targets) {
        ask_targets(irc, line);
    } else {
        ask_messages(irc, line, sub);
    }
    return true;
}

/* ---- answers ---- */

static void put_batch(const struct irc_session *irc, struct text_out *out, bool is_begin,
                      const char *name, const char *type, struct irc_span target)
{
    struct irc_writer writer;
    char word[48];
    int n = snprintf(word, sizeof(word), "%c%s", is_begin ? '+' : '-', name);
    irc_start(irc, &writer);
    irc_writer_put_source(&writer, irc_server_name(irc));
    irc_writer_put_command(&writer, irc_span("BATCH"));
    irc_writer_put_param(&writer, irc_span_of(word, (size_t)n));
    if (is_begin) {
        irc_writer_put_param(&writer, irc_span(type));
        if (target.len > 0) {
            irc_writer_put_param(&writer, target);
        }
    }
    text_out_add(out, writer.bytes, irc_writer_end(&writer));
}

/*
 * The messages, as many as the peer's queue has room for: of what was asked from the newest end
 * the newest. Who gets fewer than the limit asks on from what it got.
 */
static void add_messages(struct irc_session *irc, const struct query *query, struct irc_span batch,
                         struct text_out *out)
{
    size_t max = session_answer_max(&irc->base), count = query->found.count, from = 0;
    size_t *ends = xcalloc(count + 1, sizeof(*ends));
    struct text_out text = {0};
    for (size_t i = 0; i < count; i++) {
        irc_encode_in_batch(irc->base.shard, query->found.items[i], irc->base.encoding, batch,
                            &text);
        ends[i + 1] = text.len;
    }
    if (query->history.kind == HISTORY_LAST_OF) {
        while (from < count && ends[count] - ends[from] > max) {
            from++;
        }
    } else {
        while (count > 0 && ends[count] > max) {
            count--;
        }
    }
    if (ends[count] > ends[from]) {
        text_out_add(out, text.data + ends[from], ends[count] - ends[from]);
    }
    text_out_finish(&text);
    free(ends);
}

static void add_targets(struct irc_session *irc, const struct query *query, struct irc_span batch,
                        struct text_out *out)
{
    struct record_in in = {query->records.bytes, query->records.len};
    struct record_field fields[3];
    while (record_next(&in, fields, 3)) {
        struct irc_writer writer;
        char channel[IRC_CHANNEL_CAP], time[IRC_TIME_CAP];
        bool is_room = record_number(&fields[0]) != 0;
        irc_start(irc, &writer);
        if (batch.text) {
            (void)irc_writer_put_tag(&writer, irc_span("batch"), batch);
        }
        irc_writer_put_source(&writer, irc_server_name(irc));
        irc_writer_put_command(&writer, irc_span(command_name));
        irc_writer_put_param(&writer, irc_span("TARGETS"));
        irc_writer_put_param(&writer, is_room ? irc_channel(fields[1].text, fields[1].len, channel)
                                              : irc_field(&fields[1]));
        irc_writer_put_param(&writer, irc_time_text((int64_t)record_number(&fields[2]), time));
        text_out_add(out, writer.bytes, irc_writer_end(&writer));
    }
}

static void write_answer(struct irc_session *irc, const struct irc_message *message,
                         const struct query *query)
{
    char name[24];
    struct text_out out = {0};
    bool has_batch = (irc->caps & IRC_CAP(BATCH)) != 0;
    bool is_targets = query->kind == QUERY_TARGETS;
    int n = snprintf(name, sizeof(name), "H%u", irc->batches++);
    struct irc_span batch = has_batch ? irc_span_of(name, (size_t)n) : irc_span_of(NULL, 0);
    if (has_batch) {
        put_batch(irc, &out, true, name, is_targets ? "draft/chathistory-targets" : "chathistory",
                  is_targets ? irc_span("") : message->params[1]);
    }
    if (is_targets) {
        add_targets(irc, query, batch, &out);
    } else {
        add_messages(irc, query, batch, &out);
    }
    if (has_batch) {
        put_batch(irc, &out, false, name, "", irc_span(""));
    }
    if (out.len > 0) {
        irc_write(irc, out.data, out.len);
    }
    text_out_finish(&out);
}

void irc_on_answer(struct session *session, const struct query *query)
{
    struct irc_session *irc = (struct irc_session *)session;
    struct irc_message message;
    unsigned submitted = irc->submitted;
    char *text = irc->later;
    if (!text) {
        return;
    }
    irc->later = NULL;
    irc->waiting = false;
    (void)irc_message_parse(text, strlen(text), &message);
    session_flush_rooms(session);
    bool is_of_room = query->kind == QUERY_HISTORY && query->history.room_id != 0;
    if (query->kind == QUERY_MESSAGE) {
        irc_redact_found(irc, &message, query);
    } else if (is_of_room && !room_has(session, query->history.room_id)) {
        /* Put out meanwhile: the reader may have seen what was said since. */
        fail(irc, IRC_STANDARD_INVALID_TARGET, message.params[0], message.params[1]);
    } else if (query->fault == LOG_OK) {
        write_answer(irc, &message, query);
    } else {
        fail(irc, IRC_STANDARD_MESSAGE_ERROR, message.params[0], message.params[1]);
    }
    irc_answered(irc, submitted);
    free(text);
}

const struct irc_command irc_history_commands[] = {
    {.name = "CHATHISTORY", .fn = do_chathistory, .when = IRC_AFTER, .cost = 2, .waits = true},
    {.name = "REDACT", .fn = irc_do_redact, .when = IRC_AFTER, .cost = 2, .waits = true},
    {.name = "MARKREAD", .fn = irc_do_markread, .when = IRC_AFTER, .cost = 1, .is_local = true},
    {.name = NULL},
};
