/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_SCRIPT_TEST_UTIL_H
#define PARTYLINE_SOCK_SCRIPT_TEST_UTIL_H

#include "sock/sock_call.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "base/clock.h"

/*
 * For tests in which system calls are wrapped at link time: each takes the next step of a script
 * and must be the call the step expects. So a test states exactly which system calls a library call
 * makes, in which order, and time passes only where a step says so. poll and the clock are wrapped
 * here; what else is scripted a test wraps itself, with take_step(STEP_CALL).
 */

enum step_kind { STEP_END, STEP_CALL, STEP_POLL, STEP_INTERRUPT };

struct step {
    enum step_kind kind;
    ssize_t result;     /* what the call returns; negative: -errno */
    int timeout_ms;     /* of STEP_POLL: what poll must be given */
    int64_t elapsed_us; /* passes during the call */
};

static const struct step *next_step;
static int64_t fake_now_ns;
static size_t clock_reads;
static short expected_events; /* what a wait is for, set by the wrapped call before it */
static bool has_script;       /* else wrapped calls are the real ones */

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __real_clock_gettime(clockid_t clock, struct timespec *ret_now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now);

static inline ssize_t take_step(enum step_kind kind)
{
    assert_int_equal(kind, next_step->kind);
    const struct step *step = next_step;
    next_step++;
    fake_now_ns += step->elapsed_us * 1000;
    if (step->result < 0) {
        errno = (int)-step->result;
        return -1;
    }
    return step->result;
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    if (!has_script) {
        return __real_poll(fds, count, timeout_ms);
    }
    assert_int_equal(count, 1);
    assert_int_equal(fds[0].events, expected_events);
    assert_int_equal(timeout_ms, next_step->timeout_ms);
    return (int)take_step(STEP_POLL);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret_now)
{
    if (!has_script) {
        return __real_clock_gettime(clock, ret_now);
    }
    assert_int_equal(clock, CLOCK_MONOTONIC);
    clock_reads++;
    ret_now->tv_sec = fake_now_ns / PARTY__NS_PER_S;
    ret_now->tv_nsec = fake_now_ns % PARTY__NS_PER_S;
    return 0;
}

static inline void play(const struct step *script)
{
    next_step = script;
    fake_now_ns = 1000 * PARTY__NS_PER_S;
    clock_reads = 0;
    expected_events = 0;
    has_script = true;
}

static inline void assert_played_out(void)
{
    assert_int_equal(next_step->kind, STEP_END);
    has_script = false;
}

/* An interrupt function whose result is in the script, as it is, no errno. */
static inline int take_interrupt(struct party_sock *sock, void *user)
{
    assert_ptr_equal(sock, user);
    assert_int_equal(next_step->kind, STEP_INTERRUPT);
    const struct step *step = next_step;
    next_step++;
    return (int)step->result;
}

#endif
