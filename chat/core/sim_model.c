/* SPDX-License-Identifier: MIT */
#include "core/sim_model.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/sim_people.h"
#include "core/sim_rules.h"

#define FNV_PRIME UINT64_C(0x100000001b3)

static void hash_number(uint64_t *hash, uint64_t number)
{
    *hash = (*hash ^ number) * FNV_PRIME;
    *hash ^= *hash >> 29;
}

static void hash_text(uint64_t *hash, const char *text, uint32_t len)
{
    hash_number(hash, len);
    for (uint32_t i = 0; i < len; i++) {
        *hash = (*hash ^ (unsigned char)text[i]) * FNV_PRIME;
    }
}

uint64_t model_hash_event(uint64_t hash, const struct event *event)
{
    const uint64_t numbers[] = {event->type,
                                event->audience,
                                event->code,
                                event->durable,
                                event->room_id,
                                event->session,
                                event->peer,
                                event->number,
                                event->seq,
                                event->count,
                                (uint64_t)event->time_ms,
                                event->kind,
                                event->flags,
                                event->asked,
                                event->value,
                                event->identity,
                                event->peer_identity};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        hash_number(&hash, numbers[i]);
    }
    hash_text(&hash, event->room, event->room_len);
    hash_text(&hash, event->actor, event->actor_len);
    hash_text(&hash, event->target, event->target_len);
    hash_text(&hash, event->text, event->text_len);
    hash_text(&hash, event->source, event->source_len);
    hash_text(&hash, event->tags, event->tags_len);
    hash_text(&hash, event->extra, event->extra_len);
    for (uint32_t i = 0; i < event->room_count; i++) {
        hash_number(&hash, event->rooms[i]);
    }
    for (uint32_t i = 0; i < event->recent_count; i++) {
        hash_number(&hash, event->recent[i]->number);
    }
    return hash;
}

static void forget_room(struct model_room *room)
{
    for (uint32_t i = 0; i < room->recent_count; i++) {
        event_unref(room->recent[i]);
    }
    *room = (struct model_room){0};
}

void model_init(struct model *model)
{
    *model = (struct model){.next_number = 1};
}

void model_finish(struct model *model)
{
    for (uint32_t i = 0; i < model->rooms_used; i++) {
        forget_room(&model->rooms[i]);
    }
}

void model_restart(struct model *model)
{
    memset(model->sessions, 0, sizeof(model->sessions));
    /* Ids of rooms that nothing was stored of are not known after a restart. */
    model->greatest_room_id = 0;
    for (uint32_t i = 0; i < model->rooms_used; i++) {
        struct model_room *room = &model->rooms[i];
        bool has_members = room->member_count > 0;
        room->member_count = 0;
        if (room->last_seq == 0) {
            forget_room(room);
            continue;
        }
        if (has_members) {
            rules_end_life(model, room);
        }
        /* The log may know of less that was told than happened, but never of a room that is open
         * while it was closed. */
        room->sealed_seq = room->log_sealed;
        if (room->log_sealed > room->last_seq) {
            room->sealed_seq = room->last_seq;
            room->topic[0] = '\0';
        }
        if (room->id > model->greatest_room_id) {
            model->greatest_room_id = room->id;
        }
    }
}

static struct model_session *find_session(struct model *model, uint64_t session)
{
    return session < MODEL_SESSIONS && model->sessions[session].is_here ? &model->sessions[session]
                                                                        : NULL;
}

static struct model_room *find_room(struct model *model, uint32_t id)
{
    for (uint32_t i = 0; i < model->rooms_used; i++) {
        if (model->rooms[i].is_known && model->rooms[i].id == id) {
            return &model->rooms[i];
        }
    }
    return NULL;
}

