/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "sock/sock_call.h"

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

ssize_t party_sock_recv_into(struct party_sock *sock, void *buf, size_t len, int flags)
{
    if (len == 0) {
        /* TCP would wait for a first byte and UNIX datagrams would be lost; Python does nothing. */
        return 0;
    }
    struct recv_args args = {.buf = buf, .len = len, .flags = flags};
    return party__sock_call(sock, POLLIN, PARTY__DEADLINE_OF_TIMEOUT, try_recv, &args);
}

struct send_args {
    const void *buf;
    size_t len;
    int flags;
};

static ssize_t try_send(const struct party_sock *sock, void *args)
{
    const struct send_args *have = args;
    ssize_t n = send(sock->fd, have->buf, have->len, have->flags | MSG_NOSIGNAL);
    return n == -1 ? -errno : n;
}

ssize_t party_sock_send(struct party_sock *sock, const void *buf, size_t len, int flags)
{
    struct send_args args = {.buf = buf, .len = len, .flags = flags};
    return party__sock_call(sock, POLLOUT, PARTY__DEADLINE_OF_TIMEOUT, try_send, &args);
}

int party_sock_sendall(struct party_sock *sock, const void *buf, size_t len, int flags)
{
    struct send_args args = {.buf = buf, .len = len, .flags = flags};
    int64_t deadline_ns = party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT);
    /* At least once, as in Python: an empty datagram is one too. */
    do {
        ssize_t n = party__sock_call(sock, POLLOUT, deadline_ns, try_send, &args);
        if (n < 0) {
            return (int)n;
        }
        args.buf = (const char *)args.buf + n;
        args.len -= (size_t)n;
    } while (args.len > 0);
    return 0;
}
