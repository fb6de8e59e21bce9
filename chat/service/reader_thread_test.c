/* SPDX-License-Identifier: MIT */
#include "service/reader_thread.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "log/log_testing.h"

/*
 * The reader's thread on a real log. What it answers goes to a list instead of to a shard, and a
 * gate before each look-up lets a test keep it busy.
 */

#define STORED 100

struct bench {
    char *dir;
    struct log *log;
    struct reader_thread *thread;
    struct shard *shard; /* never looked into */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct query *answered_first, *answered_last;
static sem_t answered;
static sem_t gate, at_gate;
static atomic_bool gated;

void __wrap_shard_answer_later(struct shard *shard, struct query *query);
enum log_fault __real_reader_history(struct reader *reader, const struct history_query *query,
                                     struct event_list *out, bool *ret_more);
enum log_fault __wrap_reader_history(struct reader *reader, const struct history_query *query,
                                     struct event_list *out, bool *ret_more);

void __wrap_shard_answer_later(struct shard *shard, struct query *query)
{
    assert_ptr_equal(query->shard, shard);
    assert_null(query->next);
    (void)pthread_mutex_lock(&lock);
    if (answered_last) {
        answered_last->next = query;
    } else {
        answered_first = query;
    }
    answered_last = query;
    (void)pthread_mutex_unlock(&lock);
    (void)sem_post(&answered);
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) == -1) {
    }
}

enum log_fault __wrap_reader_history(struct reader *reader, const struct history_query *query,
                                     struct event_list *out, bool *ret_more)
{
    if (atomic_load(&gated)) {
        (void)sem_post(&at_gate);
        wait_for(&gate);
    }
    if (query->count == 0) {
        return LOG_IO; /* as a reader whose disk fails */
    }
    return __real_reader_history(reader, query, out, ret_more);
}

/* The oldest answer that nobody has looked at; it becomes the caller's. */
static struct query *take_answer(void)
{
    wait_for(&answered);
    (void)pthread_mutex_lock(&lock);
    struct query *query = answered_first;
    answered_first = query->next;
    if (!answered_first) {
        answered_last = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    return query;
}

static int bench_setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    struct reader *reader;
    char message[512];
    b->dir = test_dir_create();
    b->log = test_open(b->dir);
    b->shard = (struct shard *)b;
    test_fill(b->log, STORED);
    atomic_store(&gated, false);
    assert_int_equal(sem_init(&answered, 0, 0), 0);
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_int_equal(sem_init(&at_gate, 0, 0), 0);
    assert_int_equal(reader_open(b->dir, &reader, message, sizeof(message)), LOG_OK);
    assert_int_equal(reader_thread_start(reader, &b->thread), 0);
    *state = b;
    return 0;
}

static int bench_teardown(void **state)
{
    struct bench *b = *state;
    reader_thread_destroy(b->thread);
    assert_null(answered_first);
    log_close(b->log);
    test_dir_remove(b->dir);
    (void)sem_destroy(&answered);
    (void)sem_destroy(&gate);
    (void)sem_destroy(&at_gate);
    free(b);
    return 0;
}

static struct query *ask_last(uint64_t session, uint32_t count)
{
    struct query *query = query_create(session);
    query->history = (struct history_query){.kind = HISTORY_LAST, .room_id = 1, .count = count};
    return query;
}

static void test_query_is_answered_with_what_the_log_has(void **state)
{
    struct bench *b = *state;
    assert_true(reader_thread_ask(b->thread, ask_last(7, 10), b->shard));
    struct query *query = take_answer();
    assert_int_equal(query->session, 7);
    assert_int_equal(query->fault, LOG_OK);
    assert_int_equal(query->found.count, 10);
    assert_int_equal(query->found.items[0]->seq, STORED - 9);
    assert_int_equal(query->found.items[9]->seq, STORED);
    assert_true(query->more);
    query_destroy(query);
    test_fill(b->log, 5);
    assert_true(reader_thread_ask(b->thread, ask_last(8, 1), b->shard));
    query = take_answer();
    assert_int_equal(query->found.items[0]->seq, STORED + 5);
    query_destroy(query);
}

static void test_search_finds_by_text(void **state)
{
    struct bench *b = *state;
    struct query *query = ask_last(1, 5);
    query->history.kind = HISTORY_SEARCH;
    query->text = xmemdup0("nobody wrote this", 17);
    query->history.text = query->text;
    assert_true(reader_thread_ask(b->thread, query, b->shard));
    query = take_answer();
    assert_int_equal(query->fault, LOG_OK);
    assert_int_equal(query->found.count, 0);
    query_destroy(query);
}

