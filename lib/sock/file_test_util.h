/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_FILE_TEST_UTIL_H
#define PARTYLINE_SOCK_FILE_TEST_UTIL_H

#include <stdio.h>
#include <string.h>

#include <partyline/file.h>

#include "sock/sock_test_util.h"

/* What the tests of streams over sockets share. */

/* A time-out that is meant to run out. */
#define TEST_SHORT_MS 1

/* A connection: peer is the other end, file a stream over sock. */
struct test_connection {
    struct party_sock *sock;
    struct party_sock *peer;
    FILE *file;
};

static inline struct test_connection test_file(const char *mode)
{
    struct test_connection c;
    test_pair(SOCK_STREAM, &c.sock, &c.peer);
    assert_result(party_sock_settimeout(c.peer, TEST_LONG_MS), 0);
    assert_result(party_sock_settimeout(c.sock, TEST_LONG_MS), 0);
    assert_result(party_file_makefile(c.sock, mode, &c.file), 0);
    return c;
}

static inline void test_file_end(struct test_connection *c)
{
    assert_int_equal(fclose(c->file), 0);
    party_sock_close(c->sock);
    party_sock_close(c->peer);
}

static inline void test_peer_says(struct test_connection *c, const char *text)
{
    assert_result(party_sock_sendall(c->peer, text, strlen(text), 0), 0);
}

#define assert_peer_hears(c, text)                                                                 \
    do {                                                                                           \
        char heard_[64] = "";                                                                      \
        test_recv_exactly((c)->peer, heard_, strlen(text));                                        \
        assert_string_equal(heard_, (text));                                                       \
    } while (0)

static inline void test_set_timeout(struct test_connection *c, int64_t timeout_ms)
{
    assert_result(party_sock_settimeout(c->sock, timeout_ms), 0);
}

#endif
