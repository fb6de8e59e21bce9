/* SPDX-License-Identifier: MIT */
#include "fail_malloc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The compiler may drop an allocation nobody looks at; what goes through here it must make. */
static void *volatile sink;

static int allocate_three(void *user)
{
    size_t *run_count = user;
    (*run_count)++;
    int r = -ENOMEM;
    sink = malloc(10);
    void *a = sink;
    sink = strdup("text");
    void *b = sink;
    sink = reallocarray(NULL, 3, 7);
    void *c = sink;
    if (a != NULL && b != NULL && c != NULL) {
        r = 0;
    }
    free(c);
    free(b);
    free(a);
    return r;
}

static void test_each_allocation_fails_once_in_both_modes(void **state)
{
    (void)state;
    size_t run_count = 0;
    size_t points = assert_survives_malloc_failure(allocate_three, &run_count);
    assert_int_equal(points, 3);
    /* Each mode: three runs that fail, and one that gets through. */
    assert_int_equal(run_count, 8);
}

static int leak_first_when_second_fails(void *user)
{
    void **ret_leaked = user;
    sink = malloc(1);
    void *first = sink;
    if (first == NULL) {
        return -ENOMEM;
    }
    sink = malloc(1);
    void *second = sink;
    if (second == NULL) {
        *ret_leaked = first;
        return -ENOMEM;
    }
    free(second);
    free(first);
    return 0;
}

static void test_a_leak_on_failure_is_found(void **state)
{
    (void)state;
    size_t points;
    void *leaked = NULL;
    struct fail_malloc_fault fault = {0};
    assert_false(fail_malloc_try(leak_first_when_second_fails, &leaked, false, &points, &fault));
    assert_string_equal(fault.what, "allocations left");
    assert_int_equal(fault.nth, 2);
    assert_int_equal(fault.got, fault.wanted + 1);
    free(leaked);
}

static int leave_descriptor_open(void *user)
{
    int *ret_fd = user;
    sink = malloc(1);
    void *p = sink;
    if (p == NULL) {
        *ret_fd = dup(STDERR_FILENO);
        return -ENOMEM;
    }
    free(p);
    return 0;
}

static void test_a_descriptor_left_open_is_found(void **state)
{
    (void)state;
    size_t points;
    int fd = -1;
    struct fail_malloc_fault fault = {0};
    assert_false(fail_malloc_try(leave_descriptor_open, &fd, false, &points, &fault));
    assert_string_equal(fault.what, "descriptors left");
    close(fd);
}

static int swallow_failure(void *user)
{
    (void)user;
    sink = malloc(1);
    void *p = sink;
    free(p);
    return 0;
}

static void test_a_swallowed_failure_is_found_unless_recovery_is_allowed(void **state)
{
    (void)state;
    size_t points;
    struct fail_malloc_fault fault = {0};
    assert_false(fail_malloc_try(swallow_failure, NULL, false, &points, &fault));
    assert_string_equal(fault.what, "result");
    assert_true(fail_malloc_try(swallow_failure, NULL, true, &points, &fault));
    assert_int_equal(points, 1);
}

static int do_nothing(void *user)
{
    (void)user;
    return 0;
}

static void test_a_scenario_without_allocations_is_a_fault(void **state)
{
    (void)state;
    size_t points;
    struct fail_malloc_fault fault = {0};
    assert_false(fail_malloc_try(do_nothing, NULL, false, &points, &fault));
    assert_string_equal(fault.what, "allocations in one run");
}

static void test_armed_once_fails_only_the_nth(void **state)
{
    (void)state;
    fail_malloc_arm(2, FAIL_MALLOC_ONCE);
    sink = malloc(1);
    void *first = sink;
    sink = calloc(1, 1);
    void *second = sink;
    int second_errno = errno;
    sink = malloc(1);
    void *third = sink;
    size_t failed_count = fail_malloc_disarm();
    free(third);
    free(first);
    assert_non_null(first);
    assert_null(second);
    assert_int_equal(second_errno, ENOMEM);
    assert_non_null(third);
    assert_int_equal(failed_count, 1);
}

