/* SPDX-License-Identifier: MIT */
#include "core/event.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * An event is one block: the struct, the pointers to recent events, the room ids, then the
 * strings, in the order of falling alignment so that nothing needs padding.
 */

static const char *put_string(char **at, const char *text, size_t len, uint32_t *ret_len)
{
    assert(len < UINT32_MAX);
    char *start = *at;
    if (len > 0) {
        memcpy(start, text, len);
    }
    start[len] = '\0';
    *at = start + len + 1;
    *ret_len = (uint32_t)len;
    return start;
}

static void copy_numbers(struct event *event, const struct event_parts *parts)
{
    event->type = (uint8_t)parts->type;
    event->audience = (uint8_t)parts->audience;
    event->code = parts->code;
    event->durable = parts->durable;
    event->room_id = parts->room_id;
    event->session = parts->session;
    event->peer = parts->peer;
    event->number = parts->number;
    event->seq = parts->seq;
    event->time_ms = parts->time_ms;
    event->count = parts->count;
    event->kind = parts->kind;
    event->flags = parts->flags;
    event->asked = parts->asked;
    event->value = parts->value;
    event->identity = parts->identity;
    event->peer_identity = parts->peer_identity;
}

struct event *event_create(const struct event_parts *parts)
{
    size_t recent_size = parts->recent_count * sizeof(struct event *);
    size_t rooms_size = parts->room_count * sizeof(uint32_t);
    size_t text_size = parts->room_len + parts->actor_len + parts->target_len + parts->text_len +
                       parts->source_len + parts->account_len + parts->tags_len + parts->extra_len +
                       8;
    struct event *event = xmalloc(sizeof(*event) + recent_size + rooms_size + text_size);
    atomic_init(&event->refs, 1);
    copy_numbers(event, parts);

    char *at = (char *)(event + 1);
    event->recent = (struct event **)(void *)at;
    event->recent_count = parts->recent_count;
    for (uint32_t i = 0; i < parts->recent_count; i++) {
        event->recent[i] = event_ref(parts->recent[i]);
    }
    at += recent_size;
    event->rooms = (const uint32_t *)(const void *)at;
    event->room_count = parts->room_count;
    if (rooms_size > 0) {
        memcpy(at, parts->rooms, rooms_size);
    }
    at += rooms_size;
    event->room = put_string(&at, parts->room, parts->room_len, &event->room_len);
    event->actor = put_string(&at, parts->actor, parts->actor_len, &event->actor_len);
    event->target = put_string(&at, parts->target, parts->target_len, &event->target_len);
    event->text = put_string(&at, parts->text, parts->text_len, &event->text_len);
    event->source = put_string(&at, parts->source, parts->source_len, &event->source_len);
    event->account = put_string(&at, parts->account, parts->account_len, &event->account_len);
    event->tags = put_string(&at, parts->tags, parts->tags_len, &event->tags_len);
    event->extra = put_string(&at, parts->extra, parts->extra_len, &event->extra_len);
    return event;
}

size_t event_bytes(const struct event *event)
{
    size_t texts = (size_t)event->room_len + event->actor_len + event->target_len +
                   event->text_len + event->source_len + event->account_len + event->tags_len +
                   event->extra_len + 8;
    return sizeof(*event) + event->recent_count * sizeof(struct event *) +
           event->room_count * sizeof(uint32_t) + texts;
}

struct event *event_ref(struct event *event)
{
    atomic_fetch_add_explicit(&event->refs, 1, memory_order_relaxed);
    return event;
}

void event_unref(struct event *event)
{
    if (event == NULL) {
        return;
    }
    /* Release so that this thread's reads come before the free, acquire so that the free sees those
     * of all other threads. */
    if (atomic_fetch_sub_explicit(&event->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    /* Recent events are messages and have no recent events themselves: this goes one level deep. */
    for (uint32_t i = 0; i < event->recent_count; i++) {
        event_unref(event->recent[i]);
    }
    free(event);
}

void event_list_take(struct event_list *list, struct event *event)
{
    if (list->count == list->cap) {
        list->cap = list->cap == 0 ? 16 : list->cap * 2;
        list->items = xreallocarray(list->items, list->cap, sizeof(*list->items));
    }
    list->items[list->count++] = event;
}

void event_list_cut(struct event_list *list, size_t count)
{
    for (size_t i = count; i < list->count; i++) {
        event_unref(list->items[i]);
    }
    list->count = count < list->count ? count : list->count;
}

void event_list_clear(struct event_list *list)
{
    event_list_cut(list, 0);
}

void event_list_finish(struct event_list *list)
{
    event_list_clear(list);
    free(list->items);
    *list = (struct event_list){0};
}
