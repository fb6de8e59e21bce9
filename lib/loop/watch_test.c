/* SPDX-License-Identifier: MIT */
#include <partyline/loop.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

#define MANY_FDS    600
#define CONNECTIONS 200

/* A watch that counts its calls and keeps the events of the last one. */
struct probe {
    struct party_watch watch;
    int calls;
    unsigned events;
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
    assert_int_equal(party_watch_start(loop, &probe->watch, fd, events, note_ready, probe), 0);
}

/* ---- events ---- */

static void test_readable_descriptor_is_reported_as_long_as_it_is_readable(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(0);
    struct probe probe = {0};
    start_probe(loop, &probe, fd, PARTY_READ);
    run_turn(loop);
    assert_int_equal(probe.calls, 0);
    assert_int_equal(eventfd_write(fd, 1), 0);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_int_equal(probe.calls, 2);
    assert_int_equal(probe.events, PARTY_READ);
    eventfd_t value;
    assert_int_equal(eventfd_read(fd, &value), 0);
    run_turn(loop);
    assert_int_equal(probe.calls, 2);
    close(fd);
    party_loop_destroy(loop);
}

static void test_readable_and_writable_come_in_one_call(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(1);
    struct probe probe = {0};
    start_probe(loop, &probe, fd, PARTY_READ | PARTY_WRITE);
    run_turn(loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.events, PARTY_READ | PARTY_WRITE);
    close(fd);
    party_loop_destroy(loop);
}

static void test_end_of_a_pipe_is_readable_for_who_reads(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    struct probe probe = {0};
    start_probe(loop, &probe, fds[0], PARTY_READ);
    close(fds[1]);
    run_turn(loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.events, PARTY_READ | PARTY_ERROR);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    party_loop_destroy(loop);
}

static void test_hang_up_is_reported_as_error_to_who_asked_for_nothing(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(send(fds[1], "x", 1, 0), 1);
    struct probe probe = {0};
    start_probe(loop, &probe, fds[0], 0);
    run_turn(loop);
    assert_int_equal(probe.calls, 0);
    close(fds[1]);
    run_turn(loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(probe.events, PARTY_ERROR);
    party_watch_stop(&probe.watch);
    close(fds[0]);
    party_loop_destroy(loop);
}

static void test_modify_changes_what_is_reported(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(1);
    struct probe probe = {0};
    start_probe(loop, &probe, fd, PARTY_READ);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_WRITE), 0);
    run_turn(loop);
    assert_int_equal(probe.events, PARTY_WRITE);
    assert_int_equal(party_watch_modify(&probe.watch, 0), 0);
    run_turn(loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_READ), 0);
    run_turn(loop);
    assert_int_equal(probe.calls, 2);
    assert_int_equal(probe.events, PARTY_READ);
    close(fd);
    party_loop_destroy(loop);
}

static void test_more_ready_descriptors_than_a_batch_holds_are_all_served(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    static struct probe probes[MANY_FDS];
    memset(probes, 0, sizeof probes);
    for (size_t i = 0; i < MANY_FDS; i++) {
        start_probe(loop, &probes[i], make_eventfd(1), PARTY_READ);
    }
    for (int i = 0; i < MANY_FDS / PARTY__BATCH_MAX + 1; i++) {
        run_turn(loop);
    }
    for (size_t i = 0; i < MANY_FDS; i++) {
        assert_true(probes[i].calls >= 1);
        party_watch_stop(&probes[i].watch);
        close(probes[i].watch.fd);
    }
    party_loop_destroy(loop);
}

/* ---- stop, and what waits in the batch ---- */

static void test_stopped_watch_is_not_called_and_stop_may_be_repeated(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(1);
    struct probe probe = {0};
    party_watch_stop(&probe.watch);
    start_probe(loop, &probe, fd, PARTY_READ);
    assert_ptr_equal(probe.watch.loop, loop);
    party_watch_stop(&probe.watch);
    assert_null(probe.watch.loop);
    party_watch_stop(&probe.watch);
    run_turn(loop);
    assert_int_equal(probe.calls, 0);
    close(fd);
    party_loop_destroy(loop);
}

