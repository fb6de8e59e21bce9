/* SPDX-License-Identifier: MIT */
#include "sock/sock_call.h"

#include <limits.h>

#include "sock/sock_script_test_util.h"

/* Which system calls recv, send and sendall make, in which order, and how time passes. The rules
   that hold for all calls alike are in sock_rules_test.c. */

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);

static int last_flags;

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
    (void)fd;
    memset(buf, 'r', len);
    expected_events = POLLIN;
    last_flags = flags;
    return take_step(STEP_CALL);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
    (void)fd;
    (void)buf;
    (void)len;
    expected_events = POLLOUT;
    last_flags = flags;
    return take_step(STEP_CALL);
}

/* No descriptor: nothing here reaches the kernel. */
static struct party_sock sock_with_timeout(int64_t timeout_ms)
{
    return (struct party_sock){.fd = -1, .timeout_ms = timeout_ms};
}

static void test_ready_recv_is_one_system_call_whatever_the_timeout(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, 0, 5000};
    for (size_t i = 0; i < 3; i++) {
        static const struct step script[] = {{STEP_CALL, 3, 0, 0}, {0}};
        struct party_sock sock = sock_with_timeout(timeouts_ms[i]);
        char buf[8];
        play(script);
        assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), MSG_PEEK), 3);
        assert_int_equal(last_flags, MSG_PEEK);
        assert_played_out();
        assert_int_equal(clock_reads, 0);
    }
}

static void test_ready_send_is_one_system_call_and_never_raises_sigpipe(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, 0, 5000};
    for (size_t i = 0; i < 3; i++) {
        static const struct step script[] = {{STEP_CALL, 2, 0, 0}, {0}};
        struct party_sock sock = sock_with_timeout(timeouts_ms[i]);
        play(script);
        assert_int_equal(party_sock_send(&sock, "abc", 3, MSG_DONTROUTE), 2);
        assert_int_equal(last_flags, MSG_DONTROUTE | MSG_NOSIGNAL);
        assert_played_out();
        assert_int_equal(clock_reads, 0);
    }
}

static void test_recv_of_nothing_makes_no_system_call(void **state)
{
    (void)state;
    static const struct step script[] = {{0}};
    struct party_sock sock = sock_with_timeout(-1);
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, NULL, 0, 0), 0);
    assert_played_out();
}

static void test_wait_is_one_poll_for_the_whole_timeout(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 5000, 100}, {STEP_CALL, 4, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(5000);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), 4);
    assert_played_out();
}

static void test_timeout_zero_never_polls(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(0);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), -EAGAIN);
    assert_played_out();
}

static void test_eagain_of_a_blocking_socket_is_passed_on(void **state)
{
    (void)state;
    /* An SO_RCVTIMEO the caller has set ends a blocking recv so. */
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(-1);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), -EAGAIN);
    assert_played_out();
}

static void test_timeout_runs_out_after_poll(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 0, 100, 100000}, {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), PARTY_ETIMEOUT);
    assert_played_out();
}

static void test_false_readiness_does_not_move_the_deadline(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 100, 30000},
                                         {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 70, 30000},
                                         {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 40, 40000},
                                         {STEP_CALL, -EAGAIN, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), PARTY_ETIMEOUT);
    assert_played_out();
}

static void test_what_arrives_with_the_deadline_is_still_read(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 100, 100000}, {STEP_CALL, 1, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), 1);
    assert_played_out();
}

static void test_interrupted_poll_waits_for_what_is_left(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0},
                                         {STEP_POLL, -EINTR, 100, 60000},
                                         {STEP_POLL, -EINTR, 40, 39000},
                                         {STEP_POLL, 0, 1, 1000},
                                         {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), PARTY_ETIMEOUT);
    assert_played_out();
}

static void test_interrupted_call_is_made_again_without_poll(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, 0, 100};
    for (size_t i = 0; i < 3; i++) {
        static const struct step script[] = {
            {STEP_CALL, -EINTR, 0, 0}, {STEP_CALL, -EINTR, 0, 0}, {STEP_CALL, 5, 0, 0}, {0}};
        struct party_sock sock = sock_with_timeout(timeouts_ms[i]);
        char buf[8];
        play(script);
        assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), 5);
        assert_played_out();
    }
}

static void test_part_of_a_millisecond_is_rounded_up(void **state)
{
    (void)state;
    /* 0.4 ms are left: poll with 0 would spin, so it waits 1. */
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, -EINTR, 100, 99600}, {STEP_POLL, 0, 1, 1000}, {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), PARTY_ETIMEOUT);
    assert_played_out();
}

