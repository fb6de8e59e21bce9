/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/require.h"
#include "server/server_internal.h"

/*
 * The end with a deadline.
 *
 * The listening socket is shut down at once, by which the kernel refuses who comes from now on,
 * even while the serving thread is still busy; one that the caller gave (settings.sock) may be
 * shared with other processes and is only no longer accepted from. Then all that is left to do is
 * to wait for the list of requests to become empty, and to help it at the deadline.
 *
 * A thread whose handler does not return cannot be ended from outside. It is left behind: it holds
 * references to what it uses, and these are freed when it returns after all.
 */

static int begin_drain(struct party_server *server, bool *ret_closed)
{
    int r = 0;
    (void)pthread_mutex_lock(&server->lock);
    if (server->draining) {
        r = -EBUSY;
    } else if (party__server_is_serving_thread(server) || party__server_is_runner(server)) {
        r = -EDEADLK;
    } else if (!server->closed) {
        server->draining = true;
    }
    *ret_closed = server->closed;
    (void)pthread_mutex_unlock(&server->lock);
    return r;
}

void party__server_refuse(struct party_server *server)
{
    if (server->sock != NULL && server->settings.kind == PARTY_SERVER_STREAM &&
        server->settings.sock == NULL) {
        int r = party_sock_shutdown(server->sock, SHUT_RD);
        (void)r; /* one that was never made to listen has nothing to stop */
    }
}

static void stop_accepting(struct party_server *server)
{
    atomic_store(&server->stopping, true);
    if (server->model->begin_drain != NULL) {
        server->model->begin_drain(server);
    } else {
        party_server_stop(server);
        party__server_refuse(server);
    }
}

/* ---- waiting, with the lock held ---- */

static bool nothing_runs(const struct party_server *server)
{
    bool must_not_serve = server->model->begin_drain == NULL;
    return server->active_count == 0 && !(must_not_serve && server->serving);
}

static bool nobody_serves(const struct party_server *server)
{
    return !server->serving;
}

static bool await(struct party_server *server, bool (*condition)(const struct party_server *server),
                  int64_t deadline_ns)
{
    struct timespec deadline = {.tv_sec = deadline_ns / PARTY__NS_PER_S,
                                .tv_nsec = deadline_ns % PARTY__NS_PER_S};
    while (!condition(server)) {
        int error = deadline_ns == PARTY__NEVER_NS
                        ? pthread_cond_wait(&server->changed, &server->lock)
                        : pthread_cond_timedwait(&server->changed, &server->lock, &deadline);
        if (error != 0) {
            return condition(server);
        }
    }
    return true;
}

/* Streams of loops that nobody runs will not end by themselves. */
static bool stands_still(const struct party_server *server)
{
    return server->model->begin_drain != NULL && !server->serving;
}

/* Serving may end, by a stop, while the requests are waited for. */
static bool nothing_ends_any_more(const struct party_server *server)
{
    return nothing_runs(server) || stands_still(server);
}

static bool await_requests(struct party_server *server, int64_t deadline_ns)
{
    (void)pthread_mutex_lock(&server->lock);
    (void)await(server, nothing_ends_any_more, deadline_ns);
    bool is_quiet = nothing_runs(server);
    (void)pthread_mutex_unlock(&server->lock);
    if (is_quiet && server->model->await_children != NULL) {
        is_quiet = server->model->await_children(server, deadline_ns);
    }
    return is_quiet;
}

/* ---- cutting ---- */

void party__drained_add(struct party_server_drained *drained, const struct party_address *client)
{
    if (drained->cut == 0 || drained->clients != NULL) {
        struct party_address *more =
            reallocarray(drained->clients, drained->cut + 1, sizeof(*drained->clients));
        if (more == NULL) {
            free(drained->clients);
        } else {
            more[drained->cut] = *client;
        }
        drained->clients = more;
    }
    drained->cut++;
}

static void cut_requests(struct party_server *server, struct party_server_drained *drained)
{
    (void)pthread_mutex_lock(&server->lock);
    if (server->model->await_children != NULL) {
        /* The children are the serving thread's until it is out of there, which takes it no longer
           than the steps of the program's do. */
        (void)await(server, nobody_serves, party__deadline_ns(PARTY_SERVER_CUT_MS));
    }
    for (struct party__request *request = server->active; request != NULL;
         request = request->next) {
        party__drained_add(drained, &request->pub.client_address);
        if (request->fd != -1) {
            (void)shutdown(request->fd, SHUT_RDWR); /* fails where the peer has gone: as good */
        }
    }
    (void)pthread_mutex_unlock(&server->lock);
    if (server->model->cut != NULL) {
        server->model->cut(server, drained);
    }
}

/* Returns: how many handlers are left behind. */
static size_t close_drained(struct party_server *server)
{
    if (server->model->begin_drain != NULL) {
        party_server_stop(server);
    }
    (void)pthread_mutex_lock(&server->lock);
    (void)await(server, nobody_serves, party__deadline_ns(PARTY_SERVER_CUT_MS));
    bool is_served = server->serving;
    size_t stuck = stands_still(server) ? 0 : server->active_count;
    server->left_behind = stuck > 0;
    server->closed = true;
    server->close_is_left = is_served;
    (void)pthread_mutex_unlock(&server->lock);
    if (!is_served) {
        party__server_close_rest(server, true);
        stuck += server->model->count_stuck != NULL ? server->model->count_stuck(server) : 0;
    }
    (void)pthread_mutex_lock(&server->lock);
    server->draining = false;
    (void)pthread_mutex_unlock(&server->lock);
    return stuck;
}

static uint64_t count_ended(struct party_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    uint64_t count = server->ended_count;
    (void)pthread_mutex_unlock(&server->lock);
    return count;
}

int party_server_drain(struct party_server *server, int64_t timeout_ms,
                       struct party_server_drained *ret_drained)
{
    PARTY__REQUIRE(-EINVAL, server);
    if (timeout_ms < -1) {
        return -EINVAL;
    }
    bool was_closed;
    int r = begin_drain(server, &was_closed);
    if (r < 0) {
        return r;
    }
    struct party_server_drained drained = {0};
    if (!was_closed) {
        uint64_t ended_before = count_ended(server);
        int64_t deadline_ns = party__deadline_ns(timeout_ms);
        stop_accepting(server);
        bool is_quiet = await_requests(server, deadline_ns);
        drained.finished = (size_t)(count_ended(server) - ended_before);
        if (!is_quiet) {
            cut_requests(server, &drained);
            (void)await_requests(server, party__deadline_ns(PARTY_SERVER_CUT_MS));
        }
        drained.stuck = close_drained(server);
    }
    if (ret_drained != NULL) {
        *ret_drained = drained;
    } else {
        party_server_drained_finish(&drained);
    }
    return 0;
}

void party_server_drained_finish(struct party_server_drained *drained)
{
    if (drained != NULL) {
        free(drained->clients);
        memset(drained, 0, sizeof(*drained));
    }
}
