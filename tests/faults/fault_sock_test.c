/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

#include "fault.h"

/* The blocking interface while every one of its system calls fails in every way it can. */

#define LONG_MS 30000

/* A run ended well and the bytes were wrong: no error looks like this. */
#define WRONG_BYTES (-4000)

struct ends {
    struct party_sock *a;
    struct party_sock *b;
};

static int close_ends(struct ends *ends, int r)
{
    /* close reports its own errors; the descriptor is gone all the same. */
    (void)party_sock_close(ends->a);
    (void)party_sock_close(ends->b);
    return r;
}

static int open_pair(struct ends *ends, int type, int64_t timeout_ms)
{
    int r = party_sock_socketpair(AF_UNIX, type, 0, &ends->a, &ends->b);
    if (r == 0 && timeout_ms >= 0) {
        r = party_sock_settimeout(ends->a, timeout_ms);
        r = r < 0 ? r : party_sock_settimeout(ends->b, timeout_ms);
    }
    return r;
}

static int recv_exactly(struct party_sock *sock, const char *wanted)
{
    char buf[64];
    size_t len = strlen(wanted);
    size_t got = 0;
    while (got < len) {
        ssize_t n = party_sock_recv(sock, buf + got, len - got, 0);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        got += (size_t)n;
    }
    return memcmp(buf, wanted, len) == 0 ? 0 : WRONG_BYTES;
}

static int say(struct party_sock *from, struct party_sock *to, const char *text)
{
    int r = party_sock_sendall(from, text, strlen(text), 0);
    return r < 0 ? r : recv_exactly(to, text);
}

/* user: the time-out. */
static int talk(void *user)
{
    const int64_t *timeout_ms = user;
    struct ends ends = {0};
    int r = open_pair(&ends, SOCK_STREAM, *timeout_ms);
    r = r < 0 ? r : say(ends.a, ends.b, "a question");
    r = r < 0 ? r : say(ends.b, ends.a, "an answer");
    r = r < 0 ? r : party_sock_shutdown(ends.a, SHUT_WR);
    if (r == 0) {
        char byte;
        r = (int)party_sock_recv(ends.b, &byte, 1, 0);
    }
    return close_ends(&ends, r);
}

static void test_talk_meets_every_error(void **state)
{
    (void)state;
    static const int64_t timeouts[] = {-1, LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        assert_true(fault_check(talk, (void *)(uintptr_t)&timeouts[i], NULL) > 20);
    }
}

static int serve(const struct party_address *where, struct ends *ends)
{
    struct party_sock *server = NULL;
    struct party_address address;
    struct party_address peer;
    int r = party_sock_create_server(where, NULL, &server);
    if (r < 0) {
        return r;
    }
    r = party_sock_settimeout(server, LONG_MS);
    r = r < 0 ? r : party_sock_getsockname(server, &address);
    r = r < 0 ? r : party_sock_socket(party_address_family(&address), SOCK_STREAM, 0, &ends->a);
    r = r < 0 ? r : party_sock_settimeout(ends->a, LONG_MS);
    r = r < 0 ? r : party_sock_connect(ends->a, &address);
    r = r < 0 ? r : party_sock_accept(server, &ends->b, &peer);
    r = r < 0 ? r : party_sock_getpeername(ends->a, &peer);
    r = r < 0 ? r : say(ends->a, ends->b, "hello server");
    (void)party_sock_close(server);
    return r;
}

static int serve_tcp(void *user)
{
    (void)user;
    struct ends ends = {0};
    struct party_address where;
    int r = party_address_parse("127.0.0.1:0", &where);
    r = r < 0 ? r : serve(&where, &ends);
    return close_ends(&ends, r);
}

/* A path that a dead server has left must be taken over. */
static int serve_unix(void *user)
{
    struct ends ends = {0};
    struct party_address where;
    int r = party_address_parse(user, &where);
    if (r == 0) {
        (void)unlink(where.u.un.sun_path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd == -1 || bind(fd, &where.u.sa, where.len) == -1) {
            r = -errno;
        }
        (void)close(fd);
    }
    r = r < 0 ? r : serve(&where, &ends);
    (void)unlink(where.u.un.sun_path);
    return close_ends(&ends, r);
}

/* EINPROGRESS of a blocking connect that nothing has interrupted comes from SO_SNDTIMEO; with a
   time-out it is waited for. */
static bool serve_allows(enum fault_call call, int error, int result)
{
    return call == FAULT_connect && error == EINPROGRESS && result == 0;
}

static void test_tcp_server_meets_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(serve_tcp, NULL, serve_allows) > 50);
}

static bool unix_allows(enum fault_call call, int error, int result)
{
    switch (call) {
    case FAULT_connect:
        /* The probe of the old path: whatever it meets but a refusal, somebody may live there. */
        return result == -EADDRINUSE || result == -error || result == 0;
    case FAULT_flock:
        /* Giving the lock back may fail: it goes with the descriptor. */
        return result == -EADDRINUSE || result == 0;
    case FAULT_bind:
        return result == 0 && error == EADDRINUSE;
    default:
        return result == -EADDRINUSE;
    }
}

