/* SPDX-License-Identifier: MIT */
#include "bench_tally.h"

#include <stdlib.h>

#include "base/xalloc.h"

void tally_init(struct tally *tally, uint32_t members, uint32_t senders)
{
    *tally = (struct tally){.members = members, .senders = senders};
    tally->next = xcalloc((size_t)members * senders, sizeof *tally->next);
}

void tally_finish(struct tally *tally)
{
    free(tally->next);
    free(tally->gaps);
}

static void add_gap(struct tally *tally, struct tally_gap gap)
{
    if (tally->gap_count == TALLY_GAPS_MAX) {
        return;
    }
    if (tally->gap_count == tally->gap_cap) {
        tally->gap_cap = tally->gap_cap == 0 ? 64 : 2 * tally->gap_cap;
        tally->gaps = xreallocarray(tally->gaps, tally->gap_cap, sizeof *tally->gaps);
    }
    tally->gaps[tally->gap_count++] = gap;
}

static bool remove_gap(struct tally *tally, uint32_t member, uint32_t sender, uint64_t number)
{
    for (size_t i = 0; i < tally->gap_count; i++) {
        const struct tally_gap *gap = &tally->gaps[i];
        if (gap->member == member && gap->sender == sender && gap->number == number) {
            tally->gaps[i] = tally->gaps[--tally->gap_count];
            return true;
        }
    }
    return false;
}

enum tally_verdict tally_misplaced(struct tally *tally, uint32_t member, uint32_t sender,
                                   uint64_t number)
{
    uint64_t *next = &tally->next[(size_t)member * tally->senders + sender];
    if (number > *next) {
        for (uint64_t n = *next; n < number && tally->gap_count < TALLY_GAPS_MAX; n++) {
            add_gap(tally, (struct tally_gap){member, sender, n});
        }
        *next = number + 1;
        return TALLY_GOOD;
    }
    if (remove_gap(tally, member, sender, number)) {
        tally->misordered++;
        return TALLY_GOOD;
    }
    tally->doubled++;
    return TALLY_REPEAT;
}
