/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_INTERNAL_H
#define PARTYLINE_LOOP_INTERNAL_H

/*
 * The loop as its own files see it: loop.c (turns, tasks), watch.c, timer.c, signal.c.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/loop.h>

#include "loop/backend.h"

/* How many ready descriptors one turn takes at most; the others stay ready for the next turn. */
#define PARTY__BATCH_MAX        256

#define PARTY__CACHE_LINE_BYTES 64

/* What one read of a descriptor takes at most. */
#define PARTY__SCRATCH_BYTES (64u * 1024u)

struct party__signals;

/* First in, first out, linked through the tasks themselves. */
struct party__task_list {
    struct party_task *first; /* NULL when empty */
    struct party_task *last;  /* undefined when empty */
};

/* The key lies beside the pointer, so that moving through the heap touches no timer. */
struct party__timer_slot {
    int64_t due_ns;
    uint64_t sequence; /* of equal times the one started first goes first */
    struct party_timer *timer;
};

struct party__timer_heap {
    struct party__timer_slot *slots; /* NULL when cap is 0 */
    uint32_t count;
    uint32_t cap;
    uint64_t next_sequence;
};

/*
 * What other threads touch. It stands between two gaps of a cache line, because posters write here
 * all the time and must not slow the loop's reads of its own fields.
 */
struct party__mailbox {
    char gap_before[PARTY__CACHE_LINE_BYTES];
    _Atomic(struct party_task *) posted; /* newest first; NULL when empty */
    atomic_bool sleeping;                /* the loop waits, or is about to: a poster must wake it */
    atomic_bool stopping;
    char gap_after[PARTY__CACHE_LINE_BYTES];
};

struct party_loop {
    const struct party__backend *backend;
    void *backend_state;
    int64_t now_ns;
    int64_t (*clock_ns)(void *user); /* CLOCK_MONOTONIC; tests pass time in here */
    void *clock_user;                /* NULL with the real clock */

    struct party__task_list deferred;
    struct party__task_list reaped;
    struct party__timer_heap timers;
    struct party__signals *signals; /* NULL until the first signal is added */

    /* The batch being dispatched: entries before ready_next have been, or are being, called. */
    struct party__ready ready[PARTY__BATCH_MAX];
    size_t ready_next;
    size_t ready_count;
    bool in_turn;

    struct party__mailbox mailbox;
    struct party_watch wake; /* of an eventfd; -1 as fd until there is one */

    party_log_fn log; /* NULL: silent */
    void *log_user;

    /*
     * For the callback that runs: bytes between a read and who takes them. It lies here and not on
     * the stack because the pages of a frame that large are probed at each call
     * (-fstack-clash-protection). It begins with a cache line: the kernel copies to and from there
     * by a fiftieth quicker then.
     */
    uint8_t *scratch;
    uint8_t scratch_room[PARTY__SCRATCH_BYTES + PARTY__CACHE_LINE_BYTES];
};

/** Whether a loop can be asked for by this name. NULL, the default, is known. */
bool party__backend_is_known(const char *name);

/** Calls the watches of the batch in loop->ready; leaves it empty. */
void party__watch_dispatch(struct party_loop *loop);

/** Calls the timers that are due at loop->now_ns and were started before this call. */
void party__timer_dispatch(struct party_loop *loop);

/** The time of the first timer; PARTY__NEVER_NS when there is none. */
int64_t party__timer_next_due_ns(const struct party_loop *loop);

/** Frees the heap; the timers in it are forgotten. */
void party__timer_finish(struct party_loop *loop);

/** Ends the signals of the loop. The signals stay blocked. */
void party__signal_finish(struct party_loop *loop);

/** Tells the log hook, when there is one, "what: text of the error". */
void party__loop_log(const struct party_loop *loop, enum party_log_level level, const char *what,
                     int error);

/** Nanoseconds as a timeout of poll(2) and its like: never less, and -1 stays -1. */
int party__timeout_ms_round_up(int64_t timeout_ns);

#endif
