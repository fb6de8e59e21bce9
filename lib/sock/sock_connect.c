/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include <partyline/error.h>
#include <partyline/resolve.h>

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

/* The share of one address when left_count are still to be tried, itself included: a first address
   that never answers must not use up the time of all. */
static int64_t share_deadline(int64_t deadline_ns, size_t left_count)
{
    if (deadline_ns == PARTY__NEVER_NS) {
        return deadline_ns;
    }
    int64_t now_ns = party__now_ns();
    int64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    return now_ns + left_ns / (int64_t)left_count;
}

static int connect_entry(const struct party_resolve_entry *entry, int64_t timeout_ms,
                         int64_t deadline_ns, struct party_sock **ret_sock)
{
    int flags = timeout_ms == -1 ? 0 : SOCK_NONBLOCK;
    struct party_sock *sock;
    int r = party_sock_socket(entry->family, entry->type | flags, entry->proto, &sock);
    if (r < 0) {
        return r;
    }
    sock->timeout_ms = timeout_ms;
    r = party__sock_connect_until(sock, &entry->address, deadline_ns);
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}

int party_sock_create_connection(const char *host, const char *port, int64_t timeout_ms,
                                 struct party_sock **ret_sock)
{
    if (timeout_ms < -1) {
        return -EINVAL;
    }
    struct party_resolve_list list;
    int r = party_resolve_getaddrinfo(host, port, AF_UNSPEC, SOCK_STREAM, 0, 0, &list);
    if (r < 0) {
        return r;
    }
    int64_t deadline_ns = party__deadline_ns(timeout_ms);
    r = PARTY_EGAI_NODATA;
    for (size_t i = 0; i < list.count; i++) {
        int64_t until_ns = share_deadline(deadline_ns, list.count - i);
        r = connect_entry(&list.entries[i], timeout_ms, until_ns, ret_sock);
        /* Without memory the next address would fare no better, and its error would hide this. */
        if (r == 0 || r == -ENOMEM) {
            break;
        }
    }
    party_resolve_list_finish(&list);
    return r;
}
