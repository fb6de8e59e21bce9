/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/* A peer that resets the connection (SO_LINGER of 0), at each step of a transfer. */

#define LARGE_BYTES (16 << 20)

/* A connection; peer is a plain descriptor, so that nothing of the library acts on that side. */
struct link {
    struct party_sock *sock;
    int peer;
};

static struct link make_link(void)
{
    struct link link;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    link.sock = test_client(&address);
    link.peer = accept4(party_sock_fileno(server), NULL, NULL, SOCK_CLOEXEC);
    assert_int_not_equal(link.peer, -1);
    assert_result(party_sock_close(server), 0);
    return link;
}

static void reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    assert_int_equal(close(fd), 0);
}

static void peer_says(struct link *link, const char *text)
{
    assert_int_equal(write(link->peer, text, strlen(text)), (ssize_t)strlen(text));
    test_wait_readable(link->sock);
}

/* ---- blocking calls ---- */

static int wait_for_a_byte(struct test_call *call)
{
    return (int)party_sock_recv(call->sock, call->buf, 1, 0);
}

static int send_much(struct test_call *call)
{
    void *zeros = calloc(1, LARGE_BYTES);
    int r = zeros == NULL ? -ENOMEM : party_sock_sendall(call->sock, zeros, LARGE_BYTES, 0);
    free(zeros);
    return r;
}

static int send_much_of_a_file(struct test_call *call)
{
    int64_t sent;
    int fd = memfd_create("zeros", MFD_CLOEXEC);
    if (fd == -1 || ftruncate(fd, LARGE_BYTES) == -1) {
        return -errno;
    }
    int r = party_sock_sendfile(call->sock, fd, 0, -1, &sent);
    (void)close(fd);
    return r;
}

static int write_much_to_a_stream(struct test_call *call)
{
    FILE *file;
    char piece[1000] = "";
    int r = party_file_makefile(call->sock, "w", &file);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < LARGE_BYTES / sizeof(piece); i++) {
        r = fwrite(piece, 1, sizeof(piece), file) == sizeof(piece) ? 0 : party_file_error(file);
    }
    (void)fclose(file);
    return r;
}

static int wait_for_a_line(struct test_call *call)
{
    FILE *file;
    struct party_file_line line = {0};
    int r = party_file_makefile(call->sock, "r", &file);
    if (r < 0) {
        return r;
    }
    r = (int)party_file_readline(file, &line);
    /* The part that came is kept. */
    (void)snprintf(call->buf, sizeof(call->buf), "%s", line.text);
    party_file_line_finish(&line);
    (void)fclose(file);
    return r;
}

static int wait_for_a_batch(struct test_call *call)
{
    struct party_datagram datagram = {.data = call->buf, .cap = 1};
    return party_datagram_recv_batch(call->sock, &datagram, 1);
}

/* The call sleeps, has perhaps done a part, and then the peer resets. */
static void reset_during(int (*fn)(struct test_call *call), const char *before)
{
    static const int64_t timeouts[] = {-1, TEST_LONG_MS};
    for (size_t i = 0; i < 2; i++) {
        size_t fds = fail_malloc_open_fds();
        struct link link = make_link();
        struct test_call call = {.fn = fn, .sock = link.sock};
        assert_result(party_sock_settimeout(link.sock, timeouts[i]), 0);
        if (before != NULL) {
            peer_says(&link, before);
        }
        test_call_start(&call);
        test_call_wait_asleep(&call);
        reset(link.peer);
        int r = test_call_join(&call);
        assert_true(r == -ECONNRESET || r == -EPIPE);
        if (before != NULL) {
            assert_string_equal(call.buf, before);
        }
        assert_result(party_sock_close(link.sock), 0);
        assert_int_equal(fail_malloc_open_fds(), fds);
    }
}

static void test_a_reset_ends_each_call_that_waits(void **state)
{
    (void)state;
    reset_during(wait_for_a_byte, NULL);
    reset_during(send_much, NULL);
    reset_during(send_much_of_a_file, NULL);
    reset_during(write_much_to_a_stream, NULL);
    reset_during(wait_for_a_line, "half a line");
    reset_during(wait_for_a_batch, NULL);
}

static void test_after_a_reset_each_call_says_so(void **state)
{
    (void)state;
    struct link link = make_link();
    struct party_address address;
    char byte = 'x';
    reset(link.peer);
    test_wait_readable(link.sock);
    assert_result(party_sock_send(link.sock, &byte, 1, 0), -ECONNRESET);
    /* The error is told once; what follows meets a socket without a connection. */
    assert_result(party_sock_send(link.sock, &byte, 1, 0), -EPIPE);
    assert_result(party_sock_sendall(link.sock, &byte, 1, 0), -EPIPE);
    assert_result(party_sock_recv(link.sock, &byte, 1, 0), 0);
    assert_result(party_sock_shutdown(link.sock, SHUT_WR), -ENOTCONN);
    assert_result(party_sock_getpeername(link.sock, &address), -ENOTCONN);
    assert_result(party_sock_close(link.sock), 0);
}

static void test_what_came_before_a_reset_may_be_lost_but_the_reset_is_told(void **state)
{
    (void)state;
    struct link link = make_link();
    char buf[8];
    peer_says(&link, "abc");
    assert_result(party_sock_recv(link.sock, buf, 1, 0), 1);
    reset(link.peer);
    ssize_t n;
    while ((n = party_sock_recv(link.sock, buf, 1, 0)) == 1) {
    }
    assert_result(n, -ECONNRESET);
    assert_result(party_sock_close(link.sock), 0);
}

