/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/server_internal.h"
#include "server/server_loops.h"

/*
 * The loops model: making the loops, running them in threads, ending them.
 *
 * The loops are made when somebody first serves, and stay until close, because the streams live in
 * them. While somebody serves each belongs to its thread, and what others want of it goes there as
 * a task; while nobody does they belong to who closes. The first loop runs in the serving thread
 * and watches stop_fd; it stops the others.
 *
 * Where the server has made and bound its socket itself, each further loop has a socket of its own
 * at the same address, over which the kernel spreads the connections evenly; else all loops share
 * one.
 */

/* ---- listening sockets ---- */

static bool may_share_port(const struct party_server *server)
{
    int family = party_sock_family(server->sock);
    /* Who binds in his own time may have set options, which no other socket would have. */
    return (family == AF_INET || family == AF_INET6) && server->settings.ops.server_bind == NULL &&
           !server->settings.no_bind_and_activate;
}

/* Returns: a descriptor bound to the server's address, or -errno. */
static int bind_beside(struct party_server *server)
{
    struct party_sock *sock;
    int r = party_sock_socket(party_sock_family(server->sock), SOCK_STREAM, 0, &sock);
    if (r < 0) {
        return r;
    }
    r = party_sock_setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, 1);
    if (r == 0 && server->settings.allow_reuse_address) {
        r = party_sock_setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, 1);
    }
    if (r == 0) {
        r = party_sock_bind(sock, &server->address);
    }
    if (r < 0) {
        (void)party_sock_close(sock);
        return r;
    }
    return party_sock_detach(sock);
}

static void close_sockets(struct party__loops *loops)
{
    for (size_t i = 0; i < loops->wanted; i++) {
        if (loops->places[i].own_fd != -1) {
            (void)close(loops->places[i].own_fd);
            loops->places[i].own_fd = -1;
        }
    }
}

/*
 * All are bound before the first listens: a connection that came between would belong to a socket
 * that does not share the port, and no other could be bound beside it. The server's own socket
 * shares it only once it has it, so that a port in use is noticed.
 */
static int bind_sockets(struct party_server *server)
{
    struct party__loops *loops = server->loops;
    int r = party_sock_setsockopt(server->sock, SOL_SOCKET, SO_REUSEPORT, 1);
    for (size_t i = 1; r == 0 && i < loops->wanted; i++) {
        if (loops->places[i].own_fd != -1) {
            continue; /* activated before */
        }
        int fd = bind_beside(server);
        loops->places[i].own_fd = fd < 0 ? -1 : fd;
        r = fd < 0 ? fd : 0;
    }
    return r;
}

static int loops_activate(struct party_server *server)
{
    struct party__loops *loops = server->loops;
    int backlog = (int)server->settings.request_queue_size;
    int r = may_share_port(server) ? bind_sockets(server) : 0;
    if (r == 0) {
        r = party_sock_listen(server->sock, backlog);
    }
    for (size_t i = 1; r == 0 && i < loops->wanted; i++) {
        if (loops->places[i].own_fd != -1 && listen(loops->places[i].own_fd, backlog) == -1) {
            r = -errno;
        }
    }
    if (r < 0) {
        close_sockets(loops);
    }
    return r;
}

/* Returns: the descriptor a loop takes connections or packets from, the loop's own, or -errno. */
static int loop_fd(struct party_server *server, size_t index)
{
    int fd = server->loops->places[index].own_fd;
    fd = fcntl(fd != -1 ? fd : party_sock_fileno(server->sock), F_DUPFD_CLOEXEC, 0);
    return fd == -1 ? -errno : fd;
}

/* ---- making and ending the loops ---- */

/* Under the lock, as shutdown looks from other threads whether it is called in a loop's. */
static void set_count(struct party_server *server, size_t count)
{
    (void)pthread_mutex_lock(&server->lock);
    server->loops->count = count;
    (void)pthread_mutex_unlock(&server->lock);
}

static int make_loop(struct party_server *server, size_t index)
{
    struct party__server_loop *place = &server->loops->places[index];
    const struct party_loop_settings settings = {
        .backend = server->settings.loop_backend,
        .log = server->settings.log,
        .log_user = server->settings.log_user,
    };
    place->server = server;
    place->packets_fd = -1;
    int r = party_loop_create(&settings, &place->loop);
    if (r < 0) {
        return r;
    }
    int fd = loop_fd(server, index);
    r = fd < 0 ? fd : party__server_loop_begin(place, fd);
    if (r < 0) {
        if (fd >= 0) {
            (void)close(fd);
        }
        party_loop_destroy(place->loop);
        return r;
    }
    set_count(server, index + 1);
    return 0;
}

static void destroy_loops(struct party_server *server)
{
    struct party__loops *loops = server->loops;
    if (loops->count > 0) {
        party_watch_stop(&loops->stop);
    }
    while (loops->count > 0) {
        struct party__server_loop *place = &loops->places[loops->count - 1];
        set_count(server, loops->count - 1);
        party__server_loop_stop_accepting(place);
        party__server_loop_close_streams(place);
        party_loop_destroy(place->loop);
    }
}

static void on_stop(struct party_watch *watch, unsigned events, void *user)
{
    (void)watch;
    (void)events;
    struct party_server *server = user;
    atomic_store(&server->stopping, true);
    server->loops->stopped = true;
}

