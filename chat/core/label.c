/* SPDX-License-Identifier: MIT */
#include "core/label.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "core/name.h"
#include "core/skeleton.h"

#define GUEST_PREFIX     "guest"
#define GUEST_PREFIX_LEN (sizeof(GUEST_PREFIX) - 1)
#define GUEST_MAX_DIGITS 9 /* always fits in 32 bits */

/* The finisher of splitmix64: every bit of the input changes half of the output's. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    x ^= x >> 31;
    return x;
}

static uint32_t hash_bytes(uint64_t seed, const char *bytes, size_t len)
{
    uint64_t hash = mix(seed ^ len);
    while (len >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        hash = mix(hash ^ word) + seed;
        bytes += sizeof(word);
        len -= sizeof(word);
    }
    uint64_t rest = 0;
    for (size_t i = 0; i < len; i++) {
        rest |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    }
    return (uint32_t)mix(hash ^ rest);
}

uint32_t label_hash_session(uint64_t session)
{
    return (uint32_t)mix(session);
}

uint64_t label_identity(uint64_t seed, uint64_t session)
{
    uint64_t identity = mix(mix(seed) + session);
    return identity != 0 ? identity : 1;
}

/* Folds a name of ASCII into small; false when it has other bytes or does not fit. */
static bool fold_small(struct label_key *key, const char *name, size_t len)
{
    if (len >= sizeof(key->small)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        if ((unsigned char)c >= 0x80) {
            return false;
        }
        key->small[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    key->small[len] = '\0';
    return true;
}

bool label_key_init(struct label_key *key, uint64_t seed, const char *name, size_t len)
{
    key->seed = seed;
    key->heap = NULL;
    key->len = len;
    if (fold_small(key, name, len)) {
        key->folded = key->small;
    } else {
        key->heap = name_fold(name, len, &key->len);
        if (key->heap == NULL || key->len == 0 || key->len > UINT16_MAX / 2) {
            free(key->heap);
            return false;
        }
        key->folded = key->heap;
    }
    key->hash = hash_bytes(seed, key->folded, key->len);
    return true;
}

void label_key_finish(struct label_key *key)
{
    free(key->heap);
}

/* The N of "guestN" as label_guest_name writes it, or 0. */
static uint32_t guest_number(const char *folded, size_t len)
{
    if (len <= GUEST_PREFIX_LEN || len > GUEST_PREFIX_LEN + GUEST_MAX_DIGITS ||
        memcmp(folded, GUEST_PREFIX, GUEST_PREFIX_LEN) != 0 || folded[GUEST_PREFIX_LEN] == '0') {
        return 0;
    }
    uint32_t number = 0;
    for (size_t i = GUEST_PREFIX_LEN; i < len; i++) {
        if (folded[i] < '0' || folded[i] > '9') {
            return 0;
        }
        number = number * 10 + (uint32_t)(folded[i] - '0');
    }
    return number;
}

static uint32_t hash_skeleton(const char *name, size_t len, const struct label_key *key)
{
    size_t skeleton_len;
    char *skeleton = skeleton_of_name(name, len, &skeleton_len);
    uint32_t hash = skeleton != NULL ? hash_bytes(key->seed, skeleton, skeleton_len) : key->hash;
    free(skeleton);
    return hash;
}

struct label *label_create(const char *name, size_t len, const struct label_key *key)
{
    assert(len < UINT16_MAX / 2);
    bool is_same = len == key->len && memcmp(name, key->folded, len) == 0;
    size_t size = len + 1 + (is_same ? 0 : key->len + 1);
    struct label *label = xmalloc(offsetof(struct label, text) + size);
    label->hash = key->hash;
    label->alike = hash_skeleton(name, len, key);
    label->guest = guest_number(key->folded, key->len);
    label->len = (uint16_t)len;
    label->folded_len = (uint16_t)key->len;
    label->folded_at = 0;
    memcpy(label->text, name, len);
    label->text[len] = '\0';
    if (!is_same) {
        label->folded_at = (uint16_t)(len + 1);
        memcpy(label->text + label->folded_at, key->folded, key->len);
        label->text[label->folded_at + key->len] = '\0';
    }
    return label;
}

const char *label_folded(const struct label *label)
{
    return label->text + label->folded_at;
}

bool label_is(const struct label *label, const struct label_key *key)
{
    return label->hash == key->hash && label->folded_len == key->len &&
           memcmp(label_folded(label), key->folded, key->len) == 0;
}

bool label_has_own_skeleton(const struct label *label)
{
    return label->alike == label->hash;
}

bool label_has_skeleton_of(const struct label *a, const struct label *b)
{
    if (a->alike != b->alike) {
        return false;
    }
    /* Made once more, rather than kept. */
    size_t a_len = 0;
    size_t b_len = 0;
    char *a_made = skeleton_of_name(a->text, a->len, &a_len);
    char *b_made = skeleton_of_name(b->text, b->len, &b_len);
    bool is_same =
        a_made != NULL && b_made != NULL && a_len == b_len && memcmp(a_made, b_made, a_len) == 0;
    free(a_made);
    free(b_made);
    return is_same;
}

bool label_is_alike(const struct label *a, const struct label *b)
{
    return a->alike == b->alike &&
           skeleton_counts(label_folded(a), a->folded_len, label_folded(b), b->folded_len) &&
           label_has_skeleton_of(a, b);
}

int label_compare(const struct label *a, const struct label *b)
{
    size_t shorter = a->folded_len < b->folded_len ? a->folded_len : b->folded_len;
    int order = memcmp(label_folded(a), label_folded(b), shorter);
    return order != 0 ? order : (int)a->folded_len - (int)b->folded_len;
}

size_t label_guest_name(uint32_t guest, char *ret_name, size_t cap)
{
    return (size_t)snprintf(ret_name, cap, GUEST_PREFIX "%u", guest);
}
