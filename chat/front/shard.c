/* SPDX-License-Identifier: MIT */
#include "front/shard.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "front/door.h"
#include "front/shard_internal.h"

/* How often stalled sessions are looked at when no batch comes. */
#define STALLED_LOOK_NS (50 * 1000000ll)
/* How often sessions that may be silent too long are looked at. */
#define TICK_NS (1000 * 1000000ll)

static void settings_finish(struct front_settings *settings)
{
    free((char *)settings->server_name);
    free((char *)settings->network);
    free((char *)settings->description);
    free((char *)settings->lobby);
    free((char *)settings->motd);
    free((char *)settings->persist_tag_list);
    free((char *)settings->version);
    free((char *)settings->started);
}

/* Every session that has ticks is asked with the next one, whatever it wanted: times have changed.
 */
static void tick_all(struct shard *shard)
{
    for (uint32_t i = 0; i < shard->slot_cap; i++) {
        if (shard->slots[i] && shard->slots[i]->front->on_tick) {
            session_want_ticks(shard->slots[i]);
        }
    }
}

static const char *copy_string(const char *string)
{
    return xmemdup0(string ? string : "", string ? strlen(string) : 0);
}

void shard_set_settings(struct shard *shard, const struct front_settings *settings)
{
    settings_finish(&shard->settings);
    shard->settings = *settings;
    shard->settings.server_name = copy_string(settings->server_name);
    shard->settings.network = copy_string(settings->network);
    shard->settings.description = copy_string(settings->description);
    shard->settings.lobby = copy_string(settings->lobby);
    shard->settings.motd = copy_string(settings->motd);
    shard->settings.persist_tag_list = copy_string(settings->persist_tag_list);
    shard->settings.version = copy_string(settings->version);
    shard->settings.started = copy_string(settings->started);
    tick_all(shard);
}

struct shard *shard_create(struct party_loop *loop, unsigned index, unsigned count,
                           const struct front_settings *settings, const struct shard_env *env)
{
    struct shard *shard = xcalloc(1, sizeof(*shard));
    shard->loop = loop;
    shard->began_ns = party_loop_now_ns(loop);
    shard->index = index;
    shard->stride = count;
    shard->serial = index + 1;
    shard->env = *env;
    shard->room_bucket_count = ROOM_BUCKETS_MIN;
    shard->rooms = xcalloc(shard->room_bucket_count, sizeof(struct room_view *));
    shard->time_s = INT64_MIN;
    shard_set_settings(shard, settings);
    return shard;
}

void shard_destroy(struct shard *shard)
{
    rooms_finish(shard);
    for (struct command *command = shard->first; command;) {
        struct command *next = command->next;
        command_destroy(command);
        command = next;
    }
    settings_finish(&shard->settings);
    text_out_finish(&shard->scratch);
    free(shard->slots);
    free(shard->tick_due_ns);
    free(shard->free_slots);
    free(shard->stalled);
    free(shard);
}

void shard_accept(struct shard *shard, int fd, const struct party_address *peer,
                  enum shard_entry entry)
{
    struct origin origin = origin_of(peer);
    if (shard->draining) {
        (void)close(fd);
        if (entry != ENTRY_CTL) {
            shard->env.released(peer, shard->env.user);
        }
        return;
    }
    door_open(shard, fd, &origin, entry);
}

/* ---- events ---- */

static struct session *actor_here(const struct shard *shard, const struct event *event)
{
    return event->session != 0 ? shard_session(shard, event->session) : NULL;
}

static void deliver_to_session(struct shard *shard, const struct event *event)
{
    struct session *session = shard_session(shard, event->session);
    if (!session) {
        return;
    }
    session_flush_rooms(session);
    if (event->type == EVENT_ENTERED) {
        room_add(shard, event->room_id, event->room, event->room_len, session);
        struct room_view *room = room_find(shard, event->room_id);
        room->floor = event->value;
        room->floor_number = event->peer_identity;
    } else if (event->type == EVENT_GONE_FROM) {
        room_remove(shard, event->room_id, session);
    } else if (event->type == EVENT_GOODBYE) {
        session->gone = true;
        room_remove_all(session);
    }
    session->front->on_event(session, event);
}

/* The members of the room are told one by one; they may go on to ask about it. */
static void tell_renamed(struct room_view *room, const struct event *event)
{
    for (uint32_t i = 0; i < room->group_count; i++) {
        const struct room_group *group = room->groups[i];
        for (uint32_t j = 0; group->front->on_room_renamed && j < group->count; j++) {
            group->front->on_room_renamed(group->members[j].session, event);
        }
    }
}

