/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "server/server_internal.h"

/*
 * The threads model: a pool that grows when all its threads are busy, up to max_threads, and keeps
 * its threads until close.
 *
 * A request goes to a thread that waits, or as its first to a new thread. `busy` counts requests
 * that were handed over and have not ended; at max_threads the serving thread no longer accepts,
 * sets `awaited`, and the next thread that is done wakes it.
 *
 * A thread is joined by close, or detached: from birth when threads are daemons, by close when it
 * is not to wait. A joined worker is freed by close, a detached one by itself. Each holds a
 * reference to the server, so the pool is there for as long as any of them.
 */

struct worker {
    struct worker *next;
    struct party_server *server;
    struct party_request *first; /* its first request */
    pthread_t thread;            /* valid while not detached */
    bool detached;               /* under the lock */
    bool is_busy;                /* under the lock: has a request */
    bool done;                   /* under the lock: will not touch the lock again */
};

struct party__pool {
    pthread_cond_t work;          /* a request is queued, or the pool closes */
    struct party__request *first; /* queued for threads that wait; NULL: none */
    struct party__request **last; /* where the next one is linked in */
    size_t queued;
    size_t idle; /* threads that wait */
    size_t busy;
    bool awaited; /* the serving thread waits for room */
    bool closing;
    struct worker *workers; /* that are not detached */
};

/* All of these with the server's lock held. */

static void queue_request(struct party__pool *pool, struct party_request *request)
{
    struct party__request *own = party__request_of(request);
    own->queue_next = NULL;
    *pool->last = own;
    pool->last = &own->queue_next;
    pool->queued++;
}

static struct party_request *unqueue_request(struct party__pool *pool)
{
    struct party__request *own = pool->first;
    if (own == NULL) {
        return NULL;
    }
    pool->first = own->queue_next;
    if (pool->first == NULL) {
        pool->last = &pool->first;
    }
    pool->queued--;
    return &own->pub;
}

/* Returns the next request; NULL when the pool has closed and none is left. */
static struct party_request *await_request(struct party_server *server)
{
    struct party__pool *pool = server->pool;
    while (pool->first == NULL && !pool->closing) {
        pool->idle++;
        (void)pthread_cond_wait(&pool->work, &server->lock);
        pool->idle--;
    }
    return unqueue_request(pool);
}

static void count_one_done(struct party_server *server)
{
    struct party__pool *pool = server->pool;
    pool->busy--;
    (void)pthread_cond_broadcast(&server->changed);
    if (pool->awaited) {
        pool->awaited = false;
        party__server_wake(server);
    }
}

static void *work(void *user)
{
    struct worker *worker = user;
    struct party_server *server = worker->server;
    struct party_request *request = worker->first;
    (void)pthread_mutex_lock(&server->lock);
    while (request != NULL) {
        worker->is_busy = true;
        (void)pthread_mutex_unlock(&server->lock);
        party_server_process_request_thread(server, request);
        (void)pthread_mutex_lock(&server->lock);
        worker->is_busy = false;
        count_one_done(server);
        request = await_request(server);
    }
    bool is_own = worker->detached;
    worker->done = true;
    (void)pthread_mutex_unlock(&server->lock);
    if (is_own) {
        free(worker);
    }
    party__server_unref(server);
    return NULL;
}

/* Signals from outside are for the program's own threads; those that a fault raises stay open. */
static void signals_to_block(sigset_t *ret_set)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE,  SIGILL,
                                 SIGTRAP, SIGSYS, SIGABRT, SIGPROF};
    (void)sigfillset(ret_set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        (void)sigdelset(ret_set, faults[i]);
    }
}

int party__thread_create(pthread_t *ret_thread, bool detached, void *(*run)(void *user), void *user)
{
    pthread_attr_t attributes;
    int error = pthread_attr_init(&attributes);
    if (error != 0) {
        return -error;
    }
    sigset_t blocked;
    signals_to_block(&blocked);
    error = pthread_attr_setsigmask_np(&attributes, &blocked);
    if (error == 0 && detached) {
        error = pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    }
    if (error == 0) {
        error = pthread_create(ret_thread, &attributes, run, user);
    }
    (void)pthread_attr_destroy(&attributes);
    return -error;
}

