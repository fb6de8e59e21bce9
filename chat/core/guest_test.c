/* SPDX-License-Identifier: MIT */
#include "core/guest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_the_lowest_free_number_is_found_after_any_release(void **state)
{
    (void)state;
    struct guest_set set = {0};
    for (uint32_t guest = 1; guest <= 1000; guest++) {
        assert_int_equal(guest_set_lowest_free(&set), guest);
        guest_set_claim(&set, guest);
    }
    guest_set_release(&set, 700);
    guest_set_release(&set, 64);
    guest_set_release(&set, 65);
    assert_false(guest_set_has(&set, 64));
    assert_int_equal(guest_set_lowest_free(&set), 64);
    guest_set_claim(&set, 64);
    assert_int_equal(guest_set_lowest_free(&set), 65);
    guest_set_claim(&set, 65);
    assert_int_equal(guest_set_lowest_free(&set), 700);
    guest_set_finish(&set);
}

static void test_numbers_that_are_too_great_take_no_memory(void **state)
{
    (void)state;
    struct guest_set set = {0};
    guest_set_claim(&set, 0);
    guest_set_claim(&set, GUEST_TRACKED_MAX + 1);
    guest_set_claim(&set, UINT32_MAX);
    assert_int_equal(set.word_count, 0);
    guest_set_release(&set, UINT32_MAX);
    assert_false(guest_set_has(&set, UINT32_MAX));
    guest_set_claim(&set, GUEST_TRACKED_MAX);
    assert_true(guest_set_has(&set, GUEST_TRACKED_MAX));
    assert_int_equal(guest_set_lowest_free(&set), 1);
    assert_in_range(set.word_count, 1, GUEST_TRACKED_MAX / 64);
    guest_set_finish(&set);
}

static void test_past_the_last_number_kept_comes_the_next(void **state)
{
    (void)state;
    struct guest_set set = {0};
    for (uint32_t guest = GUEST_TRACKED_MAX; guest >= 1; guest--) {
        guest_set_claim(&set, guest);
    }
    assert_int_equal(guest_set_lowest_free(&set), GUEST_TRACKED_MAX + 1);
    guest_set_finish(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_lowest_free_number_is_found_after_any_release),
        cmocka_unit_test(test_numbers_that_are_too_great_take_no_memory),
        cmocka_unit_test(test_past_the_last_number_kept_comes_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
