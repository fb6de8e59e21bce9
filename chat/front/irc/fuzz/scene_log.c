/* SPDX-License-Identifier: MIT */
#include "scene_log.h"

#include <string.h>
#include <strings.h>

#include "core/command.h"
#include "core/record.h"

static bool is_private(const struct event *event)
{
    return event->type == EVENT_PRIVATE_TO;
}

/* Whether what happened is of the kind that was asked for. */
static bool is_wanted(const struct event *event, enum history_what what)
{
    switch (event->type) {
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
        return true;
    case EVENT_TOPIC:
        return what != HISTORY_MESSAGES;
    case EVENT_PRIVATE_TO:
        return what == HISTORY_EVENTS || event->kind != MESSAGE_TAGS;
    case EVENT_SEALED:
        return false;
    default:
        return what == HISTORY_EVENTS;
    }
}

static bool is_of_place(const struct event *event, const struct history_query *query)
{
    if (query->room_id != 0) {
        return event->room_id == query->room_id && (event->seq == 0 || event->seq >= query->floor);
    }
    if (!is_private(event) || query->identity == 0 || !query->other) {
        return false;
    }
    return (event->identity == query->identity && strcasecmp(event->target, query->other) == 0) ||
           (event->peer_identity == query->identity && strcasecmp(event->actor, query->other) == 0);
}

/* Less than 0 when the event lies before the bound. */
static int compare(const struct event *event, const struct history_bound *bound)
{
    if (bound->kind == BOUND_NUMBER) {
        return event->number < bound->number ? -1 : event->number > bound->number;
    }
    return event->time_ms < bound->time_ms ? -1 : event->time_ms > bound->time_ms;
}

static bool is_between(const struct event *event, const struct history_query *query)
{
    const struct history_bound *from = &query->from, *to = &query->to;
    switch (query->kind) {
    case HISTORY_BEFORE:
        return event->seq != 0 && event->seq < query->seq;
    case HISTORY_AFTER:
        return event->seq > query->seq;
    case HISTORY_SINCE:
        return event->time_ms >= query->time_ms;
    case HISTORY_UNTIL:
        return event->time_ms < query->time_ms;
    case HISTORY_SEARCH:
        return event->seq != 0 && strstr(event->text, query->text) != NULL;
    case HISTORY_LAST:
    case HISTORY_AROUND:
        return true;
    default:
        return (from->kind == BOUND_NONE || compare(event, from) > 0) &&
               (to->kind == BOUND_NONE || compare(event, to) < 0);
    }
}

static bool is_forward(enum history_kind kind)
{
    return kind == HISTORY_AFTER || kind == HISTORY_SINCE || kind == HISTORY_FIRST_OF ||
           kind == HISTORY_BETWEEN;
}

/* The event as the log gives it back: its room has the name it has now. The caller's reference. */
static struct event *read_back(const struct event_list *log, struct event *event)
{
    const struct event *renamed = NULL;
    for (size_t i = 0; i < log->count; i++) {
        if (log->items[i]->type == EVENT_ROOM_RENAMED && log->items[i]->room_id == event->room_id) {
            renamed = log->items[i];
        }
    }
    if (!renamed || event->type == EVENT_ROOM_RENAMED || event->room_id == 0) {
        return event_ref(event);
    }
    return event_create(&(struct event_parts){
        .type = event->type,
        .audience = event->audience,
        .code = event->code,
        .kind = event->kind,
        .flags = event->flags,
        .durable = event->durable,
        .room_id = event->room_id,
        .number = event->number,
        .seq = event->seq,
        .count = event->count,
        .value = event->value,
        .identity = event->identity,
        .time_ms = event->time_ms,
        .room = renamed->target,
        .room_len = renamed->target_len,
        .actor = event->actor,
        .actor_len = event->actor_len,
        .target = event->target,
        .target_len = event->target_len,
        .text = event->text,
        .text_len = event->text_len,
        .source = event->source,
        .source_len = event->source_len,
        .tags = event->tags,
        .tags_len = event->tags_len,
        .extra = event->extra,
        .extra_len = event->extra_len,
    });
}

static void answer_history(const struct event_list *log, struct query *query)
{
    const struct history_query *history = &query->history;
    struct event_list all = {0};
    for (size_t i = 0; i < log->count; i++) {
        struct event *event = log->items[i];
        if (is_wanted(event, history->what) && is_of_place(event, history) &&
            is_between(event, history)) {
            event_list_take(&all, event_ref(event));
        }
    }
    query->more = all.count > history->count;
    size_t from = query->more && !is_forward(history->kind) ? all.count - history->count : 0;
    for (size_t i = from; i < all.count && query->found.count < history->count; i++) {
        event_list_take(&query->found, read_back(log, all.items[i]));
    }
    event_list_finish(&all);
}

/* The last message of each room; people are left out. */
static void answer_targets(const struct event_list *log, struct query *query)
{
    for (size_t i = 0; i < query->targets.room_count; i++) {
        const struct event *last = NULL;
        for (size_t j = 0; j < log->count; j++) {
            const struct event *event = log->items[j];
            last = event->room_id == query->targets.rooms[i].room_id ? event : last;
        }
        if (last && query->records.count < query->targets.count) {
            record_put_number(&query->records, last->room_id);
            record_put(&query->records, last->room, last->room_len);
            record_put_number(&query->records, (uint64_t)last->time_ms);
            record_end(&query->records);
        }
    }
}

static bool is_message(const struct event *event, const struct message_query *query)
{
    if (event->number != query->number || !is_wanted(event, HISTORY_MESSAGES)) {
        return false;
    }
    return query->room_id != 0 ? event->room_id == query->room_id
                               : is_private(event) && (event->identity == query->identity ||
                                                       event->peer_identity == query->identity);
}

static void answer_message(const struct event_list *log, struct query *query)
{
    const struct event *found = NULL;
    bool is_gone = false;
    for (size_t i = 0; i < log->count; i++) {
        const struct event *event = log->items[i];
        found = is_message(event, &query->message) ? event : found;
        is_gone |= event->type == EVENT_REDACTED && event->value == query->message.number;
    }
    if (!found) {
        query->fault = LOG_UNKNOWN;
        return;
    }
    record_put_number(&query->records, found->room_id);
    record_put_number(&query->records, found->seq);
    record_put_number(&query->records, found->identity);
    record_put_number(&query->records, found->peer_identity);
    record_put(&query->records, found->actor, found->actor_len);
    if (is_gone) {
        record_puts(&query->records, "1");
    }
    record_end(&query->records);
}

void scene_log_answer(const struct event_list *log, struct query *query)
{
    query->fault = LOG_OK;
    switch (query->kind) {
    case QUERY_HISTORY:
        answer_history(log, query);
        break;
    case QUERY_TARGETS:
        answer_targets(log, query);
        break;
    case QUERY_MESSAGE:
        answer_message(log, query);
        break;
    }
}
