/* SPDX-License-Identifier: MIT */
#include <partyline/server.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>
#include <partyline/stream.h>

#include "base/clock.h"
#include "base/require.h"
#include "loop/loop_internal.h"
#include "server/server_internal.h"

/*
 * The life of a server.
 *
 *   created --serve_forever, handle_request--> serving --told to stop--> created
 *   created --close, drain--> closed --destroy, and the last reference dropped--> freed
 *
 * One thread serves at a time; `serving` says so under the lock, and close waits for no one but
 * refuses while it is set. The memory is counted: its owner holds a reference, and so do each
 * request and each thread of the pool, as those may outlive close and destroy.
 */

#define PROCESSES_TIMEOUT_MS 300000 /* Python's ForkingMixIn.timeout */

static const struct party__server_model *const models[] = {
    [PARTY_SERVER_SERIAL] = &party__server_serial,
    [PARTY_SERVER_THREADS] = &party__server_threads,
    [PARTY_SERVER_PROCESSES] = &party__server_processes,
    [PARTY_SERVER_LOOPS] = &party__server_loops,
};

/* ---- making ---- */

static int check(const struct party_server_settings *settings)
{
    if (settings->kind != PARTY_SERVER_STREAM && settings->kind != PARTY_SERVER_DATAGRAM) {
        return -EINVAL;
    }
    if ((size_t)settings->model >= sizeof(models) / sizeof(models[0]) ||
        settings->service_interval_ms < 0 || settings->handler.timeout_ms < 0) {
        return -EINVAL;
    }
    if (settings->model == PARTY_SERVER_LOOPS && settings->kind == PARTY_SERVER_STREAM &&
        (settings->stream == NULL || settings->stream->on_data == NULL)) {
        return -EINVAL;
    }
    if (settings->model == PARTY_SERVER_LOOPS && !party__backend_is_known(settings->loop_backend)) {
        return -EINVAL;
    }
    if (settings->sock != NULL) {
        bool is_datagram = party_sock_type(settings->sock) == SOCK_DGRAM;
        return is_datagram == (settings->kind == PARTY_SERVER_DATAGRAM) ? 0 : -EINVAL;
    }
    if (settings->address_family != 0 &&
        settings->address_family != party_address_family(&settings->address)) {
        return -EAFNOSUPPORT;
    }
    return 0;
}

static void set_default(unsigned *value, unsigned default_value)
{
    if (*value == 0) {
        *value = default_value;
    }
}

static void fill_defaults(struct party_server_settings *settings)
{
    set_default(&settings->request_queue_size, settings->model == PARTY_SERVER_LOOPS
                                                   ? PARTY_SERVER_LOOPS_QUEUE_SIZE
                                                   : PARTY_SERVER_REQUEST_QUEUE_SIZE);
    set_default(&settings->max_children, PARTY_SERVER_MAX_CHILDREN);
    if (settings->model != PARTY_SERVER_LOOPS) {
        set_default(&settings->max_threads, PARTY_SERVER_MAX_THREADS);
    }
    if (settings->max_packet_size == 0) {
        settings->max_packet_size = PARTY_SERVER_MAX_PACKET_SIZE;
    }
}

void party__server_init_lock(struct party_server *server)
{
    pthread_condattr_t attributes;
    /* None of these fails on Linux: they only fill in memory. */
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->changed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static int open_sock(struct party_server *server)
{
    const struct party_server_settings *settings = &server->settings;
    int r;
    if (settings->sock != NULL) {
        server->sock = settings->sock;
    } else {
        int type = settings->kind == PARTY_SERVER_DATAGRAM ? SOCK_DGRAM : SOCK_STREAM;
        r = party_sock_socket(party_address_family(&settings->address), type, 0, &server->sock);
        if (r < 0) {
            return r;
        }
    }
    /* What poll promised may be gone when accept is called. Packets are read without waiting by a
       flag, as the socket has to wait for room when an answer is sent. */
    r = party_sock_settimeout(server->sock, settings->kind == PARTY_SERVER_DATAGRAM ? -1 : 0);
    if (r < 0 || settings->sock == NULL) {
        return r;
    }
    return party_sock_getsockname(server->sock, &server->address);
}

static int open_server(struct party_server *server)
{
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd == -1) {
        return -errno;
    }
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->wake_fd == -1) {
        return -errno;
    }
    int r = open_sock(server);
    if (r == 0 && server->model->open != NULL) {
        r = server->model->open(server);
    }
    if (r < 0 || server->settings.no_bind_and_activate || server->settings.sock != NULL) {
        return r;
    }
    r = party__step_server_bind(server);
    return r < 0 ? r : party__step_server_activate(server);
}

