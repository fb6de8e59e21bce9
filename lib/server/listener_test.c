/* SPDX-License-Identifier: MIT */
#include <partyline/listener.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <sys/resource.h>

#include "full_path.h"
#include "server/stream_test_util.h"

/* ---- accept4, counted and made to fail ---- */

static unsigned accept_calls;
static int accept_error;         /* while accept_failures last */
static unsigned accept_failures; /* UINT_MAX: always */

int __real_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags);

int __wrap_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    accept_calls++;
    if (accept_failures > 0) {
        accept_failures -= accept_failures != UINT_MAX;
        errno = accept_error;
        return -1;
    }
    return __real_accept4(fd, addr, len, flags);
}

static void fail_accepts(int error, unsigned count)
{
    accept_error = error;
    accept_failures = count;
    accept_calls = 0;
}

/* ---- a listening socket and its clients ---- */

#define CLIENTS 200

struct hall {
    struct party_listener *listener;
    struct sockaddr_in address;
    int clients[CLIENTS];
    unsigned client_count;
    int accepted[CLIENTS];
    unsigned accepted_count;
    unsigned logged;
    bool close_in_callback;
    unsigned close_after; /* accepted connections */
};

static void on_accept(struct party_listener *listener, int fd, const struct party_address *peer,
                      void *user)
{
    struct hall *hall = user;
    assert_non_null(listener);
    assert_int_equal(party_address_family(peer), AF_INET);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    hall->accepted[hall->accepted_count++] = fd;
    if (hall->close_in_callback && hall->accepted_count == hall->close_after) {
        party_listener_close(listener);
        hall->listener = NULL;
    }
}

static int make_listening_socket(struct hall *hall)
{
    socklen_t len = sizeof(hall->address);
    hall->address = (struct sockaddr_in){.sin_family = AF_INET};
    hall->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&hall->address, len), 0);
    assert_int_equal(listen(fd, CLIENTS), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&hall->address, &len), 0);
    return fd;
}

static struct hall *hall_open(struct party_loop *loop)
{
    struct hall *hall = calloc(1, sizeof(*hall));
    int fd = make_listening_socket(hall);
    accept_failures = 0;
    assert_int_equal(party_listener_create(loop, fd, on_accept, hall, &hall->listener), 0);
    assert_int_equal(party_listener_fileno(hall->listener), fd);
    return hall;
}

static void dial(struct hall *hall)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_not_equal(fd, -1);
    assert_int_equal(connect(fd, (struct sockaddr *)&hall->address, sizeof(hall->address)), 0);
    hall->clients[hall->client_count++] = fd;
}

static void hang_up(struct hall *hall)
{
    while (hall->client_count > 0) {
        close(hall->clients[--hall->client_count]);
    }
    while (hall->accepted_count > 0) {
        close(hall->accepted[--hall->accepted_count]);
    }
}

static void hall_close(struct bench *b, struct hall *hall)
{
    hang_up(hall);
    party_listener_close(hall->listener);
    settle_loop(b->loop);
    free(hall);
}

static void count_log(enum party_log_level level, const char *text, void *user)
{
    struct hall *hall = user;
    assert_int_equal(level, PARTY_LOG_WARNING);
    assert_non_null(strstr(text, "accepting pauses"));
    hall->logged++;
}

/* ---- tests ---- */

static void test_all_that_connect_are_accepted(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    for (unsigned i = 0; i < CLIENTS; i++) {
        dial(hall);
    }
    await(b->loop, hall->accepted_count == CLIENTS);
    assert_true(loop_is_idle(b->loop));
    hall_close(b, hall);
}

static void test_one_turn_accepts_a_bounded_number(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    for (unsigned i = 0; i < CLIENTS; i++) {
        dial(hall);
    }
    run_turn(b->loop);
    assert_in_range(hall->accepted_count, 1, CLIENTS / 2);
    await(b->loop, hall->accepted_count == CLIENTS);
    hall_close(b, hall);
}

static void test_listener_closed_in_its_callback_accepts_no_more(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    hall->close_in_callback = true;
    hall->close_after = 3;
    for (unsigned i = 0; i < 10; i++) {
        dial(hall);
    }
    await(b->loop, hall->accepted_count == 3);
    settle_loop(b->loop);
    assert_int_equal(hall->accepted_count, 3);
    assert_true(loop_is_idle(b->loop));
    hall_close(b, hall);
}

