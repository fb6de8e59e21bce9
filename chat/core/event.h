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
    EVENT_WELCOME,    /* the session has a name: actor, source */
    EVENT_ENTERED,    /* it is now in room: text is the topic, target who set it (extra: its
                         "user@host", "" when not known) and peer when (ms),
                         count the members (itself counted), recent the last messages, seq the
                         room's last number, value the first seq it may read of the history,
                         peer_identity    the first number of what else was kept (0: all of it);    flags:
                         EVENT_FLAG_NEW when the room was empty before */
    EVENT_GONE_FROM,  /* it is no longer in room; text: the reason; code: enum gone_code; actor:
                         itself, with GONE_REMOVED who put it out, and it is target then */
    EVENT_GOODBYE,    /* the session ended: text is the reason; no event for it follows; code: enum
                         goodbye_code; target: who did it, if it was another; extra: of
                         GOODBYE_KILLED the bare reason */
    EVENT_PRIVATE_TO, /* a private message from actor to target, for the receiver; kind. durable
                         unless it is of MESSAGE_TAGS without COMMAND_FLAG_KEEP */
    EVENT_PRIVATE_OF, /* the same one, for who sent it; carries the same number. not durable itself.
                         extra: why the receiver is away, "" when it is not */
    EVENT_ERROR, /* what was asked is refused: code, asked, kind, and text is what it was about */
    EVENT_REPLY_TOPIC,   /* text: the topic, actor: who set it ("" without topic), source: its
                            "user@host" ("" when that is not known), time_ms: when */
    EVENT_REPLY_WHO,     /* text: names, one a line; room; count */
    EVENT_REPLY_ROOMS,   /* text: NAME TAB MEMBERS TAB TOPIC, one a line; count */
    EVENT_REPLY_CLIENTS, /* text: SESSION TAB NAME TAB HOST TAB ROOMS (by comma), one a line; count
                          */
    EVENT_REPLY_DONE,    /* a command that has nothing more to say was carried out; asked: which;
                            also to the console when a room was told */
    EVENT_ECHO,          /* COMMAND_ECHO: its text */
    /* to a room */
    EVENT_JOINED,  /* actor came; count: members now; extra: its real name; text: why it is away, ""
                    when it  is not */
    EVENT_LEFT,    /* actor left the room, not the server; text: the reason; count: members left */
    EVENT_MESSAGE, /* actor said text. durable. value: 0, or '@' or '+': for members of that rank,
                      told to each of them by itself (AUDIENCE_SESSION, peer: the actor's session,
                      also to the actor with EVENT_FLAG_OWN) and not durable: count is then the
                      number of messages that were not stored since the start, this one counted.
                      Who speaks from outside the room is told so as well */
    EVENT_ACTION,  /* actor did text (/me). durable; value as above */
    EVENT_NOTICE,  /* actor, the server when session is 0, says text. durable; value as above */
    EVENT_TOPIC,   /* actor made text the topic. durable */
    /* to several rooms */
    EVENT_QUIT,    /* actor is gone from the server; text: the reason; count: members of the largest
                      of the rooms, before */
    EVENT_RENAMED, /* actor is now called target; the session itself is told too, by this event: a
                      front delivers it to `session` even when rooms is empty */
    /* rooms, the rest. To the room, the actor too; to an actor outside the room (an operator of the
     * server) by itself, with EVENT_FLAG_OWN, as also EVENT_TOPIC: */
    EVENT_TAGS,         /* MESSAGE_TAGS: tags alone; durable with COMMAND_FLAG_KEEP,
                           else count as above; value as above */
    EVENT_MODE,         /* actor changed modes: extra, changes as command.h has them; of a key that
                           is taken away the parameter is "*". count: changes. durable */
    EVENT_REMOVED,      /* actor put target (peer: its session) out of the room; text: the reason.
                           durable. EVENT_GONE_FROM for target follows, GONE_REMOVED with the same
                           text */
    EVENT_ROOM_RENAMED, /* room, its old name, is now called target; text: the reason. durable */
    EVENT_REDACTED,     /* actor took back the message whose number is `value`; text: the reason;
                           durable. Of private messages: one for each of both sessions that is
                           here, target is the other one; durable is the first of them, both carry
                           its number. Later a redacted message has neither text nor tags */
    /* several rooms, the actor itself too as with EVENT_RENAMED; for those who watch actor and
     * share no room with it one by one (AUDIENCE_SESSION, EVENT_FLAG_WATCHED) */
    EVENT_AWAY,    /* actor is away, text: why, or back: "" */
    EVENT_SETNAME, /* text: actor's real name */
    /* to one session */
    EVENT_INVITED,   /* actor invites target to room; also, with EVENT_FLAG_WATCHED, for those in
                        the room who could have done it: one by one, or the room as a whole, the
                        actor too. peer: the actor's session */
    EVENT_INVITING,  /* actor's own invitation of target to room went out; extra: why target is
                        away */
    EVENT_WALLOPS,   /* actor says text to all who listen */
    EVENT_OPERED,    /* the session is an operator */
    EVENT_USER_MODE, /* target's modes changed: extra, changes */
    EVENT_ONLINE,    /* MONITOR: extra, records: name, user, host; EVENT_FLAG_OWN: as the answer */
    EVENT_OFFLINE,   /* MONITOR: extra, records: name; flags likewise */
    /* answers; extra is records whose fields are named here, count says how many */
    EVENT_REPLY_NAMES, /* room; target as it was asked for. prefixes ("@+", all it has), name, user,
                          host. flags: EVENT_FLAG_SECRET for a secret room; count 0 also for no such
                          room */
    EVENT_REPLY_LIST,  /* room, members, topic, made (s), topic set (s; 0: never) */
    EVENT_REPLY_MODE,  /* room: one record: letters with '+', parameters by space, made (s) */
    EVENT_REPLY_MASKS, /* room; value: the letter b, e or I. mask, who set it, when (s) */
    EVENT_REPLY_USER_MODE, /* text: letters with '+' */
    EVENT_REPLY_INVITES,   /* room */
    EVENT_REPLY_WHOX, /* target: what was asked for. room or "*", user, shown host, real host or "",
                         name, state letters (H or G, then * for operators, B for bots, the room's
                         prefixes), account, idle seconds, real name */
    EVENT_REPLY_WHOIS,  /* one record: name, user, shown host, real name, real host ("" when not to
                           be  seen), idle seconds, signed on (s), account, away ("" when not),
                           letters of  user modes, "1" when secure, who it is as operator; then a
                           record for each  room to be seen: prefixes, room */
    EVENT_REPLY_WHOWAS, /* target. name, user, shown host, real name, when it left (s) */
    EVENT_REPLY_USERHOST, /* name, "*" or "", "-" or "+" when away or not, user, host */
    EVENT_REPLY_ISON,     /* name */
    EVENT_REPLY_MONITOR,  /* value: 'L' with name, or 'S' with name, user, host; user is "" when
                             offline */
    EVENT_REPLY_LUSERS,   /* one record: users, invisible ones, operators, rooms with members, most
                             users ever */
    EVENT_SEALED, /* durable, for the log alone (AUDIENCE_SESSION, session 0): the messages of
                     room_id up to seq `value` are for nobody who comes later. EVENT_SEALED_ALL:
                     the room was closed just now and what is said from now on is sealed, too, until
                     the next one, which comes when nobody is in it any more; with that one the
                     room's topic goes */
    EVENT_TYPE_COUNT,
};