static bool is_name_used(const struct model *model, const char *name,
                         const struct model_session *except)
{
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];
        if (session->is_here && session != except && strcasecmp(session->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_in(const struct model *model, const struct model_session *session,
                  const struct model_room *room)
{
    for (uint32_t i = 0; session != NULL && i < session->room_count; i++) {
        if (&model->rooms[session->rooms[i]] == room) {
            return true;
        }
    }
    return false;
}

/* Removes a member from a room, and the room when nothing is left of it. The lobby's id is kept by
 * being the first one that is made. */
static void remove_from_room(struct model *model, uint32_t place)
{
    struct model_room *room = &model->rooms[place];
    room->member_count--;
    if (room->member_count == 0) {
        rules_end_life(model, room);
    }
    if (room->member_count == 0 && room->last_seq == 0 && strcmp(room->name, "lobby") != 0) {
        forget_room(room);
    }
}

static struct model_room *learn_room(struct model *model, const struct event *event)
{
    uint32_t place = 0;
    while (place < model->rooms_used && model->rooms[place].is_known) {
        place++;
    }
    if (event->room_id <= model->greatest_room_id || place == MODEL_ROOMS) {
        return NULL;
    }
    if (place == model->rooms_used) {
        model->rooms_used++;
    }
    model->greatest_room_id = event->room_id;
    struct model_room *room = &model->rooms[place];
    room->is_known = true;
    room->id = event->room_id;
    memcpy(room->name, event->room, event->room_len + 1);
    return room;
}

static const char *follow_welcome(struct model *model, const struct event *event)
{
    struct model_session *session = &model->sessions[event->session];
    if (event->session >= MODEL_SESSIONS || session->is_here) {
        return "a session is welcomed that is here";
    }
    if (is_name_used(model, event->actor, NULL)) {
        return "a session is given a name that is in use";
    }
    *session = (struct model_session){.is_here = true};
    memcpy(session->name, event->actor, event->actor_len + 1);
    people_expect_online(model, event->actor);
    return NULL;
}

/* What was taken back or is sealed is not shown. */
static const char *check_recent(const struct model_room *room, const struct event *event)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < room->recent_count; i++) {
        const struct event *kept = room->recent[i];
        if (kept->seq <= room->sealed_seq || (kept->text_len == 0 && kept->type != EVENT_TOPIC)) {
            continue;
        }
        if (count == event->recent_count || event->recent[count]->seq != kept->seq ||
            strcmp(event->recent[count]->text, kept->text) != 0) {
            return "who enters is given messages that are not the last ones";
        }
        count++;
    }
    return count == event->recent_count ? NULL : "who enters is given more than it may read";
}

static const char *follow_entered(struct model *model, const struct event *event)
{
    struct model_session *session = find_session(model, event->session);
    struct model_room *room = find_room(model, event->room_id);
    if (room == NULL) {
        room = learn_room(model, event);
    }
    if (session == NULL || room == NULL || is_in(model, session, room)) {
        return "a session enters that is not here, or is in, or a room's id is used again";
    }
    if (session->room_count == MODEL_MEMBER_ROOMS) {
        return "a session is in too many rooms";
    }
    const char *wrong = rules_enter(model, session, room);
    if (wrong != NULL) {
        return wrong;
    }
    bool is_first = room->member_count == 0 && strcmp(room->name, "lobby") != 0;
    session->invited[room - model->rooms] = false;
    session->let_past[room - model->rooms] = false;
    session->ranks[session->room_count] = is_first ? MODEL_RANK_OPERATOR : 0;
    session->rooms[session->room_count++] = (uint32_t)(room - model->rooms);
    room->member_count++;
    if (event->count != room->member_count || strcmp(event->text, room->topic) != 0 ||
        event->seq != room->last_seq || event->value != room->sealed_seq + 1 ||
        strcmp(event->room, room->name) != 0 || strcmp(event->actor, session->name) != 0) {
        return "who enters is told something wrong";
    }
    return check_recent(room, event);
}

static const char *follow_coming_and_going(struct model *model, const struct event *event)
{
    const struct model_session *session = find_session(model, event->session);
    const struct model_room *room = find_room(model, event->room_id);
    uint32_t count = room != NULL ? room->member_count : 0;
    bool should_be_in = event->type == EVENT_JOINED;
    if (session == NULL || is_in(model, session, room) != should_be_in || event->count != count) {
        return "a room is told wrongly who comes or goes";
    }
    return NULL;
}

static const char *follow_gone_from(struct model *model, const struct event *event)
{
    struct model_session *session = find_session(model, event->session);
    for (uint32_t i = 0; session != NULL && i < session->room_count; i++) {
        uint32_t place = session->rooms[i];
        if (model->rooms[place].id == event->room_id) {
            session->room_count--;
            memmove(&session->rooms[i], &session->rooms[i + 1],
                    (session->room_count - i) * sizeof(session->rooms[0]));
            memmove(&session->ranks[i], &session->ranks[i + 1],
                    (session->room_count - i) * sizeof(session->ranks[0]));
            remove_from_room(model, place);
            return NULL;
        }
    }
    return "a session leaves a room it is not in";
}

