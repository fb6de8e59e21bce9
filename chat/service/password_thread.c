/* SPDX-License-Identifier: MIT */
#include "service/password_thread.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "service/password.h"

#define SECOND_NS 1000000000LL
/* How long who could not be served for want of memory, or at the end, is told to wait. */
#define LATER_S 1

/* What a check needs, copied so that the configuration may change meanwhile. */
struct task {
    char stored[PASSWORD_STORED_MAX_BYTES + 1]; /* "": there is none */
    char burn[PASSWORD_STORED_MAX_BYTES + 1];   /* a hash to spend time on; "": none */
};

struct password_thread {
    struct guard *guard;
    pthread_t thread;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t wake;
    struct password_query *first, *last;
    unsigned waiting;
    struct config_operator *operators;
    size_t operator_count;
    char *password;   /* everybody's; NULL: none */
    char *remembered; /* what was right for it the last time when it is a hash; else NULL */
    bool stopping;
};

static char *copy(const char *text)
{
    return text ? xmemdup0(text, strlen(text)) : NULL;
}

static void forget(struct password_thread *t)
{
    for (size_t i = 0; i < t->operator_count; i++) {
        free(t->operators[i].name);
        xfree_wiped_string(t->operators[i].password);
    }
    free(t->operators);
    xfree_wiped_string(t->password);
    xfree_wiped_string(t->remembered);
    t->operators = NULL;
    t->operator_count = 0;
    t->password = NULL;
    t->remembered = NULL;
}

void password_thread_set(struct password_thread *t, const struct config *config)
{
    (void)pthread_mutex_lock(&t->lock);
    forget(t);
    t->operators = xcalloc(config->operator_count + 1, sizeof(*t->operators));
    t->operator_count = config->operator_count;
    for (size_t i = 0; i < config->operator_count; i++) {
        t->operators[i] = (struct config_operator){
            .name = copy(config->operators[i].name),
            .password = copy(config->operators[i].password),
            .is_plain = config->operators[i].is_plain,
        };
    }
    t->password = copy(config->password);
    (void)pthread_mutex_unlock(&t->lock);
}

/* ---- one check ---- */

static int64_t now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* What is stored fits, since the configuration bounds it. */
static void put(char ret[static PASSWORD_STORED_MAX_BYTES + 1], const char *stored)
{
    size_t len = strlen(stored);
    if (len <= PASSWORD_STORED_MAX_BYTES) {
        memcpy(ret, stored, len + 1);
    }
}

/* With the lock held. */
static void prepare_operator(const struct password_thread *t, const char *name, struct task *task)
{
    const char *hash = NULL;
    for (size_t i = 0; i < t->operator_count; i++) {
        const struct config_operator *entry = &t->operators[i];
        if (!entry->is_plain && !hash) {
            hash = entry->password;
        }
        if (strcmp(entry->name, name) == 0) {
            put(task->stored, entry->password);
        }
    }
    if (hash && !password_is_hash(task->stored)) {
        put(task->burn, hash);
    }
}

/* With the lock held. Returns: whether the password is known to be right without a hash. */
static bool prepare_connection(const struct password_thread *t, const char *given,
                               struct task *task)
{
    if (!t->password) {
        return true; /* a reread configuration asks for none any more */
    }
    put(task->stored, t->password);
    return t->remembered && password_check(t->remembered, given) == 1;
}

/* Keeps the password that everybody gives, so that not each connection costs a hash. */
static void remember(struct password_thread *t, const struct task *task, const char *given)
{
    if (!password_is_hash(task->stored)) {
        return;
    }
    (void)pthread_mutex_lock(&t->lock);
    if (t->password && strcmp(t->password, task->stored) == 0) {
        xfree_wiped_string(t->remembered);
        t->remembered = copy(given);
    }
    (void)pthread_mutex_unlock(&t->lock);
}

static int compare(struct password_thread *t, const struct password_query *query)
{
    struct task task = {"", ""};
    bool is_known = false;
    (void)pthread_mutex_lock(&t->lock);
    if (query->kind == PASSWORD_CONNECTION) {
        is_known = prepare_connection(t, query->password, &task);
    } else {
        prepare_operator(t, query->name, &task);
    }
    (void)pthread_mutex_unlock(&t->lock);
    int right = is_known;
    if (!is_known && task.stored[0] != '\0') {
        right = password_check(task.stored, query->password);
    }
    if (task.burn[0] != '\0') {
        (void)password_check(task.burn, query->password);
    }
    if (right == 1 && !is_known && query->kind == PASSWORD_CONNECTION) {
        remember(t, &task, query->password);
    }
    explicit_bzero(&task, sizeof(task));
    return right;
}

static void check(struct password_thread *t, struct password_query *query)
{
    int64_t wait_ns = guard_password_wait_ns(t->guard, &query->peer, now_ns());
    if (wait_ns > 0) {
        query->result = PASSWORD_LATER;
        query->wait_s = (uint32_t)((wait_ns + SECOND_NS - 1) / SECOND_NS);
        return;
    }
    int right = compare(t, query);
    if (right < 0) {
        query->result = PASSWORD_LATER;
        query->wait_s = LATER_S;
    } else if (right == 0) {
        query->result = PASSWORD_WRONG;
        guard_password_wrong(t->guard, &query->peer, now_ns());
    } else {
        query->result = PASSWORD_RIGHT;
    }
}

/* ---- the thread ---- */

static struct password_query *take(struct password_thread *t)
{
    struct password_query *query = t->first;
    if (query) {
        t->first = query->next;
        t->last = t->first ? t->last : NULL;
        t->waiting--;
        query->next = NULL;
    }
    return query;
}

static void *run(void *user)
{
    struct password_thread *t = user;
    (void)pthread_mutex_lock(&t->lock);
    for (;;) {
        struct password_query *query = take(t);
        if (!query && t->stopping) {
            break;
        }
        if (!query) {
            (void)pthread_cond_wait(&t->wake, &t->lock);
            continue;
        }
        bool in_vain = t->stopping || atomic_load(&query->given_up);
        (void)pthread_mutex_unlock(&t->lock);
        if (in_vain) {
            query->result = PASSWORD_LATER;
            query->wait_s = LATER_S;
        } else {
            check(t, query);
        }
        shard_password_later(query->shard, query);
        (void)pthread_mutex_lock(&t->lock);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

static void free_thread(struct password_thread *t)
{
    forget(t);
    (void)pthread_mutex_destroy(&t->lock);
    (void)pthread_cond_destroy(&t->wake);
    free(t);
}

int password_thread_start(struct guard *guard, const struct config *config,
                          struct password_thread **ret_thread)
{
    struct password_thread *t = xcalloc(1, sizeof(*t));
    t->guard = guard;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_cond_init(&t->wake, NULL);
    password_thread_set(t, config);
    int r = pthread_create(&t->thread, NULL, run, t);
    if (r != 0) {
        free_thread(t);
        return -r;
    }
    (void)pthread_setname_np(t->thread, "password");
    *ret_thread = t;
    return 0;
}

bool password_thread_ask(struct password_thread *t, struct password_query *query,
                         struct shard *shard)
{
    (void)pthread_mutex_lock(&t->lock);
    bool taken = t->waiting < PASSWORD_QUEUE_MAX;
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

void password_thread_destroy(struct password_thread *t)
{
    if (!t) {
        return;
    }
    (void)pthread_mutex_lock(&t->lock);
    t->stopping = true;
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_cond_signal(&t->wake);
    (void)pthread_join(t->thread, NULL);
    free_thread(t);
}
