/* SPDX-License-Identifier: MIT */
#include <partyline/loop.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

#define POSTERS          4
#define TASKS_PER_POSTER 100000
#define PING_PONGS       20000
#define STOPS            200

/* ---- life ---- */

static void test_create_refuses_an_unknown_backend(void **state)
{
    (void)state;
    struct party_loop_settings settings = {.backend = "kqueue"};
    struct party_loop *untouched = (struct party_loop *)&settings;
    struct party_loop *loop = untouched;
    assert_int_equal(party_loop_create(&settings, &loop), -EINVAL);
    assert_ptr_equal(loop, untouched);
}

static void test_default_backend_is_epoll(void **state)
{
    (void)state;
    struct party_loop *loop = NULL;
    assert_int_equal(party_loop_create(NULL, &loop), 0);
    assert_string_equal(party_loop_backend(loop), "epoll");
    party_loop_destroy(loop);
}

static void test_create_reports_a_lack_of_descriptors_and_leaks_none(void **state)
{
    (void)state;
    struct party_loop_settings settings = test_settings();
    int first_free = lowest_free_fd();
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    int needed = 0;
    for (;; needed++) {
        struct rlimit tight = {.rlim_cur = (rlim_t)(first_free + needed),
                               .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
        struct party_loop *loop = NULL;
        int r = party_loop_create(&settings, &loop);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        if (r == 0) {
            party_loop_destroy(loop);
            break;
        }
        assert_int_equal(r, -EMFILE);
        assert_null(loop);
        assert_int_equal(lowest_free_fd(), first_free);
    }
    assert_true(needed >= 1);
    assert_int_equal(lowest_free_fd(), first_free);
}

static int create_and_destroy(void *user)
{
    (void)user;
    struct party_loop_settings settings = test_settings();
    struct party_loop *loop = NULL;
    int r = party_loop_create(&settings, &loop);
    party_loop_destroy(loop);
    return r;
}

static void test_create_survives_lack_of_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(create_and_destroy, NULL);
}

struct chain {
    struct party_loop *loop;
    struct trace trace;
    struct letter_task last;
    struct party_task links[3];
};

static void chain_reap(struct party_task *task, void *user)
{
    (void)task;
    struct chain *chain = user;
    trace_add(&chain->trace, 'r');
    party_loop_post(chain->loop, &chain->last.task);
}

static void chain_defer(struct party_task *task, void *user)
{
    (void)task;
    struct chain *chain = user;
    trace_add(&chain->trace, 'd');
    party_loop_reap(chain->loop, &chain->links[2]);
}

static void chain_post(struct party_task *task, void *user)
{
    (void)task;
    struct chain *chain = user;
    trace_add(&chain->trace, 'p');
    party_loop_defer(chain->loop, &chain->links[1]);
}

static void chain_init(struct chain *chain, struct party_loop *loop)
{
    *chain = (struct chain){.loop = loop};
    letter_task_init(&chain->last, &chain->trace, 'l');
    party_task_init(&chain->links[0], chain_post, chain);
    party_task_init(&chain->links[1], chain_defer, chain);
    party_task_init(&chain->links[2], chain_reap, chain);
}

static void test_destroy_runs_tasks_that_wait_and_those_they_queue(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct chain chain;
    chain_init(&chain, loop);
    party_loop_post(loop, &chain.links[0]);
    party_loop_destroy(loop);
    assert_string_equal(chain.trace.letters, "pdrl");
}

static void test_destroy_runs_each_kind_of_task(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct letter_task reaped, deferred, posted;
    letter_task_init(&reaped, &trace, 'r');
    letter_task_init(&deferred, &trace, 'd');
    letter_task_init(&posted, &trace, 'p');
    party_loop_reap(loop, &reaped.task);
    party_loop_defer(loop, &deferred.task);
    party_loop_post(loop, &posted.task);
    party_loop_destroy(loop);
    assert_string_equal(trace.letters, "pdr");
}

static void test_destroy_takes_null(void **state)
{
    (void)state;
    party_loop_destroy(NULL);
}

