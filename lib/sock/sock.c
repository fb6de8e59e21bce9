/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sock/sock_call.h"

#define TYPE_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

static void init_sock(struct party_sock *sock, int fd, int family, int type, int proto)
{
    sock->fd = fd;
    sock->family = family;
    sock->type = type & ~TYPE_FLAGS;
    sock->proto = proto;
    sock->timeout_ms = (type & SOCK_NONBLOCK) != 0 ? 0 : -1;
    atomic_init(&sock->refs, 1);
}

int party_sock_socket(int family, int type, int proto, struct party_sock **ret_sock)
{
    struct party_sock *sock = malloc(sizeof(*sock));
    if (sock == NULL) {
        return -ENOMEM;
    }
    int fd = socket(family, type | SOCK_CLOEXEC, proto);
    if (fd == -1) {
        int r = -errno;
        free(sock);
        return r;
    }
    init_sock(sock, fd, family, type, proto);
    *ret_sock = sock;
    return 0;
}

static int get_int_option(int fd, int level, int name, int *ret_value)
{
    int value = 0;
    socklen_t len = sizeof(value);
    if (getsockopt(fd, level, name, &value, &len) == -1) {
        return -errno;
    }
    *ret_value = value;
    return 0;
}

/* Fills sock from what the kernel knows of fd. */
static int read_from_kernel(struct party_sock *sock, int fd)
{
    static const int names[] = {SO_DOMAIN, SO_TYPE, SO_PROTOCOL};
    int values[3];
    for (size_t i = 0; i < 3; i++) {
        int r = get_int_option(fd, SOL_SOCKET, names[i], &values[i]);
        if (r < 0) {
            return r;
        }
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        return -errno;
    }
    int nonblock = (flags & O_NONBLOCK) != 0 ? SOCK_NONBLOCK : 0;
    init_sock(sock, fd, values[0], values[1] | nonblock, values[2]);
    return 0;
}

int party_sock_fromfd(int fd, struct party_sock **ret_sock)
{
    struct party_sock *sock = malloc(sizeof(*sock));
    if (sock == NULL) {
        return -ENOMEM;
    }
    int r = read_from_kernel(sock, fd);
    if (r < 0) {
        free(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}

int party_sock_socketpair(int family, int type, int proto, struct party_sock **ret_a,
                          struct party_sock **ret_b)
{
    int r = -ENOMEM;
    int fds[2];
    struct party_sock *b = NULL;
    struct party_sock *a = malloc(sizeof(*a));
    if (a == NULL) {
        goto fail;
    }
    b = malloc(sizeof(*b));
    if (b == NULL) {
        goto fail;
    }
    if (socketpair(family, type | SOCK_CLOEXEC, proto, fds) == -1) {
        r = -errno;
        goto fail;
    }
    init_sock(a, fds[0], family, type, proto);
    init_sock(b, fds[1], family, type, proto);
    *ret_a = a;
    *ret_b = b;
    return 0;

fail:
    free(b);
    free(a);
    return r;
}

struct party_sock *party__sock_ref(struct party_sock *sock)
{
    (void)atomic_fetch_add_explicit(&sock->refs, 1, memory_order_relaxed);
    return sock;
}

int party__sock_unref(struct party_sock *sock)
{
    if (atomic_fetch_sub_explicit(&sock->refs, 1, memory_order_acq_rel) > 1) {
        return 0;
    }
    /* Linux has released the descriptor even when close(2) fails; a retry could hit another's. */
    int r = sock->fd != -1 && close(sock->fd) == -1 ? -errno : 0;
    free(sock);
    return r;
}

void party_sock_close(struct party_sock *sock)
{
    if (sock != NULL) {
        (void)party__sock_unref(sock);
    }
}

int party_sock_detach(struct party_sock *sock)
{
    int fd = sock->fd;
    /* A FILE that is still open finds no descriptor any more (EBADF), as in Python. */
    sock->fd = -1;
    (void)party__sock_unref(sock);
    return fd;
}

int party_sock_fileno(const struct party_sock *sock)
{
    return sock->fd;
}

int party_sock_family(const struct party_sock *sock)
{
    return sock->family;
}

int party_sock_type(const struct party_sock *sock)
{
    return sock->type;
}

int party_sock_proto(const struct party_sock *sock)
{
    return sock->proto;
}

int party_sock_settimeout(struct party_sock *sock, int64_t timeout_ms)
{
    if (timeout_ms < -1) {
        return -EINVAL;
    }
    /* One call where fcntl(2) needs two, and no window between reading the flags and writing them.
     */
    int nonblock = timeout_ms == -1 ? 0 : 1;
    if (ioctl(sock->fd, FIONBIO, &nonblock) == -1) {
        return -errno;
    }
    sock->timeout_ms = timeout_ms;
    return 0;
}

int64_t party_sock_gettimeout(const struct party_sock *sock)
{
    return sock->timeout_ms;
}

int party_sock_bind(struct party_sock *sock, const struct party_address *address)
{
    return bind(sock->fd, &address->u.sa, address->len) == -1 ? -errno : 0;
}

int party_sock_listen(struct party_sock *sock, int backlog)
{
    /* To the kernel a negative backlog is a huge one. */
    return listen(sock->fd, backlog > 0 ? backlog : 0) == -1 ? -errno : 0;
}

struct accept_args {
    struct sockaddr_storage storage;
    socklen_t len;
};

static ssize_t try_accept(const struct party_sock *sock, void *args)
{
    struct accept_args *accepted = args;
    accepted->len = sizeof(accepted->storage);
    int fd = accept4(sock->fd, (struct sockaddr *)&accepted->storage, &accepted->len, SOCK_CLOEXEC);
    return fd == -1 ? -errno : fd;
}

int party_sock_accept(struct party_sock *sock, struct party_sock **ret_conn,
                      struct party_address *ret_peer)
{
    /* Memory first: without it the connection stays in the backlog and can be accepted later. */
    struct party_sock *conn = malloc(sizeof(*conn));
    if (conn == NULL) {
        return -ENOMEM;
    }
    struct accept_args accepted;
    ssize_t fd = party__sock_call(sock, POLLIN, PARTY__DEADLINE_OF_TIMEOUT, try_accept, &accepted);
    if (fd < 0) {
        free(conn);
        return (int)fd;
    }
    init_sock(conn, (int)fd, sock->family, sock->type, sock->proto);
    if (ret_peer != NULL) {
        party_address_from_sockaddr(ret_peer, (struct sockaddr *)&accepted.storage, accepted.len);
    }
    *ret_conn = conn;
    return 0;
}

int party_sock_shutdown(struct party_sock *sock, int how)
{
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
    return get_address(sock, getsockname, ret_address);
}

int party_sock_getpeername(const struct party_sock *sock, struct party_address *ret_address)
{
    return get_address(sock, getpeername, ret_address);
}

int party_sock_setsockopt(struct party_sock *sock, int level, int name, int value)
{
    return setsockopt(sock->fd, level, name, &value, sizeof(value)) == -1 ? -errno : 0;
}

int party_sock_getsockopt(const struct party_sock *sock, int level, int name, int *ret_value)
{
    return get_int_option(sock->fd, level, name, ret_value);
}
