/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOKUP_H
#define PARTYLINE_LOOKUP_H

#include <stdint.h>

#include <partyline/loop.h>
#include <partyline/resolve.h>

PARTY_BEGIN_DECLS

/*
 * Name look-ups for a loop: getaddrinfo(3) in a few threads, the answer in the loop's thread.
 *
 *     static void on_found(struct party_lookup_query *query, int result,
 *                          struct party_resolve_list *list, void *user) { ... }
 *
 *     struct party_lookup_question question = {.host = "example.org", .service = "443",
 *                                              .type = SOCK_STREAM, .timeout_ms = 5000};
 *     r = party_lookup_create(loop, NULL, &lookup);
 *     r = party_lookup_start(lookup, &question, on_found, user, NULL);
 *
 * getaddrinfo(3) cannot be interrupted. A query that is cancelled or timed out is over for the loop
 * at once; its thread goes on until the resolver lets it go, and is one of the threads until then.
 * party_lookup_destroy joins the threads that wait for work and leaves behind, detached, those
 * still in the resolver: they own what they use, never touch the loop again, and end when the
 * resolver returns or the process exits. So neither a query nor the end ever waits for a name
 * server.
 *
 * Threads: the loop's, for all functions here.
 */
struct party_lookup;
struct party_lookup_query;

#define PARTY_LOOKUP_THREADS_DEFAULT    4
#define PARTY_LOOKUP_THREADS_MAX        64
#define PARTY_LOOKUP_QUEUE_DEFAULT      1024
#define PARTY_LOOKUP_TIMEOUT_DEFAULT_MS 30000

struct party_lookup_settings {
    unsigned threads_max; /* 1..PARTY_LOOKUP_THREADS_MAX; 0: PARTY_LOOKUP_THREADS_DEFAULT */
    unsigned queue_max;   /* queries waiting for a thread; 0: PARTY_LOOKUP_QUEUE_DEFAULT */
};

/* What to look up, as for party_resolve_getaddrinfo; zeroed fields mean any. */
struct party_lookup_question {
    const char *host;    /* NULL: loopback, or the wildcard with AI_PASSIVE */
    const char *service; /* name or number; NULL: port 0 */
    int family;
    int type;
    int proto;
    int flags;
    int64_t timeout_ms; /* 0: PARTY_LOOKUP_TIMEOUT_DEFAULT_MS; -1: as long as the resolver takes */
};

/**
 * The answer. result is 0; a code of party_resolve_getaddrinfo; PARTY_ETIMEOUT; -ECANCELED after
 * party_lookup_cancel or party_lookup_destroy. list has the addresses when result is 0 and is empty
 * otherwise; it is borrowed for the call. To keep it, copy the struct and zero *list.
 * Callback: exactly once for each party_lookup_start that returned 0, after it returned, in a turn
 *   of the loop or in party_loop_destroy. Any function of the loop and of this module may be called
 *   in it. The query is gone afterwards.
 */
typedef void (*party_lookup_fn)(struct party_lookup_query *query, int result,
                                struct party_resolve_list *list, void *user);

/**
 * Makes what look-ups of a loop need. Threads start with the first queries that need them, and
 * stay; they have all signals blocked and are named lookup-1, lookup-2 ... settings NULL means all
 * defaults.
 * Returns: 0; -EINVAL when threads_max is beyond its range; -ENOMEM.
 * Owns: on success the caller owns the look-up and destroys it before the loop.
 */
PARTY_API PARTY_MUST_USE int party_lookup_create(struct party_loop *loop,
                                                 const struct party_lookup_settings *settings,
                                                 struct party_lookup **ret_lookup);

/**
 * Ends the threads as said above. Every query still open gets its callback with -ECANCELED, later
 * (the loop, not the look-up, makes these calls). May be called in a callback. NULL is accepted.
 * Blocks: until the threads that have no query are joined; never for the resolver.
 */
PARTY_API void party_lookup_destroy(struct party_lookup *lookup);

/**
 * Starts a query. A numeric host with a numeric service, and a host that no resolver would be asked
 * for, is answered without a thread.
 * Returns: 0; -EBUSY when queue_max queries wait while threads_max are being worked on; -EAGAIN
 *   when no thread can be made; -EINVAL for a timeout_ms below -1; -ENOMEM.
 * Owns: the question and its texts are copied. The query is the library's; *ret_query, which may be
 *   NULL, is valid until its callback returns.
 */
PARTY_API PARTY_MUST_USE int party_lookup_start(struct party_lookup *lookup,
                                                const struct party_lookup_question *question,
                                                party_lookup_fn fn, void *user,
                                                struct party_lookup_query **ret_query);

/**
 * Ends a query: its callback comes with -ECANCELED, after this returned, even when the answer has
 * come but was not told yet. A second call, and one in the query's own callback, does nothing.
 */
PARTY_API void party_lookup_cancel(struct party_lookup_query *query);

PARTY_END_DECLS
#endif
