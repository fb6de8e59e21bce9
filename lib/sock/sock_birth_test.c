/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/*
 * All the ways in which a socket comes into being: what it is then, and that its descriptor is
 * close-on-exec from the first moment. The system calls that make descriptors are wrapped, and fail
 * the test when they are not told so: a flag that is set later is too late for a thread that forks.
 */

int __real_socket(int family, int type, int proto);
int __wrap_socket(int family, int type, int proto);
int __real_socketpair(int family, int type, int proto, int fds[2]);
int __wrap_socketpair(int family, int type, int proto, int fds[2]);
int __real_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags);
int __real_fcntl64(int fd, int command, int argument);
int __wrap_fcntl64(int fd, int command, int argument);

static int births;

static void assert_born_closed(bool is_cloexec)
{
    assert_true(is_cloexec);
    births++;
}

int __wrap_socket(int family, int type, int proto)
{
    assert_born_closed((type & SOCK_CLOEXEC) != 0);
    return __real_socket(family, type, proto);
}

int __wrap_socketpair(int family, int type, int proto, int fds[2])
{
    assert_born_closed((type & SOCK_CLOEXEC) != 0);
    return __real_socketpair(family, type, proto, fds);
}

int __wrap_accept4(int fd, struct sockaddr *sa, socklen_t *len, int flags)
{
    assert_born_closed((flags & SOCK_CLOEXEC) != 0);
    return __real_accept4(fd, sa, len, flags);
}

int __wrap_fcntl64(int fd, int command, int argument)
{
    assert_int_not_equal(command, F_DUPFD);
    births += command == F_DUPFD_CLOEXEC ? 1 : 0;
    return __real_fcntl64(fd, command, argument);
}

/* One socket made in each of the ways; the tests look at all of them. */
struct family_of_socks {
    struct party_sock *socket;
    struct party_sock *pair_a;
    struct party_sock *pair_b;
    struct party_sock *server;
    struct party_sock *client;
    struct party_sock *accepted;
    struct party_sock *accepted_within;
    struct party_sock *from_fd;
    struct party_sock *adopted;
    struct party_sock *twin; /* of socket */
};

#define SOCK_COUNT (sizeof(struct family_of_socks) / sizeof(struct party_sock *))

static void make_all(struct family_of_socks *all)
{
    struct party_address at = test_address("127.0.0.1:0");
    births = 0;
    assert_result(party_sock_socket(AF_INET, SOCK_DGRAM, 0, &all->socket), 0);
    assert_result(party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &all->pair_a, &all->pair_b), 0);
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &all->server), 0);
    assert_result(party_sock_bind(all->server, &at), 0);
    assert_result(party_sock_listen(all->server, 5), 0);
    assert_result(party_sock_getsockname(all->server, &at), 0);
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &all->client), 0);
    assert_result(party_sock_connect(all->client, &at), 0);
    assert_result(party_sock_accept(all->server, &all->accepted, NULL), 0);
    struct party_sock *second = test_client(&at);
    assert_result(party_sock_accept_within(all->server, TEST_LONG_MS, &all->accepted_within, NULL),
                  0);
    party_sock_close(second);
    assert_result(party_sock_fromfd(party_sock_fileno(all->pair_a), -1, -1, -1, &all->from_fd), 0);
    int fd = __real_socket(AF_INET6, SOCK_STREAM, 0);
    assert_result(party_sock_adopt(fd, -1, -1, -1, &all->adopted), 0);
    assert_result(party_sock_dup(all->socket, &all->twin), 0);
    assert_int_equal(births, 9);
}

static struct party_sock **nth(struct family_of_socks *all, size_t n)
{
    return (struct party_sock **)(void *)all + n;
}

static void close_all(struct family_of_socks *all)
{
    for (size_t i = 0; i < SOCK_COUNT; i++) {
        int fd = party_sock_fileno(*nth(all, i));
        assert_result(party_sock_close(*nth(all, i)), 0);
        assert_int_equal(fcntl(fd, F_GETFD), -1);
    }
}

