/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "front/shard_internal.h"

/*
 * The fan-out. Events of a room are encoded once per group at the end of the group's tail buffer
 * and given to the members as late as possible: a run of events between two changes of the
 * membership costs each member one span, whatever their number. A run ends (room_flush) before the
 * members change, before a member is told something of its own (so that it reads things in their
 * order), and at the end of each batch.
 *
 * A tail is given back when the loop's turn has sent everything: with no other reference left its
 * memory serves the next room. Members who do not read hold references; then the room starts a new
 * tail and the old one goes with the last of them.
 */

#define TAIL_BYTES (16u * 1024u)

static struct room_view **bucket_of(const struct shard *shard, uint32_t room_id)
{
    return &shard->rooms[(room_id * 2654435761u) % shard->room_bucket_count];
}

struct room_view *room_find(const struct shard *shard, uint32_t room_id)
{
    struct room_view *room = *bucket_of(shard, room_id);
    while (room && room->id != room_id) {
        room = room->next;
    }
    return room;
}

static void grow_buckets(struct shard *shard)
{
    struct room_view **old = shard->rooms;
    uint32_t old_count = shard->room_bucket_count;
    shard->room_bucket_count = old_count * 2;
    shard->rooms = xcalloc(shard->room_bucket_count, sizeof(struct room_view *));
    for (uint32_t i = 0; i < old_count; i++) {
        while (old[i]) {
            struct room_view *room = old[i];
            old[i] = room->next;
            struct room_view **bucket = bucket_of(shard, room->id);
            room->next = *bucket;
            *bucket = room;
        }
    }
    free(old);
}

static struct room_view *room_make(struct shard *shard, uint32_t room_id, const char *name,
                                   size_t name_len)
{
    if (shard->room_count >= shard->room_bucket_count) {
        grow_buckets(shard);
    }
    struct room_view *room = xcalloc(1, sizeof(*room));
    room->id = room_id;
    room->name = xmemdup0(name, name_len);
    room->name_len = (uint32_t)name_len;
    struct room_view **bucket = bucket_of(shard, room_id);
    room->next = *bucket;
    *bucket = room;
    shard->room_count++;
    return room;
}

static void tail_release(struct shard *shard, struct room_group *group)
{
    struct party_buf *tail = group->tail;
    group->tail = NULL;
    group->run_from = 0;
    group->tail_serial++;
    if (!tail) {
        return;
    }
    if (tail->refs == 1 && tail->cap == TAIL_BYTES && shard->spare_count < SPARE_BUFS) {
        tail->len = 0;
        shard->spare[shard->spare_count++] = tail;
        return;
    }
    party_buf_unref(tail);
}

static void group_free(struct shard *shard, struct room_group *group)
{
    tail_release(shard, group);
    free(group->members);
    free(group);
}

static void room_free(struct shard *shard, struct room_view *room)
{
    struct room_view **link = bucket_of(shard, room->id);
    while (*link != room) {
        link = &(*link)->next;
    }
    *link = room->next;
    shard->room_count--;
    for (uint32_t i = 0; room->dirty && i < shard->dirty_count; i++) {
        if (shard->dirty[i] == room) {
            shard->dirty[i] = shard->dirty[--shard->dirty_count];
            break;
        }
    }
    free(room->groups);
    free(room->name);
    free(room);
}

static struct room_group *group_for(struct room_view *room, const struct session *session)
{
    for (uint32_t i = 0; i < room->group_count; i++) {
        if (room->groups[i]->front == session->front &&
            room->groups[i]->encoding == session->encoding) {
            return room->groups[i];
        }
    }
    room->groups = xreallocarray(room->groups, room->group_count + 1, sizeof(*room->groups));
    struct room_group *group = xcalloc(1, sizeof(*group));
    group->room = room;
    group->front = session->front;
    group->encoding = session->encoding;
    room->groups[room->group_count++] = group;
    return group;
}

static uint32_t free_slot(struct session *session)
{
    for (uint32_t i = 0; i < session->membership_cap; i++) {
        if (!session->memberships[i].group) {
            return i;
        }
    }
    uint32_t cap = session->membership_cap * 2 + 2;
    struct membership *memberships = xcalloc(cap, sizeof(*memberships));
    memcpy(memberships, session->memberships, session->membership_cap * sizeof(*memberships));
    if (session->memberships != &session->one) {
        free(session->memberships);
    }
    uint32_t slot = session->membership_cap;
    session->memberships = memberships;
    session->membership_cap = cap;
    return slot;
}

