/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_TALLY_H
#define BIN_BENCH_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Keeps account of which member got which message: each must get each sender's messages once and in
 * the order of their numbers. The usual case, the next number, costs one comparison; only what is
 * out of place is looked into.
 */

struct tally_gap {
    uint32_t member, sender;
    uint64_t number;
};

struct tally {
    uint32_t members, senders;
    uint64_t *next; /* members x senders: the number expected */
    struct tally_gap *gaps;
    size_t gap_count, gap_cap; /* messages that were overtaken and did not come since */
    uint64_t doubled, misordered;
};

#define TALLY_GAPS_MAX 65536 /* beyond that many the run is hopeless and gaps are only counted */

enum tally_verdict {
    TALLY_GOOD,   /* the member did not have it before */
    TALLY_REPEAT, /* it had, and this is counted as doubled */
};

void tally_init(struct tally *tally, uint32_t members, uint32_t senders);
void tally_finish(struct tally *tally);

/** Anything but the next number; for tally_take. */
enum tally_verdict tally_misplaced(struct tally *tally, uint32_t member, uint32_t sender,
                                   uint64_t number);

/** The member got the message. */
static inline enum tally_verdict tally_take(struct tally *tally, uint32_t member, uint32_t sender,
                                            uint64_t number)
{
    uint64_t *next = &tally->next[(size_t)member * tally->senders + sender];
    if (number != *next) {
        return tally_misplaced(tally, member, sender, number);
    }
    (*next)++;
    return TALLY_GOOD;
}

#endif
