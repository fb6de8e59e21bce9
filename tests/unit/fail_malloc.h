/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_FAIL_MALLOC_H
#define TESTS_UNIT_FAIL_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Lets the n-th allocation of a scenario fail, for n = 1, 2, 3 ... until the scenario gets through
 * without meeting the failure. An executable that links dep_fail_malloc has malloc, calloc,
 * realloc, reallocarray, aligned_alloc, strdup, strndup and free wrapped at link time; allocations
 * inside shared libraries (libc's getaddrinfo, OpenSSL) are not seen.
 *
 *     static int make_pair(void *user)
 *     {
 *         (void)user;
 *         struct party_sock *a, *b;
 *         int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &a, &b);
 *         if (r < 0) {
 *             return r;
 *         }
 *         party_sock_close(a);
 *         party_sock_close(b);
 *         return 0;
 *     }
 *
 *     static void test_socketpair_survives_no_memory(void **state)
 *     {
 *         (void)state;
 *         assert_survives_malloc_failure(make_pair, NULL);
 *     }
 *
 * Threads: allocations of all threads are counted together, so a scenario whose threads allocate
 * should have joined them before it returns.
 */

/**
 * One run. It frees and closes all it made, whether it succeeds or fails.
 * Returns: 0 when everything worked; the negative code of the first thing that did not. A function
 *   that reports by NULL is turned into -ENOMEM by the scenario.
 */
typedef int (*fail_malloc_scenario_fn)(void *user);

/**
 * Runs the scenario over and over, first with only the n-th allocation failing, then with the n-th
 * and all after it failing. Fails the test unless each run that met a failure returned -ENOMEM or
 * PARTY_EGAI_MEMORY, each run left as many allocations and descriptors open as it found, the last
 * run succeeded, and there was at least one allocation to fail.
 */
#define assert_survives_malloc_failure(scenario, user)                                             \
    fail_malloc_check((scenario), (user), false, __FILE__, __LINE__)

/** The same for code that may do without some allocation: a run that met a failure may succeed. */
#define assert_survives_or_recovers_malloc_failure(scenario, user)                                 \
    fail_malloc_check((scenario), (user), true, __FILE__, __LINE__)

/** What the macros call. Returns: how many allocations one run makes. */
size_t fail_malloc_check(fail_malloc_scenario_fn scenario, void *user, bool may_recover,
                         const char *file, int line);

enum fail_malloc_mode {
    FAIL_MALLOC_ONCE,     /* the n-th allocation fails, later ones work */
    FAIL_MALLOC_FROM_NTH, /* the n-th and all later ones fail */
};

/* The first thing that was wrong, and in which run. */
struct fail_malloc_fault {
    size_t nth;
    enum fail_malloc_mode mode;
    const char *what;
    long long got;
    long long wanted;
};

/**
 * The loop behind fail_malloc_check, for who wants the fault and not a failed test.
 * Returns: true when all was well, and then *ret_points is how many allocations one run makes; else
 *   false and *ret_fault.
 */
bool fail_malloc_try(fail_malloc_scenario_fn scenario, void *user, bool may_recover,
                     size_t *ret_points, struct fail_malloc_fault *ret_fault);

/** By hand: the nth allocation from here on fails (1 is the next one). */
void fail_malloc_arm(size_t nth, enum fail_malloc_mode mode);

/** Ends what fail_malloc_arm began. Returns: how many allocations failed. */
size_t fail_malloc_disarm(void);

/** Allocations made through the wrappers and not freed yet. */
size_t fail_malloc_outstanding(void);

/** Descriptors this process has open. */
size_t fail_malloc_open_fds(void);

#endif