static void test_every_socket_is_close_on_exec_from_birth(void **state)
{
    (void)state;
    struct family_of_socks all;
    make_all(&all);
    for (size_t i = 0; i < SOCK_COUNT; i++) {
        assert_true(test_is_cloexec(party_sock_fileno(*nth(&all, i))));
    }
    close_all(&all);
}

static void test_default_timeout_is_for_all_that_are_made_under_it(void **state)
{
    (void)state;
    static const int64_t timeouts_ms[] = {-1, TEST_LONG_MS};
    assert_true(party_sock_getdefaulttimeout() == -1);
    for (size_t t = 0; t < 2; t++) {
        struct family_of_socks all;
        assert_result(party_sock_setdefaulttimeout(timeouts_ms[t]), 0);
        assert_true(party_sock_getdefaulttimeout() == timeouts_ms[t]);
        make_all(&all);
        for (size_t i = 0; i < SOCK_COUNT; i++) {
            assert_true(party_sock_gettimeout(*nth(&all, i)) == timeouts_ms[t]);
            assert_int_equal(test_is_nonblocking(party_sock_fileno(*nth(&all, i))),
                             timeouts_ms[t] != -1);
        }
        close_all(&all);
    }
    assert_result(party_sock_setdefaulttimeout(0), 0);
    struct party_sock *a;
    struct party_sock *b;
    char c;
    test_pair(SOCK_STREAM, &a, &b);
    assert_int_equal(party_sock_recv(a, &c, 1, 0), -EAGAIN);
    assert_result(party_sock_setdefaulttimeout(-1), 0);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_accepted_sockets_have_the_default_not_the_listeners(void **state)
{
    (void)state;
    struct party_address at;
    struct party_sock *conn;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &at);
    assert_result(party_sock_settimeout(server, TEST_LONG_MS), 0);
    struct party_sock *client = test_client(&at);
    assert_result(party_sock_accept(server, &conn, NULL), 0);
    assert_true(party_sock_gettimeout(conn) == -1);
    assert_false(test_is_nonblocking(party_sock_fileno(conn)));
    party_sock_close(conn);
    party_sock_close(client);
    client = test_client(&at);
    assert_result(party_sock_setdefaulttimeout(1234), 0);
    assert_result(party_sock_accept(server, &conn, NULL), 0);
    assert_result(party_sock_setdefaulttimeout(-1), 0);
    assert_true(party_sock_gettimeout(conn) == 1234);
    party_sock_close(conn);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_default_below_never_is_refused(void **state)
{
    (void)state;
    assert_result(party_sock_setdefaulttimeout(-2), -EINVAL);
    assert_true(party_sock_getdefaulttimeout() == -1);
}

static void test_sock_nonblock_is_stronger_than_the_default(void **state)
{
    (void)state;
    struct party_sock *sock;
    assert_result(party_sock_setdefaulttimeout(1234), 0);
    assert_result(party_sock_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &sock), 0);
    assert_result(party_sock_setdefaulttimeout(-1), 0);
    assert_true(party_sock_gettimeout(sock) == 0);
    party_sock_close(sock);
}

static void test_adopt_believes_what_it_is_told(void **state)
{
    (void)state;
    struct party_sock *sock;
    int fd = __real_socket(AF_INET, SOCK_STREAM, 0);
    assert_result(
        party_sock_adopt(fd, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 77, &sock), 0);
    assert_int_equal(party_sock_family(sock), AF_INET6);
    assert_int_equal(party_sock_type(sock), SOCK_DGRAM);
    assert_int_equal(party_sock_proto(sock), 77);
    party_sock_close(sock);
}

static void test_adopt_with_a_default_makes_the_descriptor_fit(void **state)
{
    (void)state;
    struct party_sock *sock;
    int fd = __real_socket(AF_INET, SOCK_STREAM, 0);
    assert_result(party_sock_setdefaulttimeout(50), 0);
    assert_result(party_sock_adopt(fd, -1, -1, -1, &sock), 0);
    assert_result(party_sock_setdefaulttimeout(-1), 0);
    assert_true(party_sock_gettimeout(sock) == 50);
    assert_true(test_is_nonblocking(fd));
    party_sock_close(sock);
}

