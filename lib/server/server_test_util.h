/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_TEST_UTIL_H
#define PARTYLINE_SERVER_TEST_UTIL_H

/*
 * What the tests of servers share: a server that is served by a thread, clients with plain system
 * calls, and a handler whose steps are counted. Handlers run in other threads, where cmocka's
 * asserts would jump to the wrong stack, so they count and the test asserts.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <partyline/error.h>
#include <partyline/server.h>
#include <partyline/sock.h>

#include "fail_malloc.h"

/* As long as nothing is wrong no test waits so long. */
#define PATIENCE_MS 20000

struct tally {
    atomic_uint setups, handled, finished, errors, timeouts, actions, verified, logged;
    atomic_int error; /* handle_error's last */
    char last_log[512];
    pthread_mutex_t log_lock;
};

static inline void tally_log(enum party_log_level level, const char *message, void *user)
{
    struct tally *tally = user;
    (void)level;
    (void)pthread_mutex_lock(&tally->log_lock);
    (void)snprintf(tally->last_log, sizeof(tally->last_log), "%s", message);
    (void)pthread_mutex_unlock(&tally->log_lock);
    atomic_fetch_add(&tally->logged, 1);
}

static inline void tally_error(struct party_server *server, struct party_request *request,
                               int error, void *user)
{
    struct tally *tally = user;
    (void)server;
    (void)request;
    atomic_store(&tally->error, error);
    atomic_fetch_add(&tally->errors, 1);
}

/* Sends back what comes, until the end; a packet once. */
static inline int echo(struct party_request *request, void *user)
{
    (void)user;
    if (request->packet != NULL) {
        const struct party_address *client = &request->client_address;
        ssize_t n = sendto(party_sock_fileno(request->sock), request->packet, request->packet_len,
                           MSG_NOSIGNAL, &client->u.sa, client->len);
        return n == -1 ? -errno : 0;
    }
    char bytes[4096];
    for (;;) {
        ssize_t n = party_sock_recv_into(request->sock, bytes, sizeof(bytes), 0);
        if (n <= 0) {
            return (int)n;
        }
        int r = party_sock_sendall(request->sock, bytes, (size_t)n, 0);
        if (r < 0) {
            return r;
        }
    }
}

static inline struct party_address loopback(void)
{
    struct party_address address;
    assert_int_equal(party_address_parse("127.0.0.1:0", &address), 0);
    return address;
}

static inline struct party_server_settings settings_for(struct tally *tally,
                                                        int (*handle)(struct party_request *,
                                                                      void *))
{
    memset(tally, 0, sizeof(*tally));
    (void)pthread_mutex_init(&tally->log_lock, NULL);
    return (struct party_server_settings){
        .address = loopback(),
        .handler = {.handle = handle},
        .user = tally,
        .log = tally_log,
        .log_user = tally,
    };
}

static inline struct party_server *open_with(const struct party_server_settings *settings)
{
    struct party_server *server = NULL;
    assert_int_equal(party_server_create(settings, &server), 0);
    assert_non_null(server);
    return server;
}

/* ---- a thread that serves ---- */

struct serving {
    struct party_server *server;
    pthread_t thread;
    int result;
};

static inline void *serve_in_thread(void *user)
{
    struct serving *serving = user;
    serving->result = party_server_serve_forever(serving->server);
    return NULL;
}

static inline void start_serving(struct serving *serving, struct party_server *server)
{
    serving->server = server;
    serving->result = 1;
    assert_int_equal(pthread_create(&serving->thread, NULL, serve_in_thread, serving), 0);
}

static inline void join_serving(struct serving *serving)
{
    assert_int_equal(pthread_join(serving->thread, NULL), 0);
    assert_int_equal(serving->result, 0);
}

static inline void stop_serving(struct serving *serving)
{
    party_server_shutdown(serving->server);
    join_serving(serving);
}

/* ---- a thread that drains ---- */

struct draining {
    struct party_server *server;
    int64_t timeout_ms;
    pthread_t thread;
    int result;
    struct party_server_drained drained;
};

static inline void *drain_in_thread(void *user)
{
    struct draining *draining = user;
    draining->result =
        party_server_drain(draining->server, draining->timeout_ms, &draining->drained);
    return NULL;
}

static inline void start_draining(struct draining *draining, struct party_server *server,
                                  int64_t timeout_ms)
{
    memset(draining, 0, sizeof(*draining));
    draining->server = server;
    draining->timeout_ms = timeout_ms;
    draining->result = 1;
    assert_int_equal(pthread_create(&draining->thread, NULL, drain_in_thread, draining), 0);
    /* What ends from here on counts as ended in the drain. */
    while (!party_server_is_stopping(server)) {
        (void)sched_yield();
    }
}

static inline void join_draining(struct draining *draining, size_t finished, size_t cut,
                                 size_t stuck)
{
    assert_int_equal(pthread_join(draining->thread, NULL), 0);
    assert_int_equal(draining->result, 0);
    assert_int_equal(draining->drained.finished, finished);
    assert_int_equal(draining->drained.cut, cut);
    assert_int_equal(draining->drained.stuck, stuck);
}

/* ---- clients ---- */

static inline int dial_address(const struct party_address *address, int type)
{
    int fd = socket(party_address_family(address), type | SOCK_CLOEXEC, 0);
    assert_int_not_equal(fd, -1);
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    assert_int_equal(connect(fd, &address->u.sa, address->len), 0);
    return fd;
}

static inline int dial(const struct party_server *server)
{
    return dial_address(party_server_address(server), SOCK_STREAM);
}

static inline void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Reads exactly the text. */
static inline void expect(int fd, const char *text)
{
    char got[1024];
    size_t len = strlen(text);
    size_t have = 0;
    assert_true(len < sizeof(got));
    while (have < len) {
        ssize_t n = recv(fd, got + have, len - have, 0);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, text, len);
}

static inline uint16_t own_port(int fd)
{
    struct sockaddr_in own;
    socklen_t len = sizeof(own);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
    return ntohs(own.sin_port);
}

/* The server has closed the connection, in good order. */
static inline void expect_end(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 0);
    assert_int_equal(close(fd), 0);
}

static inline void hang_up(int fd)
{
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    expect_end(fd);
}

static inline void echo_once(const struct party_server *server, const char *text)
{
    int fd = dial(server);
    say(fd, text);
    expect(fd, text);
    hang_up(fd);
}

#endif
