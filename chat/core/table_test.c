/* SPDX-License-Identifier: MIT */
#include "core/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct item {
    uint32_t key;
    uint32_t hash;
    bool is_in;
};

static uint32_t hash_of(const void *item)
{
    return ((const struct item *)item)->hash;
}

static bool is_key(const void *item, const void *key)
{
    return ((const struct item *)item)->key == *(const uint32_t *)key;
}

static void check_all(const struct table *table, struct item *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        void *found = table_find(table, items[i].hash, is_key, &items[i].key);
        assert_ptr_equal(found, items[i].is_in ? &items[i] : NULL);
    }
}

static void test_an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct table table = {.hash_of = hash_of};
    uint32_t key = 1;
    assert_null(table_find(&table, 1, is_key, &key));
    table_finish(&table);
}

/* Few hashes make long runs that wrap around the end, where removal has most to move. */
static void test_items_that_collide_stay_found_while_others_go(void **state)
{
    (void)state;
    enum { COUNT = 200, STEPS = 20000 };
    static struct item items[COUNT];
    static const uint32_t hash_counts[] = {1, 3, 17, 1000000};
    for (size_t round = 0; round < 4; round++) {
        struct table table = {.hash_of = hash_of};
        uint32_t random = 1;
        uint32_t in = 0;
        for (uint32_t i = 0; i < COUNT; i++) {
            uint32_t hash = UINT32_MAX - (i * 2654435761u) % hash_counts[round];
            items[i] = (struct item){.key = i, .hash = hash};
        }
        for (unsigned step = 0; step < STEPS; step++) {
            random = random * 1664525u + 1013904223u;
            struct item *item = &items[(random >> 8) % COUNT];
            if (item->is_in) {
                table_remove(&table, item);
            } else {
                table_add(&table, item);
            }
            item->is_in = !item->is_in;
            in += item->is_in ? 1 : UINT32_MAX;
            assert_int_equal(table.count, in);
            if (step % 50 == 0) {
                check_all(&table, items, COUNT);
            }
        }
        assert_in_range(table.cap, 1, 512);
        table_finish(&table);
        assert_int_equal(table.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_table_finds_nothing),
        cmocka_unit_test(test_items_that_collide_stay_found_while_others_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
