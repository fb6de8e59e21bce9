/* SPDX-License-Identifier: MIT */
#include "core/sim_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/record.h"
#include "core/sim_people.h"

/* The letters of flags in the order the hub shows them, then those with a parameter. */
static const char flags[] = "imnstC";
static const char lists[] = "beI";

bool rules_has_mode(const struct model_room *room, char letter)
{
    return strchr(room->modes, letter) != NULL;
}

static void set_mode(struct model_room *room, char letter, bool is_on)
{
    char *at = strchr(room->modes, letter);
    size_t len = strlen(room->modes);
    if (is_on && at == NULL) {
        room->modes[len] = letter;
        room->modes[len + 1] = '\0';
    } else if (!is_on && at != NULL) {
        memmove(at, at + 1, strlen(at));
    }
}

uint8_t *rules_ranks(struct model *model, struct model_session *session,
                     const struct model_room *room)
{
    for (uint32_t i = 0; session != NULL && i < session->room_count; i++) {
        if (&model->rooms[session->rooms[i]] == room) {
            return &session->ranks[i];
        }
    }
    return NULL;
}

static struct model_session *find_name(struct model *model, const char *name)
{
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        if (model->sessions[i].is_here && strcmp(model->sessions[i].name, name) == 0) {
            return &model->sessions[i];
        }
    }
    return NULL;
}

static struct model_session *actor_of(struct model *model, const struct event *event)
{
    struct model_session *session = find_name(model, event->actor);
    bool is_asker = session == &model->sessions[model->command->session % MODEL_SESSIONS];
    return is_asker ? session : NULL;
}

static bool is_console(const struct model *model)
{
    return model->command->authority == AUTHORITY_OPERATOR;
}

const char *rules_enter(struct model *model, const struct model_session *session,
                        struct model_room *room)
{
    if (room->member_count == 0) {
        strcpy(room->modes, strcmp(room->name, "lobby") == 0 ? "n" : "nt");
        return NULL;
    }
    /* Everybody begins in the lobby. */
    if (model->command->type != COMMAND_JOIN) {
        return NULL;
    }
    if (rules_has_mode(room, 'i') && room->list_counts[2] == 0 &&
        !session->invited[room - model->rooms] && !is_console(model)) {
        return "somebody enters an invite-only room without an invitation";
    }
    if (room->key[0] != '\0' && strcmp(room->key, model->command->extra) != 0) {
        return "somebody enters without the key";
    }
    if (room->limit != 0 && room->member_count >= room->limit &&
        !session->let_past[room - model->rooms]) {
        return "somebody enters a room that is full";
    }
    return NULL;
}

void rules_end_life(struct model *model, struct model_room *room)
{
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        model->sessions[i].invited[room - model->rooms] = false;
        model->sessions[i].let_past[room - model->rooms] = false;
    }
    if (room->was_closed) {
        room->sealed_seq = room->last_seq;
        room->topic[0] = '\0';
    }
    room->was_closed = false;
    room->modes[0] = '\0';
    room->key[0] = '\0';
    room->limit = 0;
    memset(room->list_counts, 0, sizeof(room->list_counts));
}

const char *rules_speak(struct model *model, const struct event *event, struct model_room *room)
{
    struct model_session *actor = actor_of(model, event);
    if (actor == NULL) {
        return "somebody speaks who did not ask to";
    }
    if (people_asker_serves(model)) {
        return NULL;
    }
    const uint8_t *ranks = rules_ranks(model, actor, room);
    if (event->type == EVENT_TOPIC) {
        bool may =
            is_console(model) ||
            (ranks != NULL && ((*ranks & MODEL_RANK_OPERATOR) != 0 || !rules_has_mode(room, 't')));
        return may ? NULL : "somebody sets a topic that may not";
    }
    if (ranks == NULL && rules_has_mode(room, 'n')) {
        return "somebody speaks in a room that is not in it";
    }
    if (rules_has_mode(room, 'm') && (ranks == NULL || *ranks == 0)) {
        return "somebody without a rank speaks in a moderated room";
    }
    return NULL;
}

const char *rules_operate(struct model *model, const struct event *event,
                          const struct model_room *room)
{
    struct model_session *actor = actor_of(model, event);
    const uint8_t *ranks = rules_ranks(model, actor, room);
    bool may = is_console(model) || people_asker_serves(model) ||
               (ranks != NULL && (*ranks & MODEL_RANK_OPERATOR) != 0);
    return may ? NULL : "somebody without a rank does what takes one";
}

static const char *change_rank(struct model *model, struct model_room *room, bool is_on,
                               char letter, const char *name)
{
    uint8_t *ranks = rules_ranks(model, find_name(model, name), room);
    uint8_t rank = letter == 'o' ? MODEL_RANK_OPERATOR : MODEL_RANK_VOICE;
    if (ranks == NULL || ((*ranks & rank) != 0) == is_on) {
        return "a rank is given to or taken from somebody who has it, or has it not";
    }
    *ranks = (uint8_t)(is_on ? *ranks | rank : *ranks & ~rank);
    return NULL;
}

static const char *change_one(struct model *model, struct model_room *room,
                              const struct record_field *fields)
{
    bool is_on = fields[0].text[0] == '+';
    char letter = fields[0].text[1];
    const char *list = strchr(lists, letter);
    if (letter == 'o' || letter == 'v') {
        return change_rank(model, room, is_on, letter, fields[1].text);
    }
    if (list != NULL) {
        room->list_counts[list - lists] += is_on ? 1u : UINT32_MAX;
        return NULL;
    }
    if (letter == 'k') {
        (void)snprintf(room->key, sizeof(room->key), "%s", is_on ? fields[1].text : "");
    } else if (letter == 'l') {
        room->limit = is_on ? (uint32_t)record_number(&fields[1]) : 0;
    } else if (strchr(flags, letter) == NULL || rules_has_mode(room, letter) == is_on) {
        return "a mode is changed that is as it should be, or that there is not";
    } else {
        set_mode(room, letter, is_on);
    }
    return NULL;
}

