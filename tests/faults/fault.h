/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULTS_FAULT_H
#define TESTS_FAULTS_FAULT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * System calls that fail to order. A test program of this folder is linked with the library once
 * more, all of whose system calls lead here (make_faulty.sh); its own calls go to the kernel. A
 * call is let through, or made to fail with an error its manual page names, or to take less than
 * it was given.
 *
 *     static int talk(void *user)      (makes sockets, talks, closes all; 0 or the first error)
 *
 *     fault_check(talk, NULL, NULL);
 *
 * Threads: calls of all threads are counted together.
 */

/* name as the library's objects know it, whether it can be short, its errors. */
#define FAULT_CALLS(X)                                                                             \
    X(accept4, false, EAGAIN, ECONNABORTED, EINTR, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM, EPROTO) \
    X(bind, false, EACCES, EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOENT, ENOMEM, EROFS)               \
    X(close, false, EINTR, EIO, ENOSPC, EDQUOT)                                                    \
    X(connect, false, EACCES, EADDRNOTAVAIL, EAGAIN, ECONNREFUSED, EINPROGRESS, EINTR,             \
      ENETUNREACH, EPROTOTYPE, ETIMEDOUT)                                                          \
    X(epoll_create1, false, EMFILE, ENFILE, ENOMEM)                                                \
    X(epoll_ctl, false, ENOMEM, ENOSPC, EPERM)                                                     \
    X(epoll_pwait2, false, EINTR)                                                                  \
    X(epoll_wait, false, EINTR)                                                                    \
    X(eventfd, false, EMFILE, ENFILE, ENODEV, ENOMEM)                                              \
    X(fchmodat, false, EACCES, EIO, ENOMEM, EPERM, EROFS)                                          \
    X(fcntl64, false, EMFILE, EPERM)                                                               \
    X(flock, false, EINTR, ENOLCK, EWOULDBLOCK)                                                    \
    X(fopen64, false, EACCES, EMFILE, ENFILE, ENOMEM)                                              \
    X(fstat64, false, EIO, ENOMEM, EOVERFLOW)                                                      \
    X(fork, false, EAGAIN, ENOMEM, ENOSYS)                                                         \
    X(getpeername, false, ENOBUFS, ENOTCONN)                                                       \
    X(getsockname, false, ENOBUFS)                                                                 \
    X(getsockopt, false, ENOPROTOOPT)                                                              \
    X(io_uring_get_events, false, EAGAIN, EBUSY, EINTR)                                            \
    X(io_uring_queue_init_params, false, EFAULT, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM)    \
    X(io_uring_register, false, EACCES, EINVAL, ENOMEM)                                            \
    X(io_uring_submit, false, EAGAIN, EBUSY, EEXIST, EINTR)                                        \
    X(io_uring_submit_and_get_events, false, EAGAIN, EBUSY, EEXIST, EINTR)                         \
    X(io_uring_submit_and_wait, false, EAGAIN, EBUSY, EEXIST, EINTR)                               \
    X(io_uring_submit_and_wait_timeout, false, EAGAIN, EBUSY, EEXIST, EINTR)                       \
    X(ioctl, false, EINVAL, ENOTTY)                                                                \
    X(kill, false, EPERM, ESRCH)                                                                   \
    X(listen, false, EADDRINUSE, EOPNOTSUPP)                                                       \
    X(lseek64, false, ESPIPE, EOVERFLOW)                                                           \
    X(lstat64, false, EACCES, ENOMEM)                                                              \
    X(open64, false, EACCES, EINTR, EMFILE, ENFILE, ENOMEM)                                        \
    X(pidfd_open, false, EMFILE, ENFILE, ENODEV, ENOMEM, ENOSYS)                                   \
    X(pidfd_send_signal, false, ENOSYS, EPERM, ESRCH)                                              \
    X(poll, false, EINTR, ENOMEM)                                                                  \
    X(ppoll, false, EINTR, ENOMEM)                                                                 \
    X(pread64, true, EAGAIN, EINTR, EIO)                                                           \
    X(pthread_create, false, EAGAIN, EPERM)                                                        \
    X(read, false, EAGAIN, EINTR, EIO)                                                             \
    X(recv, true, EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, ENOMEM, ETIMEDOUT)                      \
    X(recvfrom, true, EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, ENOMEM)                             \
    X(recvmmsg, false, EAGAIN, ECONNREFUSED, EINTR, ENOMEM)                                        \
    X(recvmsg, true, EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, ENOMEM)                              \
    X(send, true, EACCES, EAGAIN, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE)                       \
    X(sendfile64, true, EAGAIN, EINTR, EINVAL, EIO, ENOMEM, ENOSYS, EPIPE)                         \
    X(sendmmsg, false, EAGAIN, ECONNREFUSED, EINTR, ENOBUFS, ENOMEM)                               \
    X(sendmsg, true, EACCES, EAGAIN, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE)                    \
    X(sendto, true, EACCES, EAGAIN, ECONNRESET, EINTR, ENOBUFS, ENOMEM, EPIPE)                     \
    X(setsockopt, false, ENOPROTOOPT, ENOMEM, EPERM)                                               \
    X(shutdown, false, ENOTCONN)                                                                   \
    X(signalfd, false, EMFILE, ENFILE, ENODEV, ENOMEM)                                             \
    X(socket, false, EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM)                        \
    X(socketpair, false, EAFNOSUPPORT, EMFILE, ENFILE, EOPNOTSUPP)                                 \
    X(unlink, false, EACCES, EBUSY, EIO, EROFS)                                                    \
    X(waitpid, false, EINTR)                                                                       \
    X(write, false, EAGAIN, EINTR, EIO)

enum fault_call {
#define FAULT_ENUM(name, can_be_short, ...) FAULT_##name,
    FAULT_CALLS(FAULT_ENUM)
#undef FAULT_ENUM
        FAULT_CALL_COUNT
};

/* In place of an errno: the call does a part of what it was asked for, one byte. */
#define FAULT_SHORT (-1)

/** The nth call (1 is the next one), and with from_nth all after it, fails with error. */
void fault_arm(enum fault_call call, size_t nth, int error, bool from_nth);

/** Ends what fault_arm began. Returns: how many calls failed. */
size_t fault_disarm(void);

/** How often call was made since the last fault_arm. */
size_t fault_count(enum fault_call call);

/** One run, which leaves nothing open. Returns: 0; the negative code of the first failure. */
typedef int (*fault_scenario_fn)(void *user);

/** Whether result is right for a run in which call failed with error: what is no plain -error. */
typedef bool (*fault_allows_fn)(enum fault_call call, int error, int result);

/**
 * Runs the scenario with each of its system calls failing in turn, with each of that call's errors,
 * once and from then on. A run must return 0 where the library goes on by itself (it must after
 * EINTR and short counts), -error, or what allows (NULL: nothing) allows; it must leave no
 * descriptor and no memory, and end. Fails the test otherwise. Returns: how many runs there were.
 */
size_t fault_check(fault_scenario_fn scenario, void *user, fault_allows_fn allows);

/**
 * Runs the scenario with room for no descriptor, for one, two ... until it gets through. The runs
 * before must return -EMFILE, or what allows (its call is FAULT_CALL_COUNT) allows, and leave
 * nothing. Fails the test otherwise. Returns: how many descriptors the scenario needs.
 */
size_t fault_check_descriptors(fault_scenario_fn scenario, void *user, fault_allows_fn allows);

#endif
