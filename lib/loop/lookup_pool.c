/* SPDX-License-Identifier: MIT */
/*
 * The threads of name look-ups.
 *
 * Nobody can call a thread back from the resolver, so nobody may depend on its return. A job
 * belongs to exactly one side at a time, and `state`, guarded by the pool's mutex, says to which:
 *
 *     queued ──► running ──► posted        the loop gets it back with its task
 *       │           └──────► abandoned     the thread frees it when the resolver lets go
 *       └──► freed by who abandons it
 *
 * Posting happens under the mutex and only while `loop` is there. Closing takes `loop` away under
 * the mutex, so afterwards no thread comes near the loop, which may then be destroyed.
 *
 * The pool is counted: the owner has a reference and each thread has one. A thread that closing
 * finds in the resolver is detached, and whoever is last frees the pool.
 */
#include "loop/lookup_pool.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_NAME_CAP 16 /* pthread_setname_np(3) takes no more */

TAILQ_HEAD(job_queue, party__lookup_job);

struct worker {
    struct party__lookup_pool *pool;
    pthread_t thread;
    unsigned number; /* from 1 */
    bool is_busy;    /* in the resolver */
};

struct party__lookup_pool {
    pthread_mutex_t mutex; /* guards all below that can change */
    pthread_cond_t has_work;
    struct party_loop *loop; /* NULL once closed */
    struct job_queue queue;
    unsigned queue_count;
    unsigned queue_max;
    unsigned busy_count;
    unsigned reference_count;
    unsigned thread_count;
    unsigned threads_max;
    struct worker workers[]; /* threads_max of them, thread_count in use */
};

/* ---- jobs ---- */

static const char *copy_text(const char *text, char **next)
{
    if (text == NULL) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = memcpy(*next, text, size);
    *next += size;
    return copy;
}

struct party__lookup_job *party__lookup_job_create(const struct party_lookup_question *question,
                                                   party_task_fn fn, void *user)
{
    size_t host_size = question->host != NULL ? strlen(question->host) + 1 : 0;
    size_t service_size = question->service != NULL ? strlen(question->service) + 1 : 0;
    struct party__lookup_job *job = calloc(1, sizeof(*job) + host_size + service_size);
    if (job == NULL) {
        return NULL;
    }
    char *next = (char *)(job + 1);
    job->question = *question;
    job->question.host = copy_text(question->host, &next);
    job->question.service = copy_text(question->service, &next);
    party_task_init(&job->task, fn, user);
    return job;
}

void party__lookup_job_destroy(struct party__lookup_job *job)
{
    party_resolve_list_finish(&job->list);
    free(job);
}

/* ---- threads ---- */

static void unlock_and_drop_reference(struct party__lookup_pool *pool)
{
    assert(pool->reference_count > 0);
    bool is_last = --pool->reference_count == 0;
    (void)pthread_mutex_unlock(&pool->mutex);
    if (is_last) {
        (void)pthread_cond_destroy(&pool->has_work);
        (void)pthread_mutex_destroy(&pool->mutex);
        free(pool);
    }
}

static struct party__lookup_job *take_job(struct party__lookup_pool *pool)
{
    struct party__lookup_job *job = TAILQ_FIRST(&pool->queue);
    TAILQ_REMOVE(&pool->queue, job, entry);
    pool->queue_count--;
    job->state = PARTY__LOOKUP_RUNNING;
    return job;
}

static void ask_resolver(struct party__lookup_job *job)
{
    const struct party_lookup_question *question = &job->question;
    job->result =
        party_resolve_getaddrinfo(question->host, question->service, question->family,
                                  question->type, question->proto, question->flags, &job->list);
}

/* The mutex is held, but not while the resolver works. */
static void work_on_next(struct party__lookup_pool *pool, struct worker *worker)
{
    struct party__lookup_job *job = take_job(pool);
    worker->is_busy = true;
    pool->busy_count++;
    (void)pthread_mutex_unlock(&pool->mutex);
    ask_resolver(job);
    (void)pthread_mutex_lock(&pool->mutex);
    pool->busy_count--;
    worker->is_busy = false;
    if (job->state == PARTY__LOOKUP_ABANDONED) {
        party__lookup_job_destroy(job);
    } else {
        job->state = PARTY__LOOKUP_POSTED;
        party_loop_post(pool->loop, &job->task);
    }
}