static struct membership *membership_in(struct session *session, uint32_t room_id)
{
    for (uint32_t i = 0; i < session->membership_cap; i++) {
        struct membership *m = &session->memberships[i];
        if (m->group && m->group->room->id == room_id) {
            return m;
        }
    }
    return NULL;
}

bool room_has(struct session *session, uint32_t room_id)
{
    return membership_in(session, room_id) != NULL;
}

/* Puts the session into the room's group for its encoding, which is flushed; slot is free. */
static void group_add(struct room_view *room, struct session *session, uint32_t slot)
{
    struct room_group *group = group_for(room, session);
    if (group->count == group->cap) {
        /* By half: ten thousand idle members should not pay for twenty thousand places. */
        group->cap = group->cap + group->cap / 2 + 4;
        group->members = xreallocarray(group->members, group->cap, sizeof(*group->members));
    }
    session->memberships[slot] = (struct membership){group, group->count};
    group->members[group->count++] = (struct room_member){.session = session, .slot = slot};
}

void room_add(struct shard *shard, uint32_t room_id, const char *name, size_t name_len,
              struct session *session)
{
    if (membership_in(session, room_id)) {
        return;
    }
    struct room_view *room = room_find(shard, room_id);
    if (!room) {
        room = room_make(shard, room_id, name, name_len);
    }
    room_flush(room);
    group_add(room, session, free_slot(session));
}

static void group_remove(struct shard *shard, struct room_group *group, uint32_t index)
{
    struct room_view *room = group->room;
    uint32_t last = --group->count;
    if (index != last) {
        struct room_member moved = group->members[last];
        group->members[index] = moved;
        moved.session->memberships[moved.slot].index = index;
    }
    if (group->count > 0) {
        return;
    }
    for (uint32_t i = 0; i < room->group_count; i++) {
        if (room->groups[i] == group) {
            room->groups[i] = room->groups[--room->group_count];
            break;
        }
    }
    group_free(shard, group);
    if (room->group_count == 0) {
        room_free(shard, room);
    }
}

static void membership_end(struct shard *shard, struct membership *m)
{
    struct room_group *group = m->group;
    room_flush(group->room);
    m->group = NULL;
    group_remove(shard, group, m->index);
}

void session_set_encoding(struct session *session, uint16_t encoding)
{
    session->encoding = encoding;
    for (uint32_t i = 0; i < session->membership_cap; i++) {
        struct membership old = session->memberships[i];
        if (old.group && old.group->encoding != encoding) {
            room_flush(old.group->room);
            group_add(old.group->room, session, i);
            group_remove(session->shard, old.group, old.index);
        }
    }
}

void room_remove(struct shard *shard, uint32_t room_id, struct session *session)
{
    struct membership *m = membership_in(session, room_id);
    if (m) {
        membership_end(shard, m);
    }
}

void room_remove_all(struct session *session)
{
    for (uint32_t i = 0; i < session->membership_cap; i++) {
        if (session->memberships[i].group) {
            membership_end(session->shard, &session->memberships[i]);
        }
    }
}

/* What phase 6 of the turn ends with: every stream has sent what it could. */
static void tidy(struct party_task *task, void *user)
{
    (void)task;
    struct shard *shard = user;
    shard->tidy_queued = false;
    for (uint32_t i = 0; i < shard->dirty_count; i++) {
        struct room_view *room = shard->dirty[i];
        room->dirty = false;
        for (uint32_t g = 0; g < room->group_count; g++) {
            tail_release(shard, room->groups[g]);
        }
    }
    shard->dirty_count = 0;
}

static void mark_dirty(struct shard *shard, struct room_view *room)
{
    if (room->dirty) {
        return;
    }
    room->dirty = true;
    if (shard->dirty_count == shard->dirty_cap) {
        shard->dirty_cap = shard->dirty_cap * 2 + 8;
        shard->dirty = xreallocarray(shard->dirty, shard->dirty_cap, sizeof(struct room_view *));
    }
    shard->dirty[shard->dirty_count++] = room;
}

static struct party_buf *fresh_tail(struct shard *shard, size_t len)
{
    if (len <= TAIL_BYTES && shard->spare_count > 0) {
        return shard->spare[--shard->spare_count];
    }
    struct party_buf *tail = party_buf_create(len > TAIL_BYTES ? (uint32_t)len : TAIL_BYTES);
    if (!tail) {
        xmalloc(SIZE_MAX); /* ends the process the way chat/ does without memory */
    }
    return tail;
}

