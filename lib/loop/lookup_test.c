/* SPDX-License-Identifier: MIT */
#include <partyline/lookup.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "fail_malloc.h"
#include "loop/lookup_test_util.h"

static void test_numeric_host_is_answered_without_a_thread_after_start_returned(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *service;
        const char *text;
    } cases[] = {{"192.0.2.1", "80", "192.0.2.1:80"},
                 {"192.0.2.1", NULL, "192.0.2.1:0"},
                 {NULL, "81", "127.0.0.1:81"}};
    threads_refused = EAGAIN;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 0, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct answer answer;
        assert_int_equal(try_ask(lookup, cases[i].host, cases[i].service, &answer, NULL), 0);
        assert_int_equal(answer.calls, 0);
        run_turn(loop);
        assert_int_equal(answer.calls, 1);
        assert_int_equal(answer.result, 0);
        assert_string_equal(answer.text, cases[i].text);
    }
    struct answer refused;
    assert_int_equal(try_ask(lookup, "::1", "80", &refused, NULL), 0);
    run_turn(loop);
    assert_int_equal(refused.result, PARTY_EGAI_ADDRFAMILY);
    assert_int_equal(gate.names_asked, 0);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_a_name_is_asked_in_a_named_thread_and_told_in_the_loops(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 0, 0);
    struct answer answer;
    ask(lookup, "fast", &answer);
    await_answer(loop, &answer);
    assert_int_equal(answer.result, 0);
    assert_string_equal(answer.text, "127.0.0.1:7");
    assert_true(pthread_equal(answer.thread, pthread_self()));
    assert_false(pthread_equal(gate.thread, pthread_self()));
    assert_string_equal(gate.thread_name, "lookup-1");
    assert_false(gate.takes_signals);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_a_service_by_name_needs_a_thread(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 0, 0);
    struct answer answer;
    assert_int_equal(try_ask(lookup, "127.0.0.1", "no-such-service", &answer, NULL), 0);
    await_answer(loop, &answer);
    assert_int_equal(answer.result, PARTY_EGAI_SERVICE);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_what_the_resolver_says_arrives(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 0, 0);
    struct answer answer;
    ask(lookup, "missing", &answer);
    await_answer(loop, &answer);
    assert_int_equal(answer.result, PARTY_EGAI_NONAME);
    assert_int_equal(answer.count, 0);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_no_more_threads_than_allowed_and_all_are_answered(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 0, 0);
    struct answer answers[PARTY_LOOKUP_THREADS_DEFAULT + 5];
    size_t count = sizeof(answers) / sizeof(answers[0]);
    for (size_t i = 0; i < count; i++) {
        ask(lookup, "stuck", &answers[i]);
    }
    await_inside(PARTY_LOOKUP_THREADS_DEFAULT);
    open_gate();
    for (size_t i = 0; i < count; i++) {
        await_answer(loop, &answers[i]);
        assert_int_equal(answers[i].result, 0);
    }
    assert_true(gate.inside_max <= PARTY_LOOKUP_THREADS_DEFAULT);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_a_full_queue_refuses(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 1, 2);
    struct answer answers[3];
    struct answer refused;
    struct party_lookup_query *last = NULL;
    for (size_t i = 0; i < 3; i++) {
        last = ask(lookup, "stuck", &answers[i]);
    }
    assert_int_equal(try_ask(lookup, "fast", "7", &refused, NULL), -EBUSY);
    /* A number needs no place in the queue, and a cancelled query leaves its own. */
    ask(lookup, "127.0.0.1", &refused);
    await_answer(loop, &refused);
    party_lookup_cancel(last);
    ask(lookup, "fast", &refused);
    open_gate();
    await_answer(loop, &refused);
    assert_int_equal(refused.result, 0);
    assert_int_equal(answers[0].result, 0);
    assert_int_equal(answers[1].result, 0);
    assert_cancelled_once(&answers[2]);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_without_a_thread_a_name_is_refused(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = create_lookup(loop, 2, 0);
    struct answer answer;
    threads_refused = EAGAIN;
    assert_int_equal(try_ask(lookup, "fast", "7", &answer, NULL), -EAGAIN);
    threads_refused = 0;
    struct answer stuck;
    ask(lookup, "stuck", &stuck);
    await_inside(1);
    /* One thread is better than none: the name waits for it. */
    threads_refused = EAGAIN;
    ask(lookup, "fast", &answer);
    open_gate();
    await_answer(loop, &answer);
    assert_int_equal(answer.result, 0);
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
}

static void test_settings_and_timeouts_out_of_range_are_refused(void **state)
{
    (void)state;
    struct party_loop *loop = create_loop();
    struct party_lookup *lookup = NULL;
    struct party_lookup_settings settings = {.threads_max = PARTY_LOOKUP_THREADS_MAX + 1};
    assert_int_equal(party_lookup_create(loop, &settings, &lookup), -EINVAL);
    assert_null(lookup);
    assert_int_equal(party_lookup_create(loop, NULL, &lookup), 0);
    struct party_lookup_question question = {.host = "127.0.0.1", .timeout_ms = -2};
    struct answer answer = {0};
    assert_int_equal(party_lookup_start(lookup, &question, on_answer, &answer, NULL), -EINVAL);
    party_lookup_destroy(lookup);
    party_lookup_destroy(NULL);
    party_loop_destroy(loop);
    assert_int_equal(answer.calls, 0);
}

static int ask_and_await(struct party_loop *loop, const char *host)
{
    struct party_lookup *lookup = NULL;
    struct answer answer = {0};
    struct party_lookup_question question = {.host = host, .service = "7"};
    int r = party_lookup_create(loop, NULL, &lookup);
    if (r < 0) {
        return r;
    }
    r = party_lookup_start(lookup, &question, on_answer, &answer, NULL);
    if (r == 0) {
        await_answer(loop, &answer);
        r = answer.result;
    }
    party_lookup_destroy(lookup);
    return r;
}

static int look_up(void *user)
{
    struct party_loop_settings settings = test_settings();
    struct party_loop *loop = NULL;
    int r = party_loop_create(&settings, &loop);
    if (r == 0) {
        r = ask_and_await(loop, user);
    }
    party_loop_destroy(loop);
    return r;
}

static void test_a_look_up_survives_no_memory(void **state)
{
    (void)state;
    static char numeric[] = "127.0.0.1";
    static char name[] = "fast";
    assert_true(assert_survives_malloc_failure(look_up, numeric) >= 4);
    assert_true(assert_survives_malloc_failure(look_up, name) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_numeric_host_is_answered_without_a_thread_after_start_returned,
                               close_gate),
        cmocka_unit_test_setup(test_a_name_is_asked_in_a_named_thread_and_told_in_the_loops,
                               close_gate),
        cmocka_unit_test_setup(test_a_service_by_name_needs_a_thread, close_gate),
        cmocka_unit_test_setup(test_what_the_resolver_says_arrives, close_gate),
        cmocka_unit_test_setup(test_no_more_threads_than_allowed_and_all_are_answered, close_gate),
        cmocka_unit_test_setup(test_a_full_queue_refuses, close_gate),
        cmocka_unit_test_setup(test_without_a_thread_a_name_is_refused, close_gate),
        cmocka_unit_test_setup(test_settings_and_timeouts_out_of_range_are_refused, close_gate),
        cmocka_unit_test_setup(test_a_look_up_survives_no_memory, close_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
