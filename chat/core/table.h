/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_TABLE_H
#define CHAT_CORE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A look-up table of pointers: open addressing with linear probing, at most three quarters full.
 * The items keep their own keys and hashes, so an item costs eight bytes and the free slots. There
 * is no way to walk it, since its order would depend on what was added when.
 *
 *     struct table table = {.hash_of = member_hash};
 *     table_add(&table, member);
 *     member = table_find(&table, hash, is_session, &session);
 */
struct table {
    void **slots;
    uint32_t cap; /* a power of two, or 0 */
    uint32_t count;
    uint32_t (*hash_of)(const void *item);
};

typedef bool (*table_is_fn)(const void *item, const void *key);

void table_finish(struct table *table);

/** The item with this hash for which is(item, key) holds, or NULL. */
void *table_find(const struct table *table, uint32_t hash, table_is_fn is, const void *key);

/** Adds an item that is not in the table. Several may have the same hash, and even the same key:
 * which of them table_find finds first is not said. */
void table_add(struct table *table, void *item);

/** Removes an item that is in the table; its hash must be that of when it was added. */
void table_remove(struct table *table, const void *item);

#endif
