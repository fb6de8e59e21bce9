/* SPDX-License-Identifier: MIT */
#include <partyline/loop.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

#define START_NS      1000000
#define STRESS_TIMERS 10000
#define CHAOS_TIMERS  200
#define CHAOS_CALLS   20000

/* A timer that writes its letter. */
struct letter_timer {
    struct party_timer timer;
    struct trace *trace;
    char letter;
};

static void write_timer_letter(struct party_timer *timer, void *user)
{
    struct letter_timer *self = user;
    assert_null(timer->loop);
    trace_add(self->trace, self->letter);
}

static void start_letter(struct party_loop *loop, struct letter_timer *self, int64_t delay_ns)
{
    assert_int_equal(party_timer_start(loop, &self->timer, delay_ns, write_timer_letter, self), 0);
}

struct fixture {
    struct party_loop *loop;
    int64_t clock_ns;
    struct trace trace;
    struct letter_timer a, b, c;
};

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.loop = create_loop(), .clock_ns = START_NS};
    use_test_clock(f->loop, &f->clock_ns);
    f->a = (struct letter_timer){.trace = &f->trace, .letter = 'a'};
    f->b = (struct letter_timer){.trace = &f->trace, .letter = 'b'};
    f->c = (struct letter_timer){.trace = &f->trace, .letter = 'c'};
}

static void test_timer_fires_once_and_not_a_nanosecond_early(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.a, 500);
    assert_int_equal(f.a.timer.due_ns, START_NS + 500);
    f.clock_ns = START_NS + 499;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "");
    f.clock_ns = START_NS + 500;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "a");
    f.clock_ns = START_NS + 5000;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "a");
    party_loop_destroy(f.loop);
}

static void start_b_late_in_the_turn(struct party_timer *timer, void *user)
{
    (void)timer;
    struct fixture *f = user;
    f->clock_ns += 700; /* the callback takes its time */
    start_letter(f->loop, &f->b, 10);
    assert_int_equal(f->b.timer.due_ns, START_NS + 10);
    party_loop_update_now(f->loop);
    assert_int_equal(party_loop_now_ns(f->loop), START_NS + 700);
    start_letter(f->loop, &f->c, 10);
    assert_int_equal(f->c.timer.due_ns, START_NS + 710);
}

static void test_delay_counts_from_the_time_of_the_turn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    int r = party_timer_start(f.loop, &f.a.timer, 0, start_b_late_in_the_turn, &f);
    assert_int_equal(r, 0);
    run_turn(f.loop);
    assert_true(f.c.timer.loop != NULL);
    party_loop_destroy(f.loop);
}

static void test_between_turns_delay_counts_from_now(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    f.clock_ns += 700; /* no turn has taken the time */
    start_letter(f.loop, &f.a, 10);
    assert_int_equal(f.a.timer.due_ns, START_NS + 710);
    run_turn(f.loop);
    f.clock_ns += 300;
    start_letter(f.loop, &f.a, 10);
    assert_int_equal(f.a.timer.due_ns, START_NS + 1010);
    party_loop_destroy(f.loop);
}

static void test_timers_of_equal_time_fire_in_start_order(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.c, 5);
    start_letter(f.loop, &f.a, 5);
    start_letter(f.loop, &f.b, 5);
    f.clock_ns += 5;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "cab");
    party_loop_destroy(f.loop);
}

static void test_start_of_a_started_timer_moves_it(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.a, 10);
    start_letter(f.loop, &f.b, 20);
    start_letter(f.loop, &f.c, 30);
    start_letter(f.loop, &f.a, 20); /* later, and behind b of the same time */
    start_letter(f.loop, &f.c, 5);  /* earlier */
    f.clock_ns += 30;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "cba");
    party_loop_destroy(f.loop);
}

static void test_stopped_timer_is_not_called(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.a, 1);
    start_letter(f.loop, &f.b, 2);
    start_letter(f.loop, &f.c, 3);
    party_timer_stop(&f.b.timer);
    assert_null(f.b.timer.loop);
    party_timer_stop(&f.b.timer);
    f.clock_ns += 10;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "ac");
    party_loop_destroy(f.loop);
}

static void test_zeroed_timer_may_be_stopped(void **state)
{
    (void)state;
    struct party_timer timer = {0};
    party_timer_stop(&timer);
    assert_null(timer.loop);
}

static void test_negative_delay_means_none(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.a, 0);
    start_letter(f.loop, &f.b, INT64_MIN);
    assert_int_equal(f.b.timer.due_ns, START_NS);
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "ab");
    party_loop_destroy(f.loop);
}