/* Two ready watches in one batch; the one called first does something to the other. */
struct rival {
    struct party_watch *watch;
    struct rivals *rivals;
    int fd;
};

typedef void (*rival_action_fn)(struct rivals *rivals, struct rival *other);

struct rivals {
    struct party_loop *loop;
    struct rival two[2];
    rival_action_fn act; /* on the first call only */
    int calls;
    int calls_after_act;
    int new_fd; /* for the action; -1 when unused */
    struct probe *probe;
};

static void rival_ready(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    struct rival *self = user;
    struct rivals *rivals = self->rivals;
    assert_ptr_equal(watch, self->watch);
    if (rivals->calls++ > 0) {
        rivals->calls_after_act++;
        return;
    }
    rivals->act(rivals, &rivals->two[self == &rivals->two[0] ? 1 : 0]);
}

static void rivals_run(struct rivals *rivals, rival_action_fn act, int new_fd)
{
    *rivals = (struct rivals){.loop = create_loop(), .act = act, .new_fd = new_fd};
    for (size_t i = 0; i < 2; i++) {
        struct rival *rival = &rivals->two[i];
        rival->rivals = rivals;
        rival->fd = make_eventfd(1);
        rival->watch = calloc(1, sizeof *rival->watch);
        assert_non_null(rival->watch);
        assert_int_equal(party_watch_start(rivals->loop, rival->watch, rival->fd, PARTY_READ,
                                           rival_ready, rival),
                         0);
    }
    run_turn(rivals->loop);
}

static void rivals_finish(struct rivals *rivals)
{
    for (size_t i = 0; i < 2; i++) {
        if (rivals->two[i].watch != NULL) {
            party_watch_stop(rivals->two[i].watch);
            free(rivals->two[i].watch);
        }
        close(rivals->two[i].fd);
    }
    party_loop_destroy(rivals->loop);
}

static void stop_other(struct rivals *rivals, struct rival *other)
{
    (void)rivals;
    party_watch_stop(other->watch);
}

static void test_watch_stopped_by_an_earlier_callback_of_the_batch_is_not_called(void **state)
{
    (void)state;
    struct rivals rivals;
    rivals_run(&rivals, stop_other, -1);
    assert_int_equal(rivals.calls, 1);
    rivals_finish(&rivals);
}

static void free_other(struct rivals *rivals, struct rival *other)
{
    (void)rivals;
    party_watch_stop(other->watch);
    free(other->watch);
    other->watch = NULL;
}

static void test_watch_may_be_freed_by_an_earlier_callback_of_the_batch(void **state)
{
    (void)state;
    struct rivals rivals;
    rivals_run(&rivals, free_other, -1);
    assert_int_equal(rivals.calls, 1);
    rivals_finish(&rivals);
}

static void reuse_other(struct rivals *rivals, struct rival *other)
{
    party_watch_stop(other->watch);
    assert_int_equal(party_watch_start(rivals->loop, other->watch, rivals->new_fd, PARTY_READ,
                                       rival_ready, other),
                     0);
}

static void check_reuse(unsigned new_count, int wanted_calls)
{
    int new_fd = make_eventfd(new_count);
    struct rivals rivals;
    rivals_run(&rivals, reuse_other, new_fd);
    assert_int_equal(rivals.calls_after_act, 0);
    party_watch_stop(rivals.two[0].watch->fd == new_fd ? rivals.two[1].watch : rivals.two[0].watch);
    run_turn(rivals.loop);
    assert_int_equal(rivals.calls_after_act, wanted_calls);
    rivals_finish(&rivals);
    close(new_fd);
}

