/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_TEST_UTIL_H
#define PARTYLINE_SOCK_TEST_UTIL_H

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/connection.h>
#include <partyline/error.h>
#include <partyline/sock.h>

/* What the tests of sockets share. Waiting is always for an event, never for a time. */

/* A time-out long enough that only a hang reaches it. */
#define TEST_LONG_MS 30000

/* The library's result, with its name in the message when it is another. */
#define assert_result(got, wanted)                                                                 \
    do {                                                                                           \
        int result_ = (int)(got);                                                                  \
        int wanted_ = (wanted);                                                                    \
        if (result_ != wanted_) {                                                                  \
            print_error("%s is %d %s, not %d %s\n", #got, result_, party_error_name(result_),      \
                        wanted_, party_error_name(wanted_));                                       \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

/* "unix:auto" is an abstract name the kernel picks at bind, as port 0 is for others. */
static inline struct party_address test_address(const char *text)
{
    struct party_address address = {.len = sizeof(sa_family_t)};
    if (strcmp(text, "unix:auto") == 0) {
        address.u.sa.sa_family = AF_UNIX;
        return address;
    }
    assert_result(party_address_parse(text, &address), 0);
    return address;
}

/* A server at text, and where it really listens. */
static inline struct party_sock *test_server(const char *text,
                                             const struct party_server_options *options,
                                             struct party_address *ret_address)
{
    struct party_address address = test_address(text);
    struct party_sock *sock = NULL;
    assert_result(party_sock_create_server(&address, options, &sock), 0);
    assert_result(party_sock_getsockname(sock, ret_address), 0);
    return sock;
}

static inline struct party_sock *test_client(const struct party_address *address)
{
    struct party_sock *sock = NULL;
    int family = party_address_family(address);
    assert_result(party_sock_socket(family, SOCK_STREAM, 0, &sock), 0);
    assert_result(party_sock_connect(sock, address), 0);
    return sock;
}

static inline void test_pair(int type, struct party_sock **ret_a, struct party_sock **ret_b)
{
    assert_result(party_sock_socketpair(AF_UNIX, type, 0, ret_a, ret_b), 0);
}

static inline bool test_is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    assert_int_not_equal(flags, -1);
    return (flags & O_NONBLOCK) != 0;
}

static inline bool test_is_cloexec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    assert_int_not_equal(flags, -1);
    return (flags & FD_CLOEXEC) != 0;
}

static inline void test_wait_readable(const struct party_sock *sock)
{
    struct pollfd pollfd = {.fd = party_sock_fileno(sock), .events = POLLIN};
    int n = poll(&pollfd, 1, TEST_LONG_MS);
    assert_int_equal(n, 1);
}

/* Reads until len bytes are there; both ends of a test belong to it, so this cannot hang on others.
 */
static inline void test_recv_exactly(struct party_sock *sock, char *buf, size_t len)
{
    size_t got = 0;
    while (got < len) {
        ssize_t n = party_sock_recv_into(sock, buf + got, len - got, 0);
        assert_true(n > 0);
        got += (size_t)n;
    }
}

/* Whether bytes written to one end come out of the other. */
static inline void test_assert_connected(struct party_sock *a, struct party_sock *b)
{
    char buf[4] = "";
    assert_result(party_sock_sendall(a, "ping", 4, 0), 0);
    test_recv_exactly(b, buf, 4);
    assert_memory_equal(buf, "ping", 4);
}

/*
 * A thread that makes one call, which blocks. assert_* may not run in it: it keeps the result, and
 * the test looks at it after test_call_join.
 */
struct test_call {
    pthread_t thread;
    _Atomic pid_t tid; /* 0 until the thread runs */
    int (*fn)(struct test_call *call);
    struct party_sock *sock;
    struct party_address address;
    char buf[64];
    int result;
};

static inline void *test_call_main(void *arg)
{
    struct test_call *call = arg;
    atomic_store(&call->tid, gettid());
    call->result = call->fn(call);
    return NULL;
}

static inline void test_call_start(struct test_call *call)
{
    atomic_store(&call->tid, 0);
    assert_int_equal(pthread_create(&call->thread, NULL, test_call_main, call), 0);
}

static inline int test_call_join(struct test_call *call)
{
    assert_int_equal(pthread_join(call->thread, NULL), 0);
    return call->result;
}

static inline char test_thread_state(pid_t tid)
{
    char path[64];
    char line[512] = "";
    (void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_not_equal(fd, -1);
    ssize_t n = read(fd, line, sizeof(line) - 1);
    close(fd);
    assert_true(n > 0);
    /* The name before it may hold any byte, so the last parenthesis counts. */
    const char *end = strrchr(line, ')');
    assert_non_null(end);
    return end[2];
}

/* Waits until the thread's call sleeps in the kernel. */
static inline void test_call_wait_asleep(struct test_call *call)
{
    while (atomic_load(&call->tid) == 0 || test_thread_state(atomic_load(&call->tid)) != 'S') {
        (void)sched_yield();
    }
}

static _Atomic int test_signal_count;

static inline void test_count_signal(int signal_number)
{
    (void)signal_number;
    atomic_fetch_add(&test_signal_count, 1);
}

/* Lets signal_number interrupt system calls (no SA_RESTART) and be counted. */
static inline void test_count_signals(int signal_number)
{
    struct sigaction action = {.sa_handler = test_count_signal};
    assert_int_equal(sigaction(signal_number, &action, NULL), 0);
    atomic_store(&test_signal_count, 0);
}

/* Interrupts the sleeping call of the thread so often, each time after it went to sleep again. */
static inline void test_call_interrupt(struct test_call *call, int times)
{
    test_count_signals(SIGUSR1);
    for (int i = 1; i <= times; i++) {
        test_call_wait_asleep(call);
        assert_int_equal(pthread_kill(call->thread, SIGUSR1), 0);
        while (atomic_load(&test_signal_count) < i) {
            (void)sched_yield();
        }
    }
    test_call_wait_asleep(call);
}

#endif
