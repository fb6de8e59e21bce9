/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench_report.h"

/* What a writer wrote; the caller frees it. */
static char *written(const struct bench_report *report,
                     void (*write)(const struct bench_report *report, FILE *to))
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    assert_non_null(to);
    write(report, to);
    assert_int_equal(fclose(to), 0);
    return text;
}

static void test_json_keeps_order_and_escapes(void **state)
{
    (void)state;
    struct bench_report report = {0};
    report_text(&report, "name", "the name", "a\"b\\c\n");
    report_number(&report, "speed", "the speed", 1234.5678, 2);
    report_number(&report, "count", "the count", 7, 0);
    char *text = written(&report, report_write_json);
    assert_string_equal(text,
                        "{\"name\": \"a\\\"b\\\\c\\u000a\", \"speed\": 1234.57, \"count\": 7}\n");
    free(text);
}

static void test_table_has_a_line_for_each_row(void **state)
{
    (void)state;
    struct bench_report report = {0};
    report_text(&report, "name", "the name", "room");
    report_number(&report, "speed", "the speed", 2.5, 1);
    char *text = written(&report, report_write_table);
    char expected[200];
    (void)snprintf(expected, sizeof expected, "%-28s %16s\n%-28s %16s\n", "the name", "room",
                   "the speed", "2.5");
    assert_string_equal(text, expected);
    free(text);
}

static void test_latency_is_told_in_microseconds(void **state)
{
    (void)state;
    struct bench_hist hist = {0};
    struct bench_report report = {0};
    bench_hist_record(&hist, 1048576);
    report_latency(&report, &hist);
    char *text = written(&report, report_write_json);
    assert_string_equal(text, "{\"p50_us\": 1048.6, \"p90_us\": 1048.6, \"p99_us\": 1048.6, "
                              "\"max_us\": 1048.6}\n");
    free(text);
}

static void test_a_file_that_cannot_be_made_is_an_error(void **state)
{
    (void)state;
    struct bench_report report = {0};
    assert_int_equal(report_publish(&report, "/nonexistent/x.json"), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_keeps_order_and_escapes),
        cmocka_unit_test(test_table_has_a_line_for_each_row),
        cmocka_unit_test(test_latency_is_told_in_microseconds),
        cmocka_unit_test(test_a_file_that_cannot_be_made_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