enum gone_code { GONE_LEFT, GONE_REMOVED, GONE_MOVED };
enum goodbye_code { GOODBYE_QUIT, GOODBYE_KICKED, GOODBYE_KILLED };

#define EVENT_SEALED_ALL   UINT64_C(0x7fffffffffffffff)

#define EVENT_FLAG_BOT     1u /* actor has marked itself as a bot */
#define EVENT_FLAG_OWN     2u /* for who did it */
#define EVENT_FLAG_WATCHED 4u /* for who only watches */
#define EVENT_FLAG_SECRET  8u
#define EVENT_FLAG_NEW     16u

enum event_audience { AUDIENCE_SESSION, AUDIENCE_ROOM, AUDIENCE_ROOMS };

/* Why a command was refused. Texts for people are the front's. */
enum event_error {
    ERROR_NAME_TAKEN = 1, /* text: the name */
    ERROR_NAME_BAD,       /* text: the name */
    ERROR_NAME_LONG,      /* text: the name; count: the limit in bytes */
    ERROR_ROOM_BAD,       /* text: the room */
    ERROR_ROOM_LONG,      /* text: the room; count: the limit in bytes */
    ERROR_ROOMS_FULL,     /* text: the room; count: the limit */
    ERROR_NO_SUCH_ROOM,   /* text: the room */
    ERROR_NO_SUCH_NAME,   /* text: the name */
    ERROR_NOT_IN_ROOM,    /* text: the room; "" when in none */
    ERROR_IN_ROOM,        /* text: the room: already there */
    ERROR_WHICH_ROOM,     /* a room must be named: the session is in several */
    ERROR_TOO_MANY_ROOMS, /* text: the room; count: the limit */
    ERROR_TEXT_EMPTY,
    ERROR_TEXT_LONG,  /* count: the limit in bytes */
    ERROR_TOPIC_LONG, /* count: the limit in bytes */
    ERROR_NOT_STORED, /* the log could not store it; text: why. Nobody saw it. */
    ERROR_DENIED,     /* not for users */
    ERROR_NAME_ALIKE, /* it looks like a name that is taken; text: the name */
    ERROR_NOT_RANKED, /* room; needs a rank in it: text is the room */
    ERROR_KEY,        /* room: its key is another; text: the room, as in all that follow */
    ERROR_BANNED,
    ERROR_INVITE_ONLY,
    ERROR_ROOM_FULL,
    ERROR_CANNOT_SEND, /* moderated, banned, from outside; text: the room; count: enum send_fault */
    ERROR_NOT_THERE,   /* extra (a user) is not in room text */
    ERROR_THERE,       /* extra (a user) is in room text already */
    ERROR_MODE_UNKNOWN, /* text: the letter; room: "" for user modes */
    ERROR_MODE_PARAM,   /* text: the letter; it needs a parameter */
    ERROR_MODE_BAD,     /* text: the letter; extra: the parameter, which will not do */
    ERROR_LIST_FULL,    /* text: the letter; extra: the mask; count: the limit */
    ERROR_NOT_SELF,     /* modes of another user */
    ERROR_MONITOR_FULL, /* count: the limit; extra: the names that were left, by comma */
    ERROR_KEY_SET,
    ERROR_ROOM_TAKEN, /* COMMAND_RENAME_ROOM: text: the new name */
    ERROR_RENAME_DENIED,
    ERROR_REDACT_DENIED, /* text: the target, which is the room, if it is one; count: the number */
    ERROR_REDACT_UNKNOWN,
    ERROR_CODE_COUNT,
};

