/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench_mark.h"

#define RUN_ID 0x2fedcba9u

/* Writes head, a mark and tail; returns the length. */
static size_t make_line(char *line, const char *head, uint32_t sender, uint64_t number,
                        const char *tail)
{
    struct bench_run run = bench_run_make(RUN_ID);
    size_t len = strlen(head);
    memcpy(line, head, len);
    bench_mark_write(line + len, &run, sender, number);
    len += MARK_BYTES;
    memcpy(line + len, tail, strlen(tail));
    return len + strlen(tail);
}

static void test_mark_reads_back_at_every_width(void **state)
{
    (void)state;
    struct bench_run run = bench_run_make(RUN_ID);
    for (unsigned bit = 0; bit < 36; bit++) {
        char line[100];
        struct bench_mark mark;
        uint64_t number = (UINT64_C(1) << bit) | (bit * 7 % 3);
        uint32_t sender = (1u << bit % 12) | (bit == 0 ? MARK_SENDERS_MAX : 0);
        size_t len = make_line(line, ":a!b@c PRIVMSG #bench :xxxx", sender, number, "");
        assert_true(bench_mark_read(line, line + len, &run, &mark));
        assert_int_equal(mark.sender, sender);
        assert_int_equal(mark.number, number);
    }
}

static void test_mark_is_found_behind_any_prefix_and_before_a_cr(void **state)
{
    (void)state;
    struct bench_run run = bench_run_make(RUN_ID);
    struct bench_mark mark;
    char line[100];
    size_t len = make_line(line, "", 1, 2, "");
    assert_true(bench_mark_read(line, line + len, &run, &mark));
    len = make_line(line, "2026-11-20 12:31:07 alice: ", 1, 2, "\r");
    assert_true(bench_mark_read(line, line + len, &run, &mark));
    assert_int_equal(mark.number, 2);
}

static void test_other_lines_have_no_mark(void **state)
{
    (void)state;
    struct bench_run run = bench_run_make(RUN_ID);
    struct bench_run other = bench_run_make(RUN_ID + 1);
    struct bench_mark mark = {77, 77};
    char line[100];
    size_t len = make_line(line, "x", 1, 2, "");
    assert_false(bench_mark_read(line, line + len, &other, &mark));
    assert_false(bench_mark_read(line, line + len - 1, &run, &mark)); /* cut */
    assert_false(bench_mark_read(line + 2, line + len, &run, &mark)); /* begins too late */
    assert_false(bench_mark_read(line, line, &run, &mark));
    len = make_line(line, "x", 1, 2, "!");
    assert_false(bench_mark_read(line, line + len, &run, &mark));
    assert_int_equal(mark.sender, 77);
}

static void test_a_damaged_digit_is_no_mark(void **state)
{
    (void)state;
    struct bench_run run = bench_run_make(RUN_ID);
    for (size_t at = MARK_BYTES - 8; at < MARK_BYTES; at++) {
        for (int c = 0; c < 256; c++) {
            char line[100];
            struct bench_mark mark;
            size_t len = make_line(line, "", 0, 0, "");
            line[at] = (char)c;
            if (at == MARK_BYTES - 1 && c == '\r') {
                continue; /* read as the line's end, which leaves too little */
            }
            assert_int_equal(bench_mark_read(line, line + len, &run, &mark), c >= '0' && c <= 'o');
        }
    }
}

static void test_mark_is_made_of_plain_characters(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < 5000; id++) {
        struct bench_run run = bench_run_make(id * 2654435761u);
        char mark[MARK_BYTES];
        bench_mark_write(mark, &run, id % 4096, (uint64_t)id * 123456789);
        assert_int_equal(mark[0], '=');
        for (size_t i = 1; i < MARK_BYTES; i++) {
            assert_in_range(mark[i], '0', 'o');
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mark_reads_back_at_every_width),
        cmocka_unit_test(test_mark_is_found_behind_any_prefix_and_before_a_cr),
        cmocka_unit_test(test_other_lines_have_no_mark),
        cmocka_unit_test(test_a_damaged_digit_is_no_mark),
        cmocka_unit_test(test_mark_is_made_of_plain_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
