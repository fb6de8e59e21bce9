/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_LABEL_H
#define CHAT_CORE_LABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/limit.h"

/*
 * A checked name with its folded form and hash, as a member or a room carries it; and the key to
 * look one up by, which needs no memory of its own for names in ASCII.
 */

struct label {
    uint32_t hash;  /* of the folded form */
    uint32_t alike; /* hash of the skeleton: skeleton.h */
    uint32_t guest; /* N when the folded form is that of the guest name N; else 0 */
    uint16_t len;
    uint16_t folded_len;
    uint16_t folded_at; /* where in text the folded form starts: 0 when it is the name itself */
    char text[];        /* the name, a NUL and, when it is another, the folded form and a NUL */
};

struct label_key {
    uint64_t seed;
    uint32_t hash;
    size_t len;
    const char *folded; /* small or heap */
    char *heap;         /* NULL when small was enough */
    char small[ROOM_NAME_CEILING_BYTES + 1];
};

/** Makes the key of a checked name. Returns: false when it has none; then there is nothing to
 * finish. */
bool label_key_init(struct label_key *key, uint64_t seed, const char *name, size_t len);
void label_key_finish(struct label_key *key);

/** Makes the label of a checked name and its key. */
struct label *label_create(const char *name, size_t len, const struct label_key *key);

const char *label_folded(const struct label *label);
bool label_is(const struct label *label, const struct label_key *key);

/** Whether the hash of the folded form is that of the skeleton, as it is of most names: then who
 * looks for a skeleton finds the name by its hash. */
bool label_has_own_skeleton(const struct label *label);
/** Whether two names look alike; skeleton.h says what that means. */
bool label_is_alike(const struct label *a, const struct label *b);
/** The same, but names of ASCII alone are held against each other like all others. */
bool label_has_skeleton_of(const struct label *a, const struct label *b);

/** Orders by the folded form, byte by byte: less than, equal to or greater than 0. */
int label_compare(const struct label *a, const struct label *b);

/** Writes the guest name for a number; returns its length. */
size_t label_guest_name(uint32_t guest, char *ret_name, size_t cap);

/** The hash of a session's number. */
uint32_t label_hash_session(uint64_t session);

/** The identity of a session's member in the log; never 0. */
uint64_t label_identity(uint64_t seed, uint64_t session);

#endif
