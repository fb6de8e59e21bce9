/* SPDX-License-Identifier: MIT */
#include "core/sim_people.h"

#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "core/record.h"

static const char letters[] = "iowB";

static bool is_same_name(const char *a, const char *b)
{
    size_t a_len;
    size_t b_len;
    char *first = name_fold(a, strlen(a), &a_len);
    char *second = name_fold(b, strlen(b), &b_len);
    bool is_same =
        first != NULL && second != NULL && a_len == b_len && memcmp(first, second, a_len) == 0;
    free(first);
    free(second);
    return is_same;
}

static struct model_session *find(struct model *model, const char *name)
{
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        if (model->sessions[i].is_here && is_same_name(model->sessions[i].name, name)) {
            return &model->sessions[i];
        }
    }
    return NULL;
}

static struct model_session *session_of(struct model *model, uint64_t session)
{
    return session < MODEL_SESSIONS && model->sessions[session].is_here ? &model->sessions[session]
                                                                        : NULL;
}

static bool has_mode(const struct model_session *session, char letter)
{
    return session != NULL && strchr(session->user_modes, letter) != NULL;
}

bool people_asker_serves(const struct model *model)
{
    uint64_t asker = model->command->session;
    return asker < MODEL_SESSIONS && model->sessions[asker].is_here &&
           has_mode(&model->sessions[asker], 'o');
}

static bool sees_all(const struct model *model)
{
    return model->command->authority == AUTHORITY_OPERATOR || people_asker_serves(model);
}

static uint32_t find_watched(const struct model_session *session, const char *name)
{
    uint32_t at = 0;
    while (at < session->watched_count && !is_same_name(session->watched[at], name)) {
        at++;
    }
    return at;
}

static bool watches(const struct model_session *session, const char *name)
{
    return session->is_here && find_watched(session, name) < session->watched_count;
}

static bool share_room(const struct model_session *a, const struct model_session *b)
{
    for (uint32_t i = 0; i < a->room_count; i++) {
        for (uint32_t k = 0; k < b->room_count; k++) {
            if (a->rooms[i] == b->rooms[k]) {
                return true;
            }
        }
    }
    return false;
}

static bool is_in(const struct model *model, const struct model_session *session, const char *room)
{
    for (uint32_t i = 0; session != NULL && i < session->room_count; i++) {
        if (strcmp(model->rooms[session->rooms[i]].name, room) == 0) {
            return true;
        }
    }
    return false;
}

static unsigned count_watchers(const struct model *model, const char *name,
                               const struct model_session *apart_from)
{
    unsigned count = 0;
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];
        bool is_told =
            apart_from == NULL || (session != apart_from && !share_room(session, apart_from));
        count += watches(session, name) && is_told;
    }
    return count;
}

void people_expect_online(struct model *model, const char *name)
{
    model->owed_online += count_watchers(model, name, NULL);
}

void people_expect_offline(struct model *model, const char *name)
{
    model->owed_offline += count_watchers(model, name, NULL);
}

void people_expect_rename(struct model *model, const char *old_name, const char *name)
{
    if (!is_same_name(old_name, name)) {
        people_expect_offline(model, old_name);
        people_expect_online(model, name);
    }
}

/* ---- MONITOR ---- */

/* Does to the model what the command asked for. */
static const char *add_watched(struct model_session *session, const char *name)
{
    if (find_watched(session, name) < session->watched_count) {
        return NULL;
    }
    if (session->watched_count == MODEL_WATCHED) {
        return "a session watches more names than the limit";
    }
    strcpy(session->watched[session->watched_count++], name);
    return NULL;
}

static const char *follow_status(struct model *model, const struct event *event)
{
    struct model_session *session = session_of(model, event->session);
    bool is_online = event->type == EVENT_ONLINE;
    unsigned *owed = is_online ? &model->owed_online : &model->owed_offline;
    struct record_in in = {event->extra, event->extra_len};
    struct record_field name;
    while (session != NULL && record_next(&in, &name, 1)) {
        if ((find(model, name.text) != NULL) != is_online) {
            return "a name is told to be there that is not, or the other way round";
        }
        if ((event->flags & EVENT_FLAG_OWN) != 0) {
            const char *wrong = add_watched(session, name.text);
            if (wrong != NULL) {
                return wrong;
            }
        } else if (!watches(session, name.text) || (*owed)-- == 0) {
            return "a name is told to somebody who does not watch it";
        }
    }
    return session != NULL ? NULL : "nobody is told of a name";
}

