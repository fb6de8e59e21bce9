/* SPDX-License-Identifier: MIT */
#include "service/guard.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND 1000000000LL
#define START  (1000 * SECOND)

static struct party_address v4(uint32_t host)
{
    struct party_address address = {.len = sizeof(struct sockaddr_in)};

    address.u.in.sin_family = AF_INET;
    address.u.in.sin_addr.s_addr = htonl(host);
    return address;
}

static struct party_address v6(const char *text)
{
    struct party_address address = {.len = sizeof(struct sockaddr_in6)};

    address.u.in6.sin6_family = AF_INET6;
    assert_int_equal(inet_pton(AF_INET6, text, &address.u.in6.sin6_addr), 1);
    return address;
}

static struct party_address unix_peer(void)
{
    struct party_address address = {.len = sizeof(sa_family_t)};

    address.u.un.sun_family = AF_UNIX;
    return address;
}

static struct guard *make(uint32_t total, uint32_t per_address, uint32_t rate)
{
    const struct guard_settings settings = {
        .total = total, .per_address = per_address, .rate_per_minute = rate};

    return guard_create(&settings);
}

static void admit(struct guard *guard, struct party_address peer, int64_t now_ns,
                  enum guard_verdict want)
{
    assert_int_equal(guard_admit(guard, &peer, now_ns), want);
}

static void release(struct guard *guard, struct party_address peer)
{
    guard_release(guard, &peer);
}

static void test_an_address_holds_so_many_connections(void **state)
{
    struct guard *guard = make(0, 2, 0);

    (void)state;
    admit(guard, v4(1), START, GUARD_OK);
    admit(guard, v4(1), START, GUARD_OK);
    admit(guard, v4(1), START, GUARD_TOO_MANY);
    admit(guard, v4(2), START, GUARD_OK);
    release(guard, v4(1));
    admit(guard, v4(1), START, GUARD_OK);
    admit(guard, v4(1), START, GUARD_TOO_MANY);
    assert_int_equal(guard_connections(guard), 3);
    guard_destroy(guard);
}

static void test_v6_counts_by_64_bits_and_mapped_v4_as_v4(void **state)
{
    struct guard *guard = make(0, 1, 0);

    (void)state;
    admit(guard, v6("2001:db8:0:1::1"), START, GUARD_OK);
    admit(guard, v6("2001:db8:0:1:ffff::2"), START, GUARD_TOO_MANY);
    admit(guard, v6("2001:db8:0:2::1"), START, GUARD_OK);
    admit(guard, v6("::ffff:10.0.0.1"), START, GUARD_OK);
    admit(guard, v4(0x0a000001), START, GUARD_TOO_MANY);
    release(guard, v4(0x0a000001));
    admit(guard, v4(0x0a000001), START, GUARD_OK);
    /* An IPv6 prefix with the same bits as an IPv4 address is another one. */
    admit(guard, v6("0:0:a00:1::1"), START, GUARD_OK);
    guard_destroy(guard);
}

static void test_unix_peers_count_towards_the_total_only(void **state)
{
    struct guard *guard = make(3, 1, 1);

    (void)state;
    for (int i = 0; i < 3; i++) {
        admit(guard, unix_peer(), START, GUARD_OK);
    }
    admit(guard, unix_peer(), START, GUARD_FULL);
    admit(guard, v4(1), START, GUARD_FULL);
    assert_int_equal(guard_addresses(guard), 0);
    release(guard, unix_peer());
    admit(guard, v4(1), START, GUARD_OK);
    guard_destroy(guard);
}