static const char *follow_goodbye(struct model *model, const struct event *event)
{
    struct model_session *session = find_session(model, event->session);
    if (session == NULL || strcmp(session->name, event->actor) != 0) {
        return "a session ends that is not here";
    }
    model->leaver = *session;
    model->goodbye = session->room_count > 0 ? event : NULL;
    session->is_here = false;
    people_expect_offline(model, model->leaver.name);
    return NULL;
}

const char *model_check_rooms(const struct model *model, const struct model_session *session,
                              const struct event *event)
{
    if (event->room_count != session->room_count) {
        return "an event does not go to all rooms of its actor";
    }
    for (uint32_t i = 0; i < session->room_count; i++) {
        if (model->rooms[session->rooms[i]].id != event->rooms[i]) {
            return "an event goes to a room its actor is not in";
        }
    }
    return NULL;
}

static const char *follow_quit(struct model *model, const struct event *event)
{
    if (model->goodbye == NULL || model->goodbye->session != event->session ||
        strcmp(model->leaver.name, event->actor) != 0) {
        return "a room is told of an end that was not";
    }
    const char *wrong = model_check_rooms(model, &model->leaver, event);
    uint64_t count = 0;
    for (uint32_t i = 0; i < model->leaver.room_count; i++) {
        uint32_t place = model->leaver.rooms[i];
        uint32_t members = model->rooms[place].member_count;
        count = members > count ? members : count;
        remove_from_room(model, place);
    }
    model->goodbye = NULL;
    return wrong != NULL || count == event->count ? wrong : "an end counts the members wrongly";
}

static const char *follow_renamed(struct model *model, const struct event *event)
{
    struct model_session *session = find_session(model, event->session);
    if (session == NULL || strcmp(session->name, event->actor) != 0 ||
        is_name_used(model, event->target, session)) {
        return "a name is changed wrongly";
    }
    if (strcmp(event->actor, event->target) == 0) {
        return event->room_count == 0 ? NULL : "a name that stays is told to rooms";
    }
    memcpy(session->name, event->target, event->target_len + 1);
    people_expect_rename(model, event->actor, event->target);
    return model_check_rooms(model, session, event);
}

static const char *follow_stored(struct model *model, struct event *event)
{
    struct model_room *room = find_room(model, event->room_id);
    if (room == NULL || (event->durable && event->seq != room->last_seq + 1)) {
        return "a room's numbers have a gap";
    }
    const char *wrong = event->identity != 0 ? rules_speak(model, event, room) : NULL;
    if (wrong != NULL || !event->durable) {
        return wrong;
    }
    room->last_seq = event->seq;
    if (event->type == EVENT_TAGS) {
        return NULL;
    }
    if (event->type == EVENT_TOPIC) {
        memcpy(room->topic, event->text, event->text_len + 1);
        memcpy(room->topic_actor, event->actor, event->actor_len + 1);
        room->topic_time_ms = event->time_ms;
    }
    if (room->recent_count == MODEL_RECENT) {
        event_unref(room->recent[0]);
        memmove(room->recent, room->recent + 1, (MODEL_RECENT - 1) * sizeof(room->recent[0]));
        room->recent_count--;
    }
    room->recent[room->recent_count++] = event_ref(event);
    return NULL;
}

static const char *follow_private(struct model *model, const struct event *event)
{
    bool is_to = event->type == EVENT_PRIVATE_TO;
    const struct model_session *sender = find_session(model, is_to ? event->peer : event->session);
    const struct model_session *receiver =
        find_session(model, is_to ? event->session : event->peer);
    if (sender == NULL || receiver == NULL || strcmp(sender->name, event->actor) != 0 ||
        strcmp(receiver->name, event->target) != 0) {
        return "a private message is not between two who are here";
    }
    if (is_to != event->durable || is_to != (model->private_to == NULL) ||
        (!is_to && (model->private_to->number != event->number ||
                    strcmp(model->private_to->text, event->text) != 0))) {
        return "the two sides of a private message are not one";
    }
    model->private_to = is_to ? event : NULL;
    return NULL;
}

static const char *follow_invited(struct model *model, const struct event *event)
{
    struct model_session *session = find_session(model, event->session);
    const struct model_room *room = find_room(model, event->room_id);
    if (event->flags & EVENT_FLAG_WATCHED) {
        return NULL;
    }
    if (session == NULL || room == NULL || is_in(model, session, room)) {
        return "somebody is invited who is not here, or is there already";
    }
    session->invited[room - model->rooms] = true;
    if (rules_operate(model, event, room) == NULL) {
        session->let_past[room - model->rooms] = true;
    }
    return NULL;
}

