/* SPDX-License-Identifier: MIT */
#include "sock/race.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/*
 * Races whose every answer and every instant is written down beforehand: getaddrinfo, connect,
 * ppoll, SO_ERROR and the clock are wrapped at link time. The sockets are real and never connect;
 * the port of an address is its number in the list, from 1.
 */

#define MS         INT64_C(1000000)
#define NEVER_NS   INT64_MAX
#define AT_ONCE_NS INT64_C(-1)
#define RUNNER_MAX 80
#define FD_MAX     1024

struct runner {
    int64_t answer_ns; /* after its start; AT_ONCE_NS: connect(2) itself says it; NEVER_NS */
    int error;         /* 0: connects; an errno */
};

static struct script {
    int64_t now_ns;
    struct runner runners[RUNNER_MAX + 1]; /* by port */
    struct party_address addresses[RUNNER_MAX];
    struct addrinfo infos[RUNNER_MAX];
    size_t count;
    unsigned started[RUNNER_MAX]; /* ports, in the order of their starts */
    int64_t started_ns[RUNNER_MAX];
    size_t started_count;
    unsigned port_of[FD_MAX];
    int64_t answer_of_ns[FD_MAX];
    int interruptions;   /* so many calls of ppoll are interrupted */
    int ppoll_error;     /* 0: none */
    bool connect_eintrs; /* connect(2) says EINTR where it would say EINPROGRESS */
} script;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
void __wrap_freeaddrinfo(struct addrinfo *infos);
int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len);
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask);
int __wrap_clock_gettime(clockid_t id, struct timespec *ret_now);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos)
{
    (void)host;
    (void)service;
    for (size_t i = 0; i < script.count; i++) {
        script.infos[i] = (struct addrinfo){
            .ai_family = party_address_family(&script.addresses[i]),
            .ai_socktype = hints->ai_socktype,
            .ai_addr = &script.addresses[i].u.sa,
            .ai_addrlen = script.addresses[i].len,
            .ai_next = i + 1 < script.count ? &script.infos[i + 1] : NULL,
        };
    }
    *ret_infos = &script.infos[0];
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *infos)
{
    (void)infos;
}

int __wrap_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    struct party_address address;
    party_address_from_sockaddr(&address, sa, len);
    unsigned port = party_address_port(&address);
    const struct runner *runner = &script.runners[port];
    script.started[script.started_count] = port;
    script.started_ns[script.started_count] = script.now_ns;
    script.started_count++;
    assert_in_range(fd, 0, FD_MAX - 1);
    assert_true(test_is_nonblocking(fd));
    script.port_of[fd] = port;
    script.answer_of_ns[fd] =
        runner->answer_ns == NEVER_NS ? NEVER_NS : script.now_ns + runner->answer_ns;
    if (runner->answer_ns == AT_ONCE_NS) {
        errno = runner->error;
        return runner->error == 0 ? 0 : -1;
    }
    errno = script.connect_eintrs ? EINTR : EINPROGRESS;
    return -1;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    if (level == SOL_SOCKET && name == SO_ERROR) {
        *(int *)value = script.runners[script.port_of[fd]].error;
        return 0;
    }
    return __real_getsockopt(fd, level, name, value, len);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *ret_now)
{
    (void)id;
    ret_now->tv_sec = (time_t)(script.now_ns / (1000 * MS));
    ret_now->tv_nsec = (long)(script.now_ns % (1000 * MS));
    return 0;
}

static int count_answers(struct pollfd *fds, nfds_t count)
{
    int ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        bool has_answer = fds[i].fd != -1 && script.answer_of_ns[fds[i].fd] <= script.now_ns;
        fds[i].revents = has_answer ? POLLOUT : 0;
        ready += has_answer ? 1 : 0;
    }
    return ready;
}