static void test_armed_from_nth_fails_all_later_ones(void **state)
{
    (void)state;
    fail_malloc_arm(1, FAIL_MALLOC_FROM_NTH);
    sink = malloc(1);
    void *first = sink;
    sink = strndup("abc", 2);
    void *second = sink;
    size_t failed_count = fail_malloc_disarm();
    assert_null(first);
    assert_null(second);
    assert_int_equal(failed_count, 2);
}

static void test_outstanding_follows_realloc_and_free(void **state)
{
    (void)state;
    size_t before = fail_malloc_outstanding();
    sink = malloc(16);
    void *p = sink;
    assert_int_equal(fail_malloc_outstanding(), before + 1);
    sink = realloc(p, 1 << 20);
    p = sink;
    assert_non_null(p);
    assert_int_equal(fail_malloc_outstanding(), before + 1);
    void *volatile kept = p;
    fail_malloc_arm(1, FAIL_MALLOC_ONCE);
    sink = realloc(p, 1 << 21);
    void *refused = sink;
    (void)fail_malloc_disarm();
    assert_null(refused);
    assert_int_equal(fail_malloc_outstanding(), before + 1);
    /* Through volatile, as gcc takes p for freed by the realloc that was made to fail. */
    sink = kept;
    free(sink);
    assert_int_equal(fail_malloc_outstanding(), before);
}

static void test_thousands_of_pointers_are_told_apart(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static void *all[COUNT];
    size_t before = fail_malloc_outstanding();
    for (size_t i = 0; i < COUNT; i++) {
        sink = malloc(i % 64 + 1);
        all[i] = sink;
        assert_non_null(all[i]);
    }
    assert_int_equal(fail_malloc_outstanding(), before + COUNT);
    for (size_t i = 0; i < COUNT; i += 2) {
        free(all[i]);
    }
    assert_int_equal(fail_malloc_outstanding(), before + COUNT / 2);
    for (size_t i = 1; i < COUNT; i += 2) {
        free(all[i]);
    }
    assert_int_equal(fail_malloc_outstanding(), before);
}

static void test_strndup_copies_no_more_than_asked(void **state)
{
    (void)state;
    char *copy = strndup("abcdef", 3);
    assert_string_equal(copy, "abc");
    free(copy);
    copy = strdup("abcdef");
    assert_string_equal(copy, "abcdef");
    free(copy);
}

static void test_reallocarray_refuses_a_product_that_overflows(void **state)
{
    (void)state;
    volatile size_t half = SIZE_MAX / 2;
    sink = reallocarray(NULL, half, 3);
    assert_null(sink);
}

static void test_open_fds_counts_a_pipe_as_two(void **state)
{
    (void)state;
    size_t before = fail_malloc_open_fds();
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fail_malloc_open_fds(), before + 2);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(fail_malloc_open_fds(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation_fails_once_in_both_modes),
        cmocka_unit_test(test_armed_once_fails_only_the_nth),
        cmocka_unit_test(test_armed_from_nth_fails_all_later_ones),
        cmocka_unit_test(test_outstanding_follows_realloc_and_free),
        cmocka_unit_test(test_thousands_of_pointers_are_told_apart),
        cmocka_unit_test(test_strndup_copies_no_more_than_asked),
        cmocka_unit_test(test_reallocarray_refuses_a_product_that_overflows),
        cmocka_unit_test(test_a_leak_on_failure_is_found),
        cmocka_unit_test(test_a_descriptor_left_open_is_found),
        cmocka_unit_test(test_a_swallowed_failure_is_found_unless_recovery_is_allowed),
        cmocka_unit_test(test_a_scenario_without_allocations_is_a_fault),
        cmocka_unit_test(test_open_fds_counts_a_pipe_as_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
