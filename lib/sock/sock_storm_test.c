/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "sock/sock_test_util.h"

/*
 * Transfers while a timer interrupts the process a thousand times a second, without SA_RESTART: not
 * a byte may be lost, doubled or changed. The signal is for the process, so it hits whichever
 * thread does not block it; both ends take part.
 */

#define STORM_BYTES (64 * 1024 * 1024)
#define GIB_PIECES  16
#define PERIOD      4093 /* prime: a piece that is lost or doubled shows */

static char *pattern; /* PERIOD bytes and STORM_BYTES more of the same */

struct end {
    struct party_sock *sock;
    pthread_t thread;
    size_t count;
    int result;
    bool is_right;
};

static void *receive(void *arg)
{
    struct end *end = arg;
    static char buf[256 * 1024];
    end->is_right = true;
    for (;;) {
        ssize_t n = party_sock_recv(end->sock, buf, sizeof(buf), 0);
        if (n <= 0) {
            end->result = (int)n;
            return NULL;
        }
        end->is_right = end->is_right && memcmp(buf, pattern + end->count % PERIOD, (size_t)n) == 0;
        end->count += (size_t)n;
    }
}

static void start_storm(void)
{
    test_count_signals(SIGALRM);
    struct itimerval storm = {.it_interval = {.tv_usec = 1000}, .it_value = {.tv_usec = 1000}};
    assert_int_equal(setitimer(ITIMER_REAL, &storm, NULL), 0);
}

static int end_storm(void)
{
    struct itimerval calm = {0};
    assert_int_equal(setitimer(ITIMER_REAL, &calm, NULL), 0);
    return atomic_load(&test_signal_count);
}

static int interrupts; /* what the interrupt function has seen, in the sending thread */

static int count_interrupt(struct party_sock *sock, void *user)
{
    (void)sock;
    (void)user;
    interrupts++;
    return 0;
}

/* A file that begins as the pattern does. */
static int make_file(size_t len)
{
    int fd = memfd_create("storm", MFD_CLOEXEC);
    assert_int_not_equal(fd, -1);
    for (size_t at = 0; at < len;) {
        ssize_t n = write(fd, pattern + at, len - at);
        assert_true(n > 0 || errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    return fd;
}

/* With timeout -1 the kernel waits, else poll does. */
static void check_storm(int64_t timeout_ms, bool by_sendfile)
{
    struct party_address at;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &at);
    struct party_sock *a = test_client(&at);
    struct end reader = {.count = 0};
    int64_t sent = 0;
    int r;
    assert_result(party_sock_accept(server, &reader.sock, NULL), 0);
    assert_result(party_sock_settimeout(a, timeout_ms), 0);
    assert_result(party_sock_settimeout(reader.sock, timeout_ms), 0);
    party_sock_set_interrupt(a, count_interrupt, NULL);
    start_storm();
    assert_int_equal(pthread_create(&reader.thread, NULL, receive, &reader), 0);
    if (by_sendfile) {
        int fd = make_file(STORM_BYTES);
        r = party_sock_sendfile(a, fd, 0, -1, &sent);
        close(fd);
    } else {
        r = party_sock_sendall(a, pattern, STORM_BYTES, 0);
        sent = STORM_BYTES;
    }
    party_sock_close(a);
    assert_int_equal(pthread_join(reader.thread, NULL), 0);
    int signals = end_storm();
    assert_result(r, 0);
    assert_int_equal(sent, STORM_BYTES);
    assert_result(reader.result, 0);
    assert_int_equal(reader.count, STORM_BYTES);
    assert_true(reader.is_right);
    print_message("# %d signals, %d interrupted the sender's calls\n", signals, interrupts);
    party_sock_close(reader.sock);
    party_sock_close(server);
}

static void test_sendall_and_recv_are_byte_exact_in_a_storm(void **state)
{
    (void)state;
    check_storm(-1, false);
    check_storm(TEST_LONG_MS, false);
}

static void test_sendfile_is_byte_exact_in_a_storm(void **state)
{
    (void)state;
    check_storm(-1, true);
    check_storm(TEST_LONG_MS, true);
}

/* A timeout is met though no wait ever gets through undisturbed. */
static void test_timeout_runs_out_in_a_storm(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, 30), 0);
    start_storm();
    ssize_t n = party_sock_recv(a, &c, 1, 0);
    int signals = end_storm();
    assert_int_equal(n, PARTY_ETIMEOUT);
    assert_true(signals > 0);
    party_sock_close(a);
    party_sock_close(b);
}

/* A GiB in pieces of 64 MiB, each of which goes on in the pattern where the last one ended. */
static void check_gib(bool by_sendfile)
{
    struct party_sock *a;
    struct end reader = {.count = 0};
    int fd = make_file(STORM_BYTES + PERIOD);
    test_pair(SOCK_STREAM, &a, &reader.sock);
    assert_int_equal(pthread_create(&reader.thread, NULL, receive, &reader), 0);
    int r = 0;
    for (size_t i = 0; i < GIB_PIECES && r == 0; i++) {
        size_t phase = i * STORM_BYTES % PERIOD;
        int64_t sent = STORM_BYTES;
        r = by_sendfile ? party_sock_sendfile(a, fd, (int64_t)phase, STORM_BYTES, &sent)
                        : party_sock_sendall(a, pattern + phase, STORM_BYTES, 0);
        r = r == 0 && sent != STORM_BYTES ? -EIO : r;
    }
    party_sock_close(a);
    assert_int_equal(pthread_join(reader.thread, NULL), 0);
    assert_result(r, 0);
    assert_result(reader.result, 0);
    assert_int_equal(reader.count, GIB_PIECES * (size_t)STORM_BYTES);
    assert_true(reader.is_right);
    party_sock_close(reader.sock);
    close(fd);
}

static void test_a_gib_is_byte_exact(void **state)
{
    (void)state;
    check_gib(false);
    check_gib(true);
}

static int make_pattern(void **state)
{
    (void)state;
    pattern = malloc(STORM_BYTES + 2 * PERIOD + 256 * 1024);
    if (pattern == NULL) {
        return -1;
    }
    for (size_t i = 0; i < STORM_BYTES + 2 * PERIOD + 256 * 1024; i++) {
        size_t at = i % PERIOD;
        pattern[i] = (char)(at ^ (at >> 8));
    }
    return 0;
}

static int free_pattern(void **state)
{
    (void)state;
    free(pattern);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sendall_and_recv_are_byte_exact_in_a_storm),
        cmocka_unit_test(test_sendfile_is_byte_exact_in_a_storm),
        cmocka_unit_test(test_a_gib_is_byte_exact),
        cmocka_unit_test(test_timeout_runs_out_in_a_storm),
    };
    return cmocka_run_group_tests(tests, make_pattern, free_pattern);
}
