/* SPDX-License-Identifier: MIT */
#include "front/irc/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_times(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00.000Z", 0},
        {"1970-01-01T00:00:01Z", 1000},
        {"2026-11-20T12:31:07.123Z", 1795177867123},
        {"2026-11-20T12:31:07.5Z", 1795177867500},
        {"2026-11-20T12:31:07.123456789Z", 1795177867123},
        {"2000-02-29T23:59:59.999Z", 951868799999},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        assert_true(irc_parse_time(irc_span(rows[i].text), &ms));
        assert_int_equal(ms, rows[i].ms);
    }
}

static void test_what_is_no_time(void **state)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-20",
        "2026-11-20T12:31:07",
        "2026-11-20T12:31:07.Z",
        "2026-11-20T12:31:07.1234567890Z",
        "2026-11-20 12:31:07Z",
        "2026-13-20T12:31:07Z",
        "2026-00-20T12:31:07Z",
        "2026-11-32T12:31:07Z",
        "2026-11-20T24:31:07Z",
        "2026-11-20T12:60:07Z",
        "2026-11-20T12:31:61Z",
        "2026-11-20T12:31:07Zx",
        "+026-11-20T12:31:07Z",
        "2026-11-20T12:31:07+01:00",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms;
        assert_false(irc_parse_time(irc_span(rows[i]), &ms));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_what_is_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
