/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_H
#define PARTYLINE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <partyline/api.h>
#include <partyline/log.h>

PARTY_BEGIN_DECLS

/*
 * One thread's event loop: readiness of descriptors, timers, tasks from other threads, signals.
 *
 * A turn of the loop does, in this order:
 *   1. waits until something is due (not at all when a task waits);
 *   2. takes the time (party_loop_now_ns gives this value until the next turn, or until it is
 *      taken anew);
 *   3. calls what became ready: watches, signals;
 *   4. calls timers that are due;
 *   5. calls posted tasks, those that were there when the phase began;
 *   6. calls deferred tasks until none is left: this is where streams send what the turn gathered;
 *   7. calls reap tasks until none is left: this is where closed objects are freed.
 *
 * Watches, timers and tasks are memory of the caller; the loop links them in and never allocates
 * for them one by one. After party_watch_stop or party_timer_stop the callback is not called again
 * and the memory may be reused at once, also from within any callback.
 *
 * Threads: a loop and its objects belong to the thread that runs it; party_loop_post and
 * party_loop_stop may be called from any thread.
 */
struct party_loop;
struct party_task;
struct party_watch;
struct party_timer;

struct party_loop_settings {
    const char *backend; /* "epoll", "io_uring"; NULL: the default, epoll */
    party_log_fn log;    /* NULL: silent */
    void *log_user;
};

/**
 * Creates a loop. settings NULL means all defaults. Where there is no io_uring, the loop uses epoll
 * instead, and the log is told so and why: not built in, not in this kernel, or not permitted.
 * Returns: 0; -EINVAL for an unknown backend; -errno of epoll_create1(2), eventfd(2),
 *   io_uring_setup(2); -ENOMEM.
 * Owns: on success the caller owns the loop.
 * Kernel: io_uring since 5.17, its better half since 6.1.
 */
PARTY_API PARTY_MUST_USE int party_loop_create(const struct party_loop_settings *settings,
                                               struct party_loop **ret_loop);

/**
 * Destroys a loop that does not run. Deferred and reap tasks that wait are run first, so that
 * objects closed in the last turn are freed; posted tasks that wait are run too. This goes on until
 * none is left, so a task must not queue itself for ever.
 * Watches and timers still started are forgotten without a call; they must not be stopped later.
 * No other thread may be in, or come to, party_loop_post and party_loop_stop. NULL is accepted.
 */
PARTY_API void party_loop_destroy(struct party_loop *loop);

/**
 * Runs turns until party_loop_stop.
 * Returns: 0; -errno when waiting failed, which no outside input can cause.
 */
PARTY_API PARTY_MUST_USE int party_loop_run(struct party_loop *loop);

/** Runs one turn, waiting at most timeout_ms (-1: until something is due). Returns: as run. */
PARTY_API PARTY_MUST_USE int party_loop_run_once(struct party_loop *loop, int timeout_ms);

/**
 * Makes party_loop_run return at the end of its turn, or at once when called first. Until then
 * party_loop_run_once does not wait. Threads: any.
 */
PARTY_API void party_loop_stop(struct party_loop *loop);

/** Monotonic time at the start of this turn, ns, or when it was taken anew. */
PARTY_API int64_t party_loop_now_ns(const struct party_loop *loop);

/**
 * Takes the time anew: for a callback that worked for long and then starts timers. Between turns,
 * and where a look-up or a connector is started, the library does it itself.
 */
PARTY_API void party_loop_update_now(struct party_loop *loop);

/** The name of the backend in use: "epoll", "io_uring". */
PARTY_API const char *party_loop_backend(const struct party_loop *loop);

/* ---- tasks ---- */

typedef void (*party_task_fn)(struct party_task *task, void *user);

/* A call to be made later. Zero it, or use party_task_init; the fields are the loop's while queued.
 */
struct party_task {
    struct party_task *next;
    party_task_fn fn;
    void *user;
};

static inline void party_task_init(struct party_task *task, party_task_fn fn, void *user)
{
    task->next = 0;
    task->fn = fn;
    task->user = user;
}

/**
 * Queues the task to run in the loop's thread; tasks of one poster run in the order posted.
 * The task must not be queued already.
 * Owns: the loop until the call; fn may free or post the task again.
 * Threads: any. Never fails, never blocks; wakes the loop when it sleeps.
 */
