/* SPDX-License-Identifier: MIT */
#include "core/hub.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/hub_internal.h"
#include "core/limit.h"
#include "core/name.h"
#include "core/watch.h"
#include "core/whowas.h"

#define DEFAULT_LOBBY  "lobby"
#define DEFAULT_SERVER "server"

static uint32_t pick(uint32_t given, uint32_t fallback, uint32_t ceiling)
{
    uint32_t value = given == 0 ? fallback : given;
    return value < ceiling ? value : ceiling;
}

static void take_limits(struct hub *hub, const struct hub_limits *given)
{
    hub->limits = (struct hub_limits){
        .nick_bytes = pick(given->nick_bytes, NAME_MAX_BYTES, NAME_CEILING_BYTES),
        .room_bytes = pick(given->room_bytes, ROOM_NAME_MAX_BYTES, ROOM_NAME_CEILING_BYTES),
        .text_bytes = pick(given->text_bytes, TEXT_MAX_BYTES, TEXT_CEILING_BYTES),
        .topic_bytes = pick(given->topic_bytes, TOPIC_MAX_BYTES, TEXT_CEILING_BYTES),
        .reason_bytes = pick(given->reason_bytes, REASON_MAX_BYTES, TEXT_CEILING_BYTES),
        .rooms = pick(given->rooms, ROOMS_MAX, UINT32_MAX),
        .rooms_per_member = pick(given->rooms_per_member, ROOMS_PER_MEMBER_MAX, UINT32_MAX),
        .recent =
            given->recent == UINT32_MAX ? 0 : pick(given->recent, RECENT_DEFAULT, RECENT_CEILING),
        .away_bytes = pick(given->away_bytes, AWAY_MAX_BYTES, TEXT_CEILING_BYTES),
        .real_name_bytes = pick(given->real_name_bytes, REAL_NAME_MAX_BYTES, TEXT_CEILING_BYTES),
        .key_bytes = pick(given->key_bytes, KEY_MAX_BYTES, TEXT_CEILING_BYTES),
        .masks = pick(given->masks, MASKS_MAX, UINT32_MAX),
        .monitor = pick(given->monitor, MONITOR_MAX, UINT32_MAX),
        .whowas = pick(given->whowas, WHOWAS_MAX, WHOWAS_CEILING),
        .multiline_bytes = pick(given->multiline_bytes, MULTILINE_MAX_BYTES, UINT32_MAX),
        .multiline_lines = pick(given->multiline_lines, MULTILINE_MAX_LINES, UINT32_MAX),
    };
}

static struct label *make_label(const struct hub *hub, const char *name, size_t len)
{
    struct label_key key;
    if (!label_key_init(&key, hub->hash_seed, name, len)) {
        return NULL;
    }
    struct label *label = label_create(name, len, &key);
    label_key_finish(&key);
    return label;
}

static struct label *make_lobby_label(const struct hub *hub, const char *name)
{
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    size_t len;
    if (name == NULL ||
        name_room(name, strlen(name), ROOM_NAME_CEILING_BYTES, clean, &len) != NAME_OK) {
        return make_label(hub, DEFAULT_LOBBY, strlen(DEFAULT_LOBBY));
    }
    return make_label(hub, clean, len);
}

/* A server's name may have dots, as a room's: then no user's is the same, but one may look so. */
static struct label *make_server_label(const struct hub *hub)
{
    char clean[NAME_CEILING_BYTES + 1];
    size_t len;
    if (name_room(hub->server_name, hub->server_name_len, NAME_CEILING_BYTES, clean, &len) !=
        NAME_OK) {
        return NULL;
    }
    return make_label(hub, clean, len);
}

