/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/watch.h"

/*
 * The undo journal. Each change to the state is made here, next to its inverse. hub_rollback runs
 * the inverses from the last change to the first, so each finds the state exactly as its change
 * left it: places in arrays need no search, and an object that was added is referred to by nothing
 * any more when its addition is undone.
 *
 * What a change takes out of the state (a member, a room, a name, a topic, a message that left the
 * last ones) is owned by the journal until the batch ends. Kept, it is freed; undone, it goes back
 * and what had come in its place is freed.
 */

#define FIRST_CAP 64u

static struct change *record(struct hub *hub, enum change_type type)
{
    assert(hub->in_batch);
    struct journal *journal = &hub->journal;
    if (journal->count == journal->cap) {
        journal->cap = journal->cap == 0 ? FIRST_CAP : journal->cap * 2;
        journal->changes = xreallocarray(journal->changes, journal->cap, sizeof(*journal->changes));
    }
    struct change *change = &journal->changes[journal->count++];
    *change = (struct change){.type = type};
    return change;
}

void journal_add_member(struct hub *hub, struct member *member)
{
    record(hub, CHANGE_MEMBER_ADD)->member = member;
    member_insert(hub, member, hub->member_count);
}

void journal_remove_member(struct hub *hub, struct member *member)
{
    assert(member->room_count == 0);
    struct change *change = record(hub, CHANGE_MEMBER_REMOVE);
    change->member = member;
    change->member_at = member->index;
    member_extract(hub, member);
}

void journal_rename(struct hub *hub, struct member *member, struct label *label)
{
    struct change *change = record(hub, CHANGE_RENAME);
    change->member = member;
    change->old_label = member_relabel(hub, member, label);
}

void journal_add_room(struct hub *hub, struct room *room)
{
    record(hub, CHANGE_ROOM_ADD)->room = room;
    room_insert(hub, room);
}

/* Before somebody comes in or goes out: whether the room begins or ends to be one with members. */
static void count_live(struct hub *hub, const struct room *room, bool is_joined)
{
    if (room->member_count == (is_joined ? 0 : 1)) {
        uint32_t *count = &hub->live_room_count;
        journal_save(hub, count, sizeof(*count));
        *count = is_joined ? *count + 1 : *count - 1;
    }
}

void journal_join(struct hub *hub, struct member *member, struct room *room)
{
    count_live(hub, room, true);
    struct change *change = record(hub, CHANGE_JOIN);
    change->member = member;
    change->room = room;
    member_join(member, room, room->member_count, member->room_count);
}

void journal_leave(struct hub *hub, struct member *member, uint32_t room_at)
{
    struct membership *membership = member_room(member, room_at);
    struct room *room = membership->room;
    count_live(hub, room, false);
    struct change *change = record(hub, CHANGE_LEAVE);
    change->member = member;
    change->room = room;
    change->room_at = room_at;
    change->member_at = membership->index;
    change->ranks = membership->ranks;
    member_leave(member, room_at);
    if (room_is_forgettable(room)) {
        record(hub, CHANGE_ROOM_REMOVE)->room = room;
        room_extract(hub, room);
    }
}

void journal_ranks(struct hub *hub, struct member *member, struct room *room, uint8_t ranks)
{
    struct membership *membership = member_find_room(member, room, NULL);
    struct change *change = record(hub, CHANGE_RANKS);
    change->member = member;
    change->room = room;
    change->ranks = membership->ranks;
    membership->ranks = ranks;
}

void journal_rename_room(struct hub *hub, struct room *room, struct label *label)
{
    struct change *change = record(hub, CHANGE_RENAME_ROOM);
    change->room = room;
    change->old_label = room_relabel(hub, room, label);
}

void journal_topic(struct hub *hub, struct room *room, struct topic *topic)
{
    struct change *change = record(hub, CHANGE_TOPIC);
    change->room = room;
    change->old_topic = room->topic;
    room->topic = topic;
}

static void forget_oldest(struct hub *hub, struct room *room)
{
    struct change *change = record(hub, CHANGE_FORGET);
    change->room = room;
    change->evicted = recent_take_oldest(&room->recent);
}

void journal_store(struct hub *hub, struct room *room, struct event *event)
{
    uint32_t max = hub->limits.recent;
    struct event *kept = max > 0 && event->type != EVENT_TAGS ? recent_form(event) : NULL;
    while (kept != NULL && room->recent.count > 0 && !recent_has_space(&room->recent, kept, max)) {
        forget_oldest(hub, room);
    }
    struct change *change = record(hub, CHANGE_STORE);
    change->room = room;
    room->last_seq++;
    if (kept != NULL) {
        change->pushed = true;
        change->evicted = recent_push(&room->recent, kept, max);
    }
}

void journal_redact(struct hub *hub, struct room *room, uint32_t at, struct event *event)
{
    struct change *change = record(hub, CHANGE_REDACT);
    change->room = room;
    change->member_at = at;
    change->evicted = recent_swap(&room->recent, at, event);
}

void journal_add_watch(struct hub *hub, struct watch *watch)
{
    record(hub, CHANGE_WATCH_ADD)->watch = watch;
    table_add(&hub->by_watch, watch);
}

void journal_watch(struct hub *hub, struct member *member, struct watch *watch)
{
    struct change *change = record(hub, CHANGE_WATCH);
    change->member = member;
    change->watch = watch;
    watch_join(member, watch, watch->count, watch_count(member));
}

