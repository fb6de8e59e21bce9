/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_H
#define PARTYLINE_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/address.h>
#include <partyline/sock_io.h>
#include <partyline/sock_option.h>

PARTY_BEGIN_DECLS

/*
 * Sockets with Python's names and Python's meaning: a timeout per socket, one deadline for a whole
 * call, interrupted calls that go on by themselves (PEP 475), descriptors close-on-exec, SIGPIPE
 * never raised. Connections by name and servers: connection.h. Not a loop: see loop.h and stream.h.
 *
 *     struct party_sock *sock;
 *     int r = party_sock_create_connection("localhost", "60000", 10 * 1000, &sock);
 *     if (r == 0) {
 *         r = party_sock_sendall(sock, "hello\n", 6, 0);
 *         party_sock_close(sock);
 *     }
 *
 * This header has a socket's life, its timeout and its connections; sock_io.h has what sends and
 * receives, sock_option.h the options. Both come with this one.
 *
 * The timeout of a new socket is -1 (Python's None), unless party_sock_setdefaulttimeout says
 * otherwise: calls wait for ever. 0 never waits: a call that would have to wait returns -EAGAIN
 * (connect: -EINPROGRESS). A timeout > 0 bounds each call; when it runs out the call returns
 * PARTY_ETIMEOUT, which is not what the kernel says of a peer: -ETIMEDOUT is one that never
 * answered, -ECONNREFUSED one that refused, -ECONNRESET and -EPIPE one that is gone. A descriptor
 * is non-blocking exactly when its timeout is not -1, as in Python.
 *
 * A call that a signal interrupted goes on with what is left of its time; a function set with
 * party_sock_set_interrupt may end it instead with a code of its own.
 *
 * Threads: a socket may be used from several threads like a descriptor; settimeout, set_interrupt
 * and close may not run beside another call on the same socket.
 */
struct party_sock;

/**
 * Python's socket.socket(family, type, proto).
 * type may carry SOCK_NONBLOCK, which sets the timeout to 0.
 * Returns: 0; -errno of socket(2); -ENOMEM.
 * Owns: on success the caller owns the socket and ends it with party_sock_close.
 */
PARTY_API PARTY_MUST_USE int party_sock_socket(int family, int type, int proto,
                                               struct party_sock **ret_sock);

/**
 * Makes a socket of a descriptor: Python's socket.socket(family, type, proto, fileno=fd). What is
 * given as -1 is read from the kernel. The timeout is the default one; without a default it is 0
 * when fd is non-blocking, else -1. fd becomes close-on-exec.
 * Returns: 0; -EBADF, -ENOTSOCK or another -errno of getsockopt(2), fcntl(2); -ENOMEM.
 * Owns: on success the socket owns fd; on failure the caller still does.
 */
PARTY_API PARTY_MUST_USE int party_sock_adopt(int fd, int family, int type, int proto,
                                              struct party_sock **ret_sock);

/**
 * Python's socket.fromfd: a socket of a duplicate of fd, as party_sock_adopt makes it.
 * Returns: as party_sock_adopt; -EMFILE. Owns: the caller keeps fd, and owns the socket on success.
 */
PARTY_API PARTY_MUST_USE int party_sock_fromfd(int fd, int family, int type, int proto,
                                               struct party_sock **ret_sock);

/** Python's socket.socketpair: two connected sockets. Returns and owns as party_sock_socket. */
PARTY_API PARTY_MUST_USE int party_sock_socketpair(int family, int type, int proto,
                                                   struct party_sock **ret_a,
                                                   struct party_sock **ret_b);

/**
 * Python's socket.dup: another descriptor of the same socket, with the same timeout. As both share
 * one file description, a later settimeout of the one may make the other's descriptor blocking or
 * non-blocking without its knowing.
 * Returns: 0; -EMFILE or another -errno of fcntl(2); -ENOMEM. Owns: as party_sock_socket.
 */
PARTY_API PARTY_MUST_USE int party_sock_dup(const struct party_sock *sock,
                                            struct party_sock **ret_sock);

/**
 * Python's socket.close. The socket is gone whatever close(2) says. NULL is accepted.
 * Returns: 0; -errno of close(2), which few need to know. A peer that has reset the connection is
 * no error, as in Python.
 */
PARTY_API int party_sock_close(struct party_sock *sock);

/** Python's socket.detach: frees the socket and returns its descriptor, which the caller now owns.
 */
PARTY_API PARTY_MUST_USE int party_sock_detach(struct party_sock *sock);

/** Python's socket.fileno. The descriptor stays the socket's. */
PARTY_API int party_sock_fileno(const struct party_sock *sock);

/** Python's socket.family, .type (without flag bits) and .proto. */
PARTY_API int party_sock_family(const struct party_sock *sock);
PARTY_API int party_sock_type(const struct party_sock *sock);
PARTY_API int party_sock_proto(const struct party_sock *sock);

/**
 * Python's socket.settimeout, in milliseconds: -1 waits for ever, 0 never waits.
 * Returns: 0; -EINVAL for another negative value; -errno of ioctl(2).
 */
PARTY_API PARTY_MUST_USE int party_sock_settimeout(struct party_sock *sock, int64_t timeout_ms);