static void test_watch_reused_within_the_batch_gets_no_event_of_its_former_life(void **state)
{
    (void)state;
    check_reuse(0, 0);
}

static void test_watch_reused_within_the_batch_is_called_next_turn_when_ready(void **state)
{
    (void)state;
    check_reuse(1, 1);
}

static void close_and_reopen_other(struct rivals *rivals, struct rival *other)
{
    party_watch_stop(other->watch);
    close(other->fd);
    int fd = make_eventfd(0);
    assert_int_equal(fd, other->fd); /* The kernel gives the lowest number: the one just closed. */
    assert_int_equal(party_watch_start(rivals->loop, &rivals->probe->watch, fd, PARTY_READ,
                                       note_ready, rivals->probe),
                     0);
}

static void test_new_descriptor_of_the_same_number_gets_no_event_of_the_old_one(void **state)
{
    (void)state;
    static struct probe probe;
    struct rivals rivals = {.loop = create_loop(), .act = close_and_reopen_other, .probe = &probe};
    for (size_t i = 0; i < 2; i++) {
        rivals.two[i] = (struct rival){.rivals = &rivals, .fd = make_eventfd(1)};
        rivals.two[i].watch = calloc(1, sizeof(*rivals.two[i].watch));
        assert_non_null(rivals.two[i].watch);
        assert_int_equal(party_watch_start(rivals.loop, rivals.two[i].watch, rivals.two[i].fd,
                                           PARTY_READ, rival_ready, &rivals.two[i]),
                         0);
    }
    run_turn(rivals.loop);
    assert_int_equal(rivals.calls, 1);
    assert_int_equal(probe.calls, 0);
    assert_int_equal(eventfd_write(probe.watch.fd, 1), 0);
    run_turn(rivals.loop);
    assert_int_equal(probe.calls, 1);
    party_watch_stop(&probe.watch);
    rivals_finish(&rivals);
}

static void ask_other_for_errors_only(struct rivals *rivals, struct rival *other)
{
    (void)rivals;
    assert_int_equal(party_watch_modify(other->watch, 0), 0);
}

static void test_event_no_longer_asked_for_is_not_reported_from_the_batch(void **state)
{
    (void)state;
    struct rivals rivals;
    rivals_run(&rivals, ask_other_for_errors_only, -1);
    assert_int_equal(rivals.calls, 1);
    rivals_finish(&rivals);
}

static void free_itself(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    int *calls = user;
    (*calls)++;
    party_watch_stop(watch);
    close(watch->fd);
    free(watch);
}

static void test_watch_may_be_freed_by_its_own_callback(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int calls = 0;
    for (int i = 0; i < 3; i++) {
        struct party_watch *watch = calloc(1, sizeof *watch);
        assert_non_null(watch);
        assert_int_equal(
            party_watch_start(loop, watch, make_eventfd(1), PARTY_READ, free_itself, &calls), 0);
    }
    run_turn(loop);
    run_turn(loop);
    assert_int_equal(calls, 3);
    party_loop_destroy(loop);
}

/* ---- what the kernel refuses ---- */

static void test_refused_descriptors_leave_the_watch_as_it_was(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    FILE *file = tmpfile();
    assert_non_null(file);
    int event_fd = make_eventfd(0);
    struct probe first = {0}, probe = {0};
    start_probe(loop, &first, event_fd, PARTY_READ);
    probe.watch.fd = 77;
    const struct party_watch before = probe.watch;
    const struct {
        int fd;
        int result;
    } refused[] = {{fileno(file), -EPERM}, {event_fd, -EEXIST}, {-1, -EBADF}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        assert_int_equal(
            party_watch_start(loop, &probe.watch, refused[i].fd, PARTY_READ, note_ready, &probe),
            refused[i].result);
        assert_memory_equal(&probe.watch, &before, sizeof before);
    }
    (void)fclose(file);
    close(event_fd);
    party_loop_destroy(loop);
}

