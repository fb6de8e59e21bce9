/* SPDX-License-Identifier: MIT */
#include "core/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_a_command_owns_copies_that_end_with_nul(void **state)
{
    (void)state;
    char target[] = "lobby and more";
    char text[] = "hello and more";
    struct command *command = command_create(COMMAND_SAY, 7, target, 5, text, 5);
    memset(target, 'x', sizeof(target));
    memset(text, 'x', sizeof(text));
    assert_int_equal(command->type, COMMAND_SAY);
    assert_int_equal(command->session, 7);
    assert_int_equal(command->authority, AUTHORITY_USER);
    assert_int_equal(command->flags, 0);
    assert_null(command->next);
    assert_string_equal(command->target, "lobby");
    assert_int_equal(command->target_len, 5);
    assert_string_equal(command->text, "hello");
    assert_int_equal(command->text_len, 5);
    command_destroy(command);
}

static void test_null_is_the_empty_string(void **state)
{
    (void)state;
    struct command *command = command_create(COMMAND_ROOMS, 1, NULL, 0, NULL, 0);
    assert_string_equal(command->target, "");
    assert_string_equal(command->text, "");
    command_destroy(command);
    command_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_command_owns_copies_that_end_with_nul),
        cmocka_unit_test(test_null_is_the_empty_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
