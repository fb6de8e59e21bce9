/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>
#include <partyline/listener.h>
#include <partyline/loop.h>
#include <partyline/stream.h>

#include "server/accept_error.h"
#include "server/server_internal.h"
#include "server/server_loops.h"

/*
 * The loops model: what happens in one loop. server_loop_threads.c makes the loops and runs them.
 *
 * A connection is a stream whose user is its request. The request is in its loop's list until the
 * stream's on_close, where it is freed; this comes in the loop's reap phase, so the list may be
 * walked while streams are closed.
 *
 * Packets are taken by whichever loop the kernel wakes, and handled at once.
 */

#define PACKETS_PER_TURN 64

/* ---- streams ---- */

static void link_request(struct party__server_loop *place, struct party__request *request)
{
    request->place = place;
    request->place_next = place->streams;
    if (request->place_next != NULL) {
        request->place_next->place_prev = request;
    }
    place->streams = request;
}

static void unlink_request(struct party__request *request)
{
    struct party__server_loop *place = request->place;
    if (request->place_prev != NULL) {
        request->place_prev->place_next = request->place_next;
    } else {
        place->streams = request->place_next;
    }
    if (request->place_next != NULL) {
        request->place_next->place_prev = request->place_prev;
    }
}

void party__server_stream_closed(struct party_stream *stream, int reason, void *user)
{
    struct party__request *request = user;
    struct party_server *server = request->pub.server;
    const struct party_handler *handler = &server->settings.handler;
    if (request->is_set_up) {
        if (server->settings.stream->on_close != NULL) {
            server->settings.stream->on_close(stream, reason, &request->pub);
        }
        int r = handler->finish != NULL ? handler->finish(&request->pub, request->pub.user) : 0;
        if (r < 0) {
            party__step_handle_error(server, &request->pub, r);
        }
    }
    unlink_request(request);
    party__request_free(request);
}

/* Gives verify_request a socket to look at. Returns: whether to go on, and if not, fd is closed. */
static bool verify(struct party_server *server, struct party__request *request, int fd)
{
    if (server->settings.ops.verify_request == NULL) {
        return true;
    }
    int r = party_sock_adopt(fd, -1, -1, -1, &request->pub.sock);
    if (r < 0) {
        party__step_handle_error(server, &request->pub, r);
        (void)close(fd);
        party__request_free(request);
        return false;
    }
    if (!party__step_verify_request(server, &request->pub)) {
        party_server_shutdown_request(server, &request->pub);
        return false;
    }
    int same_fd = party_sock_detach(request->pub.sock);
    (void)same_fd;
    request->pub.sock = NULL;
    return true;
}

static int make_stream(struct party__server_loop *place, struct party__request *request, int fd)
{
    struct party_server *server = place->server;
    int on = 1;
    if (server->settings.handler.disable_nagle_algorithm &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1) {
        return -errno;
    }
    return party_stream_create(place->loop, fd, &server->loops->stream_ops,
                               server->settings.stream_limits, request, &request->pub.stream);
}

static void on_connection(struct party_listener *listener, int fd, const struct party_address *peer,
                          void *user)
{
    (void)listener;
    struct party__server_loop *place = user;
    struct party_server *server = place->server;
    struct party__request *request;
    int r = party__request_new(server, 0, &request);
    if (r < 0) {
        party__server_log(server, PARTY_LOG_ERROR, "no memory for", peer, party_strerror(r));
        (void)close(fd);
        return;
    }
    request->pub.client_address = *peer;
    party__request_publish(request, -1);
    if (!verify(server, request, fd)) {
        return;
    }
    r = make_stream(place, request, fd);
    if (r < 0) {
        party__step_handle_error(server, &request->pub, r);
        (void)close(fd);
        party__request_free(request);
        return;
    }
    link_request(place, request);
    r = server->settings.handler.setup != NULL
            ? server->settings.handler.setup(&request->pub, request->pub.user)
            : 0;
    request->is_set_up = r >= 0;
    if (r < 0) {
        party__step_handle_error(server, &request->pub, r);
        party_stream_close(request->pub.stream);
    }
}

/* ---- packets ---- */

static void on_packet(struct party_watch *watch, unsigned events, void *user);

static int watch_packets(struct party__server_loop *place)
{
    return party_watch_start(place->loop, &place->packets, place->packets_fd,
                             PARTY_READ | PARTY_EXCLUSIVE, on_packet, place);
}

static void on_pause_end(struct party_timer *timer, void *user)
{
    (void)timer;
    struct party__server_loop *place = user;
    int r = watch_packets(place);
    if (r < 0) {
        party__server_loop_pause(place, r);
    }
}

void party__server_loop_pause(struct party__server_loop *place, int error)
{
    if (place->backoff_ns == 0) {
        party__server_log(place->server, PARTY_LOG_WARNING, "packets wait, at",
                          &place->server->address, party_strerror(error));
    }
    place->backoff_ns = party__backoff_next_ns(place->backoff_ns);
    if (party_timer_start(place->loop, &place->pause, place->backoff_ns, on_pause_end, place) ==
        0) {
        party_watch_stop(&place->packets);
    }
}

static void on_packet(struct party_watch *watch, unsigned events, void *user)
{
    (void)watch;
    (void)events;
    struct party__server_loop *place = user;
    for (int i = 0; i < PACKETS_PER_TURN; i++) {
        int r = party__server_take_request(place->server);
        if (r == 0) {
            place->backoff_ns = 0;
        } else {
            if (party__server_would_spin(r)) {
                party__server_loop_pause(place, r);
            }
            return;
        }
    }
}

/* ---- beginning and end of one loop ---- */

int party__server_loop_begin(struct party__server_loop *place, int fd)
{
    if (place->server->settings.kind == PARTY_SERVER_DATAGRAM) {
        place->packets_fd = fd;
        int r = watch_packets(place);
        if (r < 0) {
            place->packets_fd = -1;
        }
        return r;
    }
    return party_listener_create(place->loop, fd, on_connection, place, &place->listener);
}

void party__server_loop_stop_accepting(struct party__server_loop *place)
{
    party_listener_close(place->listener);
    place->listener = NULL;
    party_watch_stop(&place->packets);
    party_timer_stop(&place->pause);
    if (place->packets_fd != -1) {
        (void)close(place->packets_fd);
        place->packets_fd = -1;
    }
}

void party__server_loop_tell(struct party__server_loop *place)
{
    const struct party_handler *handler = &place->server->settings.handler;
    for (struct party__request *request = place->streams; request != NULL && handler->drain != NULL;
         request = request->place_next) {
        if (request->is_set_up && !party_stream_is_closing(request->pub.stream)) {
            handler->drain(&request->pub, request->pub.user);
        }
    }
}

void party__server_loop_close_streams(struct party__server_loop *place)
{
    for (struct party__request *request = place->streams; request != NULL;
         request = request->place_next) {
        party_stream_close(request->pub.stream);
    }
}