static void note_log(enum party_log_level level, const char *message, void *user)
{
    assert_int_equal(level, PARTY_LOG_WARNING);
    assert_non_null(strstr(message, "Bad file descriptor"));
    int *lines = user;
    (*lines)++;
}

static void test_descriptor_closed_before_its_watch_ended_is_logged_and_forgotten(void **state)
{
    (void)state;
    int lines = 0;
    struct party_loop_settings settings = test_settings();
    settings.log = note_log;
    settings.log_user = &lines;
    struct party_loop *loop = NULL;
    assert_int_equal(party_loop_create(&settings, &loop), 0);
    int fd = make_eventfd(1);
    struct probe probe = {0};
    start_probe(loop, &probe, fd, PARTY_READ);
    close(fd);
    run_turn(loop);
    assert_int_equal(probe.calls, 0);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_WRITE), -EBADF);
    assert_int_equal(probe.watch.events, PARTY_READ);
    assert_int_equal(lines, 0);
    party_watch_stop(&probe.watch);
    assert_null(probe.watch.loop);
    assert_int_equal(lines, 1);
    party_loop_destroy(loop);
}

static void test_modify_of_a_descriptor_number_that_was_closed_and_reopened_ends_the_watch(
    void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(1);
    struct probe probe = {0};
    start_probe(loop, &probe, fd, PARTY_READ);
    close(fd);
    assert_int_equal(make_eventfd(1), fd);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_WRITE), -ENOENT);
    assert_null(probe.watch.loop);
    run_turn(loop);
    assert_int_equal(probe.calls, 0);
    close(fd);
    party_loop_destroy(loop);
}

/* ---- PARTY_EXCLUSIVE ---- */

static void test_exclusive_watch_can_be_paused_and_resumed(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(1);
    struct probe probe = {0};
    start_probe(loop, &probe, fd, PARTY_READ | PARTY_EXCLUSIVE);
    run_turn(loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(party_watch_modify(&probe.watch, 0), 0);
    run_turn(loop);
    assert_int_equal(probe.calls, 1);
    assert_int_equal(party_watch_modify(&probe.watch, PARTY_READ | PARTY_EXCLUSIVE), 0);
    run_turn(loop);
    assert_int_equal(probe.calls, 2);
    assert_int_equal(probe.events, PARTY_READ);
    close(fd);
    party_loop_destroy(loop);
}

struct shared_listener {
    int fd;
    atomic_int accepted;
    struct party_loop *loops[2];
    struct party_watch watches[2];
};

static void accept_one(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    struct shared_listener *shared = user;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd == -1) {
        return; /* The other loop was faster. */
    }
    close(fd);
    if (atomic_fetch_add(&shared->accepted, 1) + 1 == CONNECTIONS) {
        party_loop_stop(shared->loops[0]);
        party_loop_stop(shared->loops[1]);
    }
}

static void *run_loop(void *user)
{
    return (void *)(intptr_t)party_loop_run(user);
}

/* An abstract address the kernel chooses: no file, no port. */
static int listen_anywhere(struct sockaddr_un *ret_address, socklen_t *ret_len)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_not_equal(fd, -1);
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    assert_int_equal(bind(fd, (struct sockaddr *)ret_address, sizeof(sa_family_t)), 0);
    assert_int_equal(listen(fd, 16), 0);
    *ret_len = sizeof *ret_address;
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, ret_len), 0);
    return fd;
}