static void deliver_to_room(struct shard *shard, const struct event *event)
{
    struct room_view *room = room_find(shard, event->room_id);
    if (!room) {
        return;
    }
    if (event->seq > room->last_seq) {
        room->last_seq = event->seq;
    }
    struct session *actor = actor_here(shard, event);
    if (event->type == EVENT_JOINED || event->type == EVENT_LEFT) {
        room_tell_others(shard, room, event, actor, 0);
        return;
    }
    bool is_done = actor && actor->front->on_own && actor->front->on_own(actor, event);
    room_tell(shard, room, event, is_done ? actor : NULL);
    if (event->type == EVENT_ROOM_RENAMED) {
        room_flush(room);
        room_rename(room, event->target, event->target_len);
        tell_renamed(room, event);
    }
}

static void deliver_to_rooms(struct shard *shard, const struct event *event)
{
    struct session *actor = actor_here(shard, event);
    if (actor && event->type != EVENT_QUIT) {
        session_flush_rooms(actor);
        actor->front->on_event(actor, event);
    }
    shard->mark = shard->mark == UINT32_MAX ? 1 : shard->mark + 1;
    for (uint32_t i = 0; i < event->room_count; i++) {
        struct room_view *room = room_find(shard, event->rooms[i]);
        if (room) {
            room_tell_others(shard, room, event, actor, shard->mark);
        }
    }
}

static void resume_stalled(struct shard *shard)
{
    if (shard->stalled_count == 0 || shard->env.is_backlogged(shard->env.user)) {
        return;
    }
    for (size_t i = 0; i < shard->stalled_count; i++) {
        struct session *session = shard_session(shard, shard->stalled[i]);
        if (session) {
            session->stalled = false;
            party_stream_resume(session->stream);
        }
    }
    shard->stalled_count = 0;
    party_timer_stop(&shard->stalled_timer);
}

static void on_stalled_timer(struct party_timer *timer, void *user);

/* The hub may catch up without a batch for this shard: commands of who is gone yield no event. */
static void start_stalled_timer(struct shard *shard)
{
    int r = party_timer_start(shard->loop, &shard->stalled_timer, STALLED_LOOK_NS, on_stalled_timer,
                              shard);
    (void)r; /* without memory for a timer the next batch does it */
}

static void on_stalled_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    struct shard *shard = user;
    resume_stalled(shard);
    if (shard->stalled_count > 0) {
        start_stalled_timer(shard);
    }
}

void shard_stall(struct shard *shard, struct session *session)
{
    if (session->stalled) {
        return;
    }
    session->stalled = true;
    if (shard->stalled_count == shard->stalled_cap) {
        shard->stalled_cap = shard->stalled_cap * 2 + 16;
        shard->stalled = xreallocarray(shard->stalled, shard->stalled_cap, sizeof(uint64_t));
    }
    shard->stalled[shard->stalled_count++] = session->id;
    if (!shard->stalled_timer.loop) {
        start_stalled_timer(shard);
    }
}

static void deliver(struct party_task *task, void *user)
{
    struct shard *shard = user;
    /* The task lies in the batch's delivery. */
    struct batch *batch = ((struct batch_delivery *)task)->batch;
    for (size_t i = 0; i < batch->count; i++) {
        const struct event *event = batch->items[i];
        switch (event->audience) {
        case AUDIENCE_SESSION:
            deliver_to_session(shard, event);
            break;
        case AUDIENCE_ROOM:
            deliver_to_room(shard, event);
            break;
        default:
            deliver_to_rooms(shard, event);
            break;
        }
    }
    rooms_flush_all(shard);
    resume_stalled(shard);
    batch_unref(batch);
}

void shard_deliver_later(struct shard *shard, struct batch *batch)
{
    struct batch_delivery *delivery = &batch->deliveries[shard->index];
    party_task_init(&delivery->task, deliver, shard);
    party_loop_post(shard->loop, &delivery->task);
}

static void on_tick_timer(struct party_timer *timer, void *user);

/* The next tick is when due_ns has come, or sooner if somebody wants it; never before TICK_NS have
 * passed, so that what is due at nearly the same time shares a tick. */
static void start_ticks(struct shard *shard, int64_t due_ns)
{
    int64_t now_ns = party_loop_now_ns(shard->loop);
    int64_t delay_ns = due_ns > now_ns + TICK_NS ? due_ns - now_ns : TICK_NS;
    if (shard->tick_timer.loop && shard->next_tick_ns <= now_ns + delay_ns) {
        return;
    }
    shard->next_tick_ns = now_ns + delay_ns;
    int r = party_timer_start(shard->loop, &shard->tick_timer, delay_ns, on_tick_timer, shard);
    (void)r; /* without memory for a timer the next session tries again */
}