static void test_targets_and_the_place_of_a_message_are_answered(void **state)
{
    struct bench *b = *state;
    struct query *query = query_create(7);
    query->kind = QUERY_TARGETS;
    query->rooms = xcalloc(1, sizeof(*query->rooms));
    query->rooms[0].room_id = 1;
    query->targets = (struct targets_query){
        .rooms = query->rooms, .room_count = 1, .count = 5, .to_ms = STORED * 20};
    assert_true(reader_thread_ask(b->thread, query, b->shard));
    query = take_answer();
    assert_int_equal(query->fault, LOG_OK);
    assert_int_equal(query->records.count, 1);
    query_destroy(query);

    query = query_create(7);
    query->kind = QUERY_MESSAGE;
    query->message = (struct message_query){.room_id = 1, .number = 3};
    assert_true(reader_thread_ask(b->thread, query, b->shard));
    query = take_answer();
    assert_int_equal(query->fault, LOG_OK);
    assert_int_equal(query->records.count, 1);
    struct record_in in = {query->records.bytes, query->records.len};
    struct record_field fields[5];
    assert_true(record_next(&in, fields, 5));
    assert_int_equal(record_number(&fields[1]), 3);
    assert_string_equal(fields[4].text, "alice");
    query->message.number = STORED + 1;
    record_out_finish(&query->records);
    assert_true(reader_thread_ask(b->thread, query, b->shard));
    query = take_answer();
    assert_int_equal(query->fault, LOG_UNKNOWN);
    assert_int_equal(query->records.count, 0);
    query_destroy(query);
}

static void test_fault_comes_back_and_the_next_query_is_answered(void **state)
{
    struct bench *b = *state;
    assert_true(reader_thread_ask(b->thread, ask_last(1, 0), b->shard));
    assert_true(reader_thread_ask(b->thread, ask_last(2, 1), b->shard));
    struct query *query = take_answer();
    assert_int_equal(query->fault, LOG_IO);
    assert_int_equal(query->found.count, 0);
    query_destroy(query);
    query = take_answer();
    assert_int_equal(query->fault, LOG_OK);
    assert_int_equal(query->found.count, 1);
    query_destroy(query);
}

/* One is being looked up, READER_QUEUE_MAX wait; the next one stays its owner's. */
static void test_too_many_queries_are_refused_and_the_others_answered_in_order(void **state)
{
    struct bench *b = *state;
    atomic_store(&gated, true);
    assert_true(reader_thread_ask(b->thread, ask_last(1, 1), b->shard));
    wait_for(&at_gate);
    for (unsigned i = 0; i < READER_QUEUE_MAX; i++) {
        assert_true(reader_thread_ask(b->thread, ask_last(2 + i, 1), b->shard));
    }
    struct query *refused = ask_last(9999, 1);
    assert_false(reader_thread_ask(b->thread, refused, b->shard));
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    for (unsigned i = 0; i <= READER_QUEUE_MAX; i++) {
        struct query *query = take_answer();
        assert_int_equal(query->session, 1 + i);
        assert_int_equal(query->found.count, 1);
        query_destroy(query);
    }
    assert_true(reader_thread_ask(b->thread, refused, b->shard));
    query_destroy(take_answer());
}

static void test_destroy_gives_back_what_waits(void **state)
{
    struct bench *b = *state;
    atomic_store(&gated, true);
    assert_true(reader_thread_ask(b->thread, ask_last(1, 1), b->shard));
    wait_for(&at_gate);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(reader_thread_ask(b->thread, ask_last(2 + i, 1), b->shard));
    }
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    reader_thread_destroy(b->thread);
    b->thread = NULL;
    for (unsigned i = 0; i <= 20; i++) {
        struct query *query = take_answer();
        assert_int_equal(query->session, 1 + i);
        query_destroy(query);
    }
    reader_thread_destroy(NULL);
}

static struct query *ask_search(uint64_t session)
{
    struct query *query = query_create(session);
    query->text = xmemdup0("text", 4);
    query->history = (struct history_query){
        .kind = HISTORY_SEARCH, .room_id = 1, .count = 1, .text = query->text};
    return query;
}