/* Where in the tail begins what the member has not been given. */
static uint32_t member_from(const struct room_group *group, const struct room_member *member)
{
    bool is_ahead = member->tail_serial == group->tail_serial && member->from > group->run_from;
    return is_ahead ? member->from : group->run_from;
}

static void group_flush(struct room_group *group)
{
    if (!group->tail || group->run_from == group->tail->len) {
        return;
    }
    uint32_t to = group->tail->len;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct room_member *member = &group->members[i];
        uint32_t from = member_from(group, member);
        if (from < to) {
            party_stream_write_span(member->session->stream, group->tail, from, to);
        }
    }
    group->run_from = to;
}

/* Adds the encoded event to the group's tail; false when there is nothing to show. */
static bool group_append(struct shard *shard, struct room_group *group, const struct event *event)
{
    struct text_out *out = &shard->scratch;
    out->len = 0;
    group->front->encode(shard, event, group->encoding, out);
    if (out->len == 0) {
        return false;
    }
    if (!group->tail || party_buf_append(group->tail, out->data, out->len) < 0) {
        group_flush(group);
        tail_release(shard, group);
        group->tail = fresh_tail(shard, out->len);
        if (party_buf_append(group->tail, out->data, out->len) < 0) {
            return false;
        }
    }
    return true;
}

/*
 * The run goes on for all others; the one who is passed over gets what came before the event by
 * itself, and is noted as having all up to behind it.
 */
static void pass_over(struct room_group *group, struct room_member *member, uint32_t event_at)
{
    uint32_t from = member_from(group, member);
    if (from < event_at) {
        party_stream_write_span(member->session->stream, group->tail, from, event_at);
    }
    member->from = group->tail->len;
    member->tail_serial = group->tail_serial;
}

void room_tell(struct shard *shard, struct room_view *room, const struct event *event,
               struct session *except)
{
    const struct membership *own = except ? membership_in(except, room->id) : NULL;
    mark_dirty(shard, room);
    for (uint32_t i = 0; i < room->group_count; i++) {
        struct room_group *group = room->groups[i];
        uint32_t serial = group->tail_serial;
        uint32_t event_at = group->tail ? group->tail->len : 0;
        if (group_append(shard, group, event) && own && own->group == group) {
            pass_over(group, &group->members[own->index],
                      serial == group->tail_serial ? event_at : 0);
        }
    }
}

void room_rename(struct room_view *room, const char *name, size_t name_len)
{
    free(room->name);
    room->name = xmemdup0(name, name_len);
    room->name_len = (uint32_t)name_len;
}

void room_tell_others(struct shard *shard, struct room_view *room, const struct event *event,
                      const struct session *except, uint32_t mark)
{
    mark_dirty(shard, room);
    for (uint32_t g = 0; g < room->group_count; g++) {
        struct room_group *group = room->groups[g];
        group_flush(group);
        if (!group_append(shard, group, event)) {
            continue;
        }
        uint32_t from = group->run_from;
        group->run_from = group->tail->len;
        for (uint32_t i = 0; i < group->count; i++) {
            struct session *session = group->members[i].session;
            if (session == except || (mark != 0 && session->mark == mark)) {
                continue;
            }
            session->mark = mark != 0 ? mark : session->mark;
            party_stream_write_span(session->stream, group->tail, from, group->tail->len);
        }
    }
}

void room_flush(struct room_view *room)
{
    for (uint32_t i = 0; i < room->group_count; i++) {
        group_flush(room->groups[i]);
    }
}

void session_flush_rooms(struct session *session)
{
    for (uint32_t i = 0; i < session->membership_cap; i++) {
        if (session->memberships[i].group) {
            room_flush(session->memberships[i].group->room);
        }
    }
}

void rooms_flush_all(struct shard *shard)
{
    for (uint32_t i = 0; i < shard->dirty_count; i++) {
        room_flush(shard->dirty[i]);
    }
    if (shard->dirty_count > 0 && !shard->tidy_queued) {
        /* Queued behind the flushes of the streams that were written to just now. */
        shard->tidy_queued = true;
        party_task_init(&shard->tidy_task, tidy, shard);
        party_loop_defer(shard->loop, &shard->tidy_task);
    }
}

void rooms_finish(struct shard *shard)
{
    tidy(&shard->tidy_task, shard);
    while (shard->spare_count > 0) {
        party_buf_unref(shard->spare[--shard->spare_count]);
    }
    free(shard->rooms);
    free(shard->dirty);
}
