/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

#include "fault.h"

/* Loops, listeners and streams while every one of their system calls fails in every way it can. */

#define WRONG_BYTES (-4000)

/* More turns than any run here takes: one that gets there waits for what does not come. */
#define TURNS_MAX 60

/* A listener that cannot accept tries again later and later; so often is enough to see it. */
#define ACCEPTS_MAX 5

/* Two streams: one says TEXT and ends, the other sends all back. */
static const char text[] = "a few bytes that come back";

struct play {
    struct party_loop *loop;
    struct party_listener *listener;
    struct party_stream *client;
    struct party_stream *server;
    int open;   /* streams that have not closed */
    int reason; /* the first that is not 0 */
    size_t echoed;
    bool is_wrong;
    unsigned ticks;
};

static void keep_reason(struct play *play, int reason)
{
    play->reason = play->reason == 0 ? reason : play->reason;
}

static size_t echo_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)user;
    party_stream_write(stream, data, len);
    return len;
}

static size_t client_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    struct play *play = user;
    if (play->echoed + len > sizeof(text) || memcmp(text + play->echoed, data, len) != 0) {
        play->is_wrong = true;
    }
    play->echoed += len;
    if (play->echoed == sizeof(text)) {
        party_stream_finish(stream);
    }
    return len;
}

static void stream_closed(struct party_stream *stream, int reason, void *user)
{
    struct play *play = user;
    play->client = play->client == stream ? NULL : play->client;
    play->server = play->server == stream ? NULL : play->server;
    play->open--;
    keep_reason(play, reason);
}

static const struct party_stream_ops echo_ops = {.on_data = echo_data, .on_close = stream_closed};
static const struct party_stream_ops client_ops = {.on_data = client_data,
                                                   .on_close = stream_closed};

static void accepted(struct party_listener *listener, int fd, const struct party_address *peer,
                     void *user)
{
    (void)listener;
    (void)peer;
    struct play *play = user;
    int r = party_stream_create(play->loop, fd, &echo_ops, NULL, play, &play->server);
    if (r < 0) {
        (void)close(fd);
        keep_reason(play, r);
    } else {
        play->open++;
    }
    /* One is all that comes. */
    party_listener_close(play->listener);
    play->listener = NULL;
}

static int start_listener(struct play *play, struct party_address *ret_address)
{
    struct party_sock *server;
    int r = party_address_parse("127.0.0.1:0", ret_address);
    r = r < 0 ? r : party_sock_create_server(ret_address, NULL, &server);
    if (r < 0) {
        return r;
    }
    r = party_sock_getsockname(server, ret_address);
    r = r < 0 ? r
              : party_listener_create(play->loop, party_sock_fileno(server), accepted, play,
                                      &play->listener);
    if (r < 0) {
        (void)party_sock_close(server);
        return r;
    }
    return party_sock_detach(server) >= 0 ? 0 : WRONG_BYTES;
}

static int start_client(struct play *play, const struct party_address *address)
{
    struct party_sock *sock;
    int r = party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock);
    if (r < 0) {
        return r;
    }
    r = party_sock_connect(sock, address);
    r = r < 0 ? r
              : party_stream_create(play->loop, party_sock_fileno(sock), &client_ops, NULL, play,
                                    &play->client);
    if (r < 0) {
        (void)party_sock_close(sock);
        return r;
    }
    play->open++;
    party_stream_write(play->client, text, sizeof(text));
    return party_sock_detach(sock) >= 0 ? 0 : WRONG_BYTES;
}

static void tick(struct party_timer *timer, void *user)
{
    struct play *play = user;
    play->ticks++;
    (void)timer;
}

/* Turns until all streams are closed; an error of one closes the others. */
static int turn_until_closed(struct play *play)
{
    for (int i = 0; i < TURNS_MAX; i++) {
        if (play->open == 0 && play->listener == NULL) {
            return 0;
        }
        if (play->reason != 0 || fault_count(FAULT_accept4) > ACCEPTS_MAX) {
            party_listener_close(play->listener);
            play->listener = NULL;
            party_stream_close(play->client);
        }
        int r = party_loop_run_once(play->loop, 2000);
        if (r < 0) {
            return r;
        }
    }
    return PARTY_ETIMEOUT;
}

/* user: the backend. */
static int echo_on_a_loop(void *user)
{
    struct play play = {0};
    struct party_loop_settings settings = {.backend = user};
    struct party_address address;
    int r = party_loop_create(&settings, &play.loop);
    if (r < 0) {
        return r;
    }
    r = start_listener(&play, &address);
    r = r < 0 ? r : start_client(&play, &address);
    r = r < 0 ? r : turn_until_closed(&play);
    keep_reason(&play, r);
    if (play.reason == 0 && (play.is_wrong || play.echoed != sizeof(text))) {
        play.reason = WRONG_BYTES;
    }
    party_listener_close(play.listener);
    party_stream_close(play.client);
    party_stream_close(play.server);
    party_loop_destroy(play.loop);
    return play.reason;
}