static void test_history_goes_before_searches_which_are_bounded_apart(void **state)
{
    struct bench *b = *state;
    atomic_store(&gated, true);
    assert_true(reader_thread_ask(b->thread, ask_last(1, 1), b->shard));
    wait_for(&at_gate);
    for (unsigned i = 0; i < READER_SEARCHES_MAX; i++) {
        assert_true(reader_thread_ask(b->thread, ask_search(100 + i), b->shard));
    }
    struct query *refused = ask_search(9999);
    assert_false(reader_thread_ask(b->thread, refused, b->shard));
    query_destroy(refused);
    assert_true(reader_thread_ask(b->thread, ask_last(2, 1), b->shard));
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    for (unsigned i = 0; i < READER_SEARCHES_MAX + 2; i++) {
        struct query *query = take_answer();
        assert_int_equal(query->session, i < 2 ? 1 + i : 98 + i);
        assert_int_equal(query->found.count, 1);
        query_destroy(query);
    }
}

static void test_nothing_is_read_for_who_is_gone(void **state)
{
    struct bench *b = *state;
    struct query *gone = ask_last(2, 1);
    atomic_store(&gated, true);
    assert_true(reader_thread_ask(b->thread, ask_last(1, 1), b->shard));
    wait_for(&at_gate);
    assert_true(reader_thread_ask(b->thread, gone, b->shard));
    atomic_store(&gone->given_up, true);
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    query_destroy(take_answer());
    struct query *query = take_answer();
    assert_ptr_equal(query, gone);
    assert_int_equal(query->fault, LOG_IO);
    assert_int_equal(query->found.count, 0);
    query_destroy(query);
}

static void *destroy_thread(void *user)
{
    reader_thread_destroy(user);
    return NULL;
}

static void test_end_does_not_wait_for_searches(void **state)
{
    struct bench *b = *state;
    pthread_t ender;
    atomic_store(&gated, true);
    assert_true(reader_thread_ask(b->thread, ask_last(1, 1), b->shard));
    wait_for(&at_gate);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(reader_thread_ask(b->thread, ask_search(2 + i), b->shard));
    }
    assert_int_equal(pthread_create(&ender, NULL, destroy_thread, b->thread), 0);
    while (!reader_thread_is_ending(b->thread)) {
        (void)sched_yield();
    }
    /* Were one of them run, it would stay at the gate for ever. */
    (void)sem_post(&gate);
    assert_int_equal(pthread_join(ender, NULL), 0);
    b->thread = NULL;
    for (unsigned i = 0; i <= 10; i++) {
        struct query *query = take_answer();
        assert_int_equal(query->fault, i == 0 ? LOG_OK : LOG_IO);
        query_destroy(query);
    }
}

struct asker {
    struct bench *bench;
    uint64_t from;
    unsigned refused;
    pthread_t thread;
};

static void *ask_many(void *user)
{
    struct asker *asker = user;
    for (uint64_t i = 0; i < 200; i++) {
        struct query *query = ask_last(asker->from + i, 3);
        if (!reader_thread_ask(asker->bench->thread, query, asker->bench->shard)) {
            asker->refused++;
            query_destroy(query);
        }
    }
    return NULL;
}

static void test_many_threads_may_ask(void **state)
{
    struct bench *b = *state;
    struct asker askers[4];
    unsigned refused = 0;
    uint64_t last[4] = {0};
    for (unsigned i = 0; i < 4; i++) {
        askers[i] = (struct asker){.bench = b, .from = 1 + 1000 * (uint64_t)i};
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_many, &askers[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        refused += askers[i].refused;
    }
    for (unsigned i = 0; i < 800 - refused; i++) {
        struct query *query = take_answer();
        uint64_t *before = &last[query->session / 1000];
        assert_true(query->session > *before);
        *before = query->session;
        assert_int_equal(query->found.count, 3);
        query_destroy(query);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ON_BENCH(test) cmocka_unit_test_setup_teardown(test, bench_setup, bench_teardown)
        ON_BENCH(test_query_is_answered_with_what_the_log_has),
        ON_BENCH(test_search_finds_by_text),
        ON_BENCH(test_targets_and_the_place_of_a_message_are_answered),
        ON_BENCH(test_fault_comes_back_and_the_next_query_is_answered),
        ON_BENCH(test_too_many_queries_are_refused_and_the_others_answered_in_order),
        ON_BENCH(test_destroy_gives_back_what_waits),
        ON_BENCH(test_history_goes_before_searches_which_are_bounded_apart),
        ON_BENCH(test_nothing_is_read_for_who_is_gone),
        ON_BENCH(test_end_does_not_wait_for_searches),
        ON_BENCH(test_many_threads_may_ask),
#undef ON_BENCH
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