static void test_rate_lets_a_burst_in_then_one_per_interval(void **state)
{
    struct guard *guard = make(0, 0, 60);

    (void)state;
    for (int i = 0; i < 60; i++) {
        admit(guard, v4(1), START, GUARD_OK);
        release(guard, v4(1));
    }
    admit(guard, v4(1), START, GUARD_TOO_FAST);
    admit(guard, v4(1), START + SECOND - 1, GUARD_TOO_FAST);
    admit(guard, v4(1), START + SECOND, GUARD_OK);
    admit(guard, v4(1), START + SECOND, GUARD_TOO_FAST);
    admit(guard, v4(2), START + SECOND, GUARD_OK);
    /* After a quiet minute the whole burst is there again, and no more than that. */
    for (int i = 0; i < 60; i++) {
        admit(guard, v4(1), START + 200 * SECOND, GUARD_OK);
    }
    admit(guard, v4(1), START + 200 * SECOND, GUARD_TOO_FAST);
    guard_destroy(guard);
}

static void test_a_refused_connection_costs_nothing(void **state)
{
    struct guard *guard = make(0, 0, 1);

    (void)state;
    admit(guard, v4(1), START, GUARD_OK);
    for (int i = 1; i < 60; i++) {
        admit(guard, v4(1), START + i * SECOND, GUARD_TOO_FAST);
    }
    admit(guard, v4(1), START + 60 * SECOND, GUARD_OK);
    assert_int_equal(guard_connections(guard), 2);
    guard_destroy(guard);
}

static void test_new_settings_hold_at_once(void **state)
{
    struct guard *guard = make(0, 0, 0);
    struct guard_settings settings = {0, 2, 0};

    (void)state;
    for (int i = 0; i < 5; i++) {
        admit(guard, v4(1), START, GUARD_OK);
    }
    guard_set_settings(guard, &settings);
    admit(guard, v4(1), START, GUARD_TOO_MANY);
    for (int i = 0; i < 4; i++) {
        release(guard, v4(1));
    }
    admit(guard, v4(1), START, GUARD_OK);
    settings.total = 2;
    guard_set_settings(guard, &settings);
    admit(guard, v4(2), START, GUARD_FULL);
    guard_destroy(guard);
}

static void test_addresses_are_forgotten_once_their_bucket_is_full(void **state)
{
    struct guard *guard = make(0, 0, 60);

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        admit(guard, v4(i), START, GUARD_OK);
        release(guard, v4(i));
    }
    assert_int_equal(guard_addresses(guard), 1000);
    /* Each newcomer pushes two old ones out. */
    for (uint32_t i = 0; i < 500; i++) {
        admit(guard, v4(5000), START + SECOND + i * SECOND, GUARD_OK);
    }
    assert_int_equal(guard_addresses(guard), 1);
    guard_destroy(guard);
}

static void test_addresses_with_connections_are_never_forgotten(void **state)
{
    struct guard *guard = make(0, 1, 0);

    (void)state;
    admit(guard, v4(1), START, GUARD_OK);
    for (uint32_t i = 0; i < GUARD_ADDRESSES_MAX * 2; i++) {
        admit(guard, v4(1000 + i), START + 1, GUARD_OK);
        release(guard, v4(1000 + i));
    }
    admit(guard, v4(1), START + 1000 * SECOND, GUARD_TOO_MANY);
    guard_destroy(guard);
}

static void test_table_is_bounded_under_random_sources(void **state)
{
    struct guard *guard = make(0, 64, 1);

    (void)state;
    /* Nobody's bucket fills within this test: the longest idle ones must make room. */
    for (uint32_t i = 0; i < GUARD_ADDRESSES_MAX + 5000; i++) {
        admit(guard, v4(i), START + i, GUARD_OK);
        release(guard, v4(i));
        assert_in_range(guard_addresses(guard), 1, GUARD_ADDRESSES_MAX);
    }
    assert_int_equal(guard_addresses(guard), GUARD_ADDRESSES_MAX);
    admit(guard, v4(GUARD_ADDRESSES_MAX), START + SECOND, GUARD_TOO_FAST);
    admit(guard, v4(0), START + SECOND, GUARD_OK);
    guard_destroy(guard);
}

