/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_SESSION_H
#define CHAT_FRONT_SESSION_H

#include "front/shard.h"

/*
 * Inside chat/front: a session, what every front has in common, and what a front is.
 *
 * A session lives from the moment its front is known until its stream is gone. The hub knows it by
 * its id from COMMAND_ENTER to EVENT_GOODBYE; events for an id that is gone are dropped, so the two
 * need not end together.
 */

struct session;
struct room_view;
struct room_group;

/* Text being put together; grows. Zeroed it is empty. */
struct text_out {
    char *data;
    size_t len, cap;
};

void text_out_add(struct text_out *out, const char *bytes, size_t len);
void text_out_adds(struct text_out *out, const char *string);
void text_out_addf(struct text_out *out, const char *format, ...) PARTY_PRINTF(2, 3);
void text_out_finish(struct text_out *out);

/* One protocol. */
struct front {
    const char *name;
    size_t session_size; /* of the front's own struct, which begins with struct session */
    void (*on_open)(struct session *session);
    size_t (*on_data)(struct session *session, const uint8_t *data, size_t len);
    void (*on_end)(struct session *session);
    void (*on_cut)(struct session *session, int reason);
    /** An event for this session alone (AUDIENCE_SESSION), or EVENT_RENAMED of its own. */
    void (*on_event)(struct session *session, const struct event *event);
    void (*on_answer)(struct session *session, const struct query *query);
    /** What became of session_check_password; NULL when the front never asks. */
    void (*on_password)(struct session *session, const struct password_query *query);
    /** Writes what a member of the room sees of the event; nothing when it is not shown. */
    void (*encode)(struct shard *shard, const struct event *event, uint16_t encoding,
                   struct text_out *out);
    /**
     * An event of a room that this session is the actor of. Returns: true when it has been given
     * its own view of it, or is not to see it. NULL: it sees what the others see.
     */
    bool (*on_own)(struct session *session, const struct event *event);
    /**
     * A room this session is in has another name (EVENT_ROOM_RENAMED); what the room's members see
     * of it was given. NULL: that is all.
     */
    void (*on_room_renamed)(struct session *session, const struct event *event);
    /**
     * Time has passed; asked for by session_want_ticks. Returns when it is to be called again, on
     * the loop's clock; a time that is past: with the next tick, a second or so from now;
     * INT64_MAX: never.
     */
    int64_t (*on_tick)(struct session *session, int64_t now_ns);
    /** Says that the server is going; the session is finished after it. */
    void (*on_drain)(struct session *session, const char *reason);
    void (*finish)(struct session *session); /* frees what is the front's own */
};

/* A session's place in one room of the shard. */
struct membership {
    struct room_group *group; /* NULL: the slot is free */
    uint32_t index;           /* place among the group's members */
};

/* Where a session comes from, small: a v4 or v6 address and port; unix has none. */
struct origin {
    uint8_t ip[16];
    uint16_t port;
    uint8_t family; /* 4, 6, or 0 for unix */
};

struct session {
    const struct front *front;
    struct shard *shard;
    struct party_stream *stream; /* never NULL while the session lives */
    uint64_t id;
    struct membership one;          /* the usual single room */
    struct membership *memberships; /* &one, or a heap block */
    uint32_t membership_cap;
    uint32_t mark;             /* the last event of several rooms it was given: each once */
    struct party_timer *timer; /* NULL unless the front waits for a time */
    int64_t flood_ns;          /* when the bucket of allowed lines is full again: flood.h */
    struct query *query;       /* the one that is out; NULL when none is */
    struct password_query *password_query; /* likewise */
    struct origin origin;
    uint16_t encoding;
    bool entered;  /* the hub was told of it */
    bool gone;     /* EVENT_GOODBYE came, or the session never entered */
    bool admitted; /* counted by the server's guard */
    bool stalled;  /* paused because the hub has a backlog */
};

/* ---- for fronts ---- */

/** Begins a session of the front on the stream, which becomes its own; on_open is called. */
struct session *session_begin(struct shard *shard, const struct front *front,
                              struct party_stream *stream, const struct origin *origin,
                              bool admitted);

/** Sends a command of this session to the hub, at the end of the loop's turn. */
struct command *session_submit(struct session *session, enum command_type type, const char *target,
                               size_t target_len, const char *text, size_t text_len);
/** The same with all that a command can have; session and authority are filled in. */
struct command *session_submit_parts(struct session *session, const struct command_parts *parts);

/** From now on the session gets its rooms' events in this encoding. */
void session_set_encoding(struct session *session, uint16_t encoding);

/** Asks the log. False, and the query is destroyed, when too many ask already. */
bool session_ask(struct session *session, struct query *query);

/**
 * Has a password checked; on_password comes later, unless the session ends before. False, and the
 * query is destroyed, when one of this session is out already or too many wait.
 */
bool session_check_password(struct session *session, struct password_query *query);

/** The host name people are shown for the session; ret takes SHARD_CLOAK_MAX bytes. */
void session_cloak(const struct session *session, char *ret, size_t cap);

/** One line for the server's log about this session. */
void session_log(const struct session *session, enum party_log_level level, const char *format, ...)
    PARTY_PRINTF(3, 4);

/** The number of a session by its id, as operators and the log see it. */
uint64_t session_number(uint64_t id);

void session_write(struct session *session, const char *bytes, size_t len);

/** How long an answer may be: half of what the peer's queue still has room for. */
size_t session_answer_max(const struct session *session);

/** The room the session is in, for fronts with one at a time; NULL when in none. */
const struct room_view *session_room(const struct session *session);

/** The peer as text, "127.0.0.1:4711", "[::1]:4711" or "unix"; returns text. */
char *origin_format(const struct origin *origin, char *text, size_t cap);
struct origin origin_of(const struct party_address *peer);
void origin_address(const struct origin *origin, struct party_address *ret_address);

/** Wall clock time of an event as the server's local time, "2026-11-20 12:31:07"; cached. */
const char *shard_local_time(struct shard *shard, int64_t time_ms);

const struct front_settings *shard_settings(const struct shard *shard);

extern const struct front line_front;
extern const struct front irc_front;
extern const struct front ctl_front;

#endif
