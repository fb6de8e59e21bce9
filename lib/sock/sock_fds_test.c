/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

#define FDS_MAX 253

/* Fills fds with so many descriptors of one pipe's writing end; the reading end is returned. */
static int open_fds(int *fds, size_t count)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    for (size_t i = 0; i < count; i++) {
        fds[i] = dup(ends[1]);
        assert_int_not_equal(fds[i], -1);
    }
    close(ends[1]);
    return ends[0];
}

static void close_fds(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(close(fds[i]), 0);
    }
}

static void test_descriptors_arrive_and_are_close_on_exec(void **state)
{
    (void)state;
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (size_t i = 0; i < 3; i++) {
        struct party_sock *a;
        struct party_sock *b;
        int sent[2];
        int got[4];
        char buf[8];
        test_pair(types[i], &a, &b);
        int end = open_fds(sent, 2);
        struct party_sock_fds out = {.fds = sent, .count = 2};
        struct party_sock_fds in = {.fds = got, .cap = 4};
        assert_int_equal(party_sock_send_fds(a, "hello", 5, 0, &out), 5);
        assert_int_equal(party_sock_recv_fds(b, buf, sizeof(buf), 0, &in), 5);
        assert_memory_equal(buf, "hello", 5);
        assert_int_equal(in.count, 2);
        assert_int_equal(in.flags & MSG_CTRUNC, 0);
        assert_true(test_is_cloexec(got[0]) && test_is_cloexec(got[1]));
        assert_int_equal(write(got[1], "x", 1), 1);
        assert_int_equal(read(end, buf, sizeof(buf)), 1);
        close_fds(sent, 2);
        close_fds(got, 2);
        close(end);
        party_sock_close(a);
        party_sock_close(b);
    }
}

/* Sends sent_count descriptors to somebody with room for cap. */
static void check_room(size_t sent_count, size_t cap)
{
    struct party_sock *a;
    struct party_sock *b;
    int sent[FDS_MAX];
    int got[FDS_MAX + 1];
    char c;
    size_t fds_before = fail_malloc_open_fds();
    test_pair(SOCK_STREAM, &a, &b);
    int end = open_fds(sent, sent_count);
    struct party_sock_fds out = {.fds = sent, .count = sent_count};
    struct party_sock_fds in = {.fds = got, .cap = cap, .count = 99, .flags = 99};
    got[cap] = -2;
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), 1);
    assert_int_equal(party_sock_recv_fds(b, &c, 1, 0, &in), 1);
    size_t wanted = sent_count < cap ? sent_count : cap;
    assert_int_equal(in.count, wanted);
    assert_int_equal(in.flags & MSG_CTRUNC, sent_count > cap ? MSG_CTRUNC : 0);
    assert_int_equal(got[cap], -2);
    close_fds(got, in.count);
    close_fds(sent, sent_count);
    close(end);
    party_sock_close(a);
    party_sock_close(b);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
}

static void test_no_descriptor_beyond_the_room_stays_open(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 5, 100, FDS_MAX};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        for (size_t j = 0; j < sizeof(counts) / sizeof(counts[0]); j++) {
            check_room(counts[i], counts[j]);
        }
    }
}

static void test_credentials_do_not_take_the_descriptors_place(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    /* As many as can go: the room for less would do for the credentials, too. */
    int sent[FDS_MAX];
    int got[FDS_MAX];
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_setsockopt(b, SOL_SOCKET, SO_PASSCRED, 1), 0);
    int end = open_fds(sent, FDS_MAX);
    struct party_sock_fds out = {.fds = sent, .count = FDS_MAX};
    struct party_sock_fds in = {.fds = got, .cap = FDS_MAX};
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), 1);
    assert_int_equal(party_sock_recv_fds(b, &c, 1, 0, &in), 1);
    assert_int_equal(in.count, FDS_MAX);
    assert_int_equal(in.flags & MSG_CTRUNC, 0);
    close_fds(sent, FDS_MAX);
    close_fds(got, FDS_MAX);
    close(end);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_bytes_without_descriptors_are_no_error(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char buf[8];
    test_pair(SOCK_STREAM, &a, &b);
    struct party_sock_fds none = {0};
    assert_int_equal(party_sock_send_fds(a, "abc", 3, 0, &none), 3);
    assert_int_equal(party_sock_recv_fds(b, buf, 2, 0, &none), 2);
    assert_int_equal(party_sock_recv_fds(b, buf, 2, 0, &none), 1);
    party_sock_close(a);
    assert_int_equal(party_sock_recv_fds(b, buf, 2, 0, &none), 0);
    assert_int_equal(none.count, 0);
    party_sock_close(b);
}

