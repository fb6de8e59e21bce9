/* SPDX-License-Identifier: MIT */
/*
 * Lines are written with the logger's mutex held, by the threads that carry the connections: a
 * write that waits would stop the chat. poll(2) is no promise: a terminal is writable when it has
 * room for some bytes, and syslog(3) waits for a daemon that has stopped reading. So each way out
 * does not block by itself.
 */
#include "service/logger_out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define OPEN_FLAGS (O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

int logger_reopen(int fd)
{
    char path[256];

    /* The link finds a terminal that has no name in this file system, too. */
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, OPEN_FLAGS);
    if (own == -1 && ttyname_r(fd, path, sizeof path) == 0) {
        own = open(path, OPEN_FLAGS);
    }
    return own;
}

/* ---- standard error ---- */

static void look(struct logger_stderr *out)
{
    struct stat status;

    out->known = true;
    if (fstat(STDERR_FILENO, &status) == -1) {
        return;
    }
    out->is_socket = S_ISSOCK(status.st_mode);
    out->is_terminal = isatty(STDERR_FILENO) == 1;
    if (out->is_terminal || S_ISFIFO(status.st_mode)) {
        out->fd = logger_reopen(STDERR_FILENO);
        out->is_own = out->fd != -1;
    }
}

/*
 * A terminal of another user (after su) cannot be opened anew. The flag is then set on the shared
 * description, and only for the moment of the write.
 */
static ssize_t write_shared_terminal(const struct iovec *parts, int count)
{
    int flags = fcntl(STDERR_FILENO, F_GETFL);

    if (flags == -1 || fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK) == -1) {
        return -1;
    }
    ssize_t n = writev(STDERR_FILENO, parts, count);
    (void)fcntl(STDERR_FILENO, F_SETFL, flags);
    return n;
}

static ssize_t write_polled(const struct iovec *parts, int count)
{
    struct pollfd poll_stderr = {.fd = STDERR_FILENO, .events = POLLOUT};

    /* A pipe that polls writable has room for PIPE_BUF bytes; a file always has. */
    if (poll(&poll_stderr, 1, 0) != 1 || (poll_stderr.revents & POLLOUT) == 0) {
        return -1;
    }
    return writev(STDERR_FILENO, parts, count);
}

enum logger_outcome logger_stderr_write(struct logger_stderr *out, const char *line, size_t len)
{
    char newline[] = "\n";
    struct iovec parts[2] = {{newline, 1}, {(void *)line, len}};
    ssize_t n;

    if (!out->known) {
        look(out);
    }
    /* A line begins at the left, whatever became of the one before. */
    struct iovec *first = out->is_torn ? parts : parts + 1;
    int count = out->is_torn ? 2 : 1;
    ssize_t whole = (ssize_t)len + (out->is_torn ? 1 : 0);
    if (out->is_own) {
        n = writev(out->fd, first, count);
    } else if (out->is_socket) {
        const struct msghdr message = {.msg_iov = first, .msg_iovlen = (size_t)count};
        n = sendmsg(STDERR_FILENO, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (out->is_terminal) {
        n = write_shared_terminal(first, count);
    } else {
        n = write_polled(first, count);
    }
    if (n > 0) {
        out->is_torn = n < whole;
    }
    /* Without its newline, which the next line brings, the line is there all the same. */
    return n > 0 && n >= whole - 1 ? LOGGER_SENT : LOGGER_DROPPED;
}

void logger_stderr_close(struct logger_stderr *out)
{
    if (out->is_own) {
        (void)close(out->fd);
    }
    *out = (struct logger_stderr){0};
}

/* ---- datagrams ---- */

void logger_socket_open(struct logger_socket *out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(out->path);

    if (out->fd != -1 || len >= sizeof address.sun_path) {
        return;
    }
    memcpy(address.sun_path, out->path, len);
    out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (out->fd != -1 && connect(out->fd, (struct sockaddr *)&address, sizeof address) == -1) {
        logger_socket_close(out);
    }
}

void logger_socket_close(struct logger_socket *out)
{
    if (out->fd != -1) {
        (void)close(out->fd);
        out->fd = -1;
    }
}

enum logger_outcome logger_socket_send(struct logger_socket *out, const char *data, size_t len)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        logger_socket_open(out);
        if (out->fd == -1) {
            return LOGGER_NOBODY;
        }
        if (send(out->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) != -1) {
            return LOGGER_SENT;
        }
        if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM || errno == EINTR) {
            return LOGGER_DROPPED;
        }
        logger_socket_close(out); /* The receiver is gone; another may be at its place. */
    }
    return LOGGER_NOBODY;
}