void session_want_ticks(struct session *session)
{
    session->shard->tick_due_ns[session_slot(session)] = 0;
    start_ticks(session->shard, 0);
}

/* One timer for all sessions, and only those are touched whose time has come: ten thousand idle
 * ones should neither pay for a timer of their own nor be fetched into the cache every second. */
static void on_tick_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    struct shard *shard = user;
    int64_t next_ns = INT64_MAX;
    int64_t now_ns = party_loop_now_ns(shard->loop);
    for (uint32_t i = 0; i < shard->slot_cap; i++) {
        if (shard->tick_due_ns[i] <= now_ns) {
            struct session *session = shard->slots[i];
            int64_t due_ns = INT64_MAX;
            if (!party_stream_is_closing(session->stream)) {
                due_ns = session->front->on_tick(session, now_ns);
            }
            if (shard->slots[i] == session) { /* it may have ended by it */
                shard->tick_due_ns[i] = due_ns;
            }
        }
        if (shard->tick_due_ns[i] < next_ns) {
            next_ns = shard->tick_due_ns[i];
        }
    }
    if (next_ns != INT64_MAX && !shard->draining) {
        start_ticks(shard, next_ns);
    }
}

static void answer(struct party_task *task, void *user)
{
    struct query *query = user;
    struct shard *shard = query->shard;
    (void)task;
    struct session *session = shard_session(shard, query->session);
    if (session) {
        session->query = NULL;
        if (session->front->on_answer) {
            session->front->on_answer(session, query);
        }
    }
    query_destroy(query);
}

void shard_answer_later(struct shard *shard, struct query *query)
{
    party_task_init(&query->task, answer, query);
    party_loop_post(shard->loop, &query->task);
}

static void answer_password(struct party_task *task, void *user)
{
    struct password_query *query = user;
    (void)task;
    struct session *session = shard_session(query->shard, query->session);
    if (session) {
        session->password_query = NULL;
        if (session->front->on_password) {
            session->front->on_password(session, query);
        }
    }
    password_query_destroy(query);
}

void shard_password_later(struct shard *shard, struct password_query *query)
{
    party_task_init(&query->task, answer_password, query);
    party_loop_post(shard->loop, &query->task);
}

/* ---- the end ---- */

void shard_drain(struct shard *shard, const char *reason)
{
    shard->draining = true;
    doors_close(shard);
    for (uint32_t i = 0; i < shard->slot_cap; i++) {
        struct session *session = shard->slots[i];
        if (session && !party_stream_is_closing(session->stream)) {
            session->front->on_drain(session, reason);
            party_stream_finish(session->stream);
        }
    }
}

void shard_close_all(struct shard *shard)
{
    doors_close(shard);
    for (uint32_t i = 0; i < shard->slot_cap; i++) {
        if (shard->slots[i]) {
            party_stream_close(shard->slots[i]->stream);
        }
    }
}

size_t shard_connections(const struct shard *shard)
{
    return shard->session_count + shard->door_count;
}

bool shard_is_flushed(const struct shard *shard)
{
    for (uint32_t i = 0; i < shard->slot_cap; i++) {
        const struct session *session = shard->slots[i];
        int unacknowledged = 0;
        if (session &&
            (party_stream_queued(session->stream) > 0 ||
             ioctl(party_stream_fileno(session->stream), SIOCOUTQ, &unacknowledged) < 0 ||
             unacknowledged > 0)) {
            return false;
        }
    }
    return true;
}

unsigned shard_unregistered(const struct shard *shard)
{
    return atomic_load(&shard->unregistered);
}

struct party_loop *shard_loop(const struct shard *shard)
{
    return shard->loop;
}

const struct front_settings *shard_settings(const struct shard *shard)
{
    return &shard->settings;
}

const char *shard_local_time(struct shard *shard, int64_t time_ms)
{
    int64_t time_s = time_ms >= 0 ? time_ms / 1000 : (time_ms - 999) / 1000;
    if (time_s != shard->time_s) {
        time_t t = (time_t)time_s;
        struct tm tm;
        if (!localtime_r(&t, &tm) ||
            strftime(shard->time_text, sizeof(shard->time_text), "%Y-%m-%d %H:%M:%S", &tm) == 0) {
            memcpy(shard->time_text, "0000-00-00 00:00:00", 20);
        }
        shard->time_s = time_s;
    }
    return shard->time_text;
}
