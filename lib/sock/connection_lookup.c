/* SPDX-License-Identifier: MIT */
#include "sock/connection_lookup.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/clock.h"

/*
 * A look-up with an end. getaddrinfo(3) cannot be told to hurry or to stop, so it runs in a thread
 * and the caller waits for the thread or for the deadline.
 *
 *   asked ──► done        the caller takes the result and frees
 *         └─► abandoned   the caller has gone; the thread frees what it finds
 *
 * Both changes are made under the mutex, so that exactly one of the two sees the other's and frees.
 */
struct lookup {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_done;
    bool is_abandoned;
    int family;
    int result;
    struct party_resolve_list list;
    char *host;   /* NULL: none */
    char *port;   /* NULL: none */
    char texts[]; /* host and port */
};

static int look_up(const char *host, const char *port, int family, int flags,
                   struct party_resolve_list *ret_list)
{
    return party_resolve_getaddrinfo(host, port, family, SOCK_STREAM, 0, flags, ret_list);
}

static void destroy(struct lookup *lookup)
{
    (void)pthread_cond_destroy(&lookup->changed);
    (void)pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *run_lookup(void *user)
{
    struct lookup *lookup = user;
    struct party_resolve_list list = {0};
    int r = look_up(lookup->host, lookup->port, lookup->family, 0, &list);
    (void)pthread_mutex_lock(&lookup->mutex);
    bool is_abandoned = lookup->is_abandoned;
    lookup->result = r;
    lookup->list = list;
    lookup->is_done = true;
    (void)pthread_cond_signal(&lookup->changed);
    (void)pthread_mutex_unlock(&lookup->mutex);
    if (is_abandoned) {
        party_resolve_list_finish(&list);
        destroy(lookup);
    }
    return NULL;
}

/* Copies text to *at, which it moves on. NULL stays NULL. */
static char *copy_text(const char *text, char **at)
{
    if (text == NULL) {
        return NULL;
    }
    char *copy = *at;
    *at = stpcpy(copy, text) + 1;
    return copy;
}

static struct lookup *create(const char *host, const char *port, int family)
{
    size_t host_size = host != NULL ? strlen(host) + 1 : 0;
    size_t port_size = port != NULL ? strlen(port) + 1 : 0;
    struct lookup *lookup = calloc(1, sizeof(*lookup) + host_size + port_size);
    if (lookup == NULL) {
        return NULL;
    }
    char *at = lookup->texts;
    lookup->host = copy_text(host, &at);
    lookup->port = copy_text(port, &at);
    lookup->family = family;
    /* None of these can fail on Linux: there is nothing to allocate and the clock is known. */
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&lookup->changed, &attr);
    (void)pthread_condattr_destroy(&attr);
    (void)pthread_mutex_init(&lookup->mutex, NULL);
    return lookup;
}

/* Signals are for the program's own threads. */
static bool start_thread(struct lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread, &attr, run_lookup, lookup);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return error == 0;
}

/* Returns: whether the thread has finished; else the lookup is the thread's from now on. */
static bool wait_until(struct lookup *lookup, int64_t deadline_ns)
{
    const struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / PARTY__NS_PER_S),
                                      .tv_nsec = (long)(deadline_ns % PARTY__NS_PER_S)};
    int error = 0;
    (void)pthread_mutex_lock(&lookup->mutex);
    while (!lookup->is_done && error == 0) {
        error = pthread_cond_timedwait(&lookup->changed, &lookup->mutex, &deadline);
    }
    bool is_done = lookup->is_done;
    lookup->is_abandoned = !is_done;
    (void)pthread_mutex_unlock(&lookup->mutex);
    return is_done;
}

static int look_up_in_thread(const char *host, const char *port, int family, int64_t deadline_ns,
                             struct party_resolve_list *ret_list)
{
    struct lookup *lookup = create(host, port, family);
    if (lookup == NULL) {
        return -ENOMEM;
    }
    if (!start_thread(lookup)) {
        destroy(lookup);
        return look_up(host, port, family, 0, ret_list);
    }
    if (!wait_until(lookup, deadline_ns)) {
        return PARTY_ETIMEOUT;
    }
    int r = lookup->result;
    if (r == 0) {
        *ret_list = lookup->list;
    }
    destroy(lookup);
    return r;
}

int party__connection_lookup(const char *host, const char *port, int family, int64_t deadline_ns,
                             struct party_resolve_list *ret_list)
{
    if (deadline_ns == PARTY__NEVER_NS) {
        return look_up(host, port, family, 0, ret_list);
    }
    /* A number, or no host at all, keeps nobody waiting. */
    int r = look_up(host, port, family, AI_NUMERICHOST, ret_list);
    if (r != PARTY_EGAI_NONAME) {
        return r;
    }
    if (party__now_ns() >= deadline_ns) {
        return PARTY_ETIMEOUT;
    }
    return look_up_in_thread(host, port, family, deadline_ns, ret_list);
}
