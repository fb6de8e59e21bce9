/* SPDX-License-Identifier: MIT */
#include <partyline/lookup.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "fail_malloc.h"
#include "loop/loop_test_util.h"

/*
 * The resolver is played here. "stuck..." waits at the gate until a test opens it and is 127.0.0.1
 * then, "fast..." is 127.0.0.1 at once, "missing" is no name; numbers are libc's business.
 */

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *user);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *user);

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open;
    unsigned inside;     /* threads in the resolver for a name */
    unsigned inside_max; /* the most there have been */
    unsigned names_asked;
    char thread_name[16]; /* of the last thread that asked for a name */
    bool takes_signals;   /* that thread */
    pthread_t thread;
} gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static int threads_refused; /* what pthread_create answers; 0 lets it work */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *user)
{
    return threads_refused != 0 ? threads_refused : __real_pthread_create(thread, attr, fn, user);
}

static void enter_resolver(bool waits)
{
    sigset_t blocked;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    (void)pthread_mutex_lock(&gate.mutex);
    gate.inside++;
    gate.names_asked++;
    gate.inside_max = gate.inside > gate.inside_max ? gate.inside : gate.inside_max;
    gate.thread = pthread_self();
    (void)pthread_getname_np(pthread_self(), gate.thread_name, sizeof(gate.thread_name));
    gate.takes_signals = !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGCHLD);
    (void)pthread_cond_broadcast(&gate.changed);
    while (waits && !gate.is_open) {
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    gate.inside--;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mutex);
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos)
{
    bool is_name = host != NULL && (hints->ai_flags & AI_NUMERICHOST) == 0;
    bool is_stuck = is_name && strncmp(host, "stuck", 5) == 0;
    if (is_name) {
        enter_resolver(is_stuck);
    }
    if (is_stuck || (is_name && strncmp(host, "fast", 4) == 0)) {
        host = "127.0.0.1";
    } else if (is_name && strcmp(host, "missing") == 0) {
        return EAI_NONAME;
    }
    return __real_getaddrinfo(host, service, hints, ret_infos);
}

static void open_gate(void)
{
    (void)pthread_mutex_lock(&gate.mutex);
    gate.is_open = true;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mutex);
}

static void await_inside(unsigned count)
{
    (void)pthread_mutex_lock(&gate.mutex);
    while (gate.inside != count) {
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    (void)pthread_mutex_unlock(&gate.mutex);
}

static void await_asked(unsigned count)
{
    (void)pthread_mutex_lock(&gate.mutex);
    while (gate.names_asked != count) {
        (void)pthread_cond_wait(&gate.changed, &gate.mutex);
    }
    (void)pthread_mutex_unlock(&gate.mutex);
}

/* Before each test. What the one before has left in the resolver goes first. */
static int close_gate(void **state)
{
    (void)state;
    open_gate();
    await_inside(0);
    (void)pthread_mutex_lock(&gate.mutex);
    gate.is_open = false;
    gate.inside_max = 0;
    gate.names_asked = 0;
    (void)pthread_mutex_unlock(&gate.mutex);
    threads_refused = 0;
    return 0;
}

/* ---- the other side: who asks ---- */

struct answer {
    unsigned calls;
    int result;
    size_t count;
    char text[PARTY_ADDRESS_TEXT_MAX];
    pthread_t thread;
};

static void on_answer(struct party_lookup_query *query, int result, struct party_resolve_list *list,
                      void *user)
{
    (void)query;
    struct answer *answer = user;
    answer->calls++;
    answer->result = result;
    answer->count = list->count;
    answer->thread = pthread_self();
    if (list->count > 0) {
        party_address_format(&list->entries[0].address, answer->text, sizeof(answer->text));
    }
}

static struct party_lookup *create_lookup(struct party_loop *loop, unsigned threads_max,
                                          unsigned queue_max)
{
    struct party_lookup_settings settings = {.threads_max = threads_max, .queue_max = queue_max};
    struct party_lookup *lookup = NULL;
    assert_int_equal(party_lookup_create(loop, &settings, &lookup), 0);
    return lookup;
}

static int try_ask(struct party_lookup *lookup, const char *host, const char *service,
                   struct answer *answer, struct party_lookup_query **ret_query)
{
    struct party_lookup_question question = {
        .host = host, .service = service, .family = AF_INET, .type = SOCK_STREAM, .timeout_ms = -1};
    *answer = (struct answer){0};
    return party_lookup_start(lookup, &question, on_answer, answer, ret_query);
}

static struct party_lookup_query *ask(struct party_lookup *lookup, const char *host,
                                      struct answer *answer)
{
    struct party_lookup_query *query = NULL;
    assert_int_equal(try_ask(lookup, host, "7", answer, &query), 0);
    assert_non_null(query);
    return query;
}

static void await_answer(struct party_loop *loop, const struct answer *answer)
{
    while (answer->calls == 0) {
        assert_int_equal(party_loop_run_once(loop, -1), 0);
    }
}

static void assert_cancelled_once(const struct answer *answer)
{
    assert_int_equal(answer->calls, 1);
    assert_int_equal(answer->result, -ECANCELED);
    assert_int_equal(answer->count, 0);
}

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
        cmocka_unit_test_setup(test_numeric_host_is_answered_without_a_thread_after_start_returned,
                               close_gate),
        cmocka_unit_test_setup(test_a_name_is_asked_in_a_named_thread_and_told_in_the_loops,
                               close_gate),
        cmocka_unit_test_setup(test_a_service_by_name_needs_a_thread, close_gate),
        cmocka_unit_test_setup(test_what_the_resolver_says_arrives, close_gate),
        cmocka_unit_test_setup(test_no_more_threads_than_allowed_and_all_are_answered, close_gate),
        cmocka_unit_test_setup(test_a_full_queue_refuses, close_gate),
        cmocka_unit_test_setup(test_cancel_does_not_wait_for_the_resolver, close_gate),
        cmocka_unit_test_setup(test_cancel_wins_over_an_answer_that_was_not_told, close_gate),
        cmocka_unit_test_setup(test_a_query_times_out_while_the_resolver_is_stuck, close_gate),
        cmocka_unit_test_setup(test_a_timeout_beyond_the_clock_is_for_ever, close_gate),
        cmocka_unit_test_setup(test_destroy_leaves_a_stuck_thread_behind_which_frees_what_it_has,
                               close_gate),
        cmocka_unit_test_setup(test_everything_may_be_done_in_a_callback, close_gate),
        cmocka_unit_test_setup(test_a_callback_may_keep_the_list, close_gate),
        cmocka_unit_test_setup(test_without_a_thread_a_name_is_refused, close_gate),
        cmocka_unit_test_setup(test_settings_and_timeouts_out_of_range_are_refused, close_gate),
        cmocka_unit_test_setup(test_a_look_up_survives_no_memory, close_gate),
        cmocka_unit_test_setup(test_each_of_many_queries_is_told_once, close_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
