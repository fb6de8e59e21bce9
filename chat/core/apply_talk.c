/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <string.h>

#include "core/masks.h"

/* What is said to rooms. */

#define CTCP_MARK '\x01'
#define CTCP_ACTION                                                                                \
    "\x01"                                                                                         \
    "ACTION"

static enum message_kind kind_of(const struct command *command)
{
    if (command->type == COMMAND_ACTION) {
        return MESSAGE_ACTION;
    }
    return command->kind <= MESSAGE_TAGS ? command->kind : MESSAGE_TEXT;
}

static bool is_ctcp(const struct command *command)
{
    static const size_t action_len = sizeof(CTCP_ACTION) - 1;
    if (command->text_len == 0 || command->text[0] != CTCP_MARK) {
        return false;
    }
    bool is_action = command->text_len > action_len &&
                     memcmp(command->text, CTCP_ACTION, action_len) == 0 &&
                     (command->text[action_len] == ' ' || command->text[action_len] == CTCP_MARK);
    return !is_action;
}

/* Why the member may not say this to the room; -1: it may. */
static int why_silent(const struct apply *apply, const struct room *room,
                      const struct membership *membership)
{
    if (!apply_may_as(apply, ACT_SPEAK, room, membership)) {
        bool is_outside = membership == NULL && (room->modes & ROOM_NO_OUTSIDE) != 0;
        return is_outside ? SEND_OUTSIDE : SEND_MODERATED;
    }
    if (room->lists[LIST_BANS] != NULL &&
        !apply_may_as(apply, ACT_SPEAK_BANNED, room, membership)) {
        enum masks_verdict verdict = masks_judge(room, apply->member);
        if (verdict != MASKS_FREE) {
            return verdict == MASKS_BANNED ? SEND_BANNED : SEND_MUTED;
        }
    }
    if (!apply_may_as(apply, ACT_CTCP, room, membership) && is_ctcp(apply->command)) {
        return SEND_CTCP;
    }
    return -1;
}

/* The room that the command means and the member may speak in; NULL: refused. */
static struct room *room_to_speak_in(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = command->target_len == 0
                            ? apply_own_room(apply)
                            : apply_live_room(apply, command->target, command->target_len);
    if (room == NULL) {
        return NULL;
    }
    const struct membership *membership = member_find_room(apply->member, room, NULL);
    int why = why_silent(apply, room, membership);
    if (why < 0) {
        return room;
    }
    if (membership == NULL && !apply_may(apply, ACT_LIST, room)) {
        apply_refuse(apply, ERROR_NO_SUCH_ROOM, command->target, command->target_len, 0);
    } else {
        apply_refuse(apply, ERROR_CANNOT_SEND, room->label->text, room->label->len, (uint64_t)why);
    }
    return NULL;
}

/* Tells a message that is not stored: to the room, or to those of a rank in it. */
static void say_in_passing(struct apply *apply, const struct room *room, struct event_parts *parts)
{
    const struct command *command = apply->command;
    uint8_t least = command->value == '@' ? RANK_OPERATOR : RANK_VOICE;
    parts->count = apply_next_unstored(apply);
    if (command->value == 0) {
        apply_yield(apply, parts);
        return;
    }
    parts->audience = AUDIENCE_SESSION;
    parts->peer = command->session;
    for (uint32_t i = 0; i < room->member_count; i++) {
        const struct member *member = room->members[i];
        /* A higher rank has the greater number. */
        if (member != apply->member && member_find_room(member, room, NULL)->ranks >= least) {
            parts->session = member->session;
            apply_yield(apply, parts);
        }
    }
}

/* The actor's own copy, when the room's is not for it. */
static void tell_actor(struct apply *apply, const struct room *room, struct event_parts *parts)
{
    if (parts->value == 0) {
        apply_tell_outside(apply, room, parts);
        return;
    }
    parts->audience = AUDIENCE_SESSION;
    parts->session = apply->command->session;
    parts->peer = apply->command->session;
    parts->flags |= EVENT_FLAG_OWN;
    apply_yield(apply, parts);
}

static bool is_stored(const struct apply *apply, enum message_kind kind)
{
    const struct command *command = apply->command;
    if (command->value != 0) {
        return false;
    }
    return kind != MESSAGE_TAGS || (command->flags & COMMAND_FLAG_KEEP) != 0;
}

void apply_say(struct apply *apply)
{
    static const enum event_type types[] = {[MESSAGE_TEXT] = EVENT_MESSAGE,
                                            [MESSAGE_ACTION] = EVENT_ACTION,
                                            [MESSAGE_NOTICE] = EVENT_NOTICE,
                                            [MESSAGE_TAGS] = EVENT_TAGS};
    const struct command *command = apply->command;
    enum message_kind kind = kind_of(command);
    struct room *room = room_to_speak_in(apply);
    if (room == NULL || apply_refuse_message(apply)) {
        return;
    }
    bool stored = is_stored(apply, kind);
    if (stored && apply_refuse_unstored(apply)) {
        return;
    }
    journal_save(apply->hub, &apply->member->spoke_ms, sizeof(apply->member->spoke_ms));
    apply->member->spoke_ms = apply->time_ms;
    struct event_parts parts = apply_to_room(apply, types[kind], room);
    parts_set_actor(&parts, apply->member);
    parts_set_text(&parts, command->text, kind != MESSAGE_TAGS ? command->text_len : 0);
    parts.kind = (uint8_t)kind;
    parts.value = command->value;
    parts.tags = command->tags;
    parts.tags_len = command->tags_len;
    if (stored) {
        apply_store(apply, room, &parts);
    } else {
        say_in_passing(apply, room, &parts);
    }
    tell_actor(apply, room, &parts);
}

void apply_announce(struct apply *apply)
{
    const struct command *command = apply->command;
    struct hub *hub = apply->hub;
    if (apply_refuse_text(apply) || (hub->live_room_count > 0 && apply_refuse_unstored(apply))) {
        return;
    }
    for (uint32_t i = 0; i < hub->room_count; i++) {
        struct room *room = hub->rooms[i];
        if (room->member_count == 0) {
            continue;
        }
        struct event_parts parts = apply_to_room(apply, EVENT_NOTICE, room);
        parts.actor = hub->server_name;
        parts.actor_len = hub->server_name_len;
        parts_set_text(&parts, command->text, command->text_len);
        apply_store(apply, room, &parts);
    }
    apply_done(apply);
}
