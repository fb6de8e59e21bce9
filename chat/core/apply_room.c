/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <assert.h>

#include "core/name.h"

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

static void set_topic_text(struct event_parts *parts, const struct room *room)
{
    if (room->topic != NULL) {
        parts_set_text(parts, room->topic->text, room->topic->len);
    }
}

void apply_go_in(struct apply *apply, struct member *member, struct room *room)
{
    struct event *recent[RECENT_CEILING];
    journal_join(apply->hub, member, room);

    struct event_parts entered = apply_to_session(apply, EVENT_ENTERED, member->session);
    parts_set_room(&entered, room);
    parts_set_actor(&entered, member);
    set_topic_text(&entered, room);
    entered.count = room->member_count;
    entered.seq = room->last_seq;
    for (uint32_t i = 0; i < room->recent.count; i++) {
        recent[i] = recent_at(&room->recent, i);
    }
    entered.recent = recent;
    entered.recent_count = room->recent.count;
    apply_yield(apply, &entered);

    struct event_parts joined = apply_to_room(apply, EVENT_JOINED, room);
    parts_set_actor(&joined, member);
    joined.count = room->member_count;
    apply_yield(apply, &joined);
}

static void go_out(struct apply *apply, uint32_t room_at, const char *reason, size_t reason_len)
{
    struct member *member = apply->member;
    struct room *room = member_room(member, room_at)->room;
    /* The room may be gone with its last member: what is said of it is made before. */
    struct event_parts gone = apply_to_session(apply, EVENT_GONE_FROM, member->session);
    parts_set_room(&gone, room);
    parts_set_actor(&gone, member);
    parts_set_text(&gone, reason, reason_len);
    apply_yield(apply, &gone);

    struct event_parts left = apply_to_room(apply, EVENT_LEFT, room);
    parts_set_actor(&left, member);
    parts_set_text(&left, reason, reason_len);
    left.count = room->member_count - 1;
    apply_yield(apply, &left);
    journal_leave(apply->hub, member, room_at);
}

static void go_out_of_others(struct apply *apply, const struct room *kept)
{
    struct member *member = apply->member;
    uint32_t at = 0;
    while (at < member->room_count) {
        if (member_room(member, at)->room == kept) {
            at++;
        } else {
            go_out(apply, at, "", 0);
        }
    }
}

/* The label of a room that is to be made as the command names it; NULL: refused. */
static struct label *claim_room_name(struct apply *apply)
{
    const struct command *command = apply->command;
    struct hub *hub = apply->hub;
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    size_t len;
    struct label_key key;
    enum name_fault fault =
        name_room(command->target, command->target_len, hub->limits.room_bytes, clean, &len);
    if (fault == NAME_LONG) {
        apply_refuse(apply, ERROR_ROOM_LONG, command->target, command->target_len,
                     hub->limits.room_bytes);
        return NULL;
    }
    if (fault != NAME_OK || !label_key_init(&key, hub->hash_seed, clean, len)) {
        apply_refuse(apply, ERROR_ROOM_BAD, command->target, command->target_len, 0);
        return NULL;
    }
    struct label *label = NULL;
    if (hub->room_count >= hub->limits.rooms || hub->next_room_id > UINT32_MAX) {
        apply_refuse(apply, ERROR_ROOMS_FULL, "", 0, hub->limits.rooms);
    } else {
        label = label_create(clean, len, &key);
    }
    label_key_finish(&key);
    return label;
}

void apply_join(struct apply *apply)
{
    const struct command *command = apply->command;
    struct member *member = apply->member;
    bool is_move = (command->flags & COMMAND_FLAG_MOVE) != 0;
    struct room *room = room_by_name(apply->hub, command->target, command->target_len);
    bool is_in = room != NULL && member_find_room(member, room, NULL) != NULL;
    if (is_in && (!is_move || member->room_count == 1)) {
        apply_refuse(apply, ERROR_IN_ROOM, room->label->text, room->label->len, 0);
        return;
    }
    if (!is_move && member->room_count >= apply->hub->limits.rooms_per_member) {
        apply_refuse(apply, ERROR_TOO_MANY_ROOMS, "", 0, apply->hub->limits.rooms_per_member);
        return;
    }
    struct label *label = room == NULL ? claim_room_name(apply) : NULL;
    if (room == NULL && label == NULL) {
        return;
    }
    if (is_move) {
        go_out_of_others(apply, room);
    }
    if (room == NULL) {
        room = apply_new_room(apply, label);
    }
    if (!is_in) {
        apply_go_in(apply, member, room);
    }
}

void apply_leave(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = apply_own_room(apply);
    uint32_t at;
    if (room != NULL && member_find_room(apply->member, room, &at) != NULL) {
        go_out(apply, at, command->text,
               apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
    }
}

void apply_topic(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct member *member = apply->member;
    uint32_t max = apply->hub->limits.topic_bytes;
    struct room *room = apply_own_room(apply);
    if (room == NULL) {
        return;
    }
    if (command->text_len > max) {
        apply_refuse(apply, ERROR_TOPIC_LONG, "", 0, max);
        return;
    }
    if (apply_refuse_unstored(apply)) {
        return;
    }
    bool is_clear = apply_is_blank(command->text, command->text_len);
    struct event_parts parts = apply_to_room(apply, EVENT_TOPIC, room);
    parts_set_actor(&parts, member);
    parts_set_text(&parts, command->text, is_clear ? 0 : command->text_len);
    apply_store(apply, room, &parts);
    struct topic *topic = NULL;
    if (!is_clear) {
        topic = topic_create(command->text, command->text_len, member->label->text,
                             member->label->len, apply->time_ms);
    }
    journal_topic(apply->hub, room, topic);
}

void apply_get_topic(struct apply *apply)
{
    struct room *room = apply_known_room(apply);
    if (room == NULL) {
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_TOPIC, apply->command->session);
    parts_set_room(&parts, room);
    if (room->topic != NULL) {
        set_topic_text(&parts, room);
        parts.actor = room->topic->actor;
        parts.actor_len = room->topic->actor_len;
        parts.time_ms = room->topic->time_ms;
    }
    apply_yield(apply, &parts);
}