/* What people know as the server's voice elsewhere. */
static void make_service_labels(struct hub *hub)
{
    static const char *const names[] = {"NickServ", "ChanServ", "MemoServ", "OperServ", "HostServ",
                                        "BotServ",  "HelpServ", "SaslServ", "HistServ"};
    size_t count = sizeof(names) / sizeof(names[0]);
    hub->service_labels = xcalloc(count + 1, sizeof(struct label *));
    for (size_t i = 0; i < count; i++) {
        hub->service_labels[i] = make_label(hub, names[i], strlen(names[i]));
    }
}

static void free_service_labels(struct hub *hub)
{
    for (struct label **label = hub->service_labels; *label != NULL; label++) {
        free(*label);
    }
    free(hub->service_labels);
}

struct hub *hub_create(const struct hub_settings *settings)
{
    struct hub *hub = xcalloc(1, sizeof(*hub));
    const char *server_name = settings->server_name ? settings->server_name : DEFAULT_SERVER;
    take_limits(hub, &settings->limits);
    hub->hash_seed = settings->hash_seed;
    hub->identity_seed = settings->identity_seed;
    hub->server_name_len = strlen(server_name);
    hub->server_name = xmemdup0(server_name, hub->server_name_len);
    hub->server_label = make_server_label(hub);
    hub->you_label = make_label(hub, "you", 3);
    make_service_labels(hub);
    hub->lobby_label = make_lobby_label(hub, settings->lobby);
    hub->by_session.hash_of = member_hash_session;
    hub->by_name.hash_of = member_hash_name;
    hub->by_alike.hash_of = member_hash_alike;
    hub->by_room_name.hash_of = room_hash_name;
    hub->by_room_alike.hash_of = room_hash_alike;
    hub->by_watch.hash_of = watch_hash;
    hub->next_room_id = 1;
    return hub;
}

void hub_destroy(struct hub *hub)
{
    if (hub == NULL) {
        return;
    }
    if (hub->in_batch) {
        hub_rollback(hub);
    }
    for (uint32_t i = 0; i < hub->member_count; i++) {
        watch_finish(hub, hub->members[i]);
        member_destroy(hub->members[i]);
    }
    for (uint32_t i = 0; i < hub->room_count; i++) {
        room_destroy(hub->rooms[i]);
    }
    table_finish(&hub->by_session);
    table_finish(&hub->by_name);
    table_finish(&hub->by_alike);
    table_finish(&hub->by_room_name);
    table_finish(&hub->by_room_alike);
    table_finish(&hub->by_watch);
    whowas_finish(hub);
    guest_set_finish(&hub->guests);
    free(hub->members);
    free(hub->rooms);
    free(hub->journal.changes);
    free(hub->server_name);
    free(hub->server_label);
    free(hub->you_label);
    free_service_labels(hub);
    free(hub->lobby_label);
    free(hub->log_fault);
    free(hub);
}

static void trim_recent(const struct hub *hub, struct recent *recent)
{
    uint32_t max = hub->limits.recent;
    recent_trim(recent, max);
    while (recent->count > 1 && recent->bytes > (size_t)max * RECENT_MEAN_BYTES) {
        recent_trim(recent, recent->count - 1);
    }
}

void hub_set_limits(struct hub *hub, const struct hub_limits *limits)
{
    assert(!hub->in_batch);
    take_limits(hub, limits);
    whowas_trim(hub);
    for (uint32_t i = 0; i < hub->room_count; i++) {
        trim_recent(hub, &hub->rooms[i]->recent);
    }
}

void hub_restore_time(struct hub *hub, int64_t last_time_ms)
{
    assert(!hub->in_batch);
    if (last_time_ms > hub->last_time_ms) {
        hub->last_time_ms = last_time_ms;
    }
}

