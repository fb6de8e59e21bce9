/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_HUB_INTERNAL_H
#define CHAT_CORE_HUB_INTERNAL_H

#include <string.h>

#include "core/authority.h"
#include "core/guest.h"
#include "core/hub.h"
#include "core/label.h"
#include "core/table.h"

/*
 * What the hub's files share: its state, and how it is changed.
 *
 * There are three kinds of functions. member_ and room_ functions change the state and remember
 * nothing. journal_ functions do the same, and write down how to undo it: while a batch is applied
 * nothing else may change the state. apply_ functions hold the rules of one command each, change
 * the state through the journal and yield events.
 *
 * Nothing here depends on where an object lies in memory: what is walked is an array, and the
 * places in it come from the commands alone.
 */

/* One room a member is in. index: the member's place in the room's members. */
struct membership {
    struct room *room;
    uint32_t index;
    uint8_t ranks; /* RANK_ */
};

/* What a member may be in a room, and how it shows. A higher one can do what a lower one can. */
#define RANK_VOICE    1u /* v, '+' */
#define RANK_OPERATOR 2u /* o, '@' */

/* User modes. */
#define USER_INVISIBLE 1u /* i */
#define USER_OPERATOR  2u /* o: of the server */
#define USER_WALLOPS   4u /* w */
#define USER_BOT       8u /* B */

/* Modes of a room without parameter. */
#define ROOM_INVITE_ONLY 1u  /* i */
#define ROOM_MODERATED   2u  /* m */
#define ROOM_NO_OUTSIDE  4u  /* n */
#define ROOM_SECRET      8u  /* s */
#define ROOM_TOPIC_LOCK  16u /* t */
#define ROOM_NO_CTCP     32u /* C */

/* What hides a room from those who are not let in: what was said in it is sealed with it. */
#define ROOM_CLOSING (ROOM_INVITE_ONLY | ROOM_SECRET)

/* Of sealed_number: all there is so far, up to when the next member comes. */
#define SEAL_PENDING UINT64_MAX

/* A list of masks: masks.h. */
struct masks;

enum room_list { LIST_BANS, LIST_EXCEPTIONS, LIST_INVITE_EXCEPTIONS, LIST_COUNT };

/* An invitation holds for one life of a room: until nobody is in it. */
struct invite {
    uint32_t room_id;
    uint32_t life;
    bool is_strong; /* from one who could have lifted the ban or the limit */
};

/* Rooms a member was invited to, oldest first; replaced as a whole. NULL is none. */
struct invites {
    uint32_t count;
    struct invite items[];
};

/*
 * Most members are in one room: the first membership is part of the member. The order of
 * memberships is that of joining.
 */
struct member {
    uint64_t session;
    struct label *label;
    struct membership first;
    struct membership *more; /* all but the first; NULL when there are none */
    uint32_t room_count;
    uint32_t more_cap;
    uint32_t index; /* in the hub's members */
    uint8_t modes;  /* USER_ */
    bool is_secure;
    int64_t since_ms, spoke_ms;
    uint64_t identity; /* the author of its messages in the log; other for each session */
    char *source;      /* "user@host", the shown one */
    char *real_name;
    char *away;          /* NULL: here */
    char *operator_name; /* NULL unless USER_OPERATOR */
    struct invites *invites;
    struct watches *watches; /* MONITOR; NULL: none */
    char host[];             /* the real one, with its port */
};

struct topic {
    int64_t time_ms;
    uint32_t len, actor_len, source_len;
    char *actor;  /* who set it; in text, behind the topic's NUL */
    char *source; /* its "user@host", "" when it is not known; in text, behind actor's NUL */
    char text[];
};

/* The last messages of a room, oldest first from start on, around the end of items. */
struct recent {
    struct event **items;
    uint32_t cap, start, count;
    size_t bytes; /* of the events */
};

struct room {
    uint32_t id;
    uint32_t member_count, member_cap;
    bool is_lobby;
    bool recent_known; /* recent has all that the log has, as far as the limit goes */
    struct label *label;
    struct topic *topic; /* NULL: none */
    uint64_t last_seq;
    uint64_t sealed_seq;    /* history up to here is for nobody who comes now */
    uint64_t life_seq;      /* the last number when it was entered after it had been empty */
    uint64_t sealed_number; /* nor is what else has a lower number, or SEAL_PENDING */
    int64_t made_ms;        /* when it was made, or was entered after it had been empty */
    uint32_t life;          /* how often it was empty again */
    bool was_closed;        /* in this life it was invite-only, secret or had a key */
    uint32_t modes;         /* ROOM_ */
    uint32_t limit;         /* l; 0: none */
    char *key;              /* k; NULL: none */
    struct masks *lists[LIST_COUNT];
    struct member **members;
    struct recent recent;
};

/* The last users who left, oldest first from start on, around the end of items: whowas.h. */
struct whowas {
    struct past **items; /* NULL until the first one leaves */
    uint32_t cap, start, count;
};

