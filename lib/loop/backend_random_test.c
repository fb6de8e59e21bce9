/* SPDX-License-Identifier: MIT */
/*
 * Loops under random treatment. First watches that are started, changed and stopped while their
 * descriptors change state, against a model that asks poll(2); then traffic over many connections
 * that are closed at any time, every byte compared.
 */
#include <partyline/loop.h>

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

#define OBJECTS     120
#define STEPS       10000
#define PAIRS       200
#define BYTES_MAX   200000
#define CHUNK_BYTES 4096

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((random_state >> 33) % limit);
}

/* ---- watches against a model ---- */

struct object {
    struct party_watch *watch; /* memory of its own for each life; NULL while stopped */
    int fd, peer;              /* peer -1: an eventfd, or a peer that has closed */
    bool is_eventfd;
    int calls;       /* in this turn */
    unsigned events; /* of the last call */
};

struct world {
    struct party_loop *loop;
    struct object objects[OBJECTS];
    bool meddling; /* callbacks stop and change watches too */
};

static void on_ready(struct party_watch *watch, unsigned events, void *user);
static void meddle(struct world *world);

static struct world *the_world; /* of the running test; callbacks get their object */

static void stop_watch(struct object *object)
{
    party_watch_stop(object->watch);
    memset(object->watch, 0xa5, sizeof *object->watch);
    free(object->watch);
    object->watch = NULL;
}

static void start_watch(struct object *object)
{
    object->watch = calloc(1, sizeof *object->watch);
    assert_non_null(object->watch);
    unsigned events = random_below(4) | (random_below(8) == 0 ? PARTY_EXCLUSIVE : 0);
    assert_int_equal(
        party_watch_start(the_world->loop, object->watch, object->fd, events, on_ready, object), 0);
}

static void open_object(struct object *object)
{
    int fds[2];
    object->is_eventfd = random_below(6) == 0;
    if (object->is_eventfd) {
        object->fd = make_eventfd(0);
        object->peer = -1;
        return;
    }
    int type = random_below(5) == 0 ? SOCK_DGRAM : SOCK_STREAM;
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    object->fd = fds[0];
    object->peer = fds[1];
}

static void close_object(struct object *object)
{
    if (object->watch != NULL) {
        stop_watch(object);
    }
    close(object->fd);
    if (object->peer != -1) {
        close(object->peer);
    }
}

static void on_ready(struct party_watch *watch, unsigned events, void *user)
{
    struct object *object = user;
    assert_ptr_equal(watch, object->watch);
    assert_int_equal(watch->fd, object->fd);
    object->calls++;
    object->events = events;
    if (the_world->meddling && random_below(2) == 0) {
        meddle(the_world);
    }
}

static void transfer(int fd, bool in)
{
    static char block[CHUNK_BYTES * 4];
    size_t len = 1 + random_below(sizeof block);
    if (in) {
        while (recv(fd, block, len, 0) > 0 && random_below(3) > 0) {
        }
    } else {
        while (send(fd, block, len, MSG_NOSIGNAL) > 0 && random_below(3) > 0) {
        }
    }
}

static void change_eventfd(const struct object *object)
{
    eventfd_t value;
    switch (random_below(3)) {
    case 0:
        (void)eventfd_write(object->fd, 1);
        break;
    case 1:
        (void)eventfd_write(object->fd, UINT64_MAX - 1 - random_below(2)); /* not writable then */
        break;
    default:
        (void)eventfd_read(object->fd, &value);
    }
}

static void change_socket(struct object *object)
{
    switch (random_below(9)) {
    case 0:
    case 1:
        transfer(object->fd, true);
        break;
    case 2:
        transfer(object->fd, false);
        break;
    case 3:
    case 4:
    case 5:
        if (object->peer != -1) {
            transfer(object->peer, random_below(2) == 0);
        }
        break;
    case 6:
        if (object->peer != -1) {
            (void)shutdown(object->peer, (int)random_below(3));
        }
        break;
    case 7:
        (void)shutdown(object->fd, SHUT_WR);
        break;
    default:
        if (object->peer != -1) {
            close(object->peer);
            object->peer = -1;
        }
    }
}

