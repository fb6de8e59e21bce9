/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/invite.h"
#include "core/masks.h"
#include "core/name.h"

/* Coming into a room: what it takes, and what is told of it. */

/* The modes a room begins each of its lives with. The lobby's topic is for everybody, as nobody has
 * a rank there. */
#define NEW_MODES   (ROOM_NO_OUTSIDE | ROOM_TOPIC_LOCK)
#define LOBBY_MODES ROOM_NO_OUTSIDE

struct room *apply_new_room(struct apply *apply, struct label *label)
{
    struct hub *hub = apply->hub;
    assert(hub->next_room_id <= UINT32_MAX);
    struct room *room = room_create((uint32_t)hub->next_room_id++, label);
    /* The log has nothing of a room that was not known. */
    room->recent_known = true;
    journal_add_room(hub, room);
    return room;
}

/* A room that was empty begins a life when somebody comes. */
static void begin_life(struct apply *apply, struct room *room)
{
    journal_save(apply->hub, &room->modes, sizeof(room->modes));
    room->modes = room->is_lobby ? LOBBY_MODES : NEW_MODES;
    journal_save(apply->hub, &room->made_ms, sizeof(room->made_ms));
    room->made_ms = apply->time_ms;
    journal_save(apply->hub, &room->life_seq, sizeof(room->life_seq));
    room->life_seq = room->last_seq;
    if (room->sealed_number == SEAL_PENDING) {
        /* Modes and names have no seq: what was set in the closed life is told apart by number. */
        journal_save(apply->hub, &room->sealed_number, sizeof(room->sealed_number));
        room->sealed_number = apply->number + apply->used;
    }
}

/* Puts the last messages that who comes may read into recent, and returns how many. */
static uint32_t pick_recent(const struct room *room, struct event **recent)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < room->recent.count; i++) {
        struct event *event = recent_at(&room->recent, i);
        /* A message without text was taken back; the topic may be cleared. */
        bool is_there = event->text_len > 0 || event->type == EVENT_TOPIC;
        if (is_there && event->seq > room->sealed_seq) {
            recent[count++] = event;
        }
    }
    return count;
}

static void yield_entered(struct apply *apply, const struct member *member, const struct room *room,
                          const struct membership *membership)
{
    struct event *recent[RECENT_CEILING];
    struct event_parts entered = apply_to_session(apply, EVENT_ENTERED, member->session);
    parts_set_room(&entered, room);
    parts_set_actor(&entered, member);
    if (room->topic != NULL) {
        parts_set_text(&entered, room->topic->text, room->topic->len);
        parts_set_target(&entered, room->topic->actor, room->topic->actor_len);
        entered.extra = room->topic->source;
        entered.extra_len = room->topic->source_len;
        entered.peer = (uint64_t)room->topic->time_ms;
    }
    entered.count = room->member_count;
    entered.seq = room->last_seq;
    entered.flags |= room->member_count == 1 ? EVENT_FLAG_NEW : 0;
    entered.value = room->last_seq + 1;
    if (apply_member_may(member, ACT_READ, room, membership)) {
        entered.value = room->sealed_seq + 1;
        entered.peer_identity = room->sealed_number;
        entered.recent_count = pick_recent(room, recent);
        entered.recent = recent;
    }
    apply_yield(apply, &entered);
}

void apply_go_in(struct apply *apply, struct member *member, struct room *room)
{
    if (room->member_count == 0) {
        begin_life(apply, room);
    }
    journal_join(apply->hub, member, room);
    struct membership *membership = member_find_room(member, room, NULL);
    if (room->member_count == 1 && !room->is_lobby) {
        /* Undone with the membership. */
        membership->ranks = RANK_OPERATOR;
    }
    yield_entered(apply, member, room, membership);

    struct event_parts joined = apply_to_room(apply, EVENT_JOINED, room);
    parts_set_actor(&joined, member);
    joined.count = room->member_count;
    joined.extra = member->real_name;
    joined.extra_len = strlen(member->real_name);
    if (member->away != NULL) {
        parts_set_text(&joined, member->away, strlen(member->away));
    }
    apply_yield(apply, &joined);
}

static void go_out_of_others(struct apply *apply, const struct room *kept)
{
    struct member *member = apply->member;
    uint32_t at = 0;
    while (at < member->room_count) {
        if (member_room(member, at)->room == kept) {
            at++;
        } else {
            apply_go_out(apply, at, GONE_MOVED, "", 0);
        }
    }
}

