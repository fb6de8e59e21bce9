/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#define HEADER sizeof(struct cmsghdr)

static void test_lengths_are_libcs(void **state)
{
    (void)state;
    for (size_t len = 0; len < 100; len++) {
        assert_int_equal(party_sock_cmsg_len(len), CMSG_LEN(len));
        assert_int_equal(party_sock_cmsg_space(len), CMSG_SPACE(len));
    }
}

static void test_lengths_that_overflow_are_refused(void **state)
{
    (void)state;
    const size_t most = INT_MAX - HEADER;
    assert_int_equal(party_sock_cmsg_len(most), INT_MAX);
    assert_int_equal(party_sock_cmsg_len(most + 1), -EOVERFLOW);
    /* Padding takes it beyond, or might: Python's bound. */
    assert_int_equal(party_sock_cmsg_space(most), -EOVERFLOW);
    assert_int_equal(party_sock_cmsg_space(most - 7), -EOVERFLOW);
    assert_int_equal(party_sock_cmsg_space(most - 8), INT_MAX - 7);
    for (size_t len = SIZE_MAX; len > SIZE_MAX - 64; len--) {
        assert_int_equal(party_sock_cmsg_len(len), -EOVERFLOW);
        assert_int_equal(party_sock_cmsg_space(len), -EOVERFLOW);
    }
}

static int add(struct party_sock_message *message, size_t cap, int type, const char *data,
               size_t len)
{
    struct party_sock_cmsg cmsg = {.level = 7, .type = type, .data = data, .len = len};
    return party_sock_cmsg_add(message, cap, &cmsg);
}

static void assert_next(const struct party_sock_message *message, size_t *cursor, int type,
                        const char *data, size_t len)
{
    struct party_sock_cmsg cmsg;
    assert_int_equal(party_sock_cmsg_next(message, cursor, &cmsg), 1);
    assert_int_equal(cmsg.level, 7);
    assert_int_equal(cmsg.type, type);
    assert_int_equal(cmsg.len, len);
    assert_memory_equal(cmsg.data, data, len);
}

static void assert_end(const struct party_sock_message *message, size_t *cursor)
{
    struct party_sock_cmsg cmsg;
    assert_int_equal(party_sock_cmsg_next(message, cursor, &cmsg), 0);
    assert_int_equal(party_sock_cmsg_next(message, cursor, &cmsg), 0);
}

static void test_what_was_added_is_walked_through(void **state)
{
    (void)state;
    char room[256 + 1];
    memset(room, 0x55, sizeof(room));
    /* One byte off: no alignment is needed. */
    struct party_sock_message message = {.control = room + 1};
    assert_int_equal(add(&message, 256, 1, "a", 1), 0);
    assert_int_equal(add(&message, 256, 2, NULL, 0), 0);
    assert_int_equal(add(&message, 256, 3, "12345678", 8), 0);
    assert_int_equal(message.control_len, CMSG_SPACE(1) + CMSG_SPACE(0) + CMSG_SPACE(8));
    size_t cursor = 0;
    assert_next(&message, &cursor, 1, "a", 1);
    assert_next(&message, &cursor, 2, "", 0);
    assert_next(&message, &cursor, 3, "12345678", 8);
    assert_end(&message, &cursor);
    /* Padding is no leak of what was in the memory. */
    assert_memory_equal(room + 1 + CMSG_LEN(1), "\0\0\0\0\0\0\0", 7);
}

static void test_what_does_not_fit_is_not_added(void **state)
{
    (void)state;
    char room[64];
    memset(room, 0x55, sizeof(room));
    struct party_sock_message message = {.control = room};
    assert_int_equal(add(&message, CMSG_SPACE(8) - 1, 1, "12345678", 8), -ENOBUFS);
    assert_int_equal(add(&message, 0, 1, NULL, 0), -ENOBUFS);
    assert_int_equal(add(&message, sizeof(room), 1, "x", SIZE_MAX), -EOVERFLOW);
    assert_int_equal(message.control_len, 0);
    assert_int_equal(room[0], 0x55);
    assert_int_equal(add(&message, CMSG_SPACE(8), 1, "12345678", 8), 0);
    assert_int_equal(add(&message, CMSG_SPACE(8), 1, NULL, 0), -ENOBUFS);
    /* A message that claims more than its room. */
    message.control_len = sizeof(room) + 1;
    assert_int_equal(add(&message, sizeof(room), 1, NULL, 0), -ENOBUFS);
}

