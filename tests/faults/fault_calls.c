/* SPDX-License-Identifier: MIT */
#include "fault_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef PARTY_HAVE_IO_URING
#include <liburing.h>
#endif

/* What the library calls in place of libc. The library's objects name these, no header does. */

#define PLAIN(result, name, parameters, arguments)                                                 \
    result fault_##name parameters;                                                                \
    result fault_##name parameters                                                                 \
    {                                                                                              \
        return fault_fails(FAULT_##name) ? -1 : name arguments;                                    \
    }

/* liburing's return what errno would be, negative. */
#define NEGATIVE(name, parameters, arguments)                                                      \
    int fault_##name parameters;                                                                   \
    int fault_##name parameters                                                                    \
    {                                                                                              \
        int error = fault_decide(FAULT_##name);                                                    \
        return error > 0 ? -error : name arguments;                                                \
    }

#define COUNTED(name, parameters, arguments)                                                       \
    ssize_t fault_##name parameters;                                                               \
    ssize_t fault_##name parameters                                                                \
    {                                                                                              \
        return fault_fails_or_cuts(FAULT_##name, fd, &len) ? -1 : name arguments;                  \
    }

PLAIN(int, accept4, (int fd, struct sockaddr *sa, socklen_t *len, int flags), (fd, sa, len, flags))
PLAIN(int, bind, (int fd, const struct sockaddr *sa, socklen_t len), (fd, sa, len))
PLAIN(int, epoll_create1, (int flags), (flags))
PLAIN(int, epoll_pwait2,
      (int fd, struct epoll_event *events, int count, const struct timespec *timeout,
       const sigset_t *mask),
      (fd, events, count, timeout, mask))
PLAIN(int, epoll_wait, (int fd, struct epoll_event *events, int count, int timeout_ms),
      (fd, events, count, timeout_ms))
PLAIN(int, eventfd, (unsigned count, int flags), (count, flags))
PLAIN(int, fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
PLAIN(int, flock, (int fd, int how), (fd, how))
PLAIN(int, fstat64, (int fd, struct stat64 *status), (fd, status))
PLAIN(int, getpeername, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len))
PLAIN(int, getsockname, (int fd, struct sockaddr *sa, socklen_t *len), (fd, sa, len))
PLAIN(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *len),
      (fd, level, name, value, len))
PLAIN(int, listen, (int fd, int backlog), (fd, backlog))
PLAIN(off64_t, lseek64, (int fd, off64_t offset, int whence), (fd, offset, whence))
PLAIN(int, lstat64, (const char *path, struct stat64 *status), (path, status))
PLAIN(int, poll, (struct pollfd * fds, nfds_t count, int timeout_ms), (fds, count, timeout_ms))
PLAIN(int, recvmmsg,
      (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
      (fd, messages, count, flags, timeout))
PLAIN(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags),
      (fd, messages, count, flags))
PLAIN(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t len),
      (fd, level, name, value, len))
PLAIN(int, shutdown, (int fd, int how), (fd, how))
PLAIN(int, signalfd, (int fd, const sigset_t *mask, int flags), (fd, mask, flags))
PLAIN(int, socket, (int family, int type, int proto), (family, type, proto))
PLAIN(int, socketpair, (int family, int type, int proto, int fds[2]), (family, type, proto, fds))
PLAIN(int, unlink, (const char *path), (path))

PLAIN(pid_t, fork, (void), ())
PLAIN(int, pidfd_open, (pid_t pid, unsigned flags), (pid, flags))
PLAIN(int, kill, (pid_t pid, int signo), (pid, signo))
PLAIN(int, pidfd_send_signal, (int fd, int signo, siginfo_t *info, unsigned flags),
      (fd, signo, info, flags))
PLAIN(int, ppoll,
      (struct pollfd * fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask),
      (fds, count, timeout, mask))
PLAIN(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options))

#ifdef PARTY_HAVE_IO_URING
NEGATIVE(io_uring_get_events, (struct io_uring * ring), (ring))
NEGATIVE(io_uring_queue_init_params,
         (unsigned count, struct io_uring *ring, struct io_uring_params *params),
         (count, ring, params))
NEGATIVE(io_uring_submit, (struct io_uring * ring), (ring))
NEGATIVE(io_uring_submit_and_get_events, (struct io_uring * ring), (ring))
NEGATIVE(io_uring_submit_and_wait, (struct io_uring * ring, unsigned count), (ring, count))
NEGATIVE(io_uring_submit_and_wait_timeout,
         (struct io_uring * ring, struct io_uring_cqe **cqe, unsigned count,
          struct __kernel_timespec *timeout, sigset_t *mask),
         (ring, cqe, count, timeout, mask))
NEGATIVE(io_uring_register, (unsigned fd, unsigned opcode, const void *args, unsigned count),
         (fd, opcode, args, count))
#endif

/* It returns its error. */
int fault_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*run)(void *user), void *user);
int fault_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                         void *(*run)(void *user), void *user)
{
    int error = fault_decide(FAULT_pthread_create);
    return error > 0 ? error : pthread_create(thread, attributes, run, user);
}

