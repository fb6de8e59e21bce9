/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench_hist.h"

static void test_small_values_are_kept_exactly(void **state)
{
    (void)state;
    struct bench_hist hist = {0};
    for (int64_t v = 1; v <= 20; v++) {
        bench_hist_record(&hist, v);
    }
    assert_int_equal(hist.count, 20);
    assert_int_equal(bench_hist_percentile(&hist, 50), 10);
    assert_int_equal(bench_hist_percentile(&hist, 90), 18);
    assert_int_equal(bench_hist_percentile(&hist, 100), 20);
    assert_int_equal(bench_hist_percentile(&hist, 0), 1);
}

static void test_percentiles_are_at_most_two_percent_off(void **state)
{
    (void)state;
    struct bench_hist *hist = test_calloc(1, sizeof *hist);
    for (int64_t v = 1; v <= 100000; v++) {
        bench_hist_record(hist, v * 1000);
    }
    for (int percent = 1; percent <= 99; percent++) {
        double exact = percent * 1e6;
        double got = (double)bench_hist_percentile(hist, percent);
        assert_true(got > exact * 0.98 && got < exact * 1.02);
    }
    assert_int_equal(hist->max, 100000000);
    test_free(hist);
}

static void test_buckets_rise_without_a_gap_and_hold_any_value(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (uint64_t v = 1; v < 100000; v++) {
        uint32_t bucket = bench_hist_bucket(v);
        assert_true(bucket == before || bucket == before + 1);
        before = bucket;
    }
    assert_int_equal(bench_hist_bucket(UINT64_MAX), HIST_BUCKETS - 1);
}

static void test_percentile_never_exceeds_the_maximum(void **state)
{
    (void)state;
    struct bench_hist hist = {0};
    bench_hist_record(&hist, 1048576);
    assert_int_equal(bench_hist_percentile(&hist, 50), 1048576);
    assert_int_equal(bench_hist_percentile(&hist, 99), 1048576);
}

static void test_empty_and_negative(void **state)
{
    (void)state;
    struct bench_hist hist = {0};
    assert_int_equal(bench_hist_percentile(&hist, 99), 0);
    bench_hist_record(&hist, -5);
    assert_int_equal(hist.count, 1);
    assert_int_equal(bench_hist_percentile(&hist, 99), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_values_are_kept_exactly),
        cmocka_unit_test(test_percentiles_are_at_most_two_percent_off),
        cmocka_unit_test(test_buckets_rise_without_a_gap_and_hold_any_value),
        cmocka_unit_test(test_percentile_never_exceeds_the_maximum),
        cmocka_unit_test(test_empty_and_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
