/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <stdlib.h>
#include <string.h>

#include "core/masks.h"

/* Going out of a room, by oneself or not, its topic and its name. */

/* Writes down that the room is closed no more, or that it never will be for those who come: only
 * the log is told. While the log cannot store, it keeps what it has, which hides more. */
static void yield_sealed(struct apply *apply, const struct room *room, uint64_t seq)
{
    if (apply->hub->log_fault != NULL) {
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_SEALED, 0);
    parts_set_room(&parts, room);
    parts.value = seq;
    apply_store_change(apply, &parts);
}

void apply_close_room(struct apply *apply, struct room *room)
{
    if (room->was_closed || ((room->modes & ROOM_CLOSING) == 0 && room->key == NULL)) {
        return;
    }
    journal_save(apply->hub, &room->was_closed, sizeof(room->was_closed));
    room->was_closed = true;
    yield_sealed(apply, room, EVENT_SEALED_ALL);
}

/* What was set in this life ends with it; what was said behind closed doors stays there. */
static void end_life(struct apply *apply, struct room *room)
{
    struct hub *hub = apply->hub;
    if (room->was_closed) {
        yield_sealed(apply, room, room->last_seq);
        journal_save(hub, &room->sealed_seq, sizeof(room->sealed_seq));
        room->sealed_seq = room->last_seq;
        journal_save(hub, &room->sealed_number, sizeof(room->sealed_number));
        room->sealed_number = SEAL_PENDING;
        journal_save(hub, &room->was_closed, sizeof(room->was_closed));
        room->was_closed = false;
        if (room->topic != NULL) {
            journal_topic(hub, room, NULL);
        }
    }
    if (room->key != NULL) {
        journal_replace(hub, (void **)&room->key, NULL, free);
    }
    for (int list = 0; list < LIST_COUNT; list++) {
        if (room->lists[list] != NULL) {
            journal_replace(hub, (void **)&room->lists[list], NULL, masks_destroy);
        }
    }
    journal_save(hub, &room->modes, sizeof(room->modes));
    room->modes = 0;
    journal_save(hub, &room->limit, sizeof(room->limit));
    room->limit = 0;
    journal_save(hub, &room->life, sizeof(room->life));
    room->life++;
}

void apply_take_out(struct apply *apply, struct member *member, uint32_t room_at)
{
    struct room *room = member_room(member, room_at)->room;
    if (room->member_count == 1) {
        end_life(apply, room);
    }
    journal_leave(apply->hub, member, room_at);
}

void apply_go_out(struct apply *apply, uint32_t room_at, enum gone_code code, const char *reason,
                  size_t reason_len)
{
    struct member *member = apply->member;
    struct room *room = member_room(member, room_at)->room;
    /* The room may be gone with its last member: what is said of it is made before. */
    struct event_parts gone = apply_to_session(apply, EVENT_GONE_FROM, member->session);
    gone.code = (uint8_t)code;
    parts_set_room(&gone, room);
    parts_set_actor(&gone, member);
    parts_set_text(&gone, reason, reason_len);
    apply_yield(apply, &gone);

    struct event_parts left = apply_to_room(apply, EVENT_LEFT, room);
    parts_set_actor(&left, member);
    parts_set_text(&left, reason, reason_len);
    left.count = room->member_count - 1;
    apply_yield(apply, &left);
    apply_take_out(apply, member, room_at);
}

void apply_leave(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = apply_own_room(apply);
    uint32_t at;
    if (room != NULL && member_find_room(apply->member, room, &at) != NULL) {
        apply_go_out(apply, at, GONE_LEFT, command->text,
                     apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
    }
}

void apply_topic(struct apply *apply)
{
    const struct command *command = apply->command;
    uint32_t max = apply->hub->limits.topic_bytes;
    struct room *room = apply_room_for(apply, ACT_TOPIC);
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
    parts_set_actor(&parts, apply->member);
    parts_set_text(&parts, command->text, is_clear ? 0 : command->text_len);
    apply_store(apply, room, &parts);
    apply_tell_outside(apply, room, &parts);
    journal_topic(apply->hub, room, is_clear ? NULL : topic_create(&parts));
}

void apply_get_topic(struct apply *apply)
{
    struct room *room = apply_seen_room(apply, ACT_ASK);
    if (room == NULL) {
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_REPLY_TOPIC, apply->command->session);
    parts_set_room(&parts, room);
    if (room->topic != NULL) {
        parts_set_text(&parts, room->topic->text, room->topic->len);
        parts.actor = room->topic->actor;
        parts.actor_len = room->topic->actor_len;
        parts.source = room->topic->source;
        parts.source_len = room->topic->source_len;
        parts.time_ms = room->topic->time_ms;
    }
    apply_yield(apply, &parts);
}

struct member *apply_other_member(struct apply *apply, const struct room *room, const char *name,
                                  size_t len)
{
    struct member *target = member_by_name(apply->hub, name, len);
    if (target == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, name, len, 0);
        return NULL;
    }
    if (member_find_room(target, room, NULL) == NULL) {
        struct event_parts parts = apply_refusal(apply, ERROR_NOT_THERE);
        parts_set_room(&parts, room);
        parts_set_text(&parts, room->label->text, room->label->len);
        parts.extra = target->label->text;
        parts.extra_len = target->label->len;
        apply_yield(apply, &parts);
        return NULL;
    }
    return target;
}

void apply_remove(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = apply_room_for(apply, ACT_REMOVE);
    if (room == NULL) {
        return;
    }
    struct member *target = apply_other_member(apply, room, command->extra, command->extra_len);
    if (target == NULL || apply_refuse_unstored(apply)) {
        return;
    }
    uint32_t at = 0;
    (void)member_find_room(target, room, &at);
    struct event_parts removed = apply_to_room(apply, EVENT_REMOVED, room);
    apply_set_asker(apply, &removed);
    removed.peer = target->session;
    parts_set_target(&removed, target->label->text, target->label->len);
    parts_set_text(&removed, command->text,
                   apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
    removed.count = room->member_count - 1;
    apply_store_change(apply, &removed);

    struct event_parts gone = apply_to_session(apply, EVENT_GONE_FROM, target->session);
    gone.code = GONE_REMOVED;
    parts_set_room(&gone, room);
    apply_set_asker(apply, &gone);
    parts_set_target(&gone, target->label->text, target->label->len);
    parts_set_text(&gone, removed.text, removed.text_len);
    apply_yield(apply, &gone);
    apply_tell_outside(apply, room, &removed);
    apply_take_out(apply, target, at);
}

void apply_rename_room(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = apply_room_for(apply, ACT_RENAME);
    if (room == NULL) {
        return;
    }
    if (room->is_lobby) {
        apply_refuse_room(apply, ERROR_RENAME_DENIED, room);
        return;
    }
    struct label *label = apply_claim_room(apply, command->extra, command->extra_len, room);
    if (label == NULL) {
        return;
    }
    if (strcmp(label->text, room->label->text) == 0 ||
        label_compare(label, apply->hub->lobby_label) == 0) {
        apply_refuse(apply, ERROR_ROOM_TAKEN, label->text, label->len, 0);
        free(label);
        return;
    }
    if (apply_refuse_unstored(apply)) {
        free(label);
        return;
    }
    struct event_parts parts = apply_to_room(apply, EVENT_ROOM_RENAMED, room);
    apply_set_asker(apply, &parts);
    parts_set_target(&parts, label->text, label->len);
    parts_set_text(&parts, command->text,
                   apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
    apply_store_change(apply, &parts);
    apply_tell_outside(apply, room, &parts);
    journal_rename_room(apply->hub, room, label);
}
