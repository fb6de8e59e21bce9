/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

#include "fail_malloc.h"

/*
 * Transfers between two threads, each of which gets a signal every millisecond without SA_RESTART.
 * They go on until both have had SIGNALS_MIN of them, so each of them met many.
 */

#define LONG_MS     30000
#define SIGNALS_MIN 100
#define PERIOD_NS   1000000
#define BLOCK_BYTES 65536

/* The bytes were wrong: no error looks like this. */
#define WRONG_BYTES (-4000)

/* How many the thread has had. */
static _Thread_local volatile sig_atomic_t signals;

static void on_signal(int signo)
{
    (void)signo;
    signals++;
}

static timer_t start_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    event._sigev_un._tid = gettid();
    struct itimerspec period = {.it_value = {.tv_nsec = PERIOD_NS},
                                .it_interval = {.tv_nsec = PERIOD_NS}};
    timer_t timer;
    signals = 0;
    if (sigaction(SIGUSR1, &action, NULL) == -1 ||
        timer_create(CLOCK_MONOTONIC, &event, &timer) == -1 ||
        timer_settime(timer, 0, &period, NULL) == -1) {
        abort();
    }
    return timer;
}

/* The two sides of a transfer. Each returns 0 or what went wrong. */
struct transfer {
    int (*give)(struct transfer *transfer);
    int (*take)(struct transfer *transfer);
    struct party_sock *from;
    struct party_sock *to;        /* the server, where there is one */
    struct party_address address; /* of the server */
    int file_fd;
    atomic_bool taker_is_done; /* it has had its signals */
    int given_result;
    int given_signals;
};

static char byte_at(uint64_t i)
{
    return (char)(i * 31 + i / 4093);
}

static void fill(char *block, size_t len, uint64_t offset)
{
    for (size_t i = 0; i < len; i++) {
        block[i] = byte_at(offset + i);
    }
}

static bool goes_on(struct transfer *transfer)
{
    return signals < SIGNALS_MIN || !atomic_load(&transfer->taker_is_done);
}

static void note_taker(struct transfer *transfer)
{
    if (signals >= SIGNALS_MIN) {
        atomic_store(&transfer->taker_is_done, true);
    }
}

static int give_by_sendall(struct transfer *transfer)
{
    static char block[BLOCK_BYTES];
    int r = 0;
    for (uint64_t offset = 0; r == 0 && goes_on(transfer); offset += sizeof(block)) {
        fill(block, sizeof(block), offset);
        r = party_sock_sendall(transfer->from, block, sizeof(block), 0);
    }
    return r < 0 ? r : party_sock_shutdown(transfer->from, SHUT_WR);
}

/* What comes repeats itself after period bytes. */
static int take_by_recv_every(struct transfer *transfer, uint64_t period)
{
    static char block[BLOCK_BYTES];
    uint64_t offset = 0;
    for (;;) {
        ssize_t n = party_sock_recv(transfer->to, block, sizeof(block), 0);
        if (n <= 0) {
            return (int)n;
        }
        for (size_t i = 0; i < (size_t)n; i++) {
            if (block[i] != byte_at((offset + i) % period)) {
                return WRONG_BYTES;
            }
        }
        offset += (size_t)n;
        note_taker(transfer);
    }
}

static int take_by_recv(struct transfer *transfer)
{
    return take_by_recv_every(transfer, UINT64_MAX);
}

static int give_by_stdio(struct transfer *transfer)
{
    FILE *file;
    int r = party_file_makefile(transfer->from, "w", &file);
    if (r < 0) {
        return r;
    }
    for (uint64_t offset = 0; r == 0 && goes_on(transfer);) {
        /* Small pieces and large ones, so that both ways through the buffer are gone. */
        char piece[20000];
        size_t len = offset % 3 == 0 ? 100 : sizeof(piece);
        fill(piece, len, offset);
        r = fwrite(piece, 1, len, file) == len ? 0 : party_file_error(file);
        offset += len;
    }
    if (fclose(file) == EOF && r == 0) {
        r = -errno;
    }
    return r < 0 ? r : party_sock_shutdown(transfer->from, SHUT_WR);
}

static int take_by_stdio(struct transfer *transfer)
{
    FILE *file;
    int r = party_file_makefile(transfer->to, "r", &file);
    if (r < 0) {
        return r;
    }
    int c;
    for (uint64_t offset = 0; r == 0 && (c = getc(file)) != EOF; offset++) {
        r = (char)c == byte_at(offset) ? 0 : WRONG_BYTES;
        note_taker(transfer);
    }
    r = r < 0 ? r : party_file_error(file);
    return fclose(file) == 0 ? r : -errno;
}

static int give_by_sendfile(struct transfer *transfer)
{
    int r = 0;
    while (r == 0 && goes_on(transfer)) {
        int64_t sent = 0;
        r = party_sock_sendfile(transfer->from, transfer->file_fd, 0, -1, &sent);
        r = r < 0 ? r : sent == BLOCK_BYTES ? 0 : WRONG_BYTES;
    }
    return r < 0 ? r : party_sock_shutdown(transfer->from, SHUT_WR);
}

static int take_the_file(struct transfer *transfer)
{
    return take_by_recv_every(transfer, BLOCK_BYTES);
}

