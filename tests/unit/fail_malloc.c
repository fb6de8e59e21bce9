/* SPDX-License-Identifier: MIT */
#include "fail_malloc.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Pointers that came out of the wrappers live in a hash set until they are freed. The set tells our
 * allocations from those of shared libraries, whose memory may be freed by our side too (getline,
 * asprintf): those are passed on and not counted.
 *
 * The set itself is memory of the real allocator and is never freed; it has no part in any count.
 */

/* PARTY_EGAI_MEMORY by value: this helper stands below every layer and includes none. */
#define EGAI_MEMORY_CODE (-5110)

/* No scenario makes so many allocations; past it the loop is taken for endless. */
#define FAILURE_POINTS_MAX 100000

#define SET_FIRST_CAP      1024

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void __real_free(void *p);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t max);
void __wrap_free(void *p);

static struct {
    pthread_mutex_t lock;
    size_t countdown; /* allocations until the failing one; 0: not armed */
    enum fail_malloc_mode mode;
    bool failing; /* FAIL_MALLOC_FROM_NTH has reached its nth */
    size_t failed_count;
    uintptr_t *slots; /* open addressing, 0 is empty */
    size_t cap;       /* a power of two */
    size_t count;
} tracker = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t home_slot(uintptr_t key, size_t cap)
{
    return (size_t)((uint64_t)key * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (cap - 1);
}

static void put_slot(uintptr_t *slots, size_t cap, uintptr_t key)
{
    size_t i = home_slot(key, cap);
    while (slots[i] != 0) {
        i = (i + 1) & (cap - 1);
    }
    slots[i] = key;
}

static void grow_set(void)
{
    size_t cap = tracker.cap == 0 ? SET_FIRST_CAP : tracker.cap * 2;
    uintptr_t *slots = __real_calloc(cap, sizeof(slots[0]));
    if (slots == NULL) {
        /* Without its book-keeping the test can say nothing: end it. */
        abort();
    }
    for (size_t i = 0; i < tracker.cap; i++) {
        if (tracker.slots[i] != 0) {
            put_slot(slots, cap, tracker.slots[i]);
        }
    }
    __real_free(tracker.slots);
    tracker.slots = slots;
    tracker.cap = cap;
}

static void track(const void *p)
{
    if (p == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&tracker.lock);
    if (tracker.count * 2 >= tracker.cap) {
        grow_set();
    }
    put_slot(tracker.slots, tracker.cap, (uintptr_t)p);
    tracker.count++;
    (void)pthread_mutex_unlock(&tracker.lock);
}

/* Removes by moving later members of the probe chain up, so that no chain is cut. */
static void untrack_locked(uintptr_t key)
{
    size_t mask = tracker.cap - 1;
    size_t hole = home_slot(key, tracker.cap);
    while (tracker.slots[hole] != key) {
        if (tracker.slots[hole] == 0) {
            return;
        }
        hole = (hole + 1) & mask;
    }
    for (size_t i = (hole + 1) & mask; tracker.slots[i] != 0; i = (i + 1) & mask) {
        size_t home = home_slot(tracker.slots[i], tracker.cap);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            tracker.slots[hole] = tracker.slots[i];
            hole = i;
        }
    }
    tracker.slots[hole] = 0;
    tracker.count--;
}

/* Returns whether key was one of ours. Called before the memory is given back: afterwards another
   thread could get the same address and track it first. */
static bool untrack(const void *p)
{
    if (p == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&tracker.lock);
    size_t before = tracker.count;
    if (tracker.cap > 0) {
        untrack_locked((uintptr_t)p);
    }
    bool was_ours = tracker.count < before;
    (void)pthread_mutex_unlock(&tracker.lock);
    return was_ours;
}

static bool must_fail(void)
{
    (void)pthread_mutex_lock(&tracker.lock);
    bool fail = tracker.failing;
    if (tracker.countdown > 0) {
        tracker.countdown--;
        if (tracker.countdown == 0) {
            fail = true;
            tracker.failing = tracker.mode == FAIL_MALLOC_FROM_NTH;
        }
    }
    if (fail) {
        tracker.failed_count++;
    }
    (void)pthread_mutex_unlock(&tracker.lock);
    return fail;
}

void *__wrap_malloc(size_t size)
{
    if (must_fail()) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = __real_malloc(size);
    track(p);
    return p;
}

void *__wrap_calloc(size_t count, size_t size)
{
    if (must_fail()) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = __real_calloc(count, size);
    track(p);
    return p;
}

void *__wrap_realloc(void *old, size_t size)
{
    if (must_fail()) {
        errno = ENOMEM;
        return NULL;
    }
    bool was_ours = untrack(old);
    void *p = __real_realloc(old, size);
    if (p != NULL) {
        track(p);
    } else if (was_ours && size > 0) {
        track(old);
    }
    return p;
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return __wrap_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    if (must_fail()) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = __real_aligned_alloc(align, size);
    track(p);
    return p;
}

