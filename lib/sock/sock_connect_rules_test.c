/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <sys/socket.h>

#include "sock/sock_script_test_util.h"

/* What party_sock_connect makes of each answer of connect(2), poll(2) and SO_ERROR. */

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    (void)fd;
    (void)sa;
    (void)len;
    expected_events = POLLOUT;
    return (int)take_step(STEP_CALL);
}

/* SO_ERROR: the step's result is the pending error, or the call's failure when it is negative. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    (void)fd;
    assert_int_equal(level, SOL_SOCKET);
    assert_int_equal(name, SO_ERROR);
    assert_int_equal(*len, sizeof(int));
    int error = (int)take_step(STEP_CALL);
    if (error < 0) {
        return -1;
    }
    memcpy(value, &error, sizeof(error));
    return 0;
}

static void play_connect(const struct step *script, int family, int64_t timeout_ms, int wanted,
                         int wanted_ex)
{
    struct party_address address;
    assert_int_equal(party_address_parse("127.0.0.1:7", &address), 0);
    for (int is_ex = 0; is_ex < 2; is_ex++) {
        struct party_sock sock = {.fd = -1, .family = family, .timeout_ms = timeout_ms};
        party_sock_set_interrupt(&sock, take_interrupt, &sock);
        play(script);
        if (is_ex == 1) {
            assert_int_equal(party_sock_connect_ex(&sock, &address), wanted_ex);
        } else {
            assert_int_equal(party_sock_connect(&sock, &address), wanted);
        }
        assert_played_out();
    }
}

static void test_decided_at_once(void **state)
{
    (void)state;
    static const int errors[] = {EACCES,       EPERM,       EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT,
                                 EAGAIN,       EALREADY,    EBADF,      ECONNREFUSED,  EFAULT,
                                 EISCONN,      ENETUNREACH, ENOTSOCK,   EPROTOTYPE,    ETIMEDOUT,
                                 EHOSTUNREACH, ENOENT,      ECONNRESET};
    static const struct step done[] = {{STEP_CALL, 0, 0, 0}, {0}};
    static const int64_t timeouts_ms[] = {-1, 0, 100};
    for (size_t t = 0; t < 3; t++) {
        play_connect(done, AF_INET, timeouts_ms[t], 0, 0);
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
            const struct step script[] = {{STEP_CALL, -errors[i], 0, 0}, {0}};
            play_connect(script, AF_INET, timeouts_ms[t], -errors[i], errors[i]);
        }
    }
}

static void test_without_waiting_it_is_in_progress(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EINPROGRESS, 0, 0}, {0}};
    play_connect(script, AF_INET, 0, -EINPROGRESS, EINPROGRESS);
    /* Of a blocking socket it says that an SO_SNDTIMEO has ended the call. */
    play_connect(script, AF_INET, -1, -EINPROGRESS, EINPROGRESS);
}

static void test_decided_while_waiting(void **state)
{
    (void)state;
    static const struct step done[] = {
        {STEP_CALL, -EINPROGRESS, 0, 0}, {STEP_POLL, 1, 100, 50000}, {STEP_CALL, 0, 0, 0}, {0}};
    static const struct step connected[] = {{STEP_CALL, -EINPROGRESS, 0, 0},
                                            {STEP_POLL, 1, 100, 50000},
                                            {STEP_CALL, EISCONN, 0, 0},
                                            {0}};
    static const struct step refused[] = {{STEP_CALL, -EINPROGRESS, 0, 0},
                                          {STEP_POLL, 1, 100, 0},
                                          {STEP_CALL, ECONNREFUSED, 0, 0},
                                          {0}};
    /* The peer's host never answered: the kernel's time-out, which is not ours. */
    static const struct step silent[] = {
        {STEP_CALL, -EINPROGRESS, 0, 0}, {STEP_POLL, 1, 100, 0}, {STEP_CALL, ETIMEDOUT, 0, 0}, {0}};
    static const struct step late[] = {
        {STEP_CALL, -EINPROGRESS, 0, 0}, {STEP_POLL, 0, 100, 100000}, {0}};
    static const struct step broken[] = {
        {STEP_CALL, -EINPROGRESS, 0, 0}, {STEP_POLL, -ENOMEM, 100, 0}, {0}};
    static const struct step unasked[] = {
        {STEP_CALL, -EINPROGRESS, 0, 0}, {STEP_POLL, 1, 100, 0}, {STEP_CALL, -EBADF, 0, 0}, {0}};
    play_connect(done, AF_INET, 100, 0, 0);
    play_connect(connected, AF_INET, 100, 0, 0);
    play_connect(refused, AF_INET, 100, -ECONNREFUSED, ECONNREFUSED);
    play_connect(silent, AF_INET, 100, -ETIMEDOUT, ETIMEDOUT);
    play_connect(late, AF_INET, 100, PARTY_ETIMEOUT, EAGAIN);
    play_connect(broken, AF_INET, 100, -ENOMEM, ENOMEM);
    play_connect(unasked, AF_INET, 100, -EBADF, EBADF);
}

