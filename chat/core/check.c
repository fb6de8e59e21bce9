/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/masks.h"
#include "core/name.h"
#include "core/watch.h"
#include "core/whowas.h"

/* The invariants of the hub's state. Each function returns what is wrong, or NULL. */

static const char *check_label(const struct hub *hub, const struct label *label)
{
    struct label_key key;
    if (label->text[label->len] != '\0' || strlen(label->text) != label->len) {
        return "a label's length is not that of its text";
    }
    if (!label_key_init(&key, hub->hash_seed, label->text, label->len)) {
        return "a label's name does not fold";
    }
    bool is_same = label_is(label, &key);
    label_key_finish(&key);
    return is_same ? NULL : "a label's folded form is not that of its name";
}

static bool is_user_name(const struct label *label)
{
    char clean[NAME_CEILING_BYTES + 1];
    size_t len;
    return name_user(label->text, label->len, NAME_CEILING_BYTES, clean, &len) == NAME_OK &&
           len == label->len && memcmp(clean, label->text, len) == 0;
}

static bool is_room_name(const struct label *label)
{
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    size_t len;
    return name_room(label->text, label->len, ROOM_NAME_CEILING_BYTES, clean, &len) == NAME_OK &&
           len == label->len && memcmp(clean, label->text, len) == 0;
}

static const char *check_member_rooms(const struct member *member)
{
    if (member->room_count > 1 && member->more_cap < member->room_count - 1) {
        return "a member has more rooms than space for them";
    }
    if (member->room_count <= 1 && member->more != NULL) {
        return "a member keeps memory for rooms it is not in";
    }
    for (uint32_t i = 0; i < member->room_count; i++) {
        const struct membership *membership = member_room(member, i);
        if (membership->index >= membership->room->member_count ||
            membership->room->members[membership->index] != member) {
            return "a membership does not lead to the member's place in the room";
        }
        uint32_t first;
        if (member_find_room(member, membership->room, &first) == NULL || first != i) {
            return "a member is in a room twice";
        }
    }
    return NULL;
}

static const char *check_watches(const struct hub *hub, const struct member *member)
{
    if (member->watches != NULL && member->watches->count == 0) {
        return "a member keeps memory for names it does not watch";
    }
    for (uint32_t i = 0; i < watch_count(member); i++) {
        const struct watching *watching = &member->watches->items[i];
        const struct watch *watch = watching->watch;
        uint32_t first;
        if (watching->index >= watch->count || watch->watchers[watching->index] != member) {
            return "what a member watches does not lead to its place among the watchers";
        }
        if (!watch_find(member, watch, &first) || first != i) {
            return "a member watches a name twice";
        }
        if (watch_by_label(hub, watch->label) != watch) {
            return "a watch is not found by its name";
        }
    }
    return NULL;
}

static const char *check_invites(const struct invites *invites)
{
    if (invites == NULL) {
        return NULL;
    }
    if (invites->count == 0 || invites->count > INVITES_MAX) {
        return "a member has too many invitations, or an empty list of them";
    }
    for (uint32_t i = 1; i < invites->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct invite *a = &invites->items[i], *b = &invites->items[j];
            if (a->room_id == b->room_id && a->life == b->life && a->is_strong == b->is_strong) {
                return "a member is invited twice to the same room";
            }
        }
    }
    return NULL;
}

static const char *check_modes(const struct member *member)
{
    if (((member->modes & USER_OPERATOR) != 0) != (member->operator_name != NULL)) {
        return "an operator has no name as one, or who is none has one";
    }
    if (member->away != NULL && member->away[0] == '\0') {
        return "a member is away without saying so";
    }
    return NULL;
}

static const char *check_person(const struct hub *hub, const struct member *member)
{
    if (member->identity == 0 || strchr(member->source, '@') == NULL) {
        return "a member has no identity or no source";
    }
    const char *wrong = check_watches(hub, member);
    wrong = wrong != NULL ? wrong : check_invites(member->invites);
    return wrong != NULL ? wrong : check_modes(member);
}