static void test_fromfd_leaves_the_descriptor_to_its_owner(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    struct party_sock *copy = NULL;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_fromfd(party_sock_fileno(a), -1, -1, -1, &copy), 0);
    assert_int_not_equal(party_sock_fileno(copy), party_sock_fileno(a));
    assert_int_equal(party_sock_family(copy), AF_UNIX);
    test_assert_connected(copy, b);
    party_sock_close(copy);
    test_assert_connected(a, b);
    party_sock_close(a);
    party_sock_close(b);
}

static void test_fromfd_and_adopt_refuse_what_is_no_socket(void **state)
{
    (void)state;
    struct party_sock *sock = NULL;
    size_t fds_before = fail_malloc_open_fds();
    int fd = open("/dev/null", O_RDONLY); /* inheritable, and so it stays */
    assert_result(party_sock_fromfd(fd, -1, -1, -1, &sock), -ENOTSOCK);
    assert_result(party_sock_adopt(fd, AF_INET, SOCK_STREAM, 0, &sock), -ENOTSOCK);
    assert_false(test_is_cloexec(fd));
    close(fd);
    assert_result(party_sock_fromfd(fd, -1, -1, -1, &sock), -EBADF);
    assert_result(party_sock_adopt(fd, AF_INET, SOCK_STREAM, 0, &sock), -EBADF);
    assert_null(sock);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
}

static void test_dup_shares_the_connection_and_the_timeout(void **state)
{
    (void)state;
    struct party_sock *a;
    struct party_sock *b;
    struct party_sock *twin;
    test_pair(SOCK_STREAM, &a, &b);
    assert_result(party_sock_settimeout(a, 4321), 0);
    assert_result(party_sock_dup(a, &twin), 0);
    assert_true(party_sock_gettimeout(twin) == 4321);
    assert_int_equal(party_sock_type(twin), SOCK_STREAM);
    party_sock_close(a);
    test_assert_connected(twin, b);
    party_sock_close(twin);
    party_sock_close(b);
}

static void test_no_descriptor_is_left_is_told(void **state)
{
    (void)state;
    struct party_address at;
    struct party_sock *none = NULL;
    struct party_sock *other = NULL;
    struct rlimit before;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &at);
    struct party_sock *client = test_client(&at);
    int fd = party_sock_fileno(client);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    /* The lowest free descriptor is the first that is not allowed. (With a limit of 0 the kernel
       calls the arguments of dup and poll wrong.) */
    int lowest = dup(fd);
    assert_int_not_equal(lowest, -1);
    close(lowest);
    struct rlimit tight = {.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int made[] = {
        party_sock_socket(AF_INET, SOCK_STREAM, 0, &none),
        party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &none, &other),
        party_sock_dup(client, &none),
        party_sock_accept(server, &none, NULL),
        party_sock_accept_within(server, TEST_LONG_MS, &none, NULL),
    };
    int copied = party_sock_fromfd(fd, -1, -1, -1, &none);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        assert_result(made[i], -EMFILE);
    }
    assert_result(copied, -EMFILE);
    assert_null(none);
    assert_null(other);
    /* The connection still waits. */
    assert_result(party_sock_accept(server, &none, NULL), 0);
    test_assert_connected(none, client);
    party_sock_close(none);
    party_sock_close(client);
    party_sock_close(server);
}

static void test_accept_within_refuses_what_is_no_time(void **state)
{
    (void)state;
    struct party_address at;
    struct party_sock *conn = NULL;
    struct party_sock *server = test_server("unix:auto", NULL, &at);
    assert_result(party_sock_accept_within(server, -2, &conn, NULL), -EINVAL);
    assert_result(party_sock_accept_within(server, 0, &conn, NULL), -EAGAIN);
    assert_result(party_sock_accept_within(server, 1, &conn, NULL), PARTY_ETIMEOUT);
    /* The listener's own time-out has not changed, whatever the call's was. */
    assert_true(party_sock_gettimeout(server) == -1);
    assert_null(conn);
    party_sock_close(server);
}

