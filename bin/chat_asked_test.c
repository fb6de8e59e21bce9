/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chat_asked.h"

static void test_answers_belong_to_questions_in_their_order(void **state)
{
    (void)state;
    struct chat_asked asked = {0};
    assert_true(chat_asked_add(&asked, true));
    assert_true(chat_asked_add(&asked, false));
    assert_true(chat_asked_add(&asked, true));
    assert_true(chat_asked_take(&asked));
    assert_false(chat_asked_take(&asked));
    assert_true(chat_asked_add(&asked, false));
    assert_true(chat_asked_take(&asked));
    assert_false(chat_asked_take(&asked));
}

static void test_answer_nobody_asked_for_is_not_the_clients_own(void **state)
{
    (void)state;
    struct chat_asked asked = {0};
    assert_false(chat_asked_take(&asked));
    assert_true(chat_asked_add(&asked, true));
    assert_true(chat_asked_take(&asked));
    assert_false(chat_asked_take(&asked));
}

static void test_no_more_questions_than_there_is_room_for(void **state)
{
    (void)state;
    struct chat_asked asked = {0};
    for (unsigned i = 0; i < CHAT_ASKED_MAX; i++) {
        assert_true(chat_asked_add(&asked, i % 3 == 0));
    }
    assert_false(chat_asked_add(&asked, true));
    for (unsigned i = 0; i < CHAT_ASKED_MAX; i++) {
        assert_int_equal(chat_asked_take(&asked), i % 3 == 0);
    }
    assert_false(chat_asked_take(&asked));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_belong_to_questions_in_their_order),
        cmocka_unit_test(test_answer_nobody_asked_for_is_not_the_clients_own),
        cmocka_unit_test(test_no_more_questions_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
