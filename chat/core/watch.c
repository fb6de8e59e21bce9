/* SPDX-License-Identifier: MIT */
#include "core/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define FIRST_CAP 4u

struct watch *watch_create(struct label *label)
{
    struct watch *watch = xcalloc(1, sizeof(*watch));
    watch->label = label;
    return watch;
}

void watch_destroy(struct watch *watch)
{
    free(watch->watchers);
    free(watch->label);
    free(watch);
}

uint32_t watch_hash(const void *watch)
{
    return ((const struct watch *)watch)->label->hash;
}

static bool is_key(const void *item, const void *key)
{
    return label_is(((const struct watch *)item)->label, key);
}

static bool is_label(const void *item, const void *label)
{
    return label_compare(((const struct watch *)item)->label, label) == 0;
}

struct watch *watch_by_key(const struct hub *hub, const struct label_key *key)
{
    return table_find(&hub->by_watch, key->hash, is_key, key);
}

struct watch *watch_by_label(const struct hub *hub, const struct label *label)
{
    return table_find(&hub->by_watch, label->hash, is_label, label);
}

uint32_t watch_count(const struct member *member)
{
    return member->watches != NULL ? member->watches->count : 0;
}

bool watch_find(const struct member *member, const struct watch *watch, uint32_t *ret_at)
{
    for (uint32_t i = 0; i < watch_count(member); i++) {
        if (member->watches->items[i].watch == watch) {
            if (ret_at != NULL) {
                *ret_at = i;
            }
            return true;
        }
    }
    return false;
}

/* Puts a member into a place of the watchers and notes the place at the member. */
static void place(struct watch *watch, struct member *member, uint32_t at)
{
    uint32_t watching_at = 0;
    bool is_found = watch_find(member, watch, &watching_at);
    assert(is_found);
    (void)is_found;
    watch->watchers[at] = member;
    member->watches->items[watching_at].index = at;
}

static void insert_watching(struct member *member, struct watch *watch, uint32_t at)
{
    struct watches *watches = member->watches;
    uint32_t count = watch_count(member);
    if (watches == NULL || count == watches->cap) {
        uint32_t cap = count == 0 ? FIRST_CAP : count * 2;
        struct watches *grown =
            xreallocarray(watches, 1, sizeof(*grown) + cap * sizeof(grown->items[0]));
        grown->count = count;
        grown->cap = cap;
        member->watches = watches = grown;
    }
    memmove(&watches->items[at + 1], &watches->items[at], (count - at) * sizeof(watches->items[0]));
    watches->items[at] = (struct watching){.watch = watch};
    watches->count++;
}

void watch_join(struct member *member, struct watch *watch, uint32_t watcher_at,
                uint32_t watching_at)
{
    assert(watcher_at <= watch->count && watching_at <= watch_count(member));
    if (watch->count == watch->cap) {
        watch->cap = watch->cap == 0 ? FIRST_CAP : watch->cap * 2;
        watch->watchers = xreallocarray(watch->watchers, watch->cap, sizeof(struct member *));
    }
    insert_watching(member, watch, watching_at);
    if (watcher_at < watch->count) {
        place(watch, watch->watchers[watcher_at], watch->count);
    }
    place(watch, member, watcher_at);
    watch->count++;
}

void watch_leave(struct member *member, uint32_t watching_at)
{
    struct watches *watches = member->watches;
    struct watching gone = watches->items[watching_at];
    uint32_t last = gone.watch->count - 1;
    if (gone.index != last) {
        place(gone.watch, gone.watch->watchers[last], gone.index);
    }
    gone.watch->count--;
    watches->count--;
    memmove(&watches->items[watching_at], &watches->items[watching_at + 1],
            (watches->count - watching_at) * sizeof(watches->items[0]));
    if (watches->count == 0) {
        free(watches);
        member->watches = NULL;
    }
}

void watch_finish(struct hub *hub, struct member *member)
{
    while (watch_count(member) > 0) {
        struct watch *watch = member->watches->items[0].watch;
        watch_leave(member, 0);
        if (watch->count == 0) {
            table_remove(&hub->by_watch, watch);
            watch_destroy(watch);
        }
    }
}