static void *run_worker(void *user)
{
    struct worker *worker = user;
    struct party__lookup_pool *pool = worker->pool;
    char name[THREAD_NAME_CAP];
    (void)snprintf(name, sizeof(name), "lookup-%u", worker->number);
    (void)pthread_setname_np(pthread_self(), name); /* The name is for people only. */

    (void)pthread_mutex_lock(&pool->mutex);
    while (pool->loop != NULL) {
        if (TAILQ_EMPTY(&pool->queue)) {
            (void)pthread_cond_wait(&pool->has_work, &pool->mutex);
        } else {
            work_on_next(pool, worker);
        }
    }
    unlock_and_drop_reference(pool);
    return NULL;
}

/* The mutex is held. Signals are for the threads that expect them, so none comes to a worker. */
static int start_worker(struct party__lookup_pool *pool)
{
    struct worker *worker = &pool->workers[pool->thread_count];
    sigset_t all;
    sigset_t before;
    worker->pool = pool;
    worker->number = pool->thread_count + 1;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&worker->thread, NULL, run_worker, worker);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        return -error;
    }
    pool->thread_count++;
    pool->reference_count++;
    return 0;
}

/* ---- the loop's side ---- */

int party__lookup_pool_create(struct party_loop *loop, unsigned threads_max, unsigned queue_max,
                              struct party__lookup_pool **ret_pool)
{
    struct party__lookup_pool *pool =
        calloc(1, sizeof(*pool) + threads_max * sizeof(pool->workers[0]));
    if (pool == NULL) {
        return -ENOMEM;
    }
    /* With default attributes neither can fail on Linux. */
    (void)pthread_mutex_init(&pool->mutex, NULL);
    (void)pthread_cond_init(&pool->has_work, NULL);
    pool->loop = loop;
    pool->threads_max = threads_max;
    pool->queue_max = queue_max;
    pool->reference_count = 1;
    TAILQ_INIT(&pool->queue);
    *ret_pool = pool;
    return 0;
}

/* The mutex is held. A job that an idle thread will take, or a new one, waits for none. */
static int admit(struct party__lookup_pool *pool)
{
    unsigned idle_count = pool->thread_count - pool->busy_count;
    unsigned unstarted_count = pool->threads_max - pool->thread_count;
    if (pool->queue_count >= idle_count + unstarted_count &&
        pool->queue_count - idle_count - unstarted_count >= pool->queue_max) {
        return -EBUSY;
    }
    if (pool->queue_count < idle_count || unstarted_count == 0) {
        return 0;
    }
    int r = start_worker(pool);
    /* A thread that is there will come to it. */
    return pool->thread_count > 0 ? 0 : r;
}

int party__lookup_pool_submit(struct party__lookup_pool *pool, struct party__lookup_job *job)
{
    (void)pthread_mutex_lock(&pool->mutex);
    int r = admit(pool);
    if (r == 0) {
        job->state = PARTY__LOOKUP_QUEUED;
        TAILQ_INSERT_TAIL(&pool->queue, job, entry);
        pool->queue_count++;
        (void)pthread_cond_signal(&pool->has_work);
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    return r;
}

bool party__lookup_pool_abandon(struct party__lookup_pool *pool, struct party__lookup_job *job)
{
    bool is_free = false;
    bool is_posted = false;
    (void)pthread_mutex_lock(&pool->mutex);
    switch (job->state) {
    case PARTY__LOOKUP_QUEUED:
        TAILQ_REMOVE(&pool->queue, job, entry);
        pool->queue_count--;
        is_free = true;
        break;
    case PARTY__LOOKUP_RUNNING:
        job->state = PARTY__LOOKUP_ABANDONED;
        break;
    case PARTY__LOOKUP_POSTED:
        is_posted = true;
        break;
    case PARTY__LOOKUP_ABANDONED:
        assert(false && "a job is abandoned once");
        break;
    }
    (void)pthread_mutex_unlock(&pool->mutex);
    if (is_free) {
        party__lookup_job_destroy(job);
    }
    return !is_posted;
}

void party__lookup_pool_close(struct party__lookup_pool *pool)
{
    pthread_t idle[PARTY_LOOKUP_THREADS_MAX];
    unsigned idle_count = 0;
    (void)pthread_mutex_lock(&pool->mutex);
    assert(TAILQ_EMPTY(&pool->queue));
    pool->loop = NULL;
    for (unsigned i = 0; i < pool->thread_count; i++) {
        if (pool->workers[i].is_busy) {
            (void)pthread_detach(pool->workers[i].thread);
        } else {
            idle[idle_count++] = pool->workers[i].thread;
        }
    }
    (void)pthread_cond_broadcast(&pool->has_work);
    (void)pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < idle_count; i++) {
        (void)pthread_join(idle[i], NULL);
    }
    (void)pthread_mutex_lock(&pool->mutex);
    unlock_and_drop_reference(pool);
}