PARTY_API void party_loop_post(struct party_loop *loop, struct party_task *task);

/** Queues the task for phase 6 of this turn. Must not be queued already. Threads: the loop's. */
PARTY_API void party_loop_defer(struct party_loop *loop, struct party_task *task);

/** Queues the task for phase 7 of this turn. Must not be queued already. Threads: the loop's. */
PARTY_API void party_loop_reap(struct party_loop *loop, struct party_task *task);

/* ---- readiness ---- */

#define PARTY_READ  1u /* readable, or at end of stream */
#define PARTY_WRITE 2u /* writable */
#define PARTY_ERROR 4u /* error or hang-up; reported whether asked for or not */
/* Ask to be woken alone of several loops that watch the same descriptor (EPOLLEXCLUSIVE, 4.5). */
#define PARTY_EXCLUSIVE 8u

typedef void (*party_watch_fn)(struct party_watch *watch, unsigned events, void *user);

/* A descriptor to watch, level-triggered. Zeroed it is stopped; fields are read-only outside. */
struct party_watch {
    struct party_loop *loop; /* NULL while stopped */
    party_watch_fn fn;
    void *user;
    int fd;
    unsigned events;
};

/**
 * Calls fn whenever fd is ready for events, until party_watch_stop.
 * Returns: 0; -errno of epoll_ctl(2): -EPERM for a regular file, -EEXIST when this loop watches fd
 *   already; -ENOMEM, -ENOSPC; with io_uring also -EMFILE, -ENFILE for what is no socket or pipe.
 * Owns: fd stays the caller's and must stay open while watched: closed before, it may be reported
 *   still, and with io_uring it stays open inside the kernel.
 * Callback: fn must not block when there is nothing to read after all: another callback of the turn
 *   may have read it, with io_uring also one of the turn before.
 */
PARTY_API PARTY_MUST_USE int party_watch_start(struct party_loop *loop, struct party_watch *watch,
                                               int fd, unsigned events, party_watch_fn fn,
                                               void *user);

/**
 * Changes the events of a started watch; 0 keeps it and asks for errors only.
 * Returns: 0; -errno, and the watch is as before; -ENOENT: it was lost and is stopped, which can
 *   only be with PARTY_EXCLUSIVE when the kernel has no memory, or when the descriptor was closed.
 */
PARTY_API PARTY_MUST_USE int party_watch_modify(struct party_watch *watch, unsigned events);

/** Ends the watch. Before the descriptor is closed. A stopped watch is accepted. */
PARTY_API void party_watch_stop(struct party_watch *watch);

/* ---- timers ---- */

typedef void (*party_timer_fn)(struct party_timer *timer, void *user);

/* A call at a time. Zeroed it is stopped; fields are read-only outside. */
struct party_timer {
    struct party_loop *loop; /* NULL while stopped */
    party_timer_fn fn;
    void *user;
    int64_t due_ns;
    uint32_t index; /* place in the loop's heap */
};

/**
 * Calls fn once, delay_ns after the time of party_loop_now_ns, between turns after now; never
 * early. A started timer is moved. Returns: 0; -ENOMEM, and then the timer is as before.
 */
PARTY_API PARTY_MUST_USE int party_timer_start(struct party_loop *loop, struct party_timer *timer,
                                               int64_t delay_ns, party_timer_fn fn, void *user);

/** Ends the timer. A stopped timer is accepted. */
PARTY_API void party_timer_stop(struct party_timer *timer);

/* ---- signals ---- */

typedef void (*party_signal_fn)(struct party_loop *loop, int signo, void *user);

/**
 * Calls fn in the loop's thread when the process gets signo (signalfd(2)). The signal must be
 * blocked in every thread: block it before the first thread is started (pthread_sigmask(3)); this
 * call blocks it in the calling thread, and it stays blocked when the loop is gone.
 * Returns: 0; -EEXIST when the loop has signo already; -EINVAL for no such signal; -errno; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE int party_loop_add_signal(struct party_loop *loop, int signo,
                                                   party_signal_fn fn, void *user);

PARTY_END_DECLS
#endif
