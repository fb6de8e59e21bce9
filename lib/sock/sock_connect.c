/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/sock_call.h"

/* The kernel's errors end here; ours lie below. */
#define ERRNO_MAX 4095

/*
 * connect(2) that was interrupted, or may not wait, goes on in the kernel: a second call would be
 * told EALREADY. The socket becomes writable when it is decided, and SO_ERROR says how.
 *
 * Unix sockets are the exception: their connect(2) is done or not done when it returns. One that
 * was interrupted has left nothing behind and must be called again; poll(2) would call the
 * unconnected socket writable and SO_ERROR would have no error. Those of VSOCK give the connection
 * up when a signal comes, with the same consequence.
 */
static bool is_given_up_when_interrupted(int family)
{
    return family == AF_UNIX || family == AF_VSOCK;
}

static int try_connect(struct party_sock *sock, const struct party_address *address,
                       bool *ret_goes_on)
{
    *ret_goes_on = false;
    for (;;) {
        int r = connect(sock->fd, &address->u.sa, address->len) == -1 ? -errno : 0;
        if (r != -EINTR) {
            /* A blocking connect(2) says EINPROGRESS when an SO_SNDTIMEO has ended it, which is not
               the timeout of ours. */
            *ret_goes_on = r == -EINPROGRESS && sock->timeout_ms > 0;
            return r;
        }
        int interrupted = party__sock_interrupted(sock);
        if (interrupted < 0) {
            return interrupted;
        }
        if (!is_given_up_when_interrupted(sock->family)) {
            *ret_goes_on = sock->timeout_ms != 0;
            return -EINPROGRESS;
        }
    }
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

int party_sock_connect(struct party_sock *sock, const struct party_address *address)
{
    PARTY__REQUIRE(-EINVAL, sock, address);
    bool goes_on;
    int r = try_connect(sock, address, &goes_on);
    if (!goes_on) {
        return r;
    }
    r = party__sock_wait(sock, POLLOUT, party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT));
    return r < 0 ? r : take_error(sock);
}

int party_sock_connect_ex(struct party_sock *sock, const struct party_address *address)
{
    PARTY__REQUIRE(-EINVAL, sock, address);
    int r = party_sock_connect(sock, address);
    if (r == PARTY_ETIMEOUT) {
        return EAGAIN;
    }
    return r >= -ERRNO_MAX ? -r : r;
}