static void test_failures_leave_the_outputs(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    int fds[FDS_MAX + 1] = {0};
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(b, 0), 0);
    struct party_sock_fds in = {.fds = fds, .cap = 1, .count = 7, .flags = 9};
    assert_int_equal(party_sock_recv_fds(b, &c, 1, 0, &in), -EAGAIN);
    assert_int_equal(in.count, 7);
    assert_int_equal(in.flags, 9);
    struct party_sock_fds out = {.fds = fds, .count = FDS_MAX + 1};
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), -EINVAL);
    struct party_sock_fds nowhere = {.cap = 1, .count = 1};
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &nowhere), -EINVAL);
    assert_int_equal(party_sock_recv_fds(b, &c, 1, 0, &nowhere), -EINVAL);
    fds[0] = -1;
    out.count = 1;
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), -EBADF);
    party_sock_close(b);
    out.count = 0;
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), -EPIPE);
    party_sock_close(a);
}

static void test_descriptors_that_the_table_has_no_room_for_are_told(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    int sent[2];
    int got[2];
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    int end = open_fds(sent, 2);
    struct party_sock_fds out = {.fds = sent, .count = 2};
    struct party_sock_fds in = {.fds = got, .cap = 2};
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), 1);
    /* Descriptors below the limit are all taken, or closed by who shares the limit: one is left. */
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int lowest = dup(end);
    assert_int_not_equal(lowest, -1);
    close(lowest);
    struct rlimit tight = {.rlim_cur = (rlim_t)lowest + 1, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    ssize_t n = party_sock_recv_fds(b, &c, 1, 0, &in);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(n, 1);
    assert_int_equal(in.count, 1);
    assert_int_equal(in.flags & MSG_CTRUNC, MSG_CTRUNC);
    close_fds(got, in.count);
    close_fds(sent, 2);
    close(end);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_descriptors_of_a_message_are_closed(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    int sent[3];
    char buf[8];
    char control[CMSG_SPACE(sizeof(sent))];
    test_pair(SOCK_STREAM, &a, &b);
    int end = open_fds(sent, 3);
    struct party_sock_fds out = {.fds = sent, .count = 3};
    assert_int_equal(party_sock_send_fds(a, "hello", 5, 0, &out), 5);
    close_fds(sent, 3);
    struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
    struct party_sock_message message = {
        .iov = &iov, .iov_count = 1, .control = control, .control_len = sizeof(control)};
    assert_int_equal(party_sock_recvmsg(b, &message, 0), 5);
    party_sock_cmsg_close_fds(&message);
    /* Nobody has the pipe's writing end any more. */
    assert_int_equal(read(end, buf, sizeof(buf)), 0);
    close(end);
    party_sock_close(a);
    party_sock_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_arrive_and_are_close_on_exec),
        cmocka_unit_test(test_no_descriptor_beyond_the_room_stays_open),
        cmocka_unit_test(test_credentials_do_not_take_the_descriptors_place),
        cmocka_unit_test(test_bytes_without_descriptors_are_no_error),
        cmocka_unit_test(test_failures_leave_the_outputs),
        cmocka_unit_test(test_descriptors_of_a_message_are_closed),
        cmocka_unit_test(test_descriptors_that_the_table_has_no_room_for_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