static void test_two_loops_share_a_listener_exclusively_and_lose_no_connection(void **state)
{
    (void)state;
    struct shared_listener shared = {.loops = {create_loop(), create_loop()}};
    struct sockaddr_un address;
    socklen_t address_len;
    shared.fd = listen_anywhere(&address, &address_len);
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(party_watch_start(shared.loops[i], &shared.watches[i], shared.fd,
                                           PARTY_READ | PARTY_EXCLUSIVE, accept_one, &shared),
                         0);
        assert_int_equal(pthread_create(&threads[i], NULL, run_loop, shared.loops[i]), 0);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_not_equal(fd, -1);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, address_len), 0);
        close(fd);
    }
    for (size_t i = 0; i < 2; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    /* Only now: the thread that accepts the last one stops both loops, the other's perhaps last. */
    for (size_t i = 0; i < 2; i++) {
        party_watch_stop(&shared.watches[i]);
        party_loop_destroy(shared.loops[i]);
    }
    assert_int_equal(atomic_load(&shared.accepted), CONNECTIONS);
    close(shared.fd);
}

/* ---- memory ---- */

static void test_watches_and_tasks_need_no_memory_of_the_loop(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int fd = make_eventfd(1);
    struct probe probe = {0};
    struct trace trace = {0};
    struct letter_task letter;
    letter_task_init(&letter, &trace, 'p');
    fail_malloc_arm(1, FAIL_MALLOC_FROM_NTH);
    int started = party_watch_start(loop, &probe.watch, fd, PARTY_READ, note_ready, &probe);
    party_loop_post(loop, &letter.task);
    int ran = party_loop_run_once(loop, -1);
    int modified = party_watch_modify(&probe.watch, PARTY_WRITE);
    party_watch_stop(&probe.watch);
    size_t failed = fail_malloc_disarm();
    assert_int_equal(started, 0);
    assert_int_equal(ran, 0);
    assert_int_equal(modified, 0);
    assert_int_equal(failed, 0);
    assert_int_equal(probe.calls, 1);
    assert_string_equal(trace.letters, "p");
    close(fd);
    party_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readable_descriptor_is_reported_as_long_as_it_is_readable),
        cmocka_unit_test(test_readable_and_writable_come_in_one_call),
        cmocka_unit_test(test_end_of_a_pipe_is_readable_for_who_reads),
        cmocka_unit_test(test_hang_up_is_reported_as_error_to_who_asked_for_nothing),
        cmocka_unit_test(test_modify_changes_what_is_reported),
        cmocka_unit_test(test_more_ready_descriptors_than_a_batch_holds_are_all_served),
        cmocka_unit_test(test_stopped_watch_is_not_called_and_stop_may_be_repeated),
        cmocka_unit_test(test_watch_stopped_by_an_earlier_callback_of_the_batch_is_not_called),
        cmocka_unit_test(test_watch_may_be_freed_by_an_earlier_callback_of_the_batch),
        cmocka_unit_test(test_watch_reused_within_the_batch_gets_no_event_of_its_former_life),
        cmocka_unit_test(test_watch_reused_within_the_batch_is_called_next_turn_when_ready),
        cmocka_unit_test(test_new_descriptor_of_the_same_number_gets_no_event_of_the_old_one),
        cmocka_unit_test(test_event_no_longer_asked_for_is_not_reported_from_the_batch),
        cmocka_unit_test(test_watch_may_be_freed_by_its_own_callback),
        cmocka_unit_test(test_refused_descriptors_leave_the_watch_as_it_was),
        cmocka_unit_test(test_descriptor_closed_before_its_watch_ended_is_logged_and_forgotten),
        cmocka_unit_test(test_exclusive_watch_can_be_paused_and_resumed),
        cmocka_unit_test(test_two_loops_share_a_listener_exclusively_and_lose_no_connection),
        cmocka_unit_test(test_watches_and_tasks_need_no_memory_of_the_loop),
        /* For epoll alone: a ring learns of a descriptor when it waits, and not that it is another.
         */
        cmocka_unit_test(
            test_modify_of_a_descriptor_number_that_was_closed_and_reopened_ends_the_watch),
    };
    size_t count = sizeof tests / sizeof tests[0] - (on_epoll() ? 0 : 1);
    return _cmocka_run_group_tests("watch", tests, count, NULL, NULL);
}
