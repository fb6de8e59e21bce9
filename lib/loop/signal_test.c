/* SPDX-License-Identifier: MIT */
#include <partyline/loop.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

#define QUEUED_SIGNALS 40

static void note_signal(struct party_loop *loop, int signo, void *user)
{
    (void)loop;
    trace_add(user, signo == SIGUSR1 ? '1' : signo == SIGUSR2 ? '2' : '?');
}

static bool is_blocked(int signo)
{
    sigset_t set;
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &set), 0);
    return sigismember(&set, signo) == 1;
}

static int unblock_all(void **state)
{
    (void)state;
    sigset_t none;
    sigemptyset(&none);
    return pthread_sigmask(SIG_SETMASK, &none, NULL);
}

static void test_signal_reaches_its_callback_once(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, note_signal, &trace), 0);
    assert_true(is_blocked(SIGUSR1));
    kill(getpid(), SIGUSR1);
    assert_string_equal(trace.letters, "");
    assert_int_equal(party_loop_run_once(loop, -1), 0);
    assert_string_equal(trace.letters, "1");
    run_turn(loop);
    assert_string_equal(trace.letters, "1");
    party_loop_destroy(loop);
}

static void test_each_signal_has_its_own_callback_data(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace first = {0}, second = {0};
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, note_signal, &first), 0);
    assert_int_equal(party_loop_add_signal(loop, SIGUSR2, note_signal, &second), 0);
    kill(getpid(), SIGUSR2);
    run_turn(loop);
    assert_string_equal(first.letters, "");
    assert_string_equal(second.letters, "2");
    kill(getpid(), SIGUSR1);
    run_turn(loop);
    assert_string_equal(first.letters, "1");
    assert_string_equal(second.letters, "2");
    party_loop_destroy(loop);
}

static void test_signal_of_the_loop_is_refused_a_second_time(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace first = {0}, second = {0};
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, note_signal, &first), 0);
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, note_signal, &second), -EEXIST);
    kill(getpid(), SIGUSR1);
    run_turn(loop);
    assert_string_equal(first.letters, "1");
    assert_string_equal(second.letters, "");
    party_loop_destroy(loop);
}

static void test_what_is_no_signal_is_refused(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    const int wrong[] = {-1, 0, SIGKILL, SIGSTOP, SIGRTMIN - 1, SIGRTMAX + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(party_loop_add_signal(loop, wrong[i], note_signal, NULL), -EINVAL);
    }
    party_loop_destroy(loop);
}

static void post_letter(struct party_loop *loop, int signo, void *user)
{
    (void)signo;
    struct letter_task *letter = user;
    trace_add(letter->trace, 's');
    party_loop_post(loop, &letter->task);
}

static void trace_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    trace_add(user, 't');
}

static void test_signals_come_before_timers_and_tasks_of_the_turn(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct letter_task letter;
    letter_task_init(&letter, &trace, 'p');
    struct party_timer timer = {0};
    assert_int_equal(party_timer_start(loop, &timer, 0, trace_timer, &trace), 0);
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, post_letter, &letter), 0);
    kill(getpid(), SIGUSR1);
    run_turn(loop);
    assert_string_equal(trace.letters, "stp");
    party_loop_destroy(loop);
}

static void *kill_sleeping_loop(void *user)
{
    await_sleep(user);
    kill(getpid(), SIGTERM);
    return NULL;
}

static void stop_on_signal(struct party_loop *loop, int signo, void *user)
{
    int *got = user;
    *got = signo;
    party_loop_stop(loop);
}

static void test_signal_wakes_a_sleeping_loop(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int got = 0;
    assert_int_equal(party_loop_add_signal(loop, SIGTERM, stop_on_signal, &got), 0);
    pthread_t thread; /* inherits that SIGTERM is blocked */
    assert_int_equal(pthread_create(&thread, NULL, kill_sleeping_loop, loop), 0);
    assert_int_equal(party_loop_run(loop), 0);
    assert_int_equal(got, SIGTERM);
    assert_int_equal(pthread_join(thread, NULL), 0);
    party_loop_destroy(loop);
}

