/* SPDX-License-Identifier: MIT */
#include <partyline/sock_option.h>

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <linux/if_alg.h>

#include "sock/sock_test_util.h"

static struct party_sock *tcp(void)
{
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    return sock;
}

static void test_int_options_are_set_and_read(void **state)
{
    (void)state;
    struct party_sock *sock = tcp();
    int value = -1;
    assert_result(party_sock_getsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &value), 0);
    assert_int_equal(value, 0);
    assert_result(party_sock_setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    assert_result(party_sock_getsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &value), 0);
    assert_int_not_equal(value, 0);
    value = 77;
    assert_result(party_sock_getsockopt(sock, IPPROTO_TCP, 9999, &value), -ENOPROTOOPT);
    assert_int_equal(value, 77);
    assert_result(party_sock_setsockopt(sock, IPPROTO_TCP, 9999, 1), -ENOPROTOOPT);
    party_sock_close(sock);
}

static void test_structs_are_options_too(void **state)
{
    (void)state;
    struct party_sock *sock = tcp();
    struct linger linger = {.l_onoff = 1, .l_linger = 3};
    struct linger got = {0};
    assert_result(party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)),
                  0);
    assert_int_equal(party_sock_getsockopt_bytes(sock, SOL_SOCKET, SO_LINGER, &got, sizeof(got)),
                     sizeof(got));
    assert_int_equal(got.l_onoff, 1);
    assert_int_equal(got.l_linger, 3);
    party_sock_close(sock);
}

static void test_bytes_are_cut_to_the_room_and_no_further(void **state)
{
    (void)state;
    struct party_sock *sock = tcp();
    char buf[512];
    memset(buf, 0x55, sizeof(buf));
    assert_int_equal(party_sock_getsockopt_bytes(sock, IPPROTO_TCP, TCP_INFO, buf, 8), 8);
    assert_int_equal(buf[8], 0x55);
    /* With much room, what the kernel has. */
    ssize_t n = party_sock_getsockopt_bytes(sock, IPPROTO_TCP, TCP_INFO, buf, sizeof(buf));
    assert_true(n >= (ssize_t)sizeof(struct tcp_info) && n < (ssize_t)sizeof(buf));
    assert_int_equal(party_sock_getsockopt_bytes(sock, IPPROTO_TCP, TCP_CONGESTION, buf, 16), 16);
    assert_true(strnlen(buf, 16) > 0);
    party_sock_close(sock);
}

static void test_wrong_lengths_are_refused(void **state)
{
    (void)state;
    struct party_sock *sock = tcp();
    char buf[8] = "";
    assert_result(party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_LINGER, buf, 3), -EINVAL);
    assert_result(party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_LINGER, buf, SIZE_MAX), -EINVAL);
    assert_result(
        party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_LINGER, buf, (size_t)INT_MAX + 1),
        -EINVAL);
    assert_int_equal(party_sock_getsockopt_bytes(sock, SOL_SOCKET, SO_TYPE, buf, SIZE_MAX),
                     -EINVAL);
    assert_int_equal(party_sock_getsockopt_bytes(sock, SOL_SOCKET, 9999, buf, 8), -ENOPROTOOPT);
    party_sock_close(sock);
}

static void test_no_value_is_passed_on_as_none(void **state)
{
    (void)state;
    struct party_sock *sock = tcp();
    /* The kernel wants to read an int there. */
    assert_result(party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_KEEPALIVE, NULL, sizeof(int)),
                  -EFAULT);
    /* These take none: the name of no interface unbinds, and AF_ALG is only told a length. */
    assert_result(party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_BINDTODEVICE, NULL, 0), 0);
    party_sock_close(sock);
}

static void test_ioctl_answers_or_fails(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    int waiting = -1;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_sendall(a, "12345", 5, 0), 0);
    assert_result(party_sock_ioctl(b, FIONREAD, &waiting), 0);
    assert_int_equal(waiting, 5);
    struct ifreq request = {.ifr_name = "no-such-if"};
    assert_result(party_sock_ioctl(b, SIOCGIFINDEX, &request), -ENODEV);
    assert_result(party_sock_ioctl(b, 0xdeadbeef, NULL), -ENOTTY);
    party_sock_close(a);
    party_sock_close(b);
}

/* Whether a program started now finds the descriptor open. */
static bool exec_keeps(int fd)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        execl("/usr/bin/test", "test", "-e", path, (char *)NULL);
        _exit(2);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    return WEXITSTATUS(status) == 0;
}

static void test_inheritable_is_what_exec_keeps(void **state)
{
    (void)state;
    struct party_sock *sock = tcp();
    int fd = party_sock_fileno(sock);
    assert_result(party_sock_get_inheritable(sock), 0);
    assert_false(exec_keeps(fd));
    assert_result(party_sock_set_inheritable(sock, true), 0);
    assert_result(party_sock_get_inheritable(sock), 1);
    assert_true(exec_keeps(fd));
    assert_result(party_sock_set_inheritable(sock, false), 0);
    assert_result(party_sock_get_inheritable(sock), 0);
    assert_false(exec_keeps(fd));
    party_sock_close(sock);
}

static void test_dualstack_is_what_a_socket_says(void **state)
{
    (void)state;
    struct party_sock *sock;
    bool wanted = false;
    if (party_sock_socket(AF_INET6, SOCK_STREAM, 0, &sock) == 0) {
        wanted = party_sock_setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, 0) == 0;
        party_sock_close(sock);
    }
    assert_int_equal(party_sock_has_dualstack_ipv6(), wanted);
    /* Without a descriptor it cannot be known. */
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    bool has = party_sock_has_dualstack_ipv6();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(has);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_int_options_are_set_and_read),
        cmocka_unit_test(test_structs_are_options_too),
        cmocka_unit_test(test_bytes_are_cut_to_the_room_and_no_further),
        cmocka_unit_test(test_wrong_lengths_are_refused),
        cmocka_unit_test(test_no_value_is_passed_on_as_none),
        cmocka_unit_test(test_ioctl_answers_or_fails),
        cmocka_unit_test(test_inheritable_is_what_exec_keeps),
        cmocka_unit_test(test_dualstack_is_what_a_socket_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
