/* SPDX-License-Identifier: MIT */
/*
 * Queries: the loop's side of name look-ups.
 *
 * A query is on its look-up's list until it is told to its owner, or the look-up is destroyed. It
 * ends in one of these ways, all in the loop's thread:
 *
 *     the job's task comes        told there and then
 *     the timer                   told there and then; the job is abandoned
 *     numeric, cancelled, closed  `is_posted`: told by the query's own task, as its caller must
 *                                 have returned first; a job is abandoned
 *
 * Cancelling one that is posted already only changes what it will tell.
 */
#include <partyline/lookup.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "loop/lookup_pool.h"

TAILQ_HEAD(query_list, party_lookup_query);

struct party_lookup {
    struct party_loop *loop;
    struct party__lookup_pool *pool;
    struct query_list queries;
};

struct party_lookup_query {
    TAILQ_ENTRY(party_lookup_query) entry;
    struct party_lookup *lookup;   /* NULL when it is on no list */
    struct party__lookup_job *job; /* NULL when no thread works for it */
    struct party_loop *loop;
    struct party_timer timer;
    struct party_task task;
    party_lookup_fn fn;
    void *user;
    int result;
    struct party_resolve_list list; /* when result is 0 */
    bool is_posted;
};

int party_lookup_create(struct party_loop *loop, const struct party_lookup_settings *settings,
                        struct party_lookup **ret_lookup)
{
    PARTY__REQUIRE(-EINVAL, loop, ret_lookup);
    unsigned threads_max = PARTY_LOOKUP_THREADS_DEFAULT;
    unsigned queue_max = PARTY_LOOKUP_QUEUE_DEFAULT;
    if (settings != NULL && settings->threads_max != 0) {
        threads_max = settings->threads_max;
    }
    if (settings != NULL && settings->queue_max != 0) {
        queue_max = settings->queue_max;
    }
    if (threads_max > PARTY_LOOKUP_THREADS_MAX) {
        return -EINVAL;
    }
    struct party_lookup *lookup = calloc(1, sizeof(*lookup));
    if (lookup == NULL) {
        return -ENOMEM;
    }
    int r = party__lookup_pool_create(loop, threads_max, queue_max, &lookup->pool);
    if (r < 0) {
        free(lookup);
        return r;
    }
    lookup->loop = loop;
    TAILQ_INIT(&lookup->queries);
    *ret_lookup = lookup;
    return 0;
}

/* ---- the end of a query ---- */

static void unlink_query(struct party_lookup_query *query)
{
    if (query->lookup != NULL) {
        TAILQ_REMOVE(&query->lookup->queries, query, entry);
        query->lookup = NULL;
    }
}

/* The query is on its list still: the pool is the list's. */
static void drop_job(struct party_lookup_query *query)
{
    if (query->job == NULL) {
        return;
    }
    if (!party__lookup_pool_abandon(query->lookup->pool, query->job)) {
        query->job->task.user = NULL; /* Its task frees it and calls nobody. */
    }
    query->job = NULL;
}

static void tell(struct party_lookup_query *query)
{
    party_timer_stop(&query->timer);
    unlink_query(query);
    query->fn(query, query->result, &query->list, query->user);
    party_resolve_list_finish(&query->list);
    free(query);
}

static void on_query_task(struct party_task *task, void *user)
{
    (void)task;
    tell(user);
}

static void on_job_task(struct party_task *task, void *user)
{
    struct party__lookup_job *job =
        (struct party__lookup_job *)((char *)task - offsetof(struct party__lookup_job, task));
    struct party_lookup_query *query = user;
    if (query != NULL) {
        query->result = job->result;
        query->list = job->list;
        query->job = NULL;
        job->list = (struct party_resolve_list){0};
    }
    party__lookup_job_destroy(job);
    if (query != NULL) {
        tell(query);
    }
}

static void on_timeout(struct party_timer *timer, void *user)
{
    (void)timer;
    struct party_lookup_query *query = user;
    drop_job(query);
    query->result = PARTY_ETIMEOUT;
    tell(query);
}