/* ---- the order of a turn ---- */

static void trace_watch(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    trace_add(user, 'w');
    party_watch_stop(watch);
}

static void trace_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    trace_add(user, 't');
}

static void test_turn_goes_through_its_phases_in_the_documented_order(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int64_t clock_ns = 1000;
    use_test_clock(loop, &clock_ns);
    struct trace trace = {0};
    struct letter_task reaped, deferred, posted;
    letter_task_init(&reaped, &trace, 'r');
    letter_task_init(&deferred, &trace, 'd');
    letter_task_init(&posted, &trace, 'p');
    struct party_timer timer = {0};
    struct party_watch watch = {0};
    int fd = make_eventfd(1);

    party_loop_reap(loop, &reaped.task);
    party_loop_defer(loop, &deferred.task);
    party_loop_post(loop, &posted.task);
    assert_int_equal(party_timer_start(loop, &timer, 1, trace_timer, &trace), 0);
    assert_int_equal(party_watch_start(loop, &watch, fd, PARTY_READ, trace_watch, &trace), 0);
    clock_ns++;
    assert_int_equal(party_loop_run_once(loop, -1), 0);

    assert_string_equal(trace.letters, "wtpdr");
    close(fd);
    party_loop_destroy(loop);
}

static void test_what_a_phase_queues_for_a_later_one_runs_in_the_same_turn(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct chain chain;
    chain_init(&chain, loop);
    party_loop_post(loop, &chain.links[0]);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_string_equal(chain.trace.letters, "pdr");
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_string_equal(chain.trace.letters, "pdrl");
    party_loop_destroy(loop);
}

typedef void (*queue_fn)(struct party_loop *loop, struct party_task *task);

static void check_fifo(queue_fn queue)
{
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct letter_task tasks[5];
    for (size_t i = 0; i < 5; i++) {
        letter_task_init(&tasks[i], &trace, (char)('a' + i));
        queue(loop, &tasks[i].task);
    }
    run_turn(loop);
    assert_string_equal(trace.letters, "abcde");
    run_turn(loop);
    assert_string_equal(trace.letters, "abcde");
    party_loop_destroy(loop);
}

static void test_tasks_of_each_kind_run_once_and_in_order(void **state)
{
    (void)state;
    check_fifo(party_loop_post);
    check_fifo(party_loop_defer);
    check_fifo(party_loop_reap);
}

/* Queues itself again until it has run `left` more times. */
struct repeater {
    struct party_task task;
    struct party_loop *loop;
    queue_fn queue;
    int left;
    int calls;
};

static void repeat(struct party_task *task, void *user)
{
    struct repeater *self = user;
    self->calls++;
    if (self->left-- > 0) {
        self->queue(self->loop, task);
    }
}

static struct repeater make_repeater(struct party_loop *loop, queue_fn queue, int left)
{
    return (struct repeater){.loop = loop, .queue = queue, .left = left};
}

static void test_task_posted_by_a_posted_task_waits_for_the_next_turn(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct repeater self = make_repeater(loop, party_loop_post, 2);
    party_task_init(&self.task, repeat, &self);
    party_loop_post(loop, &self.task);
    for (int turn = 1; turn <= 3; turn++) {
        assert_int_equal(party_loop_run_once(loop, -1), 0);
        assert_int_equal(self.calls, turn);
    }
    party_loop_destroy(loop);
}

static void test_deferred_and_reap_tasks_run_until_none_is_left(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct repeater deferred = make_repeater(loop, party_loop_defer, 9);
    struct repeater reaped = make_repeater(loop, party_loop_reap, 9);
    party_task_init(&deferred.task, repeat, &deferred);
    party_task_init(&reaped.task, repeat, &reaped);
    party_loop_defer(loop, &deferred.task);
    party_loop_reap(loop, &reaped.task);
    run_turn(loop);
    assert_int_equal(deferred.calls, 10);
    assert_int_equal(reaped.calls, 10);
    party_loop_destroy(loop);
}

