/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_LOOKUP_TEST_UTIL_H
#define PARTYLINE_LOOP_LOOKUP_TEST_UTIL_H

#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <partyline/error.h>
#include <partyline/lookup.h>

#include "loop/loop_test_util.h"

/*
 * The resolver is played here. "stuck..." waits at the gate until a test opens it and is 127.0.0.1
 * then, "fast..." is 127.0.0.1 at once, "missing" is no name; numbers are libc's business.
 */

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *user);

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open;
    unsigned inside;     /* threads in the resolver for a name */
    unsigned inside_max; /* the most there have been */
    unsigned names_asked;
    char thread_name[16]; /* of the last thread that asked for a name */
    bool takes_signals;   /* that thread */
    pthread_t thread;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int threads_refused; /* what pthread_create answers; 0 lets it work */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *user)
{
    return threads_refused != 0 ? threads_refused : __real_pthread_create(thread, attr, fn, user);
}

static inline void enter_resolver(bool waits)
{
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    (void)pthread_mutex_lock(&gate.mutex);
    gate.inside++;
    gate.names_asked++;
    gate.inside_max = gate.inside > gate.inside_max ? gate.inside : gate.inside_max;
    gate.thread = pthread_self();
    (void)pthread_getname_np(pthread_self(), gate.thread_name, sizeof(gate.thread_name));
    gate.takes_signals = !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGCHLD);
    (void)pthread_cond_broadcast(&gate.changed);
    while (waits && !gate.is_open) {
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    gate.inside--;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mutex);
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos)
{
    bool is_name = host != NULL && (hints->ai_flags & AI_NUMERICHOST) == 0;
    bool is_stuck = is_name && strncmp(host, "stuck", 5) == 0;
    if (is_name) {
        enter_resolver(is_stuck);
    }
    if (is_stuck || (is_name && strncmp(host, "fast", 4) == 0)) {
        host = "127.0.0.1";
    } else if (is_name && strcmp(host, "missing") == 0) {
        return EAI_NONAME;
    }
    return __real_getaddrinfo(host, service, hints, ret_infos);
}

static inline void open_gate(void)
{
    (void)pthread_mutex_lock(&gate.mutex);
    gate.is_open = true;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mutex);
}

static inline void await_inside(unsigned count)
{
    (void)pthread_mutex_lock(&gate.mutex);
    while (gate.inside != count) {
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    (void)pthread_mutex_unlock(&gate.mutex);
}

static inline void await_asked(unsigned count)
{
    (void)pthread_mutex_lock(&gate.mutex);
    while (gate.names_asked != count) {
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    (void)pthread_mutex_unlock(&gate.mutex);
}

/* Before each test. What the one before has left in the resolver goes first. */
static inline int close_gate(void **state)
{
    (void)state;
    open_gate();
    await_inside(0);
    (void)pthread_mutex_lock(&gate.mutex);
    gate.is_open = false;
    gate.inside_max = 0;
    gate.names_asked = 0;
    (void)pthread_mutex_unlock(&gate.mutex);
    threads_refused = 0;
    return 0;
}

/* ---- the other side: who asks ---- */

struct answer {
    unsigned calls;
    int result;
    size_t count;
    char text[PARTY_ADDRESS_TEXT_MAX];
    pthread_t thread;
};

static inline void on_answer(struct party_lookup_query *query, int result,
                             struct party_resolve_list *list, void *user)
{
    (void)query;
    struct answer *answer = user;
    answer->calls++;
    answer->result = result;
    answer->count = list->count;
    answer->thread = pthread_self();
    if (list->count > 0) {
        party_address_format(&list->entries[0].address, answer->text, sizeof(answer->text));
    }
}

static inline struct party_lookup *create_lookup(struct party_loop *loop, unsigned threads_max,
                                                 unsigned queue_max)
{
    struct party_lookup_settings settings = {.threads_max = threads_max, .queue_max = queue_max};
    struct party_lookup *lookup = NULL;
    assert_int_equal(party_lookup_create(loop, &settings, &lookup), 0);
    return lookup;
}

static inline int try_ask(struct party_lookup *lookup, const char *host, const char *service,
                          struct answer *answer, struct party_lookup_query **ret_query)
{
    struct party_lookup_question question = {
        .host = host, .service = service, .family = AF_INET, .type = SOCK_STREAM, .timeout_ms = -1};
    *answer = (struct answer){0};
    return party_lookup_start(lookup, &question, on_answer, answer, ret_query);
}

static inline struct party_lookup_query *ask(struct party_lookup *lookup, const char *host,
                                             struct answer *answer)
{
    struct party_lookup_query *query = NULL;
    assert_int_equal(try_ask(lookup, host, "7", answer, &query), 0);
    assert_non_null(query);
    return query;
}

static inline void await_answer(struct party_loop *loop, const struct answer *answer)
{
    while (answer->calls == 0) {
        assert_int_equal(party_loop_run_once(loop, -1), 0);
    }
}

static inline void assert_cancelled_once(const struct answer *answer)
{
    assert_int_equal(answer->calls, 1);
    assert_int_equal(answer->result, -ECANCELED);
    assert_int_equal(answer->count, 0);
}

#endif
