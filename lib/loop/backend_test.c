/* SPDX-License-Identifier: MIT */
/* What a loop promises, whatever it waits with: where epoll and io_uring differ underneath. */
#include "loop/backend.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "loop/loop_test_util.h"

/* More than a ring holds completions. */
#define MANY_READY 5000

struct probe {
    struct party_watch watch;
    int calls;
    unsigned events; /* of the last call */
};

static void note_ready(struct party_watch *watch, unsigned events, void *user)
{
    struct probe *probe = user;
    assert_ptr_equal(watch, &probe->watch);
    probe->calls++;
    probe->events = events;
}

static void start_probe(struct party_loop *loop, struct probe *probe, int fd, unsigned events)
{
    *probe = (struct probe){0};
    assert_int_equal(party_watch_start(loop, &probe->watch, fd, events, note_ready, probe), 0);
}

/* fds[0] is for the loop, fds[1] the peer's. */
static void make_pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
}

/* A turn in which the probe has to be called once, with these events. */
static void assert_turn_reports(struct party_loop *loop, struct probe *probe, unsigned events)
{
    int before = probe->calls;
    run_turn(loop);
    assert_int_equal(probe->calls, before + 1);
    assert_int_equal(probe->events, events);
}

/* The loop would sleep: this turn reports nothing, and waiting ends by the clock alone. */
static void assert_sleeps(struct party_loop *loop, const struct probe *probe)
{
    struct party__ready ready[4];
    int before = probe->calls;
    run_turn(loop);
    assert_int_equal(probe->calls, before);
    int r;
    do {
        r = loop->backend->wait(loop->backend_state, 1, ready, 4);
    } while (r == -EINTR);
    assert_int_equal(r, 0);
}

/* ---- a peer that has ended its half ---- */

static void test_half_that_ended_is_nothing_to_who_does_not_read(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    struct probe probe;
    start_probe(loop, &probe, fds[0], 0);
    assert_sleeps(loop, &probe);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    run_turn(loop);
    assert_sleeps(loop, &probe);
    assert_int_equal(probe.calls, 0);
    close(fds[1]);
    assert_turn_reports(loop, &probe, PARTY_ERROR);
    assert_turn_reports(loop, &probe, PARTY_ERROR);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    party_loop_destroy(loop);
}

static void test_end_of_a_half_is_reported_while_it_is_read(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    struct probe probe;
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_turn_reports(loop, &probe, PARTY_READ);
    assert_turn_reports(loop, &probe, PARTY_READ);
    assert_int_equal(party_watch_modify(&probe.watch, 0), 0);
    run_turn(loop);
    assert_sleeps(loop, &probe);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_READ), 0);
    assert_turn_reports(loop, &probe, PARTY_READ);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    close(fds[1]);
    party_loop_destroy(loop);
}

/* Fills what the socket takes, or empties what waits in it. */
static void fill(int fd)
{
    char block[4096] = {0};
    while (send(fd, block, sizeof block, 0) > 0) {
    }
}

static void empty(int fd)
{
    char block[4096];
    while (recv(fd, block, sizeof block, 0) > 0) {
    }
}

static void test_writability_after_the_peer_ended_its_half_is_level_triggered(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    assert_int_equal(shutdown(fds[1], SHUT_WR), 0);
    struct probe probe;
    start_probe(loop, &probe, fds[0], PARTY_WRITE);
    for (int i = 0; i < 3; i++) {
        assert_turn_reports(loop, &probe, PARTY_WRITE);
    }
    fill(fds[0]);
    run_turn(loop);
    for (int i = 0; i < 3; i++) {
        assert_sleeps(loop, &probe);
    }
    empty(fds[1]);
    for (int i = 0; i < 3; i++) {
        assert_turn_reports(loop, &probe, PARTY_WRITE);
    }
    party_watch_stop(&probe.watch);
    close(fds[0]);
    close(fds[1]);
    party_loop_destroy(loop);
}

/* ---- changes of a watch that the kernel knows already ---- */

