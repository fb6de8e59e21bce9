/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_BASE_CLOCK_H
#define PARTYLINE_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Time inside the library is int64_t nanoseconds; what callers give is milliseconds. */

#define PARTY__NS_PER_MS INT64_C(1000000)
#define PARTY__NS_PER_S  INT64_C(1000000000)

/* Later than any clock will ever read: the deadline of a call that waits for ever. */
#define PARTY__NEVER_NS INT64_MAX

/** The monotonic clock: it never jumps, and its zero means nothing. */
static inline int64_t party__now_ns(void)
{
    struct timespec now;
    /* CLOCK_MONOTONIC always exists on Linux, and &now is writable: this cannot fail. */
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * PARTY__NS_PER_S + now.tv_nsec;
}

/** A span in nanoseconds; PARTY__NEVER_NS for -1 and for what does not fit. */
static inline int64_t party__span_ns(int64_t timeout_ms)
{
    int64_t span_ns;
    if (timeout_ms < 0 || __builtin_mul_overflow(timeout_ms, PARTY__NS_PER_MS, &span_ns)) {
        return PARTY__NEVER_NS;
    }
    return span_ns;
}

/** The deadline timeout_ms after now_ns; PARTY__NEVER_NS for -1 and for what does not fit. */
static inline int64_t party__deadline_after_ns(int64_t now_ns, int64_t timeout_ms)
{
    int64_t span_ns = party__span_ns(timeout_ms);
    return span_ns < PARTY__NEVER_NS - now_ns ? now_ns + span_ns : PARTY__NEVER_NS;
}

/** The deadline timeout_ms from now; PARTY__NEVER_NS for -1 and for what does not fit. */
static inline int64_t party__deadline_ns(int64_t timeout_ms)
{
    return party__deadline_after_ns(timeout_ms == -1 ? 0 : party__now_ns(), timeout_ms);
}

#endif
