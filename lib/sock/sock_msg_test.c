/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <stdlib.h>

#include <partyline/address_family.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

static struct party_sock *udp_at_loopback(struct party_address *ret_address)
{
    struct party_sock *sock;
    struct party_address address = test_address("127.0.0.1:0");
    assert_result(party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock), 0);
    assert_result(party_sock_bind(sock, &address), 0);
    assert_result(party_sock_getsockname(sock, ret_address), 0);
    return sock;
}

static void test_datagrams_come_with_their_sender(void **state)
{
    (void)state;
    struct party_address at_a;
    struct party_address at_b;
    struct party_address peer;
    struct party_sock *a = udp_at_loopback(&at_a);
    struct party_sock *b = udp_at_loopback(&at_b);
    char buf[16];
    assert_int_equal(party_sock_sendto(a, "ping", 4, 0, &at_b), 4);
    assert_int_equal(party_sock_recvfrom(b, buf, sizeof(buf), 0, &peer), 4);
    assert_memory_equal(buf, "ping", 4);
    assert_true(party_address_equal(&peer, &at_a));
    /* Too long for the buffer: the rest is lost, MSG_TRUNC tells how long it was. */
    assert_int_equal(party_sock_sendto(a, "0123456789", 10, 0, &at_b), 10);
    assert_int_equal(party_sock_recvfrom(b, buf, 4, MSG_TRUNC, &peer), 10);
    /* Empty ones are datagrams, too. */
    assert_int_equal(party_sock_sendto(a, "", 0, 0, &at_b), 0);
    assert_int_equal(party_sock_recvfrom_into(b, buf, sizeof(buf), 0, NULL), 0);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_recvfrom_of_no_bytes_takes_a_datagram(void **state)
{
    (void)state;
    struct party_address at;
    struct party_address peer;
    struct party_sock *sock = udp_at_loopback(&at);
    char buf[4];
    assert_int_equal(party_sock_sendto(sock, "one", 3, 0, &at), 3);
    assert_int_equal(party_sock_sendto(sock, "two", 3, 0, &at), 3);
    assert_int_equal(party_sock_recvfrom(sock, NULL, 0, 0, &peer), 0);
    assert_true(party_address_equal(&peer, &at));
    assert_int_equal(party_sock_recv(sock, buf, sizeof(buf), 0), 3);
    assert_memory_equal(buf, "two", 3);
    party_sock_close(sock);
}

static void test_stream_does_not_tell_who_sent(void **state)
{
    (void)state;
    struct party_address at;
    struct party_address peer = {.len = 9};
    struct party_sock *conn;
    char c;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &at);
    struct party_sock *client = test_client(&at);
    assert_result(party_sock_accept(server, &conn, NULL), 0);
    assert_int_equal(party_sock_sendto(client, "x", 1, 0, &at), 1);
    assert_int_equal(party_sock_recvfrom(conn, &c, 1, 0, &peer), 1);
    assert_int_equal(party_address_family(&peer), AF_UNSPEC);
    struct iovec iov = {&c, 1};
    struct party_sock_message message = {.iov = &iov, .iov_count = 1};
    message.address.len = 9;
    assert_int_equal(party_sock_send(client, "y", 1, 0), 1);
    assert_int_equal(party_sock_recvmsg(conn, &message, 0), 1);
    assert_int_equal(party_address_family(&message.address), AF_UNSPEC);
    party_sock_close(client);
    party_sock_close(conn);
    party_sock_close(server);
}

static void test_message_is_spread_over_its_buffers(void **state)
{
    (void)state;
    struct party_address at_a;
    struct party_address at_b;
    struct party_sock *a = udp_at_loopback(&at_a);
    struct party_sock *b = udp_at_loopback(&at_b);
    struct iovec out[3] = {{(char[]){"abc"}, 3}, {NULL, 0}, {(char[]){"defg"}, 4}};
    struct party_sock_message sent = {.iov = out, .iov_count = 3, .address = at_b};
    assert_int_equal(party_sock_sendmsg(a, &sent, 0), 7);
    char first[2];
    char second[3];
    struct iovec in[2] = {{first, 2}, {second, 3}};
    struct party_sock_message got = {.iov = in, .iov_count = 2};
    assert_int_equal(party_sock_recvmsg_into(b, &got, 0), 5);
    assert_memory_equal(first, "ab", 2);
    assert_memory_equal(second, "cde", 3);
    assert_int_equal(got.flags, MSG_TRUNC);
    assert_true(party_address_equal(&got.address, &at_a));
    party_sock_close(a);
    party_sock_close(b);
}