enum change_type {
    CHANGE_MEMBER_ADD,
    CHANGE_MEMBER_REMOVE,
    CHANGE_RENAME,
    CHANGE_ROOM_ADD,
    CHANGE_ROOM_REMOVE,
    CHANGE_JOIN,
    CHANGE_LEAVE,
    CHANGE_RANKS,
    CHANGE_RENAME_ROOM,
    CHANGE_TOPIC,
    CHANGE_STORE,
    CHANGE_FORGET,
    CHANGE_REDACT,
    CHANGE_WATCH_ADD,
    CHANGE_WATCH_REMOVE,
    CHANGE_WATCH,
    CHANGE_UNWATCH,
    CHANGE_BYTES,
    CHANGE_POINTER,
};

/* One change that was made, with what its inverse needs. */
struct change {
    enum change_type type;
    uint32_t member_at; /* CHANGE_MEMBER_REMOVE: place in the hub; CHANGE_LEAVE: in the room;
                           CHANGE_REDACT: of the message in recent; CHANGE_UNWATCH: among the
                           watchers */
    uint32_t room_at;   /* CHANGE_LEAVE: place in the member's memberships */
    uint32_t watch_at;  /* CHANGE_UNWATCH: place in what the member watches */
    bool pushed;        /* CHANGE_STORE: the event is in recent */
    uint8_t ranks;      /* CHANGE_LEAVE, CHANGE_RANKS */
    uint8_t byte_count; /* CHANGE_BYTES */
    struct member *member;
    struct room *room;
    union {
        struct label *old_label; /* CHANGE_RENAME, CHANGE_RENAME_ROOM */
        struct topic *old_topic; /* CHANGE_TOPIC; may be NULL */
        struct watch *watch;     /* CHANGE_WATCH_ADD to CHANGE_UNWATCH */
        struct event *evicted;   /* CHANGE_STORE: left recent for the new one; may be NULL.
                                    CHANGE_FORGET: made space for
                                    it. CHANGE_REDACT: as it was */
        struct {                 /* CHANGE_BYTES */
            void *bytes_at;
            uint64_t old_bytes;
        };
        struct { /* CHANGE_POINTER */
            void **pointer_at;
            void *old_pointer;
            void (*destroy)(void *pointer);
        };
    };
};

struct journal {
    struct change *changes;
    size_t count, cap;
    /* The state's plain numbers as they were at hub_begin. */
    uint64_t next_room_id;
    int64_t last_time_ms;
};

struct hub {
    struct hub_limits limits; /* none is 0 but recent, where 0 is none */
    uint64_t hash_seed, identity_seed;
    char *server_name;
    size_t server_name_len;
    struct label *server_label;    /* no user may be called so; NULL: none could */
    struct label **service_labels; /* nor so: services of other servers; NULL at the end */
    struct label *you_label;       /* nor so: private lines say "you" for the reader */
    struct label *lobby_label;
    struct room *lobby; /* NULL until the first member enters */

    struct member **members;
    uint32_t member_count, member_cap;
    struct table by_session;
    struct table by_name;
    struct guest_set guests;
    uint32_t invisible_count, operator_count; /* of members */
    uint32_t member_most;                     /* at one time, since the start */
    struct table by_alike; /* those without label_has_own_skeleton, by the skeleton; several may
                              have one */
    struct table by_watch; /* of struct watch, by the folded name */
    struct whowas whowas;

    struct room **rooms; /* by rising id */
    uint32_t room_count, room_cap;
    uint32_t live_room_count; /* of rooms: those with members */
    struct table by_room_name;
    struct table by_room_alike;
    uint64_t next_room_id; /* beyond UINT32_MAX: there are no more */
    int64_t last_time_ms;
    uint64_t unstored; /* messages so far that are not stored: their serial number */

    bool in_batch;
    struct journal journal;
    char *log_fault; /* NULL: none */
};

/* ---- member.c ---- */

/** Owns: the label goes to the member. */
struct member *member_create(uint64_t session, struct label *label, const char *host,
                             size_t host_len);
void member_destroy(struct member *member);
struct member *member_by_session(const struct hub *hub, uint64_t session);
struct member *member_by_key(const struct hub *hub, const struct label_key *key);
/** The member a user's bytes name; NULL also when they cannot be a name. */
struct member *member_by_name(const struct hub *hub, const char *name, size_t len);
/** A member, but not this one (which may be NULL), whose name looks like the label's, or is the
 * last one that may have the same skeleton. */
struct member *member_alike(const struct hub *hub, const struct label *label,
                            const struct member *except);
/** Puts the member in place `at` of the hub's members, whose member moves to the end; and back. */
void member_insert(struct hub *hub, struct member *member, uint32_t at);
void member_extract(struct hub *hub, struct member *member);
/** Gives the member another label and returns the one it had. */
struct label *member_relabel(struct hub *hub, struct member *member, struct label *label);
struct membership *member_room(const struct member *member, uint32_t at);
/** The membership of a room and its place in ret_at (may be NULL); NULL when not in it. */
struct membership *member_find_room(const struct member *member, const struct room *room,
                                    uint32_t *ret_at);
