/* SPDX-License-Identifier: MIT */
#include <partyline/connection.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "fail_malloc.h"
#include "sock/sock_test_util.h"

/*
 * listen is wrapped at link time: the test of servers that start together lets others run between
 * bind and listen, where a path that is about to be served looks stale.
 */
static _Atomic bool dawdle_before_listen;

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);

int __wrap_listen(int fd, int backlog)
{
    for (int i = 0; i < 500 && atomic_load(&dawdle_before_listen); i++) {
        (void)sched_yield();
    }
    return __real_listen(fd, backlog);
}

static int try_server(const struct party_address *address,
                      const struct party_server_options *options)
{
    struct party_sock *sock = NULL;
    int r = party_sock_create_server(address, options, &sock);
    party_sock_close(sock);
    return r;
}

static void assert_serves(struct party_sock *server, const struct party_address *address)
{
    struct party_sock *conn;
    struct party_sock *client = test_client(address);
    assert_result(party_sock_accept(server, &conn, NULL), 0);
    test_assert_connected(client, conn);
    /* The client goes first, so that TIME_WAIT is on its side. */
    party_sock_close(client);
    party_sock_close(conn);
}

static void test_port_zero_picks_a_free_port(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:0", "[::1]:0", ":0", "[::]:0"};
    for (size_t i = 0; i < 4; i++) {
        struct party_address address;
        struct party_sock *server = test_server(texts[i], NULL, &address);
        int accepts = 0;
        assert_true(party_address_port(&address) > 0);
        assert_true(test_is_cloexec(party_sock_fileno(server)));
        assert_int_equal(party_sock_gettimeout(server), -1);
        assert_result(party_sock_getsockopt(server, SOL_SOCKET, SO_ACCEPTCONN, &accepts), 0);
        assert_int_equal(accepts, 1);
        party_sock_close(server);
    }
}

static void test_a_port_in_use_is_eaddrinuse(void **state)
{
    (void)state;
    static const char *const texts[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < 2; i++) {
        struct party_address address;
        struct party_sock *server = test_server(texts[i], NULL, &address);
        size_t fds_before = fail_malloc_open_fds();
        size_t allocations_before = fail_malloc_outstanding();
        assert_result(try_server(&address, NULL), -EADDRINUSE);
        assert_int_equal(fail_malloc_open_fds(), fds_before);
        assert_int_equal(fail_malloc_outstanding(), allocations_before);
        assert_serves(server, &address);
        party_sock_close(server);
    }
}

static void test_a_port_can_be_taken_again_while_old_connections_linger(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *conn;
    char c;
    struct party_sock *server = test_server("127.0.0.1:0", NULL, &address);
    struct party_sock *client = test_client(&address);
    assert_result(party_sock_accept(server, &conn, NULL), 0);
    /* The server's end closes first and so keeps the port in TIME_WAIT. */
    party_sock_close(conn);
    assert_result(party_sock_recv_into(client, &c, 1, 0), 0);
    party_sock_close(client);
    party_sock_close(server);
    assert_result(party_sock_create_server(&address, NULL, &server), 0);
    assert_serves(server, &address);
    party_sock_close(server);
}

static void test_dualstack_serves_both_families(void **state)
{
    (void)state;
    static const struct party_server_options dual = {.dualstack_ipv6 = true};
    struct party_address address;
    struct party_address peer;
    struct party_sock *conn;
    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_sock *server = test_server("[::]:0", &dual, &address);
    struct party_address v4 = test_address("127.0.0.1:0");
    struct party_address v6 = test_address("[::1]:0");
    party_address_set_port(&v4, party_address_port(&address));
    party_address_set_port(&v6, party_address_port(&address));
    assert_serves(server, &v6);

    struct party_sock *client = test_client(&v4);
    assert_result(party_sock_accept(server, &conn, &peer), 0);
    assert_int_equal(party_address_family(&peer), AF_INET6);
    party_address_format(&peer, text, sizeof(text));
    assert_int_equal(strncmp(text, "127.0.0.1:", 10), 0);
    party_sock_close(client);
    party_sock_close(conn);
    party_sock_close(server);
}

