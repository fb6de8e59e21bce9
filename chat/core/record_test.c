/* SPDX-License-Identifier: MIT */
#include "core/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_what_was_put_comes_back(void **state)
{
    (void)state;
    struct record_out out = {0};
    record_puts(&out, "alice");
    record_put(&out, NULL, 0);
    record_put_number(&out, UINT64_C(18446744073709551));
    record_end(&out);
    record_end(&out);
    record_puts(&out, "two\nlines");
    record_end(&out);
    assert_int_equal(out.count, 3);

    struct record_in in = {out.bytes, out.len};
    struct record_field fields[4];
    assert_true(record_next(&in, fields, 4));
    assert_string_equal(fields[0].text, "alice");
    assert_int_equal(fields[1].len, 0);
    assert_int_equal(record_number(&fields[2]), UINT64_C(18446744073709551));
    assert_string_equal(fields[3].text, "");
    assert_true(record_next(&in, fields, 1));
    assert_int_equal(fields[0].len, 0);
    assert_true(record_next(&in, fields, 1));
    assert_string_equal(fields[0].text, "two\nlines");
    assert_false(record_next(&in, fields, 1));
    record_out_finish(&out);
}

static void test_what_is_cut_is_no_record(void **state)
{
    (void)state;
    struct record_field field;
    const char *const cut[] = {"a", "a\0", "a\0b"};
    const size_t lens[] = {1, 2, 3};
    for (size_t i = 0; i < 3; i++) {
        struct record_in in = {cut[i], lens[i]};
        assert_false(record_next(&in, &field, 1));
        assert_int_equal(in.len, 0);
    }
    struct record_in none = {NULL, 0};
    assert_false(record_next(&none, &field, 1));
}

static void test_numbers(void **state)
{
    (void)state;
    const struct record_field fields[] = {
        {"", 0}, {"12x", 3}, {"99999999999999999999", 20}, {"7", 1}};
    const uint64_t numbers[] = {0, 0, 0, 7};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(record_number(&fields[i]), numbers[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_comes_back),
        cmocka_unit_test(test_what_is_cut_is_no_record),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
