/* SPDX-License-Identifier: MIT */
/* How queries end: cancelled, timed out, left behind, in callbacks. */
#include <partyline/lookup.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/lookup_test_util.h"

static void test_cancel_does_not_wait_for_the_resolver(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 1, 0);
    struct answer running;
    struct answer queued;
    struct party_lookup_query *first = ask(lookup, "stuck", &running);
    struct party_lookup_query *second = ask(lookup, "stuck", &queued);
    await_inside(1);
    party_lookup_cancel(second);
    party_lookup_cancel(first);
    party_lookup_cancel(first);
    assert_int_equal(running.calls, 0);
    assert_int_equal(queued.calls, 0);
    run_turn(loop);
    assert_cancelled_once(&running);
    assert_cancelled_once(&queued);

    /* The thread is free again once the resolver lets it go, and nothing comes of what it found. */
    struct answer next;
    ask(lookup, "fast", &next);
    open_gate();
    await_answer(loop, &next);
    assert_int_equal(next.result, 0);
    assert_cancelled_once(&running);
    assert_int_equal(gate.names_asked, 2);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_cancel_wins_over_an_answer_that_was_not_told(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 1, 0);
    struct answer numeric;
    struct answer named;
    struct answer after;
    party_lookup_cancel(ask(lookup, "127.0.0.1", &numeric));
    struct party_lookup_query *query = ask(lookup, "fast", &named);
    /* The one thread comes to the second when the answer of the first is in the mailbox. */
    struct party_lookup_query *stuck = ask(lookup, "stuck", &after);
    await_asked(2);
    party_lookup_cancel(query);
    party_lookup_cancel(stuck);
    run_turn(loop);
    assert_cancelled_once(&numeric);
    assert_cancelled_once(&named);
    assert_cancelled_once(&after);
    open_gate();
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_a_query_times_out_while_the_resolver_is_stuck(void **state)
{
    (void)state;
    int64_t clock_ns = 1000;
    struct party_loop *loop = create_loop();
    use_test_clock(loop, &clock_ns);
    struct party_lookup *lookup = create_lookup(loop, 1, 0);
    struct answer limited = {0};
    struct answer by_default = {0};
    struct party_lookup_question question = {.host = "stuck", .service = "7", .timeout_ms = 50};
    assert_int_equal(party_lookup_start(lookup, &question, on_answer, &limited, NULL), 0);
    question.timeout_ms = 0;
    assert_int_equal(party_lookup_start(lookup, &question, on_answer, &by_default, NULL), 0);
    await_inside(1);
    clock_ns += INT64_C(50) * 1000000 - 1;
    run_turn(loop);
    assert_int_equal(limited.calls, 0);
    clock_ns += 1;
    run_turn(loop);
    assert_int_equal(limited.calls, 1);
    assert_int_equal(limited.result, PARTY_ETIMEOUT);
    assert_int_equal(by_default.calls, 0);
    clock_ns += INT64_C(1000000) * PARTY_LOOKUP_TIMEOUT_DEFAULT_MS;
    run_turn(loop);
    assert_int_equal(by_default.calls, 1);
    assert_int_equal(by_default.result, PARTY_ETIMEOUT);
    assert_int_equal(limited.calls, 1);
    open_gate();
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

struct late_asker {
    struct party_timer timer;
    struct party_lookup *lookup;
    int64_t clock_ns;
    struct answer answer;
};

static void ask_late_in_the_turn(struct party_timer *timer, void *user)
{
    (void)timer;
    struct late_asker *late = user;
    const struct party_lookup_question question = {
        .host = "stuck", .service = "7", .timeout_ms = 50};
    late->clock_ns += INT64_C(1000) * 1000000; /* what was done before took long */
    assert_int_equal(party_lookup_start(late->lookup, &question, on_answer, &late->answer, NULL),
                     0);
}

static void test_a_timeout_begins_with_the_call(void **state)
{
    (void)state;
    struct late_asker late = {.clock_ns = 1000};
    struct party_loop *loop = create_loop();
    use_test_clock(loop, &late.clock_ns);
    late.lookup = create_lookup(loop, 1, 0);
    assert_int_equal(party_timer_start(loop, &late.timer, 0, ask_late_in_the_turn, &late), 0);
    run_turn(loop);
    await_inside(1);
    late.clock_ns += INT64_C(50) * 1000000 - 1;
    run_turn(loop);
    assert_int_equal(late.answer.calls, 0);
    late.clock_ns += 1;
    run_turn(loop);
    assert_int_equal(late.answer.calls, 1);
    assert_int_equal(late.answer.result, PARTY_ETIMEOUT);
    open_gate();
    party_lookup_destroy(late.lookup);
    party_loop_destroy(loop);
}

static void test_a_timeout_beyond_the_clock_is_for_ever(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 1, 0);
    struct answer answer = {0};
    struct party_lookup_question question = {
        .host = "fast", .service = "7", .timeout_ms = INT64_MAX};
    assert_int_equal(party_lookup_start(lookup, &question, on_answer, &answer, NULL), 0);
    await_answer(loop, &answer);
    assert_int_equal(answer.result, 0);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_destroy_leaves_a_stuck_thread_behind_which_frees_what_it_has(void **state)
{
    (void)state;
    size_t before = fail_malloc_outstanding();
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 2, 0);
    struct answer idle;
    struct answer running;
    struct answer numeric;
    ask(lookup, "fast", &idle);
    await_answer(loop, &idle);
    ask(lookup, "stuck", &running);
    await_inside(1);
    ask(lookup, "127.0.0.1", &numeric);
    party_lookup_destroy(lookup);
    assert_int_equal(running.calls, 0);
    party_loop_destroy(loop);
    assert_cancelled_once(&running);
    assert_cancelled_once(&numeric);
    assert_true(fail_malloc_outstanding() > before);
    open_gate();
    while (fail_malloc_outstanding() != before) {
        sched_yield();
    }
    assert_cancelled_once(&running);
}