static void test_v6_wildcard_leaves_v4_alone(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("[::]:0", NULL, &address);
    int v6_only = 0;
    assert_result(party_sock_getsockopt(server, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only), 0);
    assert_int_equal(v6_only, 1);
    party_sock_close(server);
}

static void test_reuse_port_shares_a_port(void **state)
{
    (void)state;
    static const struct party_server_options shared = {.reuse_port = true};
    struct party_address address;
    struct party_sock *first = test_server("127.0.0.1:0", &shared, &address);
    struct party_sock *second;
    assert_result(party_sock_create_server(&address, &shared, &second), 0);
    /* Who asks for the port alone learns that others have it. */
    assert_result(try_server(&address, NULL), -EADDRINUSE);
    party_sock_close(second);
    party_sock_close(first);
}

static size_t accept_waiting(struct party_sock *server)
{
    size_t count = 0;
    struct party_sock *conn;
    assert_result(party_sock_settimeout(server, 0), 0);
    int r = party_sock_accept(server, &conn, NULL);
    while (r == 0) {
        party_sock_close(conn);
        count++;
        r = party_sock_accept(server, &conn, NULL);
    }
    assert_result(r, -EAGAIN);
    return count;
}

static void test_a_port_taken_alone_can_be_shared_afterwards(void **state)
{
    (void)state;
    enum { CLIENT_COUNT = 64 };
    static const struct party_server_options shared = {.reuse_port = true};
    struct party_address address;
    struct party_sock *first = test_server("127.0.0.1:0", NULL, &address);
    struct party_sock *second;
    assert_result(try_server(&address, &shared), -EADDRINUSE);
    assert_result(party_sock_setsockopt(first, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    assert_result(party_sock_create_server(&address, &shared, &second), 0);
    assert_result(try_server(&address, NULL), -EADDRINUSE);

    struct party_sock *clients[CLIENT_COUNT];
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        clients[i] = test_client(&address);
    }
    /* The kernel spreads by a hash: that one of them gets none has a chance of 2 in 2^64. */
    test_wait_readable(first);
    test_wait_readable(second);
    size_t first_count = accept_waiting(first);
    size_t second_count = accept_waiting(second);
    assert_true(first_count > 0);
    assert_true(second_count > 0);
    assert_int_equal(first_count + second_count, CLIENT_COUNT);
    for (size_t i = 0; i < CLIENT_COUNT; i++) {
        party_sock_close(clients[i]);
    }
    party_sock_close(second);
    party_sock_close(first);
}

/* Connections made before the port was opened to others do not keep them out: they reuse the
   address, as all sockets of party_sock_create_server do. */
static void share_after_clients_came(const char *text, bool dualstack)
{
    const struct party_server_options alone = {.dualstack_ipv6 = dualstack};
    const struct party_server_options shared = {.reuse_port = true, .dualstack_ipv6 = dualstack};
    struct party_address address;
    struct party_sock *first = test_server(text, &alone, &address);
    struct party_address at = address;
    if (dualstack) {
        at = test_address("127.0.0.1:0");
        party_address_set_port(&at, party_address_port(&address));
    }
    struct party_sock *left = test_client(&at);
    struct party_sock *conn;
    assert_result(party_sock_accept(first, &conn, NULL), 0);
    party_sock_close(conn); /* TIME_WAIT, once the client has closed, too */
    party_sock_close(left);
    struct party_sock *talking = test_client(&at);
    assert_result(party_sock_accept(first, &conn, NULL), 0);
    struct party_sock *waiting = test_client(&at);
    assert_result(party_sock_setsockopt(first, SOL_SOCKET, SO_REUSEPORT, 1), 0);
    struct party_sock *second;
    assert_result(party_sock_create_server(&address, &shared, &second), 0);
    assert_int_equal(accept_waiting(first), 1);
    party_sock_close(second);
    party_sock_close(waiting);
    party_sock_close(conn);
    party_sock_close(talking);
    party_sock_close(first);
}

static void test_a_port_can_be_shared_though_clients_came_before(void **state)
{
    (void)state;
    share_after_clients_came("127.0.0.1:0", false);
    if (party_sock_has_dualstack_ipv6()) {
        share_after_clients_came("[::]:0", true);
    }
}

static void test_backlog_bounds_what_waits(void **state)
{
    (void)state;
    static const struct party_server_options none = {.backlog = -1};
    struct party_address address;
    struct party_sock *server = test_server("unix:auto", &none, &address);
    struct party_sock *first = test_client(&address);
    struct party_sock *second;
    assert_result(party_sock_socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, &second), 0);
    assert_result(party_sock_connect(second, &address), -EAGAIN);
    party_sock_close(second);
    party_sock_close(first);
    party_sock_close(server);
}

