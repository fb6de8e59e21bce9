/* SPDX-License-Identifier: MIT */
#include "bench_hist.h"

static uint64_t bucket_middle(uint32_t bucket)
{
    if (bucket < HIST_STEPS) {
        return bucket;
    }
    uint32_t shift = bucket / HIST_STEPS - 1;
    uint64_t low = (uint64_t)(HIST_STEPS + bucket % HIST_STEPS) << shift;
    return low + ((UINT64_C(1) << shift) - 1) / 2;
}

uint64_t bench_hist_percentile(const struct bench_hist *hist, double percent)
{
    double exact = (double)hist->count * percent / 100.0;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact || rank == 0) {
        rank++;
    }
    uint64_t seen = 0;
    for (uint32_t i = 0; i < HIST_BUCKETS && hist->count > 0; i++) {
        seen += hist->buckets[i];
        if (seen >= rank) {
            uint64_t middle = bucket_middle(i);
            return middle < hist->max ? middle : hist->max;
        }
    }
    return hist->max;
}