COUNTED(pread64, (int fd, void *buf, size_t len, off64_t offset), (fd, buf, len, offset))
COUNTED(recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))
COUNTED(recvfrom,
        (int fd, void *buf, size_t len, int flags, struct sockaddr *sa, socklen_t *sa_len),
        (fd, buf, len, flags, sa, sa_len))
COUNTED(send, (int fd, const void *buf, size_t len, int flags), (fd, buf, len, flags))
COUNTED(sendfile64, (int fd, int in, off64_t *offset, size_t len), (fd, in, offset, len))
COUNTED(sendto,
        (int fd, const void *buf, size_t len, int flags, const struct sockaddr *sa,
         socklen_t sa_len),
        (fd, buf, len, flags, sa, sa_len))

/* The third argument is a number or a pointer; both are as wide as a long. */
int fault_fcntl64(int fd, int op, ...);
int fault_fcntl64(int fd, int op, ...)
{
    va_list args;
    va_start(args, op);
    long arg = va_arg(args, long);
    va_end(args);
    return fault_fails(FAULT_fcntl64) ? -1 : fcntl64(fd, op, arg);
}

int fault_ioctl(int fd, unsigned long request, ...);
int fault_ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);
    return fault_fails(FAULT_ioctl) ? -1 : ioctl(fd, request, arg);
}

int fault_open64(const char *path, int flags, ...);
int fault_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (mode_t)va_arg(args, int);
    va_end(args);
    return fault_fails(FAULT_open64) ? -1 : open64(path, flags, mode);
}

/* Who does not wait is not interrupted: eventfds and signalfds of the library never are. */
static bool can_fail(int fd, int error)
{
    return error > 0 && (error != EINTR || (fcntl64(fd, F_GETFL) & O_NONBLOCK) == 0);
}

ssize_t fault_read(int fd, void *buf, size_t len);
ssize_t fault_read(int fd, void *buf, size_t len)
{
    int error = fault_decide(FAULT_read);
    if (can_fail(fd, error)) {
        errno = error;
        return -1;
    }
    return read(fd, buf, len);
}

/* Those to an eventfd, which are the library's only ones of 8 bytes, fail at 2^64 alone. */
ssize_t fault_write(int fd, const void *buf, size_t len);
ssize_t fault_write(int fd, const void *buf, size_t len)
{
    int error = len == sizeof(uint64_t) ? 0 : fault_decide(FAULT_write);
    if (can_fail(fd, error)) {
        errno = error;
        return -1;
    }
    return write(fd, buf, len);
}

/* What the manual page names befalls who adds; taking away needs no memory. */
int fault_epoll_ctl(int fd, int op, int which, struct epoll_event *event);
int fault_epoll_ctl(int fd, int op, int which, struct epoll_event *event)
{
    bool fails = op == EPOLL_CTL_ADD && fault_fails(FAULT_epoll_ctl);
    return fails ? -1 : epoll_ctl(fd, op, which, event);
}

/* On Linux the descriptor is gone whatever close(2) says. */
int fault_close(int fd);
int fault_close(int fd)
{
    int r = close(fd);
    return fault_fails(FAULT_close) ? -1 : r;
}

/* Interrupted or not to wait, connect(2) goes on in the kernel. Unix sockets never do that. */
int fault_connect(int fd, const struct sockaddr *sa, socklen_t len);
int fault_connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    int error = fault_decide(FAULT_connect);
    if (error == EINPROGRESS && sa->sa_family == AF_UNIX) {
        error = 0;
    }
    bool goes_on = (error == EINTR || error == EINPROGRESS) && sa->sa_family != AF_UNIX;
    int r = error <= 0 || goes_on ? connect(fd, sa, len) : -1;
    if (error <= 0 || (goes_on && r == -1)) {
        return r;
    }
    errno = error;
    return -1;
}

/* The message with no more than len bytes of its first buffer. */
static struct msghdr cut_message(const struct msghdr *message, struct iovec *iov, size_t len)
{
    struct msghdr cut = *message;
    *iov = (struct iovec){.iov_base = message->msg_iov[0].iov_base, .iov_len = len};
    cut.msg_iov = iov;
    cut.msg_iovlen = 1;
    return cut;
}

ssize_t fault_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t fault_recvmsg(int fd, struct msghdr *message, int flags)
{
    size_t len = message->msg_iovlen > 0 ? message->msg_iov[0].iov_len : 0;
    size_t whole_len = len;
    if (fault_fails_or_cuts(FAULT_recvmsg, fd, &len)) {
        return -1;
    }
    if (len == whole_len) {
        return recvmsg(fd, message, flags);
    }
    struct iovec iov;
    struct msghdr cut = cut_message(message, &iov, len);
    ssize_t n = recvmsg(fd, &cut, flags);
    message->msg_namelen = cut.msg_namelen;
    message->msg_controllen = cut.msg_controllen;
    message->msg_flags = cut.msg_flags;
    return n;
}

ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags)
{
    size_t len = message->msg_iovlen > 0 ? message->msg_iov[0].iov_len : 0;
    size_t whole_len = len;
    if (fault_fails_or_cuts(FAULT_sendmsg, fd, &len)) {
        return -1;
    }
    struct iovec iov;
    struct msghdr cut = len != whole_len ? cut_message(message, &iov, len) : *message;
    return sendmsg(fd, &cut, flags);
}
