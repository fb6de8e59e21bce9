/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <assert.h>
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
}

void parts_set_text(struct event_parts *parts, const char *text, size_t len)
{
    parts->text = text;
    parts->text_len = len;
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

uint64_t apply_next_unstored(struct apply *apply)
{
    struct hub *hub = apply->hub;
    journal_save(hub, &hub->unstored, sizeof(hub->unstored));
    return ++hub->unstored;
}

void apply_refuse(struct apply *apply, enum event_error code, const char *text, size_t len,
                  uint64_t count)
{
    struct event_parts parts = apply_to_session(apply, EVENT_ERROR, apply->command->session);
    parts.code = (uint8_t)code;
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

/* The only room of the member, for a command that names none; NULL: refused. */
static struct room *only_room(struct apply *apply)
{
    const struct member *member = apply->member;
    if (member == NULL || member->room_count == 0) {
        apply_refuse(apply, ERROR_NOT_IN_ROOM, "", 0, 0);
        return NULL;
    }
    if (member->room_count > 1) {
        apply_refuse(apply, ERROR_WHICH_ROOM, "", 0, 0);
        return NULL;
    }
    return member->first.room;
}

struct room *apply_known_room(struct apply *apply)
{
    const struct command *command = apply->command;
    if (command->target_len == 0) {
        return only_room(apply);
    }
    struct room *room = room_by_name(apply->hub, command->target, command->target_len);
    if (room == NULL) {
        apply_refuse(apply, ERROR_NO_SUCH_ROOM, command->target, command->target_len, 0);
    }
    return room;
}

struct room *apply_own_room(struct apply *apply)
{
    struct room *room = apply_known_room(apply);
    if (room != NULL && member_find_room(apply->member, room, NULL) == NULL) {
        apply_refuse(apply, ERROR_NOT_IN_ROOM, room->label->text, room->label->len, 0);
        return NULL;
    }
    return room;
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

/* Who may give a command. */
enum need {
    NEEDS_NEWCOMER, /* a session that is not there yet */
    NEEDS_MEMBER,
    NEEDS_ANYONE, /* a member, or an operator whether a member or not */
    NEEDS_OPERATOR,
};

struct rule {
    apply_fn fn;
    enum need need;
};

static const struct rule rules[] = {
    [COMMAND_ENTER] = {apply_enter, NEEDS_NEWCOMER},
    [COMMAND_QUIT] = {apply_quit, NEEDS_MEMBER},
    [COMMAND_NICK] = {apply_nick, NEEDS_MEMBER},
    [COMMAND_JOIN] = {apply_join, NEEDS_MEMBER},
    [COMMAND_LEAVE] = {apply_leave, NEEDS_MEMBER},
    [COMMAND_SAY] = {apply_say, NEEDS_MEMBER},
    [COMMAND_ACTION] = {apply_say, NEEDS_MEMBER},
    [COMMAND_PRIVATE] = {apply_private, NEEDS_MEMBER},
    [COMMAND_TOPIC] = {apply_topic, NEEDS_MEMBER},
    [COMMAND_GET_TOPIC] = {apply_get_topic, NEEDS_ANYONE},
    [COMMAND_WHO] = {apply_who, NEEDS_ANYONE},
    [COMMAND_ROOMS] = {apply_rooms, NEEDS_ANYONE},
    [COMMAND_CLIENTS] = {apply_clients, NEEDS_OPERATOR},
    [COMMAND_ANNOUNCE] = {apply_announce, NEEDS_OPERATOR},
    [COMMAND_KICK] = {apply_kick, NEEDS_OPERATOR},
    [COMMAND_ECHO] = {apply_echo, NEEDS_ANYONE},
};

static void run(struct apply *apply, const struct rule *rule)
{
    bool is_operator = apply->command->authority == AUTHORITY_OPERATOR;
    if (rule->need == NEEDS_NEWCOMER) {
        if (apply->member == NULL) {
            rule->fn(apply);
        }
        return;
    }
    if (apply->member == NULL && (!is_operator || rule->need == NEEDS_MEMBER)) {
        return;
    }
    if (rule->need == NEEDS_OPERATOR && !is_operator) {
        apply_refuse(apply, ERROR_DENIED, "", 0, 0);
        return;
    }
    rule->fn(apply);
}

unsigned hub_apply(struct hub *hub, const struct command *command, int64_t time_ms, uint64_t number,
                   struct event_list *out)
{
    assert(hub->in_batch);
    if (command->session == 0 || command->type >= sizeof(rules) / sizeof(rules[0])) {
        return 0;
    }
    struct apply apply = {
        .hub = hub,
        .command = command,
        .member = member_by_session(hub, command->session),
        .time_ms = time_ms > hub->last_time_ms ? time_ms : hub->last_time_ms,
        .number = number,
        .out = out,
    };
    run(&apply, &rules[command->type]);
    return apply.used;
}
