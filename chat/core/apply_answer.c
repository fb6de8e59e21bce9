/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <string.h>

/* The most of what a user typed that an error repeats. */
#define ERROR_TEXT_MAX_BYTES 512

struct event_parts apply_to_session(const struct apply *apply, enum event_type type,
                                    uint64_t session)
{
    return (struct event_parts){
        .type = type, .audience = AUDIENCE_SESSION, .session = session, .time_ms = apply->time_ms};
}

void parts_set_room(struct event_parts *parts, const struct room *room)
{
    parts->room_id = room->id;
    parts->room = room->label->text;
    parts->room_len = room->label->len;
}

void parts_set_actor(struct event_parts *parts, const struct member *member)
{
    parts->actor = member->label->text;
    parts->actor_len = member->label->len;
    parts->source = member->source;
    parts->source_len = strlen(member->source);
    parts->identity = member->identity;
    if ((member->modes & USER_BOT) != 0) {
        parts->flags |= EVENT_FLAG_BOT;
    }
}

void apply_set_asker(const struct apply *apply, struct event_parts *parts)
{
    if (apply->member != NULL) {
        parts_set_actor(parts, apply->member);
    } else {
        parts->actor = apply->hub->server_name;
        parts->actor_len = apply->hub->server_name_len;
    }
}

void parts_set_text(struct event_parts *parts, const char *text, size_t len)
{
    parts->text = text;
    parts->text_len = len;
}

void parts_set_target(struct event_parts *parts, const char *target, size_t len)
{
    parts->target = target;
    parts->target_len = len;
}

struct event_parts apply_to_room(const struct apply *apply, enum event_type type,
                                 const struct room *room)
{
    struct event_parts parts = {.type = type,
                                .audience = AUDIENCE_ROOM,
                                .session = apply->command->session,
                                .time_ms = apply->time_ms};
    parts_set_room(&parts, room);
    return parts;
}

struct event *apply_yield(struct apply *apply, const struct event_parts *parts)
{
    struct event *event = event_create(parts);
    event_list_take(apply->out, event);
    apply->hub->last_time_ms = apply->time_ms;
    return event;
}

void apply_store(struct apply *apply, struct room *room, struct event_parts *parts)
{
    parts->durable = true;
    parts->number = apply->number + apply->used++;
    parts->seq = room->last_seq + 1;
    journal_store(apply->hub, room, apply_yield(apply, parts));
}

void apply_store_change(struct apply *apply, struct event_parts *parts)
{
    parts->durable = true;
    parts->number = apply->number + apply->used++;
    apply_yield(apply, parts);
}

uint64_t apply_next_unstored(struct apply *apply)
{
    struct hub *hub = apply->hub;
    journal_save(hub, &hub->unstored, sizeof(hub->unstored));
    return ++hub->unstored;
}

void apply_yield_records(struct apply *apply, struct event_parts *parts, struct record_out *out)
{
    parts->count = out->count;
    parts->extra = out->bytes;
    parts->extra_len = out->len;
    apply_yield(apply, parts);
    record_out_finish(out);
}

void apply_done(struct apply *apply)
{
    struct event_parts done = apply_to_session(apply, EVENT_REPLY_DONE, apply->command->session);
    done.asked = apply->command->type;
    apply_yield(apply, &done);
}

void apply_tell_outside(struct apply *apply, const struct room *room,
                        const struct event_parts *parts)
{
    if (apply->member == NULL) {
        apply_done(apply);
    } else if (member_find_room(apply->member, room, NULL) == NULL) {
        struct event_parts own = *parts;
        own.audience = AUDIENCE_SESSION;
        own.session = apply->command->session;
        own.durable = false;
        own.flags |= EVENT_FLAG_OWN;
        apply_yield(apply, &own);
    }
}

struct event_parts apply_refusal(const struct apply *apply, enum event_error code)
{
    struct event_parts parts = apply_to_session(apply, EVENT_ERROR, apply->command->session);
    parts.code = (uint8_t)code;
    parts.asked = apply->command->type;
    parts.kind = apply->command->kind;
    return parts;
}

void apply_refuse_room(struct apply *apply, enum event_error code, const struct room *room)
{
    apply_refuse(apply, code, room->label->text, room->label->len, 0);
}

void apply_refuse(struct apply *apply, enum event_error code, const char *text, size_t len,
                  uint64_t count)
{
    struct event_parts parts = apply_refusal(apply, code);
    parts.count = count;
    parts_set_text(&parts, text, apply_fit(text, len, ERROR_TEXT_MAX_BYTES));
    apply_yield(apply, &parts);
}

bool apply_refuse_unstored(struct apply *apply)
{
    const char *why = apply->hub->log_fault;
    if (why == NULL) {
        return false;
    }
    apply_refuse(apply, ERROR_NOT_STORED, why, strlen(why), 0);
    return true;
}

bool apply_refuse_text(struct apply *apply)
{
    const struct command *command = apply->command;
    uint32_t max = apply->hub->limits.text_bytes;
    if (apply_is_blank(command->text, command->text_len)) {
        apply_refuse(apply, ERROR_TEXT_EMPTY, "", 0, 0);
        return true;
    }
    if (command->text_len > max) {
        apply_refuse(apply, ERROR_TEXT_LONG, "", 0, max);
        return true;
    }
    return false;
}

size_t apply_fit(const char *text, size_t len, size_t max)
{
    if (len <= max) {
        return len;
    }
    /* Step back over the continuation bytes of a character that does not fit as a whole. */
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80) {
        max--;
    }
    return max;
}

bool apply_is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] != ' ') {
            return false;
        }
    }
    return true;
}
