/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_CROWD_H
#define BIN_BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/loop.h>
#include <partyline/sock.h>

#include "bench.h"

/*
 * Many connections to one server: opens them, goes through the protocol's greeting with each, then
 * hands out the whole lines that arrive. It reads with one recv per event into one shared buffer
 * and keeps only unfinished lines per member, so that the load costs as little as it can.
 *
 * Threads: one loop, one thread. Callback: any of them may call crowd_fail; none may end the crowd.
 */
struct crowd;

enum crowd_state {
    CROWD_CLOSED,
    CROWD_CONNECTING,
    CROWD_GREETING, /* waits for the first "*** " line, or for 001 */
    CROWD_JOINING,  /* IRC: waits for the end of the list of names, 366 */
    CROWD_JOINED,
};

struct crowd_member {
    struct party_watch watch;
    struct party_sock *sock;
    struct crowd *crowd;
    int64_t opened_ns; /* when connect was called */
    int fd;
    uint32_t index;
    uint32_t held; /* bytes of an unfinished line */
    enum crowd_state state;
};

struct crowd_events {
    /** A member went through its greeting. NULL: not told. */
    void (*on_joined)(struct crowd_member *member, void *user);
    /** All members did; called once. */
    void (*on_all_joined)(struct crowd *crowd, void *user);
    /** Whole lines, each with its newline. NULL: all go to crowd_line. */
    void (*on_lines)(struct crowd_member *member, const char *from, const char *to, void *user);
    /** PARTY_WRITE was asked for on member->watch and came. NULL: never asked for. */
    void (*on_writable)(struct crowd_member *member, void *user);
};

struct crowd {
    const struct bench_options *options;
    const struct crowd_events *events;
    void *user;
    struct party_loop *loop;
    struct crowd_member *members;
    size_t count, opened, connecting, joined;
    char *held;      /* held_cap bytes for each member */
    size_t held_cap; /* bytes; of a longer unfinished line the end is kept */
    char *chunk;     /* held_cap bytes for a held piece, then what recv gets */
    struct party_task open_task;
    bool open_queued, failed;
    char nick_tail[4]; /* tells this run's IRC names from another's */
    char trouble[200]; /* the last line in which the server complained; "" if none */
};

/**
 * Makes a crowd of options->members. Raises the limit on open files as far as it must.
 * Returns: 0; -1 after a complaint.
 */
int crowd_init(struct crowd *crowd, const struct bench_options *options,
               const struct crowd_events *events, void *user);

/** Closes every connection and frees the memory. */
void crowd_finish(struct crowd *crowd);

/** Opens the connections, a few at a time, and runs the loop until crowd_stop or crowd_fail. */
int crowd_run(struct crowd *crowd);

/** Ends crowd_run with 0. */
void crowd_stop(struct crowd *crowd);

/** Complains and ends crowd_run with -1. */
void crowd_fail(struct crowd *crowd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** A line of the dialogue with the server, without its newline: greetings, pings, errors. */
void crowd_line(struct crowd_member *member, const char *line, size_t len);

/** Sends a short line, or fails the crowd. */
void crowd_say(struct crowd_member *member, const char *bytes, size_t len);

/** The room that is used: options->room, or the protocol's; NULL when none is joined. */
const char *crowd_room(const struct crowd *crowd);

#endif
