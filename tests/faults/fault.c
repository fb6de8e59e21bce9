/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "fail_malloc.h"
#include "fault_calls.h"

/* More calls than any scenario makes: one that gets here will never end. */
#define CALLS_MAX 200000

/* Failure points of one call that are tried: later ones are in loops that were there before. */
#define NTH_MAX 40

static const struct {
    const char *name;
    bool can_be_short;
    int errors[16];
} rows[] = {
#define FAULT_ROW(name, can_be_short, ...) {#name, can_be_short, {__VA_ARGS__}},
    FAULT_CALLS(FAULT_ROW)
#undef FAULT_ROW
};

static atomic_size_t counts[FAULT_CALL_COUNT];
static atomic_size_t all_count;
static atomic_size_t struck;
static enum fault_call armed_call;
static size_t armed_nth; /* 0: nothing is armed */
static int armed_error;
static bool armed_from_nth;

/*
 * PARTY_FAULT_STORM=N: every Nth call that can is interrupted, for suites of others; with
 * PARTY_FAULT_SHORT=1 every second of them is short instead where it can be.
 */
static size_t storm_every;
static bool storm_has_short;

__attribute__((constructor)) static void prepare(void)
{
    /* What was inherited is not the test's, and may lie high. */
    (void)close_range(STDERR_FILENO + 1, UINT_MAX, 0);
    const char *every = getenv("PARTY_FAULT_STORM");
    const char *has_short = getenv("PARTY_FAULT_SHORT");
    storm_every = every != NULL ? strtoul(every, NULL, 10) : 0;
    storm_has_short = has_short != NULL && strcmp(has_short, "1") == 0;
}

static bool knows_error(enum fault_call call, int error)
{
    for (const int *e = rows[call].errors; *e != 0; e++) {
        if (*e == error) {
            return true;
        }
    }
    return false;
}

/* What is to happen to this call: 0, an errno, or FAULT_SHORT. */
static int decide(enum fault_call call)
{
    size_t nth = 1 + atomic_fetch_add(&counts[call], 1);
    size_t all = atomic_fetch_add(&all_count, 1);
    if (armed_nth != 0) {
        if (all > CALLS_MAX) {
            (void)fprintf(stderr, "%s fails with %s from call %zu on: no end\n",
                          rows[armed_call].name, strerrorname_np(armed_error), armed_nth);
            abort();
        }
        bool strikes = call == armed_call && (armed_from_nth ? nth >= armed_nth : nth == armed_nth);
        atomic_fetch_add(&struck, strikes);
        return strikes ? armed_error : 0;
    }
    if (storm_every == 0 || all % storm_every != 0) {
        return 0;
    }
    bool is_short = storm_has_short && rows[call].can_be_short && all / storm_every % 2 == 0;
    return is_short ? FAULT_SHORT : knows_error(call, EINTR) ? EINTR : 0;
}

bool fault_fails(enum fault_call call)
{
    int what = decide(call);
    if (what > 0) {
        errno = what;
    }
    return what > 0;
}

/* Only what has no borders can be cut: a datagram's rest would be lost. */
static bool is_stream(int fd)
{
    int type;
    socklen_t len = sizeof(type);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == -1 || type == SOCK_STREAM;
}

bool fault_fails_or_cuts(enum fault_call call, int fd, size_t *len)
{
    int what = decide(call);
    if (what == FAULT_SHORT && *len > 1 && is_stream(fd)) {
        *len = 1;
    }
    if (what > 0) {
        errno = what;
    }
    return what > 0;
}

int fault_decide(enum fault_call call)
{
    return decide(call);
}

void fault_arm(enum fault_call call, size_t nth, int error, bool from_nth)
{
    armed_call = call;
    armed_error = error;
    armed_from_nth = from_nth;
    for (size_t i = 0; i < FAULT_CALL_COUNT; i++) {
        atomic_store(&counts[i], 0);
    }
    atomic_store(&all_count, 0);
    atomic_store(&struck, 0);
    armed_nth = nth;
}

size_t fault_disarm(void)
{
    armed_nth = 0;
    return atomic_load(&struck);
}

size_t fault_count(enum fault_call call)
{
    return atomic_load(&counts[call]);
}

static bool is_right(enum fault_call call, int error, bool from_nth, int result,
                     fault_allows_fn allows)
{
    if (allows != NULL && allows(call, error, result)) {
        return true;
    }
    if (error == FAULT_SHORT || (error == EINTR && !from_nth) || call == FAULT_close) {
        return result == 0;
    }
    /* A stream made of the socket says EAGAIN for a time-out (file.h). */
    return result == -error || (result == 0 && error == EAGAIN) ||
           (result == PARTY_ETIMEOUT && error == EAGAIN);
}