static void test_table_full_of_connected_addresses_refuses_newcomers(void **state)
{
    struct guard *guard = make(0, 64, 0);
    const struct guard_settings unlimited = {0, 0, 0};

    (void)state;
    for (uint32_t i = 0; i < GUARD_ADDRESSES_MAX; i++) {
        admit(guard, v4(i), START, GUARD_OK);
    }
    admit(guard, v4(GUARD_ADDRESSES_MAX), START, GUARD_FULL);
    admit(guard, v4(7), START, GUARD_OK);
    release(guard, v4(7));
    release(guard, v4(7));
    admit(guard, v4(GUARD_ADDRESSES_MAX), START, GUARD_OK);
    /* Without limits there is nothing to remember, so nobody is refused. */
    guard_set_settings(guard, &unlimited);
    admit(guard, v4(GUARD_ADDRESSES_MAX + 1), START, GUARD_OK);
    release(guard, v4(GUARD_ADDRESSES_MAX + 1));
    assert_int_equal(guard_connections(guard), GUARD_ADDRESSES_MAX);
    guard_destroy(guard);
}

/* Random operations against counts kept the plain way. */
static void test_counts_are_right_after_random_operations(void **state)
{
    enum { PEERS = 50, MOST = 5 };
    struct guard *guard = make(0, MOST, 0);
    uint32_t held[PEERS] = {0};
    size_t total = 0;
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        uint32_t who = (uint32_t)(random >> 33) % PEERS;
        if ((random >> 60) % 2 == 0) {
            admit(guard, v4(who), START + i, held[who] < MOST ? GUARD_OK : GUARD_TOO_MANY);
            total += held[who] < MOST;
            held[who] += held[who] < MOST;
        } else if (held[who] > 0) {
            release(guard, v4(who));
            held[who]--;
            total--;
        }
        assert_int_equal(guard_connections(guard), total);
    }
    guard_destroy(guard);
}

static void *connect_often(void *user)
{
    struct guard *guard = user;
    struct party_address peer = v4(1);
    uintptr_t admitted = 0;

    for (int i = 0; i < 10000; i++) {
        if (guard_admit(guard, &peer, START) == GUARD_OK) {
            admitted++;
            guard_release(guard, &peer);
        }
    }
    return (void *)admitted;
}

static void test_threads_share_one_guard(void **state)
{
    struct guard *guard = make(0, 4, 0);
    pthread_t threads[4];
    void *admitted = NULL;

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, connect_often, guard), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &admitted), 0);
        assert_int_equal((uintptr_t)admitted, 10000);
    }
    assert_int_equal(guard_connections(guard), 0);
    guard_destroy(guard);
}

/* ---- wrong passwords ---- */

static struct guard *make_with_tries(uint32_t tries)
{
    const struct guard_settings settings = {.password_tries = tries};

    return guard_create(&settings);
}

static int64_t wait_s(struct guard *guard, struct party_address peer, int64_t now_ns)
{
    return guard_password_wait_ns(guard, &peer, now_ns) / SECOND;
}

static void wrong(struct guard *guard, struct party_address peer, int64_t now_ns)
{
    guard_password_wrong(guard, &peer, now_ns);
}

static void test_wrong_passwords_have_an_address_wait_longer_and_longer(void **state)
{
    static const int waits[] = {0, 0, 15, 30, 60, 120, 240, 480, 600, 600};
    struct guard *guard = make_with_tries(3);
    int64_t now_ns = START;

    (void)state;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        assert_int_equal(wait_s(guard, v4(1), now_ns), 0);
        wrong(guard, v4(1), now_ns);
        assert_int_equal(wait_s(guard, v4(1), now_ns), waits[i]);
        assert_int_equal(wait_s(guard, v4(2), now_ns), 0);
        now_ns += waits[i] * SECOND;
    }
    guard_destroy(guard);
}

/* What is promised of brute force: 1000 guesses in a minute, and at most 13 are looked at. */
static void test_few_of_many_guesses_a_minute_are_looked_at(void **state)
{
    struct guard *guard = make_with_tries(10);
    int looked_at = 0;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now_ns = START + i * (60 * SECOND / 1000);
        if (wait_s(guard, v6("2001:db8::1"), now_ns) == 0) {
            looked_at++;
            wrong(guard, v6("2001:db8::ffff:1"), now_ns);
        }
    }
    assert_in_range(looked_at, 10, 13);
    guard_destroy(guard);
}