static void test_more_events_are_asked_for_while_the_watch_waits(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    struct probe probe;
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_sleeps(loop, &probe);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_READ | PARTY_WRITE), 0);
    assert_turn_reports(loop, &probe, PARTY_WRITE);
    assert_int_equal(send(fds[1], "x", 1, 0), 1);
    assert_turn_reports(loop, &probe, PARTY_READ | PARTY_WRITE);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    close(fds[1]);
    party_loop_destroy(loop);
}

static void test_paused_watch_lets_the_loop_sleep_and_resumes_with_what_came(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    struct probe probe;
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_sleeps(loop, &probe);
    assert_int_equal(party_watch_modify(&probe.watch, 0), 0);
    assert_int_equal(send(fds[1], "x", 1, 0), 1);
    run_turn(loop);
    assert_sleeps(loop, &probe);
    assert_int_equal(send(fds[1], "y", 1, 0), 1);
    run_turn(loop);
    assert_sleeps(loop, &probe);
    assert_int_equal(probe.calls, 0);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_READ), 0);
    assert_turn_reports(loop, &probe, PARTY_READ);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    close(fds[1]);
    party_loop_destroy(loop);
}

/* ---- the end of a watch ---- */

static bool has_ended(int fd)
{
    char byte;
    return recv(fd, &byte, 1, 0) == 0;
}

static void test_close_after_a_stop_ends_the_connection_at_once(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    struct probe probe;
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_sleeps(loop, &probe);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    assert_true(has_ended(fds[1]));
    assert_sleeps(loop, &probe);
    close(fds[1]);
    party_loop_destroy(loop);
}

static void test_close_after_destroy_ends_the_connection_at_once(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    struct probe probe;
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_sleeps(loop, &probe);
    party_loop_destroy(loop);
    close(fds[0]);
    assert_true(has_ended(fds[1]));
    close(fds[1]);
}

static void test_stopped_and_started_again_is_told_what_the_new_watch_asks(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    make_pair(fds);
    struct probe probe, second;
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_sleeps(loop, &probe);
    assert_int_equal(send(fds[1], "x", 1, 0), 1); /* on its way to the first watch */
    party_watch_stop(&probe.watch);
    start_probe(loop, &second, fds[0], PARTY_WRITE);
    assert_turn_reports(loop, &second, PARTY_WRITE);
    assert_int_equal(probe.calls, 0);
    party_watch_stop(&second.watch);
    start_probe(loop, &probe, fds[0], PARTY_READ);
    assert_turn_reports(loop, &probe, PARTY_READ);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    close(fds[1]);
    party_loop_destroy(loop);
}

/* ---- loops and threads ---- */

static void stop_loop(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    int *calls = user;
    (*calls)++;
    party_loop_stop(watch->loop);
}

static void *run_loop(void *user)
{
    return (void *)(intptr_t)party_loop_run(user);
}