static void test_delay_past_the_end_of_time_never_fires(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.a, INT64_MAX);
    start_letter(f.loop, &f.b, INT64_MAX - START_NS);
    assert_int_equal(f.a.timer.due_ns, INT64_MAX);
    assert_int_equal(f.b.timer.due_ns, INT64_MAX);
    f.clock_ns = INT64_MAX - 1;
    run_turn(f.loop);
    assert_int_equal(f.trace.len, 0);
    party_loop_destroy(f.loop);
}

/* ---- what callbacks do ---- */

static void start_again(struct party_timer *timer, void *user)
{
    struct fixture *f = user;
    trace_add(&f->trace, 't');
    assert_int_equal(party_timer_start(f->loop, timer, 0, start_again, f), 0);
}

static void test_timer_that_starts_itself_without_delay_lets_the_turn_go_on(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct letter_task posted;
    letter_task_init(&posted, &f.trace, 'p');
    struct party_timer timer = {0};
    assert_int_equal(party_timer_start(f.loop, &timer, 0, start_again, &f), 0);
    start_letter(f.loop, &f.a, 0);
    party_loop_post(f.loop, &posted.task);
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "tap");
    assert_int_equal(party_loop_run_once(f.loop, -1), 0);
    assert_string_equal(f.trace.letters, "tapt");
    party_loop_destroy(f.loop);
}

static void stop_b(struct party_timer *timer, void *user)
{
    (void)timer;
    struct fixture *f = user;
    party_timer_stop(&f->b.timer);
}

static void move_b(struct party_timer *timer, void *user)
{
    (void)timer;
    struct fixture *f = user;
    start_letter(f->loop, &f->b, 0);
}

static void test_due_timer_stopped_by_a_callback_is_not_called(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct party_timer stopper = {0};
    assert_int_equal(party_timer_start(f.loop, &stopper, 1, stop_b, &f), 0);
    start_letter(f.loop, &f.b, 1);
    start_letter(f.loop, &f.c, 1);
    f.clock_ns += 1;
    run_turn(f.loop);
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "c");
    party_loop_destroy(f.loop);
}

static void test_due_timer_moved_by_a_callback_fires_next_turn(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    struct party_timer mover = {0};
    assert_int_equal(party_timer_start(f.loop, &mover, 1, move_b, &f), 0);
    start_letter(f.loop, &f.b, 1);
    start_letter(f.loop, &f.c, 1);
    f.clock_ns += 1;
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "c");
    run_turn(f.loop);
    assert_string_equal(f.trace.letters, "cb");
    party_loop_destroy(f.loop);
}

static void free_timer(struct party_timer *timer, void *user)
{
    int *calls = user;
    (*calls)++;
    free(timer);
}

static void test_timer_may_be_freed_by_its_own_callback(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    int calls = 0;
    for (int i = 0; i < 50; i++) {
        struct party_timer *timer = calloc(1, sizeof *timer);
        assert_non_null(timer);
        assert_int_equal(party_timer_start(f.loop, timer, i % 7, free_timer, &calls), 0);
    }
    f.clock_ns += 7;
    run_turn(f.loop);
    assert_int_equal(calls, 50);
    party_loop_destroy(f.loop);
}

/* ---- against a reference ---- */

/* The same numbers on each run. */
static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

struct stress_timer {
    struct party_timer timer;
    struct stress *stress;
    uint64_t order; /* of the last start */
    bool is_started;
};

struct stress {
    struct party_loop *loop;
    int64_t clock_ns;
    uint64_t seed;
    uint64_t next_order;
    struct stress_timer timers[STRESS_TIMERS];
    struct stress_timer *fired[STRESS_TIMERS];
    size_t fired_count;
};

static void note_fired(struct party_timer *timer, void *user)
{
    struct stress_timer *self = user;
    struct stress *stress = self->stress;
    assert_true(self->is_started);
    assert_true(timer->due_ns <= party_loop_now_ns(stress->loop));
    self->is_started = false;
    stress->fired[stress->fired_count++] = self;
}

static void stress_start(struct stress *stress, size_t i)
{
    struct stress_timer *self = &stress->timers[i];
    self->stress = stress;
    self->order = stress->next_order++;
    self->is_started = true;
    int64_t delay_ns = next_random(&stress->seed) % 2000; /* so that many times are equal */
    assert_int_equal(party_timer_start(stress->loop, &self->timer, delay_ns, note_fired, self), 0);
}