static void test_timeout_longer_than_an_int_is_waited_for_in_parts(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EAGAIN, 0, 0},
                                         {STEP_POLL, 0, INT_MAX, INT_MAX * INT64_C(1000)},
                                         {STEP_POLL, 0, 5, 5000},
                                         {0}};
    struct party_sock sock = sock_with_timeout(INT64_C(5) + INT_MAX);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), PARTY_ETIMEOUT);
    assert_played_out();
}

static void test_timeout_beyond_the_clock_waits_for_ever(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, -1, 0}, {STEP_CALL, 1, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(INT64_MAX);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), 1);
    assert_played_out();
}

static void test_failure_of_poll_is_the_result(void **state)
{
    (void)state;
    static const struct step script[] = {
        {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, -ENOMEM, 100, 0}, {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), -ENOMEM);
    assert_played_out();
}

static void test_other_failures_end_the_call(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -ECONNRESET, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(100);
    char buf[8];
    play(script);
    assert_int_equal(party_sock_recv_into(&sock, buf, sizeof(buf), 0), -ECONNRESET);
    assert_played_out();
}

static void test_sendall_goes_on_after_parts(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 1, 0, 0},
                                         {STEP_CALL, -EINTR, 0, 0},
                                         {STEP_CALL, 3, 0, 0},
                                         {STEP_CALL, 2, 0, 0},
                                         {0}};
    struct party_sock sock = sock_with_timeout(-1);
    play(script);
    assert_int_equal(party_sock_sendall(&sock, "abcdef", 6, 0), 0);
    assert_int_equal(last_flags, MSG_NOSIGNAL);
    assert_played_out();
}

static void test_sendall_has_one_deadline_for_all_parts(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 1, 0, 10000},   {STEP_CALL, -EAGAIN, 0, 0},
                                         {STEP_POLL, 1, 90, 50000},  {STEP_CALL, 1, 0, 0},
                                         {STEP_CALL, -EAGAIN, 0, 0}, {STEP_POLL, 1, 40, 30000},
                                         {STEP_CALL, 1, 0, 0},       {STEP_CALL, -EAGAIN, 0, 0},
                                         {STEP_POLL, 0, 10, 10000},  {0}};
    struct party_sock sock = sock_with_timeout(100);
    play(script);
    assert_int_equal(party_sock_sendall(&sock, "abcdef", 6, 0), PARTY_ETIMEOUT);
    assert_played_out();
}

static void test_sendall_without_timeout_gives_up_when_full(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 2, 0, 0}, {STEP_CALL, -EAGAIN, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(0);
    play(script);
    assert_int_equal(party_sock_sendall(&sock, "abcdef", 6, 0), -EAGAIN);
    assert_played_out();
}

static void test_sendall_of_nothing_sends_once(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, 0, 0, 0}, {0}};
    struct party_sock sock = sock_with_timeout(-1);
    play(script);
    assert_int_equal(party_sock_sendall(&sock, "", 0, 0), 0);
    assert_played_out();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_recv_is_one_system_call_whatever_the_timeout),
        cmocka_unit_test(test_ready_send_is_one_system_call_and_never_raises_sigpipe),
        cmocka_unit_test(test_recv_of_nothing_makes_no_system_call),
        cmocka_unit_test(test_wait_is_one_poll_for_the_whole_timeout),
        cmocka_unit_test(test_timeout_zero_never_polls),
        cmocka_unit_test(test_eagain_of_a_blocking_socket_is_passed_on),
        cmocka_unit_test(test_timeout_runs_out_after_poll),
        cmocka_unit_test(test_false_readiness_does_not_move_the_deadline),
        cmocka_unit_test(test_what_arrives_with_the_deadline_is_still_read),
        cmocka_unit_test(test_interrupted_poll_waits_for_what_is_left),
        cmocka_unit_test(test_interrupted_call_is_made_again_without_poll),
        cmocka_unit_test(test_part_of_a_millisecond_is_rounded_up),
        cmocka_unit_test(test_timeout_longer_than_an_int_is_waited_for_in_parts),
        cmocka_unit_test(test_timeout_beyond_the_clock_waits_for_ever),
        cmocka_unit_test(test_failure_of_poll_is_the_result),
        cmocka_unit_test(test_other_failures_end_the_call),
        cmocka_unit_test(test_sendall_goes_on_after_parts),
        cmocka_unit_test(test_sendall_has_one_deadline_for_all_parts),
        cmocka_unit_test(test_sendall_without_timeout_gives_up_when_full),
        cmocka_unit_test(test_sendall_of_nothing_sends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
