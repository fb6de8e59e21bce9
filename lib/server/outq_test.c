/* SPDX-License-Identifier: MIT */
#include "server/stream_internal.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fail_malloc.h"

static struct party_buf *buf_of(const char *text)
{
    struct party_buf *buf = party_buf_create((uint32_t)strlen(text) + 64);
    assert_non_null(buf);
    assert_int_equal(party_buf_append(buf, text, strlen(text)), 0);
    return buf;
}

/* What the queue would send, as a string. Freed by the caller. */
static char *queue_text(const struct party__outq *q)
{
    struct iovec iov[256];
    char *text = calloc(1, q->bytes + 1);
    size_t len = 0;
    int n = party__outq_iov(q, iov, 256);
    for (int i = 0; i < n; i++) {
        memcpy(text + len, iov[i].iov_base, iov[i].iov_len);
        len += iov[i].iov_len;
    }
    assert_int_equal(len, q->bytes);
    return text;
}

static void assert_queue(const struct party__outq *q, const char *wanted)
{
    char *text = queue_text(q);
    assert_string_equal(text, wanted);
    free(text);
}

static void push(struct party__outq *q, struct party_buf *buf, uint32_t from, uint32_t to)
{
    assert_int_equal(party__outq_push(q, buf, from, to), 0);
}

static void copy(struct party__outq *q, const char *text)
{
    assert_int_equal(party__outq_copy(q, text, (uint32_t)strlen(text)), 0);
}

static void test_spans_that_touch_are_one_iovec(void **state)
{
    (void)state;
    struct party__outq q;
    struct iovec iov[4];
    struct party_buf *buf = buf_of("one two three");
    party__outq_init(&q);
    push(&q, buf, 0, 4);
    push(&q, buf, 4, 8);
    push(&q, buf, 8, 13);
    assert_int_equal(party__outq_iov(&q, iov, 4), 1);
    assert_int_equal(buf->refs, 2);
    assert_queue(&q, "one two three");
    party__outq_finish(&q);
    assert_int_equal(buf->refs, 1);
    party_buf_unref(buf);
}

static void test_spans_with_a_gap_stay_apart_and_in_order(void **state)
{
    (void)state;
    struct party__outq q;
    struct iovec iov[4];
    struct party_buf *a = buf_of("aaaa"), *b = buf_of("bbbb");
    party__outq_init(&q);
    push(&q, a, 0, 1);
    push(&q, a, 2, 4);
    push(&q, b, 0, 4);
    push(&q, a, 0, 0);
    assert_int_equal(party__outq_iov(&q, iov, 4), 3);
    assert_int_equal(party__outq_iov(&q, iov, 2), 2);
    assert_queue(&q, "aaabbbb");
    assert_int_equal(a->refs, 3);
    party__outq_consume(&q, 2);
    assert_int_equal(a->refs, 2);
    assert_queue(&q, "abbbb");
    party__outq_consume(&q, 5);
    assert_int_equal(a->refs, 1);
    assert_int_equal(b->refs, 1);
    assert_int_equal(q.bytes, 0);
    party_buf_unref(a);
    party_buf_unref(b);
    party__outq_finish(&q);
}

static void test_many_spans_survive_growing_and_consuming(void **state)
{
    (void)state;
    struct party__outq q;
    struct party_buf *buf = buf_of("0123456789");
    char wanted[4096] = "";
    size_t out = 0, in = 0;
    party__outq_init(&q);
    for (unsigned i = 0; i < 2000; i++) {
        uint32_t from = i * 7 % 10;
        push(&q, buf, from, from + 1);
        wanted[in++] = (char)('0' + from);
        if (i % 3 == 0) {
            party__outq_consume(&q, 2 < q.bytes ? 2 : q.bytes);
            out = in - q.bytes;
        }
    }
    char *text = calloc(1, 4096);
    size_t len = 0;
    while (q.bytes > 0) {
        struct iovec iov[3];
        (void)party__outq_iov(&q, iov, 3);
        memcpy(text + len, iov[0].iov_base, iov[0].iov_len);
        len += iov[0].iov_len;
        party__outq_consume(&q, iov[0].iov_len);
    }
    assert_int_equal(len, in - out);
    assert_memory_equal(text, wanted + out, len);
    free(text);
    assert_int_equal(buf->refs, 1);
    party_buf_unref(buf);
    party__outq_finish(&q);
}