static void run(fault_scenario_fn scenario, void *user, fault_allows_fn allows,
                enum fault_call call, size_t nth, int error, bool from_nth)
{
    size_t fds = fail_malloc_open_fds();
    size_t memory = fail_malloc_outstanding();
    fault_arm(call, nth, error, from_nth);
    int r = scenario(user);
    size_t failed = fault_disarm();
    size_t fds_left = fail_malloc_open_fds();
    size_t memory_left = fail_malloc_outstanding();
    if (!(failed == 0 && r == 0) && !is_right(call, error, from_nth, r, allows)) {
        print_error("%s number %zu fails with %s%s: the result is %d %s\n", rows[call].name, nth,
                    error == FAULT_SHORT ? "SHORT" : strerrorname_np(error),
                    from_nth ? " from then on" : "", r, party_error_name(r));
        fail();
    }
    if (fds_left != fds || memory_left != memory) {
        print_error("%s number %zu fails with %s%s: %zu descriptors and %zu allocations more\n",
                    rows[call].name, nth, error == FAULT_SHORT ? "SHORT" : strerrorname_np(error),
                    from_nth ? " from then on" : "", fds_left - fds, memory_left - memory);
        fail();
    }
}

/* Interruptions and refusals to wait that never end are no fault of the library's. */
static bool can_last(int error)
{
    return error != EINTR && error != EAGAIN && error != EBUSY && error != FAULT_SHORT;
}

size_t fault_check(fault_scenario_fn scenario, void *user, fault_allows_fn allows)
{
    size_t runs = 0;
    size_t seen[FAULT_CALL_COUNT];
    fault_arm(FAULT_CALL_COUNT, 1, 0, false);
    int r = scenario(user);
    (void)fault_disarm();
    assert_int_equal(r, 0);
    for (enum fault_call i = 0; i < FAULT_CALL_COUNT; i++) {
        seen[i] = fault_count(i) < NTH_MAX ? fault_count(i) : NTH_MAX;
    }
    for (enum fault_call call = 0; call < FAULT_CALL_COUNT; call++) {
        for (size_t nth = 1; nth <= seen[call]; nth++) {
            for (const int *error = rows[call].errors; *error != 0; error++) {
                run(scenario, user, allows, call, nth, *error, false);
                runs++;
                if (can_last(*error)) {
                    run(scenario, user, allows, call, nth, *error, true);
                    runs++;
                }
            }
            if (rows[call].can_be_short) {
                run(scenario, user, allows, call, nth, FAULT_SHORT, false);
                run(scenario, user, allows, call, nth, FAULT_SHORT, true);
                runs += 2;
            }
        }
    }
    assert_true(runs > 0);
    return runs;
}

/* More than any scenario needs. */
#define DESCRIPTORS_MAX 64

/* Fills the holes below the highest descriptor, so that a limit says how many more there can be.
   Returns: how many descriptors were opened for it, in fillers. */
static size_t fill_holes(int *fillers, size_t cap, int *ret_highest)
{
    int highest = 0;
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++) {
        highest = fcntl(fd, F_GETFD) != -1 ? fd : highest;
    }
    for (;;) {
        int fd = dup(STDERR_FILENO);
        assert_int_not_equal(fd, -1);
        if (fd > highest) {
            assert_int_equal(close(fd), 0);
            break;
        }
        assert_true(count < cap);
        fillers[count++] = fd;
    }
    *ret_highest = highest;
    return count;
}

static void limit_descriptors(rlim_t soft, rlim_t hard)
{
    struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

size_t fault_check_descriptors(fault_scenario_fn scenario, void *user, fault_allows_fn allows)
{
    int fillers[64];
    int highest;
    struct rlimit before;
    size_t filler_count = fill_holes(fillers, sizeof(fillers) / sizeof(fillers[0]), &highest);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    size_t fds = fail_malloc_open_fds();
    size_t memory = fail_malloc_outstanding();
    size_t room = 0;
    int r;
    do {
        limit_descriptors((rlim_t)highest + 1 + room, before.rlim_max);
        /* Nothing fails to order; this only counts. */
        fault_arm(FAULT_CALL_COUNT, 1, 0, false);
        r = scenario(user);
        (void)fault_disarm();
        limit_descriptors(before.rlim_cur, before.rlim_max);
        bool allowed = allows != NULL && allows(FAULT_CALL_COUNT, EMFILE, r);
        if (r != 0 && r != -EMFILE && !allowed) {
            print_error("room for %zu descriptors: the result is %d %s\n", room, r,
                        party_error_name(r));
            fail();
        }
        assert_int_equal(fail_malloc_open_fds(), fds);
        assert_int_equal(fail_malloc_outstanding(), memory);
        room++;
    } while (r != 0 && room < DESCRIPTORS_MAX);
    assert_int_equal(r, 0);
    assert_true(room > 1);
    for (size_t i = 0; i < filler_count; i++) {
        assert_int_equal(close(fillers[i]), 0);
    }
    return room - 1;
}
