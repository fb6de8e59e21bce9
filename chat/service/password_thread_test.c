/* SPDX-License-Identifier: MIT */
#include "service/password_thread.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "service/password.h"

/*
 * The thread between two stand-ins: what it answers goes to a list instead of to a shard, and each
 * check is counted, can be held at a gate and can be told to find no memory.
 */

/* argon2's own answer for "password", with little memory. */
#define HASH "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

struct bench {
    struct config config;
    struct guard *guard;
    struct password_thread *thread;
    struct shard *shard; /* never looked into */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct password_query *answered_first, *answered_last;
static sem_t answered, gate, at_gate;
static atomic_bool gated, starved;
static atomic_uint hashes;

void __wrap_shard_password_later(struct shard *shard, struct password_query *query);
int __real_password_check(const char *stored, const char *given);
int __wrap_password_check(const char *stored, const char *given);

void __wrap_shard_password_later(struct shard *shard, struct password_query *query)
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

int __wrap_password_check(const char *stored, const char *given)
{
    if (atomic_load(&gated)) {
        (void)sem_post(&at_gate);
        wait_for(&gate);
    }
    if (atomic_load(&starved)) {
        return -ENOMEM;
    }
    if (password_is_hash(stored)) {
        atomic_fetch_add(&hashes, 1);
    }
    return __real_password_check(stored, given);
}

static struct password_query *take_answer(void)
{
    wait_for(&answered);
    (void)pthread_mutex_lock(&lock);
    struct password_query *query = answered_first;
    answered_first = query->next;
    if (!answered_first) {
        answered_last = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    return query;
}

static struct bench *open_bench(const char *yaml)
{
    struct bench *b = xcalloc(1, sizeof(*b));
    struct guard_settings settings = {0};
    char why[CONFIG_MESSAGE_MAX] = "";
    if (config_load_text("test", yaml, strlen(yaml), &b->config, why, sizeof(why)) < 0) {
        fail_msg("%s", why);
    }
    settings.password_tries = b->config.limits.password_tries;
    b->shard = (struct shard *)b;
    b->guard = guard_create(&settings);
    atomic_store(&gated, false);
    atomic_store(&starved, false);
    atomic_store(&hashes, 0);
    assert_int_equal(sem_init(&answered, 0, 0), 0);
    assert_int_equal(sem_init(&gate, 0, 0), 0);
    assert_int_equal(sem_init(&at_gate, 0, 0), 0);
    assert_int_equal(password_thread_start(b->guard, &b->config, &b->thread), 0);
    return b;
}

static void close_bench(struct bench *b)
{
    password_thread_destroy(b->thread);
    assert_null(answered_first);
    guard_destroy(b->guard);
    config_finish(&b->config);
    free(b);
}

static struct party_address peer_of(uint32_t host)
{
    struct party_address peer = {.len = sizeof(struct sockaddr_in)};
    peer.u.in.sin_family = AF_INET;
    peer.u.in.sin_addr.s_addr = host;
    return peer;
}

static bool ask_from(struct bench *b, uint32_t host, enum password_kind kind, const char *name,
                     const char *password)
{
    struct password_query *query =
        password_query_create(kind, name, strlen(name), password, strlen(password));
    query->peer = peer_of(host);
    if (!password_thread_ask(b->thread, query, b->shard)) {
        password_query_destroy(query);
        return false;
    }
    return true;
}

static enum password_result result_of(struct bench *b, enum password_kind kind, const char *name,
                                      const char *password)
{
    assert_true(ask_from(b, 1, kind, name, password));
    struct password_query *query = take_answer();
    enum password_result result = query->result;
    password_query_destroy(query);
    return result;
}

#define OPER(b, name, password) result_of((b), PASSWORD_OPERATOR, (name), (password))
#define CONNECT(b, password)    result_of((b), PASSWORD_CONNECTION, "", (password))

#define TWO_OPERATORS                                                                              \
    "operators: [{name: root, password_hash: \"" HASH "\"}, {name: ann, password: sesame}]\n"

static void test_operators_are_let_in_by_their_own_password(void **state)
{
    (void)state;
    struct bench *b = open_bench(TWO_OPERATORS);
    assert_int_equal(OPER(b, "root", "password"), PASSWORD_RIGHT);
    assert_int_equal(OPER(b, "ann", "sesame"), PASSWORD_RIGHT);
    assert_int_equal(OPER(b, "root", "sesame"), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "ann", "password"), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "Root", "password"), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "", ""), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "root", HASH), PASSWORD_WRONG);
    close_bench(b);
}

