/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_EVENT_H
#define CHAT_CORE_EVENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What happened. An event never changes once it is made and is counted by reference, so that every
 * loop can hold it at once.
 *
 * audience says who gets it:
 *   AUDIENCE_SESSION  the one session in `session`
 *   AUDIENCE_ROOM     the members of `room_id`
 *   AUDIENCE_ROOMS    the members of each room in `rooms`, each once
 *
 * `session` is the one who acted, or for AUDIENCE_SESSION the one who is told. Whether the actor is
 * shown an event of its own is the front's affair; EVENT_JOINED, EVENT_LEFT and EVENT_QUIT are not
 * meant for the actor, who gets EVENT_ENTERED, EVENT_GONE_FROM and EVENT_GOODBYE instead.
 */

enum event_type {
    /* to one session */
    EVENT_WELCOME,     /* the session has a name: actor */
    EVENT_ENTERED,     /* it is now in room: text is the topic, count the members (itself counted),
                          recent the last messages, seq the room's last number */
    EVENT_GONE_FROM,   /* it is no longer in room */
    EVENT_GOODBYE,     /* the session ended: text is the reason; no event for it follows */
    EVENT_PRIVATE_TO,  /* a private message from actor to target, for the receiver. durable */
    EVENT_PRIVATE_OF,  /* the same one, for who sent it; carries the same number. not durable itself
                        */
    EVENT_ERROR,       /* what was asked is refused: code, and text is what it was about */
    EVENT_REPLY_TOPIC, /* text: the topic, actor: who set it ("" without topic), time_ms: when */
    EVENT_REPLY_WHO,   /* text: names, one a line; room; count */
    EVENT_REPLY_ROOMS, /* text: NAME TAB MEMBERS TAB TOPIC, one a line; count */
    EVENT_REPLY_CLIENTS, /* text: SESSION TAB NAME TAB HOST TAB ROOMS (by comma), one a line; count
                          */
    EVENT_REPLY_DONE,    /* an operator's command that has nothing more to say was carried out */
    EVENT_ECHO,          /* COMMAND_ECHO: its text */
    /* to a room */
    EVENT_JOINED,  /* actor came; count: members now */
    EVENT_LEFT,    /* actor left the room, not the server; text: the reason; count: members left */
    EVENT_MESSAGE, /* actor said text. durable */
    EVENT_ACTION,  /* actor did text (/me). durable */
    EVENT_NOTICE,  /* the server (actor) says text. durable */
    EVENT_TOPIC,   /* actor made text the topic. durable */
    /* to several rooms */
    EVENT_QUIT,    /* actor is gone from the server; text: the reason; count: members of the largest
                      of the rooms, before */
    EVENT_RENAMED, /* actor is now called target; the session itself is told too, by this event: a
                      front delivers it to `session` even when rooms is empty */
};

enum event_audience { AUDIENCE_SESSION, AUDIENCE_ROOM, AUDIENCE_ROOMS };

/* Why a command was refused. Texts for people are the front's. */
enum event_error {
    ERROR_NAME_TAKEN = 1, /* text: the name */
    ERROR_NAME_BAD,       /* text: the name */
    ERROR_NAME_LONG,      /* text: the name; count: the limit in bytes */
    ERROR_ROOM_BAD,       /* text: the room */
    ERROR_ROOM_LONG,      /* text: the room; count: the limit in bytes */
    ERROR_ROOMS_FULL,     /* count: the limit */
    ERROR_NO_SUCH_ROOM,   /* text: the room */
    ERROR_NO_SUCH_NAME,   /* text: the name */
    ERROR_NOT_IN_ROOM,    /* text: the room; "" when in none */
    ERROR_IN_ROOM,        /* text: the room: already there */
    ERROR_WHICH_ROOM,     /* a room must be named: the session is in several */
    ERROR_TOO_MANY_ROOMS, /* count: the limit */
    ERROR_TEXT_EMPTY,
    ERROR_TEXT_LONG,  /* count: the limit in bytes */
    ERROR_TOPIC_LONG, /* count: the limit in bytes */
    ERROR_NOT_STORED, /* the log could not store it; text: why. Nobody saw it. */
    ERROR_DENIED,     /* not for users */
};

struct event {
    _Atomic uint32_t refs;
    uint8_t type;     /* enum event_type */
    uint8_t audience; /* enum event_audience */
    uint8_t code;     /* EVENT_ERROR: enum event_error */
    bool durable;     /* goes to the log before anyone sees it */
    uint32_t room_id; /* 0 when no room is meant; stays the room's for ever */
    uint64_t session;
    uint64_t peer;   /* EVENT_PRIVATE_OF: the receiver's session; EVENT_PRIVATE_TO: the sender's */
    uint64_t number; /* place in the one order of all durable events, from 1; else 0 */
    uint64_t seq;    /* place in the room's own order, from 1 without gaps; private messages: 0 */
    int64_t time_ms; /* since 1970 UTC; never less than that of the event before (but for
                        EVENT_REPLY_TOPIC) */
    uint64_t count;
    /* Strings: never NULL, ended by a NUL their length does not count, inside the event's memory.
     */
    const char *room, *actor, *target, *text;
    uint32_t room_len, actor_len, target_len, text_len;
    const uint32_t *rooms; /* AUDIENCE_ROOMS */
    uint32_t room_count;
    uint32_t recent_count;
    struct event **recent; /* EVENT_ENTERED: messages, oldest first, each with a reference */
};

/* What an event is made of; a NULL string is "". Lengths are of the strings without NUL. */
struct event_parts {
    enum event_type type;
    enum event_audience audience;
    uint8_t code;
    bool durable;
    uint32_t room_id;
    uint64_t session, peer, number, seq, count;
    int64_t time_ms;
    const char *room, *actor, *target, *text;
    size_t room_len, actor_len, target_len, text_len;
    const uint32_t *rooms;
    uint32_t room_count;
    struct event *const *recent; /* a reference is taken to each */
    uint32_t recent_count;
};

/** Makes an event with one reference, of copies. Returns: never NULL (xalloc). */
struct event *event_create(const struct event_parts *parts);

/** Takes one more reference and returns the same event. Threads: any. */
struct event *event_ref(struct event *event);

/** Drops a reference; the last one frees. NULL is accepted. Threads: any. */
void event_unref(struct event *event);

/* A growing list that owns a reference to each event in it. Zeroed it is empty. */
struct event_list {
    struct event **items;
    size_t count, cap;
};

/** Puts the event at the end; the caller's reference goes to the list. */
void event_list_take(struct event_list *list, struct event *event);
/** Drops the events from the place `count` on. */
void event_list_cut(struct event_list *list, size_t count);
/** Drops all events; the memory stays for the next use. */
void event_list_clear(struct event_list *list);
/** Drops all events and the memory. */
void event_list_finish(struct event_list *list);

#endif