static void test_an_abstract_name_is_free_once_its_server_is_gone(void **state)
{
    (void)state;
    struct party_address address;
    struct party_sock *server = test_server("unix:auto", NULL, &address);
    assert_result(try_server(&address, NULL), -EADDRINUSE);
    assert_serves(server, &address);
    party_sock_close(server);
    assert_result(try_server(&address, NULL), 0);
}

static void test_unsupported_wishes_are_refused(void **state)
{
    (void)state;
    static const struct party_server_options shared = {.reuse_port = true};
    struct party_address address = test_address("unix:auto");
    static const struct party_server_options dual = {.dualstack_ipv6 = true};
    assert_result(try_server(&address, &shared), -EOPNOTSUPP);
    assert_result(try_server(&address, &dual), -EINVAL);
    address.u.sa.sa_family = 12345;
    assert_result(try_server(&address, NULL), -EAFNOSUPPORT);
    address = test_address("192.0.2.77:0");
    assert_result(try_server(&address, NULL), -EADDRNOTAVAIL);
}

/* A directory of its own per test, and a path in it. */
struct place {
    char directory[64];
    char path[80];
    struct party_address address;
};

static int set_up_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->directory, sizeof(place->directory), "/tmp/partyline-test-XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof(place->path), "%s/s", place->directory);
    char text[128];
    (void)snprintf(text, sizeof(text), "unix:%s", place->path);
    place->address = test_address(text);
    *state = place;
    return 0;
}

static int tear_down_place(void **state)
{
    struct place *place = *state;
    (void)unlink(place->path);
    int r = rmdir(place->directory);
    free(place);
    return r;
}

static bool path_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void leave_stale_path(const struct place *place)
{
    assert_result(try_server(&place->address, NULL), 0);
    assert_true(path_exists(place->path));
}

static void test_unix_path_gets_the_mode_asked_for(void **state)
{
    const struct place *place = *state;
    static const struct {
        int unix_mode;
        mode_t wanted;
    } cases[] = {{0600, 0600}, {0666, 0666}, {0, 0755}};
    mode_t umask_before = umask(022);
    for (size_t i = 0; i < 3; i++) {
        const struct party_server_options options = {.unix_mode = cases[i].unix_mode};
        struct stat st;
        assert_result(try_server(&place->address, &options), 0);
        assert_int_equal(lstat(place->path, &st), 0);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 0777, cases[i].wanted);
    }
    (void)umask(umask_before);
}

static void test_a_stale_unix_path_is_taken_over(void **state)
{
    const struct place *place = *state;
    struct party_sock *server;
    leave_stale_path(place);
    assert_result(party_sock_create_server(&place->address, NULL, &server), 0);
    assert_serves(server, &place->address);
    party_sock_close(server);
}

static void test_a_live_unix_path_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct party_sock *server;
    struct party_sock *probe;
    assert_result(party_sock_create_server(&place->address, NULL, &server), 0);
    assert_result(try_server(&place->address, NULL), -EADDRINUSE);
    /* What looked whether anybody is there comes as a connection that ends at once. */
    assert_result(party_sock_accept(server, &probe, NULL), 0);
    party_sock_close(probe);
    assert_serves(server, &place->address);
    party_sock_close(server);
}

