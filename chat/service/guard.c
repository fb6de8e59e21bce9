/* SPDX-License-Identifier: MIT */
#include "service/guard.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/xalloc.h"

/*
 * A hash table of addresses with chains, its entries in one array and linked by index. An entry is
 * in one of three states: free (in the list of free ones), busy (it has connections), idle (it has
 * none, and stands in the idle list, the longest idle first). Each admission looks at two heads of
 * the idle list at most and forgets those whose bucket is full again, so the table shrinks as fast
 * as it grows and no call ever sweeps it. One that gave wrong passwords stays for some minutes, and
 * those behind it in the list with it: the table's bound is what counts.
 *
 * The rate is a token bucket kept as one time (GCRA): full_ns is when the bucket will be full.
 * Each connection moves it on by one interval; it may not be more than a minute away.
 */

#define CHAINS       16384 /* a power of two; 4 entries each when the table is full */
#define NONE         UINT32_MAX
#define MINUTE_NS    60000000000LL
#define RECLAIM_MOST 2

struct address_key {
    uint64_t prefix;
    uint8_t family; /* 4 or 6; 0: not limited by address */
};

struct entry {
    struct address_key key;
    uint32_t connections;
    int64_t full_ns;
    int64_t wait_until_ns, forgive_ns; /* of wrong passwords; 0 when there was none */
    uint32_t wrong;                    /* passwords, none when forgive_ns has passed */
    uint32_t next;                     /* in the chain, or in the free list */
    uint32_t idle_prev, idle_next;     /* in the idle list */
};

struct guard {
    pthread_mutex_t mutex; /* for all below but seed */
    struct guard_settings settings;
    size_t connections;
    size_t addresses; /* entries that are busy or idle */
    struct entry *entries;
    uint32_t made, cap; /* entries ever used, and room for them */
    uint32_t free_head, idle_head, idle_tail;
    uint32_t chains[CHAINS];
    uint64_t seed[2]; /* the hash's: peers choose their addresses, and must not choose chains */
};

/* ---- addresses ---- */

