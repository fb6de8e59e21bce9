/* SPDX-License-Identifier: MIT */
#include "core/guest.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define WORD_BITS 64u

/* Number N is bit N - 1. */
static bool is_tracked(uint32_t guest)
{
    return guest >= 1 && guest <= GUEST_TRACKED_MAX;
}

void guest_set_finish(struct guest_set *set)
{
    free(set->words);
    *set = (struct guest_set){0};
}

void guest_set_claim(struct guest_set *set, uint32_t guest)
{
    if (!is_tracked(guest)) {
        return;
    }
    uint32_t word = (guest - 1) / WORD_BITS;
    if (word >= set->word_count) {
        uint32_t count = set->word_count == 0 ? 1 : set->word_count;
        while (count <= word) {
            count *= 2;
        }
        set->words = xreallocarray(set->words, count, sizeof(*set->words));
        memset(set->words + set->word_count, 0, (count - set->word_count) * sizeof(*set->words));
        set->word_count = count;
    }
    set->words[word] |= UINT64_C(1) << ((guest - 1) % WORD_BITS);
}

void guest_set_release(struct guest_set *set, uint32_t guest)
{
    if (guest_set_has(set, guest)) {
        set->words[(guest - 1) / WORD_BITS] &= ~(UINT64_C(1) << ((guest - 1) % WORD_BITS));
    }
}

bool guest_set_has(const struct guest_set *set, uint32_t guest)
{
    if (!is_tracked(guest) || (guest - 1) / WORD_BITS >= set->word_count) {
        return false;
    }
    return (set->words[(guest - 1) / WORD_BITS] >> ((guest - 1) % WORD_BITS)) & 1;
}

uint32_t guest_set_lowest_free(const struct guest_set *set)
{
    for (uint32_t i = 0; i < set->word_count; i++) {
        if (~set->words[i] != 0) {
            return i * WORD_BITS + (uint32_t)__builtin_ctzll(~set->words[i]) + 1;
        }
    }
    return set->word_count * WORD_BITS + 1;
}