/* The callback comes in a later phase, whatever came meanwhile. */
static void end_with(struct party_lookup_query *query, int result)
{
    party_timer_stop(&query->timer);
    drop_job(query);
    party_resolve_list_finish(&query->list);
    query->result = result;
    if (!query->is_posted) {
        query->is_posted = true;
        party_loop_post(query->loop, &query->task);
    }
}

void party_lookup_cancel(struct party_lookup_query *query)
{
    PARTY__REQUIRE_VOID(query);
    /* Being told, or cancelled by party_lookup_destroy, it is on no list any more. */
    if (query->lookup != NULL) {
        end_with(query, -ECANCELED);
    }
}

void party_lookup_destroy(struct party_lookup *lookup)
{
    if (lookup == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&lookup->queries)) {
        struct party_lookup_query *query = TAILQ_FIRST(&lookup->queries);
        end_with(query, -ECANCELED);
        unlink_query(query);
    }
    party__lookup_pool_close(lookup->pool);
    free(lookup);
}

/* ---- the beginning ---- */

static bool is_number(const char *service)
{
    return service == NULL || service[strspn(service, "0123456789")] == '\0';
}

/*
 * Answers what needs neither a name server nor a file. A host that is no number says NONAME, which
 * is the answer only when nothing else was asked for.
 */
static bool answer_at_once(const struct party_lookup_question *question,
                           struct party_lookup_query *query)
{
    if (!is_number(question->service)) {
        return false;
    }
    query->result = party_resolve_getaddrinfo(
        question->host, question->service, question->family, question->type, question->proto,
        question->flags | (question->host != NULL ? AI_NUMERICHOST : 0), &query->list);
    return query->result != PARTY_EGAI_NONAME || question->host == NULL ||
           (question->flags & AI_NUMERICHOST) != 0;
}

static int hand_over(struct party_lookup *lookup, const struct party_lookup_question *question,
                     struct party_lookup_query *query)
{
    int64_t timeout_ms =
        question->timeout_ms == 0 ? PARTY_LOOKUP_TIMEOUT_DEFAULT_MS : question->timeout_ms;
    if (timeout_ms != -1) {
        party_loop_update_now(lookup->loop); /* it begins here, however long this turn took */
        int r = party_timer_start(lookup->loop, &query->timer, party__span_ns(timeout_ms),
                                  on_timeout, query);
        if (r < 0) {
            return r;
        }
    }
    query->job = party__lookup_job_create(question, on_job_task, query);
    if (query->job == NULL) {
        return -ENOMEM;
    }
    int r = party__lookup_pool_submit(lookup->pool, query->job);
    if (r < 0) {
        party__lookup_job_destroy(query->job);
    }
    return r;
}

int party_lookup_start(struct party_lookup *lookup, const struct party_lookup_question *question,
                       party_lookup_fn fn, void *user, struct party_lookup_query **ret_query)
{
    PARTY__REQUIRE(-EINVAL, lookup, question, fn);
    if (question->timeout_ms < -1) {
        return -EINVAL;
    }
    struct party_lookup_query *query = calloc(1, sizeof(*query));
    if (query == NULL) {
        return -ENOMEM;
    }
    query->loop = lookup->loop;
    query->fn = fn;
    query->user = user;
    party_task_init(&query->task, on_query_task, query);

    int r = 0;
    if (answer_at_once(question, query)) {
        r = query->result == -ENOMEM ? -ENOMEM : 0;
        query->is_posted = r == 0;
    } else {
        r = hand_over(lookup, question, query);
    }
    if (r < 0) {
        party_timer_stop(&query->timer);
        free(query);
        return r;
    }
    query->lookup = lookup;
    TAILQ_INSERT_TAIL(&lookup->queries, query, entry);
    if (query->is_posted) {
        party_loop_post(query->loop, &query->task);
    }
    if (ret_query != NULL) {
        *ret_query = query;
    }
    return 0;
}