static void add_worker(struct party_server *server, struct worker *worker)
{
    server->references++;
    if (!worker->detached) {
        worker->next = server->pool->workers;
        server->pool->workers = worker;
    }
}

/* The serving thread is the only one that adds, and close comes after it, so the worker that could
   not be started is still the first. */
static void remove_worker(struct party_server *server, struct worker *worker)
{
    server->references--;
    if (!worker->detached) {
        server->pool->workers = worker->next;
    }
}

static int start_worker(struct party_server *server, struct party_request *request)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL) {
        return -ENOMEM;
    }
    worker->server = server;
    worker->first = request;
    worker->is_busy = true;
    worker->detached = server->settings.daemon_threads;
    (void)pthread_mutex_lock(&server->lock);
    add_worker(server, worker);
    (void)pthread_mutex_unlock(&server->lock);
    pthread_t thread;
    int r = party__thread_create(&thread, worker->detached, work, worker);
    if (r < 0) {
        (void)pthread_mutex_lock(&server->lock);
        remove_worker(server, worker);
        (void)pthread_mutex_unlock(&server->lock);
        free(worker);
        return r;
    }
    if (!server->settings.daemon_threads) {
        worker->thread = thread; /* only close reads it, and frees what is not detached */
    }
    return 0;
}

static int process_in_thread(struct party_server *server, struct party_request *request)
{
    struct party__pool *pool = server->pool;
    (void)pthread_mutex_lock(&server->lock);
    while (pool->busy >= server->settings.max_threads) {
        /* Only when a step of the program's calls this more often than it was called. */
        (void)pthread_cond_wait(&server->changed, &server->lock);
    }
    pool->busy++;
    bool is_taken = pool->idle > pool->queued;
    if (is_taken) {
        queue_request(pool, request);
        (void)pthread_cond_signal(&pool->work);
    }
    (void)pthread_mutex_unlock(&server->lock);
    if (is_taken) {
        return 0;
    }
    int r = start_worker(server, request);
    if (r < 0) {
        (void)pthread_mutex_lock(&server->lock);
        pool->busy--;
        (void)pthread_mutex_unlock(&server->lock);
    }
    return r;
}

static bool pool_has_room(struct party_server *server)
{
    struct party__pool *pool = server->pool;
    (void)pthread_mutex_lock(&server->lock);
    bool has_room = pool->busy < server->settings.max_threads;
    pool->awaited = !has_room;
    (void)pthread_mutex_unlock(&server->lock);
    return has_room;
}

static int pool_open(struct party_server *server)
{
    struct party__pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        return -ENOMEM;
    }
    (void)pthread_cond_init(&pool->work, NULL);
    pool->last = &pool->first;
    server->pool = pool;
    return 0;
}

/* Takes the next worker out; one that is not to be waited for is detached. */
static struct worker *next_to_join(struct party_server *server, bool wait)
{
    struct party__pool *pool = server->pool;
    struct worker *worker;
    while ((worker = pool->workers) != NULL) {
        pool->workers = worker->next;
        bool may_have_work = worker->is_busy || pool->first != NULL;
        bool may_last = !wait || (server->left_behind && may_have_work);
        if (worker->done || !may_last) {
            return worker;
        }
        worker->detached = true;
        (void)pthread_detach(worker->thread);
    }
    return NULL;
}

static void pool_close(struct party_server *server, bool wait)
{
    (void)pthread_mutex_lock(&server->lock);
    server->pool->closing = true;
    (void)pthread_cond_broadcast(&server->pool->work);
    struct worker *worker;
    while ((worker = next_to_join(server, wait)) != NULL) {
        (void)pthread_mutex_unlock(&server->lock);
        (void)pthread_join(worker->thread, NULL);
        free(worker);
        (void)pthread_mutex_lock(&server->lock);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

static void pool_release(struct party_server *server)
{
    if (server->pool != NULL) {
        (void)pthread_cond_destroy(&server->pool->work);
        free(server->pool);
        server->pool = NULL;
    }
}

const struct party__server_model party__server_threads = {
    .open = pool_open,
    .process_request = process_in_thread,
    .has_room = pool_has_room,
    .close = pool_close,
    .release = pool_release,
};
