/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_HIST_H
#define BIN_BENCH_HIST_H

#include <stdint.h>

/*
 * A histogram of times: 32 steps to each power of two, so that a value read back is at most 1.6 %
 * off, whatever its size, and recording costs a few instructions. The largest value is kept
 * exactly.
 */

#define HIST_STEPS   32u
#define HIST_BUCKETS ((64u - 5u) * HIST_STEPS + HIST_STEPS)

struct bench_hist {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HIST_BUCKETS];
};

/** The bucket of a value: below 32 each value has its own. */
static inline uint32_t bench_hist_bucket(uint64_t value)
{
    if (value < HIST_STEPS) {
        return (uint32_t)value;
    }
    uint32_t shift = 63u - 5u - (uint32_t)__builtin_clzll(value);
    return (shift + 1) * HIST_STEPS + ((uint32_t)(value >> shift) & (HIST_STEPS - 1));
}

/** Counts a value; a negative one, as a clock that steps may yield, counts as 0. */
static inline void bench_hist_record(struct bench_hist *hist, int64_t value)
{
    uint64_t v = value > 0 ? (uint64_t)value : 0;
    hist->count++;
    hist->buckets[bench_hist_bucket(v)]++;
    if (v > hist->max) {
        hist->max = v;
    }
}

/** The value that percent of all recorded values do not exceed: the middle of its bucket. 0 if
 * none. */
uint64_t bench_hist_percentile(const struct bench_hist *hist, double percent);

#endif