/* What happens to a room and is no message. */
static const char *follow_room(struct model *model, const struct event *event)
{
    struct model_room *room = find_room(model, event->room_id);
    if (room == NULL && event->type == EVENT_SEALED && event->value == 0) {
        return NULL; /* nothing was said in it, so it is forgotten already */
    }
    if (room == NULL || event->seq != 0 || !event->durable) {
        return "something happens to a room that there is not, or takes the place of a message";
    }
    switch ((enum event_type)event->type) {
    case EVENT_MODE:
        return rules_mode(model, event, room);
    case EVENT_ROOM_RENAMED:
        return rules_renamed(model, event, room);
    case EVENT_REDACTED:
        return rules_redacted(model, event, room);
    case EVENT_SEALED:
        return rules_sealed(event, room);
    default:
        return rules_operate(model, event, room);
    }
}

static const char *follow_answer(struct model *model, uint64_t asker, const struct event *event)
{
    const struct model_room *room = find_room(model, event->room_id);
    if (event->session != asker || event->audience != AUDIENCE_SESSION) {
        return "an answer goes to somebody who did not ask";
    }
    if (event->type == EVENT_REPLY_WHO && (room == NULL || room->member_count != event->count)) {
        return "a list of members has not as many as there are";
    }
    if (event->type == EVENT_REPLY_TOPIC &&
        (room == NULL || strcmp(room->topic, event->text) != 0)) {
        return "a topic is shown that is not";
    }
    if (event->type == EVENT_ERROR) {
        if (event->code < ERROR_NAME_TAKEN || event->code >= ERROR_CODE_COUNT) {
            return "an error has no code";
        }
        model->error_counts[event->code]++;
    }
    return NULL;
}

static const char *follow_one(struct model *model, uint64_t asker, struct event *event)
{
    const char *wrong;
    bool is_status = event->type == EVENT_ONLINE || event->type == EVENT_OFFLINE;
    if ((event->flags & EVENT_FLAG_OWN) != 0 && !is_status) {
        /* What others were told already, for who did it. */
        return event->durable ? "an actor's own copy is durable"
                              : follow_answer(model, asker, event);
    }
    switch ((enum event_type)event->type) {
    case EVENT_WELCOME:
        return follow_welcome(model, event);
    case EVENT_ENTERED:
        return follow_entered(model, event);
    case EVENT_GONE_FROM:
        return follow_gone_from(model, event);
    case EVENT_GOODBYE:
        return follow_goodbye(model, event);
    case EVENT_JOINED:
    case EVENT_LEFT:
        return follow_coming_and_going(model, event);
    case EVENT_QUIT:
        return follow_quit(model, event);
    case EVENT_RENAMED:
        return follow_renamed(model, event);
    case EVENT_MESSAGE:
    case EVENT_ACTION:
    case EVENT_NOTICE:
    case EVENT_TOPIC:
    case EVENT_TAGS:
        return follow_stored(model, event);
    case EVENT_MODE:
    case EVENT_ROOM_RENAMED:
    case EVENT_REDACTED:
    case EVENT_REMOVED:
    case EVENT_SEALED:
        return follow_room(model, event);
    case EVENT_INVITED:
        return follow_invited(model, event);
    case EVENT_INVITING:
    case EVENT_REPLY_NAMES:
    case EVENT_REPLY_LIST:
    case EVENT_REPLY_MODE:
    case EVENT_REPLY_MASKS:
    case EVENT_REPLY_INVITES:
        return follow_answer(model, asker, event);
    case EVENT_PRIVATE_TO:
    case EVENT_PRIVATE_OF:
        return follow_private(model, event);
    case EVENT_ERROR:
    case EVENT_REPLY_TOPIC:
    case EVENT_REPLY_WHO:
    case EVENT_REPLY_ROOMS:
    case EVENT_REPLY_CLIENTS:
    case EVENT_REPLY_DONE:
    case EVENT_ECHO:
        return follow_answer(model, asker, event);
    case EVENT_AWAY:
    case EVENT_SETNAME:
    case EVENT_ONLINE:
    case EVENT_OFFLINE:
    case EVENT_WALLOPS:
    case EVENT_USER_MODE:
        return people_follow(model, event);
    case EVENT_OPERED:
    case EVENT_REPLY_USER_MODE:
    case EVENT_REPLY_WHOX:
    case EVENT_REPLY_WHOIS:
    case EVENT_REPLY_WHOWAS:
    case EVENT_REPLY_USERHOST:
    case EVENT_REPLY_ISON:
    case EVENT_REPLY_MONITOR:
    case EVENT_REPLY_LUSERS:
        wrong = people_follow(model, event);
        return wrong != NULL ? wrong : follow_answer(model, asker, event);
    default:
        return "an event of a kind that nothing here asks for";
    }
    return "an event has no type";
}

