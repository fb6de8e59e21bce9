/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench_proc.h"

static void test_stat_is_read_behind_a_name_with_brackets(void **state)
{
    (void)state;
    struct proc_cpu cpu;
    const char *text = "17 (a) R 1 2) S 1 17 17 0 -1 4194560 90 0 0 0 250 75 0 0 20 0 3 0 99 1 2";
    assert_int_equal(proc_parse_stat(text, 100, &cpu), 0);
    assert_int_equal(cpu.user_us, 2500000);
    assert_int_equal(cpu.sys_us, 750000);
}

static void test_a_text_that_is_no_stat_is_refused(void **state)
{
    (void)state;
    struct proc_cpu cpu = {7, 7};
    assert_int_equal(proc_parse_stat("", 100, &cpu), -EPROTO);
    assert_int_equal(proc_parse_stat("17 (a) S 1 2 3", 100, &cpu), -EPROTO);
    assert_int_equal(cpu.user_us, 7);
}

static void test_rollup_gives_rss_and_pss(void **state)
{
    (void)state;
    struct proc_memory memory;
    const char *text = "55d0-7ffe ---p 00000000 00:00 0    [rollup]\n"
                       "Rss:                2300 kB\nPss:                 812 kB\n"
                       "Pss_Anon:            400 kB\n";
    assert_int_equal(proc_parse_rollup(text, &memory), 0);
    assert_int_equal(memory.rss_kib, 2300);
    assert_int_equal(memory.pss_kib, 812);
    assert_int_equal(proc_parse_rollup("Rss: 1 kB\n", &memory), -EPROTO);
    assert_int_equal(memory.rss_kib, 2300);
}

static void test_own_process_can_be_read(void **state)
{
    (void)state;
    struct proc_cpu cpu;
    struct proc_memory memory;
    assert_int_equal(proc_cpu_read(getpid(), &cpu), 0);
    assert_true(cpu.user_us >= 0 && cpu.sys_us >= 0);
    struct proc_cpu later;
    int64_t spent_ns = 0;
    for (uint64_t i = 0; spent_ns <= 0 && i < UINT64_C(1) << 32; i++) {
        assert_int_equal(proc_cpu_read(getpid(), &later), 0);
        spent_ns = later.total_ns - cpu.total_ns;
    }
    assert_true(cpu.total_ns > 0 && spent_ns > 0);
    assert_int_equal(proc_memory_read(getpid(), &memory), 0);
    assert_true(memory.rss_kib >= memory.pss_kib && memory.pss_kib > 0);
}

static void test_a_process_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    struct proc_cpu cpu;
    struct proc_memory memory;
    assert_int_equal(proc_cpu_read(-1, &cpu), -ENOENT);
    assert_int_equal(proc_memory_read(-1, &memory), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stat_is_read_behind_a_name_with_brackets),
        cmocka_unit_test(test_a_text_that_is_no_stat_is_refused),
        cmocka_unit_test(test_rollup_gives_rss_and_pss),
        cmocka_unit_test(test_own_process_can_be_read),
        cmocka_unit_test(test_a_process_that_is_not_there_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