char *__wrap_strndup(const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    char *copy = __wrap_malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

char *__wrap_strdup(const char *text)
{
    return __wrap_strndup(text, SIZE_MAX);
}

void __wrap_free(void *p)
{
    (void)untrack(p);
    __real_free(p);
}

void fail_malloc_arm(size_t nth, enum fail_malloc_mode mode)
{
    assert(nth > 0);
    (void)pthread_mutex_lock(&tracker.lock);
    tracker.countdown = nth;
    tracker.mode = mode;
    tracker.failing = false;
    tracker.failed_count = 0;
    (void)pthread_mutex_unlock(&tracker.lock);
}

size_t fail_malloc_disarm(void)
{
    (void)pthread_mutex_lock(&tracker.lock);
    tracker.countdown = 0;
    tracker.failing = false;
    size_t failed_count = tracker.failed_count;
    tracker.failed_count = 0;
    (void)pthread_mutex_unlock(&tracker.lock);
    return failed_count;
}

size_t fail_malloc_outstanding(void)
{
    (void)pthread_mutex_lock(&tracker.lock);
    size_t count = tracker.count;
    (void)pthread_mutex_unlock(&tracker.lock);
    return count;
}

size_t fail_malloc_open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    size_t count = 0;
    const struct dirent *entry = readdir(dir);
    while (entry != NULL) {
        if (entry->d_name[0] != '.') {
            count++;
        }
        entry = readdir(dir);
    }
    (void)closedir(dir);
    /* One of them was the directory's own. */
    return count - 1;
}

static bool blame(struct fail_malloc_fault *fault, const char *what, long long got,
                  long long wanted)
{
    fault->what = what;
    fault->got = got;
    fault->wanted = wanted;
    return false;
}

static bool is_expected_result(int r, bool met, bool may_recover)
{
    if (!met) {
        return r == 0;
    }
    return r == -ENOMEM || r == EGAI_MEMORY_CODE || (may_recover && r == 0);
}

/* One run as run->nth and run->mode say. Returns false with the rest of run filled in when
   something was wrong; *ret_met tells whether the run met a failing allocation. */
static bool run_once(struct fail_malloc_fault *run, fail_malloc_scenario_fn scenario, void *user,
                     bool may_recover, bool *ret_met)
{
    size_t fds_before = fail_malloc_open_fds();
    size_t outstanding_before = fail_malloc_outstanding();
    fail_malloc_arm(run->nth, run->mode);
    int r = scenario(user);
    bool met = fail_malloc_disarm() > 0;
    size_t outstanding_after = fail_malloc_outstanding();
    size_t fds_after = fail_malloc_open_fds();

    *ret_met = met;
    if (outstanding_after != outstanding_before) {
        return blame(run, "allocations left", (long long)outstanding_after,
                     (long long)outstanding_before);
    }
    if (fds_after != fds_before) {
        return blame(run, "descriptors left", (long long)fds_after, (long long)fds_before);
    }
    if (!is_expected_result(r, met, may_recover)) {
        return blame(run, "result", r, met ? -ENOMEM : 0);
    }
    return true;
}

bool fail_malloc_try(fail_malloc_scenario_fn scenario, void *user, bool may_recover,
                     size_t *ret_points, struct fail_malloc_fault *ret_fault)
{
    static const enum fail_malloc_mode modes[] = {FAIL_MALLOC_ONCE, FAIL_MALLOC_FROM_NTH};
    struct fail_malloc_fault run = {0};
    *ret_points = 0;

    for (size_t m = 0; m < sizeof(modes) / sizeof(modes[0]); m++) {
        run.mode = modes[m];
        run.nth = 0;
        bool met = true;
        bool well = true;
        while (met && well) {
            run.nth++;
            well = run_once(&run, scenario, user, may_recover, &met);
            if (well && (run.nth > FAILURE_POINTS_MAX || (run.nth == 1 && !met))) {
                well = blame(&run, "allocations in one run", met ? (long long)run.nth : 0, 1);
            }
        }
        if (!well) {
            *ret_fault = run;
            return false;
        }
        *ret_points = run.nth - 1;
    }
    return true;
}

size_t fail_malloc_check(fail_malloc_scenario_fn scenario, void *user, bool may_recover,
                         const char *file, int line)
{
    size_t points;
    struct fail_malloc_fault fault;
    if (!fail_malloc_try(scenario, user, may_recover, &points, &fault)) {
        print_error("allocation %zu %s: %s: %lld, not %lld\n", fault.nth,
                    fault.mode == FAIL_MALLOC_ONCE ? "failing" : "and all later ones failing",
                    fault.what, fault.got, fault.wanted);
        _fail(file, line);
    }
    return points;
}
