/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "sock/sock_call.h"

/*
 * connect(2) that was interrupted, or may not wait, goes on in the kernel: a second call would be
 * told EALREADY. The socket becomes writable when it is decided, and SO_ERROR says how.
 *
 * Unix sockets are the exception: their connect(2) is done or not done when it returns. One that
 * was interrupted has left nothing behind and must be called again; poll(2) would call the
 * unconnected socket writable and SO_ERROR would have no error.
 */
static int try_connect(const struct party_sock *sock, const struct party_address *address)
{
    int r;
    do {
        r = connect(sock->fd, &address->u.sa, address->len) == -1 ? -errno : 0;
    } while (r == -EINTR && sock->family == AF_UNIX);
    return r;
}

static int take_error(const struct party_sock *sock)
{
    int error;
    int r = party_sock_getsockopt(sock, SOL_SOCKET, SO_ERROR, &error);
    if (r < 0) {
        return r;
    }
    return error == EISCONN ? 0 : -error;
}

int party__sock_connect_until(const struct party_sock *sock, const struct party_address *address,
                              int64_t deadline_ns)
{
    int r = try_connect(sock, address);
    if (r != -EINTR && r != -EINPROGRESS) {
        return r;
    }
    if (sock->timeout_ms == 0) {
        return -EINPROGRESS;
    }
    if (r == -EINPROGRESS && sock->timeout_ms == -1) {
        /* Not the timeout of ours has ended a blocking connect(2) but an SO_SNDTIMEO. */
        return r;
    }
    r = party__sock_wait(sock, POLLOUT, party__sock_deadline(sock, deadline_ns));
    return r < 0 ? r : take_error(sock);
}

int party_sock_connect(struct party_sock *sock, const struct party_address *address)
{
    return party__sock_connect_until(sock, address, PARTY__DEADLINE_OF_TIMEOUT);
}