static void test_a_live_unix_path_with_a_full_backlog_is_left_alone(void **state)
{
    const struct place *place = *state;
    static const struct party_server_options none = {.backlog = -1};
    struct party_sock *server;
    assert_result(party_sock_create_server(&place->address, &none, &server), 0);
    struct party_sock *filler = test_client(&place->address);
    assert_result(try_server(&place->address, NULL), -EADDRINUSE);
    assert_true(path_exists(place->path));
    party_sock_close(filler);
    party_sock_close(server);
}

static void test_a_live_datagram_path_is_left_alone(void **state)
{
    const struct place *place = *state;
    struct party_sock *sock;
    assert_result(party_sock_socket(AF_UNIX, SOCK_DGRAM, 0, &sock), 0);
    assert_result(party_sock_bind(sock, &place->address), 0);
    assert_result(try_server(&place->address, NULL), -EADDRINUSE);
    assert_true(path_exists(place->path));
    party_sock_close(sock);
}

static void test_a_path_that_is_no_socket_is_left_alone(void **state)
{
    const struct place *place = *state;
    int fd = open(place->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_not_equal(fd, -1);
    assert_int_equal(write(fd, "keep", 4), 4);
    close(fd);
    assert_result(try_server(&place->address, NULL), -EADDRINUSE);
    struct stat st;
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void test_a_link_to_a_stale_path_is_left_alone(void **state)
{
    const struct place *place = *state;
    char target[96];
    (void)snprintf(target, sizeof(target), "%s/target", place->directory);
    leave_stale_path(place);
    assert_int_equal(rename(place->path, target), 0);
    assert_int_equal(symlink("target", place->path), 0);
    int r = try_server(&place->address, NULL);
    bool both_exist = path_exists(place->path) && path_exists(target);
    assert_int_equal(unlink(target), 0);
    assert_result(r, -EADDRINUSE);
    assert_true(both_exist);
}

static void test_a_relative_unix_path_works(void **state)
{
    const struct place *place = *state;
    struct party_address address = test_address("unix:s");
    int back = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_not_equal(back, -1);
    assert_int_equal(chdir(place->directory), 0);
    int first = try_server(&address, NULL);
    int second = try_server(&address, NULL);
    assert_int_equal(fchdir(back), 0);
    close(back);
    assert_result(first, 0);
    assert_result(second, 0);
    assert_true(path_exists(place->path));
}

static void test_a_missing_directory_is_enoent(void **state)
{
    const struct place *place = *state;
    char text[128];
    (void)snprintf(text, sizeof(text), "unix:%s/none/s", place->directory);
    struct party_address address = test_address(text);
    size_t fds_before = fail_malloc_open_fds();
    assert_result(try_server(&address, NULL), -ENOENT);
    assert_int_equal(fail_malloc_open_fds(), fds_before);
}

static void test_without_the_directory_lock_only_a_free_path_is_taken(void **state)
{
    const struct place *place = *state;
    int lock_fd = open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_not_equal(lock_fd, -1);
    assert_int_equal(flock(lock_fd, LOCK_EX | LOCK_NB), 0);
    int free_path = try_server(&place->address, NULL);
    int stale_path = try_server(&place->address, NULL);
    assert_int_equal(flock(lock_fd, LOCK_UN), 0);
    int after_unlock = try_server(&place->address, NULL);
    close(lock_fd);
    assert_result(free_path, 0);
    assert_result(stale_path, -EADDRINUSE);
    assert_result(after_unlock, 0);
}

enum { RIVAL_COUNT = 8 };

struct rivals {
    pthread_barrier_t barrier;
    const struct party_address *address;
    struct party_sock *socks[RIVAL_COUNT];
    int results[RIVAL_COUNT];
    _Atomic size_t next;
};

static void *rival_main(void *arg)
{
    struct rivals *rivals = arg;
    size_t i = atomic_fetch_add(&rivals->next, 1);
    (void)pthread_barrier_wait(&rivals->barrier);
    rivals->results[i] = party_sock_create_server(rivals->address, NULL, &rivals->socks[i]);
    return NULL;
}

/* Starts all at once. Returns which one has the path; the others must have been told. */
static size_t run_rivals(struct rivals *rivals)
{
    pthread_t threads[RIVAL_COUNT];
    size_t winner = RIVAL_COUNT;
    assert_int_equal(pthread_barrier_init(&rivals->barrier, NULL, RIVAL_COUNT), 0);
    for (size_t i = 0; i < RIVAL_COUNT; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, rival_main, rivals), 0);
    }
    for (size_t i = 0; i < RIVAL_COUNT; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    (void)pthread_barrier_destroy(&rivals->barrier);
    for (size_t i = 0; i < RIVAL_COUNT; i++) {
        if (rivals->results[i] == 0) {
            assert_int_equal(winner, RIVAL_COUNT);
            winner = i;
        } else {
            assert_result(rivals->results[i], -EADDRINUSE);
        }
    }
    assert_true(winner < RIVAL_COUNT);
    return winner;
}

static void test_of_servers_that_start_together_one_takes_the_stale_path(void **state)
{
    const struct place *place = *state;
    leave_stale_path(place);
    for (int round = 0; round < 20; round++) {
        struct rivals rivals = {.address = &place->address};
        atomic_store(&dawdle_before_listen, true);
        size_t winner = run_rivals(&rivals);
        atomic_store(&dawdle_before_listen, false);
        /* The path leads to the winner, who has seen the others look whether it lives. */
        (void)accept_waiting(rivals.socks[winner]);
        struct party_sock *client = test_client(&place->address);
        assert_int_equal(accept_waiting(rivals.socks[winner]), 1);
        party_sock_close(client);
        party_sock_close(rivals.socks[winner]);
    }
}

static int make_tcp_server(void *user)
{
    return try_server(user, NULL);
}

static void test_create_server_survives_no_memory(void **state)
{
    struct place *place = *state;
    struct party_address tcp = test_address("127.0.0.1:0");
    assert_int_equal(assert_survives_malloc_failure(make_tcp_server, &tcp), 1);
    assert_int_equal(assert_survives_malloc_failure(make_tcp_server, &place->address), 1);
}

#define test_at_place(f) cmocka_unit_test_setup_teardown(f, set_up_place, tear_down_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_port_zero_picks_a_free_port),
        cmocka_unit_test(test_a_port_in_use_is_eaddrinuse),
        cmocka_unit_test(test_a_port_can_be_taken_again_while_old_connections_linger),
        cmocka_unit_test(test_dualstack_serves_both_families),
        cmocka_unit_test(test_v6_wildcard_leaves_v4_alone),
        cmocka_unit_test(test_reuse_port_shares_a_port),
        cmocka_unit_test(test_a_port_taken_alone_can_be_shared_afterwards),
        cmocka_unit_test(test_a_port_can_be_shared_though_clients_came_before),
        cmocka_unit_test(test_backlog_bounds_what_waits),
        cmocka_unit_test(test_an_abstract_name_is_free_once_its_server_is_gone),
        cmocka_unit_test(test_unsupported_wishes_are_refused),
        test_at_place(test_unix_path_gets_the_mode_asked_for),
        test_at_place(test_a_stale_unix_path_is_taken_over),
        test_at_place(test_a_live_unix_path_is_left_alone),
        test_at_place(test_a_live_unix_path_with_a_full_backlog_is_left_alone),
        test_at_place(test_a_live_datagram_path_is_left_alone),
        test_at_place(test_a_path_that_is_no_socket_is_left_alone),
        test_at_place(test_a_link_to_a_stale_path_is_left_alone),
        test_at_place(test_a_relative_unix_path_works),
        test_at_place(test_a_missing_directory_is_enoent),
        test_at_place(test_without_the_directory_lock_only_a_free_path_is_taken),
        test_at_place(test_of_servers_that_start_together_one_takes_the_stale_path),
        test_at_place(test_create_server_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