static void test_unix_server_meets_every_error(void **state)
{
    (void)state;
    char directory[] = "/tmp/party_fault_XXXXXX";
    assert_non_null(mkdtemp(directory));
    char text[64];
    (void)snprintf(text, sizeof(text), "unix:%s/sock", directory);
    size_t runs = fault_check(serve_unix, text, unix_allows);
    assert_true(runs > 50);
    assert_int_equal(rmdir(directory), 0);
}

static int race(void *user)
{
    struct ends ends = {0};
    struct party_sock *server = user;
    struct party_address address;
    char port[8];
    int r = party_sock_getsockname(server, &address);
    (void)snprintf(port, sizeof(port), "%u", (unsigned)party_address_port(&address));
    r = r < 0 ? r : party_sock_create_connection("127.0.0.1", port, LONG_MS, &ends.a);
    r = r < 0 ? r : party_sock_accept(server, &ends.b, NULL);
    r = r < 0 ? r : say(ends.b, ends.a, "welcome");
    if (r < 0 && ends.b == NULL) {
        /* A connection that was made and then not wanted waits: the next run must not find it. */
        (void)party_sock_close(ends.a);
        ends.a = NULL;
        int fd = accept4(party_sock_fileno(server), NULL, NULL, SOCK_CLOEXEC);
        (void)close(fd);
    }
    return close_ends(&ends, r);
}

static bool race_allows(enum fault_call call, int error, int result)
{
    (void)result;
    return call == FAULT_connect && error == EINPROGRESS;
}

static void test_create_connection_meets_every_error(void **state)
{
    (void)state;
    struct party_address where;
    struct party_sock *server;
    assert_int_equal(party_address_parse("127.0.0.1:0", &where), 0);
    assert_int_equal(party_sock_create_server(&where, NULL, &server), 0);
    assert_int_equal(party_sock_settimeout(server, LONG_MS), 0);
    assert_true(fault_check(race, server, race_allows) > 20);
    (void)party_sock_close(server);
}

static int talk_in_lines(void *user)
{
    const char *mode = user;
    struct ends ends = {0};
    FILE *file = NULL;
    struct party_file_line line = {0};
    int r = open_pair(&ends, SOCK_STREAM, LONG_MS);
    r = r < 0 ? r : party_file_makefile(ends.a, mode, &file);
    r = r < 0 ? r : party_sock_sendall(ends.b, "one\ntwo\n", 8, 0);
    for (int i = 0; i < 2 && r >= 0; i++) {
        ssize_t n = party_file_readline(file, &line);
        r = n < 0 ? (int)n : n == 4 ? 0 : WRONG_BYTES;
        if (r == 0 && (fputs("yes\n", file) == EOF || fflush(file) == EOF)) {
            r = party_file_error(file);
        }
        r = r < 0 ? r : recv_exactly(ends.b, "yes\n");
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    party_file_line_finish(&line);
    return close_ends(&ends, r);
}

static void test_makefile_meets_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(talk_in_lines, (void *)(uintptr_t) "rw", NULL) > 20);
}

static int send_batches(void *user)
{
    const int64_t *timeout_ms = user;
    struct ends ends = {0};
    char room[4][8];
    struct party_datagram datagrams[4] = {0};
    int r = open_pair(&ends, SOCK_DGRAM, *timeout_ms);
    for (size_t i = 0; i < 4; i++) {
        datagrams[i] = (struct party_datagram){.data = room[i], .cap = 8, .len = i};
    }
    r = r < 0 ? r : party_datagram_send_batch(ends.a, datagrams, 4);
    r = r < 0 ? r : r == 4 ? party_datagram_recv_batch(ends.b, datagrams, 4) : WRONG_BYTES;
    r = r < 0 ? r : r == 4 && datagrams[3].len == 3 ? 0 : WRONG_BYTES;
    return close_ends(&ends, r);
}

static void test_batches_meet_every_error(void **state)
{
    (void)state;
    static const int64_t timeouts[] = {-1, LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        assert_true(fault_check(send_batches, (void *)(uintptr_t)&timeouts[i], NULL) > 10);
    }
}

/* A message with a descriptor in it, which must arrive once or not at all. */
static int pass_descriptor(void *user)
{
    (void)user;
    struct ends ends = {0};
    int got = -1;
    int r = open_pair(&ends, SOCK_STREAM, LONG_MS);
    if (r == 0) {
        int fds[1] = {STDERR_FILENO};
        struct party_sock_fds to_send = {.fds = fds, .count = 1};
        ssize_t n = party_sock_send_fds(ends.a, "x", 1, 0, &to_send);
        r = n < 0 ? (int)n : 0;
    }
    if (r == 0) {
        char byte;
        struct party_sock_fds fds = {.fds = &got, .cap = 1};
        ssize_t n = party_sock_recv_fds(ends.b, &byte, 1, 0, &fds);
        r = n < 0 ? (int)n : fds.count == 1 ? 0 : WRONG_BYTES;
    }
    if (got != -1) {
        (void)close(got);
    }
    return close_ends(&ends, r);
}

