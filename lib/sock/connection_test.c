/* SPDX-License-Identifier: MIT */
#include <partyline/connection.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "fail_malloc.h"
#include "sock/connect_test_util.h"

/*
 * getaddrinfo is wrapped at link time for the tests of create_connection: it gives the addresses a
 * test has listed, in that order, or the failure it has set.
 */

#define LISTED_MAX 4

static struct {
    struct party_address addresses[LISTED_MAX];
    struct addrinfo infos[LISTED_MAX];
    size_t count;
    int failure; /* EAI_*, 0: none */
} listed;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
void __wrap_freeaddrinfo(struct addrinfo *infos);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos)
{
    (void)host;
    (void)service;
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
}

static void list_addresses(const struct party_address *addresses, size_t count)
{
    listed.failure = 0;
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
    struct party_sock *sock;
    assert_result(connect_by_name(200, &sock), 0);
    struct party_address peer;
    assert_result(party_sock_getpeername(sock, &peer), 0);
    assert_true(party_address_equal(&peer, &addresses[1]));
    party_sock_close(sock);
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
    assert_result(connect_by_name(0, &sock), -EINPROGRESS);
    assert_null(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
    close_full_server(&full);
}

static void test_create_connection_tells_why_the_look_up_failed(void **state)
{
    (void)state;
    struct party_sock *sock = NULL;
    listed.failure = EAI_AGAIN;
    assert_result(connect_by_name(-1, &sock), PARTY_EGAI_AGAIN);
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
    int r = connect_by_name(TEST_LONG_MS, &sock);
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
    /* Two addresses: without memory for the first, the second must not be tried. */
    list_addresses(addresses, 2);
    assert_int_equal(assert_survives_malloc_failure(connect_and_accept, server), 3);
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
        cmocka_unit_test(test_create_connection_tells_why_the_look_up_failed),
        cmocka_unit_test(test_create_connection_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