/* One step: of the watch, of the state, or the descriptor's number gets a new life. */
static void meddle(struct world *world)
{
    struct object *object = &world->objects[random_below(OBJECTS)];
    switch (random_below(10)) {
    case 0:
    case 1:
        if (object->watch == NULL) {
            start_watch(object);
        }
        break;
    case 2:
        if (object->watch != NULL) {
            stop_watch(object);
        }
        break;
    case 3:
    case 4:
        if (object->watch != NULL) {
            unsigned events = random_below(4) | (random_below(8) == 0 ? PARTY_EXCLUSIVE : 0);
            assert_int_equal(party_watch_modify(object->watch, events), 0);
        }
        break;
    case 5:
        close_object(object);
        open_object(object);
        object->calls = 0;
        break;
    default:
        if (object->is_eventfd) {
            change_eventfd(object);
        } else {
            change_socket(object);
        }
    }
}

/* What has to be reported of the object now. */
static unsigned ask_poll(const struct object *object)
{
    if (object->watch == NULL) {
        return 0;
    }
    struct pollfd pollfd = {.fd = object->fd, .events = POLLIN | POLLOUT};
    assert_in_range(poll(&pollfd, 1, 0), 0, 1);
    unsigned events = 0;
    events |= (pollfd.revents & (POLLIN | POLLHUP)) != 0 ? PARTY_READ : 0;
    events |= (pollfd.revents & POLLOUT) != 0 ? PARTY_WRITE : 0;
    events |= (pollfd.revents & (POLLERR | POLLHUP)) != 0 ? PARTY_ERROR : 0;
    return events & (object->watch->events | PARTY_ERROR);
}

static void compare_with_model(struct world *world)
{
    /* A turn in which what happened since the last wait is worked off; then nothing moves. */
    run_turn(world->loop);
    for (size_t i = 0; i < OBJECTS; i++) {
        world->objects[i].calls = 0;
    }
    run_turn(world->loop);
    for (size_t i = 0; i < OBJECTS; i++) {
        const struct object *object = &world->objects[i];
        unsigned wanted = ask_poll(object);
        assert_int_equal(object->calls, wanted != 0 ? 1 : 0);
        if (wanted != 0) {
            assert_int_equal(object->events, wanted);
        }
    }
}

static void test_watches_report_what_poll_says_after_any_treatment(void **state)
{
    (void)state;
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    the_world = world;
    world->loop = create_loop();
    random_state = 20250117;
    for (size_t i = 0; i < OBJECTS; i++) {
        open_object(&world->objects[i]);
    }
    for (int step = 0; step < STEPS; step++) {
        meddle(world);
        if (random_below(8) == 0) {
            world->meddling = true;
            run_turn(world->loop);
            world->meddling = false;
        }
        if (random_below(8) == 0) {
            compare_with_model(world);
        }
    }
    for (size_t i = 0; i < OBJECTS; i++) {
        close_object(&world->objects[i]);
    }
    party_loop_destroy(world->loop);
    free(world);
}

/* ---- traffic ---- */

/* One way from sender to receiver; byte i of pair n is byte_at(n, i). */
struct way {
    struct traffic *traffic;
    uint32_t number;
    struct party_watch sender, receiver;
    struct party_timer rest; /* ends a pause of the receiver */
    uint32_t total;          /* how many bytes are to be sent */
    uint32_t sent, received;
    bool cut; /* the receiver closed early */
};

struct traffic {
    struct party_loop *loop;
    struct way ways[PAIRS];
    unsigned open_ends;
};

