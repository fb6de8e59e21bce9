/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench_tally.h"

static int setup(void **state)
{
    struct tally *tally = test_calloc(1, sizeof *tally);
    tally_init(tally, 3, 2);
    *state = tally;
    return 0;
}

static int teardown(void **state)
{
    tally_finish(*state);
    test_free(*state);
    return 0;
}

static void test_numbers_in_order_are_good_for_each_member_and_sender(void **state)
{
    struct tally *tally = *state;
    for (uint64_t number = 0; number < 100; number++) {
        for (uint32_t member = 0; member < 3; member++) {
            for (uint32_t sender = 0; sender < 2; sender++) {
                assert_int_equal(tally_take(tally, member, sender, number), TALLY_GOOD);
            }
        }
    }
    assert_int_equal(tally->doubled + tally->misordered + tally->gap_count, 0);
}

static void test_a_repeat_is_doubled(void **state)
{
    struct tally *tally = *state;
    assert_int_equal(tally_take(tally, 1, 1, 0), TALLY_GOOD);
    assert_int_equal(tally_take(tally, 1, 1, 0), TALLY_REPEAT);
    assert_int_equal(tally_take(tally, 1, 1, 1), TALLY_GOOD);
    assert_int_equal(tally_take(tally, 1, 1, 0), TALLY_REPEAT);
    assert_int_equal(tally->doubled, 2);
    assert_int_equal(tally->misordered, 0);
}

static void test_a_message_that_was_overtaken_is_out_of_order_and_not_lost(void **state)
{
    struct tally *tally = *state;
    assert_int_equal(tally_take(tally, 2, 0, 2), TALLY_GOOD);
    assert_int_equal(tally->gap_count, 2);
    assert_int_equal(tally_take(tally, 2, 0, 1), TALLY_GOOD);
    assert_int_equal(tally_take(tally, 2, 0, 3), TALLY_GOOD);
    assert_int_equal(tally->misordered, 1);
    assert_int_equal(tally->gap_count, 1);
    assert_int_equal(tally_take(tally, 2, 0, 1), TALLY_REPEAT);
    assert_int_equal(tally->doubled, 1);
}

static void test_gaps_of_one_member_are_not_those_of_another(void **state)
{
    struct tally *tally = *state;
    assert_int_equal(tally_take(tally, 0, 0, 1), TALLY_GOOD);
    assert_int_equal(tally_take(tally, 1, 0, 0), TALLY_GOOD);
    assert_int_equal(tally_take(tally, 0, 1, 0), TALLY_GOOD);
    assert_int_equal(tally->gap_count, 1);
    assert_int_equal(tally->misordered, 0);
}

static void test_a_wild_number_costs_bounded_memory(void **state)
{
    struct tally *tally = *state;
    assert_int_equal(tally_take(tally, 0, 0, UINT64_C(1) << 35), TALLY_GOOD);
    assert_int_equal(tally->gap_count, TALLY_GAPS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_numbers_in_order_are_good_for_each_member_and_sender,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_repeat_is_doubled, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_a_message_that_was_overtaken_is_out_of_order_and_not_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gaps_of_one_member_are_not_those_of_another, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_a_wild_number_costs_bounded_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
