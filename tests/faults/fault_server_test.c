/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/partyline.h>

#include "fault.h"

/* Servers and look-ups while what they ask of the kernel fails: processes and threads, too. */

/* The client got no answer, or a wrong one: no error looks like this. */
#define WRONG_ANSWER (-4000)

#define PATIENCE_S   30
#define TURNS_MAX    200

static int answer(struct party_request *request, void *user)
{
    (void)user;
    return party_sock_sendall(request->sock, "hello", 5, 0);
}

static void keep_error(struct party_server *server, struct party_request *request, int error,
                       void *user)
{
    (void)server;
    (void)request;
    atomic_int *kept = user;
    atomic_store(kept, error);
}

/* The client's calls are the kernel's own. Returns: its socket; -errno. */
static int dial(const struct party_server *server)
{
    const struct party_address *address = party_server_address(server);
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -errno;
    }
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == -1 ||
        connect(fd, &address->u.sa, address->len) == -1) {
        int r = -errno;
        (void)close(fd);
        return r;
    }
    return fd;
}

/* Whether the server answers, and then lets go of its client. */
static int hear(int fd)
{
    char buf[16];
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, buf + len, sizeof(buf) - len, 0)) > 0) {
        len += (size_t)n;
    }
    return n == 0 && len == 5 && memcmp(buf, "hello", 5) == 0 ? 0 : WRONG_ANSWER;
}

/* One client is served. user: the model. */
static int serve_one(void *user)
{
    atomic_int error = 0;
    struct party_server_settings settings = {
        .model = *(const enum party_server_model *)user,
        .handler = {.handle = answer},
        .ops = {.handle_error = keep_error},
        .user = &error,
    };
    struct party_server *server;
    int r = party_address_parse("127.0.0.1:0", &settings.address);
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r < 0) {
        return r;
    }
    int fd = dial(server);
    r = fd < 0 ? fd : party_server_handle_request(server);
    /* Before the client hears, so that one who was never taken on is let go of. */
    int closed = party_server_close(server);
    r = r < 0 ? r : closed;
    int heard = fd < 0 ? 0 : hear(fd);
    if (fd >= 0) {
        (void)close(fd);
    }
    party_server_destroy(server);
    r = r < 0 ? r : atomic_load(&error);
    return r < 0 ? r : heard;
}

static bool serving_allows(enum fault_call call, int error, int result)
{
    (void)error;
    switch (call) {
    case FAULT_pidfd_open:
    case FAULT_epoll_ctl:
        /* A child without one is looked after all the same. */
        return result == 0;
    case FAULT_shutdown:
        return result == 0;
    case FAULT_send:
        /* In a child the server learns nothing of it. */
        return result == WRONG_ANSWER;
    default:
        return false;
    }
}

static void test_processes_meet_every_error(void **state)
{
    (void)state;
    enum party_server_model model = PARTY_SERVER_PROCESSES;
    assert_true(fault_check(serve_one, &model, serving_allows) > 50);
}

static void test_threads_meet_every_error(void **state)
{
    (void)state;
    enum party_server_model model = PARTY_SERVER_THREADS;
    assert_true(fault_check(serve_one, &model, serving_allows) > 40);
}

static bool starved_allows(enum fault_call call, int error, int result)
{
    (void)error;
    /* Who cannot be accepted is let go of by close. */
    return call == FAULT_CALL_COUNT && result == WRONG_ANSWER;
}

/* Says that it is there, and goes on until it is ended. */
static int stay(struct party_request *request, void *user)
{
    char byte;
    int r = answer(request, user);
    return r < 0 ? r : (int)party_sock_recv(request->sock, &byte, 1, 0);
}

/* One client is served by a child, and cut. */
static int drain_one(void *user)
{
    atomic_int error = 0;
    struct party_server_settings settings = {
        .model = PARTY_SERVER_PROCESSES,
        .handler = {.handle = stay},
        .ops = {.handle_error = keep_error},
        .user = &error,
    };
    struct party_server *server;
    struct party_server_drained drained = {0};
    char greeting[5];
    (void)user;
    int r = party_address_parse("127.0.0.1:0", &settings.address);
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r < 0) {
        return r;
    }
    int fd = dial(server);
    r = fd < 0 ? fd : party_server_handle_request(server);
    r = r < 0 ? r : atomic_load(&error);
    if (r == 0 && recv(fd, greeting, 5, MSG_WAITALL) != 5) {
        r = WRONG_ANSWER;
    }
    int ended = party_server_drain(server, 0, &drained);
    if (r == 0 && ended == 0 && (drained.cut != 1 || drained.stuck != 0)) {
        ended = WRONG_ANSWER;
    }
    r = r < 0 ? r : ended;
    r = r == 0 && recv(fd, greeting, 1, 0) != 0 ? WRONG_ANSWER : r;
    party_server_drained_finish(&drained);
    if (fd >= 0) {
        (void)close(fd);
    }
    party_server_destroy(server);
    return r;
}

static bool draining_allows(enum fault_call call, int error, int result)
{
    return call == FAULT_pidfd_send_signal || call == FAULT_poll
               ? result == 0
               : serving_allows(call, error, result);
}

static void test_cutting_a_child_meets_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(drain_one, NULL, draining_allows) > 50);
    assert_true(fault_check_descriptors(drain_one, NULL, starved_allows) > 4);
}

static void test_servers_without_descriptors_leak_none(void **state)
{
    (void)state;
    enum party_server_model model = PARTY_SERVER_PROCESSES;
    (void)fault_check_descriptors(serve_one, &model, starved_allows);
    model = PARTY_SERVER_THREADS;
    (void)fault_check_descriptors(serve_one, &model, starved_allows);
}

/* ---- look-ups ---- */

struct finding {
    bool came;
    int result;
};

static void found(struct party_lookup_query *query, int result, struct party_resolve_list *list,
                  void *user)
{
    (void)query;
    struct finding *finding = user;
    finding->came = true;
    finding->result = result == 0 && list->count == 0 ? WRONG_ANSWER : result;
}

/* A service with a name is looked up in a thread, by the files of the machine alone. */
static int look_up(void *user)
{
    (void)user;
    struct finding finding = {0};
    struct party_loop *loop;
    struct party_lookup *lookup = NULL;
    int r = party_loop_create(NULL, &loop);
    if (r < 0) {
        return r;
    }
    const struct party_lookup_question question = {
        .host = "127.0.0.1", .service = "http", .family = AF_INET, .type = SOCK_STREAM};
    r = party_lookup_create(loop, NULL, &lookup);
    r = r < 0 ? r : party_lookup_start(lookup, &question, found, &finding, NULL);
    for (int i = 0; i < TURNS_MAX && r >= 0 && !finding.came; i++) {
        r = party_loop_run_once(loop, PATIENCE_S * 1000);
    }
    party_lookup_destroy(lookup);
    party_loop_destroy(loop);
    return r < 0 ? r : finding.came ? finding.result : WRONG_ANSWER;
}

static void test_lookups_meet_every_error(void **state)
{
    (void)state;
    assert_true(fault_check(look_up, NULL, NULL) > 5);
}

int main(void)
{
    /* A run that hangs ends the program. */
    (void)alarm(110);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes_meet_every_error),
        cmocka_unit_test(test_threads_meet_every_error),
        cmocka_unit_test(test_cutting_a_child_meets_every_error),
        cmocka_unit_test(test_servers_without_descriptors_leak_none),
        cmocka_unit_test(test_lookups_meet_every_error),
    };
    return cmocka_run_group_tests_name("fault_server", tests, NULL, NULL);
}