static void test_closed_listener_has_no_descriptor_and_may_be_closed_again(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    dial(hall);
    party_listener_close(hall->listener);
    assert_int_equal(party_listener_fileno(hall->listener), -1);
    party_listener_close(hall->listener);
    party_listener_close(NULL);
    settle_loop(b->loop);
    assert_int_equal(hall->accepted_count, 0);
    hall->listener = NULL;
    hall_close(b, hall);
}

static void test_aborted_connections_are_passed_over(void **state)
{
    struct bench *b = *state;
    static const int errors[] = {ECONNABORTED, EPROTO, EINTR, ENETDOWN, EPERM, EHOSTUNREACH};
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        struct hall *hall = hall_open(b->loop);
        dial(hall);
        fail_accepts(errors[i], 3);
        run_turn(b->loop);
        assert_int_equal(hall->accepted_count, 1);
        assert_int_equal(accept_calls, 5); /* three failures, the connection, the end */
        hall_close(b, hall);
    }
}

/* Lets n descriptors be opened beyond those there are. Returns: the limit before. */
static struct rlimit leave_descriptors(unsigned n)
{
    struct rlimit before, now;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    now = before;
    now.rlim_cur = (rlim_t)lowest_free_fd() + n;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
    return before;
}

static void test_without_descriptors_accepting_pauses_and_goes_on_when_they_are_back(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    b->loop->log = count_log;
    b->loop->log_user = hall;
    for (unsigned i = 0; i < 6; i++) {
        dial(hall);
    }
    struct rlimit before = leave_descriptors(2);
    settle_loop(b->loop);
    unsigned accepted = hall->accepted_count;
    bool idle = loop_is_idle(b->loop);
    fail_accepts(0, 0);
    settle_loop(b->loop);
    unsigned calls = accept_calls;
    b->clock_ns += 10 * MS;
    settle_loop(b->loop);
    b->clock_ns += MS; /* the pause has doubled */
    settle_loop(b->loop);
    unsigned calls_later = accept_calls;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(accepted, 2);
    assert_true(idle);
    assert_int_equal(calls, 0);
    assert_int_equal(calls_later, 1);
    assert_int_equal(hall->logged, 1);
    b->clock_ns += 19 * MS;
    settle_loop(b->loop);
    assert_int_equal(hall->accepted_count, 6);
    assert_int_equal(hall->logged, 1);
    b->loop->log = NULL;
    hall_close(b, hall);
}

static void test_pause_doubles_up_to_a_second_and_starts_anew_after_success(void **state)
{
    struct bench *b = *state;
    static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
    for (size_t e = 0; e < sizeof(errors) / sizeof(errors[0]); e++) {
        struct hall *hall = hall_open(b->loop);
        int64_t pauses_ms[] = {10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000};
        dial(hall);
        fail_accepts(errors[e], UINT_MAX);
        settle_loop(b->loop);
        assert_int_equal(accept_calls, 1);
        for (unsigned i = 0; i < 10; i++) {
            b->clock_ns += pauses_ms[i] * MS - 1;
            settle_loop(b->loop);
            assert_int_equal(accept_calls, i + 1);
            b->clock_ns += 1;
            settle_loop(b->loop);
            assert_int_equal(accept_calls, i + 2);
        }
        accept_failures = 0;
        b->clock_ns += 1000 * MS;
        settle_loop(b->loop);
        assert_int_equal(hall->accepted_count, 1);
        dial(hall);
        fail_accepts(errors[e], 1);
        settle_loop(b->loop);
        b->clock_ns += 10 * MS;
        settle_loop(b->loop);
        assert_int_equal(hall->accepted_count, 2);
        hall_close(b, hall);
    }
}

static void test_listener_closed_during_its_pause_stays_closed(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    dial(hall);
    fail_accepts(EMFILE, UINT_MAX);
    settle_loop(b->loop);
    party_listener_close(hall->listener);
    hall->listener = NULL;
    b->clock_ns += 2000 * MS;
    settle_loop(b->loop);
    assert_int_equal(accept_calls, 1);
    hall_close(b, hall);
}

