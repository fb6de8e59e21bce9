/* SPDX-License-Identifier: MIT */
#include <partyline/sock.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/require.h"
#include "sock/sock_call.h"

/* A socket's life and its timeout. */

#define TYPE_FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

/* The one variable of the process in this library: Python has it, and so have its users. */
static _Atomic int64_t default_timeout_ms = -1;

int party_sock_setdefaulttimeout(int64_t timeout_ms)
{
    if (timeout_ms < -1) {
        return -EINVAL;
    }
    atomic_store_explicit(&default_timeout_ms, timeout_ms, memory_order_relaxed);
    return 0;
}

int64_t party_sock_getdefaulttimeout(void)
{
    return atomic_load_explicit(&default_timeout_ms, memory_order_relaxed);
}

/* The flags a descriptor must be born with so that it fits its timeout. */
static int birth_flags(int64_t timeout_ms)
{
    return SOCK_CLOEXEC | (timeout_ms == -1 ? 0 : SOCK_NONBLOCK);
}

/* SOCK_NONBLOCK asks for timeout 0, whatever the default. */
static int64_t birth_timeout_ms(int type)
{
    return (type & SOCK_NONBLOCK) != 0 ? 0 : party_sock_getdefaulttimeout();
}

void party__sock_fill(struct party_sock *sock, int fd, int family, int type, int proto,
                      int64_t timeout_ms)
{
    sock->fd = fd;
    sock->family = family;
    sock->type = type & ~TYPE_FLAGS;
    sock->proto = proto;
    sock->timeout_ms = timeout_ms;
    sock->interrupt_fn = NULL;
    sock->interrupt_user = NULL;
    atomic_init(&sock->refs, 1);
}

int party_sock_socket(int family, int type, int proto, struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, ret_sock);
    int64_t timeout_ms = birth_timeout_ms(type);
    struct party_sock *sock = malloc(sizeof(*sock));
    if (sock == NULL) {
        return -ENOMEM;
    }
    int fd = socket(family, type | birth_flags(timeout_ms), proto);
    if (fd == -1) {
        int r = -errno;
        free(sock);
        return r;
    }
    party__sock_fill(sock, fd, family, type, proto, timeout_ms);
    *ret_sock = sock;
    return 0;
}

/* Sets *value, where it is -1, to what the kernel knows of fd. */
static int read_unknown(int fd, int name, int *value)
{
    int known;
    socklen_t len = sizeof(known);
    if (getsockopt(fd, SOL_SOCKET, name, &known, &len) == -1) {
        return -errno;
    }
    if (*value == -1) {
        *value = known;
    }
    return 0;
}

/* The timeout of an adopted descriptor, which is made to fit it. */
static int fit_timeout(struct party_sock *sock)
{
    int64_t timeout_ms = party_sock_getdefaulttimeout();
    if (timeout_ms != -1) {
        return party_sock_settimeout(sock, timeout_ms);
    }
    int flags = fcntl(sock->fd, F_GETFL);
    if (flags == -1) {
        return -errno;
    }
    sock->timeout_ms = (flags & O_NONBLOCK) != 0 ? 0 : -1;
    return 0;
}

static int adopt_into(struct party_sock *sock, int fd, int family, int type, int proto)
{
    /* Asked in any case: it is also the test that fd is a socket. */
    int r = read_unknown(fd, SO_DOMAIN, &family);
    if (r == 0 && type == -1) {
        r = read_unknown(fd, SO_TYPE, &type);
    }
    if (r == 0 && proto == -1) {
        r = read_unknown(fd, SO_PROTOCOL, &proto);
    }
    if (r < 0) {
        return r;
    }
    party__sock_fill(sock, fd, family, type, proto, -1);
    r = fit_timeout(sock);
    if (r == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        r = -errno;
    }
    return r;
}

int party_sock_adopt(int fd, int family, int type, int proto, struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, ret_sock);
    struct party_sock *sock = malloc(sizeof(*sock));
    if (sock == NULL) {
        return -ENOMEM;
    }
    int r = adopt_into(sock, fd, family, type, proto);
    if (r < 0) {
        free(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}

int party_sock_fromfd(int fd, int family, int type, int proto, struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, ret_sock);
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy == -1) {
        return -errno;
    }
    int r = party_sock_adopt(copy, family, type, proto, ret_sock);
    if (r < 0) {
        (void)close(copy);
    }
    return r;
}

int party_sock_dup(const struct party_sock *sock, struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_sock);
    struct party_sock *twin = malloc(sizeof(*twin));
    if (twin == NULL) {
        return -ENOMEM;
    }
    int fd = fcntl(sock->fd, F_DUPFD_CLOEXEC, 0);
    if (fd == -1) {
        int r = -errno;
        free(twin);
        return r;
    }
    party__sock_fill(twin, fd, sock->family, sock->type, sock->proto, sock->timeout_ms);
    *ret_sock = twin;
    return 0;
}

int party_sock_socketpair(int family, int type, int proto, struct party_sock **ret_a,
                          struct party_sock **ret_b)
{
    PARTY__REQUIRE(-EINVAL, ret_a, ret_b);
    int r = -ENOMEM;
    int fds[2];
    int64_t timeout_ms = birth_timeout_ms(type);
    struct party_sock *b = NULL;
    struct party_sock *a = malloc(sizeof(*a));
    if (a == NULL) {
        goto fail;
    }
    b = malloc(sizeof(*b));
    if (b == NULL) {
        goto fail;
    }
    if (socketpair(family, type | birth_flags(timeout_ms), proto, fds) == -1) {
        r = -errno;
        goto fail;
    }
    party__sock_fill(a, fds[0], family, type, proto, timeout_ms);
    party__sock_fill(b, fds[1], family, type, proto, timeout_ms);
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
    int r = sock->fd != -1 && close(sock->fd) == -1 && errno != ECONNRESET ? -errno : 0;
    free(sock);
    return r;
}

int party_sock_close(struct party_sock *sock)
{
    return sock == NULL ? 0 : party__sock_unref(sock);
}

int party_sock_detach(struct party_sock *sock)
{
    PARTY__REQUIRE(-EINVAL, sock);
    int fd = sock->fd;
    /* A FILE that is still open finds no descriptor any more (EBADF), as in Python. */
    sock->fd = -1;
    (void)party__sock_unref(sock);
    return fd;
}

int party_sock_fileno(const struct party_sock *sock)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return sock->fd;
}

int party_sock_family(const struct party_sock *sock)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return sock->family;
}

int party_sock_type(const struct party_sock *sock)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return sock->type;
}

int party_sock_proto(const struct party_sock *sock)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return sock->proto;
}

int party_sock_settimeout(struct party_sock *sock, int64_t timeout_ms)
{
    PARTY__REQUIRE(-EINVAL, sock);
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
    PARTY__REQUIRE(-EINVAL, sock);
    return sock->timeout_ms;
}

int party_sock_setblocking(struct party_sock *sock, bool is_blocking)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return party_sock_settimeout(sock, is_blocking ? -1 : 0);
}

bool party_sock_getblocking(const struct party_sock *sock)
{
    PARTY__REQUIRE(false, sock);
    return sock->timeout_ms != 0;
}

void party_sock_set_interrupt(struct party_sock *sock, party_interrupt_fn fn, void *user)
{
    PARTY__REQUIRE_VOID(sock);
    sock->interrupt_fn = fn;
    sock->interrupt_user = user;
}