static int ask(struct transfer *transfer, const char *question)
{
    struct party_sock *sock;
    int r = party_sock_socket(party_address_family(&transfer->address), SOCK_STREAM, 0, &sock);
    if (r < 0) {
        return r;
    }
    char answer = 0;
    r = party_sock_settimeout(sock, party_sock_gettimeout(transfer->to));
    r = r < 0 ? r : party_sock_connect(sock, &transfer->address);
    r = r < 0 ? r : party_sock_sendall(sock, question, 1, 0);
    r = r < 0 ? r : (int)party_sock_recv(sock, &answer, 1, 0);
    (void)party_sock_close(sock);
    return r < 0 ? r : answer == *question ? 0 : WRONG_BYTES;
}

/* One connection after the other; "e" says that it is the last. */
static int give_by_connecting(struct transfer *transfer)
{
    int r = 0;
    while (r == 0 && goes_on(transfer)) {
        r = ask(transfer, "c");
    }
    return r < 0 ? r : ask(transfer, "e");
}

static int take_by_accepting(struct transfer *transfer)
{
    for (;;) {
        struct party_sock *conn;
        char byte = 0;
        int r = party_sock_accept(transfer->to, &conn, NULL);
        if (r < 0) {
            return r;
        }
        ssize_t n = party_sock_recv(conn, &byte, 1, 0);
        r = n < 0 ? (int)n : n == 1 ? party_sock_sendall(conn, &byte, 1, 0) : WRONG_BYTES;
        (void)party_sock_close(conn);
        note_taker(transfer);
        if (r < 0 || byte == 'e') {
            return r;
        }
    }
}

static void *giver(void *arg)
{
    struct transfer *transfer = arg;
    timer_t timer = start_signals();
    transfer->given_result = transfer->give(transfer);
    (void)timer_delete(timer);
    transfer->given_signals = (int)signals;
    return NULL;
}

static void run(struct transfer *transfer)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, giver, transfer), 0);
    timer_t timer = start_signals();
    int r = transfer->take(transfer);
    (void)timer_delete(timer);
    int taken_signals = (int)signals;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(r, 0);
    assert_int_equal(transfer->given_result, 0);
    assert_true(taken_signals >= SIGNALS_MIN);
    assert_true(transfer->given_signals >= SIGNALS_MIN);
}

static const int64_t timeouts[] = {-1, LONG_MS};

static void run_over_pair(struct transfer *transfer)
{
    for (size_t i = 0; i < 2; i++) {
        atomic_store(&transfer->taker_is_done, false);
        assert_int_equal(
            party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &transfer->from, &transfer->to), 0);
        assert_int_equal(party_sock_settimeout(transfer->from, timeouts[i]), 0);
        assert_int_equal(party_sock_settimeout(transfer->to, timeouts[i]), 0);
        run(transfer);
        (void)party_sock_close(transfer->from);
        (void)party_sock_close(transfer->to);
    }
}

static void test_sendall_and_recv_under_signals(void **state)
{
    (void)state;
    struct transfer transfer = {.give = give_by_sendall, .take = take_by_recv};
    run_over_pair(&transfer);
}

static void test_makefile_under_signals(void **state)
{
    (void)state;
    struct transfer transfer = {.give = give_by_stdio, .take = take_by_stdio};
    run_over_pair(&transfer);
}

static void test_sendfile_under_signals(void **state)
{
    (void)state;
    static char block[BLOCK_BYTES];
    struct transfer transfer = {.give = give_by_sendfile, .take = take_the_file};
    transfer.file_fd = memfd_create("fault", MFD_CLOEXEC);
    assert_int_not_equal(transfer.file_fd, -1);
    fill(block, sizeof(block), 0);
    assert_int_equal(write(transfer.file_fd, block, sizeof(block)), sizeof(block));
    run_over_pair(&transfer);
    assert_int_equal(close(transfer.file_fd), 0);
}

static void test_connect_and_accept_under_signals(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct transfer transfer = {.give = give_by_connecting, .take = take_by_accepting};
        assert_int_equal(party_address_parse("127.0.0.1:0", &transfer.address), 0);
        assert_int_equal(party_sock_create_server(&transfer.address, NULL, &transfer.to), 0);
        assert_int_equal(party_sock_getsockname(transfer.to, &transfer.address), 0);
        assert_int_equal(party_sock_settimeout(transfer.to, timeouts[i]), 0);
        run(&transfer);
        (void)party_sock_close(transfer.to);
    }
}

static size_t descriptors;

static int count_descriptors(void **state)
{
    (void)state;
    descriptors = fail_malloc_open_fds();
    return 0;
}

static int compare_descriptors(void **state)
{
    (void)state;
    return fail_malloc_open_fds() == descriptors ? 0 : -1;
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sendall_and_recv_under_signals, count_descriptors,
                                        compare_descriptors),
        cmocka_unit_test_setup_teardown(test_makefile_under_signals, count_descriptors,
                                        compare_descriptors),
        cmocka_unit_test_setup_teardown(test_sendfile_under_signals, count_descriptors,
                                        compare_descriptors),
        cmocka_unit_test_setup_teardown(test_connect_and_accept_under_signals, count_descriptors,
                                        compare_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
