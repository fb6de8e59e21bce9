/* SPDX-License-Identifier: MIT */
#include <partyline/connection.h>

#include <errno.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdlib.h>

#include "fail_malloc.h"
#include "sock/connect_test_util.h"

/*
 * getaddrinfo is wrapped at link time: it gives the addresses a test has listed, in that order, or
 * the failure it has set. A name is one that a resolver must be asked for, which a test can have
 * wait. pthread_create can be had to fail.
 */

#define LISTED_MAX 4

static struct {
    struct party_address addresses[LISTED_MAX];
    struct addrinfo infos[LISTED_MAX];
    size_t count;
    int failure;     /* EAI_*, 0: none */
    bool is_number;  /* no resolver is needed */
    bool is_waiting; /* the resolver answers when a test posts may_answer */
    sem_t may_answer;
    _Atomic int asked_count; /* of the resolver */
    _Atomic int freed_count;
    bool has_no_threads;
} listed;

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __real_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *ret_thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    return listed.has_no_threads ? EAGAIN : __real_pthread_create(ret_thread, attr, fn, arg);
}

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
void __wrap_freeaddrinfo(struct addrinfo *infos);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos)
{
    (void)host;
    (void)service;
    if ((hints->ai_flags & AI_NUMERICHOST) != 0 && !listed.is_number) {
        return EAI_NONAME;
    }
    atomic_fetch_add(&listed.asked_count, 1);
    if (listed.is_waiting) {
        while (sem_wait(&listed.may_answer) == -1) {
        }
    }
    if (listed.failure != 0) {
        return listed.failure;
    }
    for (size_t i = 0; i < listed.count; i++) {
        listed.infos[i] = (struct addrinfo){
            .ai_family = party_address_family(&listed.addresses[i]),
            .ai_socktype = hints->ai_socktype,
            .ai_addr = &listed.addresses[i].u.sa,
            .ai_addrlen = listed.addresses[i].len,
            .ai_next = i + 1 < listed.count ? &listed.infos[i + 1] : NULL,
        };
    }
    *ret_infos = listed.count > 0 ? &listed.infos[0] : NULL;
    return 0;
}

void __wrap_freeaddrinfo(struct addrinfo *infos)
{
    (void)infos;
    atomic_fetch_add(&listed.freed_count, 1);
}

static void list_addresses(const struct party_address *addresses, size_t count)
{
    listed.failure = 0;
    listed.is_number = false;
    listed.is_waiting = false;
    listed.has_no_threads = false;
    listed.count = count;
    for (size_t i = 0; i < count; i++) {
        listed.addresses[i] = addresses[i];
    }
}

static int connect_by_name(int64_t timeout_ms, struct party_sock **ret_sock)
{
    return party_sock_create_connection("host.test", "60000", timeout_ms, ret_sock);
}

static void test_create_connection_keeps_the_timeout(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    list_addresses(&address, 1);
    for (size_t t = 0; t < 2; t++) {
        struct party_sock *sock;
        struct party_sock *conn;
        assert_result(connect_by_name(timeouts_ms[t], &sock), 0);
        assert_true(party_sock_gettimeout(sock) == timeouts_ms[t]);
        assert_int_equal(test_is_nonblocking(party_sock_fileno(sock)), timeouts_ms[t] != -1);
        assert_true(test_is_cloexec(party_sock_fileno(sock)));
        assert_result(party_sock_accept(server, &conn, NULL), 0);
        test_assert_connected(sock, conn);
        party_sock_close(conn);
        party_sock_close(sock);
    }
    party_sock_close(server);
}

static void test_create_connection_goes_on_to_the_address_that_answers(void **state)
{
    (void)state;
    struct party_address addresses[3];
    struct party_sock *holder = hold_port("[::1]:0", &addresses[0]);
    /* A family the system does not have is one more address that does not answer. */
    addresses[1] = addresses[0];
    addresses[1].u.sa.sa_family = 12345;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &addresses[2]);
    list_addresses(addresses, 3);
    size_t fds_before = fail_malloc_open_fds();
    struct party_sock *sock;
    assert_result(connect_by_name(TEST_LONG_MS, &sock), 0);
    struct party_address peer;
    assert_result(party_sock_getpeername(sock, &peer), 0);
    assert_true(party_address_equal(&peer, &addresses[2]));
    party_sock_close(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    party_sock_close(server);
    party_sock_close(holder);
}