static void defer_letter(struct party_task *task, void *user)
{
    (void)task;
    struct chain *chain = user;
    party_loop_defer(chain->loop, &chain->last.task);
}

static void test_task_deferred_by_a_reap_task_runs_next_turn_without_a_wait(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct chain chain;
    chain_init(&chain, loop);
    party_task_init(&chain.links[0], defer_letter, &chain);
    party_loop_reap(loop, &chain.links[0]);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_int_equal(chain.trace.len, 0);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_string_equal(chain.trace.letters, "l");
    party_loop_destroy(loop);
}

static void free_task(struct party_task *task, void *user)
{
    int *calls = user;
    (*calls)++;
    free(task);
}

static void test_task_may_be_freed_by_its_own_call(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    const queue_fn queues[] = {party_loop_post, party_loop_defer, party_loop_reap};
    int calls = 0;
    for (size_t i = 0; i < 6; i++) {
        struct party_task *task = malloc(sizeof *task);
        assert_non_null(task);
        party_task_init(task, free_task, &calls);
        queues[i / 2](loop, task);
    }
    run_turn(loop);
    assert_int_equal(calls, 6);
    party_loop_destroy(loop);
}

/* ---- time ---- */

static void advance_clock(struct party_task *task, void *user)
{
    (void)task;
    int64_t *clock_ns = user;
    *clock_ns += 1000;
}

static void test_time_stands_still_within_a_turn(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int64_t clock_ns = 5000;
    use_test_clock(loop, &clock_ns);
    struct party_task task;
    party_task_init(&task, advance_clock, &clock_ns);
    party_loop_post(loop, &task);
    run_turn(loop);
    assert_int_equal(clock_ns, 6000);
    assert_int_equal(party_loop_now_ns(loop), 5000);
    run_turn(loop);
    assert_int_equal(party_loop_now_ns(loop), 6000);
    party_loop_destroy(loop);
}