/** Python's socket.gettimeout, in milliseconds; -1 is None. */
PARTY_API int64_t party_sock_gettimeout(const struct party_sock *sock);

/** Python's socket.setblocking: settimeout with -1 or 0. Returns: 0; -errno of ioctl(2). */
PARTY_API PARTY_MUST_USE int party_sock_setblocking(struct party_sock *sock, bool is_blocking);

/** Python's socket.getblocking: whether the timeout is not 0. */
PARTY_API bool party_sock_getblocking(const struct party_sock *sock);

/**
 * Python's socket.setdefaulttimeout: the timeout of sockets made from now on, accepted ones too, in
 * the whole process; -1 at the start. It is meant for programs; a library should set the timeouts
 * of its own sockets. Returns: 0; -EINVAL for a value below -1. Threads: any.
 */
PARTY_API PARTY_MUST_USE int party_sock_setdefaulttimeout(int64_t timeout_ms);

/** Python's socket.getdefaulttimeout, in milliseconds; -1 is None. Threads: any. */
PARTY_API int64_t party_sock_getdefaulttimeout(void);

/** See party_sock_set_interrupt. Returns: >= 0: go on; a negative code: end the call with it. */
typedef int (*party_interrupt_fn)(struct party_sock *sock, void *user);

/**
 * Sets what is called each time a signal interrupted a waiting call on this socket, in the thread
 * of that call, after the signal's handler. What sends all of something (party_sock_sendall,
 * party_sock_sendfile, a FILE of file.h) calls it after each part but the last, too, as a signal
 * amid the bytes only makes a part shorter. NULL, as at first: calls just go on. Sockets made from
 * this one (accept, dup) have none.
 * Owns: user is kept, not owned. Callback: may look at the socket, but not close it or change its
 * timeout.
 */
PARTY_API void party_sock_set_interrupt(struct party_sock *sock, party_interrupt_fn fn, void *user);

/** Python's socket.bind. Returns: 0; -errno of bind(2). */
PARTY_API PARTY_MUST_USE int party_sock_bind(struct party_sock *sock,
                                             const struct party_address *address);

/** Python's socket.listen. A negative backlog counts as 0. Returns: 0; -errno of listen(2). */
PARTY_API PARTY_MUST_USE int party_sock_listen(struct party_sock *sock, int backlog);

/**
 * Python's socket.accept: waits for a connection. The new socket has the default timeout, whatever
 * the listener's is.
 * Returns: 0; -EAGAIN, PARTY_ETIMEOUT (see above); -errno of accept4(2); -ENOMEM, and then the
 *   connection still waits to be accepted.
 * Owns: on success the caller owns the new socket. ret_peer may be NULL.
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE int party_sock_accept(struct party_sock *sock,
                                               struct party_sock **ret_conn,
                                               struct party_address *ret_peer);

/**
 * party_sock_accept with a timeout of this call's own, in milliseconds, in place of the listener's.
 * Where several threads or processes accept from one listener, it should have a timeout other than
 * -1: the descriptor is blocking with -1, and when another one takes the connection that ended the
 * wait, accept4(2) waits for the next beyond any time.
 * Returns: as party_sock_accept; -EINVAL for a timeout_ms below -1. Owns: as party_sock_accept.
 * Blocks: up to timeout_ms.
 */
PARTY_API PARTY_MUST_USE int party_sock_accept_within(struct party_sock *sock, int64_t timeout_ms,
                                                      struct party_sock **ret_conn,
                                                      struct party_address *ret_peer);

/**
 * Python's socket.connect. Interrupted by a signal it goes on waiting, as connect(2) cannot be
 * called again. A unix listener whose backlog is full cannot be waited for: with a timeout that is
 * not -1 the call then returns -EAGAIN, as in Python.
 * Returns: 0; -EINPROGRESS with timeout 0; PARTY_ETIMEOUT; -errno of connect(2) or of SO_ERROR.
 *   After PARTY_ETIMEOUT and after the code of an interrupt function the kernel goes on connecting.
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE int party_sock_connect(struct party_sock *sock,
                                                const struct party_address *address);

/**
 * Python's socket.connect_ex: party_sock_connect with errors as positive errno.
 * Returns: 0; errno (> 0), which is EAGAIN when the timeout ran out, as in Python; a code of an
 *   interrupt function that is no -errno, as it is (< 0).
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE int party_sock_connect_ex(struct party_sock *sock,
                                                   const struct party_address *address);

/** Python's socket.shutdown: SHUT_RD, SHUT_WR or SHUT_RDWR. Returns: 0; -errno of shutdown(2). */
PARTY_API PARTY_MUST_USE int party_sock_shutdown(struct party_sock *sock, int how);

/** Python's socket.getsockname and getpeername. Returns: 0; -errno of the system call. */
PARTY_API PARTY_MUST_USE int party_sock_getsockname(const struct party_sock *sock,
                                                    struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_sock_getpeername(const struct party_sock *sock,
                                                    struct party_address *ret_address);

/**
 * Python's socket.has_dualstack_ipv6: whether an INET6 socket of this machine can serve v4, too.
 * Where it cannot be found out, as without a free descriptor, the answer is no.
 */
PARTY_API bool party_sock_has_dualstack_ipv6(void);

PARTY_END_DECLS
#endif
