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

static struct event *take_oldest(struct recent *recent)
{
    struct event *oldest = *slot(recent, 0);
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
    struct event *evicted = recent->count == max ? take_oldest(recent) : NULL;
    make_space(recent);
    *slot(recent, recent->count) = event;
    recent->count++;
    return evicted;
}

struct event *recent_swap(struct recent *recent, uint32_t at, struct event *event)
{
    assert(at < recent->count);
    struct event *old = *slot(recent, at);
    *slot(recent, at) = event;
    return old;
}

void recent_prepend(struct recent *recent, struct event *event)
{
    make_space(recent);
    recent->start = (recent->start + recent->cap - 1) % recent->cap;
    *slot(recent, 0) = event;
    recent->count++;
}

void recent_unpush(struct recent *recent, struct event *evicted)
{
    assert(recent->count > 0);
    recent->count--;
    event_unref(*slot(recent, recent->count));
    if (evicted != NULL) {
        recent_prepend(recent, evicted);
    }
}

void recent_trim(struct recent *recent, uint32_t max)
{
    while (recent->count > max) {
        event_unref(take_oldest(recent));
    }
}
