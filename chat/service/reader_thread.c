/* SPDX-License-Identifier: MIT */
#include "service/reader_thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"

/* In the order they are served. */
enum { LANE_HISTORY, LANE_SEARCH, LANE_COUNT };

struct lane {
    struct query *first, *last;
    unsigned waiting;
};

struct reader_thread {
    struct reader *reader;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct lane lanes[LANE_COUNT];
    bool stopping;
};

/* The next query, history first; NULL when none waits. */
static struct query *take(struct reader_thread *t)
{
    for (unsigned i = 0; i < LANE_COUNT; i++) {
        struct lane *lane = &t->lanes[i];
        struct query *query = lane->first;
        if (!query) {
            continue;
        }
        lane->first = query->next;
        if (!lane->first) {
            lane->last = NULL;
        }
        lane->waiting--;
        query->next = NULL;
        return query;
    }
    return NULL;
}

static enum log_fault look_up(struct reader *reader, struct query *query)
{
    switch (query->kind) {
    case QUERY_HISTORY:
        return reader_history(reader, &query->history, &query->found, &query->more);
    case QUERY_TARGETS:
        return reader_targets(reader, &query->targets, &query->records);
    case QUERY_MESSAGE:
        return reader_message_place(reader, &query->message, &query->records);
    }
    return LOG_INTERNAL;
}

static void *run(void *user)
{
    struct reader_thread *t = user;
    (void)pthread_mutex_lock(&t->lock);
    for (;;) {
        struct query *query = take(t);
        if (!query && t->stopping) {
            break;
        }
        if (!query) {
            (void)pthread_cond_wait(&t->wake, &t->lock);
            continue;
        }
        bool in_vain = t->stopping || atomic_load(&query->given_up);
        (void)pthread_mutex_unlock(&t->lock);
        query->fault = in_vain ? LOG_IO : look_up(t->reader, query);
        shard_answer_later(query->shard, query);
        (void)pthread_mutex_lock(&t->lock);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

int reader_thread_start(struct reader *reader, struct reader_thread **ret_thread)
{
    struct reader_thread *t = xcalloc(1, sizeof(*t));
    t->reader = reader;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_cond_init(&t->wake, NULL);
    int r = pthread_create(&t->thread, NULL, run, t);
    if (r != 0) {
        free(t);
        return -r;
    }
    (void)pthread_setname_np(t->thread, "reader");
    *ret_thread = t;
    return 0;
}

bool reader_thread_ask(struct reader_thread *t, struct query *query, struct shard *shard)
{
    bool search = query->kind == QUERY_HISTORY && query->history.kind == HISTORY_SEARCH;
    struct lane *lane = &t->lanes[search ? LANE_SEARCH : LANE_HISTORY];
    (void)pthread_mutex_lock(&t->lock);
    bool taken = lane->waiting < (search ? READER_SEARCHES_MAX : READER_QUEUE_MAX);
    if (taken) {
        query->shard = shard;
        query->next = NULL;
        if (lane->last) {
            lane->last->next = query;
        } else {
            lane->first = query;
        }
        lane->last = query;
        lane->waiting++;
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (taken) {
        (void)pthread_cond_signal(&t->wake);
    }
    return taken;
}

bool reader_thread_is_ending(struct reader_thread *t)
{
    (void)pthread_mutex_lock(&t->lock);
    bool ending = t->stopping;
    (void)pthread_mutex_unlock(&t->lock);
    return ending;
}

void reader_thread_destroy(struct reader_thread *t)
{
    if (!t) {
        return;
    }
    (void)pthread_mutex_lock(&t->lock);
    t->stopping = true;
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_cond_signal(&t->wake);
    (void)pthread_join(t->thread, NULL);
    reader_close(t->reader);
    (void)pthread_mutex_destroy(&t->lock);
    (void)pthread_cond_destroy(&t->wake);
    free(t);
}
