/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "sock/sock_call.h"

/* A socket's names, and the connections that come to it. */

int party_sock_bind(struct party_sock *sock, const struct party_address *address)
{
    PARTY__REQUIRE(-EINVAL, sock, address);
    return bind(sock->fd, &address->u.sa, address->len) == -1 ? -errno : 0;
}

int party_sock_listen(struct party_sock *sock, int backlog)
{
    PARTY__REQUIRE(-EINVAL, sock);
    /* To the kernel a negative backlog is a huge one. */
    return listen(sock->fd, backlog > 0 ? backlog : 0) == -1 ? -errno : 0;
}

int party_sock_shutdown(struct party_sock *sock, int how)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return shutdown(sock->fd, how) == -1 ? -errno : 0;
}

static int get_address(const struct party_sock *sock,
                       int (*get_name)(int fd, struct sockaddr *sa, socklen_t *len),
                       struct party_address *ret_address)
{
    struct sockaddr_storage storage;
    socklen_t len = sizeof(storage);
    if (get_name(sock->fd, (struct sockaddr *)&storage, &len) == -1) {
        return -errno;
    }
    party_address_from_sockaddr(ret_address, (struct sockaddr *)&storage, len);
    return 0;
}

int party_sock_getsockname(const struct party_sock *sock, struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_address);
    return get_address(sock, getsockname, ret_address);
}

int party_sock_getpeername(const struct party_sock *sock, struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_address);
    return get_address(sock, getpeername, ret_address);
}

struct accept_args {
    struct sockaddr_storage storage;
    socklen_t len;
    int flags; /* of accept4(2) */
};

static ssize_t try_accept(const struct party_sock *sock, void *args)
{
    struct accept_args *accepted = args;
    /* An operation of AF_ALG has no peer. The kernel, asked for one, would refuse to accept at all
       (ECONNABORTED). */
    bool has_peer = sock->family != AF_ALG;
    accepted->len = has_peer ? sizeof(accepted->storage) : 0;
    int fd = accept4(sock->fd, has_peer ? (struct sockaddr *)&accepted->storage : NULL,
                     has_peer ? &accepted->len : NULL, accepted->flags);
    return fd == -1 ? -errno : fd;
}

/* Waits for a connection on a listener that has another timeout. Returns: 0; as accept. */
static int wait_within(struct party_sock *sock, int64_t timeout_ms, int64_t deadline_ns)
{
    if (timeout_ms != 0) {
        return party__sock_wait(sock, POLLIN, deadline_ns);
    }
    int r = party__sock_is_ready(sock->fd, POLLIN);
    return r == 0 ? -EAGAIN : r < 0 ? r : 0;
}

/* try_accept under a timeout that is not the socket's. */
static ssize_t accept_within(struct party_sock *sock, int64_t timeout_ms,
                             struct accept_args *accepted)
{
    int64_t deadline_ns = party__deadline_ns(timeout_ms);
    for (;;) {
        int r;
        /* A blocking accept4(2) has no end of its own; a non-blocking one may as well be tried. */
        if (sock->timeout_ms == -1 && timeout_ms != -1) {
            r = wait_within(sock, timeout_ms, deadline_ns);
            if (r < 0) {
                return r;
            }
        }
        ssize_t n = try_accept(sock, accepted);
        if (n == -EINTR) {
            r = party__sock_interrupted(sock);
        } else if (n == -EAGAIN && sock->timeout_ms != -1) {
            r = wait_within(sock, timeout_ms, deadline_ns);
        } else {
            return n;
        }
        if (r < 0) {
            return r;
        }
    }
}

/* Accepts with timeout_ms, or with the socket's own when there is none. */
static int accept_conn(struct party_sock *sock, const int64_t *timeout_ms,
                       struct party_sock **ret_conn, struct party_address *ret_peer)
{
    /* Memory first: without it the connection stays in the backlog and can be accepted later. */
    struct party_sock *conn = malloc(sizeof(*conn));
    if (conn == NULL) {
        return -ENOMEM;
    }
    int64_t conn_timeout_ms = party_sock_getdefaulttimeout();
    struct accept_args accepted;
    accepted.flags = SOCK_CLOEXEC | (conn_timeout_ms == -1 ? 0 : SOCK_NONBLOCK);
    ssize_t fd = timeout_ms != NULL ? accept_within(sock, *timeout_ms, &accepted)
                                    : party__sock_call(sock, POLLIN, PARTY__DEADLINE_OF_TIMEOUT,
                                                       try_accept, &accepted);
    if (fd < 0) {
        free(conn);
        return (int)fd;
    }
    party__sock_fill(conn, (int)fd, sock->family, sock->type, sock->proto, conn_timeout_ms);
    if (ret_peer != NULL) {
        party_address_from_sockaddr(ret_peer, (struct sockaddr *)&accepted.storage, accepted.len);
    }
    *ret_conn = conn;
    return 0;
}

int party_sock_accept(struct party_sock *sock, struct party_sock **ret_conn,
                      struct party_address *ret_peer)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_conn);
    return accept_conn(sock, NULL, ret_conn, ret_peer);
}

int party_sock_accept_within(struct party_sock *sock, int64_t timeout_ms,
                             struct party_sock **ret_conn, struct party_address *ret_peer)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_conn);
    return timeout_ms < -1 ? -EINVAL : accept_conn(sock, &timeout_ms, ret_conn, ret_peer);
}

bool party_sock_has_dualstack_ipv6(void)
{
    struct party_sock *sock;
    if (party_sock_socket(AF_INET6, SOCK_STREAM, 0, &sock) < 0) {
        return false;
    }
    int r = party_sock_setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    party_sock_close(sock);
    return r == 0;
}
