/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <string.h>

#include "core/masks.h"
#include "core/watch.h"
#include "core/whowas.h"

/*
 * The hash of the whole state: all that any later answer can depend on, with the order of every
 * array. What is found again from the rest (look-up tables, guest numbers) is hub_check's to
 * compare.
 */

#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

static void add_number(uint64_t *hash, uint64_t number)
{
    /* The high half of a product depends on all bits, the low half on the low ones only. */
    *hash = (*hash ^ number) * FNV_PRIME;
    *hash ^= *hash >> 32;
}

static void add_bytes(uint64_t *hash, const char *bytes, size_t len)
{
    add_number(hash, len);
    for (size_t i = 0; i < len; i++) {
        *hash = (*hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
    }
}

static void add_label(uint64_t *hash, const struct label *label)
{
    add_bytes(hash, label->text, label->len);
    add_bytes(hash, label_folded(label), label->folded_len);
    add_number(hash, label->guest);
}

/* NULL is not the same as "". */
static void add_string(uint64_t *hash, const char *string)
{
    add_number(hash, string != NULL);
    if (string != NULL) {
        add_bytes(hash, string, strlen(string));
    }
}

static void add_invites(uint64_t *hash, const struct invites *invites)
{
    add_number(hash, invites != NULL ? invites->count : 0);
    for (uint32_t i = 0; invites != NULL && i < invites->count; i++) {
        add_number(hash, invites->items[i].room_id);
        add_number(hash, invites->items[i].life);
    }
}

static void add_masks(uint64_t *hash, const struct masks *masks)
{
    add_number(hash, masks != NULL ? masks->count : 0);
    for (uint32_t i = 0; masks != NULL && i < masks->count; i++) {
        const struct mask_entry *entry = masks->items[i];
        add_string(hash, entry->text);
        add_string(hash, entry->actor);
        add_number(hash, (uint64_t)entry->time_ms);
    }
}

static void add_person(uint64_t *hash, const struct member *member)
{
    add_number(hash, member->modes);
    add_number(hash, member->is_secure);
    add_number(hash, (uint64_t)member->since_ms);
    add_number(hash, (uint64_t)member->spoke_ms);
    add_number(hash, member->identity);
    add_string(hash, member->source);
    add_string(hash, member->real_name);
    add_string(hash, member->away);
    add_string(hash, member->operator_name);
    add_invites(hash, member->invites);
    add_number(hash, watch_count(member));
    for (uint32_t i = 0; i < watch_count(member); i++) {
        const struct watching *watching = &member->watches->items[i];
        add_label(hash, watching->watch->label);
        add_number(hash, watching->index);
    }
}

static void add_past(uint64_t *hash, const struct past *past)
{
    add_number(hash, (uint64_t)past->left_ms);
    add_string(hash, past->name);
    add_string(hash, past->source);
    add_string(hash, past->real_name);
}

static void add_member(uint64_t *hash, const struct member *member)
{
    add_number(hash, member->session);
    add_label(hash, member->label);
    add_bytes(hash, member->host, strlen(member->host));
    add_person(hash, member);
    add_number(hash, member->room_count);
    for (uint32_t i = 0; i < member->room_count; i++) {
        const struct membership *membership = member_room(member, i);
        add_number(hash, membership->room->id);
        add_number(hash, membership->index);
        add_number(hash, membership->ranks);
    }
}

/* A message that is kept never changes, unless it is taken back: its numbers stand for it. */
static void add_recent(uint64_t *hash, const struct room *room)
{
    add_number(hash, room->recent_known);
    add_number(hash, room->recent.count);
    for (uint32_t i = 0; i < room->recent.count; i++) {
        const struct event *event = recent_at(&room->recent, i);
        add_number(hash, event->number);
        add_number(hash, event->seq);
        add_number(hash, event->type);
        add_number(hash, event->text_len);
    }
}

static void add_room(uint64_t *hash, const struct room *room)
{
    add_number(hash, room->id);
    add_label(hash, room->label);
    add_number(hash, room->last_seq);
    add_number(hash, room->topic != NULL);
    if (room->topic != NULL) {
        add_bytes(hash, room->topic->text, room->topic->len);
        add_bytes(hash, room->topic->actor, room->topic->actor_len);
        add_bytes(hash, room->topic->source, room->topic->source_len);
        add_number(hash, (uint64_t)room->topic->time_ms);
    }
    add_number(hash, room->member_count);
    for (uint32_t i = 0; i < room->member_count; i++) {
        add_number(hash, room->members[i]->session);
    }
    add_number(hash, room->sealed_seq);
    add_number(hash, room->sealed_number);
    add_number(hash, room->life_seq);
    add_number(hash, (uint64_t)room->made_ms);
    add_number(hash, room->life);
    add_number(hash, room->was_closed);
    add_number(hash, room->modes);
    add_number(hash, room->limit);
    add_string(hash, room->key);
    for (int list = 0; list < LIST_COUNT; list++) {
        add_masks(hash, room->lists[list]);
    }
    add_recent(hash, room);
}

uint64_t hub_digest(const struct hub *hub)
{
    uint64_t hash = FNV_OFFSET;
    add_number(&hash, hub->next_room_id);
    add_number(&hash, (uint64_t)hub->last_time_ms);
    add_number(&hash, hub->unstored);
    add_number(&hash, hub->member_count);
    for (uint32_t i = 0; i < hub->member_count; i++) {
        add_member(&hash, hub->members[i]);
    }
    add_number(&hash, hub->room_count);
    for (uint32_t i = 0; i < hub->room_count; i++) {
        add_room(&hash, hub->rooms[i]);
    }
    add_number(&hash, hub->member_most);
    add_number(&hash, hub->whowas.count);
    for (uint32_t i = 0; i < hub->whowas.count; i++) {
        add_past(&hash, whowas_at(hub, i));
    }
    return hash;
}
