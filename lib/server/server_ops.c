/* SPDX-License-Identifier: MIT */
#include <partyline/server_ops.h>

#include <errno.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/require.h"
#include "server/server_internal.h"
#include "sock/sock_call.h"

/* ---- the defaults ---- */

int party_server_default_server_bind(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    int r = 0;
    if (server->settings.allow_reuse_address) {
        r = party_sock_setsockopt(server->sock, SOL_SOCKET, SO_REUSEADDR, 1);
    }
    if (r == 0 && server->settings.allow_reuse_port) {
        r = party_sock_setsockopt(server->sock, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (r == 0) {
        r = party_sock_bind(server->sock, &server->settings.address);
    }
    return r;
}

int party_server_default_server_activate(struct party_server *server)
{
    PARTY__REQUIRE(-EINVAL, server);
    if (server->settings.kind == PARTY_SERVER_DATAGRAM) {
        return 0;
    }
    if (server->model->activate != NULL) {
        return server->model->activate(server);
    }
    return party_sock_listen(server->sock, (int)server->settings.request_queue_size);
}

static int get_connection(struct party_server *server, struct party_request **ret_request)
{
    struct party_sock *conn;
    struct party_address client;
    int r = party_sock_accept(server->sock, &conn, &client);
    if (r < 0) {
        return r;
    }
    r = party_request_create(server, conn, &client, ret_request);
    if (r < 0) {
        (void)party_sock_close(conn);
    }
    return r;
}

static int get_packet(struct party_server *server, struct party_request **ret_request)
{
    size_t cap = server->settings.max_packet_size;
    struct party__request *request;
    int r = party__request_new(server, cap, &request);
    if (r < 0) {
        return r;
    }
    /* The socket itself waits, as answers may have to; only here it must not. */
    struct sockaddr_storage storage;
    socklen_t len = sizeof(storage);
    ssize_t n = recvfrom(party_sock_fileno(server->sock), request->bytes, cap, MSG_DONTWAIT,
                         (struct sockaddr *)&storage, &len);
    if (n == -1) {
        r = -errno;
        party__request_free(request);
        return r;
    }
    if (len == 0) {
        /* A unix client that has not bound. */
        storage.ss_family = (sa_family_t)party_sock_family(server->sock);
        len = sizeof(storage.ss_family);
    }
    party_address_from_sockaddr(&request->pub.client_address, (struct sockaddr *)&storage, len);
    request->pub.sock = party__sock_ref(server->sock);
    request->pub.packet = request->bytes;
    request->pub.packet_len = (size_t)n;
    party__request_publish(request, -1);
    *ret_request = &request->pub;
    return 0;
}

int party_server_default_get_request(struct party_server *server,
                                     struct party_request **ret_request)
{
    PARTY__REQUIRE(-EINVAL, server, ret_request);
    return server->settings.kind == PARTY_SERVER_DATAGRAM ? get_packet(server, ret_request)
                                                          : get_connection(server, ret_request);
}

int party_server_default_process_request(struct party_server *server, struct party_request *request)
{
    PARTY__REQUIRE(-EINVAL, server, request);
    return server->model->process_request(server, request);
}

void party_server_default_close_request(struct party_server *server, struct party_request *request)
{
    PARTY__REQUIRE_VOID(server, request);
    (void)server;
    if (request->packet == NULL && request->sock != NULL) {
        party__request_keep_from_cut(party__request_of(request));
        (void)party_sock_close(request->sock);
        request->sock = NULL;
    }
}

static void call_close_request(struct party_server *server, struct party_request *request)
{
    if (server->settings.ops.close_request != NULL) {
        server->settings.ops.close_request(server, request, server->settings.user);
    } else {
        party_server_default_close_request(server, request);
    }
}

void party_server_default_shutdown_request(struct party_server *server,
                                           struct party_request *request)
{
    PARTY__REQUIRE_VOID(server, request);
    if (request->packet == NULL && request->sock != NULL) {
        /* The peer may be gone already, and that is all the same. */
        int r = party_sock_shutdown(request->sock, SHUT_WR);
        (void)r;
    }
    call_close_request(server, request);
}

void party_server_default_handle_error(struct party_server *server, struct party_request *request,
                                       int error)
{
    PARTY__REQUIRE_VOID(server, request);
    party__server_log(server, PARTY_LOG_ERROR, "a request failed, from", &request->client_address,
                      party_strerror(error));
}

/* ---- calling a step ---- */

int party__step_server_bind(struct party_server *server)
{
    const struct party_server_ops *ops = &server->settings.ops;
    int r = ops->server_bind != NULL ? ops->server_bind(server, server->settings.user)
                                     : party_server_default_server_bind(server);
    if (r < 0) {
        return r;
    }
    return party_sock_getsockname(server->sock, &server->address);
}

int party__step_server_activate(struct party_server *server)
{
    const struct party_server_ops *ops = &server->settings.ops;
    int r = ops->server_activate != NULL ? ops->server_activate(server, server->settings.user)
                                         : party_server_default_server_activate(server);
    return r < 0 ? r : 0;
}

int party__step_get_request(struct party_server *server, struct party_request **ret_request)
{
    const struct party_server_ops *ops = &server->settings.ops;
    return ops->get_request != NULL ? ops->get_request(server, ret_request, server->settings.user)
                                    : party_server_default_get_request(server, ret_request);
}

bool party__step_verify_request(struct party_server *server, struct party_request *request)
{
    const struct party_server_ops *ops = &server->settings.ops;
    return ops->verify_request == NULL ||
           ops->verify_request(server, request, server->settings.user);
}

int party__step_process_request(struct party_server *server, struct party_request *request)
{
    const struct party_server_ops *ops = &server->settings.ops;
    return ops->process_request != NULL
               ? ops->process_request(server, request, server->settings.user)
               : party_server_default_process_request(server, request);
}

int party__step_finish_request(struct party_server *server, struct party_request *request)
{
    const struct party_server_ops *ops = &server->settings.ops;
    struct party__request *own = party__request_of(request);
    (void)pthread_mutex_lock(&server->lock);
    own->runner = pthread_self();
    own->running = true;
    (void)pthread_mutex_unlock(&server->lock);
    return ops->finish_request != NULL ? ops->finish_request(server, request, server->settings.user)
                                       : party_server_default_finish_request(server, request);
}

void party__step_service_actions(struct party_server *server)
{
    if (server->settings.ops.service_actions != NULL) {
        server->settings.ops.service_actions(server, server->settings.user);
    }
}

void party__step_handle_timeout(struct party_server *server)
{
    if (server->settings.ops.handle_timeout != NULL) {
        server->settings.ops.handle_timeout(server, server->settings.user);
    }
}

void party__step_handle_error(struct party_server *server, struct party_request *request, int error)
{
    if (server->settings.ops.handle_error != NULL) {
        server->settings.ops.handle_error(server, request, error, server->settings.user);
    } else {
        party_server_default_handle_error(server, request, error);
    }
}

/* ---- the way of a request ---- */

void party_server_shutdown_request(struct party_server *server, struct party_request *request)
{
    PARTY__REQUIRE_VOID(server, request);
    struct party__request *own = party__request_of(request);
    party__request_keep_from_cut(own);
    if (server->settings.ops.shutdown_request != NULL) {
        server->settings.ops.shutdown_request(server, request, server->settings.user);
    } else {
        party_server_default_shutdown_request(server, request);
    }
    party__request_free(own);
}

void party_server_close_request(struct party_server *server, struct party_request *request)
{
    PARTY__REQUIRE_VOID(server, request);
    struct party__request *own = party__request_of(request);
    party__request_keep_from_cut(own);
    call_close_request(server, request);
    party__request_free(own);
}

void party_server_process_request_thread(struct party_server *server, struct party_request *request)
{
    PARTY__REQUIRE_VOID(server, request);
    int r = party__step_finish_request(server, request);
    if (r < 0) {
        party__step_handle_error(server, request, r);
    }
    party_server_shutdown_request(server, request);
}

int party__server_take_request(struct party_server *server)
{
    struct party_request *request;
    int r = party__step_get_request(server, &request);
    if (r < 0) {
        return r;
    }
    if (!party__step_verify_request(server, request)) {
        party_server_shutdown_request(server, request);
        return 0;
    }
    r = party__step_process_request(server, request);
    if (r < 0) {
        party__step_handle_error(server, request, r);
        party_server_shutdown_request(server, request);
    }
    return 0;
}

/* ---- one after the other ---- */

int party__process_here(struct party_server *server, struct party_request *request)
{
    int r = party__step_finish_request(server, request);
    if (r < 0) {
        return r;
    }
    party_server_shutdown_request(server, request);
    return 0;
}

const struct party__server_model party__server_serial = {.process_request = party__process_here};