static void test_interrupted_it_waits_and_is_not_called_again(void **state)
{
    (void)state;
    static const struct step blocking[] = {{STEP_CALL, -EINTR, 0, 0},
                                           {STEP_INTERRUPT, 0, 0, 0},
                                           {STEP_POLL, -EINTR, -1, 0},
                                           {STEP_INTERRUPT, 0, 0, 0},
                                           {STEP_POLL, 1, -1, 0},
                                           {STEP_CALL, 0, 0, 0},
                                           {0}};
    static const struct step timed[] = {{STEP_CALL, -EINTR, 0, 0},       {STEP_INTERRUPT, 0, 0, 0},
                                        {STEP_POLL, -EINTR, 100, 60000}, {STEP_INTERRUPT, 0, 0, 0},
                                        {STEP_POLL, 0, 40, 40000},       {0}};
    static const struct step at_once[] = {
        {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, 0, 0, 0}, {0}};
    play_connect(blocking, AF_INET, -1, 0, 0);
    play_connect(timed, AF_INET, 100, PARTY_ETIMEOUT, EAGAIN);
    play_connect(at_once, AF_INET, 0, -EINPROGRESS, EINPROGRESS);
}

static void test_interrupted_connect_that_left_nothing_is_called_again(void **state)
{
    (void)state;
    static const struct step script[] = {{STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, 0, 0, 0},
                                         {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, 0, 0, 0},
                                         {STEP_CALL, 0, 0, 0},      {0}};
    play_connect(script, AF_UNIX, -1, 0, 0);
    play_connect(script, AF_VSOCK, -1, 0, 0);
}

static void test_interrupt_function_ends_it_with_its_own_code(void **state)
{
    (void)state;
    /* Codes that connect itself knows must not be taken for its own. */
    static const int codes[] = {-EINPROGRESS, -EINTR, -EISCONN};
    for (size_t i = 0; i < 3; i++) {
        const struct step at_once[] = {
            {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, codes[i], 0, 0}, {0}};
        const struct step waiting[] = {{STEP_CALL, -EINPROGRESS, 0, 0},
                                       {STEP_POLL, -EINTR, 100, 0},
                                       {STEP_INTERRUPT, codes[i], 0, 0},
                                       {0}};
        play_connect(at_once, AF_INET, -1, codes[i], -codes[i]);
        play_connect(at_once, AF_UNIX, 100, codes[i], -codes[i]);
        play_connect(waiting, AF_INET, 100, codes[i], -codes[i]);
    }
    static const struct step own[] = {
        {STEP_CALL, -EINTR, 0, 0}, {STEP_INTERRUPT, -7777, 0, 0}, {0}};
    play_connect(own, AF_INET, -1, -7777, -7777);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decided_at_once),
        cmocka_unit_test(test_without_waiting_it_is_in_progress),
        cmocka_unit_test(test_decided_while_waiting),
        cmocka_unit_test(test_interrupted_it_waits_and_is_not_called_again),
        cmocka_unit_test(test_interrupted_connect_that_left_nothing_is_called_again),
        cmocka_unit_test(test_interrupt_function_ends_it_with_its_own_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