/* In its own callback a query starts another, cancels itself to no effect, or ends everything. */
struct nested {
    struct answer answer;
    struct answer *inner;
    struct party_lookup *lookup;
    bool destroys;
};

static void on_nested(struct party_lookup_query *query, int result, struct party_resolve_list *list,
                      void *user)
{
    struct nested *nested = user;
    on_answer(query, result, list, &nested->answer);
    party_lookup_cancel(query);
    ask(nested->lookup, "127.0.0.1", nested->inner);
    if (nested->destroys) {
        party_lookup_destroy(nested->lookup);
    }
    assert_int_equal(nested->inner->calls, 0);
}

static void test_everything_may_be_done_in_a_callback(void **state)
{
    (void)state;
    static const char *const hosts[] = {"127.0.0.1", "fast"};
    for (unsigned i = 0; i < 4; i++) {
        struct party_loop *loop = create_loop();
        struct answer inner;
        struct nested nested = {
            .inner = &inner, .lookup = create_lookup(loop, 0, 0), .destroys = i >= 2};
        struct party_lookup_question question = {.host = hosts[i % 2], .service = "7"};
        assert_int_equal(party_lookup_start(nested.lookup, &question, on_nested, &nested, NULL), 0);
        await_answer(loop, &nested.answer);
        await_answer(loop, &inner);
        assert_int_equal(nested.answer.calls, 1);
        assert_int_equal(nested.answer.result, 0);
        assert_int_equal(inner.result, nested.destroys ? -ECANCELED : 0);
        if (!nested.destroys) {
            party_lookup_destroy(nested.lookup);
        }
        party_loop_destroy(loop);
    }
}

static void keep_list(struct party_lookup_query *query, int result, struct party_resolve_list *list,
                      void *user)
{
    (void)query;
    assert_int_equal(result, 0);
    struct party_resolve_list *kept = user;
    *kept = *list;
    *list = (struct party_resolve_list){0};
}

static void test_a_callback_may_keep_the_list(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 0, 0);
    struct party_resolve_list kept = {0};
    struct party_lookup_question question = {.host = "fast", .service = "7", .family = AF_INET};
    assert_int_equal(party_lookup_start(lookup, &question, keep_list, &kept, NULL), 0);
    while (kept.count == 0) {
        assert_int_equal(party_loop_run_once(loop, -1), 0);
    }
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
    assert_int_equal(kept.entries[0].family, AF_INET);
    party_resolve_list_finish(&kept);
}

/* Many queries that are cancelled, time out and end in every order; each is told once. */
static void test_each_of_many_queries_is_told_once(void **state)
{
    (void)state;
    static const char *const hosts[] = {"fast", "127.0.0.1", "missing", "fast"};
    enum { COUNT = 600 };
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 3, COUNT);
    struct answer *answers = calloc(COUNT, sizeof(*answers));
    struct party_lookup_query **queries = calloc(COUNT, sizeof(*queries));
    assert_non_null(answers);
    assert_non_null(queries);
    uint32_t chance = 12345;
    for (size_t i = 0; i < COUNT; i++) {
        chance = chance * 1103515245u + 12345u;
        struct party_lookup_question question = {
            .host = hosts[chance >> 16 & 3], .service = "7", .timeout_ms = chance >> 20 & 7};
        assert_int_equal(party_lookup_start(lookup, &question, on_answer, &answers[i], &queries[i]),
                         0);
        size_t other = (chance >> 8) % (i + 1);
        if ((chance >> 24 & 1) != 0 && answers[other].calls == 0) {
            party_lookup_cancel(queries[other]);
        }
        if ((chance >> 26 & 3) == 0) {
            run_turn(loop);
        }
    }
    for (size_t i = 0; i < COUNT / 2; i++) {
        await_answer(loop, &answers[i]);
    }
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(answers[i].calls, 1);
    }
    free(queries);
    free(answers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_cancel_does_not_wait_for_the_resolver, close_gate),
        cmocka_unit_test_setup(test_cancel_wins_over_an_answer_that_was_not_told, close_gate),
        cmocka_unit_test_setup(test_a_query_times_out_while_the_resolver_is_stuck, close_gate),
        cmocka_unit_test_setup(test_a_timeout_begins_with_the_call, close_gate),
        cmocka_unit_test_setup(test_a_timeout_beyond_the_clock_is_for_ever, close_gate),
        cmocka_unit_test_setup(test_destroy_leaves_a_stuck_thread_behind_which_frees_what_it_has,
                               close_gate),
        cmocka_unit_test_setup(test_everything_may_be_done_in_a_callback, close_gate),
        cmocka_unit_test_setup(test_a_callback_may_keep_the_list, close_gate),
        cmocka_unit_test_setup(test_each_of_many_queries_is_told_once, close_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