static void test_last_one_need_not_be_padded(void **state)
{
    (void)state;
    char room[64];
    struct party_sock_message message = {.control = room};
    assert_int_equal(add(&message, sizeof(room), 1, "abc", 3), 0);
    message.control_len = CMSG_LEN(3);
    size_t cursor = 0;
    assert_next(&message, &cursor, 1, "abc", 3);
    assert_end(&message, &cursor);
}

static void test_one_that_was_cut_off_is_the_last(void **state)
{
    (void)state;
    char room[128];
    struct party_sock_message message = {.control = room};
    assert_int_equal(add(&message, sizeof(room), 1, "12345678", 8), 0);
    assert_int_equal(add(&message, sizeof(room), 2, "12345678", 8), 0);
    message.control_len = CMSG_SPACE(8) + CMSG_LEN(3);
    size_t cursor = 0;
    assert_next(&message, &cursor, 1, "12345678", 8);
    assert_next(&message, &cursor, 2, "123", 3);
    assert_end(&message, &cursor);
    /* Not even a whole header. */
    message.control_len = CMSG_SPACE(8) + HEADER - 1;
    cursor = 0;
    assert_next(&message, &cursor, 1, "12345678", 8);
    assert_end(&message, &cursor);
}

static void set_len(char *at, size_t len)
{
    struct cmsghdr header;
    memcpy(&header, at, sizeof(header));
    header.cmsg_len = len;
    memcpy(at, &header, sizeof(header));
}

static void test_lengths_that_lie_never_lead_outside(void **state)
{
    (void)state;
    static const size_t lies[] = {0,       1,        HEADER - 1,   HEADER + 9, 64,          65,
                                  INT_MAX, 1u << 31, SIZE_MAX - 7, SIZE_MAX,   SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        char room[64];
        struct party_sock_message message = {.control = room};
        assert_int_equal(add(&message, sizeof(room), 1, "12345678", 8), 0);
        assert_int_equal(add(&message, sizeof(room), 2, "12345678", 8), 0);
        set_len(room, lies[i]);
        size_t cursor = 0;
        struct party_sock_cmsg cmsg;
        int r;
        int rounds = 0;
        while ((r = party_sock_cmsg_next(&message, &cursor, &cmsg)) > 0) {
            const char *data = cmsg.data;
            assert_true(data >= room + HEADER && data + cmsg.len <= room + message.control_len);
            assert_true(++rounds < 4);
        }
        assert_int_equal(r, lies[i] < HEADER ? -EBADMSG : 0);
        /* What is broken ends the walk for good. */
        assert_int_equal(party_sock_cmsg_next(&message, &cursor, &cmsg), 0);
    }
}

static void test_nothing_has_no_messages(void **state)
{
    (void)state;
    struct party_sock_message message = {0};
    size_t cursor = 0;
    assert_end(&message, &cursor);
    cursor = 99;
    assert_end(&message, &cursor);
}

static void test_lengths_without_bytes_are_refused(void **state)
{
    (void)state;
    char control[100];
    size_t cursor = 0;
    struct party_sock_cmsg cmsg;
    struct party_sock_message message = {0};
    assert_int_equal(add(&message, sizeof(control), 1, "x", 1), -EINVAL);
    message.control = control;
    assert_int_equal(add(&message, sizeof(control), 1, NULL, 1), -EINVAL);
    assert_int_equal(message.control_len, 0);
    assert_int_equal(add(&message, sizeof(control), 1, NULL, 0), 0);
    message.control = NULL;
    assert_int_equal(party_sock_cmsg_next(&message, &cursor, &cmsg), -EINVAL);
    party_sock_cmsg_close_fds(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths_are_libcs),
        cmocka_unit_test(test_lengths_that_overflow_are_refused),
        cmocka_unit_test(test_what_was_added_is_walked_through),
        cmocka_unit_test(test_what_does_not_fit_is_not_added),
        cmocka_unit_test(test_last_one_need_not_be_padded),
        cmocka_unit_test(test_one_that_was_cut_off_is_the_last),
        cmocka_unit_test(test_lengths_that_lie_never_lead_outside),
        cmocka_unit_test(test_nothing_has_no_messages),
        cmocka_unit_test(test_lengths_without_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
