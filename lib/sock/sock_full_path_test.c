/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <partyline/datagram.h>
#include <partyline/sock.h>

#include "full_path.h"
#include "sock/sock_test_util.h"

/*
 * A peer whose path fills all of sun_path: wherever its address comes from, it is the one it was
 * bound to, and what comes from there can be answered.
 */

static struct party_sock *bound_socket(int type, const struct party_address *address)
{
    struct party_sock *sock = NULL;
    assert_result(party_sock_socket(AF_UNIX, type, 0, &sock), 0);
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    assert_result(party_sock_bind(sock, address), 0);
    return sock;
}

static void assert_is_peer(const struct party_address *address, const struct full_path *full)
{
    assert_int_equal(address->len, full->address.len);
    assert_true(party_address_equal(address, &full->address));
}

static void assert_answered(struct party_sock *server, const struct party_address *peer,
                            struct party_sock *client)
{
    char buf[4] = "";
    assert_result(party_sock_sendto(server, "pong", 4, 0, peer), 4);
    assert_result(party_sock_recv_into(client, buf, sizeof(buf), 0), 4);
    assert_memory_equal(buf, "pong", 4);
}

static void test_who_sends_packets_can_be_answered(void **state)
{
    (void)state;
    struct full_path full;
    full_path_make(&full);
    struct party_address unnamed = test_address("unix:auto");
    struct party_sock *server = bound_socket(SOCK_DGRAM, &unnamed);
    struct party_sock *client = bound_socket(SOCK_DGRAM, &full.address);
    struct party_address where;
    assert_result(party_sock_getsockname(server, &where), 0);
    for (int i = 0; i < 3; i++) {
        assert_result(party_sock_sendto(client, "ping", 4, 0, &where), 4);
    }

    char buf[4];
    struct party_address peer;
    assert_result(party_sock_recvfrom_into(server, buf, sizeof(buf), 0, &peer), 4);
    assert_is_peer(&peer, &full);
    assert_answered(server, &peer, client);

    struct iovec iov = {buf, sizeof(buf)};
    struct party_sock_message message = {.iov = &iov, .iov_count = 1};
    assert_result(party_sock_recvmsg_into(server, &message, 0), 4);
    assert_is_peer(&message.address, &full);
    assert_answered(server, &message.address, client);

    struct party_datagram datagram = {.data = buf, .cap = sizeof(buf)};
    assert_result(party_datagram_recv_batch(server, &datagram, 1), 1);
    assert_is_peer(&datagram.peer, &full);
    assert_answered(server, &datagram.peer, client);
    assert_result(party_datagram_send_batch(server, &datagram, 1), 1);
    assert_result(party_sock_recv_into(client, buf, sizeof(buf), 0), 4);

    party_sock_close(client);
    party_sock_close(server);
    full_path_remove(&full);
}

static void test_who_connects_has_the_address_it_was_bound_to(void **state)
{
    (void)state;
    struct full_path full;
    full_path_make(&full);
    struct party_address where;
    struct party_sock *server = test_server("unix:auto", NULL, &where);
    struct party_sock *client = bound_socket(SOCK_STREAM, &full.address);
    assert_result(party_sock_connect(client, &where), 0);

    struct party_sock *conn;
    struct party_address address;
    assert_result(party_sock_accept(server, &conn, &address), 0);
    assert_is_peer(&address, &full);
    assert_result(party_sock_getpeername(conn, &address), 0);
    assert_is_peer(&address, &full);
    assert_result(party_sock_getsockname(client, &address), 0);
    assert_is_peer(&address, &full);

    party_sock_close(conn);
    party_sock_close(client);
    party_sock_close(server);
    full_path_remove(&full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_sends_packets_can_be_answered),
        cmocka_unit_test(test_who_connects_has_the_address_it_was_bound_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
