/* SPDX-License-Identifier: MIT */
#include <partyline/request.h>

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "server/server_internal.h"
#include "sock/sock_call.h"

/*
 * A request is in its server's list from when it is known whose it is to its freeing, so that drain
 * finds it. It holds a reference to the server, one of a packet also to the server's socket, by
 * which it is answered. Drain shuts a connection down by the descriptor noted here,
 * under the server's lock; whoever is about to close the connection first takes the note back under
 * the same lock, so a number that the kernel has given to somebody else is never shut down.
 */

int party__request_new(struct party_server *server, size_t packet_cap,
                       struct party__request **ret_request)
{
    struct party__request *request = malloc(sizeof(*request) + packet_cap);
    if (request == NULL) {
        return -ENOMEM;
    }
    memset(request, 0, sizeof(*request));
    request->pub.server = server;
    request->pub.user = server->settings.user;
    request->fd = -1;
    (void)pthread_mutex_lock(&server->lock);
    server->references++;
    (void)pthread_mutex_unlock(&server->lock);
    *ret_request = request;
    return 0;
}

void party__request_publish(struct party__request *request, int fd)
{
    struct party_server *server = request->pub.server;
    (void)pthread_mutex_lock(&server->lock);
    request->fd = fd;
    request->is_listed = true;
    server->active_count++;
    request->next = server->active;
    if (request->next != NULL) {
        request->next->prev = request;
    }
    server->active = request;
    (void)pthread_mutex_unlock(&server->lock);
}

/* With the lock held. */
static void unlist(struct party__request *request)
{
    struct party_server *server = request->pub.server;
    if (request->prev != NULL) {
        request->prev->next = request->next;
    } else {
        server->active = request->next;
    }
    if (request->next != NULL) {
        request->next->prev = request->prev;
    }
    server->active_count--;
    server->ended_count += request->is_handed_over ? 0 : 1;
    (void)pthread_cond_broadcast(&server->changed);
}

void party__request_free(struct party__request *request)
{
    struct party_server *server = request->pub.server;
    if (request->pub.packet != NULL) {
        (void)party__sock_unref(request->pub.sock);
    }
    (void)pthread_mutex_lock(&server->lock);
    if (request->is_listed) {
        unlist(request);
    }
    (void)pthread_mutex_unlock(&server->lock);
    free(request);
    party__server_unref(server);
}

void party__request_keep_from_cut(struct party__request *request)
{
    struct party_server *server = request->pub.server;
    (void)pthread_mutex_lock(&server->lock);
    request->fd = -1;
    (void)pthread_mutex_unlock(&server->lock);
}

int party_request_create(struct party_server *server, struct party_sock *sock,
                         const struct party_address *client_address,
                         struct party_request **ret_request)
{
    PARTY__REQUIRE(-EINVAL, server, sock, client_address, ret_request);
    struct party__request *request;
    int r = party__request_new(server, 0, &request);
    if (r < 0) {
        return r;
    }
    request->pub.sock = sock;
    request->pub.client_address = *client_address;
    party__request_publish(request, party_sock_fileno(sock));
    *ret_request = &request->pub;
    return 0;
}

int party_request_create_packet(struct party_server *server, const void *packet, size_t packet_len,
                                const struct party_address *client_address,
                                struct party_request **ret_request)
{
    PARTY__REQUIRE(-EINVAL, server, client_address, ret_request);
    PARTY__REQUIRE_BYTES(-EINVAL, packet, packet_len);
    struct party__request *request;
    int r = party__request_new(server, packet_len, &request);
    if (r < 0) {
        return r;
    }
    if (packet_len > 0) {
        memcpy(request->bytes, packet, packet_len);
    }
    request->pub.sock = party__sock_ref(server->sock);
    request->pub.packet = request->bytes;
    request->pub.packet_len = packet_len;
    request->pub.client_address = *client_address;
    party__request_publish(request, -1);
    *ret_request = &request->pub;
    return 0;
}

struct party_sock *party_request_steal_sock(struct party_request *request)
{
    PARTY__REQUIRE(NULL, request);
    if (request->packet != NULL) {
        return NULL;
    }
    party__request_keep_from_cut(party__request_of(request));
    struct party_sock *sock = request->sock;
    request->sock = NULL;
    return sock;
}

/* ---- the handler ---- */

static int set_up_connection(const struct party_handler *handler, struct party_request *request)
{
    if (handler->timeout_ms > 0) {
        int r = party_sock_settimeout(request->sock, handler->timeout_ms);
        if (r < 0) {
            return r;
        }
    }
    if (handler->disable_nagle_algorithm) {
        return party_sock_setsockopt(request->sock, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    return 0;
}

/* handle and finish, which comes also when handle failed. Returns: the first failure. */
static int run_handler(const struct party_handler *handler, struct party_request *request)
{
    int r = handler->handle != NULL ? handler->handle(request, request->user) : 0;
    int finished = handler->finish != NULL ? handler->finish(request, request->user) : 0;
    return r < 0 ? r : finished;
}

int party_server_default_finish_request(struct party_server *server, struct party_request *request)
{
    PARTY__REQUIRE(-EINVAL, server, request);
    const struct party_handler *handler = &server->settings.handler;
    struct party__request *own = party__request_of(request);
    int r = request->packet == NULL ? set_up_connection(handler, request) : 0;
    if (r == 0 && handler->files) {
        r = party__request_open_files(handler, own);
    }
    if (r == 0 && handler->setup != NULL) {
        r = handler->setup(request, request->user);
        if (r < 0) {
            party__request_close_files(own);
        }
    }
    if (r < 0) {
        return r;
    }
    r = run_handler(handler, request);
    if (handler->files) {
        int finished = party__request_finish_files(own);
        r = r < 0 ? r : finished;
    }
    return r < 0 ? r : 0;
}