/* What no event tells of: names that are no longer watched. */
static void end_monitor(struct model *model)
{
    const struct command *command = model->command;
    struct model_session *session = session_of(model, command->session);
    if (session == NULL || command->type != COMMAND_MONITOR) {
        return;
    }
    if (command->value == 'C') {
        session->watched_count = 0;
    }
    struct record_in in = {command->extra, command->extra_len};
    struct record_field name;
    while (command->value == '-' && record_next(&in, &name, 1)) {
        uint32_t at = find_watched(session, name.text);
        if (at < session->watched_count) {
            session->watched_count--;
            memmove(session->watched[at], session->watched[at + 1],
                    (session->watched_count - at) * sizeof(session->watched[0]));
        }
    }
}

static const char *follow_monitor(struct model *model, const struct event *event)
{
    const struct model_session *session = session_of(model, event->session);
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[3];
    while (record_next(&in, fields, 3)) {
        if (session == NULL || !watches(session, fields[0].text)) {
            return "names are listed that are not watched";
        }
        if (event->value == 'S' && (fields[1].len > 0) != (find(model, fields[0].text) != NULL)) {
            return "a watched name is listed with a wrong state";
        }
    }
    bool is_whole = session != NULL && event->count == session->watched_count;
    return is_whole ? NULL : "not all names that are watched are listed";
}

/* ---- what people say of themselves ---- */

static const char *follow_change(struct model *model, const struct event *event)
{
    struct model_session *actor = find(model, event->actor);
    if (actor == NULL) {
        return "somebody changes who is not here";
    }
    if (event->audience == AUDIENCE_SESSION) {
        const struct model_session *watcher = session_of(model, event->session);
        bool is_due = watcher != NULL && watches(watcher, event->actor) &&
                      !share_room(watcher, actor) && (event->flags & EVENT_FLAG_WATCHED) != 0;
        return is_due && model->owed_watched-- > 0 ? NULL : "somebody is told what it did not ask";
    }
    if (actor != &model->sessions[model->command->session]) {
        return "somebody else changes than who asked";
    }
    if (event->type == EVENT_AWAY && strcmp(actor->away, event->text) == 0) {
        return event->room_count == 0 ? NULL : "being away as before is told to rooms";
    }
    if (event->type == EVENT_AWAY) {
        strcpy(actor->away, event->text);
    }
    model->owed_watched = count_watchers(model, actor->name, actor);
    return model_check_rooms(model, actor, event);
}

static const char *follow_modes(struct model *model, const struct event *event)
{
    struct model_session *session = session_of(model, event->session);
    struct record_in in = {event->extra, event->extra_len};
    struct record_field change;
    while (session != NULL && record_next(&in, &change, 1)) {
        char *at = strchr(session->user_modes, change.text[1]);
        if (change.len != 2 || strchr(letters, change.text[1]) == NULL ||
            (at != NULL) != (change.text[0] == '-')) {
            return "a user mode is changed to what it is";
        }
        if (change.text[1] == 'o' && at == NULL && model->command->type != COMMAND_OPER) {
            return "somebody becomes an operator by a mode";
        }
        if (at != NULL) {
            memmove(at, at + 1, strlen(at));
        } else {
            strcat(session->user_modes, change.text + 1);
        }
    }
    return session != NULL ? NULL : "modes change of nobody";
}

static const char *follow_wallops(struct model *model, const struct event *event)
{
    const struct model_session *session = session_of(model, event->session);
    model->wallops++;
    return sees_all(model) && (has_mode(session, 'w') || has_mode(session, 'o'))
               ? NULL
               : "who does not listen is told, or who may not tells";
}

/* ---- answers ---- */

static const char *follow_lusers(struct model *model, const struct event *event)
{
    uint64_t users = 0;
    uint64_t invisible = 0;
    uint64_t operators = 0;
    uint64_t rooms = 0;
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[5];
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];
        users += session->is_here;
        invisible += session->is_here && has_mode(session, 'i');
        operators += session->is_here && has_mode(session, 'o');
    }
    for (uint32_t i = 0; i < model->rooms_used; i++) {
        rooms += model->rooms[i].is_known && model->rooms[i].member_count > 0;
    }
    bool is_right = record_next(&in, fields, 5) && record_number(&fields[0]) == users &&
                    record_number(&fields[1]) == invisible &&
                    record_number(&fields[2]) == operators && record_number(&fields[3]) == rooms &&
                    record_number(&fields[4]) >= users;
    return is_right ? NULL : "users or rooms are counted wrongly";
}