static int compare_due(const void *a, const void *b)
{
    const struct stress_timer *x = *(struct stress_timer *const *)a;
    const struct stress_timer *y = *(struct stress_timer *const *)b;
    if (x->timer.due_ns != y->timer.due_ns) {
        return x->timer.due_ns < y->timer.due_ns ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

static void test_ten_thousand_timers_fire_in_the_order_of_a_sorted_reference(void **state)
{
    (void)state;
    struct stress *stress = calloc(1, sizeof *stress);
    assert_non_null(stress);
    stress->loop = create_loop();
    stress->clock_ns = START_NS;
    stress->seed = 7;
    use_test_clock(stress->loop, &stress->clock_ns);
    for (size_t i = 0; i < STRESS_TIMERS; i++) {
        stress_start(stress, i);
    }
    for (size_t i = 0; i < STRESS_TIMERS / 2; i++) {
        stress_start(stress, next_random(&stress->seed) % STRESS_TIMERS);
        struct stress_timer *stopped = &stress->timers[next_random(&stress->seed) % STRESS_TIMERS];
        party_timer_stop(&stopped->timer);
        stopped->is_started = false;
    }
    static struct stress_timer *wanted[STRESS_TIMERS];
    size_t wanted_count = 0;
    for (size_t i = 0; i < STRESS_TIMERS; i++) {
        if (stress->timers[i].is_started) {
            wanted[wanted_count++] = &stress->timers[i];
        }
    }
    qsort(wanted, wanted_count, sizeof(wanted[0]), compare_due);
    for (int i = 0; i < 20; i++) {
        stress->clock_ns += 100;
        run_turn(stress->loop);
    }
    assert_int_equal(stress->fired_count, wanted_count);
    assert_memory_equal(stress->fired, wanted, wanted_count * sizeof(wanted[0]));
    party_loop_destroy(stress->loop);
    free(stress);
}

/* Callbacks that start, move and stop timers at random; a flat list says who must be next. */
struct chaos_timer {
    struct party_timer timer;
    struct chaos *chaos;
    uint64_t order;
    int64_t due_ns;
    bool is_started;
};

struct chaos {
    struct party_loop *loop;
    int64_t clock_ns;
    uint64_t seed;
    uint64_t next_order;
    uint64_t turn_order; /* next_order when the turn began */
    int calls;
    struct chaos_timer timers[CHAOS_TIMERS];
};

static struct chaos_timer *chaos_due(struct chaos *chaos)
{
    struct chaos_timer *first = NULL;
    for (size_t i = 0; i < CHAOS_TIMERS; i++) {
        struct chaos_timer *other = &chaos->timers[i];
        if (other->is_started && other->due_ns <= chaos->clock_ns &&
            other->order < chaos->turn_order &&
            (first == NULL || other->due_ns < first->due_ns ||
             (other->due_ns == first->due_ns && other->order < first->order))) {
            first = other;
        }
    }
    return first;
}

static void chaos_fire(struct party_timer *timer, void *user);

static void chaos_act(struct chaos *chaos)
{
    struct chaos_timer *other = &chaos->timers[next_random(&chaos->seed) % CHAOS_TIMERS];
    if (next_random(&chaos->seed) % 4 == 0) {
        party_timer_stop(&other->timer);
        other->is_started = false;
        return;
    }
    int64_t delay_ns = next_random(&chaos->seed) % 50;
    other->chaos = chaos;
    other->order = chaos->next_order++;
    other->due_ns = chaos->clock_ns + delay_ns;
    other->is_started = true;
    assert_int_equal(party_timer_start(chaos->loop, &other->timer, delay_ns, chaos_fire, other), 0);
}

static void chaos_fire(struct party_timer *timer, void *user)
{
    struct chaos_timer *self = user;
    struct chaos *chaos = self->chaos;
    assert_ptr_equal(timer, &self->timer);
    assert_ptr_equal(self, chaos_due(chaos));
    self->is_started = false;
    chaos->calls++;
    for (int i = 0; i < 2; i++) {
        chaos_act(chaos);
    }
}

static void test_timers_changed_by_callbacks_at_random_agree_with_a_flat_reference(void **state)
{
    (void)state;
    static struct chaos chaos;
    chaos = (struct chaos){.loop = create_loop(), .clock_ns = START_NS, .seed = 11};
    use_test_clock(chaos.loop, &chaos.clock_ns);
    while (chaos.calls < CHAOS_CALLS) {
        chaos_act(&chaos);
        chaos.clock_ns += next_random(&chaos.seed) % 5;
        chaos.turn_order = chaos.next_order;
        run_turn(chaos.loop);
        assert_null(chaos_due(&chaos));
    }
    party_loop_destroy(chaos.loop);
}

/* ---- the kernel's part ---- */

static void test_timeouts_in_milliseconds_are_rounded_up(void **state)
{
    (void)state;
    assert_int_equal(party__timeout_ms_round_up(-1), -1);
    assert_int_equal(party__timeout_ms_round_up(0), 0);
    assert_int_equal(party__timeout_ms_round_up(1), 1);
    assert_int_equal(party__timeout_ms_round_up(1000000), 1);
    assert_int_equal(party__timeout_ms_round_up(1000001), 2);
    assert_int_equal(party__timeout_ms_round_up(INT64_MAX), INT32_MAX);
}

static void note_time(struct party_timer *timer, void *user)
{
    (void)timer;
    int64_t *fired_ns = user;
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    *fired_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void test_sleeping_loop_gets_up_for_a_timer_and_not_before_it_is_due(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    for (int i = 0; i < 10; i++) {
        struct party_timer timer = {0};
        int64_t fired_ns = 0;
        assert_int_equal(party_timer_start(loop, &timer, 300000 + i * 7777, note_time, &fired_ns),
                         0);
        assert_int_equal(party_loop_run_once(loop, -1), 0);
        assert_true(fired_ns >= timer.due_ns); /* Zero when the turn came too early to call. */
    }
    party_loop_destroy(loop);
}

/* ---- lack of memory ---- */

static int start_many(void *user)
{
    (void)user;
    struct party_loop *loop = NULL;
    struct party_loop_settings settings = test_settings();
    int r = party_loop_create(&settings, &loop);
    struct party_timer timers[100] = {0};
    for (size_t i = 0; r == 0 && i < 100; i++) {
        r = party_timer_start(loop, &timers[i], 1000, note_time, NULL);
        assert_ptr_equal(timers[i].loop, r == 0 ? loop : NULL);
    }
    party_loop_destroy(loop);
    return r;
}

static void test_start_survives_lack_of_memory(void **state)
{
    (void)state;
    assert_survives_malloc_failure(start_many, NULL);
}

static void test_move_of_a_started_timer_needs_no_memory(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f);
    start_letter(f.loop, &f.a, 10);
    fail_malloc_arm(1, FAIL_MALLOC_FROM_NTH);
    int r = party_timer_start(f.loop, &f.a.timer, 20, write_timer_letter, &f.a);
    assert_int_equal(fail_malloc_disarm(), 0);
    assert_int_equal(r, 0);
    assert_int_equal(f.a.timer.due_ns, START_NS + 20);
    party_loop_destroy(f.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer_fires_once_and_not_a_nanosecond_early),
        cmocka_unit_test(test_delay_counts_from_the_time_of_the_turn),
        cmocka_unit_test(test_between_turns_delay_counts_from_now),
        cmocka_unit_test(test_timers_of_equal_time_fire_in_start_order),
        cmocka_unit_test(test_start_of_a_started_timer_moves_it),
        cmocka_unit_test(test_stopped_timer_is_not_called),
        cmocka_unit_test(test_zeroed_timer_may_be_stopped),
        cmocka_unit_test(test_negative_delay_means_none),
        cmocka_unit_test(test_delay_past_the_end_of_time_never_fires),
        cmocka_unit_test(test_timer_that_starts_itself_without_delay_lets_the_turn_go_on),
        cmocka_unit_test(test_due_timer_stopped_by_a_callback_is_not_called),
        cmocka_unit_test(test_due_timer_moved_by_a_callback_fires_next_turn),
        cmocka_unit_test(test_timer_may_be_freed_by_its_own_callback),
        cmocka_unit_test(test_ten_thousand_timers_fire_in_the_order_of_a_sorted_reference),
        cmocka_unit_test(test_timers_changed_by_callbacks_at_random_agree_with_a_flat_reference),
        cmocka_unit_test(test_timeouts_in_milliseconds_are_rounded_up),
        cmocka_unit_test(test_sleeping_loop_gets_up_for_a_timer_and_not_before_it_is_due),
        cmocka_unit_test(test_start_survives_lack_of_memory),
        cmocka_unit_test(test_move_of_a_started_timer_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