static void test_a_connection_reset_before_accept_is_accepted_and_told(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct party_sock *client = test_client(&address);
    struct party_sock *conn;
    char byte;
    int fd = party_sock_detach(client);
    reset(fd);
    assert_result(party_sock_accept(server, &conn, NULL), 0);
    assert_result(party_sock_recv(conn, &byte, 1, 0), -ECONNRESET);
    assert_result(party_sock_close(conn), 0);
    assert_result(party_sock_close(server), 0);
}

/* ---- streams ---- */

struct probe {
    struct party_loop *loop;
    struct party_stream *stream;
    unsigned data_calls;
    unsigned closes;
    int reason;
};

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)stream;
    (void)data;
    ((struct probe *)user)->data_calls++;
    return len;
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    struct probe *probe = user;
    probe->stream = NULL;
    probe->reason = reason;
    probe->closes++;
}

static const struct party_stream_ops ops = {.on_data = on_data, .on_close = on_close};

/* What has gone on when the peer resets. */
enum step {
    STEP_NOTHING,
    STEP_INPUT_WAITS,
    STEP_INPUT_TAKEN,
    STEP_PAUSED,
    STEP_OUTPUT_QUEUED,
    STEP_OUTPUT_STUCK,
    STEP_OUTPUT_AND_INPUT,
    STEP_FINISHING,
    STEP_COUNT,
};

static void turn(struct probe *probe)
{
    assert_result(party_loop_run_once(probe->loop, 0), 0);
}

/* More than the kernel takes, within the stream's limit. */
static void write_much(struct probe *probe)
{
    static const char zeros[1 << 20];
    for (int i = 0; i < 12; i++) {
        party_stream_write(probe->stream, zeros, sizeof(zeros));
    }
}

static void go_to(enum step step, struct probe *probe, struct link *link)
{
    switch (step) {
    case STEP_INPUT_WAITS:
        assert_int_equal(write(link->peer, "input", 5), 5);
        break;
    case STEP_INPUT_TAKEN:
        assert_int_equal(write(link->peer, "input", 5), 5);
        assert_result(party_loop_run_once(probe->loop, TEST_LONG_MS), 0);
        assert_int_equal(probe->data_calls, 1);
        break;
    case STEP_PAUSED:
        party_stream_pause(probe->stream);
        turn(probe);
        break;
    case STEP_OUTPUT_QUEUED:
        party_stream_write(probe->stream, "output", 6);
        break;
    case STEP_OUTPUT_STUCK:
        write_much(probe);
        turn(probe);
        assert_true(party_stream_queued(probe->stream) > 0);
        break;
    case STEP_OUTPUT_AND_INPUT:
        write_much(probe);
        assert_int_equal(write(link->peer, "input", 5), 5);
        turn(probe);
        break;
    case STEP_FINISHING:
        party_stream_write(probe->stream, "bye", 3);
        party_stream_finish(probe->stream);
        turn(probe);
        break;
    default:
        break;
    }
}

static void reset_at(enum step step, const char *backend)
{
    static const struct party_stream_limits limits = {.output_max_bytes = LARGE_BYTES};
    size_t fds = fail_malloc_open_fds();
    size_t memory = fail_malloc_outstanding();
    struct probe probe = {0};
    struct party_loop_settings settings = {.backend = backend};
    struct link link = make_link();
    assert_result(party_loop_create(&settings, &probe.loop), 0);
    int fd = party_sock_detach(link.sock);
    link.sock = NULL;
    assert_result(party_stream_create(probe.loop, fd, &ops, &limits, &probe, &probe.stream), 0);
    go_to(step, &probe, &link);
    reset(link.peer);
    if (step == STEP_PAUSED) {
        /* Nobody reads: what came before may still be wanted, and the end is found after it. */
        turn(&probe);
        turn(&probe);
        assert_int_equal(probe.closes, 0);
        party_stream_resume(probe.stream);
    }
    for (int i = 0; i < 50 && probe.closes == 0; i++) {
        assert_result(party_loop_run_once(probe.loop, 1000), 0);
    }
    assert_int_equal(probe.closes, 1);
    bool is_told = probe.reason == -ECONNRESET || probe.reason == -EPIPE;
    assert_true(is_told || (step == STEP_FINISHING && probe.reason == 0));
    turn(&probe);
    assert_int_equal(probe.closes, 1);
    party_loop_destroy(probe.loop);
    assert_int_equal(fail_malloc_open_fds(), fds);
    assert_int_equal(fail_malloc_outstanding(), memory);
}

static void test_a_reset_closes_a_stream_once_at_each_step(void **state)
{
    (void)state;
    for (enum step step = STEP_NOTHING; step < STEP_COUNT; step++) {
        reset_at(step, "epoll");
    }
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_reset_ends_each_call_that_waits),
        cmocka_unit_test(test_after_a_reset_each_call_says_so),
        cmocka_unit_test(test_what_came_before_a_reset_may_be_lost_but_the_reset_is_told),
        cmocka_unit_test(test_a_connection_reset_before_accept_is_accepted_and_told),
        cmocka_unit_test(test_a_reset_closes_a_stream_once_at_each_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