static void test_unknown_operator_costs_a_hash_like_a_known_one(void **state)
{
    static const char *const asked[][2] = {
        {"root", "password"}, {"root", "x"}, {"ann", "sesame"}, {"ann", "x"}, {"nobody", "x"}};
    (void)state;
    struct bench *b = open_bench(TWO_OPERATORS);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        (void)OPER(b, asked[i][0], asked[i][1]);
        assert_int_equal(atomic_load(&hashes), i + 1);
    }
    close_bench(b);
    /* Where no hash is stored, nobody needs one. */
    b = open_bench("operators: [{name: ann, password: sesame}]\n");
    assert_int_equal(OPER(b, "ann", "sesame"), PASSWORD_RIGHT);
    assert_int_equal(OPER(b, "nobody", "sesame"), PASSWORD_WRONG);
    assert_int_equal(atomic_load(&hashes), 0);
    close_bench(b);
}

static void test_no_operators_means_nobody(void **state)
{
    (void)state;
    struct bench *b = open_bench("");
    assert_int_equal(OPER(b, "root", ""), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "", ""), PASSWORD_WRONG);
    close_bench(b);
}

static void test_everybodys_password_is_hashed_once(void **state)
{
    (void)state;
    struct bench *b = open_bench("password: \"" HASH "\"\n");
    assert_int_equal(CONNECT(b, "passwort"), PASSWORD_WRONG);
    assert_int_equal(CONNECT(b, "password"), PASSWORD_RIGHT);
    assert_int_equal(atomic_load(&hashes), 2);
    assert_int_equal(CONNECT(b, "password"), PASSWORD_RIGHT);
    assert_int_equal(atomic_load(&hashes), 2);
    /* A wrong one is not right because another was. */
    assert_int_equal(CONNECT(b, "passwort"), PASSWORD_WRONG);
    assert_int_equal(atomic_load(&hashes), 3);
    close_bench(b);
    b = open_bench("password: sesame\n");
    assert_int_equal(CONNECT(b, "sesame"), PASSWORD_RIGHT);
    assert_int_equal(CONNECT(b, "sesam"), PASSWORD_WRONG);
    close_bench(b);
}

static void test_new_configuration_holds_for_the_next(void **state)
{
    static const char yaml[] = "password: other\noperators: [{name: eve, password: x}]\n";
    struct config config;
    char why[CONFIG_MESSAGE_MAX];
    (void)state;
    struct bench *b = open_bench("password: \"" HASH "\"\n" TWO_OPERATORS);
    assert_int_equal(CONNECT(b, "password"), PASSWORD_RIGHT);
    assert_int_equal(config_load_text("test", yaml, strlen(yaml), &config, why, sizeof(why)), 0);
    password_thread_set(b->thread, &config);
    config_finish(&config);
    assert_int_equal(CONNECT(b, "password"), PASSWORD_WRONG);
    assert_int_equal(CONNECT(b, "other"), PASSWORD_RIGHT);
    assert_int_equal(OPER(b, "root", "password"), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "eve", "x"), PASSWORD_RIGHT);
    config_default(&config);
    password_thread_set(b->thread, &config);
    config_finish(&config);
    assert_int_equal(CONNECT(b, "anything"), PASSWORD_RIGHT);
    close_bench(b);
}