static void test_small_copies_share_a_buffer_but_never_one_that_others_hold(void **state)
{
    (void)state;
    struct party__outq q;
    struct iovec iov[4];
    struct party_buf *shared = buf_of("shared ");
    party__outq_init(&q);
    push(&q, shared, 0, 7);
    copy(&q, "a");
    copy(&q, "b");
    assert_int_equal(party__outq_iov(&q, iov, 4), 2);
    assert_int_equal(shared->len, 7);
    assert_queue(&q, "shared ab");
    copy(&q, "");
    assert_queue(&q, "shared ab");
    party__outq_finish(&q);
    party_buf_unref(shared);
}

/* The rest of a line that has begun to go out is kept; what follows it is dropped. */
static void check_drop(unsigned sent, int delimiter, const char *wanted)
{
    struct party__outq q;
    struct party_buf *room = buf_of("x\nroom line\n"), *tail = buf_of("-tail\nmore\n");
    party__outq_init(&q);
    copy(&q, "first\nsec");
    push(&q, tail, 0, 6); /* "sec-tail\n" is one line of two spans */
    push(&q, room, 2, 12);
    push(&q, tail, 6, 11);
    party__outq_consume(&q, sent);
    party__outq_drop(&q, delimiter);
    assert_queue(&q, wanted);
    copy(&q, "bye\n");
    assert_int_equal(q.bytes, strlen(wanted) + 4);
    party__outq_finish(&q);
    assert_int_equal(room->refs, 1);
    assert_int_equal(tail->refs, 1);
    party_buf_unref(room);
    party_buf_unref(tail);
}

static void test_dropping_keeps_the_line_of_which_a_part_is_out(void **state)
{
    (void)state;
    check_drop(0, '\n', "");
    check_drop(2, '\n', "rst\n");
    check_drop(6, '\n', "");
    check_drop(7, '\n', "ec-tail\n");
    check_drop(9, '\n', "-tail\n");
    check_drop(11, '\n', "ail\n");
    check_drop(15, '\n', "");
    check_drop(17, '\n', "om line\n");
    check_drop(25, '\n', "");
    check_drop(26, '\n', "ore\n");
    check_drop(2, -1, "");
}

static void test_span_from_the_middle_of_a_buffer_is_not_taken_for_a_torn_line(void **state)
{
    (void)state;
    struct party__outq q;
    struct party_buf *buf = buf_of("header body\n");
    party__outq_init(&q);
    push(&q, buf, 7, 12);
    party__outq_drop(&q, '\n');
    assert_queue(&q, "");
    party__outq_finish(&q);
    party_buf_unref(buf);
}

static void test_torn_line_without_an_end_in_the_queue_is_kept_whole(void **state)
{
    (void)state;
    struct party__outq q;
    struct party_buf *a = buf_of("begin "), *b = buf_of("middle ");
    party__outq_init(&q);
    push(&q, a, 0, 6);
    push(&q, b, 0, 7);
    party__outq_consume(&q, 2);
    party__outq_drop(&q, '\n');
    assert_queue(&q, "gin middle ");
    party__outq_finish(&q);
    party_buf_unref(a);
    party_buf_unref(b);
}

static int fill_and_drop(void *user)
{
    (void)user;
    struct party__outq q;
    struct party_buf *buf = party_buf_create(64);
    if (!buf) {
        return -ENOMEM;
    }
    int r = party_buf_append(buf, "0123456789", 10);
    party__outq_init(&q);
    for (uint32_t i = 0; r == 0 && i < 20; i++) {
        uint32_t bytes = q.bytes;
        r = i % 2 ? party__outq_push(&q, buf, i % 5, i % 5 + 2)
                  : party__outq_copy(&q, "copied text", 11);
        if (r < 0 && q.bytes != bytes) {
            r = -EIO;
        }
    }
    party__outq_drop(&q, '\n');
    party__outq_finish(&q);
    if (buf->refs != 1) {
        r = -EIO;
    }
    party_buf_unref(buf);
    return r;
}

static void test_queue_survives_no_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(fill_and_drop, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spans_that_touch_are_one_iovec),
        cmocka_unit_test(test_spans_with_a_gap_stay_apart_and_in_order),
        cmocka_unit_test(test_many_spans_survive_growing_and_consuming),
        cmocka_unit_test(test_small_copies_share_a_buffer_but_never_one_that_others_hold),
        cmocka_unit_test(test_dropping_keeps_the_line_of_which_a_part_is_out),
        cmocka_unit_test(test_span_from_the_middle_of_a_buffer_is_not_taken_for_a_torn_line),
        cmocka_unit_test(test_torn_line_without_an_end_in_the_queue_is_kept_whole),
        cmocka_unit_test(test_queue_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