static void test_passing_a_descriptor_meets_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(pass_descriptor, NULL, NULL) > 20);
}

static int send_file(void *user)
{
    const int *fd = user;
    struct ends ends = {0};
    int r = open_pair(&ends, SOCK_STREAM, LONG_MS);
    if (r == 0) {
        int64_t sent = 0;
        r = party_sock_sendfile(ends.a, *fd, 0, -1, &sent);
        r = r < 0 ? r : sent == 20 ? 0 : WRONG_BYTES;
    }
    r = r < 0 ? r : recv_exactly(ends.b, "twenty bytes of file");
    return close_ends(&ends, r);
}

/* Where sendfile(2) cannot, the bytes are read and sent. A file that says ESPIPE is read like a
   pipe, from where it is, which is its end here after the first run. */
static bool send_file_allows(enum fault_call call, int error, int result)
{
    return (call == FAULT_sendfile64 && result == 0) || (call == FAULT_lseek64 && error == ESPIPE);
}

static void test_sendfile_meets_every_error(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fputs("twenty bytes of file", file) >= 0 && fflush(file) == 0, 1);
    int fd = fileno(file);
    assert_true(fault_check(send_file, &fd, send_file_allows) > 20);
    assert_int_equal(fclose(file), 0);
}

static int borrow_descriptor(void *user)
{
    (void)user;
    struct ends ends = {0};
    struct party_sock *again = NULL;
    struct party_sock *copy = NULL;
    int r = open_pair(&ends, SOCK_STREAM, -1);
    r = r < 0 ? r : party_sock_fromfd(party_sock_fileno(ends.a), -1, -1, -1, &again);
    r = r < 0 ? r : party_sock_dup(again, &copy);
    r = r < 0 ? r : say(copy, ends.b, "through a copy");
    (void)party_sock_close(copy);
    (void)party_sock_close(again);
    return close_ends(&ends, r);
}

static void test_copies_of_a_socket_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(borrow_descriptor, NULL, NULL) > 20);
}

static bool passing_allows(enum fault_call call, int error, int result)
{
    (void)call;
    (void)error;
    /* The message came, and the kernel had to drop its descriptor. */
    return result == WRONG_BYTES;
}

static void test_without_descriptors_it_is_emfile_and_nothing_leaks(void **state)
{
    (void)state;
    static const int64_t timeout_ms = LONG_MS;
    void *timeout = (void *)(uintptr_t)&timeout_ms;
    assert_int_equal(fault_check_descriptors(talk, timeout, NULL), 2);
    assert_int_equal(fault_check_descriptors(serve_tcp, NULL, NULL), 3);
    assert_int_equal(fault_check_descriptors(talk_in_lines, (void *)(uintptr_t) "rw", NULL), 2);
    assert_int_equal(fault_check_descriptors(send_batches, timeout, NULL), 2);
    assert_int_equal(fault_check_descriptors(pass_descriptor, NULL, passing_allows), 3);
    assert_int_equal(fault_check_descriptors(borrow_descriptor, NULL, NULL), 4);
}

static void test_a_unix_server_without_descriptors_leaks_none(void **state)
{
    (void)state;
    char directory[] = "/tmp/party_fault_XXXXXX";
    assert_non_null(mkdtemp(directory));
    char text[64];
    (void)snprintf(text, sizeof(text), "unix:%s/sock", directory);
    assert_true(fault_check_descriptors(serve_unix, text, unix_allows) >= 3);
    assert_int_equal(rmdir(directory), 0);
}

static void test_create_connection_without_descriptors_is_emfile(void **state)
{
    (void)state;
    struct party_address where;
    struct party_sock *server;
    assert_int_equal(party_address_parse("127.0.0.1:0", &where), 0);
    assert_int_equal(party_sock_create_server(&where, NULL, &server), 0);
    assert_int_equal(party_sock_settimeout(server, LONG_MS), 0);
    assert_int_equal(fault_check_descriptors(race, server, NULL), 2);
    (void)party_sock_close(server);
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_talk_meets_every_error),
        cmocka_unit_test(test_tcp_server_meets_every_error),
        cmocka_unit_test(test_unix_server_meets_every_error),
        cmocka_unit_test(test_create_connection_meets_every_error),
        cmocka_unit_test(test_makefile_meets_every_error),
        cmocka_unit_test(test_batches_meet_every_error),
        cmocka_unit_test(test_passing_a_descriptor_meets_every_error),
        cmocka_unit_test(test_sendfile_meets_every_error),
        cmocka_unit_test(test_copies_of_a_socket_meet_every_error),
        cmocka_unit_test(test_without_descriptors_it_is_emfile_and_nothing_leaks),
        cmocka_unit_test(test_a_unix_server_without_descriptors_leaks_none),
        cmocka_unit_test(test_create_connection_without_descriptors_is_emfile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