const char *rules_mode(struct model *model, const struct event *event, struct model_room *room)
{
    const char *wrong = rules_operate(model, event, room);
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[2];
    uint64_t count = 0;
    while (wrong == NULL && record_next(&in, fields, 2)) {
        wrong = change_one(model, room, fields);
        count++;
    }
    if (wrong == NULL && (count == 0 || count != event->count)) {
        wrong = "changes of modes are counted wrongly";
    }
    room->was_closed |=
        rules_has_mode(room, 'i') || rules_has_mode(room, 's') || room->key[0] != '\0';
    return wrong;
}

const char *rules_renamed(struct model *model, const struct event *event, struct model_room *room)
{
    for (uint32_t i = 0; i < model->rooms_used; i++) {
        const struct model_room *other = &model->rooms[i];
        if (other->is_known && other != room && strcasecmp(other->name, event->target) == 0) {
            return "a room gets the name of another one";
        }
    }
    if (strcmp(room->name, event->room) != 0) {
        return "a room is renamed that is not called so";
    }
    memcpy(room->name, event->target, event->target_len + 1);
    return rules_operate(model, event, room);
}

const char *rules_redacted(struct model *model, const struct event *event, struct model_room *room)
{
    for (uint32_t i = 0; i < room->recent_count; i++) {
        struct event *old = room->recent[i];
        if (old->number != event->value) {
            continue;
        }
        struct event_parts parts = {.type = old->type,
                                    .audience = AUDIENCE_ROOM,
                                    .durable = true,
                                    .room_id = old->room_id,
                                    .number = old->number,
                                    .seq = old->seq,
                                    .time_ms = old->time_ms};
        bool is_own = old->identity == event->identity && event->identity != 0;
        room->recent[i] = event_create(&parts);
        event_unref(old);
        return is_own ? NULL : rules_operate(model, event, room);
    }
    return NULL; /* an older one */
}

const char *rules_sealed(const struct event *event, struct model_room *room)
{
    bool is_end = event->value != EVENT_SEALED_ALL;
    if (event->session != 0 || event->audience != AUDIENCE_SESSION) {
        return "somebody is told what is for the log";
    }
    /* The end is told when the last one has gone. */
    bool was_closed =
        is_end ? room->member_count == 0 && room->sealed_seq == room->last_seq : room->was_closed;
    if (!was_closed || (is_end && event->value != room->last_seq)) {
        return "a room is sealed that was not closed, or not as far as it should be";
    }
    room->log_sealed = event->value;
    return NULL;
}

static const char *compare_modes(const struct model_room *room, const struct event *reply)
{
    struct record_in in = {reply->extra, reply->extra_len};
    struct record_field fields[2];
    char letters[32] = "+";
    char params[512] = "";
    size_t len = 1;
    for (size_t i = 0; flags[i] != '\0'; i++) {
        if (rules_has_mode(room, flags[i])) {
            letters[len++] = flags[i];
        }
    }
    if (room->key[0] != '\0') {
        letters[len++] = 'k';
    }
    if (room->limit != 0) {
        letters[len++] = 'l';
        (void)snprintf(params, sizeof(params), "%s%s%" PRIu32, room->key, room->key[0] ? " " : "",
                       room->limit);
    } else {
        (void)snprintf(params, sizeof(params), "%s", room->key);
    }
    (void)record_next(&in, fields, 2);
    return strcmp(fields[0].text, letters) == 0 && strcmp(fields[1].text, params) == 0
               ? NULL
               : "a room has other modes than were told";
}

static const char *compare_names(struct model *model, const struct model_room *room,
                                 const struct event *reply)
{
    static const char *const prefixes[] = {"", "+", "@", "@+"};
    struct record_in in = {reply->extra, reply->extra_len};
    struct record_field fields[2];
    while (record_next(&in, fields, 2)) {
        const uint8_t *ranks = rules_ranks(model, find_name(model, fields[1].text), room);
        if (ranks == NULL || strcmp(fields[0].text, prefixes[*ranks]) != 0) {
            return "a member has another rank than was told";
        }
    }
    return reply->count == room->member_count ? NULL : "names are missing";
}

const char *rules_compare(struct model *model, struct hub *hub)
{
    static const enum command_type types[] = {COMMAND_MODE, COMMAND_NAMES};
    const char *wrong = NULL;
    for (uint32_t i = 0; wrong == NULL && i < model->rooms_used; i++) {
        const struct model_room *room = &model->rooms[i];
        struct event_list events = {0};
        for (size_t type = 0; room->member_count > 0 && type < 2; type++) {
            struct command *command =
                command_create(types[type], UINT64_MAX, room->name, strlen(room->name), NULL, 0);
            command->authority = AUTHORITY_OPERATOR;
            hub_begin(hub);
            hub_apply(hub, command, 0, 0, &events);
            hub_rollback(hub);
            command_destroy(command);
        }
        if (events.count == 2) {
            wrong = compare_modes(room, events.items[0]);
            wrong = wrong != NULL ? wrong : compare_names(model, room, events.items[1]);
        } else if (room->member_count > 0) {
            wrong = "the hub does not tell the console of a room";
        }
        event_list_finish(&events);
    }
    return wrong;
}
