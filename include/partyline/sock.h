/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_H
#define PARTYLINE_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/address.h>

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
 * The timeout of a new socket is -1 (Python's None): calls wait for ever. 0 never waits: a call
 * that would have to wait returns -EAGAIN (connect: -EINPROGRESS). A timeout > 0 bounds each call;
 * when it runs out the call returns PARTY_ETIMEOUT. A descriptor is non-blocking exactly when its
 * timeout is not -1, as in Python.
 *
 * Threads: a socket may be used from several threads like a descriptor; settimeout and close may
 * not run beside another call on the same socket.
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
 * Makes a socket of a descriptor: Python's socket.socket(fileno=fd). Family, type and protocol are
 * read from the kernel; timeout is 0 when fd is non-blocking, else -1. fd becomes close-on-exec.
 * Returns: 0; -ENOTSOCK, -EBADF or another -errno of getsockopt(2); -ENOMEM.
 * Owns: on success the socket owns fd; on failure the caller still does.
 */
PARTY_API PARTY_MUST_USE int party_sock_fromfd(int fd, struct party_sock **ret_sock);

/** Python's socket.socketpair: two connected sockets. Returns and owns as party_sock_socket. */
PARTY_API PARTY_MUST_USE int party_sock_socketpair(int family, int type, int proto,
                                                   struct party_sock **ret_a,
                                                   struct party_sock **ret_b);

/** Python's socket.close. The socket is gone whatever close(2) says. NULL is accepted. */
PARTY_API void party_sock_close(struct party_sock *sock);

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
 * Returns: 0; -EINVAL for another negative value; -errno of fcntl(2).
 */
PARTY_API PARTY_MUST_USE int party_sock_settimeout(struct party_sock *sock, int64_t timeout_ms);

/** Python's socket.gettimeout, in milliseconds; -1 is None. */
PARTY_API int64_t party_sock_gettimeout(const struct party_sock *sock);

/** Python's socket.bind. Returns: 0; -errno of bind(2). */
PARTY_API PARTY_MUST_USE int party_sock_bind(struct party_sock *sock,
                                             const struct party_address *address);

/** Python's socket.listen. A negative backlog counts as 0. Returns: 0; -errno of listen(2). */
PARTY_API PARTY_MUST_USE int party_sock_listen(struct party_sock *sock, int backlog);

/**
 * Python's socket.accept: waits for a connection. The new socket's timeout is -1, whatever the
 * listener's is.
 * Returns: 0; -EAGAIN, PARTY_ETIMEOUT (see above); -errno of accept4(2).
 * Owns: on success the caller owns the new socket. ret_peer may be NULL.
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE int party_sock_accept(struct party_sock *sock,
                                               struct party_sock **ret_conn,
                                               struct party_address *ret_peer);

/**
 * Python's socket.connect. Interrupted by a signal it goes on waiting, as connect(2) cannot be
 * called again. A unix listener whose backlog is full cannot be waited for: with a timeout that is
 * not -1 the call then returns -EAGAIN, as in Python.
 * Returns: 0; -EINPROGRESS with timeout 0; PARTY_ETIMEOUT; -errno of connect(2) or of SO_ERROR.
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE int party_sock_connect(struct party_sock *sock,
                                                const struct party_address *address);

/**
 * Reads what has arrived, at most len bytes. Python's socket.recv_into.
 * Returns: bytes read (> 0); 0 at end of stream (or for len 0); -EAGAIN when the timeout is 0 and
 *   nothing waits; PARTY_ETIMEOUT when the timeout ran out; else -errno of recv(2).
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_recv_into(struct party_sock *sock, void *buf,
                                                      size_t len, int flags);

/**
 * Python's socket.send: sends what fits, perhaps less than len. MSG_NOSIGNAL is always set.
 * Returns: bytes taken; -EAGAIN, PARTY_ETIMEOUT as above; else -errno of send(2).
 * Blocks: up to the socket's timeout.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_send(struct party_sock *sock, const void *buf,
                                                 size_t len, int flags);

/**
 * Python's socket.sendall: sends everything, with one deadline for the whole call.
 * Returns: 0; as party_sock_send otherwise. After a failure it is unknown how much went out.
 * Blocks: up to the socket's timeout in all.
 */
PARTY_API PARTY_MUST_USE int party_sock_sendall(struct party_sock *sock, const void *buf,
                                                size_t len, int flags);

/** Python's socket.shutdown: SHUT_RD, SHUT_WR or SHUT_RDWR. Returns: 0; -errno of shutdown(2). */
PARTY_API PARTY_MUST_USE int party_sock_shutdown(struct party_sock *sock, int how);

/** Python's socket.getsockname and getpeername. Returns: 0; -errno of the system call. */
PARTY_API PARTY_MUST_USE int party_sock_getsockname(const struct party_sock *sock,
                                                    struct party_address *ret_address);
PARTY_API PARTY_MUST_USE int party_sock_getpeername(const struct party_sock *sock,
                                                    struct party_address *ret_address);

/** Python's socket.setsockopt and getsockopt for int options. Returns: 0; -errno. */
PARTY_API PARTY_MUST_USE int party_sock_setsockopt(struct party_sock *sock, int level, int name,
                                                   int value);
PARTY_API PARTY_MUST_USE int party_sock_getsockopt(const struct party_sock *sock, int level,
                                                   int name, int *ret_value);

PARTY_END_DECLS
#endif
