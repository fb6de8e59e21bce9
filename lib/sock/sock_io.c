/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/require.h"
#include "sock/sock_call.h"

/* One buffer: recv, recvfrom, send, sendto, sendall. */

struct recv_args {
    void *buf;
    size_t len;
    int flags;
};

static ssize_t try_recv(const struct party_sock *sock, void *args)
{
    const struct recv_args *want = args;
    ssize_t n = recv(sock->fd, want->buf, want->len, want->flags);
    return n == -1 ? -errno : n;
}

ssize_t party__sock_recv_until(struct party_sock *sock, void *buf, size_t len, int flags,
                               int64_t deadline_ns)
{
    struct recv_args args = {.buf = buf, .len = len, .flags = flags};
    return party__sock_call(sock, party__recv_events(flags), deadline_ns, try_recv, &args);
}

ssize_t party_sock_recv_into(struct party_sock *sock, void *buf, size_t len, int flags)
{
    PARTY__REQUIRE(-EINVAL, sock);
    if (len == 0) {
        /* TCP would wait for a first byte and UNIX datagrams would be lost; Python does nothing. */
        return 0;
    }
    return party__sock_recv_until(sock, buf, len, flags, PARTY__DEADLINE_OF_TIMEOUT);
}

ssize_t party_sock_recv(struct party_sock *sock, void *buf, size_t len, int flags)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return party_sock_recv_into(sock, buf, len, flags);
}

struct recvfrom_args {
    void *buf;
    size_t len;
    int flags;
    socklen_t peer_len;
    struct sockaddr_storage peer;
};

static ssize_t try_recvfrom(const struct party_sock *sock, void *args)
{
    struct recvfrom_args *want = args;
    want->peer_len = sizeof(want->peer);
    ssize_t n = recvfrom(sock->fd, want->buf, want->len, want->flags,
                         (struct sockaddr *)&want->peer, &want->peer_len);
    return n == -1 ? -errno : n;
}

ssize_t party_sock_recvfrom_into(struct party_sock *sock, void *buf, size_t len, int flags,
                                 struct party_address *ret_peer)
{
    PARTY__REQUIRE(-EINVAL, sock);
    struct recvfrom_args args;
    args.buf = buf;
    args.len = len;
    args.flags = flags;
    ssize_t n = party__sock_call(sock, party__recv_events(flags), PARTY__DEADLINE_OF_TIMEOUT,
                                 try_recvfrom, &args);
    if (n >= 0 && ret_peer != NULL) {
        party_address_from_sockaddr(ret_peer, (struct sockaddr *)&args.peer, args.peer_len);
    }
    return n;
}

ssize_t party_sock_recvfrom(struct party_sock *sock, void *buf, size_t len, int flags,
                            struct party_address *ret_peer)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return party_sock_recvfrom_into(sock, buf, len, flags, ret_peer);
}

struct send_args {
    const void *buf;
    size_t len;
    int flags;
    const struct party_address *address; /* of sendto */
};

static ssize_t try_send(const struct party_sock *sock, void *args)
{
    const struct send_args *have = args;
    ssize_t n = send(sock->fd, have->buf, have->len, have->flags | MSG_NOSIGNAL);
    return n == -1 ? -errno : n;
}

static ssize_t try_sendto(const struct party_sock *sock, void *args)
{
    const struct send_args *have = args;
    ssize_t n = sendto(sock->fd, have->buf, have->len, have->flags | MSG_NOSIGNAL,
                       &have->address->u.sa, have->address->len);
    return n == -1 ? -errno : n;
}

ssize_t party_sock_send(struct party_sock *sock, const void *buf, size_t len, int flags)
{
    PARTY__REQUIRE(-EINVAL, sock);
    struct send_args args = {.buf = buf, .len = len, .flags = flags};
    return party__sock_call(sock, POLLOUT, PARTY__DEADLINE_OF_TIMEOUT, try_send, &args);
}

ssize_t party_sock_sendto(struct party_sock *sock, const void *buf, size_t len, int flags,
                          const struct party_address *address)
{
    PARTY__REQUIRE(-EINVAL, sock, address);
    struct send_args args = {.buf = buf, .len = len, .flags = flags, .address = address};
    return party__sock_call(sock, POLLOUT, PARTY__DEADLINE_OF_TIMEOUT, try_sendto, &args);
}

int party__sock_send_until(struct party_sock *sock, const void *buf, size_t len, int flags,
                           int64_t deadline_ns, size_t *ret_sent)
{
    struct send_args args = {.buf = buf, .len = len, .flags = flags};
    int r = 0;
    /* At least once, as in Python's sendall: an empty datagram is one too. */
    do {
        ssize_t n = party__sock_call(sock, POLLOUT, deadline_ns, try_send, &args);
        if (n < 0) {
            r = (int)n;
            break;
        }
        args.buf = (const char *)args.buf + n;
        args.len -= (size_t)n;
        /* A signal that comes when some bytes have been taken ends send(2) without EINTR. */
        r = args.len > 0 ? party__sock_interrupted(sock) : 0;
    } while (args.len > 0 && r == 0);
    *ret_sent = len - args.len;
    return r;
}

int party_sock_sendall(struct party_sock *sock, const void *buf, size_t len, int flags)
{
    PARTY__REQUIRE(-EINVAL, sock);
    size_t sent;
    int64_t deadline_ns = party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT);
    return party__sock_send_until(sock, buf, len, flags, deadline_ns, &sent);
}