static void test_sendmsg_takes_no_more_than_iov_max(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    static struct iovec iov[IOV_MAX + 1];
    static char bytes[IOV_MAX + 1];
    for (size_t i = 0; i <= IOV_MAX; i++) {
        bytes[i] = (char)i;
        iov[i] = (struct iovec){&bytes[i], 1};
    }
    test_pair(SOCK_STREAM, &a, &b);
    struct party_sock_message message = {.iov = iov, .iov_count = IOV_MAX + 1};
    assert_int_equal(party_sock_sendmsg(a, &message, 0), -EMSGSIZE);
    assert_int_equal(party_sock_recvmsg(b, &message, 0), -EMSGSIZE);
    message.iov_count = IOV_MAX;
    assert_int_equal(party_sock_sendmsg(a, &message, 0), IOV_MAX);
    char got[IOV_MAX];
    test_recv_exactly(b, got, sizeof(got));
    assert_memory_equal(got, bytes, sizeof(got));
    party_sock_close(a);
    party_sock_close(b);
}

static void test_message_of_nothing_is_pythons(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_SEQPACKET, &a, &b);
    struct party_sock_message nothing = {0};
    assert_int_equal(party_sock_sendmsg(a, &nothing, 0), 0);
    assert_int_equal(party_sock_recvmsg(b, &nothing, 0), 0);
    /* A packet that nobody has room for is gone all the same. */
    assert_int_equal(party_sock_send(a, "lost", 4, 0), 4);
    assert_int_equal(party_sock_recvmsg(b, &nothing, 0), 0);
    assert_int_equal(nothing.flags & MSG_TRUNC, MSG_TRUNC);
    assert_result(party_sock_settimeout(b, 0), 0);
    assert_int_equal(party_sock_recvmsg(b, &nothing, 0), -EAGAIN);
    party_sock_close(a);
    party_sock_close(b);
}

/* Sends descriptors as control messages and lets room bytes of them in. */
static void check_truncation(size_t room, size_t wanted_fds, bool is_cut)
{
    struct party_sock *a;
    struct party_sock *b;
    size_t fds_before = fail_malloc_open_fds();
    test_pair(SOCK_STREAM, &a, &b);
    int sent[2] = {party_sock_fileno(a), party_sock_fileno(b)};
    struct party_sock_fds out = {.fds = sent, .count = 2};
    assert_int_equal(party_sock_send_fds(a, "x", 1, 0, &out), 1);

    char c;
    char control[128];
    struct iovec iov = {&c, 1};
    struct party_sock_message message = {
        .iov = &iov, .iov_count = 1, .control = control, .control_len = room};
    assert_int_equal(party_sock_recvmsg(b, &message, 0), 1);
    assert_int_equal(message.flags, is_cut ? MSG_CTRUNC : 0);
    assert_true(message.control_len <= room);
    size_t cursor = 0;
    size_t count = 0;
    struct party_sock_cmsg cmsg;
    while (party_sock_cmsg_next(&message, &cursor, &cmsg) > 0) {
        assert_int_equal(cmsg.level, SOL_SOCKET);
        assert_int_equal(cmsg.type, SCM_RIGHTS);
        for (size_t at = 0; at + sizeof(int) <= cmsg.len; at += sizeof(int)) {
            int fd;
            memcpy(&fd, (const char *)cmsg.data + at, sizeof(fd));
            assert_true(test_is_cloexec(fd));
            close(fd);
            count++;
        }
    }
    assert_int_equal(count, wanted_fds);
    party_sock_close(a);
    party_sock_close(b);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
}