static uint8_t byte_at(uint32_t way, uint32_t i)
{
    return (uint8_t)((way * 2654435761u + i * 40503u) >> 11);
}

static void close_end(struct way *way, struct party_watch *watch)
{
    party_watch_stop(watch);
    close(watch->fd);
    if (--way->traffic->open_ends == 0) {
        party_loop_stop(way->traffic->loop);
    }
}

static void on_sendable(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    struct way *way = user;
    uint8_t chunk[CHUNK_BYTES];
    uint32_t len = 1 + random_below(sizeof chunk);
    len = len < way->total - way->sent ? len : way->total - way->sent;
    for (uint32_t i = 0; i < len; i++) {
        chunk[i] = byte_at(way->number, way->sent + i);
    }
    ssize_t n = send(watch->fd, chunk, len, MSG_NOSIGNAL);
    if (n == -1 && errno != EAGAIN) {
        assert_true(way->cut);
        close_end(way, watch);
        return;
    }
    way->sent += n > 0 ? (uint32_t)n : 0;
    if (way->sent == way->total) {
        close_end(way, watch);
    }
}

static void resume(struct party_timer *timer, void *user)
{
    (void)timer;
    struct way *way = user;
    assert_int_equal(party_watch_modify(&way->receiver, PARTY_READ), 0);
}

static void on_receivable(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    struct way *way = user;
    uint8_t chunk[CHUNK_BYTES];
    ssize_t n = recv(watch->fd, chunk, 1 + random_below(sizeof chunk), 0);
    if (n == -1) {
        assert_int_equal(errno, EAGAIN);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        assert_int_equal(chunk[i], byte_at(way->number, way->received + (uint32_t)i));
    }
    way->received += (uint32_t)n;
    bool cut = n > 0 && random_below(500) == 0;
    if (n == 0) {
        assert_int_equal(way->received, way->total);
    }
    if (n == 0 || cut) {
        way->cut = cut;
        party_timer_stop(&way->rest); /* A hang-up is reported during a rest, too. */
        close_end(way, watch);
    } else if (random_below(20) == 0) {
        assert_int_equal(party_watch_modify(watch, 0), 0);
        assert_int_equal(
            party_timer_start(way->traffic->loop, &way->rest, random_below(100000), resume, way),
            0);
    }
}

static void open_way(struct traffic *traffic, uint32_t number)
{
    struct way *way = &traffic->ways[number];
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    way->traffic = traffic;
    way->number = number;
    way->total = 1 + random_below(BYTES_MAX);
    assert_int_equal(
        party_watch_start(traffic->loop, &way->sender, fds[0], PARTY_WRITE, on_sendable, way), 0);
    assert_int_equal(
        party_watch_start(traffic->loop, &way->receiver, fds[1], PARTY_READ, on_receivable, way),
        0);
    traffic->open_ends += 2;
}

static void test_every_byte_arrives_over_many_connections_that_close_at_any_time(void **state)
{
    (void)state;
    struct traffic *traffic = calloc(1, sizeof *traffic);
    assert_non_null(traffic);
    size_t fds = fail_malloc_open_fds();
    traffic->loop = create_loop();
    random_state = 4711;
    for (uint32_t i = 0; i < PAIRS; i++) {
        open_way(traffic, i);
    }
    assert_int_equal(party_loop_run(traffic->loop), 0);
    unsigned whole = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        const struct way *way = &traffic->ways[i];
        assert_true(way->cut || (way->sent == way->total && way->received == way->total));
        whole += way->cut ? 0 : 1;
    }
    assert_in_range(whole, PAIRS / 4, PAIRS - 1);
    assert_int_equal(traffic->open_ends, 0);
    party_loop_destroy(traffic->loop);
    assert_int_equal(fail_malloc_open_fds(), fds);
    free(traffic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watches_report_what_poll_says_after_any_treatment),
        cmocka_unit_test(test_every_byte_arrives_over_many_connections_that_close_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