static void test_address_that_guesses_has_to_wait(void **state)
{
    (void)state;
    struct bench *b = open_bench(TWO_OPERATORS "limits: {password_tries: 2}\n");
    assert_int_equal(OPER(b, "root", "a"), PASSWORD_WRONG);
    assert_int_equal(OPER(b, "root", "b"), PASSWORD_WRONG);
    unsigned before = atomic_load(&hashes);
    assert_true(ask_from(b, 1, PASSWORD_OPERATOR, "root", "password"));
    struct password_query *query = take_answer();
    assert_int_equal(query->result, PASSWORD_LATER);
    assert_in_range(query->wait_s, 1, GUARD_WAIT_S);
    password_query_destroy(query);
    assert_int_equal(atomic_load(&hashes), before);
    /* Others do not. */
    assert_true(ask_from(b, 2, PASSWORD_OPERATOR, "root", "password"));
    query = take_answer();
    assert_int_equal(query->result, PASSWORD_RIGHT);
    password_query_destroy(query);
    close_bench(b);
}

static void test_want_of_memory_is_no_wrong_password(void **state)
{
    (void)state;
    struct bench *b = open_bench(TWO_OPERATORS "limits: {password_tries: 1}\n");
    atomic_store(&starved, true);
    assert_int_equal(OPER(b, "root", "password"), PASSWORD_LATER);
    atomic_store(&starved, false);
    assert_int_equal(OPER(b, "root", "password"), PASSWORD_RIGHT);
    close_bench(b);
}

static void test_queue_is_bounded_and_given_back_at_the_end(void **state)
{
    (void)state;
    struct bench *b = open_bench(TWO_OPERATORS);
    atomic_store(&gated, true);
    assert_true(ask_from(b, 1, PASSWORD_OPERATOR, "root", "password"));
    wait_for(&at_gate); /* the thread is at it, so the queue is empty */
    for (unsigned i = 0; i < PASSWORD_QUEUE_MAX; i++) {
        assert_true(ask_from(b, 1, PASSWORD_OPERATOR, "root", "password"));
    }
    assert_false(ask_from(b, 1, PASSWORD_OPERATOR, "root", "password"));
    atomic_store(&gated, false);
    (void)sem_post(&gate);
    password_thread_destroy(b->thread);
    b->thread = NULL;
    for (unsigned i = 0; i <= PASSWORD_QUEUE_MAX; i++) {
        struct password_query *query = take_answer();
        assert_int_not_equal(query->result, PASSWORD_WRONG);
        password_query_destroy(query);
    }
    close_bench(b);
}

static void test_who_is_gone_costs_nothing(void **state)
{
    (void)state;
    struct bench *b = open_bench(TWO_OPERATORS);
    struct password_query *query =
        password_query_create(PASSWORD_OPERATOR, "root", 4, "password", 8);
    query->peer = peer_of(1);
    atomic_store(&query->given_up, true);
    assert_true(password_thread_ask(b->thread, query, b->shard));
    query = take_answer();
    assert_int_equal(query->result, PASSWORD_LATER);
    password_query_destroy(query);
    assert_int_equal(atomic_load(&hashes), 0);
    close_bench(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operators_are_let_in_by_their_own_password),
        cmocka_unit_test(test_unknown_operator_costs_a_hash_like_a_known_one),
        cmocka_unit_test(test_no_operators_means_nobody),
        cmocka_unit_test(test_everybodys_password_is_hashed_once),
        cmocka_unit_test(test_new_configuration_holds_for_the_next),
        cmocka_unit_test(test_address_that_guesses_has_to_wait),
        cmocka_unit_test(test_want_of_memory_is_no_wrong_password),
        cmocka_unit_test(test_queue_is_bounded_and_given_back_at_the_end),
        cmocka_unit_test(test_who_is_gone_costs_nothing),
    };
    return cmocka_run_group_tests_name("password_thread", tests, NULL, NULL);
}
