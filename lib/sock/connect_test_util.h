/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_CONNECT_TEST_UTIL_H
#define PARTYLINE_CONNECT_TEST_UTIL_H

#include "sock/sock_test_util.h"

/* Addresses that refuse and addresses that never answer. */

/* An address where nobody listens, for sure: the returned socket holds the port. */
static inline struct party_sock *hold_port(const char *text, struct party_address *ret_address)
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

static inline struct full_server fill_server(const char *text)
{
    struct full_server full;
    full.server = hold_port(text, &full.address);
    assert_result(party_sock_listen(full.server, 0), 0);
    full.filler = test_client(&full.address);
    test_wait_readable(full.server);
    return full;
}

static inline void close_full_server(struct full_server *full)
{
    party_sock_close(full->server);
    party_sock_close(full->filler);
}

#endif