static int64_t monotonic_ns(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void test_time_before_the_first_turn_is_that_of_creation(void **state)
{
    (void)state;
    int64_t before_ns = monotonic_ns();
    struct party_loop *loop = create_loop();
    int64_t after_ns = monotonic_ns();
    assert_in_range(party_loop_now_ns(loop), before_ns, after_ns);
    party_loop_destroy(loop);
}

static void test_run_once_waits_as_long_as_told_when_nothing_happens(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int64_t before_ns = monotonic_ns();
    assert_int_equal(party_loop_run_once(loop, 2), 0);
    assert_true(party_loop_now_ns(loop) - before_ns >= 2000000);
    party_loop_destroy(loop);
}

/* ---- stop ---- */

static void test_run_returns_at_once_when_stopped_before(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct letter_task posted;
    letter_task_init(&posted, &trace, 'p');
    party_loop_post(loop, &posted.task);
    party_loop_stop(loop);
    assert_int_equal(party_loop_run(loop), 0);
    assert_int_equal(trace.len, 0);
    party_loop_destroy(loop);
}

static void stop_from_task(struct party_task *task, void *user)
{
    (void)task;
    party_loop_stop(user);
}

static void test_stop_lets_the_turn_end_and_the_loop_can_run_again(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct party_task stop;
    party_task_init(&stop, stop_from_task, loop);
    for (int i = 0; i < 2; i++) {
        struct letter_task posted, deferred, reaped;
        letter_task_init(&posted, &trace, 'p');
        letter_task_init(&deferred, &trace, 'd');
        letter_task_init(&reaped, &trace, 'r');
        party_loop_post(loop, &stop);
        party_loop_post(loop, &posted.task);
        party_loop_defer(loop, &deferred.task);
        party_loop_reap(loop, &reaped.task);
        assert_int_equal(party_loop_run(loop), 0);
    }
    assert_string_equal(trace.letters, "pdrpdr");
    party_loop_destroy(loop);
}

static void test_run_once_does_not_wait_while_a_stop_is_pending(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    party_loop_stop(loop);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_int_equal(party_loop_run(loop), 0);
    party_loop_destroy(loop);
}

static void *stop_from_thread(void *user)
{
    party_loop_stop(user);
    return NULL;
}

static void *stop_sleeping_loop(void *user)
{
    await_sleep(user);
    party_loop_stop(user);
    return NULL;
}

static void check_stop_from_thread(void *(*body)(void *))
{
    struct party_loop *loop = create_loop();
    for (int i = 0; i < STOPS; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, body, loop), 0);
        assert_int_equal(party_loop_run(loop), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    party_loop_destroy(loop);
}

static void test_stop_from_another_thread_ends_run(void **state)
{
    (void)state;
    check_stop_from_thread(stop_from_thread);
}

static void test_stop_from_another_thread_wakes_a_sleeping_loop(void **state)
{
    (void)state;
    check_stop_from_thread(stop_sleeping_loop);
}

/* ---- posting from other threads ---- */

struct numbered_task {
    struct party_task task;
    struct poster *poster;
    int number;
};

struct poster {
    struct party_loop *loop;
    struct numbered_task *tasks;
    int next;  /* the number that must come next */
    int *left; /* tasks of all posters that have not come */
};

static void check_number(struct party_task *task, void *user)
{
    (void)task;
    struct numbered_task *self = user;
    struct poster *poster = self->poster;
    assert_int_equal(self->number, poster->next);
    poster->next++;
    if (--*poster->left == 0) {
        party_loop_stop(poster->loop);
    }
}

static void *post_numbers(void *user)
{
    struct poster *poster = user;
    for (int i = 0; i < TASKS_PER_POSTER; i++) {
        struct numbered_task *task = &poster->tasks[i];
        task->poster = poster;
        task->number = i;
        party_task_init(&task->task, check_number, task);
        party_loop_post(poster->loop, &task->task);
    }
    return NULL;
}

static void test_tasks_of_several_threads_all_arrive_in_each_threads_order(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct poster posters[POSTERS];
    pthread_t threads[POSTERS];
    int left = POSTERS * TASKS_PER_POSTER;
    for (size_t i = 0; i < POSTERS; i++) {
        struct numbered_task *tasks = calloc(TASKS_PER_POSTER, sizeof *tasks);
        assert_non_null(tasks);
        posters[i] = (struct poster){.loop = loop, .tasks = tasks, .left = &left};
        assert_int_equal(pthread_create(&threads[i], NULL, post_numbers, &posters[i]), 0);
    }
    assert_int_equal(party_loop_run(loop), 0);
    assert_int_equal(left, 0);
    for (size_t i = 0; i < POSTERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(posters[i].next, TASKS_PER_POSTER);
        free(posters[i].tasks);
    }
    party_loop_destroy(loop);
}

/* One task goes to and fro between two loops, so that both sleep and wake at each step. */
struct ping_pong {
    struct party_task task;
    struct party_task stop;
    struct party_loop *loops[2];
    int step;
};

static void pass_on(struct party_task *task, void *user)
{
    struct ping_pong *game = user;
    if (++game->step < PING_PONGS) {
        party_loop_post(game->loops[game->step % 2], task);
        return;
    }
    party_loop_post(game->loops[0], &game->stop);
}

static void stop_game(struct party_task *task, void *user)
{
    (void)task;
    struct ping_pong *game = user;
    party_loop_stop(game->loops[0]);
    party_loop_stop(game->loops[1]);
}

static void *run_loop(void *user)
{
    return (void *)(intptr_t)party_loop_run(user);
}

static void test_no_wake_up_is_lost_between_two_loops(void **state)
{
    (void)state;
    struct ping_pong game = {.loops = {create_loop(), create_loop()}};
    party_task_init(&game.task, pass_on, &game);
    party_task_init(&game.stop, stop_game, &game);
    party_loop_post(game.loops[0], &game.task);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_loop, game.loops[1]), 0);
    assert_int_equal(party_loop_run(game.loops[0]), 0);
    void *result = NULL;
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_null(result);
    assert_int_equal(game.step, PING_PONGS);
    party_loop_destroy(game.loops[0]);
    party_loop_destroy(game.loops[1]);
}

