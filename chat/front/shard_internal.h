/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_SHARD_INTERNAL_H
#define CHAT_FRONT_SHARD_INTERNAL_H

#include <stdbool.h>
#include <time.h>

#include "front/session.h"

/* The members of a room that see the same bytes. */
struct room_group {
    struct room_view *room;
    const struct front *front;
    struct room_member *members;
    uint32_t count, cap;
    struct party_buf *tail; /* the encoded events, the newest at its end; NULL while idle */
    uint32_t run_from;      /* tail from here on was not given to the members yet */
    uint32_t tail_serial;   /* of the tail: other with each new one */
    uint16_t encoding;
};

struct room_member {
    struct session *session;
    uint32_t slot; /* the session's membership of this group */
    /* Up to here in the tail of that serial it needs nothing: see room_tell. */
    uint32_t from, tail_serial;
};

/* A room as this shard sees it; exists while a session here is in it. */
struct room_view {
    uint32_t id;
    uint32_t group_count;
    struct room_group **groups;
    struct room_view *next; /* in its hash bucket */
    char *name;
    uint32_t name_len;
    uint64_t last_seq;     /* of the newest event delivered here */
    uint64_t floor_number; /* and of what else was kept, the first number */
    uint64_t floor;        /* the first seq of its history that its members may read */
    bool dirty;            /* on the shard's list of rooms with a tail */
};

#define ROOM_BUCKETS_MIN 64u
#define SPARE_BUFS       8u

struct shard {
    struct party_loop *loop;
    struct shard_env env;
    struct front_settings settings; /* strings owned */
    unsigned index;
    int64_t began_ns;

    struct session **slots; /* by the low bits of a session's id */
    int64_t *tick_due_ns;   /* by the same: when its on_tick is to be called, INT64_MAX: never */
    uint32_t slot_cap;
    uint32_t *free_slots;
    uint32_t free_count;
    uint32_t serial, stride; /* of the next session; to the one after it */
    size_t session_count;
    _Atomic unsigned unregistered; /* of them, as shard_unregistered says */
    size_t door_count;
    struct door *doors;
    bool draining;

    struct room_view **rooms; /* hash by id */
    uint32_t room_bucket_count;
    uint32_t room_count;
    struct room_view **dirty;
    uint32_t dirty_count, dirty_cap;
    struct party_buf *spare[SPARE_BUFS];
    uint32_t spare_count;
    uint32_t mark;

    struct command *first, *last; /* commands of this turn */
    unsigned command_count;
    struct party_task submit_task;
    bool submit_queued;
    struct party_task tidy_task;
    bool tidy_queued;

    uint64_t *stalled; /* sessions to resume when the hub has caught up */
    size_t stalled_count, stalled_cap;
    struct party_timer stalled_timer; /* looks again when no batch comes */
    struct party_timer tick_timer;    /* runs while there is a session that wants it */
    int64_t next_tick_ns;             /* when it ends */

    struct text_out scratch;
    int64_t time_s; /* what time_text says */
    char time_text[32];
};

/* ---- rooms.c ---- */

/** Puts the session into the room's group for its encoding; the room view is made when missing. */
void room_add(struct shard *shard, uint32_t room_id, const char *name, size_t name_len,
              struct session *session);
/** Takes it out; frees what is empty. Being in no such room is accepted. */
void room_remove(struct shard *shard, uint32_t room_id, struct session *session);
void room_remove_all(struct session *session);
/** Whether the session is in the room. */
bool room_has(struct session *session, uint32_t room_id);
struct room_view *room_find(const struct shard *shard, uint32_t room_id);

/** Encodes the event for every group of the room and adds it to what the members get, but for the
 * session `except` (NULL: for all). */
void room_tell(struct shard *shard, struct room_view *room, const struct event *event,
               struct session *except);
/** The room has another name. */
void room_rename(struct room_view *room, const char *name, size_t name_len);
/** The same at once for all members but one, and, with mark, for those not marked yet. */
void room_tell_others(struct shard *shard, struct room_view *room, const struct event *event,
                      const struct session *except, uint32_t mark);
/** Gives the members what was added since the last time. */
void room_flush(struct room_view *room);
void session_flush_rooms(struct session *session);
void rooms_flush_all(struct shard *shard);
void rooms_finish(struct shard *shard);

/* ---- shard.c ---- */

/** The session's stream waits until the hub has caught up. */
void shard_stall(struct shard *shard, struct session *session);
/** The session's on_tick is called with the next tick and then whenever it asks to be. */
void session_want_ticks(struct session *session);

/* ---- sessions.c ---- */

struct session *shard_session(const struct shard *shard, uint64_t id);
/** The session's place in what the shard keeps by slot. */
uint32_t session_slot(const struct session *session);

#endif