static void test_two_loops_share_a_listening_socket(void **state)
{
    struct bench *b = *state;
    struct hall *hall = hall_open(b->loop);
    struct party_loop *loop = create_loop();
    struct hall *other = calloc(1, sizeof(*other));
    int fd = fcntl(party_listener_fileno(hall->listener), F_DUPFD_CLOEXEC, 0);
    assert_int_equal(party_listener_create(loop, fd, on_accept, other, &other->listener), 0);
    for (unsigned i = 0; i < CLIENTS - 1; i++) {
        dial(hall);
        run_turn(i % 2 ? b->loop : loop);
    }
    run_turn(loop);
    run_turn(b->loop);
    assert_int_equal(hall->accepted_count + other->accepted_count, CLIENTS - 1);
    assert_true(hall->accepted_count > 0);
    assert_true(other->accepted_count > 0);
    assert_true(loop_is_idle(loop) && loop_is_idle(b->loop));
    hang_up(other);
    party_listener_close(other->listener);
    dial(hall); /* the socket still listens for the other loop */
    unsigned before = hall->accepted_count;
    await(b->loop, hall->accepted_count == before + 1);
    party_loop_destroy(loop);
    free(other);
    hall_close(b, hall);
}

static void test_bad_descriptor_stays_the_callers(void **state)
{
    struct bench *b = *state;
    struct party_listener *listener = NULL;
    char name[] = "/tmp/listener_test_XXXXXX";
    assert_int_equal(party_listener_create(b->loop, -1, on_accept, NULL, &listener), -EBADF);
    int fd = mkstemp(name);
    unlink(name);
    assert_int_equal(party_listener_create(b->loop, fd, on_accept, NULL, &listener), -EPERM);
    assert_null(listener);
    assert_int_equal(close(fd), 0);
}

struct unix_guest {
    struct party_address peer;
    bool came;
};

static void on_unix_accept(struct party_listener *listener, int fd,
                           const struct party_address *peer, void *user)
{
    (void)listener;
    struct unix_guest *guest = user;
    guest->peer = *peer;
    guest->came = true;
    close(fd);
}

static void test_peer_whose_path_fills_sun_path_can_be_connected_to(void **state)
{
    struct bench *b = *state;
    struct full_path full;
    full_path_make(&full);
    struct sockaddr_un address = {.sun_family = AF_UNIX}; /* of any abstract name */
    socklen_t len = sizeof(address);
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server, (struct sockaddr *)&address, sizeof(address.sun_family)), 0);
    assert_int_equal(listen(server, 1), 0);
    assert_int_equal(getsockname(server, (struct sockaddr *)&address, &len), 0);
    struct unix_guest guest = {0};
    struct party_listener *listener;
    assert_int_equal(party_listener_create(b->loop, server, on_unix_accept, &guest, &listener), 0);

    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(client, &full.address.u.sa, full.address.len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
    await(b->loop, guest.came);
    assert_int_equal(guest.peer.len, full.address.len);
    assert_true(party_address_equal(&guest.peer, &full.address));

    assert_int_equal(close(client), 0);
    party_listener_close(listener);
    settle_loop(b->loop);
    full_path_remove(&full);
}

static int listen_and_accept(void *user)
{
    (void)user;
    struct hall hall = {0};
    struct party_loop *loop;
    struct party_loop_settings settings = test_settings();
    int r = party_loop_create(&settings, &loop);
    if (r < 0) {
        return r;
    }
    int fd = make_listening_socket(&hall);
    r = party_listener_create(loop, fd, on_accept, &hall, &hall.listener);
    if (r < 0) {
        close(fd);
    } else {
        /* Without memory for the timer of a pause the listener tries again. */
        dial(&hall);
        fail_accepts(EMFILE, 1);
        for (int i = 0; i < 1000 && hall.accepted_count == 0 && r == 0; i++) {
            r = party_loop_run_once(loop, 20);
        }
        r = hall.accepted_count == 1 ? r : -EIO;
        hang_up(&hall);
        party_listener_close(hall.listener);
    }
    party_loop_destroy(loop);
    return r;
}

static void test_listener_survives_no_memory(void **state)
{
    (void)state;
    assert_survives_or_recovers_malloc_failure(listen_and_accept, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_TCP(test_all_that_connect_are_accepted),
        ON_TCP(test_one_turn_accepts_a_bounded_number),
        ON_TCP(test_listener_closed_in_its_callback_accepts_no_more),
        ON_TCP(test_closed_listener_has_no_descriptor_and_may_be_closed_again),
        ON_TCP(test_aborted_connections_are_passed_over),
        ON_TCP(test_without_descriptors_accepting_pauses_and_goes_on_when_they_are_back),
        ON_TCP(test_pause_doubles_up_to_a_second_and_starts_anew_after_success),
        ON_TCP(test_listener_closed_during_its_pause_stays_closed),
        ON_TCP(test_two_loops_share_a_listening_socket),
        ON_TCP(test_bad_descriptor_stays_the_callers),
        ON_TCP(test_peer_whose_path_fills_sun_path_can_be_connected_to),
        ON_TCP(test_listener_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
