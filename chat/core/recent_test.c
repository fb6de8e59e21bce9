/* SPDX-License-Identifier: MIT */
#include "core/hub_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct event *make(uint64_t seq)
{
    return event_create(&(struct event_parts){.type = EVENT_MESSAGE, .seq = seq});
}

static void assert_seqs(const struct recent *recent, uint64_t first, uint32_t count)
{
    size_t bytes = 0;
    assert_int_equal(recent->count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(recent_at(recent, i)->seq, first + i);
        bytes += event_bytes(recent_at(recent, i));
    }
    assert_int_equal(recent->bytes, bytes);
}

static void test_pushing_past_the_limit_gives_back_the_oldest(void **state)
{
    (void)state;
    struct recent recent = {0};
    for (uint64_t seq = 1; seq <= 50; seq++) {
        struct event *evicted = recent_push(&recent, make(seq), 20);
        assert_int_equal(evicted == NULL, seq <= 20);
        assert_true(evicted == NULL || evicted->seq == seq - 20);
        event_unref(evicted);
    }
    assert_seqs(&recent, 31, 20);
    recent_finish(&recent);
}

static void test_what_is_unpushed_in_reverse_leaves_no_trace(void **state)
{
    (void)state;
    for (uint64_t filled = 0; filled <= 12; filled++) {
        struct recent recent = {0};
        struct event *evicted[30];
        for (uint64_t seq = 1; seq <= filled; seq++) {
            event_unref(recent_push(&recent, make(seq), 7));
        }
        uint32_t count = recent.count;
        for (uint64_t i = 0; i < 30; i++) {
            evicted[i] = recent_push(&recent, make(filled + 1 + i), 7);
        }
        assert_seqs(&recent, filled + 24, 7);
        for (size_t i = 30; i-- > 0;) {
            recent_unpush(&recent, evicted[i]);
        }
        assert_seqs(&recent, filled + 1 - count, count);
        recent_finish(&recent);
    }
}

static void test_older_messages_go_before_and_trimming_drops_the_oldest(void **state)
{
    (void)state;
    struct recent recent = {0};
    event_unref(recent_push(&recent, make(9), 20));
    for (uint64_t seq = 8; seq >= 1; seq--) {
        recent_prepend(&recent, make(seq));
    }
    assert_seqs(&recent, 1, 9);
    recent_trim(&recent, 3);
    assert_seqs(&recent, 7, 3);
    recent_trim(&recent, 3);
    assert_seqs(&recent, 7, 3);
    recent_finish(&recent);
    assert_seqs(&recent, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pushing_past_the_limit_gives_back_the_oldest),
        cmocka_unit_test(test_what_is_unpushed_in_reverse_leaves_no_trace),
        cmocka_unit_test(test_older_messages_go_before_and_trimming_drops_the_oldest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