static void test_create_connection_tells_the_last_error(void **state)
{
    (void)state;
    struct party_address addresses[2];
    struct party_sock *holder = hold_port("127.0.0.1:0", &addresses[1]);
    addresses[0] = addresses[1];
    addresses[0].u.sa.sa_family = 12345;
    struct party_sock *sock = NULL;
    size_t fds_before = fail_malloc_open_fds();
    list_addresses(addresses, 2);
    assert_result(connect_by_name(TEST_LONG_MS, &sock), -ECONNREFUSED);
    assert_null(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    party_sock_close(holder);
}

static void test_create_connection_leaves_time_for_later_addresses(void **state)
{
    (void)state;
    struct full_server full = fill_server("127.0.0.1:0");
    struct party_address addresses[2];
    addresses[0] = full.address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &addresses[1]);
    list_addresses(addresses, 2);
    size_t fds_before = fail_malloc_open_fds();
    struct party_connection_options options = {.delay_ms = PARTY_CONNECTION_DELAY_MIN_MS};
    struct party_sock *sock;
    assert_result(
        party_sock_create_connection_with("host.test", "1", TEST_LONG_MS, &options, &sock), 0);
    struct party_address peer;
    assert_result(party_sock_getpeername(sock, &peer), 0);
    assert_true(party_address_equal(&peer, &addresses[1]));
    party_sock_close(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    party_sock_close(server);
    close_full_server(&full);
}

static void test_create_connection_times_out(void **state)
{
    (void)state;
    struct full_server full = fill_server("127.0.0.1:0");
    struct party_address addresses[2] = {full.address, full.address};
    struct party_sock *sock = NULL;
    size_t fds_before = fail_malloc_open_fds();
    list_addresses(addresses, 2);
    assert_result(connect_by_name(40, &sock), PARTY_ETIMEOUT);
    listed.is_number = true;
    assert_result(connect_by_name(0, &sock), -EINPROGRESS);
    assert_null(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    close_full_server(&full);
}

static void test_create_connection_tells_each_failure(void **state)
{
    (void)state;
    struct party_address addresses[2];
    struct party_sock *holder = hold_port("127.0.0.1:0", &addresses[0]);
    addresses[1] = test_address("[::1]:0");
    party_address_set_port(&addresses[1], party_address_port(&addresses[0]));
    struct party_address source = test_address("127.0.0.1:0");
    struct party_connection_failures failures;
    struct party_connection_options options = {.source = &source, .ret_failures = &failures};
    struct party_sock *sock = NULL;
    list_addresses(addresses, 2);
    assert_result(party_sock_create_connection_with("host.test", "1", -1, &options, &sock),
                  -EAFNOSUPPORT);
    assert_null(sock);
    char text[256];
    char wanted[256];
    unsigned port = party_address_port(&addresses[0]);
    (void)snprintf(wanted, sizeof(wanted), "127.0.0.1:%u: %s; [::1]:%u: %s", port,
                   party_strerror(-ECONNREFUSED), port, party_strerror(-EAFNOSUPPORT));
    assert_string_equal(party_connection_failures_format(&failures, text, sizeof(text)), wanted);
    /* Cut where the room ends, and never beyond. */
    for (size_t cap = 1; cap <= strlen(wanted); cap++) {
        memset(text, 'x', sizeof(text));
        party_connection_failures_format(&failures, text, cap);
        assert_int_equal(strlen(text), cap - 1);
        assert_memory_equal(text, wanted, cap - 1);
        assert_int_equal(text[cap], 'x');
    }
    party_connection_failures_finish(&failures);
    party_connection_failures_finish(NULL);
    assert_string_equal(party_connection_failures_format(&failures, text, sizeof(text)), "");
    party_sock_close(holder);
}

static void test_create_connection_comes_from_the_source_address(void **state)
{
    (void)state;
    struct party_address address;
    struct party_address source = test_address("127.0.0.9:0");
    struct party_address peer;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct party_connection_options options = {.source = &source};
    struct party_sock *sock;
    struct party_sock *conn;
    list_addresses(&address, 1);
    assert_result(party_sock_create_connection_with("host.test", "1", -1, &options, &sock), 0);
    assert_result(party_sock_accept(server, &conn, &peer), 0);
    party_address_set_port(&peer, 0);
    assert_true(party_address_equal(&peer, &source));
    party_sock_close(conn);
    party_sock_close(sock);
    source = test_address("192.0.2.77:0");
    assert_result(party_sock_create_connection_with("host.test", "1", -1, &options, &sock),
                  -EADDRNOTAVAIL);
    party_sock_close(server);
}

/* Waits until the thread of an abandoned look-up has freed all it had. */
static void await_allocations(size_t count)
{
    while (fail_malloc_outstanding() != count) {
        (void)sched_yield();
    }
}

static void test_a_look_up_that_takes_too_long_is_left_to_itself(void **state)
{
    (void)state;
    static const int failures[] = {0, EAI_AGAIN};
    struct party_address address = test_address("127.0.0.1:1");
    for (size_t i = 0; i < 2; i++) {
        struct party_sock *sock = NULL;
        size_t allocations_before = fail_malloc_outstanding();
        list_addresses(&address, 1);
        assert_int_equal(sem_init(&listed.may_answer, 0, 0), 0);
        listed.is_waiting = true;
        listed.failure = failures[i];
        assert_result(connect_by_name(20, &sock), PARTY_ETIMEOUT);
        assert_null(sock);
        assert_int_equal(sem_post(&listed.may_answer), 0);
        await_allocations(allocations_before);
        assert_int_equal(sem_destroy(&listed.may_answer), 0);
    }
}

static void test_a_look_up_without_a_thread_is_made_all_the_same(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct party_sock *sock;
    list_addresses(&address, 1);
    listed.has_no_threads = true;
    assert_result(connect_by_name(TEST_LONG_MS, &sock), 0);
    listed.has_no_threads = false;
    party_sock_close(sock);
    party_sock_close(server);
}

static void test_no_time_asks_no_resolver(void **state)
{
    (void)state;
    struct party_address address = test_address("127.0.0.1:1");
    struct party_sock *sock = NULL;
    list_addresses(&address, 1);
    int asked_before = atomic_load(&listed.asked_count);
    assert_result(connect_by_name(0, &sock), -EINPROGRESS);
    assert_int_equal(atomic_load(&listed.asked_count), asked_before);
    assert_null(sock);
}

static void test_create_connection_tells_why_the_look_up_failed(void **state)
{
    (void)state;
    struct party_sock *sock = NULL;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    for (size_t t = 0; t < 2; t++) {
        list_addresses(NULL, 0);
        listed.failure = EAI_AGAIN;
        assert_result(connect_by_name(timeouts_ms[t], &sock), PARTY_EGAI_AGAIN);
    }
    list_addresses(NULL, 0);
    assert_result(connect_by_name(-1, &sock), PARTY_EGAI_NODATA);
    assert_result(connect_by_name(-2, &sock), -EINVAL);
    assert_null(sock);
}

static int connect_and_accept(void *user)
{
    struct party_sock *server = user;
    struct party_sock *sock;
    struct party_sock *conn;
    struct party_connection_failures failures;
    struct party_connection_options options = {.ret_failures = &failures};
    int r = party_sock_create_connection_with("host.test", "1", TEST_LONG_MS, &options, &sock);
    party_connection_failures_finish(&failures);
    if (r < 0) {
        return r;
    }
    r = party_sock_accept(server, &conn, NULL);
    if (r == 0) {
        party_sock_close(conn);
    }
    party_sock_close(sock);
    return r;
}

static void test_create_connection_survives_no_memory(void **state)
{
    (void)state;
    struct party_address addresses[2];
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &addresses[0]);
    addresses[1] = addresses[0];
    list_addresses(addresses, 2);
    assert_survives_malloc_failure(connect_and_accept, server);
    party_sock_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create_connection_keeps_the_timeout),
        cmocka_unit_test(test_create_connection_goes_on_to_the_address_that_answers),
        cmocka_unit_test(test_create_connection_tells_the_last_error),
        cmocka_unit_test(test_create_connection_leaves_time_for_later_addresses),
        cmocka_unit_test(test_create_connection_times_out),
        cmocka_unit_test(test_create_connection_tells_each_failure),
        cmocka_unit_test(test_create_connection_comes_from_the_source_address),
        cmocka_unit_test(test_a_look_up_that_takes_too_long_is_left_to_itself),
        cmocka_unit_test(test_a_look_up_without_a_thread_is_made_all_the_same),
        cmocka_unit_test(test_no_time_asks_no_resolver),
        cmocka_unit_test(test_create_connection_tells_why_the_look_up_failed),
        cmocka_unit_test(test_create_connection_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
