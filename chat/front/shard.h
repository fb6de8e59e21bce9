/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_SHARD_H
#define CHAT_FRONT_SHARD_H

#include <stdbool.h>
#include <stdint.h>

#include <partyline/address.h>
#include <partyline/loop.h>
#include <partyline/stream.h>

#include "core/command.h"
#include "front/batch.h"
#include "front/password_query.h"
#include "front/query.h"

/*
 * A shard: one loop's sessions and its view of the rooms they are in. It takes commands from the
 * sessions' fronts to the hub and events from the hub to the sessions: each event is encoded once
 * per encoding in use in its room here, and each member gets a span of that.
 *
 * Threads: its loop's; the functions that end in _later may be called from any.
 */
struct shard;

/* What the fronts need to know of the configuration. Copied by whoever keeps it. */
struct front_settings {
    const char *server_name;
    const char *network;
    const char *description; /* of the server, one line; "" for none */
    const char *lobby;
    const char *motd; /* lines by newline; "" for none */
    uint32_t line_max_bytes;
    uint32_t nick_max, room_max, topic_max, kick_max, away_max; /* bytes */
    uint32_t rooms_per_member;                                  /* 0: no limit */
    uint32_t monitor_max;                      /* names one may watch; 0: no limit */
    uint32_t multiline_bytes, multiline_lines; /* of one message in several lines */
    bool history_enabled;                      /* whether users may ask for history */
    uint32_t history_default;                  /* lines of a plain /history */
    uint32_t history_max;
    uint32_t chathistory_max; /* messages per CHATHISTORY */
    bool persist_tags;        /* whether a TAGMSG is ever kept for its client-only tags */
    /* The tags that make a TAGMSG be kept, by newline, each with its '+'; "": any but +typing. */
    const char *persist_tag_list;
    bool asks_password;      /* a connection must give the password of PASSWORD_CONNECTION */
    uint32_t ping_s;         /* silence before PING is sent; 0: never */
    uint32_t pong_s;         /* time to answer it; 0: for ever */
    uint32_t registration_s; /* time to be registered in; 0: for ever */
    uint32_t announce_max;   /* joins and leaves are told in rooms of at most so many; 0: all */
    uint32_t flood_burst;    /* lines at once; 0: no flood control */
    double flood_rate;       /* lines a second beyond that */
    uint32_t sniff_wait_ms;  /* how long the front door waits for the first byte */
    struct party_stream_limits stream;
    const char *version; /* of the program */
    const char *started; /* when the server was started, for people */
};

/* Enough for every host name that `cloak` writes, with its NUL. */
#define SHARD_CLOAK_MAX 64

/* What a shard needs from the server around it; all may be called from the shard's thread only. */
struct shard_env {
    /** Hands a chain of commands (linked by next, oldest first) to the hub, which owns them now. */
    void (*submit)(struct command *first, struct command *last, unsigned count, void *user);
    /** Whether so much waits at the hub that reading should pause. */
    bool (*is_backlogged)(void *user);
    /** Hands a query to a reader, which owns it until shard_answer_later. False: too many wait. */
    bool (*ask)(struct query *query, struct shard *shard, void *user);
    /**
     * Hands a password to who checks it, who owns the query until shard_password_later. False: too
     * many wait. What session_check_password calls.
     */
    bool (*check_password)(struct password_query *query, struct shard *shard, void *user);
    /** Writes the host name that people are shown for the peer; cap is SHARD_CLOAK_MAX or more. */
    void (*cloak)(const struct party_address *peer, char *ret, size_t cap, void *user);
    /** Sessions of all shards that have yet to register: the sum of shard_unregistered. */
    unsigned (*unregistered)(void *user);
    /** A connection that was admitted has ended. */
    void (*released)(const struct party_address *peer, void *user);
    /** An operator's word that is no affair of the hub: writes the answer, or returns false. */
    bool (*operate)(const char *word, char *ret_text, size_t cap, void *user);
    /** Whether a line of this level would be written. */
    bool (*is_logged)(enum party_log_level level, void *user);
    /** One line for the server's log; connection is a session's number, or 0. */
    void (*log)(enum party_log_level level, uint64_t connection, const char *text, void *user);
    void *user;
};

/* Which front a listener leads to. */
enum shard_entry {
    ENTRY_ANY,  /* told apart by the first bytes */
    ENTRY_LINE, /* the line front */
    ENTRY_IRC,  /* the IRC front */
    ENTRY_CTL,  /* the operator's console: whoever comes this way is an operator */
};

/**
 * Creates the shard number `index` of `count` (at most 256) on the loop. The sessions of all of
 * them have numbers of their own. Never NULL.
 */
struct shard *shard_create(struct party_loop *loop, unsigned index, unsigned count,
                           const struct front_settings *settings, const struct shard_env *env);

/** Frees the shard. All its sessions are closed and the loop has freed their streams. */
void shard_destroy(struct shard *shard);

/**
 * Takes a connection that was accepted and, unless it is the operator's, admitted by the guard.
 * Owns: fd, also when it is refused for want of memory.
 */
void shard_accept(struct shard *shard, int fd, const struct party_address *peer,
                  enum shard_entry entry);

/** Takes over new settings for everything that begins from now on; limits of streams for all. */
void shard_set_settings(struct shard *shard, const struct front_settings *settings);

/** Has a batch delivered in the shard's thread. Owns: one reference. Threads: any. */
void shard_deliver_later(struct shard *shard, struct batch *batch);

/** Has an answered query brought to its session, in the shard's thread. Owns: it. Threads: any. */
void shard_answer_later(struct shard *shard, struct query *query);

/** Has a checked password brought to its session, in the shard's thread. Owns: it. Threads: any. */
void shard_password_later(struct shard *shard, struct password_query *query);

/** Tells every session the server is going, finishes it and takes no new ones. */
void shard_drain(struct shard *shard, const char *reason);

/** Closes what is still open. */
void shard_close_all(struct shard *shard);

/** Sessions and undecided connections that are open. */
size_t shard_connections(const struct shard *shard);
/** Whether all that was written to all connections has reached their peers' systems. */
bool shard_is_flushed(const struct shard *shard);

/** Sessions here whose protocol knows registration and which have yet to be done with it. Threads:
 * any. */
unsigned shard_unregistered(const struct shard *shard);

struct party_loop *shard_loop(const struct shard *shard);

#endif