void journal_unwatch(struct hub *hub, struct member *member, uint32_t watching_at)
{
    const struct watching *watching = &member->watches->items[watching_at];
    struct watch *watch = watching->watch;
    struct change *change = record(hub, CHANGE_UNWATCH);
    change->member = member;
    change->watch = watch;
    change->watch_at = watching_at;
    change->member_at = watching->index;
    watch_leave(member, watching_at);
    if (watch->count == 0) {
        record(hub, CHANGE_WATCH_REMOVE)->watch = watch;
        table_remove(&hub->by_watch, watch);
    }
}

void journal_save(struct hub *hub, void *field, size_t len)
{
    struct change *change = record(hub, CHANGE_BYTES);
    assert(len <= sizeof(change->old_bytes));
    change->bytes_at = field;
    change->byte_count = (uint8_t)len;
    memcpy(&change->old_bytes, field, len);
}

void journal_replace(struct hub *hub, void **field, void *pointer, void (*destroy)(void *pointer))
{
    struct change *change = record(hub, CHANGE_POINTER);
    change->pointer_at = field;
    change->old_pointer = *field;
    change->destroy = destroy;
    *field = pointer;
}

static void destroy_pointer(void (*destroy)(void *pointer), void *pointer)
{
    if (pointer != NULL) {
        destroy(pointer);
    }
}

static void undo(struct hub *hub, struct change *change)
{
    switch (change->type) {
    case CHANGE_MEMBER_ADD:
        member_extract(hub, change->member);
        member_destroy(change->member);
        break;
    case CHANGE_MEMBER_REMOVE:
        member_insert(hub, change->member, change->member_at);
        break;
    case CHANGE_RENAME:
        free(member_relabel(hub, change->member, change->old_label));
        break;
    case CHANGE_ROOM_ADD:
        room_extract(hub, change->room);
        room_destroy(change->room);
        break;
    case CHANGE_ROOM_REMOVE:
        room_insert(hub, change->room);
        break;
    case CHANGE_JOIN:
        member_leave(change->member, change->member->room_count - 1);
        break;
    case CHANGE_LEAVE:
        member_join(change->member, change->room, change->member_at, change->room_at);
        member_room(change->member, change->room_at)->ranks = change->ranks;
        break;
    case CHANGE_RANKS:
        member_find_room(change->member, change->room, NULL)->ranks = change->ranks;
        break;
    case CHANGE_RENAME_ROOM:
        free(room_relabel(hub, change->room, change->old_label));
        break;
    case CHANGE_TOPIC:
        free(change->room->topic);
        change->room->topic = change->old_topic;
        break;
    case CHANGE_STORE:
        change->room->last_seq--;
        if (change->pushed) {
            recent_unpush(&change->room->recent, change->evicted);
        }
        break;
    case CHANGE_FORGET:
        recent_prepend(&change->room->recent, change->evicted);
        break;
    case CHANGE_REDACT:
        event_unref(recent_swap(&change->room->recent, change->member_at, change->evicted));
        break;
    case CHANGE_WATCH_ADD:
        table_remove(&hub->by_watch, change->watch);
        watch_destroy(change->watch);
        break;
    case CHANGE_WATCH_REMOVE:
        table_add(&hub->by_watch, change->watch);
        break;
    case CHANGE_WATCH:
        watch_leave(change->member, watch_count(change->member) - 1);
        break;
    case CHANGE_UNWATCH:
        watch_join(change->member, change->watch, change->member_at, change->watch_at);
        break;
    case CHANGE_BYTES:
        memcpy(change->bytes_at, &change->old_bytes, change->byte_count);
        break;
    case CHANGE_POINTER:
        destroy_pointer(change->destroy, *change->pointer_at);
        *change->pointer_at = change->old_pointer;
        break;
    }
}

static void keep(struct change *change)
{
    switch (change->type) {
    case CHANGE_MEMBER_REMOVE:
        member_destroy(change->member);
        break;
    case CHANGE_RENAME:
    case CHANGE_RENAME_ROOM:
        free(change->old_label);
        break;
    case CHANGE_ROOM_REMOVE:
        room_destroy(change->room);
        break;
    case CHANGE_TOPIC:
        free(change->old_topic);
        break;
    case CHANGE_STORE:
    case CHANGE_FORGET:
    case CHANGE_REDACT:
        event_unref(change->evicted);
        break;
    case CHANGE_WATCH_REMOVE:
        watch_destroy(change->watch);
        break;
    case CHANGE_POINTER:
        destroy_pointer(change->destroy, change->old_pointer);
        break;
    case CHANGE_WATCH_ADD:
    case CHANGE_WATCH:
    case CHANGE_UNWATCH:
    case CHANGE_BYTES:
    case CHANGE_MEMBER_ADD:
    case CHANGE_ROOM_ADD:
    case CHANGE_JOIN:
    case CHANGE_LEAVE:
    case CHANGE_RANKS:
        break;
    }
}

void hub_begin(struct hub *hub)
{
    assert(!hub->in_batch);
    hub->in_batch = true;
    hub->journal.next_room_id = hub->next_room_id;
    hub->journal.last_time_ms = hub->last_time_ms;
}

void hub_commit(struct hub *hub)
{
    assert(hub->in_batch);
    for (size_t i = 0; i < hub->journal.count; i++) {
        keep(&hub->journal.changes[i]);
    }
    hub->journal.count = 0;
    hub->in_batch = false;
}

void hub_rollback(struct hub *hub)
{
    assert(hub->in_batch);
    while (hub->journal.count > 0) {
        undo(hub, &hub->journal.changes[--hub->journal.count]);
    }
    hub->next_room_id = hub->journal.next_room_id;
    hub->last_time_ms = hub->journal.last_time_ms;
    hub->in_batch = false;
}