static uint64_t read_be(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;

    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static struct address_key key_of(const struct party_address *peer)
{
    struct address_key key = {0, 0};
    const struct in6_addr *in6 = &peer->u.in6.sin6_addr;

    if (peer->len >= sizeof peer->u.in && peer->u.sa.sa_family == AF_INET) {
        key.family = 4;
        key.prefix = ntohl(peer->u.in.sin_addr.s_addr);
    } else if (peer->len >= sizeof peer->u.in6 && peer->u.sa.sa_family == AF_INET6) {
        bool is_mapped = IN6_IS_ADDR_V4MAPPED(in6);
        key.family = is_mapped ? 4 : 6;
        key.prefix = is_mapped ? read_be(in6->s6_addr + 12, 4) : read_be(in6->s6_addr, 8);
    }
    return key;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 of the nine bytes of a key. */
static uint32_t chain_of(const struct guard *guard, struct address_key key)
{
    const uint64_t blocks[2] = {key.prefix, 9ULL << 56 | key.family};
    uint64_t v[4] = {guard->seed[0] ^ 0x736f6d6570736575ULL, guard->seed[1] ^ 0x646f72616e646f6dULL,
                     guard->seed[0] ^ 0x6c7967656e657261ULL,
                     guard->seed[1] ^ 0x7465646279746573ULL};

    for (int i = 0; i < 2; i++) {
        v[3] ^= blocks[i];
        sip_round(v);
        v[0] ^= blocks[i];
    }
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) {
        sip_round(v);
    }
    return (uint32_t)(v[0] ^ v[1] ^ v[2] ^ v[3]) & (CHAINS - 1);
}

/* ---- entries ---- */

static uint32_t find(const struct guard *guard, struct address_key key)
{
    uint32_t at = guard->chains[chain_of(guard, key)];

    while (at != NONE && (guard->entries[at].key.prefix != key.prefix ||
                          guard->entries[at].key.family != key.family)) {
        at = guard->entries[at].next;
    }
    return at;
}

static void idle_remove(struct guard *guard, uint32_t at)
{
    const struct entry *entry = &guard->entries[at];

    if (entry->idle_prev != NONE) {
        guard->entries[entry->idle_prev].idle_next = entry->idle_next;
    } else {
        guard->idle_head = entry->idle_next;
    }
    if (entry->idle_next != NONE) {
        guard->entries[entry->idle_next].idle_prev = entry->idle_prev;
    } else {
        guard->idle_tail = entry->idle_prev;
    }
}

static void idle_append(struct guard *guard, uint32_t at)
{
    struct entry *entry = &guard->entries[at];

    entry->idle_prev = guard->idle_tail;
    entry->idle_next = NONE;
    if (guard->idle_tail != NONE) {
        guard->entries[guard->idle_tail].idle_next = at;
    } else {
        guard->idle_head = at;
    }
    guard->idle_tail = at;
}

/* Frees the longest idle entry. */
static void forget_head(struct guard *guard)
{
    uint32_t at = guard->idle_head;
    uint32_t *link = &guard->chains[chain_of(guard, guard->entries[at].key)];

    idle_remove(guard, at);
    while (*link != at) {
        link = &guard->entries[*link].next;
    }
    *link = guard->entries[at].next;
    guard->entries[at].next = guard->free_head;
    guard->free_head = at;
    guard->addresses--;
}

static void reclaim(struct guard *guard, int64_t now_ns)
{
    for (int i = 0; i < RECLAIM_MOST && guard->idle_head != NONE; i++) {
        const struct entry *entry = &guard->entries[guard->idle_head];
        if (entry->full_ns > now_ns || entry->forgive_ns > now_ns) {
            break;
        }
        forget_head(guard);
    }
}

/* Returns: a fresh idle entry, or NONE when every address has connections. */
static uint32_t add(struct guard *guard, struct address_key key, int64_t now_ns)
{
    if (guard->addresses == GUARD_ADDRESSES_MAX) {
        if (guard->idle_head == NONE) {
            return NONE;
        }
        forget_head(guard);
    }
    uint32_t at = guard->free_head;
    if (at != NONE) {
        guard->free_head = guard->entries[at].next;
    } else {
        if (guard->made == guard->cap) {
            guard->cap = guard->cap == 0 ? 64 : guard->cap * 2;
            guard->entries = xreallocarray(guard->entries, guard->cap, sizeof *guard->entries);
        }
        at = guard->made++;
    }
    uint32_t *chain = &guard->chains[chain_of(guard, key)];
    guard->entries[at] = (struct entry){.key = key, .full_ns = now_ns, .next = *chain};
    *chain = at;
    idle_append(guard, at);
    guard->addresses++;
    return at;
}

/* ---- admission, with the mutex held ---- */

static enum guard_verdict admit_entry(const struct guard *guard, struct entry *entry,
                                      int64_t now_ns)
{
    const struct guard_settings *settings = &guard->settings;

    if (settings->per_address > 0 && entry->connections >= settings->per_address) {
        return GUARD_TOO_MANY;
    }
    if (settings->rate_per_minute > 0) {
        int64_t interval = MINUTE_NS / settings->rate_per_minute;
        int64_t full_ns = (entry->full_ns > now_ns ? entry->full_ns : now_ns) + interval;
        if (full_ns - now_ns > MINUTE_NS) {
            return GUARD_TOO_FAST;
        }
        entry->full_ns = full_ns;
    }
    return GUARD_OK;
}

static enum guard_verdict admit_key(struct guard *guard, struct address_key key, int64_t now_ns)
{
    uint32_t at = find(guard, key);

    if (at == NONE) {
        at = add(guard, key, now_ns);
    }
    if (at == NONE) {
        /*
         * Not counted by address, since no limit asks for it. Should one be set later, the count
         * of this address starts low; it never goes below zero.
         */
        bool is_limited = guard->settings.per_address > 0 || guard->settings.rate_per_minute > 0;
        return is_limited ? GUARD_FULL : GUARD_OK;
    }
    struct entry *entry = &guard->entries[at];
    enum guard_verdict verdict = admit_entry(guard, entry, now_ns);
    if (verdict == GUARD_OK && entry->connections++ == 0) {
        idle_remove(guard, at);
    }
    return verdict;
}

static enum guard_verdict admit(struct guard *guard, struct address_key key, int64_t now_ns)
{
    enum guard_verdict verdict = GUARD_OK;

    if (guard->settings.total > 0 && guard->connections >= guard->settings.total) {
        return GUARD_FULL;
    }
    if (key.family != 0) {
        reclaim(guard, now_ns);
        verdict = admit_key(guard, key, now_ns);
    }
    if (verdict == GUARD_OK) {
        guard->connections++;
    }
    return verdict;
}

static void release(struct guard *guard, struct address_key key)
{
    assert(guard->connections > 0);
    guard->connections--;
    uint32_t at = key.family != 0 ? find(guard, key) : NONE;
    if (at != NONE && guard->entries[at].connections > 0 && --guard->entries[at].connections == 0) {
        idle_append(guard, at);
    }
}

/* ---- wrong passwords, with the mutex held ---- */

#define SECOND_NS 1000000000LL

static void count_wrong(struct guard *guard, struct address_key key, int64_t now_ns)
{
    uint32_t at = find(guard, key);

    /* Its connection may be gone by now. */
    at = at != NONE ? at : add(guard, key, now_ns);
    if (at == NONE) {
        return; /* it came when every address had connections, and no limit asked for a count */
    }
    struct entry *entry = &guard->entries[at];
    uint32_t tries = guard->settings.password_tries;
    entry->wrong = entry->forgive_ns > now_ns ? entry->wrong + 1 : 1;
    entry->wait_until_ns = now_ns;
    if (tries > 0 && entry->wrong >= tries) {
        uint32_t doublings = entry->wrong - tries < 6 ? entry->wrong - tries : 6;
        int64_t wait_s = (int64_t)GUARD_WAIT_S << doublings;
        entry->wait_until_ns += (wait_s < GUARD_WAIT_MAX_S ? wait_s : GUARD_WAIT_MAX_S) * SECOND_NS;
    }
    entry->forgive_ns = entry->wait_until_ns + GUARD_FORGIVE_S * SECOND_NS;
}

/* ---- interface ---- */

struct guard *guard_create(const struct guard_settings *settings)
{
    struct guard *guard = xcalloc(1, sizeof *guard);

    pthread_mutex_init(&guard->mutex, NULL); /* Cannot fail with default attributes. */
    guard->settings = *settings;
    guard->free_head = NONE;
    guard->idle_head = NONE;
    guard->idle_tail = NONE;
    memset(guard->chains, 0xff, sizeof guard->chains); /* NONE each */
    /* Should this fail (a sandbox), the table works on, only open to chosen collisions. */
    (void)!getrandom(guard->seed, sizeof guard->seed, 0);
    return guard;
}

void guard_destroy(struct guard *guard)
{
    if (guard == NULL) {
        return;
    }
    pthread_mutex_destroy(&guard->mutex);
    free(guard->entries);
    free(guard);
}

void guard_set_settings(struct guard *guard, const struct guard_settings *settings)
{
    pthread_mutex_lock(&guard->mutex);
    guard->settings = *settings;
    pthread_mutex_unlock(&guard->mutex);
}

enum guard_verdict guard_admit(struct guard *guard, const struct party_address *peer,
                               int64_t now_ns)
{
    struct address_key key = key_of(peer);

    pthread_mutex_lock(&guard->mutex);
    enum guard_verdict verdict = admit(guard, key, now_ns);
    pthread_mutex_unlock(&guard->mutex);
    return verdict;
}

void guard_release(struct guard *guard, const struct party_address *peer)
{
    struct address_key key = key_of(peer);

    pthread_mutex_lock(&guard->mutex);
    release(guard, key);
    pthread_mutex_unlock(&guard->mutex);
}

int64_t guard_password_wait_ns(struct guard *guard, const struct party_address *peer,
                               int64_t now_ns)
{
    struct address_key key = key_of(peer);
    int64_t wait_ns = 0;

    pthread_mutex_lock(&guard->mutex);
    uint32_t at = key.family != 0 ? find(guard, key) : NONE;
    if (at != NONE && guard->settings.password_tries > 0 &&
        guard->entries[at].wait_until_ns > now_ns) {
        wait_ns = guard->entries[at].wait_until_ns - now_ns;
    }
    pthread_mutex_unlock(&guard->mutex);
    return wait_ns;
}

void guard_password_wrong(struct guard *guard, const struct party_address *peer, int64_t now_ns)
{
    struct address_key key = key_of(peer);

    pthread_mutex_lock(&guard->mutex);
    if (key.family != 0) {
        count_wrong(guard, key, now_ns);
    }
    pthread_mutex_unlock(&guard->mutex);
}

size_t guard_connections(struct guard *guard)
{
    pthread_mutex_lock(&guard->mutex);
    size_t count = guard->connections;
    pthread_mutex_unlock(&guard->mutex);
    return count;
}

size_t guard_addresses(struct guard *guard)
{
    pthread_mutex_lock(&guard->mutex);
    size_t count = guard->addresses;
    pthread_mutex_unlock(&guard->mutex);
    return count;
}
