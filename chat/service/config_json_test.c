/* SPDX-License-Identifier: MIT */
#include "service/config_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* In memory of just that size, so that a sanitizer sees a step beyond it. */
static void assert_joins(const char *text, const char *want)
{
    size_t len = strlen(text);
    char *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    memcpy(exact, text, len);
    assert_int_equal(config_json_join_pairs(exact, len), strlen(want));
    assert_memory_equal(exact, want, strlen(want));
    free(exact);
}

static void test_pairs_become_one_escape(void **state)
{
    (void)state;
    assert_joins("{\"a\": \"x\\ud83d\\ude00y\"}", "{\"a\": \"x\\U0001f600y\"}");
    assert_joins("{\"\\uD800\\uDC00\\udbff\\udfff\"}", "{\"\\U00010000\\U0010ffff\"}");
}

static void test_all_else_stays(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        "{\"a\": [1, -2.5e3, true, false, null]}",
        "{\"a\": \"\\u00e9\"}",
        "{\"a\": \"\\ud83d\"}",        /* half a pair */
        "{\"a\": \"\\ude00\\ud83d\"}", /* the wrong way round */
        "{\"a\": \"\\ud83d\\u0041\"}",
        "{\"a\": \"\\\\ud83d\\\\ude00\"}", /* a backslash, and letters */
        "{\"a\": \"\\\"\\\\\"}",
        "{\"a\": \"\\ud83d\\ude0", /* cut */
        "{\"a\": \"\\ud83d\\ude",
        "{\"a\": \"\\",
        "motd: '\"\\ud83d\\ude00\"'", /* in single quotes nothing is an escape */
        "# \"\\ud83d\\ude00\"",
        "a: \\ud83d\\ude00",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_joins(texts[i], texts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_become_one_escape),
        cmocka_unit_test(test_all_else_stays),
    };
    return cmocka_run_group_tests_name("config_json", tests, NULL, NULL);
}