/* The clock jumps to the first answer, or to the end of the wait. */
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout,
                 const sigset_t *mask)
{
    assert_null(mask);
    if (script.interruptions > 0 || script.ppoll_error != 0) {
        script.interruptions--;
        script.now_ns += MS;
        errno = script.ppoll_error != 0 ? script.ppoll_error : EINTR;
        return -1;
    }
    int64_t until_ns =
        timeout == NULL ? NEVER_NS : script.now_ns + timeout->tv_sec * 1000 * MS + timeout->tv_nsec;
    for (nfds_t i = 0; i < count; i++) {
        if (fds[i].fd != -1 && script.answer_of_ns[fds[i].fd] < until_ns) {
            until_ns = script.answer_of_ns[fds[i].fd];
        }
    }
    assert_true(until_ns != NEVER_NS);
    script.now_ns = until_ns > script.now_ns ? until_ns : script.now_ns;
    return count_answers(fds, count);
}

/* One letter per address: '4' or '6'. Nobody answers until a test says so. */
static void set_list(const char *families)
{
    script = (struct script){.now_ns = 5000 * MS, .count = strlen(families)};
    for (size_t i = 0; i < script.count; i++) {
        script.addresses[i] = test_address(families[i] == '6' ? "[2001:db8::1]:0" : "192.0.2.1:0");
        party_address_set_port(&script.addresses[i], (uint16_t)(i + 1));
        script.runners[i + 1] = (struct runner){.answer_ns = NEVER_NS};
    }
}

static void set_runner(unsigned port, int64_t answer_ns, int error)
{
    script.runners[port] = (struct runner){answer_ns, error};
}

/* Which address won: its port. Fails the test when descriptors are left open. */
struct outcome {
    int result;
    unsigned winner; /* 0: none */
    bool keeps_timeout;
    struct party_connection_failures failures;
};

static struct outcome run(int64_t timeout_ms, uint32_t delay_ms)
{
    struct outcome outcome = {0};
    struct party_connection_options options = {.delay_ms = delay_ms,
                                               .ret_failures = &outcome.failures};
    struct party_sock *sock = NULL;
    size_t fds_before = fail_malloc_open_fds();
    outcome.result =
        party_sock_create_connection_with("host.test", "1", timeout_ms, &options, &sock);
    assert_int_equal(sock != NULL, outcome.result == 0);
    if (sock != NULL) {
        outcome.winner = script.port_of[party_sock_fileno(sock)];
        outcome.keeps_timeout = party_sock_gettimeout(sock) == timeout_ms;
        party_sock_close(sock);
    }
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    return outcome;
}

static void assert_starts(const unsigned *ports, const int64_t *times_ms, size_t count)
{
    assert_int_equal(script.started_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(script.started[i], ports[i]);
        if (times_ms != NULL) {
            assert_int_equal(script.started_ns[i], (5000 + times_ms[i]) * MS);
        }
    }
}

static void assert_failure(const struct outcome *outcome, size_t index, unsigned port, int error)
{
    assert_true(index < outcome->failures.count);
    const struct party_connection_failure *failure = &outcome->failures.entries[index];
    assert_int_equal(party_address_port(&failure->address), port);
    assert_result(failure->error, error);
}