static bool echo_allows(enum fault_call call, int error, int result)
{
    switch (call) {
    case FAULT_CALL_COUNT: /* no descriptors */
    case FAULT_accept4:
        /* A listener survives everything and tries again; when that never helps, nothing comes. */
        return result == 0 || (result == WRONG_BYTES && fault_count(FAULT_accept4) > ACCEPTS_MAX);
    case FAULT_setsockopt:
        /* Options that only make it faster. */
        return result == 0;
    case FAULT_shutdown:
        return result == 0;
    case FAULT_connect:
        return error == EINPROGRESS && result == 0;
    case FAULT_read:
    case FAULT_write:
        /* The loop's own wake-up. */
        return result == 0;
    case FAULT_io_uring_queue_init_params:
    case FAULT_io_uring_register:
        /* Without a ring the loop uses epoll. */
        return result == 0;
    case FAULT_io_uring_get_events:
    case FAULT_io_uring_submit:
        /* There is another occasion; one refused as another thread's gets the loop a new ring. */
    case FAULT_io_uring_submit_and_get_events:
    case FAULT_io_uring_submit_and_wait:
    case FAULT_io_uring_submit_and_wait_timeout:
        return result == 0;
    case FAULT_send:
    case FAULT_sendmsg:
    case FAULT_recv:
        /* A stream that fails resets the other. */
        return result == -ECONNRESET || result == -EPIPE;
    default:
        return false;
    }
}

static void test_streams_on_epoll_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(echo_on_a_loop, (void *)(uintptr_t) "epoll", echo_allows) > 50);
}

static bool has_uring(void)
{
    struct party_loop *loop;
    const struct party_loop_settings settings = {.backend = "io_uring"};
    assert_int_equal(party_loop_create(&settings, &loop), 0);
    bool has = strcmp(party_loop_backend(loop), "io_uring") == 0;
    party_loop_destroy(loop);
    return has;
}

static void test_streams_on_uring_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(echo_on_a_loop, (void *)(uintptr_t) "io_uring", echo_allows) > 50);
}

static int wait_for_timer_and_task(void *user)
{
    struct play play = {0};
    struct party_loop_settings settings = {.backend = user};
    struct party_timer timer = {0};
    int r = party_loop_create(&settings, &play.loop);
    if (r < 0) {
        return r;
    }
    r = party_timer_start(play.loop, &timer, 1, tick, &play);
    for (int i = 0; i < TURNS_MAX && r >= 0 && play.ticks == 0; i++) {
        r = party_loop_run_once(play.loop, -1);
    }
    party_timer_stop(&timer);
    party_loop_destroy(play.loop);
    return r < 0 ? r : play.ticks == 1 ? 0 : WRONG_BYTES;
}

static void test_timers_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(wait_for_timer_and_task, (void *)(uintptr_t) "epoll", NULL) > 5);
}

static void signalled(struct party_loop *loop, int signo, void *user)
{
    (void)loop;
    (void)signo;
    ((struct play *)user)->ticks++;
}

static int wait_for_signal(void *user)
{
    struct play play = {0};
    struct party_loop_settings settings = {.backend = user};
    int r = party_loop_create(&settings, &play.loop);
    if (r < 0) {
        return r;
    }
    r = party_loop_add_signal(play.loop, SIGUSR2, signalled, &play);
    if (r == 0) {
        (void)raise(SIGUSR2);
    }
    for (int i = 0; i < TURNS_MAX && r >= 0 && play.ticks == 0; i++) {
        r = party_loop_run_once(play.loop, 2000);
    }
    party_loop_destroy(play.loop);
    return r < 0 ? r : play.ticks == 1 ? 0 : WRONG_BYTES;
}

/* A signal that cannot be read is read in the next turn, or not while that lasts. */
static bool signal_allows(enum fault_call call, int error, int result)
{
    return call == FAULT_read && error == EIO && (result == 0 || result == WRONG_BYTES);
}

static void test_signals_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(wait_for_signal, (void *)(uintptr_t) "epoll", signal_allows) > 10);
}

static void test_without_descriptors_it_is_emfile_or_waits_and_nothing_leaks(void **state)
{
    (void)state;
    void *backend = (void *)(uintptr_t) "epoll";
    assert_int_equal(fault_check_descriptors(wait_for_timer_and_task, backend, NULL), 2);
    assert_int_equal(fault_check_descriptors(wait_for_signal, backend, NULL), 3);
    assert_int_equal(fault_check_descriptors(echo_on_a_loop, backend, echo_allows), 5);
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(120);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_on_epoll_meet_every_error),
        cmocka_unit_test(test_timers_meet_every_error),
        cmocka_unit_test(test_signals_meet_every_error),
        cmocka_unit_test(test_without_descriptors_it_is_emfile_or_waits_and_nothing_leaks),
        cmocka_unit_test(test_streams_on_uring_meet_every_error), /* last: may be left out */
    };
    size_t count = sizeof(tests) / sizeof(tests[0]) - (has_uring() ? 0 : 1);
    return _cmocka_run_group_tests("fault_loop", tests, count, NULL, NULL);
}