static const char *check_member(const struct hub *hub, const struct member *member)
{
    const char *wrong = check_label(hub, member->label);
    if (wrong != NULL) {
        return wrong;
    }
    if (member->session == 0 || member_by_session(hub, member->session) != member) {
        return "a member is not found by its session";
    }
    if (!is_user_name(member->label)) {
        return "a member has a name that is not allowed";
    }
    if (member_by_name(hub, member->label->text, member->label->len) != member) {
        return "a member is not found by its name";
    }
    if (member_alike(hub, member->label, member) != NULL) {
        return "two members have names that look alike";
    }
    if (member->label->guest <= GUEST_TRACKED_MAX && member->label->guest != 0 &&
        !guest_set_has(&hub->guests, member->label->guest)) {
        return "a guest's number is not taken";
    }
    const char *wrong_person = check_person(hub, member);
    return wrong_person != NULL ? wrong_person : check_member_rooms(member);
}

static const char *check_recent(const struct hub *hub, const struct room *room)
{
    if (room->recent.count > hub->limits.recent) {
        return "a room keeps more messages than the limit";
    }
    uint64_t seq = room->last_seq + 1;
    size_t bytes = 0;
    for (uint32_t i = room->recent.count; i-- > 0;) {
        const struct event *event = recent_at(&room->recent, i);
        bytes += event_bytes(event);
        if (event->seq >= seq || event->room_id != room->id || !event->durable) {
            return "a room's last messages are not in order";
        }
        seq = event->seq;
    }
    if (bytes != room->recent.bytes) {
        return "the bytes of a room's last messages are counted wrongly";
    }
    if (room->recent.count > 1 && bytes > (size_t)hub->limits.recent * RECENT_MEAN_BYTES) {
        return "a room's last messages take more than the limit";
    }
    return NULL;
}

static const char *check_masks(const struct masks *masks)
{
    if (masks == NULL) {
        return NULL;
    }
    if (masks->count == 0) {
        return "an empty list of masks is kept";
    }
    for (uint32_t i = 0; i < masks->count; i++) {
        uint32_t at;
        const struct mask_entry *entry = masks->items[i];
        if (entry->refs != 1) {
            return "a mask is in more lists than one, or in none";
        }
        if (!masks_find(masks, entry->text, strlen(entry->text), &at) || at != i) {
            return "a list has the same mask twice";
        }
    }
    return NULL;
}

