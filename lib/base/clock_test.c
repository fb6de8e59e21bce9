/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last_ns = party__now_ns();
    for (int i = 0; i < 10000; i++) {
        int64_t now_ns = party__now_ns();
        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
}

static void test_deadline_lies_the_timeout_ahead(void **state)
{
    (void)state;
    int64_t before_ns = party__now_ns();
    int64_t deadline_ns = party__deadline_ns(1500);
    int64_t after_ns = party__now_ns();
    assert_true(deadline_ns >= before_ns + 1500 * PARTY__NS_PER_MS);
    assert_true(deadline_ns <= after_ns + 1500 * PARTY__NS_PER_MS);
}

static void test_deadline_of_for_ever_is_never(void **state)
{
    (void)state;
    assert_true(party__deadline_ns(-1) == PARTY__NEVER_NS);
}

static void test_deadline_beyond_the_clock_is_never(void **state)
{
    (void)state;
    assert_true(party__deadline_ns(INT64_MAX) == PARTY__NEVER_NS);
    assert_true(party__deadline_ns(INT64_MAX / PARTY__NS_PER_MS) == PARTY__NEVER_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_never_goes_back),
        cmocka_unit_test(test_deadline_lies_the_timeout_ahead),
        cmocka_unit_test(test_deadline_of_for_ever_is_never),
        cmocka_unit_test(test_deadline_beyond_the_clock_is_never),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