struct label *apply_claim_room(struct apply *apply, const char *name, size_t name_len,
                               const struct room *self)
{
    struct hub *hub = apply->hub;
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    size_t len;
    struct label_key key;
    enum name_fault fault = name_room(name, name_len, hub->limits.room_bytes, clean, &len);
    if (fault == NAME_LONG) {
        apply_refuse(apply, ERROR_ROOM_LONG, name, name_len, hub->limits.room_bytes);
        return NULL;
    }
    if (fault != NAME_OK || !label_key_init(&key, hub->hash_seed, clean, len)) {
        apply_refuse(apply, ERROR_ROOM_BAD, name, name_len, 0);
        return NULL;
    }
    const struct room *holder = room_by_key(hub, &key);
    struct label *label = NULL;
    if (holder != NULL && holder != self) {
        apply_refuse(apply, ERROR_ROOM_TAKEN, name, name_len, 0);
    } else {
        label = label_create(clean, len, &key);
    }
    label_key_finish(&key);
    if (label != NULL && claim_is_room_alike(hub, label, self)) {
        free(label);
        apply_refuse(apply, self != NULL ? ERROR_ROOM_TAKEN : ERROR_NAME_ALIKE, name, name_len, 0);
        return NULL;
    }
    return label;
}

/* The label of a room that is to be made as the command names it; NULL: refused. */
static struct label *claim_new_room(struct apply *apply)
{
    const struct command *command = apply->command;
    struct hub *hub = apply->hub;
    struct label *label = apply_claim_room(apply, command->target, command->target_len, NULL);
    if (label != NULL && (hub->room_count >= hub->limits.rooms || hub->next_room_id > UINT32_MAX)) {
        free(label);
        apply_refuse(apply, ERROR_ROOMS_FULL, command->target, command->target_len,
                     hub->limits.rooms);
        return NULL;
    }
    return label;
}

/* Why the member is not let into a room that it is not in; 0: it is. */
static enum event_error refused_at_door(const struct apply *apply, const struct room *room)
{
    const struct command *command = apply->command;
    const struct member *member = apply->member;
    if (room->member_count == 0) {
        return 0; /* it begins a new life, in which nothing is set */
    }
    bool is_let_past = invite_is_strong(member, room);
    if (!is_let_past && masks_judge(room, member) == MASKS_BANNED) {
        return ERROR_BANNED;
    }
    if (!apply_may_as(apply, ACT_ENTER, room, NULL) && !invite_is_there(member, room) &&
        !masks_are_for(room, LIST_INVITE_EXCEPTIONS, member)) {
        return ERROR_INVITE_ONLY;
    }
    if (room->key != NULL && strcmp(room->key, command->extra) != 0) {
        return ERROR_KEY;
    }
    if (!is_let_past && room->limit != 0 && room->member_count >= room->limit) {
        return ERROR_ROOM_FULL;
    }
    return 0;
}

/* True, and refused, when the member cannot be in one room more. */
static bool refuse_one_more(struct apply *apply, const struct room *room)
{
    uint32_t max = apply->hub->limits.rooms_per_member;
    bool is_move = (apply->command->flags & COMMAND_FLAG_MOVE) != 0;
    if (!is_move && apply->member->room_count >= max) {
        apply_refuse(apply, ERROR_TOO_MANY_ROOMS, apply->command->target,
                     apply->command->target_len, max);
        return true;
    }
    enum event_error fault = room != NULL ? refused_at_door(apply, room) : 0;
    if (fault != 0) {
        apply_refuse_room(apply, fault, room);
        return true;
    }
    return false;
}

void apply_join(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    bool is_move = (command->flags & COMMAND_FLAG_MOVE) != 0;
    struct room *room = room_by_name(apply->hub, command->target, command->target_len);
    bool is_in = room != NULL && member_find_room(member, room, NULL) != NULL;
    if (is_in && (!is_move || member->room_count == 1)) {
        apply_refuse_room(apply, ERROR_IN_ROOM, room);
        return;
    }
    if (!is_in && refuse_one_more(apply, room)) {
        return;
    }
    struct label *label = room == NULL ? claim_new_room(apply) : NULL;
    if (room == NULL && label == NULL) {
        return;
    }
    if (is_move) {
        go_out_of_others(apply, room);
    }
    if (room == NULL) {
        room = apply_new_room(apply, label);
    }
    if (is_in) {
        return;
    }
    invite_take_back(apply->hub, member, room);
    apply_go_in(apply, member, room);
    if ((command->flags & COMMAND_FLAG_NAMES) != 0) {
        apply_yield_names(apply, room);
    }
}
