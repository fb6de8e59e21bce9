/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>

#include "sock/connect_test_util.h"

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