static void run_in_another_thread(struct party_loop *loop)
{
    pthread_t thread;
    void *result = loop;
    assert_int_equal(pthread_create(&thread, NULL, run_loop, loop), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
}

static void test_loop_goes_on_in_another_thread(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int idle[2], busy[2], calls = 0;
    make_pair(idle);
    make_pair(busy);
    struct probe probe;
    struct party_watch stopper = {0};
    start_probe(loop, &probe, idle[0], PARTY_READ);
    assert_int_equal(party_watch_start(loop, &stopper, busy[0], PARTY_READ, stop_loop, &calls), 0);
    assert_sleeps(loop, &probe);
    assert_int_equal(send(busy[1], "x", 1, 0), 1);
    for (int i = 1; i <= 3; i++) {
        run_in_another_thread(loop);
        assert_int_equal(calls, i);
    }
    assert_int_equal(recv(busy[0], &(char){0}, 1, 0), 1);
    run_turn(loop);
    assert_sleeps(loop, &probe);
    assert_int_equal(send(idle[1], "x", 1, 0), 1);
    assert_turn_reports(loop, &probe, PARTY_READ);
    party_watch_stop(&probe.watch);
    party_watch_stop(&stopper);
    party_loop_destroy(loop);
    for (size_t i = 0; i < 2; i++) {
        close(idle[i]);
        close(busy[i]);
    }
}

static void test_watch_may_be_stopped_when_the_thread_that_ran_the_loop_has_ended(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int idle[2], busy[2], calls = 0;
    make_pair(idle);
    make_pair(busy);
    struct probe probe;
    struct party_watch stopper = {0};
    start_probe(loop, &probe, idle[0], PARTY_READ);
    assert_int_equal(party_watch_start(loop, &stopper, busy[0], PARTY_READ, stop_loop, &calls), 0);
    assert_int_equal(send(busy[1], "x", 1, 0), 1);
    run_in_another_thread(loop);
    party_watch_stop(&probe.watch);
    assert_int_equal(send(idle[1], "x", 1, 0), 1);
    run_turn(loop);
    assert_int_equal(probe.calls, 0);
    assert_int_equal(calls, 2);
    party_watch_stop(&stopper);
    party_loop_destroy(loop);
    for (size_t i = 0; i < 2; i++) {
        close(idle[i]);
        close(busy[i]);
    }
}

static void test_listener_paused_by_one_loop_wakes_the_other(void **state)
{
    (void)state;
    struct party_loop *first = create_loop(), *second = create_loop();
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t len = sizeof address;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    struct probe pausing, serving;
    start_probe(first, &pausing, listener, PARTY_READ | PARTY_EXCLUSIVE);
    start_probe(second, &serving, listener, PARTY_READ | PARTY_EXCLUSIVE);
    assert_sleeps(first, &pausing);
    assert_sleeps(second, &serving);
    assert_int_equal(party_watch_modify(&pausing.watch, 0), 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, len), 0);
    assert_turn_reports(second, &serving, PARTY_READ);
    assert_sleeps(first, &pausing);
    party_watch_stop(&pausing.watch);
    party_watch_stop(&serving.watch);
    party_loop_destroy(first);
    party_loop_destroy(second);
    close(client);
    close(listener);
}

/* ---- much at once ---- */

static size_t how_many_descriptors(size_t wanted)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return limit.rlim_cur > wanted + 100 ? wanted : (size_t)limit.rlim_cur - 100;
}

static void test_all_are_served_when_more_are_ready_than_the_kernel_keeps_in_order(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    size_t count = how_many_descriptors(MANY_READY);
    struct probe *probes = calloc(count, sizeof *probes);
    assert_non_null(probes);
    for (size_t i = 0; i < count; i++) {
        start_probe(loop, &probes[i], make_eventfd(0), PARTY_READ);
    }
    run_turn(loop);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(eventfd_write(probes[i].watch.fd, 1), 0);
    }
    /* How many a turn takes is the kernel's affair: at least one that was not served before. */
    size_t served = 0;
    for (size_t turns = 0; turns < count && served < count; turns++) {
        run_turn(loop);
        while (served < count && probes[served].calls > 0) {
            served++;
        }
    }
    assert_int_equal(served, count);
    for (size_t i = 0; i < count; i++) {
        party_watch_stop(&probes[i].watch);
        close(probes[i].watch.fd);
    }
    assert_sleeps(loop, &probes[0]);
    free(probes);
    party_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_that_ended_is_nothing_to_who_does_not_read),
        cmocka_unit_test(test_end_of_a_half_is_reported_while_it_is_read),
        cmocka_unit_test(test_writability_after_the_peer_ended_its_half_is_level_triggered),
        cmocka_unit_test(test_more_events_are_asked_for_while_the_watch_waits),
        cmocka_unit_test(test_paused_watch_lets_the_loop_sleep_and_resumes_with_what_came),
        cmocka_unit_test(test_close_after_a_stop_ends_the_connection_at_once),
        cmocka_unit_test(test_close_after_destroy_ends_the_connection_at_once),
        cmocka_unit_test(test_stopped_and_started_again_is_told_what_the_new_watch_asks),
        cmocka_unit_test(test_loop_goes_on_in_another_thread),
        cmocka_unit_test(test_watch_may_be_stopped_when_the_thread_that_ran_the_loop_has_ended),
        cmocka_unit_test(test_listener_paused_by_one_loop_wakes_the_other),
        cmocka_unit_test(test_all_are_served_when_more_are_ready_than_the_kernel_keeps_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