/* Why nothing may be said to a room. */
enum send_fault { SEND_OUTSIDE, SEND_MODERATED, SEND_BANNED, SEND_MUTED, SEND_CTCP };

struct event {
    _Atomic uint32_t refs;
    uint8_t type;     /* enum event_type */
    uint8_t audience; /* enum event_audience */
    uint8_t code;     /* EVENT_ERROR: enum event_error */
    bool durable;     /* goes to the log before anyone sees it */
    uint8_t kind;     /* enum message_kind, of all that is a message */
    uint8_t flags;    /* EVENT_FLAG_ */
    uint8_t asked;    /* EVENT_ERROR, EVENT_REPLY_DONE: enum command_type */
    uint32_t room_id; /* 0 when no room is meant; stays the room's for ever */
    uint64_t session;
    uint64_t peer;   /* EVENT_PRIVATE_OF: the receiver's session; EVENT_PRIVATE_TO: the sender's */
    uint64_t number; /* place in the one order of all durable events, from 1; else 0 */
    uint64_t seq;    /* place in the room's own order, from 1 without gaps; 0 for all that is no
                        message or topic of a room */
    int64_t time_ms; /* since 1970 UTC; never less than that of the event before (but for
                        EVENT_REPLY_TOPIC) */
    uint64_t count;
    uint64_t value;         /* by type */
    uint64_t identity;      /* of the actor, for the log: see member.identity; 0: the server */
    uint64_t peer_identity; /* EVENT_PRIVATE_: the receiver's */
    /* Strings: never NULL, ended by a NUL their length does not count, inside the event's memory.
     */
    const char *room, *actor, *target, *text;
    const char *source;  /* the actor's "user@host"; "" for the server */
    const char *account; /* the actor's; "" for none */
    const char *tags;    /* client-only tags of a message, as on the wire, without '@' */
    const char *extra;   /* by type */
    uint32_t room_len, actor_len, target_len, text_len;
    uint32_t source_len, account_len, tags_len, extra_len;
    const uint32_t *rooms; /* AUDIENCE_ROOMS */
    uint32_t room_count;
    uint32_t recent_count;
    struct event **recent; /* EVENT_ENTERED: messages, oldest first, each with a reference */
};

/* What an event is made of; a NULL string is "". Lengths are of the strings without NUL. */
struct event_parts {
    enum event_type type;
    enum event_audience audience;
    uint8_t code, kind, flags, asked;
    bool durable;
    uint32_t room_id;
    uint64_t session, peer, number, seq, count, value, identity, peer_identity;
    int64_t time_ms;
    const char *room, *actor, *target, *text, *source, *account, *tags, *extra;
    size_t room_len, actor_len, target_len, text_len, source_len, account_len, tags_len, extra_len;
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

/** The bytes of memory an event takes, without what it refers to. */
size_t event_bytes(const struct event *event);

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