/* What is set of a room is set in one of its lives. */
static const char *check_settings(const struct hub *hub, const struct room *room)
{
    bool is_closed = (room->modes & ROOM_CLOSING) != 0 || room->key != NULL;
    bool has_lists = false;
    for (int list = 0; list < LIST_COUNT; list++) {
        has_lists |= room->lists[list] != NULL;
        const char *wrong = hub->in_batch ? NULL : check_masks(room->lists[list]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    if (room->member_count == 0 && (room->modes != 0 || room->limit != 0 || room->key != NULL ||
                                    room->was_closed || has_lists)) {
        return "a room that nobody is in has modes";
    }
    if (is_closed && !room->was_closed) {
        return "a closed room would not be sealed";
    }
    if (room->key != NULL && room->key[0] == '\0') {
        return "a room has an empty key";
    }
    return room->sealed_seq <= room->last_seq ? NULL : "a room is sealed beyond its last message";
}

static const char *check_room(const struct hub *hub, const struct room *room)
{
    const char *wrong = check_label(hub, room->label);
    if (wrong != NULL) {
        return wrong;
    }
    if (!is_room_name(room->label)) {
        return "a room has a name that is not allowed";
    }
    if (room_by_name(hub, room->label->text, room->label->len) != room) {
        return "a room is not found by its name";
    }
    if (room->is_lobby != (label_compare(room->label, hub->lobby_label) == 0) ||
        (room->is_lobby && hub->lobby != room)) {
        return "the lobby is not the room of its name";
    }
    if (room_is_forgettable(room)) {
        return "a room that nothing is left of is still known";
    }
    if (room->topic != NULL && room->topic->len == 0) {
        return "a room has an empty topic";
    }
    wrong = check_settings(hub, room);
    if (wrong != NULL) {
        return wrong;
    }
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct membership *membership = member_find_room(room->members[i], room, NULL);
        if (membership == NULL || membership->index != i) {
            return "a room has a member that does not know it";
        }
        if ((membership->ranks & ~(RANK_VOICE | RANK_OPERATOR)) != 0) {
            return "a member has a rank there is not";
        }
    }
    return check_recent(hub, room);
}

static const char *check_guests(const struct hub *hub)
{
    uint64_t taken = 0;
    uint64_t held = 0;
    for (uint32_t i = 0; i < hub->guests.word_count; i++) {
        taken += (uint64_t)__builtin_popcountll(hub->guests.words[i]);
    }
    for (uint32_t i = 0; i < hub->member_count; i++) {
        uint32_t guest = hub->members[i]->label->guest;
        held += guest != 0 && guest <= GUEST_TRACKED_MAX;
    }
    return taken == held ? NULL : "a guest number is taken that nobody has";
}

static const char *check_counts(const struct hub *hub)
{
    uint32_t invisible = 0;
    uint32_t operators = 0;
    uint32_t alike = 0;
    uint64_t watching = 0;
    for (uint32_t i = 0; i < hub->member_count; i++) {
        const struct member *member = hub->members[i];
        invisible += (member->modes & USER_INVISIBLE) != 0;
        operators += (member->modes & USER_OPERATOR) != 0;
        alike += !label_has_own_skeleton(member->label);
        watching += watch_count(member);
    }
    if (invisible != hub->invisible_count || operators != hub->operator_count) {
        return "invisible users or operators are counted wrongly";
    }
    if (alike != hub->by_alike.count) {
        return "the look-up table of skeletons has more or fewer members than there are";
    }
    if (hub->member_most < hub->member_count) {
        return "there were never as many members as there are";
    }
    if (watching < hub->by_watch.count) {
        return "a name is watched by nobody";
    }
    if (hub->whowas.count > hub->whowas.cap || hub->whowas.cap > hub->limits.whowas) {
        return "more users who left are remembered than the limit";
    }
    return NULL;
}

static const char *check_members(const struct hub *hub)
{
    if (hub->by_session.count != hub->member_count || hub->by_name.count != hub->member_count) {
        return "a look-up table has more or fewer members than there are";
    }
    for (uint32_t i = 0; i < hub->member_count; i++) {
        if (hub->members[i]->index != i) {
            return "a member's place in the hub is not where it is";
        }
        const char *wrong = check_member(hub, hub->members[i]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    const char *wrong = check_counts(hub);
    return wrong != NULL ? wrong : check_guests(hub);
}

static const char *check_rooms(const struct hub *hub)
{
    if (hub->by_room_name.count != hub->room_count) {
        return "the look-up table has more or fewer rooms than there are";
    }
    for (uint32_t i = 0; i < hub->room_count; i++) {
        const struct room *room = hub->rooms[i];
        if (room->id == 0 || room->id >= hub->next_room_id) {
            return "a room's id may be given again";
        }
        if (i > 0 && hub->rooms[i - 1]->id >= room->id) {
            return "the rooms are not in the order of their ids";
        }
        const char *wrong = check_room(hub, room);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

/* Each side's memberships lead to the other side, so equal numbers mean equal sets. */
static const char *check_memberships(const struct hub *hub)
{
    uint64_t of_members = 0;
    uint64_t of_rooms = 0;
    uint32_t live = 0;
    for (uint32_t i = 0; i < hub->member_count; i++) {
        of_members += hub->members[i]->room_count;
    }
    for (uint32_t i = 0; i < hub->room_count; i++) {
        of_rooms += hub->rooms[i]->member_count;
        live += hub->rooms[i]->member_count > 0;
    }
    if (live != hub->live_room_count) {
        return "the rooms with members are counted wrongly";
    }
    return of_members == of_rooms ? NULL : "somebody is in a room that is not known";
}

const char *hub_check(const struct hub *hub)
{
    const char *wrong = check_members(hub);
    if (wrong == NULL) {
        wrong = check_rooms(hub);
    }
    if (wrong == NULL) {
        wrong = check_memberships(hub);
    }
    if (wrong == NULL && !hub->in_batch && hub->journal.count != 0) {
        wrong = "the journal is not empty between two batches";
    }
    return wrong;
}