int hub_restore_room(struct hub *hub, uint32_t id, const char *name, const char *topic,
                     const char *topic_actor, int64_t topic_time_ms, uint64_t last_seq)
{
    assert(!hub->in_batch);
    char clean[ROOM_NAME_CEILING_BYTES + 1];
    size_t len;
    struct label_key key;
    if (id == 0 || name_room(name, strlen(name), ROOM_NAME_CEILING_BYTES, clean, &len) != NAME_OK ||
        !label_key_init(&key, hub->hash_seed, clean, len)) {
        return -EINVAL;
    }
    if (room_by_id(hub, id) != NULL || room_by_key(hub, &key) != NULL) {
        label_key_finish(&key);
        return -EEXIST;
    }
    struct room *room = room_create(id, label_create(clean, len, &key));
    label_key_finish(&key);
    room->last_seq = last_seq;
    room->recent_known = last_seq == 0;
    if (topic != NULL && topic[0] != '\0') {
        const char *actor = topic_actor != NULL ? topic_actor : "";
        struct event_parts parts = {.text = topic,
                                    .text_len = strlen(topic),
                                    .actor = actor,
                                    .actor_len = strlen(actor),
                                    .time_ms = topic_time_ms};
        room->topic = topic_create(&parts);
    }
    room_insert(hub, room);
    if (id >= hub->next_room_id) {
        hub->next_room_id = (uint64_t)id + 1;
    }
    return 0;
}

void hub_restore_topic_source(struct hub *hub, uint32_t id, const char *source)
{
    assert(!hub->in_batch);
    struct room *room = room_by_id(hub, id);
    struct topic *topic = room != NULL ? room->topic : NULL;
    if (topic == NULL || source[0] == '\0') {
        return;
    }
    struct event_parts parts = {.text = topic->text,
                                .text_len = topic->len,
                                .actor = topic->actor,
                                .actor_len = topic->actor_len,
                                .source = source,
                                .source_len = strlen(source),
                                .time_ms = topic->time_ms};
    room->topic = topic_create(&parts);
    free(topic);
}

void hub_restore_sealed(struct hub *hub, uint32_t id, uint64_t sealed_seq)
{
    assert(!hub->in_batch);
    struct room *room = room_by_id(hub, id);
    if (room == NULL) {
        return;
    }
    /* It was still closed when the server ended, and with that its members' time in it. */
    if (sealed_seq > room->last_seq) {
        sealed_seq = room->last_seq;
        free(room->topic);
        room->topic = NULL;
    }
    room->sealed_seq = sealed_seq;
    room->sealed_number = sealed_seq > 0 ? SEAL_PENDING : 0;
}

uint32_t hub_wants_recent(const struct hub *hub, const struct command *command)
{
    const struct room *room = NULL;
    if (command->type == COMMAND_ENTER) {
        room = hub->lobby;
    } else if (command->type == COMMAND_JOIN) {
        room = room_by_name(hub, command->target, command->target_len);
    }
    if (room == NULL || room->recent_known || hub->limits.recent == 0) {
        return 0;
    }
    return room->id;
}

void hub_restore_recent(struct hub *hub, uint32_t room_id, struct event *const *events,
                        size_t count)
{
    assert(!hub->in_batch);
    struct room *room = room_by_id(hub, room_id);
    if (room == NULL || room->recent_known) {
        return;
    }
    room->recent_known = true;
    /* What was said since the start is in both the log and the room already. */
    while (count > 0 && room->recent.count > 0 &&
           events[count - 1]->seq >= recent_at(&room->recent, 0)->seq) {
        count--;
    }
    for (; count > 0 && room->recent.count < hub->limits.recent; count--) {
        struct event *kept = recent_form(events[count - 1]);
        if (room->recent.count > 0 && !recent_has_space(&room->recent, kept, hub->limits.recent)) {
            event_unref(kept);
            break;
        }
        recent_prepend(&room->recent, kept);
    }
}

void hub_set_log_fault(struct hub *hub, const char *why)
{
    char *copy = why != NULL ? xmemdup0(why, strlen(why)) : NULL;
    free(hub->log_fault);
    hub->log_fault = copy;
}

size_t hub_member_count(const struct hub *hub)
{
    return hub->member_count;
}

size_t hub_room_count(const struct hub *hub)
{
    return hub->room_count;
}