static int make_loops(struct party_server *server)
{
    struct party__loops *loops = server->loops;
    int r = 0;
    while (r == 0 && loops->count < loops->wanted) {
        r = make_loop(server, loops->count);
    }
    if (r == 0 && loops->stop.loop == NULL) {
        r = party_watch_start(loops->places[0].loop, &loops->stop, server->stop_fd, PARTY_READ,
                              on_stop, server);
    }
    if (r < 0) {
        destroy_loops(server);
        return r;
    }
    (void)pthread_mutex_lock(&server->lock);
    loops->is_open = true;
    (void)pthread_mutex_unlock(&server->lock);
    return 0;
}

/* ---- running them ---- */

static void *run_loop(void *user)
{
    struct party__server_loop *place = user;
    struct party_server *server = place->server;
    (void)pthread_mutex_lock(&server->lock);
    place->self = pthread_self();
    place->is_running = true;
    (void)pthread_mutex_unlock(&server->lock);
    place->result = party_loop_run(place->loop);
    (void)pthread_mutex_lock(&server->lock);
    place->is_running = false;
    (void)pthread_mutex_unlock(&server->lock);
    if (place->result < 0) {
        party_server_stop(server);
    }
    return NULL;
}

static int run_first_loop(struct party_server *server)
{
    struct party__loops *loops = server->loops;
    int64_t interval_ms = server->settings.service_interval_ms;
    int timeout_ms = interval_ms > 0 && interval_ms < INT32_MAX ? (int)interval_ms : -1;
    loops->stopped = false;
    while (!loops->stopped) {
        int r = party_loop_run_once(loops->places[0].loop, timeout_ms);
        if (r < 0) {
            return r;
        }
        party__step_service_actions(server);
    }
    return 0;
}

static int loops_serve(struct party_server *server)
{
    struct party__loops *loops = server->loops;
    int r = make_loops(server);
    if (r < 0) {
        return r;
    }
    size_t started = 1;
    while (r == 0 && started < loops->count) {
        struct party__server_loop *place = &loops->places[started];
        r = party__thread_create(&place->to_join, false, run_loop, place);
        started += r == 0;
    }
    if (r == 0) {
        r = run_first_loop(server);
    }
    for (size_t i = 1; i < started; i++) {
        party_loop_stop(loops->places[i].loop);
        (void)pthread_join(loops->places[i].to_join, NULL);
        r = r < 0 ? r : loops->places[i].result;
    }
    party__server_forget_stop(server);
    return r;
}

static bool loops_is_serving_thread(const struct party_server *server)
{
    const struct party__loops *loops = server->loops;
    for (size_t i = 1; i < loops->count; i++) {
        const struct party__server_loop *place = &loops->places[i];
        if (place->is_running && pthread_equal(place->self, pthread_self())) {
            return true;
        }
    }
    return false;
}

/* ---- draining ---- */

static void on_drain(struct party_task *task, void *user)
{
    (void)task;
    struct party__server_loop *place = user;
    party__server_loop_stop_accepting(place);
    if (place->own_fd != -1) {
        (void)shutdown(place->own_fd, SHUT_RD);
    } else {
        party__server_refuse(place->server);
    }
    party__server_loop_tell(place);
}

static void on_cut(struct party_task *task, void *user)
{
    (void)task;
    party__server_loop_close_streams(user);
}

static void loops_begin_drain(struct party_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    bool is_open = server->loops->is_open;
    (void)pthread_mutex_unlock(&server->lock);
    if (!is_open) {
        party_server_stop(server); /* nothing was accepted yet, and now nothing will be */
        return;
    }
    for (size_t i = 0; i < server->loops->count; i++) {
        struct party__server_loop *place = &server->loops->places[i];
        party_task_init(&place->drain_task, on_drain, place);
        party_loop_post(place->loop, &place->drain_task);
    }
}

static void loops_cut(struct party_server *server, struct party_server_drained *drained)
{
    (void)drained;
    (void)pthread_mutex_lock(&server->lock);
    bool is_open = server->loops->is_open;
    (void)pthread_mutex_unlock(&server->lock);
    if (!is_open) {
        return;
    }
    for (size_t i = 0; i < server->loops->count; i++) {
        struct party__server_loop *place = &server->loops->places[i];
        party_task_init(&place->cut_task, on_cut, place);
        party_loop_post(place->loop, &place->cut_task);
    }
}

/* ---- the model ---- */

static size_t count_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (size_t)count : 1;
}

static int loops_open(struct party_server *server)
{
    size_t wanted = server->settings.max_threads;
    wanted = wanted > 0 ? wanted : count_processors();
    struct party__loops *loops =
        calloc(1, sizeof(*loops) + wanted * sizeof(struct party__server_loop));
    if (loops == NULL) {
        return -ENOMEM;
    }
    loops->wanted = wanted;
    for (size_t i = 0; i < wanted; i++) {
        loops->places[i].own_fd = -1;
    }
    if (server->settings.stream != NULL) {
        loops->stream_ops = *server->settings.stream;
    }
    loops->stream_ops.on_close = party__server_stream_closed;
    server->loops = loops;
    return 0;
}

static void loops_close(struct party_server *server, bool wait)
{
    (void)wait;
    destroy_loops(server);
    close_sockets(server->loops);
}

static void loops_release(struct party_server *server)
{
    if (server->loops != NULL) {
        destroy_loops(server);
        close_sockets(server->loops);
        free(server->loops);
        server->loops = NULL;
    }
}

const struct party__server_model party__server_loops = {
    .open = loops_open,
    .activate = loops_activate,
    .serve = loops_serve,
    .process_request = party__process_here,
    .is_serving_thread = loops_is_serving_thread,
    .begin_drain = loops_begin_drain,
    .cut = loops_cut,
    .close = loops_close,
    .release = loops_release,
};
