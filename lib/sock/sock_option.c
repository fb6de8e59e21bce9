/* SPDX-License-Identifier: MIT */
#include <partyline/sock_option.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/require.h"
#include "sock/sock_call.h"

int party_sock_setsockopt(struct party_sock *sock, int level, int name, int value)
{
    PARTY__REQUIRE(-EINVAL, sock);
    return setsockopt(sock->fd, level, name, &value, sizeof(value)) == -1 ? -errno : 0;
}

int party_sock_getsockopt(const struct party_sock *sock, int level, int name, int *ret_value)
{
    PARTY__REQUIRE(-EINVAL, sock, ret_value);
    int value = 0;
    socklen_t len = sizeof(value);
    if (getsockopt(sock->fd, level, name, &value, &len) == -1) {
        return -errno;
    }
    *ret_value = value;
    return 0;
}

int party_sock_setsockopt_bytes(struct party_sock *sock, int level, int name, const void *value,
                                size_t len)
{
    PARTY__REQUIRE(-EINVAL, sock);
    if (len > INT_MAX) {
        return -EINVAL;
    }
    return setsockopt(sock->fd, level, name, value, (socklen_t)len) == -1 ? -errno : 0;
}

ssize_t party_sock_getsockopt_bytes(const struct party_sock *sock, int level, int name, void *buf,
                                    size_t cap)
{
    PARTY__REQUIRE(-EINVAL, sock);
    if (cap > INT_MAX) {
        return -EINVAL;
    }
    socklen_t len = (socklen_t)cap;
    if (getsockopt(sock->fd, level, name, buf, &len) == -1) {
        return -errno;
    }
    /* Some options report how long they are, not how much they wrote. */
    return len < cap ? (ssize_t)len : (ssize_t)cap;
}

int party_sock_ioctl(struct party_sock *sock, unsigned long request, void *arg)
{
    PARTY__REQUIRE(-EINVAL, sock);
    int r = ioctl(sock->fd, request, arg);
    return r == -1 ? -errno : r;
}

int party_sock_get_inheritable(const struct party_sock *sock)
{
    PARTY__REQUIRE(-EINVAL, sock);
    int flags = fcntl(sock->fd, F_GETFD);
    return flags == -1 ? -errno : (flags & FD_CLOEXEC) == 0;
}

int party_sock_set_inheritable(struct party_sock *sock, bool is_inheritable)
{
    PARTY__REQUIRE(-EINVAL, sock);
    /* FD_CLOEXEC is the only flag there is. */
    return fcntl(sock->fd, F_SETFD, is_inheritable ? 0 : FD_CLOEXEC) == -1 ? -errno : 0;
}
