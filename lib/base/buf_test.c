/* SPDX-License-Identifier: MIT */
#include <partyline/buf.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "fail_malloc.h"

static void test_appended_bytes_follow_one_another(void **state)
{
    (void)state;
    struct party_buf *buf = party_buf_create(16);
    assert_non_null(buf);
    assert_int_equal(party_buf_len(buf), 0);
    assert_int_equal(party_buf_room(buf), 16);
    assert_int_equal(party_buf_append(buf, "hello ", 6), 0);
    assert_int_equal(party_buf_append(buf, "world\n", 6), 0);
    assert_int_equal(party_buf_len(buf), 12);
    assert_int_equal(party_buf_room(buf), 4);
    assert_memory_equal(buf->data, "hello world\n", 12);
    party_buf_unref(buf);
}

static void test_append_fills_to_the_last_byte_and_not_beyond(void **state)
{
    (void)state;
    struct party_buf *buf = party_buf_create(4);
    assert_non_null(buf);
    assert_int_equal(party_buf_append(buf, "abcde", 5), -ENOSPC);
    assert_int_equal(party_buf_len(buf), 0);
    assert_int_equal(party_buf_append(buf, "abcd", 4), 0);
    assert_int_equal(party_buf_append(buf, "e", 1), -ENOSPC);
    assert_int_equal(party_buf_append(buf, "e", SIZE_MAX), -ENOSPC);
    assert_int_equal(party_buf_len(buf), 4);
    assert_memory_equal(buf->data, "abcd", 4);
    party_buf_unref(buf);
}

static void test_append_of_nothing_accepts_null(void **state)
{
    (void)state;
    struct party_buf *buf = party_buf_create(0);
    assert_non_null(buf);
    assert_int_equal(party_buf_append(buf, NULL, 0), 0);
    assert_int_equal(party_buf_append(buf, "a", 1), -ENOSPC);
    party_buf_unref(buf);
}

static void test_bytes_do_not_move_when_more_are_written(void **state)
{
    (void)state;
    struct party_buf *buf = party_buf_create(1024);
    assert_non_null(buf);
    assert_int_equal(party_buf_append(buf, "first", 5), 0);
    const uint8_t *first = buf->data;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(party_buf_append(buf, "0123456789", 10), 0);
    }
    assert_ptr_equal(buf->data, first);
    assert_memory_equal(first, "first", 5);
    party_buf_unref(buf);
}

static void test_last_unref_frees(void **state)
{
    (void)state;
    size_t before = fail_malloc_outstanding();
    struct party_buf *buf = party_buf_create(8);
    assert_non_null(buf);
    assert_ptr_equal(party_buf_ref(buf), buf);
    assert_int_equal(fail_malloc_outstanding(), before + 1);
    party_buf_unref(buf);
    assert_int_equal(fail_malloc_outstanding(), before + 1);
    assert_int_equal(party_buf_append(buf, "alive", 5), 0);
    party_buf_unref(buf);
    assert_int_equal(fail_malloc_outstanding(), before);
    party_buf_unref(NULL);
}

static int create_and_drop(void *user)
{
    (void)user;
    struct party_buf *buf = party_buf_create(100);
    if (buf == NULL) {
        return -ENOMEM;
    }
    party_buf_unref(buf);
    return 0;
}

static void test_create_survives_no_memory(void **state)
{
    (void)state;
    assert_int_equal(assert_survives_malloc_failure(create_and_drop, NULL), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appended_bytes_follow_one_another),
        cmocka_unit_test(test_append_fills_to_the_last_byte_and_not_beyond),
        cmocka_unit_test(test_append_of_nothing_accepts_null),
        cmocka_unit_test(test_bytes_do_not_move_when_more_are_written),
        cmocka_unit_test(test_last_unref_frees),
        cmocka_unit_test(test_create_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
