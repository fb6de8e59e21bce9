/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"

#define FIRST_CAP 4u

struct member *member_create(uint64_t session, struct label *label, const char *host,
                             size_t host_len)
{
    struct member *member = xcalloc(1, sizeof(*member) + host_len + 1);
    member->session = session;
    member->label = label;
    if (host_len > 0) {
        memcpy(member->host, host, host_len);
    }
    return member;
}

void member_destroy(struct member *member)
{
    free(member->label);
    free(member->more);
    free(member->source);
    free(member->real_name);
    free(member->away);
    free(member->operator_name);
    free(member->invites);
    free(member);
}

uint32_t member_hash_session(const void *member)
{
    return label_hash_session(((const struct member *)member)->session);
}

uint32_t member_hash_name(const void *member)
{
    return ((const struct member *)member)->label->hash;
}

uint32_t member_hash_alike(const void *member)
{
    return ((const struct member *)member)->label->alike;
}

static bool is_session(const void *item, const void *key)
{
    return ((const struct member *)item)->session == *(const uint64_t *)key;
}

static bool is_name(const void *item, const void *key)
{
    return label_is(((const struct member *)item)->label, key);
}

struct member *member_by_session(const struct hub *hub, uint64_t session)
{
    return table_find(&hub->by_session, label_hash_session(session), is_session, &session);
}

struct member *member_by_key(const struct hub *hub, const struct label_key *key)
{
    return table_find(&hub->by_name, key->hash, is_name, key);
}

struct member *member_by_name(const struct hub *hub, const char *name, size_t len)
{
    /* The ceiling, not the limit: a lowered limit must not make members unreachable. */
    char clean[NAME_CEILING_BYTES + 1];
    struct label_key key;
    if (name_user(name, len, NAME_CEILING_BYTES, clean, &len) != NAME_OK ||
        !label_key_init(&key, hub->hash_seed, clean, len)) {
        return NULL;
    }
    struct member *member = member_by_key(hub, &key);
    label_key_finish(&key);
    return member;
}

/* What a name is held against: all but the one that it is of. */
struct alike_key {
    const struct label *label;
    const struct member *except;
    unsigned *crowd; /* names met so far that have the same skeleton; NULL: not counted */
};

static bool is_alike(const void *item, const void *key)
{
    const struct member *member = item;
    const struct alike_key *alike = key;
    if (member == alike->except || member->label->alike != alike->label->alike) {
        return false;
    }
    /* In the table of skeletons they lie behind one another: with any number of them each look-up
     * would meet them all. */
    if (alike->crowd != NULL && ++*alike->crowd == ALIKE_MAX) {
        return true;
    }
    return label_is_alike(member->label, alike->label);
}

struct member *member_alike(const struct hub *hub, const struct label *label,
                            const struct member *except)
{
    unsigned crowd = 0;
    struct alike_key key = {label, except, NULL};
    struct member *member = table_find(&hub->by_name, label->alike, is_alike, &key);
    if (member != NULL) {
        return member;
    }
    key.crowd = &crowd;
    return table_find(&hub->by_alike, label->alike, is_alike, &key);
}

static void add_name(struct hub *hub, struct member *member)
{
    table_add(&hub->by_name, member);
    if (!label_has_own_skeleton(member->label)) {
        table_add(&hub->by_alike, member);
    }
    guest_set_claim(&hub->guests, member->label->guest);
}

static void remove_name(struct hub *hub, struct member *member)
{
    table_remove(&hub->by_name, member);
    if (!label_has_own_skeleton(member->label)) {
        table_remove(&hub->by_alike, member);
    }
    guest_set_release(&hub->guests, member->label->guest);
}

void member_insert(struct hub *hub, struct member *member, uint32_t at)
{
    assert(at <= hub->member_count);
    if (hub->member_count == hub->member_cap) {
        hub->member_cap = hub->member_cap == 0 ? FIRST_CAP : hub->member_cap + hub->member_cap / 2;
        hub->members = xreallocarray(hub->members, hub->member_cap, sizeof(*hub->members));
    }
    if (at < hub->member_count) {
        hub->members[hub->member_count] = hub->members[at];
        hub->members[hub->member_count]->index = hub->member_count;
    }
    hub->members[at] = member;
    member->index = at;
    hub->member_count++;
    table_add(&hub->by_session, member);
    add_name(hub, member);
}

void member_extract(struct hub *hub, struct member *member)
{
    uint32_t last = --hub->member_count;
    hub->members[member->index] = hub->members[last];
    hub->members[member->index]->index = member->index;
    table_remove(&hub->by_session, member);
    remove_name(hub, member);
}

struct label *member_relabel(struct hub *hub, struct member *member, struct label *label)
{
    struct label *old_label = member->label;
    remove_name(hub, member);
    member->label = label;
    add_name(hub, member);
    return old_label;
}

struct membership *member_room(const struct member *member, uint32_t at)
{
    assert(at < member->room_count);
    return at == 0 ? (struct membership *)&member->first : &member->more[at - 1];
}

struct membership *member_find_room(const struct member *member, const struct room *room,
                                    uint32_t *ret_at)
{
    for (uint32_t i = 0; i < member->room_count; i++) {
        struct membership *membership = member_room(member, i);
        if (membership->room == room) {
            if (ret_at != NULL) {
                *ret_at = i;
            }
            return membership;
        }
    }
    return NULL;
}

static void insert_membership(struct member *member, struct membership membership, uint32_t at)
{
    assert(at <= member->room_count);
    if (member->room_count > 0 && member->room_count - 1 == member->more_cap) {
        member->more_cap = member->more_cap == 0 ? FIRST_CAP : member->more_cap * 2;
        member->more = xreallocarray(member->more, member->more_cap, sizeof(*member->more));
    }
    member->room_count++;
    for (uint32_t i = member->room_count - 1; i > at; i--) {
        *member_room(member, i) = *member_room(member, i - 1);
    }
    *member_room(member, at) = membership;
}

static void remove_membership(struct member *member, uint32_t at)
{
    for (uint32_t i = at; i + 1 < member->room_count; i++) {
        *member_room(member, i) = *member_room(member, i + 1);
    }
    member->room_count--;
    if (member->room_count <= 1) {
        free(member->more);
        member->more = NULL;
        member->more_cap = 0;
    }
}

/* Puts a member into a place of the room's members and notes the place in its membership. */
static void place(struct room *room, struct member *member, uint32_t at)
{
    room->members[at] = member;
    member_find_room(member, room, NULL)->index = at;
}

void member_join(struct member *member, struct room *room, uint32_t member_at, uint32_t room_at)
{
    assert(member_at <= room->member_count);
    if (room->member_count == room->member_cap) {
        room->member_cap =
            room->member_cap == 0 ? FIRST_CAP : room->member_cap + room->member_cap / 2;
        room->members = xreallocarray(room->members, room->member_cap, sizeof(*room->members));
    }
    insert_membership(member, (struct membership){.room = room}, room_at);
    if (member_at < room->member_count) {
        place(room, room->members[member_at], room->member_count);
    }
    place(room, member, member_at);
    room->member_count++;
}

void member_leave(struct member *member, uint32_t room_at)
{
    struct membership gone = *member_room(member, room_at);
    struct room *room = gone.room;
    uint32_t last = room->member_count - 1;
    if (gone.index != last) {
        place(room, room->members[last], gone.index);
    }
    room->member_count--;
    remove_membership(member, room_at);
}
