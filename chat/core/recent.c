/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define FIRST_CAP 4u

static struct event **slot(const struct recent *recent, uint32_t at)
{
    return &recent->items[(recent->start + at) % recent->cap];
}

static void make_space(struct recent *recent)
{
    if (recent->count < recent->cap) {
        return;
    }
    uint32_t cap = recent->cap == 0 ? FIRST_CAP : recent->cap * 2;
    struct event **items = xreallocarray(NULL, cap, sizeof(*items));
    for (uint32_t i = 0; i < recent->count; i++) {
        items[i] = *slot(recent, i);
    }
    free(recent->items);
    recent->items = items;
    recent->cap = cap;
    recent->start = 0;
}

struct event *recent_take_oldest(struct recent *recent)
{
    assert(recent->count > 0);
    struct event *oldest = *slot(recent, 0);
    recent->bytes -= event_bytes(oldest);
    recent->start = (recent->start + 1) % recent->cap;
    recent->count--;
    return oldest;
}

void recent_finish(struct recent *recent)
{
    recent_trim(recent, 0);
    free(recent->items);
    *recent = (struct recent){0};
}

struct event *recent_at(const struct recent *recent, uint32_t at)
{
    assert(at < recent->count);
    return *slot(recent, at);
}

struct event *recent_push(struct recent *recent, struct event *event, uint32_t max)
{
    assert(max > 0 && recent->count <= max);
    struct event *evicted = recent->count == max ? recent_take_oldest(recent) : NULL;
    make_space(recent);
    *slot(recent, recent->count) = event;
    recent->count++;
    recent->bytes += event_bytes(event);
    return evicted;
}

struct event *recent_swap(struct recent *recent, uint32_t at, struct event *event)
{
    assert(at < recent->count);
    struct event *old = *slot(recent, at);
    *slot(recent, at) = event;
    recent->bytes += event_bytes(event) - event_bytes(old);
    return old;
}

void recent_prepend(struct recent *recent, struct event *event)
{
    make_space(recent);
    recent->start = (recent->start + recent->cap - 1) % recent->cap;
    *slot(recent, 0) = event;
    recent->count++;
    recent->bytes += event_bytes(event);
}

void recent_unpush(struct recent *recent, struct event *evicted)
{
    assert(recent->count > 0);
    recent->count--;
    recent->bytes -= event_bytes(*slot(recent, recent->count));
    event_unref(*slot(recent, recent->count));
    if (evicted != NULL) {
        recent_prepend(recent, evicted);
    }
}

void recent_trim(struct recent *recent, uint32_t max)
{
    while (recent->count > max) {
        event_unref(recent_take_oldest(recent));
    }
}

bool recent_has_space(const struct recent *recent, const struct event *event, uint32_t max)
{
    return recent->bytes + event_bytes(event) <= (size_t)max * RECENT_MEAN_BYTES;
}

struct event *recent_form(struct event *event)
{
    if (event->tags_len == 0) {
        return event_ref(event);
    }
    const struct event_parts parts = {
        .type = (enum event_type)event->type,
        .audience = (enum event_audience)event->audience,
        .kind = event->kind,
        .flags = event->flags,
        .durable = event->durable,
        .room_id = event->room_id,
        .session = event->session,
        .number = event->number,
        .seq = event->seq,
        .identity = event->identity,
        .time_ms = event->time_ms,
        .room = event->room,
        .room_len = event->room_len,
        .actor = event->actor,
        .actor_len = event->actor_len,
        .text = event->text,
        .text_len = event->text_len,
        .source = event->source,
        .source_len = event->source_len,
        .account = event->account,
        .account_len = event->account_len,
    };
    return event_create(&parts);
}
