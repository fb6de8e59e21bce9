/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

/*
 * Taking back what was said. The hub keeps only the last messages of a room, so what the log knows
 * of the message comes with the command.
 */

/* The message as the log has it. */
struct said {
    uint32_t room_id; /* 0: a private message */
    uint64_t seq;
    uint64_t author, receiver; /* identities; receiver: of private messages */
};

/* False when the log knows of no such message. */
static bool read_said(const struct command *command, struct said *ret_said)
{
    struct record_in in = {command->extra, command->extra_len};
    struct record_field fields[4];
    if (!record_next(&in, fields, 4)) {
        return false;
    }
    uint64_t room_id = record_number(&fields[0]);
    *ret_said = (struct said){.room_id = (uint32_t)room_id,
                              .seq = record_number(&fields[1]),
                              .author = record_number(&fields[2]),
                              .receiver = record_number(&fields[3])};
    return room_id <= UINT32_MAX;
}

static void refuse(struct apply *apply, enum event_error code, bool is_room)
{
    const struct command *command = apply->command;
    struct event_parts parts = apply_refusal(apply, code);
    parts.count = command->value;
    parts_set_text(&parts, command->target, command->target_len);
    if (is_room) {
        parts.room = command->target;
        parts.room_len = command->target_len;
    }
    apply_yield(apply, &parts);
}

static struct event_parts redaction(const struct apply *apply)
{
    const struct command *command = apply->command;
    struct event_parts parts = apply_to_session(apply, EVENT_REDACTED, command->session);
    apply_set_asker(apply, &parts);
    parts.value = command->value;
    parts_set_text(&parts, command->text,
                   apply_fit(command->text, command->text_len, apply->hub->limits.reason_bytes));
    return parts;
}

/* Puts an event that says nothing in the place of the message, where it is one of the last. */
static void forget(struct apply *apply, struct room *room, uint64_t number)
{
    for (uint32_t i = 0; i < room->recent.count; i++) {
        const struct event *event = recent_at(&room->recent, i);
        if (event->number == number) {
            struct event_parts parts = {.type = event->type,
                                        .audience = AUDIENCE_ROOM,
                                        .durable = true,
                                        .session = event->session,
                                        .number = number,
                                        .seq = event->seq,
                                        .time_ms = event->time_ms,
                                        .identity = event->identity,
                                        .actor = event->actor,
                                        .actor_len = event->actor_len};
            parts_set_room(&parts, room);
            journal_redact(apply->hub, room, i, event_create(&parts));
        }
    }
}

static bool is_server_operator(const struct apply *apply)
{
    return apply->command->authority == AUTHORITY_OPERATOR ||
           (apply->member != NULL && (apply->member->modes & USER_OPERATOR) != 0);
}

static void redact_in_room(struct apply *apply, const struct said *said)
{
    const struct command *command = apply->command;
    struct room *room = room_by_name(apply->hub, command->target, command->target_len);
    bool may_all = room != NULL && apply_may(apply, ACT_REDACT, room);
    room = apply_room_for(apply, may_all ? ACT_REDACT : ACT_REDACT_OWN);
    if (room == NULL) {
        return;
    }
    if (said->room_id != room->id || said->seq <= room->sealed_seq) {
        refuse(apply, ERROR_REDACT_UNKNOWN, true);
        return;
    }
    bool is_own = apply->member != NULL && said->author == apply->member->identity;
    /* Whoever enters an empty room is its operator, but not of what others said there before. */
    bool is_of_this_life = said->seq > room->life_seq || is_server_operator(apply);
    if (!is_own && !(may_all && is_of_this_life)) {
        refuse(apply, ERROR_REDACT_DENIED, true);
        return;
    }
    if (apply_refuse_unstored(apply)) {
        return;
    }
    struct event_parts parts = redaction(apply);
    parts.audience = AUDIENCE_ROOM;
    parts_set_room(&parts, room);
    apply_store_change(apply, &parts);
    apply_tell_outside(apply, room, &parts);
    forget(apply, room, command->value);
}

/* A private message is its author's alone; its receiver is told when it is the same session as
 * then. */
static void redact_private(struct apply *apply, const struct said *said)
{
    const struct command *command = apply->command;
    const struct member *other = member_by_name(apply->hub, command->target, command->target_len);
    const struct member *member = apply->member;
    if (member == NULL || said->author != member->identity) {
        /* Others are not told that there is such a message. */
        bool was_told = member != NULL && said->receiver == member->identity;
        refuse(apply, was_told ? ERROR_REDACT_DENIED : ERROR_REDACT_UNKNOWN, false);
        return;
    }
    if (apply_refuse_unstored(apply)) {
        return;
    }
    struct event_parts parts = redaction(apply);
    parts_set_target(&parts, command->target, command->target_len);
    if (other != NULL) {
        parts_set_target(&parts, other->label->text, other->label->len);
    }
    apply_store_change(apply, &parts);
    if (other != NULL && other != apply->member && other->identity == said->receiver) {
        parts.durable = false;
        parts.session = other->session;
        parts.peer = command->session;
        apply_yield(apply, &parts);
    }
}

void apply_redact(struct apply *apply)
{
    struct said said;
    bool is_known = read_said(apply->command, &said);
    bool is_room =
        room_by_name(apply->hub, apply->command->target, apply->command->target_len) != NULL;
    if (is_known && said.room_id == 0) {
        redact_private(apply, &said);
    } else if (is_room || is_known) {
        redact_in_room(apply, is_known ? &said : &(struct said){0});
    } else {
        refuse(apply, ERROR_REDACT_UNKNOWN, false);
    }
}
