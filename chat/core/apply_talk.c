/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

void apply_say(struct apply *apply)
{
    const struct command *command = apply->command;
    struct room *room = apply_own_room(apply);
    if (room == NULL || apply_refuse_text(apply) || apply_refuse_unstored(apply)) {
        return;
    }
    enum event_type type = command->type == COMMAND_ACTION ? EVENT_ACTION : EVENT_MESSAGE;
    struct event_parts parts = apply_to_room(apply, type, room);
    parts_set_actor(&parts, apply->member);
    parts_set_text(&parts, command->text, command->text_len);
    apply_store(apply, room, &parts);
}

void apply_private(struct apply *apply)
{
    const struct command *command = apply->command;
    const struct member *receiver =
        member_by_name(apply->hub, command->target, command->target_len);
    if (receiver == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_NAME, command->target, command->target_len, 0);
        return;
    }
    if (apply_refuse_text(apply) || apply_refuse_unstored(apply)) {
        return;
    }
    struct event_parts parts = apply_to_session(apply, EVENT_PRIVATE_TO, receiver->session);
    parts.peer = command->session;
    parts.durable = true;
    parts.number = apply->number + apply->used++;
    parts_set_actor(&parts, apply->member);
    parts.target = receiver->label->text;
    parts.target_len = receiver->label->len;
    parts_set_text(&parts, command->text, command->text_len);
    apply_yield(apply, &parts);

    parts.type = EVENT_PRIVATE_OF;
    parts.durable = false;
    parts.session = command->session;
    parts.peer = receiver->session;
    apply_yield(apply, &parts);
}

static bool is_anyone_anywhere(const struct hub *hub)
{
    for (uint32_t i = 0; i < hub->room_count; i++) {
        if (hub->rooms[i]->member_count > 0) {
            return true;
        }
    }
    return false;
}

void apply_announce(struct apply *apply)
{
    const struct command *command = apply->command;
    struct hub *hub = apply->hub;
    if (apply_refuse_text(apply) || (is_anyone_anywhere(hub) && apply_refuse_unstored(apply))) {
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
    struct event_parts done = apply_to_session(apply, EVENT_REPLY_DONE, command->session);
    apply_yield(apply, &done);
}