const char *model_follow(struct model *model, const struct command *command,
                         struct event *const *events, size_t count)
{
    model->command = command;
    for (size_t i = 0; i < count; i++) {
        struct event *event = events[i];
        if (event->durable && event->number != model->next_number++) {
            return "the numbers of durable events have a gap";
        }
        if (event->type != EVENT_REPLY_TOPIC) {
            if (event->time_ms < model->last_time_ms) {
                return "time runs back";
            }
            model->last_time_ms = event->time_ms;
        }
        const char *wrong = follow_one(model, command->session, event);
        if (wrong != NULL) {
            return wrong;
        }
        model->counts[event->type]++;
        model->event_hash = model_hash_event(model->event_hash, event);
    }
    if (model->goodbye != NULL || model->private_to != NULL) {
        return "something is told to one side only";
    }
    return people_end(model);
}

static size_t add_client(const struct model *model, uint32_t number, char *out, size_t cap)
{
    const struct model_session *session = &model->sessions[number];
    size_t len = (size_t)snprintf(out, cap, "%" PRIu32 "\t%s\thost\t", number, session->name);
    for (uint32_t i = 0; i < session->room_count; i++) {
        len += (size_t)snprintf(out + len, cap - len, "%s%s", i > 0 ? "," : "",
                                model->rooms[session->rooms[i]].name);
    }
    return len;
}

static const char *compare_clients(const struct model *model, const struct event *reply)
{
    static char expected[MODEL_SESSIONS * 1024];
    size_t len = 0;
    uint64_t count = 0;
    expected[0] = '\0';
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        if (model->sessions[i].is_here) {
            if (count++ > 0) {
                expected[len++] = '\n';
            }
            len += add_client(model, i, expected + len, sizeof(expected) - len);
        }
    }
    if (reply->count != count || strcmp(reply->text, expected) != 0) {
        return "the hub has other members, names or rooms of members than were told";
    }
    return NULL;
}

/* The lines of the reply are in the order of the rooms' ids. */
static const char *compare_rooms(const struct model *model, const struct event *reply)
{
    const char *at = reply->text;
    uint64_t count = 0;
    uint32_t last_id = 0;
    for (;;) {
        const struct model_room *next = NULL;
        for (uint32_t i = 0; i < model->rooms_used; i++) {
            const struct model_room *room = &model->rooms[i];
            bool is_hidden = room->member_count == 0 && room->sealed_seq > 0 &&
                             room->sealed_seq == room->last_seq;
            if (room->is_known && !is_hidden && room->id > last_id &&
                (next == NULL || room->id < next->id)) {
                next = room;
            }
        }
        if (next == NULL) {
            break;
        }
        char line[MODEL_TEXT_BYTES + 512];
        int len = snprintf(line, sizeof(line), "%s%s\t%" PRIu32 "\t%s", count > 0 ? "\n" : "",
                           next->name, next->member_count, next->topic);
        if (strncmp(at, line, (size_t)len) != 0) {
            return "the hub has another room, or another number of members or topic, than was told";
        }
        at += len;
        last_id = next->id;
        count++;
    }
    return *at == '\0' && reply->count == count ? NULL : "the hub has more rooms than were told";
}

const char *model_compare(struct model *model, struct hub *hub)
{
    struct event_list events = {0};
    struct command *clients = command_create(COMMAND_CLIENTS, UINT64_MAX, NULL, 0, NULL, 0);
    struct command *rooms = command_create(COMMAND_ROOMS, UINT64_MAX, NULL, 0, NULL, 0);
    clients->authority = AUTHORITY_OPERATOR;
    rooms->authority = AUTHORITY_OPERATOR;
    hub_begin(hub);
    hub_apply(hub, clients, 0, 0, &events);
    hub_apply(hub, rooms, 0, 0, &events);
    hub_rollback(hub);
    const char *wrong = "the hub does not answer an operator";
    if (events.count == 2) {
        wrong = compare_clients(model, events.items[0]);
        wrong = wrong != NULL ? wrong : compare_rooms(model, events.items[1]);
    }
    command_destroy(clients);
    command_destroy(rooms);
    event_list_finish(&events);
    return wrong != NULL ? wrong : rules_compare(model, hub);
}
