/* SPDX-License-Identifier: MIT */
#include "core/table.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define FIRST_CAP 16u

static void put(struct table *table, void *item)
{
    uint32_t mask = table->cap - 1;
    uint32_t at = table->hash_of(item) & mask;
    while (table->slots[at] != NULL) {
        at = (at + 1) & mask;
    }
    table->slots[at] = item;
}

static void grow(struct table *table)
{
    void **old_slots = table->slots;
    uint32_t old_cap = table->cap;
    assert(old_cap < UINT32_MAX / 4);
    table->cap = old_cap == 0 ? FIRST_CAP : old_cap * 2;
    table->slots = xcalloc(table->cap, sizeof(*table->slots));
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old_slots[i] != NULL) {
            put(table, old_slots[i]);
        }
    }
    free(old_slots);
}

void table_finish(struct table *table)
{
    free(table->slots);
    table->slots = NULL;
    table->cap = 0;
    table->count = 0;
}

void *table_find(const struct table *table, uint32_t hash, table_is_fn is, const void *key)
{
    if (table->count == 0) {
        return NULL;
    }
    uint32_t mask = table->cap - 1;
    for (uint32_t at = hash & mask; table->slots[at] != NULL; at = (at + 1) & mask) {
        if (is(table->slots[at], key)) {
            return table->slots[at];
        }
    }
    return NULL;
}

void table_add(struct table *table, void *item)
{
    if (table->count >= table->cap - table->cap / 4) {
        grow(table);
    }
    put(table, item);
    table->count++;
}

void table_remove(struct table *table, const void *item)
{
    uint32_t mask = table->cap - 1;
    uint32_t hole = table->hash_of(item) & mask;
    while (table->slots[hole] != item) {
        assert(table->slots[hole] != NULL);
        hole = (hole + 1) & mask;
    }
    /* Instead of leaving a mark behind, move each later item of the run into the hole when the hole
     * lies on its way from where its hash would put it. */
    for (uint32_t at = (hole + 1) & mask; table->slots[at] != NULL; at = (at + 1) & mask) {
        uint32_t home = table->hash_of(table->slots[at]) & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->slots[hole] = table->slots[at];
            hole = at;
        }
    }
    table->slots[hole] = NULL;
    table->count--;
}
