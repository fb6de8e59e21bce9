/* SPDX-License-Identifier: MIT */
#include "core/apply.h"

#include <assert.h>

/* Who may give a command, which room it means, and what carries it out. */

static enum relation relation_of(const struct membership *membership)
{
    if (membership == NULL) {
        return RELATION_OUTSIDER;
    }
    if ((membership->ranks & RANK_OPERATOR) != 0) {
        return RELATION_OPERATOR;
    }
    return (membership->ranks & RANK_VOICE) != 0 ? RELATION_VOICE : RELATION_MEMBER;
}

bool apply_member_may(const struct member *member, enum act act, const struct room *room,
                      const struct membership *membership)
{
    return authority_allows(act, relation_of(membership), room->modes) ||
           ((member->modes & USER_OPERATOR) != 0 &&
            authority_allows(act, RELATION_SERVER, room->modes));
}

bool apply_may_as(const struct apply *apply, enum act act, const struct room *room,
                  const struct membership *membership)
{
    if (apply->command->authority == AUTHORITY_OPERATOR &&
        authority_allows(act, RELATION_CONSOLE, room->modes)) {
        return true;
    }
    return apply->member != NULL && apply_member_may(apply->member, act, room, membership);
}

static const struct membership *own_membership(const struct apply *apply, const struct room *room)
{
    return apply->member != NULL ? member_find_room(apply->member, room, NULL) : NULL;
}

bool apply_may(const struct apply *apply, enum act act, const struct room *room)
{
    return apply_may_as(apply, act, room, own_membership(apply, room));
}

bool apply_may_serve(const struct apply *apply)
{
    if (apply->command->authority == AUTHORITY_OPERATOR) {
        return authority_allows(ACT_SERVE, RELATION_CONSOLE, 0);
    }
    bool is_operator = apply->member != NULL && (apply->member->modes & USER_OPERATOR) != 0;
    return authority_allows(ACT_SERVE, is_operator ? RELATION_SERVER : RELATION_OUTSIDER, 0);
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

/* The room a command means; NULL: refused. */
static struct room *known_room(struct apply *apply)
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

struct room *apply_live_room(struct apply *apply, const char *name, size_t len)
{
    struct room *room = room_by_name(apply->hub, name, len);
    if (room == NULL || room->member_count == 0) {
        apply_refuse(apply, ERROR_NO_SUCH_ROOM, name, len, 0);
        return NULL;
    }
    return room;
}

struct room *apply_seen_room(struct apply *apply, enum act act)
{
    struct room *room = known_room(apply);
    if (room != NULL && (room_is_hidden(room) || !apply_may(apply, act, room))) {
        apply_refuse(apply, ERROR_NO_SUCH_ROOM, apply->command->target, apply->command->target_len,
                     0);
        return NULL;
    }
    return room;
}

/* Refuses what needs to be in the room: who may not even know of it is not told that it is there.
 */
static void refuse_outsider(struct apply *apply, const struct room *room)
{
    const struct command *command = apply->command;
    if (!room_is_hidden(room) && apply_may(apply, ACT_LIST, room)) {
        apply_refuse_room(apply, ERROR_NOT_IN_ROOM, room);
    } else {
        apply_refuse(apply, ERROR_NO_SUCH_ROOM, command->target, command->target_len, 0);
    }
}

struct room *apply_own_room(struct apply *apply)
{
    struct room *room = known_room(apply);
    if (room != NULL && own_membership(apply, room) == NULL) {
        refuse_outsider(apply, room);
        return NULL;
    }
    return room;
}

struct room *apply_room_for(struct apply *apply, enum act act)
{
    struct room *room = known_room(apply);
    if (room == NULL || apply_may(apply, act, room)) {
        return room;
    }
    if (own_membership(apply, room) == NULL) {
        refuse_outsider(apply, room);
    } else {
        apply_refuse_room(apply, ERROR_NOT_RANKED, room);
    }
    return NULL;
}

/* Who may give a command. */
enum need {
    NEEDS_NEWCOMER, /* a session that is not there yet */
    NEEDS_MEMBER,
    NEEDS_ANYONE,   /* a member, or the console */
    NEEDS_OPERATOR, /* ACT_SERVE */
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
    [COMMAND_REGISTER] = {apply_register, NEEDS_NEWCOMER},
    [COMMAND_NAMES] = {apply_names, NEEDS_ANYONE},
    [COMMAND_LIST] = {apply_list, NEEDS_ANYONE},
    [COMMAND_MODE] = {apply_mode, NEEDS_ANYONE},
    [COMMAND_INVITE] = {apply_invite, NEEDS_MEMBER},
    [COMMAND_REDACT] = {apply_redact, NEEDS_ANYONE},
    [COMMAND_REMOVE] = {apply_remove, NEEDS_ANYONE},
    [COMMAND_RENAME_ROOM] = {apply_rename_room, NEEDS_ANYONE},
    [COMMAND_OPER] = {apply_oper, NEEDS_MEMBER},
    [COMMAND_AWAY] = {apply_away, NEEDS_MEMBER},
    [COMMAND_SETNAME] = {apply_setname, NEEDS_MEMBER},
    [COMMAND_USER_MODE] = {apply_user_mode, NEEDS_MEMBER},
    [COMMAND_KILL] = {apply_kill, NEEDS_OPERATOR},
    [COMMAND_WALLOPS] = {apply_wallops, NEEDS_OPERATOR},
    [COMMAND_WHOX] = {apply_whox, NEEDS_ANYONE},
    [COMMAND_WHOIS] = {apply_whois, NEEDS_ANYONE},
    [COMMAND_WHOWAS] = {apply_whowas, NEEDS_ANYONE},
    [COMMAND_USERHOST] = {apply_userhost, NEEDS_ANYONE},
    [COMMAND_ISON] = {apply_ison, NEEDS_ANYONE},
    [COMMAND_MONITOR] = {apply_monitor, NEEDS_MEMBER},
    [COMMAND_LUSERS] = {apply_lusers, NEEDS_ANYONE},
};

static void run(struct apply *apply, const struct rule *rule)
{
    bool is_console = apply->command->authority == AUTHORITY_OPERATOR;
    if (rule->need == NEEDS_NEWCOMER) {
        if (apply->member == NULL) {
            rule->fn(apply);
        }
        return;
    }
    if (apply->member == NULL && (!is_console || rule->need == NEEDS_MEMBER)) {
        return;
    }
    if (rule->need == NEEDS_OPERATOR && !apply_may_serve(apply)) {
        apply_refuse(apply, ERROR_DENIED, "", 0, 0);
        return;
    }
    rule->fn(apply);
}

unsigned hub_apply(struct hub *hub, const struct command *command, int64_t time_ms, uint64_t number,
                   struct event_list *out)
{
    assert(hub->in_batch);
    if (command->session == 0 || command->type >= sizeof(rules) / sizeof(rules[0]) ||
        rules[command->type].fn == NULL) {
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
