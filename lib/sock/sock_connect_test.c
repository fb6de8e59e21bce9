/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

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

/* An address where nobody listens, for sure: the returned socket holds the port. */
static struct party_sock *hold_port(const char *text, struct party_address *ret_address)
{
    struct party_address address = test_address(text);
    struct party_sock *sock;
    assert_result(party_sock_socket(party_address_family(&address), SOCK_STREAM, 0, &sock), 0);
    assert_result(party_sock_bind(sock, &address), 0);
    assert_result(party_sock_getsockname(sock, ret_address), 0);
    return sock;
}

/* A server that answers nobody any more: its backlog of one is full. */
struct full_server {
    struct party_sock *server;
    struct party_sock *filler;
    struct party_address address;
};

static struct full_server fill_server(const char *text)
{
    struct full_server full;
    full.server = hold_port(text, &full.address);
    assert_result(party_sock_listen(full.server, 0), 0);
    full.filler = test_client(&full.address);
    test_wait_readable(full.server);
    return full;
}

static void close_full_server(struct full_server *full)
{
    party_sock_close(full->server);
    party_sock_close(full->filler);
}

static struct party_sock *new_socket(int family, int64_t timeout_ms)
{
    struct party_sock *sock;
    assert_result(party_sock_socket(family, SOCK_STREAM, 0, &sock), 0);
    assert_result(party_sock_settimeout(sock, timeout_ms), 0);
    return sock;
}

static int call_connect(struct test_call *call)
{
    return party_sock_connect(call->sock, &call->address);
}

static void test_connect_reaches_the_server_with_and_without_timeout(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:0", "[::1]:0", "unix:auto"};
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    for (size_t i = 0; i < 3; i++) {
        struct party_address address;
        struct party_sock *server = test_server(texts[i], NULL, &address);
        for (size_t t = 0; t < 2; t++) {
            struct party_sock *sock = new_socket(party_address_family(&address), timeouts_ms[t]);
            struct party_sock *conn;
            assert_result(party_sock_connect(sock, &address), 0);
            assert_result(party_sock_accept(server, &conn, NULL), 0);
            test_assert_connected(sock, conn);
            party_sock_close(conn);
            party_sock_close(sock);
        }
        party_sock_close(server);
    }
}

static void test_connect_is_refused_where_nobody_listens(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    struct party_address address;
    struct party_sock *holder = hold_port("127.0.0.1:0", &address);
    for (size_t t = 0; t < 2; t++) {
        struct party_sock *sock = new_socket(AF_INET, timeouts_ms[t]);
        assert_result(party_sock_connect(sock, &address), -ECONNREFUSED);
        party_sock_close(sock);
    }
    party_sock_close(holder);
}

static void test_connect_without_an_answer_times_out(void **state)
{
    (void)state;
    struct full_server full = fill_server("127.0.0.1:0");
    struct party_sock *sock = new_socket(AF_INET, 20);
    assert_result(party_sock_connect(sock, &full.address), PARTY_ETIMEOUT);
    party_sock_close(sock);
    sock = new_socket(AF_INET, 0);
    assert_result(party_sock_connect(sock, &full.address), -EINPROGRESS);
    assert_result(party_sock_connect(sock, &full.address), -EALREADY);
    party_sock_close(sock);
    close_full_server(&full);
}

/* The kernel sends the first packet again after a second: by then there is room. */
static void assert_interrupted_connect_succeeds(const char *text, int64_t timeout_ms)
{
    struct full_server full = fill_server(text);
    struct test_call call = {.fn = call_connect, .address = full.address};
    call.sock = new_socket(party_address_family(&full.address), timeout_ms);
    test_call_start(&call);
    test_call_interrupt(&call, 3);

    struct party_sock *first;
    struct party_sock *second;
    assert_result(party_sock_accept(full.server, &first, NULL), 0);
    assert_result(test_call_join(&call), 0);
    assert_result(party_sock_accept(full.server, &second, NULL), 0);
    test_assert_connected(call.sock, second);
    party_sock_close(second);
    party_sock_close(first);
    party_sock_close(call.sock);
    close_full_server(&full);
}

static void test_interrupted_connect_goes_on(void **state)
{
    (void)state;
    assert_interrupted_connect_succeeds("127.0.0.1:0", -1);
}

static void test_interrupted_connect_with_timeout_goes_on(void **state)
{
    (void)state;
    assert_interrupted_connect_succeeds("127.0.0.1:0", TEST_LONG_MS);
}

static void test_interrupted_unix_connect_goes_on(void **state)
{
    (void)state;
    assert_interrupted_connect_succeeds("unix:auto", -1);
}

static void test_connect_learns_later_that_it_was_refused(void **state)
{
    (void)state;
    struct full_server full = fill_server("127.0.0.1:0");
    struct test_call call = {.fn = call_connect, .address = full.address};
    call.sock = new_socket(AF_INET, TEST_LONG_MS);
    test_call_start(&call);
    test_call_interrupt(&call, 1);
    close_full_server(&full);
    assert_result(test_call_join(&call), -ECONNREFUSED);
    party_sock_close(call.sock);
}

static void test_full_unix_listener_is_eagain_with_a_timeout(void **state)
{
    (void)state;
    struct full_server full = fill_server("unix:auto");
    struct party_sock *sock = new_socket(AF_UNIX, TEST_LONG_MS);
    assert_result(party_sock_connect(sock, &full.address), -EAGAIN);
    party_sock_close(sock);
    close_full_server(&full);
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
        cmocka_unit_test(test_connect_reaches_the_server_with_and_without_timeout),
        cmocka_unit_test(test_connect_is_refused_where_nobody_listens),
        cmocka_unit_test(test_connect_without_an_answer_times_out),
        cmocka_unit_test(test_interrupted_connect_goes_on),
        cmocka_unit_test(test_interrupted_connect_with_timeout_goes_on),
        cmocka_unit_test(test_interrupted_unix_connect_goes_on),
        cmocka_unit_test(test_connect_learns_later_that_it_was_refused),
        cmocka_unit_test(test_full_unix_listener_is_eagain_with_a_timeout),
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