static void test_control_messages_are_cut_to_their_room(void **state)
{
    (void)state;
    check_truncation(CMSG_SPACE(2 * sizeof(int)), 2, false);
    check_truncation(CMSG_LEN(2 * sizeof(int)), 2, false);
    check_truncation(CMSG_LEN(2 * sizeof(int)) - 1, 1, true);
    check_truncation(CMSG_LEN(sizeof(int)), 1, true);
    check_truncation(CMSG_LEN(sizeof(int)) - 1, 0, true);
    check_truncation(CMSG_LEN(0), 0, true);
    check_truncation(CMSG_LEN(0) - 1, 0, true);
    check_truncation(1, 0, true);
    check_truncation(0, 0, true);
}

static void test_close_on_exec_flag_comes_back_only_to_who_gave_it(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char c;
    struct iovec iov = {&c, 1};
    struct party_sock_message message = {.iov = &iov, .iov_count = 1};
    test_pair(SOCK_DGRAM, &a, &b);
    assert_int_equal(party_sock_send(a, "xy", 2, 0), 2);
    assert_int_equal(party_sock_recvmsg(b, &message, MSG_PEEK), 1);
    assert_int_equal(message.flags, MSG_TRUNC);
    assert_int_equal(party_sock_recvmsg(b, &message, MSG_CMSG_CLOEXEC), 1);
    assert_int_equal(message.flags, MSG_TRUNC | MSG_CMSG_CLOEXEC);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_credentials_of_the_sender_can_be_asked_for(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    char c;
    char control[64];
    struct iovec iov = {&c, 1};
    struct party_sock_message message = {
        .iov = &iov, .iov_count = 1, .control = control, .control_len = sizeof(control)};
    struct party_sock_cmsg cmsg;
    size_t cursor = 0;
    test_pair(SOCK_DGRAM, &a, &b);
    assert_result(party_sock_setsockopt(b, SOL_SOCKET, SO_PASSCRED, 1), 0);
    assert_int_equal(party_sock_send(a, "x", 1, 0), 1);
    assert_int_equal(party_sock_recvmsg(b, &message, 0), 1);
    assert_int_equal(party_sock_cmsg_next(&message, &cursor, &cmsg), 1);
    assert_int_equal(cmsg.type, SCM_CREDENTIALS);
    struct ucred credentials;
    assert_int_equal(cmsg.len, sizeof(credentials));
    memcpy(&credentials, cmsg.data, sizeof(credentials));
    assert_int_equal(credentials.pid, getpid());
    assert_int_equal(credentials.uid, getuid());
    party_sock_close(a);
    party_sock_close(b);
}

static void test_message_to_a_gone_peer_is_an_error_not_a_signal(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    struct iovec iov = {(char[]){"x"}, 1};
    struct party_sock_message message = {.iov = &iov, .iov_count = 1};
    test_pair(SOCK_STREAM, &a, &b);
    party_sock_close(b);
    assert_int_equal(party_sock_sendmsg(a, &message, 0), -EPIPE);
    assert_int_equal(party_sock_sendto(a, "x", 1, 0, &message.address), -EPIPE);
    party_sock_close(a);
}

static void test_afalg_is_checked_before_it_is_sent(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    struct party_sock_afalg afalg = {.op = -1, .assoclen = -1};
    assert_int_equal(party_sock_sendmsg_afalg(a, NULL, 0, &afalg, 0), -EINVAL);
    afalg = (struct party_sock_afalg){.op = 0, .assoclen = -2};
    assert_int_equal(party_sock_sendmsg_afalg(a, NULL, 0, &afalg, 0), -EINVAL);
    afalg.assoclen = INT64_C(1) << 32;
    assert_int_equal(party_sock_sendmsg_afalg(a, NULL, 0, &afalg, 0), -EINVAL);
    afalg = (struct party_sock_afalg){.op = 0, .iv = "", .iv_len = SIZE_MAX, .assoclen = -1};
    assert_int_equal(party_sock_sendmsg_afalg(a, NULL, 0, &afalg, 0), -EOVERFLOW);
    afalg.iv_len = INT_MAX - 40;
    assert_int_equal(party_sock_sendmsg_afalg(a, NULL, 0, &afalg, 0), -EOVERFLOW);
    party_sock_close(a);
    party_sock_close(b);
}

/* A unix socket takes no control messages of AF_ALG: -EINVAL after all memory was there. */
static int send_afalg(void *user)
{
    struct party_sock_afalg afalg = {
        .op = ALG_OP_ENCRYPT, .iv = "0123456789abcdef", .iv_len = 16, .assoclen = 4};
    ssize_t r = party_sock_sendmsg_afalg(user, NULL, 0, &afalg, 0);
    return r == -EINVAL || r == 0 ? 0 : (int)r;
}

static void test_afalg_survives_no_memory(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    assert_survives_malloc_failure(send_afalg, a);
    party_sock_close(a);
    party_sock_close(b);
}

/* What OpenSSL makes of the same key, vector and text (AES-128-CBC). */
static void test_afalg_encrypts(void **state)
{
    (void)state;
    static const unsigned char wanted[16] = {0x76, 0x49, 0xab, 0xac, 0x81, 0x19, 0xb2, 0x46,
                                             0xce, 0xe9, 0x8e, 0x9b, 0x12, 0xe9, 0x19, 0x7d};
    static const unsigned char key[16] = {0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6,
                                          0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c};
    static const unsigned char iv[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    unsigned char text[16] = {0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96,
                              0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a};
    struct party_sock *cipher;
    struct party_sock *operation;
    struct party_address address;
    unsigned char got[16];
    assert_result(party_address_alg("skcipher", "cbc(aes)", 0, 0, &address), 0);
    if (party_sock_socket(AF_ALG, SOCK_SEQPACKET, 0, &cipher) < 0) {
        print_message("# no AF_ALG on this machine: not looked at\n");
        return;
    }
    if (party_sock_bind(cipher, &address) == 0) {
        assert_result(party_sock_setsockopt_bytes(cipher, SOL_ALG, ALG_SET_KEY, key, sizeof(key)),
                      0);
        assert_result(party_sock_accept(cipher, &operation, NULL), 0);
        struct iovec iov = {text, sizeof(text)};
        struct party_sock_afalg afalg = {
            .op = ALG_OP_ENCRYPT, .iv = iv, .iv_len = sizeof(iv), .assoclen = -1};
        assert_int_equal(party_sock_sendmsg_afalg(operation, &iov, 1, &afalg, 0), 16);
        assert_int_equal(party_sock_recv(operation, got, sizeof(got), 0), 16);
        assert_memory_equal(got, wanted, sizeof(got));
        party_sock_close(operation);
    } else {
        print_message("# no cbc(aes) in this kernel: not looked at\n");
    }
    party_sock_close(cipher);
}

static void test_kernel_refuses_bytes_that_are_not_there(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    test_pair(SOCK_STREAM, &a, &b);
    struct party_sock_message message = {.iov_count = 1};
    assert_result(party_sock_send(a, NULL, 1, 0), -EFAULT);
    assert_result(party_sock_sendall(a, NULL, 1, 0), -EFAULT);
    assert_result(party_sock_sendmsg(a, &message, 0), -EFAULT);
    assert_result(party_sock_setsockopt_bytes(a, SOL_SOCKET, SO_RCVTIMEO, NULL, 16), -EFAULT);
    assert_result(party_sock_sendall(a, "x", 1, 0), 0);
    assert_result(party_sock_recv_into(b, NULL, 1, 0), -EFAULT);
    party_sock_close(a);
    party_sock_close(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_datagrams_come_with_their_sender),
        cmocka_unit_test(test_recvfrom_of_no_bytes_takes_a_datagram),
        cmocka_unit_test(test_stream_does_not_tell_who_sent),
        cmocka_unit_test(test_message_is_spread_over_its_buffers),
        cmocka_unit_test(test_sendmsg_takes_no_more_than_iov_max),
        cmocka_unit_test(test_message_of_nothing_is_pythons),
        cmocka_unit_test(test_control_messages_are_cut_to_their_room),
        cmocka_unit_test(test_close_on_exec_flag_comes_back_only_to_who_gave_it),
        cmocka_unit_test(test_credentials_of_the_sender_can_be_asked_for),
        cmocka_unit_test(test_message_to_a_gone_peer_is_an_error_not_a_signal),
        cmocka_unit_test(test_afalg_is_checked_before_it_is_sent),
        cmocka_unit_test(test_afalg_survives_no_memory),
        cmocka_unit_test(test_afalg_encrypts),
        cmocka_unit_test(test_kernel_refuses_bytes_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
