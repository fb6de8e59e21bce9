/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_LOOKUP_POOL_H
#define PARTYLINE_LOOP_LOOKUP_POOL_H

#include <sys/queue.h>

#include <partyline/lookup.h>

/* The threads that wait for the resolver, and the jobs they work on. See lookup_pool.c. */

struct party__lookup_pool;

enum party__lookup_state {
    PARTY__LOOKUP_QUEUED,
    PARTY__LOOKUP_RUNNING,
    PARTY__LOOKUP_ABANDONED, /* running, and nobody waits for it */
    PARTY__LOOKUP_POSTED,    /* its task is in the loop's mailbox, or was called */
};

/* A question to the resolver with memory of its own; state and entry are the pool's. */
struct party__lookup_job {
    TAILQ_ENTRY(party__lookup_job) entry;
    enum party__lookup_state state;
    struct party_task task; /* called in the loop's thread when the resolver has answered */
    struct party_lookup_question question; /* the texts lie behind the struct */
    int result;
    struct party_resolve_list list; /* when result is 0 */
};

/** Copies the question. Returns: the job; NULL without memory. */
struct party__lookup_job *party__lookup_job_create(const struct party_lookup_question *question,
                                                   party_task_fn fn, void *user);

/** Frees a job that the pool does not have. */
void party__lookup_job_destroy(struct party__lookup_job *job);

/** Returns: 0; -ENOMEM. */
int party__lookup_pool_create(struct party_loop *loop, unsigned threads_max, unsigned queue_max,
                              struct party__lookup_pool **ret_pool);

/**
 * Gives a job to the threads. Its task is called once, unless it is abandoned before.
 * Returns: 0; -EBUSY; -EAGAIN when there is no thread and none can be made.
 * Owns: on success the pool has the job until its task is called, which gets it back.
 */
int party__lookup_pool_submit(struct party__lookup_pool *pool, struct party__lookup_job *job);

/**
 * Nobody waits for the job any more. Threads: the loop's.
 * Returns: true, and the job is or will be freed; false when its task is on its way and gets it.
 */
bool party__lookup_pool_abandon(struct party__lookup_pool *pool, struct party__lookup_job *job);

/** Ends the threads: joins the idle, leaves the others. All jobs have been abandoned before. */
void party__lookup_pool_close(struct party__lookup_pool *pool);

#endif
