/* SPDX-License-Identifier: MIT */
#include "service/reader_thread.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct reader_thread {
    struct reader *reader;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct query *first, *last;
    unsigned waiting;
    bool stopping;
};

static void *run(void *user)
{
    struct reader_thread *t = user;
    (void)pthread_mutex_lock(&t->lock);
    for (;;) {
        while (!t->first && !t->stopping) {
            (void)pthread_cond_wait(&t->wake, &t->lock);
        }
        struct query *query = t->first;
        if (!query) {
            break;
        }
        t->first = query->next;
        if (!t->first) {
            t->last = NULL;
        }
        t->waiting--;
        (void)pthread_mutex_unlock(&t->lock);
        query->next = NULL;
        query->fault = reader_history(t->reader, &query->history, &query->found, &query->more);
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
    (void)pthread_mutex_lock(&t->lock);
    bool taken = t->waiting < READER_QUEUE_MAX;
    if (taken) {
        query->shard = shard;
        query->next = NULL;
        if (t->last) {
            t->last->next = query;
        } else {
            t->first = query;
        }
        t->last = query;
        t->waiting++;
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (taken) {
        (void)pthread_cond_signal(&t->wake);
    }
    return taken;
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
