/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_table.h"

struct page {
    char text[65536];
    size_t len, lines;
};

static void print(const char *line, size_t len, void *user)
{
    struct page *page = user;
    assert_true(page->len + len + 2 < sizeof page->text);
    memcpy(page->text + page->len, line, len);
    page->len += len;
    page->text[page->len++] = '\n';
    page->text[page->len] = '\0';
    page->lines++;
}

static void add(struct ctl_table *table, const char *row)
{
    ctl_table_add(table, row, strlen(row));
}

static void test_cells_stand_below_each_other(void **state)
{
    (void)state;
    struct page page = {0};
    struct ctl_table table;
    ctl_table_init(&table, print, &page);
    add(&table, "NAME\tFROM\tROOMS");
    add(&table, "al\t127.0.0.1:5\tlobby");
    add(&table, "bartholomew\tunix:\tlobby,garden");
    ctl_table_flush(&table);
    assert_string_equal(page.text, "NAME         FROM         ROOMS\n"
                                   "al           127.0.0.1:5  lobby\n"
                                   "bartholomew  unix:        lobby,garden\n");
    ctl_table_finish(&table);
}

static void test_width_is_measured_on_the_screen(void **state)
{
    (void)state;
    struct page page = {0};
    struct ctl_table table;
    ctl_table_init(&table, print, &page);
    add(&table, "中文\tx");
    add(&table, "abc\ty");
    ctl_table_flush(&table);
    assert_string_equal(page.text, "中文  x\nabc   y\n");
    ctl_table_finish(&table);
}

static void test_lines_without_tabs_stay_as_they_are(void **state)
{
    (void)state;
    struct page page = {0};
    struct ctl_table table;
    ctl_table_init(&table, print, &page);
    add(&table, "a line as it is");
    add(&table, "");
    add(&table, "empty cells\t\t");
    ctl_table_flush(&table);
    assert_string_equal(page.text, "a line as it is\n\nempty cells\n");
    ctl_table_finish(&table);
}

static void test_long_table_and_wide_row_lose_nothing(void **state)
{
    (void)state;
    static struct page page;
    page = (struct page){0};
    struct ctl_table table;
    ctl_table_init(&table, print, &page);
    for (int i = 0; i < CTL_TABLE_ROWS + 5; i++) {
        add(&table, "a\tb");
    }
    assert_int_equal(page.lines, CTL_TABLE_ROWS);
    ctl_table_flush(&table);
    assert_int_equal(page.lines, CTL_TABLE_ROWS + 5);
    page = (struct page){0};
    add(&table, "1\t2\t3\t4\t5\t6\t7\t8\t9\t10");
    ctl_table_flush(&table);
    assert_string_equal(page.text, "1  2  3  4  5  6  7  8\t9\t10\n");
    ctl_table_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells_stand_below_each_other),
        cmocka_unit_test(test_width_is_measured_on_the_screen),
        cmocka_unit_test(test_lines_without_tabs_stay_as_they_are),
        cmocka_unit_test(test_long_table_and_wide_row_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
