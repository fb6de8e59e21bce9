/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_CONNECTION_H
#define PARTYLINE_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <partyline/sock.h>

PARTY_BEGIN_DECLS

/*
 * Connections by name and listening sockets: what Python's socket module has above its sockets.
 *
 *     struct party_sock *sock;
 *     int r = party_sock_create_connection("localhost", "60000", 10 * 1000, &sock);
 *     if (r < 0) {
 *         fprintf(stderr, "%s\n", party_strerror(r));
 *     }
 *
 * Threads: any.
 */

/**
 * Python's socket.create_connection: looks host up and connects a stream socket to the first of its
 * addresses that answers, in getaddrinfo's order, within timeout_ms for all of them (-1: for ever).
 * Each address gets an even share of what is left, so one that never answers leaves time for the
 * others. The socket's timeout is timeout_ms afterwards.
 * Returns: 0; a PARTY_EGAI_ code; PARTY_ETIMEOUT; -EINVAL for a timeout_ms below -1; -ENOMEM; the
 *   error of the last address tried.
 * Owns: on success the caller owns the socket.
 * Blocks: the look-up (not bounded by the timeout), then up to timeout_ms.
 */
PARTY_API PARTY_MUST_USE int party_sock_create_connection(const char *host, const char *port,
                                                          int64_t timeout_ms,
                                                          struct party_sock **ret_sock);

struct party_server_options {
    int backlog;     /* 0: SOMAXCONN */
    bool reuse_port; /* SO_REUSEPORT: several sockets share the port, one per loop; see below */
    int unix_mode;   /* permissions of a unix path, 0: what the umask gives */
};

/**
 * Python's socket.create_server: a listening stream socket at address. SO_REUSEADDR is set for INET
 * and INET6; an INET6 wildcard listens to both families (IPV6_V6ONLY 0). A unix path left by a dead
 * server (nobody accepts there) is removed first; one that answers is -EADDRINUSE, and so is a path
 * that is no socket, or whose directory cannot be locked (flock(2)) against a server that starts at
 * the same time. close does not remove the path. options NULL means all defaults.
 *
 * reuse_port does not notice other processes: where the same user already has a reuse_port server
 * at the address, the new socket silently joins it and takes a part of its connections. To have a
 * port for oneself and share it among one's own sockets, create the first without reuse_port, which
 * fails with -EADDRINUSE when anybody listens there, and open it to the others once it listens:
 *
 *     struct party_server_options options = {0};
 *     r = party_sock_create_server(&address, &options, &first);
 *     r = party_sock_setsockopt(first, SOL_SOCKET, SO_REUSEPORT, 1);
 *     r = party_sock_getsockname(first, &address);   (the real port where 0 was asked for)
 *     options.reuse_port = true;
 *     r = party_sock_create_server(&address, &options, &second);
 *
 * Returns: 0; -errno of socket(2), bind(2), listen(2), chmod(2), unlink(2); -EOPNOTSUPP for
 * reuse_port with a unix address, which cannot be shared so (loops may share the descriptor);
 * -ENOMEM. Owns: on success the caller owns the socket. Blocks: up to a second for the lock of a
 * unix path's directory.
 */
PARTY_API PARTY_MUST_USE int party_sock_create_server(const struct party_address *address,
                                                      const struct party_server_options *options,
                                                      struct party_sock **ret_sock);

PARTY_END_DECLS
#endif