static void free_server(struct party_server *server)
{
    if (server->model->release != NULL) {
        server->model->release(server);
    }
    (void)party_sock_close(server->sock);
    if (server->stop_fd != -1) {
        (void)close(server->stop_fd);
    }
    if (server->wake_fd != -1) {
        (void)close(server->wake_fd);
    }
    (void)pthread_cond_destroy(&server->changed);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}

int party_server_create(const struct party_server_settings *settings,
                        struct party_server **ret_server)
{
    PARTY__REQUIRE(-EINVAL, settings, ret_server);
    int r = check(settings);
    if (r < 0) {
        return r;
    }
    struct party_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return -ENOMEM;
    }
    server->settings = *settings;
    fill_defaults(&server->settings);
    server->model = models[settings->model];
    server->address = settings->address;
    server->timeout_ms = settings->model == PARTY_SERVER_PROCESSES ? PROCESSES_TIMEOUT_MS : -1;
    server->references = 1;
    server->stop_fd = -1;
    server->wake_fd = -1;
    party__server_init_lock(server);
    r = open_server(server);
    if (r < 0) {
        if (settings->sock != NULL) {
            server->sock = NULL; /* still the caller's */
        }
        free_server(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

void party__server_unref(struct party_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    bool is_last = --server->references == 0;
    (void)pthread_mutex_unlock(&server->lock);
    if (is_last) {
        free_server(server);
    }
}

int party_server_bind(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    return server->sock == NULL ? -EBADF : party__step_server_bind(server);
}

int party_server_activate(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    return server->sock == NULL ? -EBADF : party__step_server_activate(server);
}

/* ---- looking at it ---- */

const struct party_address *party_server_address(const struct party_server *server)
{
    PARTY__REQUIRE(NULL, server);
    return &server->address;
}

struct party_sock *party_server_sock(const struct party_server *server)
{
    PARTY__REQUIRE(NULL, server);
    return server->sock;
}

int party_server_fileno(const struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    return server->sock == NULL ? -1 : party_sock_fileno(server->sock);
}

int party_server_settimeout(struct party_server *server, int64_t timeout_ms)
{
    PARTY__REQUIRE(-EINVAL, server);
    if (timeout_ms < -1) {
        return -EINVAL;
    }
    server->timeout_ms = timeout_ms;
    return 0;
}

int64_t party_server_gettimeout(const struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    return server->timeout_ms;
}

bool party_server_is_stopping(const struct party_server *server)
{
    PARTY__REQUIRE(false, server);
    return atomic_load(&server->stopping);
}

void party__server_log(const struct party_server *server, enum party_log_level level,
                       const char *what, const struct party_address *client, const char *cause)
{
    if (server->settings.log == NULL) {
        return;
    }
    char name[PARTY_ADDRESS_TEXT_MAX];
    char message[PARTY_ADDRESS_TEXT_MAX + 200];
    (void)snprintf(message, sizeof(message), "%s %s: %s", what,
                   party_address_format(client, name, sizeof(name)), cause);
    server->settings.log(level, message, server->settings.log_user);
}

/* ---- serving ---- */

bool party__server_is_serving_thread(const struct party_server *server)
{
    return server->serving &&
           (pthread_equal(server->serving_thread, pthread_self()) ||
            (server->model->is_serving_thread != NULL && server->model->is_serving_thread(server)));
}

bool party__server_is_runner(const struct party_server *server)
{
    for (const struct party__request *request = server->active; request != NULL;
         request = request->next) {
        if (request->running && pthread_equal(request->runner, pthread_self())) {
            return true;
        }
    }
    return false;
}

static int begin_to_serve(struct party_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    int r = 0;
    if (server->closed) {
        r = -EBADF;
    } else if (server->serving || server->draining) {
        r = -EBUSY;
    } else {
        server->serving = true;
        server->serving_thread = pthread_self();
        server->turn++;
        server->references++; /* a drain that gives up on this thread must not free it */
        atomic_store(&server->stopping, false);
    }
    (void)pthread_mutex_unlock(&server->lock);
    return r;
}

static void end_serving(struct party_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->serving = false;
    bool must_close = server->close_is_left;
    (void)pthread_cond_broadcast(&server->changed);
    (void)pthread_mutex_unlock(&server->lock);
    if (must_close) {
        party__server_close_rest(server, false);
    }
    party__server_unref(server);
}

static int serve_until_stop(struct party_server *server)
{
    for (;;) {
        int r = party__server_wait(server, PARTY__NEVER_NS);
        if (r < 0) {
            return r;
        }
        if (r == PARTY__WAKE_STOP) {
            party__server_forget_stop(server);
            return 0;
        }
        if (r == PARTY__WAKE_REQUEST) {
            party__server_back_off(server, party__server_take_request(server));
        }
        party__step_service_actions(server);
    }
}

int party_server_serve_forever(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    int r = begin_to_serve(server);
    if (r < 0) {
        return r;
    }
    r = server->model->serve != NULL ? server->model->serve(server) : serve_until_stop(server);
    end_serving(server);
    return r;
}

static int serve_once(struct party_server *server)
{
    int64_t deadline_ns = party__deadline_ns(server->timeout_ms);
    for (;;) {
        int r = party__server_wait(server, deadline_ns);
        switch (r) {
        case PARTY__WAKE_REQUEST:
            r = party__server_take_request(server);
            party__server_back_off(server, r);
            return r;
        case PARTY__WAKE_STOP:
            party__server_forget_stop(server);
            return 0;
        case PARTY__WAKE_TIMEOUT:
            party__step_handle_timeout(server);
            return 0;
        case PARTY__WAKE_OTHER:
            break;
        default:
            return r;
        }
    }
}

int party_server_handle_request(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    if (server->settings.model == PARTY_SERVER_LOOPS) {
        return -EOPNOTSUPP;
    }
    int r = begin_to_serve(server);
    if (r < 0) {
        return r;
    }
    r = serve_once(server);
    end_serving(server);
    return r;
}

void party_server_shutdown(struct party_server *server)
{
    PARTY__REQUIRE_VOID(server);
    party_server_stop(server);
    (void)pthread_mutex_lock(&server->lock);
    if (!server->is_child && !party__server_is_serving_thread(server)) {
        uint64_t turn = server->turn;
        while (server->serving && server->turn == turn) {
            (void)pthread_cond_wait(&server->changed, &server->lock);
        }
    }
    (void)pthread_mutex_unlock(&server->lock);
}

/* ---- the end ---- */

void party__server_close_rest(struct party_server *server, bool wait)
{
    atomic_store(&server->stopping, true);
    /* Requests that answer packets by this socket hold it open until they are done. */
    (void)party_sock_close(server->sock);
    server->sock = NULL;
    if (server->model->close != NULL) {
        server->model->close(server, wait);
    }
}

int party_server_close(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    (void)pthread_mutex_lock(&server->lock);
    int r = 0;
    if (server->serving || server->draining) {
        r = -EBUSY;
    } else if (party__server_is_runner(server)) {
        r = -EDEADLK;
    }
    bool is_first = r == 0 && !server->closed;
    if (is_first) {
        server->closed = true;
    }
    (void)pthread_mutex_unlock(&server->lock);
    if (is_first) {
        party__server_close_rest(server, !server->settings.no_block_on_close);
    }
    return r;
}

void party_server_destroy(struct party_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)party_server_close(server);
    party__server_unref(server);
}
