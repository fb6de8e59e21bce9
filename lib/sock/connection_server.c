/* SPDX-License-Identifier: MIT */
#include <partyline/connection.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "sock/sock_call.h"

/*
 * A server at a unix path.
 *
 * A server that died leaves its path, and bind(2) then says EADDRINUSE for ever. Whether anybody is
 * still there only connect(2) can tell: ECONNREFUSED means that nobody accepts. But it says the
 * same of a server that has bound and not yet called listen(2), and two servers that start together
 * could both find the path stale and one remove what the other has just made. So all of it, from
 * bind to listen, happens under a lock on the directory (flock(2): no file of its own, gone with
 * the process). Who cannot get the lock still binds a free path, but removes nothing.
 */

/* How long another server may take from bind to listen. Others may lock a public directory for as
   long as they like, so waiting has an end. */
#define LOCK_WAIT_MS 1000
#define LOCK_TRY_MS  5

#define PATH_CAP     (sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1)

/* Copies the path, which the kernel lets fill sun_path without a NUL. False: it has none. */
static bool unix_path_of(const struct party_address *address, char *ret_path)
{
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    if (party_address_family(address) != AF_UNIX || address->len <= offset ||
        address->u.un.sun_path[0] == '\0') {
        return false;
    }
    size_t len = strnlen(address->u.un.sun_path, address->len - offset);
    len = len < PATH_CAP - 1 ? len : PATH_CAP - 1;
    memcpy(ret_path, address->u.un.sun_path, len);
    ret_path[len] = '\0';
    return true;
}

/* Returns a locked descriptor of the path's directory, or -1: then there is no lock. */
static int lock_directory(const char *path)
{
    char directory[PATH_CAP] = ".";
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        /* The slash stays: it makes "/" of the root's and leads through a link to a directory. */
        size_t len = (size_t)(slash - path) + 1;
        memcpy(directory, path, len);
        directory[len] = '\0';
    }
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }
    int64_t deadline_ns = party__deadline_ns(LOCK_WAIT_MS);
    while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || party__now_ns() >= deadline_ns) {
            (void)close(fd);
            return -1;
        }
        (void)poll(NULL, 0, LOCK_TRY_MS);
    }
    return fd;
}

static void unlock_directory(int fd)
{
    if (fd != -1) {
        /* Explicitly, as a child forked meanwhile may hold the same open directory. */
        (void)flock(fd, LOCK_UN);
        (void)close(fd);
    }
}

/* Returns: 1 when path is a socket that nobody accepts at; 0 when not; -errno. */
static int is_stale(const char *path, const struct party_address *address)
{
    struct stat st;
    if (lstat(path, &st) == -1) {
        /* Gone in between: as free as a stale one. */
        return errno == ENOENT ? 1 : -errno;
    }
    if (!S_ISSOCK(st.st_mode)) {
        /* connect(2) would say ECONNREFUSED of a plain file, too. */
        return 0;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -errno;
    }
    bool refused = connect(fd, &address->u.sa, address->len) == -1 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused ? 1 : 0;
}

/* Binds to the path, with the directory locked or not. */
static int bind_path(struct party_sock *sock, const struct party_address *address, const char *path,
                     bool has_lock)
{
    int r = party_sock_bind(sock, address);
    if (r != -EADDRINUSE || !has_lock) {
        return r;
    }
    int stale = is_stale(path, address);
    if (stale <= 0) {
        return stale < 0 ? stale : -EADDRINUSE;
    }
    if (unlink(path) == -1 && errno != ENOENT) {
        return -errno;
    }
    return party_sock_bind(sock, address);
}

static int listen_at_path(struct party_sock *sock, const struct party_address *address,
                          const char *path, int backlog, int unix_mode)
{
    int lock_fd = lock_directory(path);
    int r = bind_path(sock, address, path, lock_fd != -1);
    if (r == 0) {
        /* Nobody can connect before listen, so the path is never open wider than asked. */
        if (unix_mode != 0 &&
            fchmodat(AT_FDCWD, path, (mode_t)unix_mode, AT_SYMLINK_NOFOLLOW) == -1) {
            r = -errno;
        }
        if (r == 0) {
            r = party_sock_listen(sock, backlog);
        }
        if (r < 0) {
            (void)unlink(path);
        }
    }
    unlock_directory(lock_fd);
    return r;
}

static int set_inet_options(struct party_sock *sock, const struct party_server_options *options)
{
    int r = party_sock_setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, 1);
    if (r == 0 && options->reuse_port) {
        r = party_sock_setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (r == 0 && sock->family == AF_INET6) {
        /* Whatever net.ipv6.bindv6only says. */
        r = party_sock_setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, options->dualstack_ipv6 ? 0 : 1);
    }
    return r;
}

static int listen_at(struct party_sock *sock, const struct party_address *address,
                     const struct party_server_options *options)
{
    int backlog = options->backlog == 0 ? SOMAXCONN : options->backlog;
    char path[PATH_CAP];
    if (unix_path_of(address, path)) {
        return listen_at_path(sock, address, path, backlog, options->unix_mode);
    }
    int r = 0;
    if (sock->family == AF_INET || sock->family == AF_INET6) {
        r = set_inet_options(sock, options);
    }
    if (r == 0) {
        r = party_sock_bind(sock, address);
    }
    if (r == 0) {
        r = party_sock_listen(sock, backlog);
    }
    return r;
}

int party_sock_create_server(const struct party_address *address,
                             const struct party_server_options *options,
                             struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, address, ret_sock);
    static const struct party_server_options defaults = {0};
    if (options == NULL) {
        options = &defaults;
    }
    int family = party_address_family(address);
    if (family == AF_UNIX && options->reuse_port) {
        return -EOPNOTSUPP;
    }
    if (family != AF_INET6 && options->dualstack_ipv6) {
        return -EINVAL;
    }
    struct party_sock *sock;
    int r = party_sock_socket(family, SOCK_STREAM, 0, &sock);
    if (r < 0) {
        return r;
    }
    r = listen_at(sock, address, options);
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}
