/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_GUEST_H
#define CHAT_CORE_GUEST_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Which guest numbers are taken. Only numbers up to GUEST_TRACKED_MAX are kept, so that a user who
 * takes the name guest999999999 does not make the set large.
 */

#define GUEST_TRACKED_MAX (1u << 20)

/* Zeroed it is empty. */
struct guest_set {
    uint64_t *words;
    uint32_t word_count;
};

void guest_set_finish(struct guest_set *set);

/** Takes a number; 0 and those beyond GUEST_TRACKED_MAX are ignored, in guest_set_release too. */
void guest_set_claim(struct guest_set *set, uint32_t guest);
void guest_set_release(struct guest_set *set, uint32_t guest);
bool guest_set_has(const struct guest_set *set, uint32_t guest);

/** The lowest number not taken, at least 1; GUEST_TRACKED_MAX + 1 when all those kept are taken. */
uint32_t guest_set_lowest_free(const struct guest_set *set);

#endif