static void test_families_take_turns_and_the_first_stays_first(void **state)
{
    (void)state;
    static const struct {
        const char *families;
        unsigned order[8];
    } cases[] = {
        {"66664444", {1, 5, 2, 6, 3, 7, 4, 8}}, {"44444446", {1, 8, 2, 3, 4, 5, 6, 7}},
        {"46666666", {1, 2, 3, 4, 5, 6, 7, 8}}, {"66666666", {1, 2, 3, 4, 5, 6, 7, 8}},
        {"64646464", {1, 2, 3, 4, 5, 6, 7, 8}}, {"44664466", {1, 3, 2, 4, 5, 7, 6, 8}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        set_list(cases[i].families);
        for (unsigned port = 1; port <= 8; port++) {
            set_runner(port, AT_ONCE_NS, ECONNREFUSED);
        }
        struct outcome outcome = run(-1, 0);
        assert_result(outcome.result, -ECONNREFUSED);
        assert_starts(cases[i].order, NULL, 8);
        party_connection_failures_finish(&outcome.failures);
    }
}

static void test_an_attempt_has_a_head_start(void **state)
{
    (void)state;
    static const unsigned ports[] = {1, 2, 3};
    static const int64_t times_ms[] = {0, 250, 500};
    set_list("646");
    set_runner(3, 20 * MS, 0);
    struct outcome outcome = run(TEST_LONG_MS, 0);
    assert_result(outcome.result, 0);
    assert_int_equal(outcome.winner, 3);
    assert_true(outcome.keeps_timeout);
    assert_starts(ports, times_ms, 3);
    assert_int_equal(script.now_ns, 5520 * MS);
    assert_int_equal(outcome.failures.count, 0);
    assert_null(outcome.failures.entries);
}

static void test_a_failure_starts_the_next_at_once(void **state)
{
    (void)state;
    static const unsigned ports[] = {1, 2, 3, 4};
    /* The third gets the time of the second's failure, and the fourth its whole head start. */
    static const int64_t times_ms[] = {0, 30, 70, 320};
    set_list("6464");
    set_runner(1, 30 * MS, ENETUNREACH);
    set_runner(2, 40 * MS, ECONNREFUSED);
    set_runner(4, 5 * MS, 0);
    struct outcome outcome = run(-1, 0);
    assert_result(outcome.result, 0);
    assert_int_equal(outcome.winner, 4);
    assert_true(outcome.keeps_timeout);
    assert_starts(ports, times_ms, 4);
    /* What was still under way has not failed: it was given up. */
    assert_int_equal(outcome.failures.count, 2);
    assert_failure(&outcome, 0, 1, -ENETUNREACH);
    assert_failure(&outcome, 1, 2, -ECONNREFUSED);
    party_connection_failures_finish(&outcome.failures);
    assert_null(outcome.failures.entries);
}

static void test_a_slow_first_attempt_may_still_win(void **state)
{
    (void)state;
    static const unsigned ports[] = {1, 2};
    static const int64_t times_ms[] = {0, 250};
    set_list("64");
    set_runner(1, 300 * MS, 0);
    set_runner(2, 100 * MS, 0);
    struct outcome outcome = run(TEST_LONG_MS, 0);
    assert_int_equal(outcome.winner, 1);
    assert_starts(ports, times_ms, 2);
}

static void test_a_connection_made_at_once_ends_the_race(void **state)
{
    (void)state;
    static const unsigned ports[] = {1};
    set_list("64");
    set_runner(1, AT_ONCE_NS, 0);
    struct outcome outcome = run(TEST_LONG_MS, 0);
    assert_result(outcome.result, 0);
    assert_int_equal(outcome.winner, 1);
    assert_starts(ports, NULL, 1);
}

static void test_the_deadline_is_for_all_attempts(void **state)
{
    (void)state;
    static const unsigned ports[] = {1, 2, 3};
    static const int64_t times_ms[] = {0, 250, 260};
    set_list("6464");
    set_runner(2, 10 * MS, ECONNREFUSED);
    struct outcome outcome = run(400, 0);
    assert_result(outcome.result, PARTY_ETIMEOUT);
    assert_int_equal(script.now_ns, 5400 * MS);
    assert_starts(ports, times_ms, 3);
    assert_int_equal(outcome.failures.count, 3);
    assert_failure(&outcome, 0, 1, PARTY_ETIMEOUT);
    assert_failure(&outcome, 1, 2, -ECONNREFUSED);
    assert_failure(&outcome, 2, 3, PARTY_ETIMEOUT);
    party_connection_failures_finish(&outcome.failures);
}

static void test_the_error_is_that_of_the_last_failure(void **state)
{
    (void)state;
    set_list("64");
    set_runner(1, 400 * MS, EHOSTUNREACH);
    set_runner(2, 10 * MS, ECONNREFUSED);
    struct outcome outcome = run(-1, 0);
    assert_result(outcome.result, -EHOSTUNREACH);
    assert_failure(&outcome, 0, 1, -EHOSTUNREACH);
    assert_failure(&outcome, 1, 2, -ECONNREFUSED);
    party_connection_failures_finish(&outcome.failures);
}

static void test_no_time_gives_each_address_one_try(void **state)
{
    (void)state;
    static const unsigned ports[] = {1, 2, 3};
    static const int64_t times_ms[] = {0, 0, 0};
    set_list("646");
    set_runner(2, AT_ONCE_NS, ECONNREFUSED);
    struct outcome outcome = run(0, 0);
    assert_result(outcome.result, -EINPROGRESS);
    assert_starts(ports, times_ms, 3);
    assert_failure(&outcome, 0, 1, -EINPROGRESS);
    assert_failure(&outcome, 1, 2, -ECONNREFUSED);
    party_connection_failures_finish(&outcome.failures);
}

static void test_the_head_start_can_be_chosen_within_limits(void **state)
{
    (void)state;
    static const uint32_t delays_ms[] = {10, 100, 2000};
    static const unsigned ports[] = {1, 2, 3};
    for (size_t i = 0; i < 3; i++) {
        const int64_t times_ms[] = {0, delays_ms[i], 2 * (int64_t)delays_ms[i]};
        set_list("464");
        set_runner(3, MS, 0);
        assert_result(run(-1, delays_ms[i]).result, 0);
        assert_starts(ports, times_ms, 3);
    }
    set_list("464");
    assert_result(run(-1, 9).result, -EINVAL);
    assert_result(run(-1, 2001).result, -EINVAL);
    assert_int_equal(script.started_count, 0);
}

static void test_signals_do_not_end_the_race(void **state)
{
    (void)state;
    static const unsigned ports[] = {1, 2};
    static const int64_t times_ms[] = {0, 250};
    set_list("64");
    set_runner(2, 50 * MS, 0);
    script.interruptions = 7;
    script.connect_eintrs = true;
    struct outcome outcome = run(300, 0);
    assert_result(outcome.result, 0);
    assert_int_equal(outcome.winner, 2);
    assert_starts(ports, times_ms, 2);
}

static void test_a_failing_wait_is_told(void **state)
{
    (void)state;
    set_list("64");
    script.ppoll_error = ENOMEM;
    struct outcome outcome = run(-1, 0);
    assert_result(outcome.result, -ENOMEM);
    assert_failure(&outcome, 0, 1, -ENOMEM);
    party_connection_failures_finish(&outcome.failures);
}

static void test_no_more_addresses_are_tried_than_the_limit(void **state)
{
    (void)state;
    char families[RUNNER_MAX + 1] = "";
    memset(families, '6', RUNNER_MAX - 1);
    families[RUNNER_MAX - 1] = '4';
    set_list(families);
    for (unsigned port = 1; port <= RUNNER_MAX; port++) {
        set_runner(port, AT_ONCE_NS, ECONNREFUSED);
    }
    struct outcome outcome = run(-1, 0);
    assert_result(outcome.result, -ECONNREFUSED);
    assert_int_equal(script.started_count, PARTY_CONNECTION_ATTEMPTS_MAX);
    /* The only address of the other family is among them, though it came last. */
    assert_int_equal(script.started[1], RUNNER_MAX);
    assert_int_equal(outcome.failures.count, PARTY_CONNECTION_ATTEMPTS_MAX);
    party_connection_failures_finish(&outcome.failures);
}

/* A small generator, so that a failing round can be run again. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* What must come out, worked out from the rule and not by waiting: attempt i + 1 starts at the
   first failure after the start of attempt i, or when the head start of i is over. */
static unsigned expected_winner(size_t count, int64_t delay_ns, int64_t timeout_ns,
                                int64_t *ret_end_ns)
{
    int64_t starts_ns[RUNNER_MAX];
    int64_t best_ns = timeout_ns;
    int64_t last_failure_ns = 0;
    unsigned winner = 0;
    int64_t start_ns = 0;
    bool all_failed = true;
    for (size_t i = 0; i < count && start_ns < best_ns; i++) {
        const struct runner *runner = &script.runners[i + 1];
        starts_ns[i] = start_ns;
        int64_t answer_ns = runner->answer_ns == NEVER_NS ? NEVER_NS : start_ns + runner->answer_ns;
        if (runner->error == 0 && answer_ns < best_ns) {
            best_ns = answer_ns;
            winner = (unsigned)i + 1;
        }
        all_failed = all_failed && runner->error != 0 && answer_ns < best_ns;
        int64_t next_ns = start_ns + delay_ns;
        for (size_t j = 0; j <= i; j++) {
            const struct runner *other = &script.runners[j + 1];
            if (other->error != 0) {
                int64_t failure_ns = starts_ns[j] + other->answer_ns;
                last_failure_ns = failure_ns > last_failure_ns ? failure_ns : last_failure_ns;
                next_ns = failure_ns > start_ns && failure_ns < next_ns ? failure_ns : next_ns;
            }
        }
        start_ns = next_ns;
    }
    bool is_lost = winner == 0 && all_failed && last_failure_ns < timeout_ns;
    *ret_end_ns = is_lost ? last_failure_ns : best_ns;
    return winner;
}

static void test_random_races_end_as_the_rule_says(void **state)
{
    (void)state;
    uint32_t seed = 8305;
    for (int round = 0; round < 3000; round++) {
        char families[16] = "";
        size_t count = 1 + next_random(&seed) % 10;
        memset(families, '4', count);
        set_list(families);
        for (unsigned port = 1; port <= count; port++) {
            /* No two answers come at the same instant: each has nanoseconds of its own. */
            int64_t answer_ns = (int64_t)(next_random(&seed) % 900) * MS + (INT64_C(1) << port);
            uint32_t fate = next_random(&seed) % 8;
            if (fate > 1) {
                set_runner(port, answer_ns, fate > 2 ? ECONNREFUSED : 0);
            }
        }
        uint32_t delay_ms = 10 + next_random(&seed) % 300;
        int64_t timeout_ms = 1 + next_random(&seed) % 2000;
        int64_t end_ns;
        unsigned winner = expected_winner(count, delay_ms * MS, timeout_ms * MS, &end_ns);
        struct outcome outcome = run(timeout_ms, delay_ms);
        if (outcome.winner != winner || script.now_ns != 5000 * MS + end_ns) {
            print_error("round %d: winner %u, wanted %u; end %lld, wanted %lld\n", round,
                        outcome.winner, winner, (long long)(script.now_ns - 5000 * MS),
                        (long long)end_ns);
            fail();
        }
        party_connection_failures_finish(&outcome.failures);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families_take_turns_and_the_first_stays_first),
        cmocka_unit_test(test_an_attempt_has_a_head_start),
        cmocka_unit_test(test_a_failure_starts_the_next_at_once),
        cmocka_unit_test(test_a_slow_first_attempt_may_still_win),
        cmocka_unit_test(test_a_connection_made_at_once_ends_the_race),
        cmocka_unit_test(test_the_deadline_is_for_all_attempts),
        cmocka_unit_test(test_the_error_is_that_of_the_last_failure),
        cmocka_unit_test(test_no_time_gives_each_address_one_try),
        cmocka_unit_test(test_the_head_start_can_be_chosen_within_limits),
        cmocka_unit_test(test_signals_do_not_end_the_race),
        cmocka_unit_test(test_a_failing_wait_is_told),
        cmocka_unit_test(test_no_more_addresses_are_tried_than_the_limit),
        cmocka_unit_test(test_random_races_end_as_the_rule_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