static void count_signal(struct party_loop *loop, int signo, void *user)
{
    (void)loop;
    assert_int_equal(signo, SIGRTMIN);
    int *count = user;
    (*count)++;
}

static void test_more_queued_signals_than_one_read_takes_all_arrive(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    int count = 0;
    assert_int_equal(party_loop_add_signal(loop, SIGRTMIN, count_signal, &count), 0);
    for (int i = 0; i < QUEUED_SIGNALS; i++) {
        assert_int_equal(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}), 0);
    }
    while (count < QUEUED_SIGNALS) {
        int before = count;
        run_turn(loop);
        assert_true(count > before);
    }
    run_turn(loop);
    assert_int_equal(count, QUEUED_SIGNALS);
    party_loop_destroy(loop);
}

static void add_second(struct party_loop *loop, int signo, void *user)
{
    (void)signo;
    assert_int_equal(party_loop_add_signal(loop, SIGUSR2, note_signal, user), 0);
}

static void test_signal_may_be_added_by_a_signal_callback(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, add_second, &trace), 0);
    kill(getpid(), SIGUSR1);
    run_turn(loop);
    kill(getpid(), SIGUSR2);
    run_turn(loop);
    assert_string_equal(trace.letters, "2");
    party_loop_destroy(loop);
}

static void test_signal_that_found_no_descriptor_is_as_before_and_may_be_tried_again(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct trace trace = {0};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit tight = {.rlim_cur = (rlim_t)lowest_free_fd(), .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int r = party_loop_add_signal(loop, SIGUSR1, note_signal, &trace);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(r, -EMFILE);
    assert_false(is_blocked(SIGUSR1));
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, note_signal, &trace), 0);
    kill(getpid(), SIGUSR1);
    run_turn(loop);
    assert_string_equal(trace.letters, "1");
    party_loop_destroy(loop);
}

static void test_signals_stay_blocked_and_leave_no_descriptor_after_destroy(void **state)
{
    (void)state;
    int first_free = lowest_free_fd();
    struct party_loop *loop = create_loop();
    assert_int_equal(party_loop_add_signal(loop, SIGUSR1, note_signal, NULL), 0);
    party_loop_destroy(loop);
    assert_true(is_blocked(SIGUSR1));
    assert_int_equal(lowest_free_fd(), first_free);
}

static int add_two_signals(void *user)
{
    struct party_loop *loop = NULL;
    struct party_loop_settings settings = test_settings();
    int r = party_loop_create(&settings, &loop);
    if (r == 0) {
        r = party_loop_add_signal(loop, SIGUSR1, note_signal, user);
    }
    if (r == 0) {
        r = party_loop_add_signal(loop, SIGUSR2, note_signal, user);
    }
    party_loop_destroy(loop);
    return r;
}

static void test_add_survives_lack_of_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(add_two_signals, NULL);
}

int main(void)
{
#define SIGNAL_TEST(name) cmocka_unit_test_setup_teardown(name, unblock_all, unblock_all)
    const struct CMUnitTest tests[] = {
        SIGNAL_TEST(test_signal_reaches_its_callback_once),
        SIGNAL_TEST(test_each_signal_has_its_own_callback_data),
        SIGNAL_TEST(test_signal_of_the_loop_is_refused_a_second_time),
        SIGNAL_TEST(test_what_is_no_signal_is_refused),
        SIGNAL_TEST(test_signals_come_before_timers_and_tasks_of_the_turn),
        SIGNAL_TEST(test_signal_wakes_a_sleeping_loop),
        SIGNAL_TEST(test_more_queued_signals_than_one_read_takes_all_arrive),
        SIGNAL_TEST(test_signal_may_be_added_by_a_signal_callback),
        SIGNAL_TEST(test_signal_that_found_no_descriptor_is_as_before_and_may_be_tried_again),
        SIGNAL_TEST(test_signals_stay_blocked_and_leave_no_descriptor_after_destroy),
        SIGNAL_TEST(test_add_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