static int make_twins(void *user)
{
    struct party_sock *sock = user;
    struct party_sock *twin = NULL;
    struct party_sock *copy = NULL;
    int r = party_sock_dup(sock, &twin);
    if (r == 0) {
        r = party_sock_fromfd(party_sock_fileno(sock), -1, -1, -1, &copy);
    }
    party_sock_close(twin);
    party_sock_close(copy);
    return r;
}

static void test_dup_and_fromfd_survive_no_memory(void **state)
{
    (void)state;
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    assert_survives_malloc_failure(make_twins, sock);
    party_sock_close(sock);
}

static void test_setblocking_is_settimeout(void **state)
{
    (void)state;
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    assert_true(party_sock_getblocking(sock));
    assert_result(party_sock_setblocking(sock, false), 0);
    assert_false(party_sock_getblocking(sock));
    assert_true(party_sock_gettimeout(sock) == 0);
    assert_true(test_is_nonblocking(party_sock_fileno(sock)));
    assert_result(party_sock_settimeout(sock, 10), 0);
    assert_true(party_sock_getblocking(sock));
    assert_true(test_is_nonblocking(party_sock_fileno(sock)));
    assert_result(party_sock_setblocking(sock, true), 0);
    assert_true(party_sock_gettimeout(sock) == -1);
    assert_false(test_is_nonblocking(party_sock_fileno(sock)));
    party_sock_close(sock);
}

static void test_closed_under_its_feet_says_so(void **state)
{
    (void)state;
    struct party_sock *sock;
    struct party_sock *twin = NULL;
    assert_result(party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock), 0);
    close(party_sock_fileno(sock));
    assert_result(party_sock_dup(sock, &twin), -EBADF);
    assert_result(party_sock_settimeout(sock, 5), -EBADF);
    assert_result(party_sock_setblocking(sock, false), -EBADF);
    assert_true(party_sock_gettimeout(sock) == -1);
    assert_result(party_sock_get_inheritable(sock), -EBADF);
    assert_result(party_sock_set_inheritable(sock, true), -EBADF);
    assert_result(party_sock_close(sock), -EBADF);
    assert_null(twin);
    assert_result(party_sock_close(NULL), 0);
}

static void test_every_type_can_be_made_where_the_kernel_has_it(void **state)
{
    (void)state;
    static const struct {
        int family;
        int type;
    } kinds[] = {
        {AF_INET, SOCK_STREAM},   {AF_INET, SOCK_DGRAM},     {AF_UNIX, SOCK_STREAM},
        {AF_UNIX, SOCK_DGRAM},    {AF_UNIX, SOCK_SEQPACKET}, {AF_NETLINK, SOCK_RAW},
        {AF_NETLINK, SOCK_DGRAM},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct party_sock *sock;
        assert_result(party_sock_socket(kinds[i].family, kinds[i].type, 0, &sock), 0);
        assert_int_equal(party_sock_family(sock), kinds[i].family);
        assert_int_equal(party_sock_type(sock), kinds[i].type);
        party_sock_close(sock);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_socket_is_close_on_exec_from_birth),
        cmocka_unit_test(test_default_timeout_is_for_all_that_are_made_under_it),
        cmocka_unit_test(test_accepted_sockets_have_the_default_not_the_listeners),
        cmocka_unit_test(test_default_below_never_is_refused),
        cmocka_unit_test(test_sock_nonblock_is_stronger_than_the_default),
        cmocka_unit_test(test_adopt_believes_what_it_is_told),
        cmocka_unit_test(test_adopt_with_a_default_makes_the_descriptor_fit),
        cmocka_unit_test(test_fromfd_leaves_the_descriptor_to_its_owner),
        cmocka_unit_test(test_fromfd_and_adopt_refuse_what_is_no_socket),
        cmocka_unit_test(test_dup_shares_the_connection_and_the_timeout),
        cmocka_unit_test(test_no_descriptor_is_left_is_told),
        cmocka_unit_test(test_accept_within_refuses_what_is_no_time),
        cmocka_unit_test(test_dup_and_fromfd_survive_no_memory),
        cmocka_unit_test(test_setblocking_is_settimeout),
        cmocka_unit_test(test_closed_under_its_feet_says_so),
        cmocka_unit_test(test_every_type_can_be_made_where_the_kernel_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