/** Puts both together: the member at member_at in the room, the room at room_at in the member. */
void member_join(struct member *member, struct room *room, uint32_t member_at, uint32_t room_at);
void member_leave(struct member *member, uint32_t room_at);
uint32_t member_hash_session(const void *member);
uint32_t member_hash_name(const void *member);
uint32_t member_hash_alike(const void *member);

/* ---- room.c ---- */

/** Owns: the label goes to the room. */
struct room *room_create(uint32_t id, struct label *label);
void room_destroy(struct room *room);
struct room *room_by_key(const struct hub *hub, const struct label_key *key);
/** The room a user's bytes name; NULL also when they cannot be a name. */
struct room *room_by_name(const struct hub *hub, const char *name, size_t len);
struct room *room_by_id(const struct hub *hub, uint32_t id);
/** A room, but not this one (which may be NULL), whose name looks like the label's, or is the last
 * one that may have the same skeleton. */
struct room *room_alike(const struct hub *hub, const struct label *label,
                        const struct room *except);
/** Puts the room in its place among the hub's rooms, and takes it out. */
void room_insert(struct hub *hub, struct room *room);
void room_extract(struct hub *hub, struct room *room);
/** Gives the room another label and returns the one it had. */
struct label *room_relabel(struct hub *hub, struct room *room, struct label *label);
/** A room nobody is in and of which nothing may be told. */
bool room_is_hidden(const struct room *room);
/** A room nobody is in and that nothing is stored of. */
bool room_is_forgettable(const struct room *room);
/** Of text, actor, source and time_ms. */
struct topic *topic_create(const struct event_parts *parts);
uint32_t room_hash_name(const void *room);
uint32_t room_hash_alike(const void *room);

/* ---- claim.c ---- */

/** Whether no user may be called so. */
bool claim_is_reserved(const struct hub *hub, const struct label_key *key);
/** Whether a name that is free looks like one that is not; self may look like itself. */
bool claim_is_alike(const struct hub *hub, const struct label *label, const struct member *self);
/** The same for a room. */
bool claim_is_room_alike(const struct hub *hub, const struct label *label, const struct room *self);

/* ---- recent.c ---- */

/** Drops all. */
void recent_finish(struct recent *recent);
struct event *recent_at(const struct recent *recent, uint32_t at);
/** Takes over the event and returns the oldest, owned by the caller, when there were max already.
 */
struct event *recent_push(struct recent *recent, struct event *event, uint32_t max);
/** Drops the newest and puts evicted (or nothing, when NULL) back before the oldest. */
void recent_unpush(struct recent *recent, struct event *evicted);
/** Puts the event in the place of another and returns that one. */
struct event *recent_swap(struct recent *recent, uint32_t at, struct event *event);
/** Takes over the event as the oldest. */
void recent_prepend(struct recent *recent, struct event *event);
/** Takes out the oldest; there is one. */
struct event *recent_take_oldest(struct recent *recent);
/** Drops the oldest until max are left. */
void recent_trim(struct recent *recent, uint32_t max);
/** Whether one more event lets all of them stay within what max events may take. */
bool recent_has_space(const struct recent *recent, const struct event *event, uint32_t max);
/** The event, or a copy without the tags, which are for those who are there: a new reference. */
struct event *recent_form(struct event *event);

/* ---- journal.c ---- */

void journal_add_member(struct hub *hub, struct member *member);
/** The member is in no room. It is freed when the batch is kept. */
void journal_remove_member(struct hub *hub, struct member *member);
void journal_rename(struct hub *hub, struct member *member, struct label *label);
void journal_add_room(struct hub *hub, struct room *room);
void journal_join(struct hub *hub, struct member *member, struct room *room);
/** Removes the room as well when nothing is left of it: it is not to be used afterwards, though its
 * memory stays until the batch ends. */
void journal_leave(struct hub *hub, struct member *member, uint32_t room_at);
/** The member is in the room. */
void journal_ranks(struct hub *hub, struct member *member, struct room *room, uint8_t ranks);
void journal_rename_room(struct hub *hub, struct room *room, struct label *label);
/** Owns: the topic goes to the room; NULL clears it. */
void journal_topic(struct hub *hub, struct room *room, struct topic *topic);
/** The room's next number is used by this event, which becomes one of the room's last. */
void journal_store(struct hub *hub, struct room *room, struct event *event);
/** Takes over an event that stands for the one at this place of the room's last messages. */
void journal_redact(struct hub *hub, struct room *room, uint32_t at, struct event *event);
void journal_add_watch(struct hub *hub, struct watch *watch);
/** The member does not watch it yet. */
void journal_watch(struct hub *hub, struct member *member, struct watch *watch);
/** Removes the watch as well when it was the last watcher: it is not to be used afterwards. */
void journal_unwatch(struct hub *hub, struct member *member, uint32_t watching_at);
/** Before a plain field of at most 8 bytes changes; it lies in a member, a room or the hub. */
void journal_save(struct hub *hub, void *field, size_t len);
/** Puts a new owned pointer (NULL too) in the place of another, which is destroyed when the batch
 * is kept; the new one when it is undone. Either may be NULL. */
void journal_replace(struct hub *hub, void **field, void *pointer, void (*destroy)(void *pointer));

#endif
