/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/masks.h"
#include "core/name.h"

#define FIRST_CAP 8u

struct room *room_create(uint32_t id, struct label *label)
{
    struct room *room = xcalloc(1, sizeof(*room));
    room->id = id;
    room->label = label;
    return room;
}

void room_destroy(struct room *room)
{
    recent_finish(&room->recent);
    free(room->members);
    free(room->topic);
    free(room->key);
    for (int list = 0; list < LIST_COUNT; list++) {
        masks_destroy(room->lists[list]);
    }
    free(room->label);
    free(room);
}

uint32_t room_hash_name(const void *room)
{
    return ((const struct room *)room)->label->hash;
}

uint32_t room_hash_alike(const void *room)
{
    return ((const struct room *)room)->label->alike;
}

static bool is_name(const void *item, const void *key)
{
    return label_is(((const struct room *)item)->label, key);
}

struct room *room_by_key(const struct hub *hub, const struct label_key *key)
{
    return table_find(&hub->by_room_name, key->hash, is_name, key);
}

struct room *room_by_name(const struct hub *hub, const char *name, size_t len)
{
    /* The ceiling, not the limit: a lowered limit must not make rooms unreachable. */
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    struct label_key key;
    if (name_room(name, len, ROOM_NAME_CEILING_BYTES, clean, &len) != NAME_OK ||
        !label_key_init(&key, hub->hash_seed, clean, len)) {
        return NULL;
    }
    struct room *room = room_by_key(hub, &key);
    label_key_finish(&key);
    return room;
}

/* What a name is held against: all but the one that it is of. */
struct alike_key {
    const struct label *label;
    const struct room *except;
    unsigned *crowd; /* names met so far that have the same skeleton; NULL: not counted */
};

static bool is_alike(const void *item, const void *key)
{
    const struct room *room = item;
    const struct alike_key *alike = key;
    if (room == alike->except || room->label->alike != alike->label->alike) {
        return false;
    }
    /* In the table of skeletons they lie behind one another: with any number of them each look-up
     * would meet them all. */
    if (alike->crowd != NULL && ++*alike->crowd == ALIKE_MAX) {
        return true;
    }
    return label_is_alike(room->label, alike->label);
}

struct room *room_alike(const struct hub *hub, const struct label *label, const struct room *except)
{
    unsigned crowd = 0;
    struct alike_key key = {label, except, NULL};
    struct room *room = table_find(&hub->by_room_name, label->alike, is_alike, &key);
    if (room != NULL) {
        return room;
    }
    key.crowd = &crowd;
    return table_find(&hub->by_room_alike, label->alike, is_alike, &key);
}

/* The place of the first room whose id is not less. */
static uint32_t find_place(const struct hub *hub, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = hub->room_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (hub->rooms[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct room *room_by_id(const struct hub *hub, uint32_t id)
{
    uint32_t at = find_place(hub, id);
    return at < hub->room_count && hub->rooms[at]->id == id ? hub->rooms[at] : NULL;
}

void room_insert(struct hub *hub, struct room *room)
{
    if (hub->room_count == hub->room_cap) {
        hub->room_cap = hub->room_cap == 0 ? FIRST_CAP : hub->room_cap * 2;
        hub->rooms = xreallocarray(hub->rooms, hub->room_cap, sizeof(*hub->rooms));
    }
    uint32_t at = find_place(hub, room->id);
    memmove(hub->rooms + at + 1, hub->rooms + at, (hub->room_count - at) * sizeof(*hub->rooms));
    hub->rooms[at] = room;
    hub->room_count++;
    table_add(&hub->by_room_name, room);
    if (!label_has_own_skeleton(room->label)) {
        table_add(&hub->by_room_alike, room);
    }
    if (label_compare(room->label, hub->lobby_label) == 0) {
        room->is_lobby = true;
        hub->lobby = room;
    }
}

void room_extract(struct hub *hub, struct room *room)
{
    uint32_t at = find_place(hub, room->id);
    assert(hub->rooms[at] == room);
    hub->room_count--;
    memmove(hub->rooms + at, hub->rooms + at + 1, (hub->room_count - at) * sizeof(*hub->rooms));
    table_remove(&hub->by_room_name, room);
    if (!label_has_own_skeleton(room->label)) {
        table_remove(&hub->by_room_alike, room);
    }
    if (room->is_lobby) {
        hub->lobby = NULL;
    }
}

struct label *room_relabel(struct hub *hub, struct room *room, struct label *label)
{
    struct label *old_label = room->label;
    table_remove(&hub->by_room_name, room);
    if (!label_has_own_skeleton(room->label)) {
        table_remove(&hub->by_room_alike, room);
    }
    room->label = label;
    table_add(&hub->by_room_name, room);
    if (!label_has_own_skeleton(room->label)) {
        table_add(&hub->by_room_alike, room);
    }
    return old_label;
}

bool room_is_hidden(const struct room *room)
{
    return room->member_count == 0 && room->sealed_seq > 0 && room->sealed_seq == room->last_seq;
}

bool room_is_forgettable(const struct room *room)
{
    return room->member_count == 0 && !room->is_lobby && room->last_seq == 0 && room->topic == NULL;
}

static char *put_string(char **at, const char *text, size_t len)
{
    char *start = *at;
    if (len > 0) {
        memcpy(start, text, len);
    }
    start[len] = '\0';
    *at = start + len + 1;
    return start;
}

struct topic *topic_create(const struct event_parts *parts)
{
    size_t len = parts->text_len;
    assert(len < UINT32_MAX && parts->actor_len < UINT32_MAX && parts->source_len < UINT32_MAX);
    struct topic *topic =
        xmalloc(sizeof(*topic) + len + 1 + parts->actor_len + 1 + parts->source_len + 1);
    char *at = topic->text;
    topic->time_ms = parts->time_ms;
    topic->len = (uint32_t)len;
    topic->actor_len = (uint32_t)parts->actor_len;
    topic->source_len = (uint32_t)parts->source_len;
    (void)put_string(&at, parts->text, len);
    topic->actor = put_string(&at, parts->actor, parts->actor_len);
    topic->source = put_string(&at, parts->source, parts->source_len);
    return topic;
}
