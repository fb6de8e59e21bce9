/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <locale.h>

#include <cmocka.h>

#include "prompt_rows.h"

static int set_locale(void **state)
{
    (void)state;
    return setlocale(LC_CTYPE, "C.UTF-8") ? 0 : -1;
}

static struct prompt_rows lay_out(unsigned columns, const wchar_t *text)
{
    struct prompt_rows rows = {.columns = columns};
    prompt_rows_add(&rows, text, wcslen(text));
    return rows;
}

static void assert_at(struct prompt_rows rows, unsigned row, unsigned column)
{
    assert_int_equal(rows.row, row);
    assert_int_equal(rows.column, column);
}

static void test_text_that_fits_stays_in_its_row(void **state)
{
    (void)state;
    assert_at(lay_out(10, L""), 0, 0);
    assert_at(lay_out(10, L"alice> hi"), 0, 9);
}

static void test_text_that_fills_a_row_leaves_the_cursor_in_the_next(void **state)
{
    (void)state;
    assert_at(lay_out(10, L"0123456789"), 1, 0);
    assert_at(lay_out(10, L"0123456789a"), 1, 1);
    assert_at(lay_out(10, L"01234567890123456789"), 2, 0);
}

static void test_wide_character_is_not_cut_by_the_edge(void **state)
{
    (void)state;
    assert_at(lay_out(10, L"01234567中"), 1, 0);
    assert_at(lay_out(10, L"012345678中"), 1, 2);
    assert_at(lay_out(5, L"中中中"), 1, 2);
}

static void test_cursor_before_a_wide_character_that_moves_down_moves_with_it(void **state)
{
    (void)state;
    struct prompt_rows rows = lay_out(10, L"012345678");
    assert_int_equal(prompt_rows_cursor(&rows, L'中'), 1);
    assert_int_equal(prompt_rows_cursor(&rows, L'a'), 0);
    assert_int_equal(prompt_rows_cursor(&rows, 0), 0);
}

static void test_newline_begins_a_row(void **state)
{
    (void)state;
    assert_at(lay_out(10, L"ab\ncd"), 1, 2);
    assert_at(lay_out(10, L"ab\n\n"), 2, 0);
}

static void test_control_character_takes_two_columns(void **state)
{
    (void)state;
    assert_at(lay_out(10, L"a\x01"), 0, 3);
    assert_at(lay_out(3, L"ab\x01"), 1, 1);
}

static void test_tab_goes_to_the_next_stop_or_row(void **state)
{
    (void)state;
    assert_at(lay_out(20, L"abc\t"), 0, 8);
    assert_at(lay_out(20, L"abcdefgh\t"), 0, 16);
    assert_at(lay_out(10, L"abcdefghi\t"), 1, 0);
}

static void test_mark_takes_a_column_as_libedit_has_it(void **state)
{
    (void)state;
    assert_at(lay_out(10, L"e\x0301"), 0, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_that_fits_stays_in_its_row),
        cmocka_unit_test(test_text_that_fills_a_row_leaves_the_cursor_in_the_next),
        cmocka_unit_test(test_wide_character_is_not_cut_by_the_edge),
        cmocka_unit_test(test_cursor_before_a_wide_character_that_moves_down_moves_with_it),
        cmocka_unit_test(test_newline_begins_a_row),
        cmocka_unit_test(test_control_character_takes_two_columns),
        cmocka_unit_test(test_tab_goes_to_the_next_stop_or_row),
        cmocka_unit_test(test_mark_takes_a_column_as_libedit_has_it),
    };
    return cmocka_run_group_tests(tests, set_locale, NULL);
}
