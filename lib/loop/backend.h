/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_BACKEND_H
#define PARTYLINE_LOOP_BACKEND_H

/*
 * What a loop asks of the kernel: which of the watched descriptors are ready. One table of
 * operations per way to ask. A backend knows nothing of timers, tasks and turns, and calls no
 * callback: it only fills the batch that the loop dispatches.
 *
 * Threads: the loop's.
 */

#include <stddef.h>
#include <stdint.h>

#include <partyline/loop.h>

/*
 * Internal event bit beside PARTY_READ and its like: report once per arrival instead of as long as
 * the condition lasts. The loop's own wake-up uses it and so never has to read its eventfd.
 */
#define PARTY__EDGE 0x100u

/* One ready descriptor of a batch. */
struct party__ready {
    struct party_watch *watch; /* NULL when stopped since the batch was taken */
    unsigned events;           /* PARTY_READ, PARTY_WRITE, PARTY_ERROR */
};

struct party__backend {
    const char *name;

    /**
     * Creates the state. Returns: 0 and *ret_state, owned by the loop until finish; -errno, and
     *   *ret_why says why when this way of waiting is not to be had here and another may do.
     */
    int (*init)(void **ret_state, const char **ret_why);

    /** Frees the state, with whatever is still watched. NULL is accepted. */
    void (*finish)(void *state);

    /** Begins to watch watch->fd for watch->events. Returns: 0; -errno, and nothing is watched. */
    int (*add)(void *state, struct party_watch *watch);

    /**
     * Goes from watch->events to events; the caller stores the new value after success.
     * Returns: 0; -errno, and the old events are still watched; -ENOENT when the change failed and
     *   so did going back, and nothing is watched.
     */
    int (*modify)(void *state, struct party_watch *watch, unsigned events);

    /** Ends the watch. wait gives it no more. Returns: 0; -errno, for the log only. */
    int (*remove)(void *state, struct party_watch *watch);

    /**
     * Waits until something is ready or timeout_ns has passed (0: never waits, -1: no limit).
     * A little late is fine, early only when a limit of the kernel's clock type demands it.
     * Returns: the number of entries written, 0 to cap; -EINTR; -errno.
     */
    int (*wait)(void *state, int64_t timeout_ns, struct party__ready *ret_ready, size_t cap);
};

extern const struct party__backend party__backend_epoll;
extern const struct party__backend party__backend_uring;

/** PARTY_READ and its like as the kernel's EPOLLIN and its like, which poll(2) has too. */
uint32_t party__poll_events(unsigned events);

/** The kernel's events as PARTY_READ, PARTY_WRITE, PARTY_ERROR. */
unsigned party__ready_events(uint32_t events);

#endif