static bool is_secret_to(const struct model *model, const struct model_session *asker,
                         const char *room)
{
    for (uint32_t i = 0; i < model->rooms_used; i++) {
        if (strcmp(model->rooms[i].name, room) == 0) {
            return strchr(model->rooms[i].modes, 's') != NULL && !is_in(model, asker, room);
        }
    }
    return false;
}

static const char *follow_whox(struct model *model, const struct event *event)
{
    const struct model_session *asker = session_of(model, model->command->session);
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[6];
    while (record_next(&in, fields, 6)) {
        const struct model_session *session = find(model, fields[4].text);
        if (session == NULL || (fields[5].text[0] == 'G') != (session->away[0] != '\0')) {
            return "somebody is listed who is not here, or away when it is not";
        }
        bool is_seen = sees_all(model) || session == asker || !has_mode(session, 'i') ||
                       (asker != NULL && share_room(session, asker)) ||
                       is_same_name(session->name, model->command->target);
        if (!is_seen || (!sees_all(model) && is_secret_to(model, asker, fields[0].text))) {
            return "somebody is listed who is not to be seen";
        }
    }
    return NULL;
}

static const char *follow_whois(struct model *model, const struct event *event)
{
    const struct model_session *asker = session_of(model, model->command->session);
    const struct model_session *session = find(model, event->target);
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[11];
    if (session == NULL || !record_next(&in, fields, 11) ||
        strcmp(fields[8].text, session->away) != 0) {
        return "somebody is described wrongly";
    }
    while (record_next(&in, fields, 2)) {
        if (!is_in(model, session, fields[1].text)) {
            return "somebody is said to be in a room that it is not in";
        }
        bool is_free = sees_all(model) || session == asker || is_in(model, asker, fields[1].text);
        if (!is_free && (has_mode(session, 'i') || is_secret_to(model, asker, fields[1].text))) {
            return "a room is shown that is not to be seen";
        }
    }
    return NULL;
}

static const char *follow_presence(struct model *model, const struct event *event)
{
    struct record_in in = {event->extra, event->extra_len};
    struct record_field fields[3];
    while (record_next(&in, fields, 3)) {
        const struct model_session *session = find(model, fields[0].text);
        if (session == NULL || (event->type == EVENT_REPLY_USERHOST &&
                                ((fields[1].len > 0) != has_mode(session, 'o') ||
                                 (fields[2].text[0] == '-') != (session->away[0] != '\0')))) {
            return "somebody is said to be here who is not, or as it is not";
        }
    }
    return NULL;
}

const char *people_follow(struct model *model, const struct event *event)
{
    switch ((enum event_type)event->type) {
    case EVENT_ONLINE:
    case EVENT_OFFLINE:
        return follow_status(model, event);
    case EVENT_REPLY_MONITOR:
        return follow_monitor(model, event);
    case EVENT_AWAY:
    case EVENT_SETNAME:
        return follow_change(model, event);
    case EVENT_USER_MODE:
        return follow_modes(model, event);
    case EVENT_WALLOPS:
        return follow_wallops(model, event);
    case EVENT_REPLY_LUSERS:
        return follow_lusers(model, event);
    case EVENT_REPLY_WHOX:
        return follow_whox(model, event);
    case EVENT_REPLY_WHOIS:
        return follow_whois(model, event);
    case EVENT_REPLY_ISON:
    case EVENT_REPLY_USERHOST:
        return follow_presence(model, event);
    default:
        return NULL;
    }
}

const char *people_end(struct model *model)
{
    end_monitor(model);
    unsigned listeners = 0;
    for (uint32_t i = 0; i < MODEL_SESSIONS; i++) {
        const struct model_session *session = &model->sessions[i];
        listeners += session->is_here && (has_mode(session, 'w') || has_mode(session, 'o'));
    }
    bool is_heard = model->wallops == 0 || model->wallops == listeners;
    bool is_told = model->owed_online + model->owed_offline + model->owed_watched == 0;
    model->wallops = model->owed_online = model->owed_offline = model->owed_watched = 0;
    return is_heard && is_told ? NULL : "somebody is not told who waits for it";
}