static void test_a_quiet_time_forgives_wrong_passwords(void **state)
{
    struct guard *guard = make_with_tries(2);

    (void)state;
    wrong(guard, v4(1), START);
    wrong(guard, v4(1), START);
    assert_int_equal(wait_s(guard, v4(1), START), 15);
    /* Not a moment before: the next one is the third. */
    wrong(guard, v4(1), START + (15 + GUARD_FORGIVE_S) * SECOND - 1);
    assert_int_equal(wait_s(guard, v4(1), START + (15 + GUARD_FORGIVE_S) * SECOND - 1), 30);
    int64_t later_ns = START + (15 + GUARD_FORGIVE_S + 30 + GUARD_FORGIVE_S) * SECOND;
    wrong(guard, v4(1), later_ns);
    assert_int_equal(wait_s(guard, v4(1), later_ns), 0);
    guard_destroy(guard);
}

static void test_wrong_passwords_outlive_the_connection(void **state)
{
    struct guard *guard = make_with_tries(1);

    (void)state;
    admit(guard, v4(1), START, GUARD_OK);
    wrong(guard, v4(1), START);
    release(guard, v4(1));
    /* Others come and go; what is idle and matters no more would be forgotten. */
    for (uint32_t i = 0; i < 10; i++) {
        admit(guard, v4(100 + i), START + SECOND, GUARD_OK);
        release(guard, v4(100 + i));
    }
    assert_int_equal(wait_s(guard, v4(1), START + SECOND), 14);
    int64_t later_ns = START + (15 + GUARD_FORGIVE_S) * SECOND;
    for (uint32_t i = 0; i < 10; i++) {
        admit(guard, v4(200 + i), later_ns, GUARD_OK);
    }
    assert_int_equal(guard_addresses(guard), 10);
    guard_destroy(guard);
}

static void test_wait_can_be_switched_off_and_unix_peers_have_none(void **state)
{
    const struct guard_settings off = {.password_tries = 0};
    struct guard *guard = make_with_tries(1);

    (void)state;
    wrong(guard, unix_peer(), START);
    assert_int_equal(wait_s(guard, unix_peer(), START), 0);
    wrong(guard, v4(1), START);
    assert_int_equal(wait_s(guard, v4(1), START), 15);
    guard_set_settings(guard, &off);
    assert_int_equal(wait_s(guard, v4(1), START), 0);
    wrong(guard, v4(1), START);
    assert_int_equal(wait_s(guard, v4(1), START), 0);
    guard_destroy(guard);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_address_holds_so_many_connections),
        cmocka_unit_test(test_v6_counts_by_64_bits_and_mapped_v4_as_v4),
        cmocka_unit_test(test_unix_peers_count_towards_the_total_only),
        cmocka_unit_test(test_rate_lets_a_burst_in_then_one_per_interval),
        cmocka_unit_test(test_a_refused_connection_costs_nothing),
        cmocka_unit_test(test_new_settings_hold_at_once),
        cmocka_unit_test(test_addresses_are_forgotten_once_their_bucket_is_full),
        cmocka_unit_test(test_addresses_with_connections_are_never_forgotten),
        cmocka_unit_test(test_table_is_bounded_under_random_sources),
        cmocka_unit_test(test_table_full_of_connected_addresses_refuses_newcomers),
        cmocka_unit_test(test_counts_are_right_after_random_operations),
        cmocka_unit_test(test_wrong_passwords_have_an_address_wait_longer_and_longer),
        cmocka_unit_test(test_few_of_many_guesses_a_minute_are_looked_at),
        cmocka_unit_test(test_a_quiet_time_forgives_wrong_passwords),
        cmocka_unit_test(test_wrong_passwords_outlive_the_connection),
        cmocka_unit_test(test_wait_can_be_switched_off_and_unix_peers_have_none),
        cmocka_unit_test(test_threads_share_one_guard),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