static void test_post_to_a_loop_that_is_awake_writes_no_eventfd(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct repeater self = make_repeater(loop, party_loop_post, 5);
    party_task_init(&self.task, repeat, &self);
    party_loop_post(loop, &self.task);
    for (int i = 0; i < 6; i++) {
        assert_int_equal(party_loop_run_once(loop, -1), 0);
    }
    assert_int_equal(self.calls, 6);
    uint64_t wake_ups;
    assert_int_equal(read(loop->wake.fd, &wake_ups, sizeof wake_ups), -1);
    assert_int_equal(errno, EAGAIN);
    party_loop_destroy(loop);
}

/* ---- interruption ---- */

static atomic_int interruptions;

static void count_interruption(int signo)
{
    (void)signo;
    atomic_fetch_add(&interruptions, 1);
}

struct interrupter {
    struct party_loop *loop;
    pthread_t sleeper;
    struct letter_task *letter;
};

static void *interrupt_then_post(void *user)
{
    struct interrupter *self = user;
    await_sleep(self->loop);
    pthread_kill(self->sleeper, SIGUSR1);
    while (atomic_load(&interruptions) == 0) {
        sched_yield();
    }
    party_loop_post(self->loop, &self->letter->task);
    return NULL;
}

static void test_interrupted_wait_goes_on_by_itself(void **state)
{
    (void)state;
    struct sigaction before, action = {.sa_handler = count_interruption};
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct letter_task letter;
    letter_task_init(&letter, &trace, 'p');
    struct interrupter self = {.loop = loop, .sleeper = pthread_self(), .letter = &letter};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_then_post, &self), 0);
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_string_equal(trace.letters, "p");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    party_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_refuses_an_unknown_backend),
        cmocka_unit_test(test_default_backend_is_epoll),
        cmocka_unit_test(test_create_reports_a_lack_of_descriptors_and_leaks_none),
        cmocka_unit_test(test_create_survives_lack_of_memory),
        cmocka_unit_test(test_destroy_runs_tasks_that_wait_and_those_they_queue),
        cmocka_unit_test(test_destroy_runs_each_kind_of_task),
        cmocka_unit_test(test_destroy_takes_null),
        cmocka_unit_test(test_turn_goes_through_its_phases_in_the_documented_order),
        cmocka_unit_test(test_what_a_phase_queues_for_a_later_one_runs_in_the_same_turn),
        cmocka_unit_test(test_tasks_of_each_kind_run_once_and_in_order),
        cmocka_unit_test(test_task_posted_by_a_posted_task_waits_for_the_next_turn),
        cmocka_unit_test(test_deferred_and_reap_tasks_run_until_none_is_left),
        cmocka_unit_test(test_task_deferred_by_a_reap_task_runs_next_turn_without_a_wait),
        cmocka_unit_test(test_task_may_be_freed_by_its_own_call),
        cmocka_unit_test(test_time_stands_still_within_a_turn),
        cmocka_unit_test(test_time_before_the_first_turn_is_that_of_creation),
        cmocka_unit_test(test_run_once_waits_as_long_as_told_when_nothing_happens),
        cmocka_unit_test(test_run_returns_at_once_when_stopped_before),
        cmocka_unit_test(test_stop_lets_the_turn_end_and_the_loop_can_run_again),
        cmocka_unit_test(test_run_once_does_not_wait_while_a_stop_is_pending),
        cmocka_unit_test(test_stop_from_another_thread_ends_run),
        cmocka_unit_test(test_stop_from_another_thread_wakes_a_sleeping_loop),
        cmocka_unit_test(test_tasks_of_several_threads_all_arrive_in_each_threads_order),
        cmocka_unit_test(test_no_wake_up_is_lost_between_two_loops),
        cmocka_unit_test(test_post_to_a_loop_that_is_awake_writes_no_eventfd),
        cmocka_unit_test(test_interrupted_wait_goes_on_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
