/* SPDX-License-Identifier: MIT */
#include <partyline/datagram.h>

#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/sock_test_util.h"

/* What comes beside a datagram's bytes: asked for by others, or sent by a peer unasked. */

#define DESCRIPTORS 8

static size_t count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    size_t count = 0;
    while (readdir(dir) != NULL) {
        count++;
    }
    assert_int_equal(closedir(dir), 0);
    return count;
}

static void send_with_descriptors(int to)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(DESCRIPTORS * sizeof(int))];
    } control = {0};
    char text[] = "take these";
    struct iovec iov = {.iov_base = text, .iov_len = sizeof(text)};
    struct msghdr header = {.msg_iov = &iov,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    struct cmsghdr *cmsg = CMSG_FIRSTHDR(&header);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SCM_RIGHTS;
    cmsg->cmsg_len = CMSG_LEN(DESCRIPTORS * sizeof(int));
    int fds[DESCRIPTORS];
    for (size_t i = 0; i < DESCRIPTORS; i++) {
        fds[i] = STDERR_FILENO;
    }
    memcpy(CMSG_DATA(cmsg), fds, sizeof(fds));
    assert_int_equal(sendmsg(to, &header, 0), sizeof(text));
}

/* A peer could else use up all that the process may open. */
static void test_descriptors_that_a_peer_sends_are_let_go_of(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
    struct party_sock *sock;
    assert_result(party_sock_adopt(fds[0], -1, -1, -1, &sock), 0);
    send_with_descriptors(fds[1]);
    send_with_descriptors(fds[1]);
    size_t before = count_descriptors();
    char room[2][32];
    struct party_datagram datagrams[2] = {{.data = room[0], .cap = sizeof(room[0])},
                                          {.data = room[1], .cap = sizeof(room[1])}};
    assert_result(party_datagram_recv_batch(sock, datagrams, 2), 2);
    assert_string_equal(room[1], "take these");
    assert_int_equal(count_descriptors(), before);
    assert_int_equal(close(fds[1]), 0);
    party_sock_close(sock);
}

static struct party_sock *udp_server(struct party_address *ret_address)
{
    struct party_address any = test_address("127.0.0.1:0");
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock), 0);
    assert_result(party_sock_settimeout(sock, TEST_LONG_MS), 0);
    assert_result(party_sock_bind(sock, &any), 0);
    assert_result(party_sock_getsockname(sock, ret_address), 0);
    return sock;
}

/* The kernel gives these first, and leaves out what then finds no room. */
static void test_what_else_was_asked_for_takes_no_room_from_ours(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = udp_server(&address);
    int all = 0x7f | (1 << 9); /* SOF_TIMESTAMPING_: every source of a time, and OPT_PKTINFO */
    assert_result(party_sock_setsockopt(server, SOL_SOCKET, SO_TIMESTAMPNS, 1), 0);
    assert_result(party_sock_setsockopt(server, SOL_SOCKET, SO_TIMESTAMPING, all & ~0x47), 0);
    assert_result(party_sock_setsockopt(server, SOL_SOCKET, SO_RXQ_OVFL, 1), 0);
    assert_result(party_sock_setsockopt(server, IPPROTO_IP, IP_RECVTTL, 1), 0);
    assert_result(party_sock_setsockopt(server, IPPROTO_IP, IP_RECVTOS, 1), 0);
    int have = party_datagram_enable(server, PARTY_DATAGRAM_LOCAL | PARTY_DATAGRAM_GRO);
    assert_true(have >= 0);
    struct party_sock *client;
    assert_result(party_sock_socket(AF_INET, SOCK_DGRAM, 0, &client), 0);
    char bytes[] = "one,two,thr,four";
    struct party_datagram out = {.data = bytes, .len = 16, .segment_len = 4, .peer = address};
    assert_result(party_datagram_send_batch(client, &out, 1), 1);
    size_t got = 0;
    while (got < 4) {
        static char room[PARTY_DATAGRAM_ROOM_BYTES];
        struct party_datagram in = {.data = room, .cap = sizeof(room)};
        assert_result(party_datagram_recv_batch(server, &in, 1), 1);
        assert_int_equal(party_address_family(&in.local), AF_INET);
        assert_int_equal(in.local.u.in.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
        size_t cursor = 0;
        const void *data;
        size_t len;
        while (party_datagram_next(&in, &cursor, &data, &len)) {
            assert_int_equal(len, 4);
            assert_memory_equal(data, bytes + got * 4, 4);
            got++;
        }
    }
    party_sock_close(client);
    party_sock_close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors_that_a_peer_sends_are_let_go_of),
        cmocka_unit_test(test_what_else_was_asked_for_takes_no_room_from_ours),
    };
    return cmocka_run_group_tests_name("datagram_control", tests, NULL, NULL);
}
