/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_IRC_FUZZ_WITNESS_H
#define CHAT_FRONT_IRC_FUZZ_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One IRC client as it understands what it is told: its name, its capabilities, the rooms it is in
 * and who is in them. Each line must be one that a client may be sent, and agree with what it was
 * told before; what is not ends the process.
 */

#define WITNESS_ROOMS   24
#define WITNESS_MEMBERS 8
#define WITNESS_BATCHES 8
#define WITNESS_LABELS  256
#define WITNESS_NAME    256

struct witness_room {
    char name[WITNESS_NAME];
    char members[WITNESS_MEMBERS][WITNESS_NAME];
    unsigned count;
    bool awaits_names; /* of a room just joined */
};

struct witness_batch {
    char reference[64];
    char outer[64];
    bool is_history; /* what is in it has happened before */
};

struct witness {
    bool is_registered;
    bool is_over; /* ERROR came */
    char nick[WITNESS_NAME];
    uint32_t caps;
    struct witness_room rooms[WITNESS_ROOMS];
    unsigned room_count;
    struct witness_batch batches[WITNESS_BATCHES];
    unsigned batch_count;
    unsigned labels_sent; /* l0, l1, ... */
    bool was_answered[WITNESS_LABELS];
};

/** Takes one line, without its LF. */
void witness_read(struct witness *witness, const char *line, size_t len);
/** Nothing more comes for now: what was begun is ended. */
void witness_rest(const struct witness *witness);
/** The room of that name in either case; NULL when the client is not in it. */
const struct witness_room *witness_find(const struct witness *witness, const char *room);
bool witness_has(const struct witness_room *room, const char *nick);

#endif
