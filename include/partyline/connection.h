/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_CONNECTION_H
#define PARTYLINE_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/sock.h>

PARTY_BEGIN_DECLS

/*
 * Connections by name and listening sockets: what Python's socket module has above its sockets.
 *
 *     struct party_connection_failures failures;
 *     struct party_connection_options options = {.ret_failures = &failures};
 *     struct party_sock *sock;
 *     int r = party_sock_create_connection_with("example.org", "80", 10 * 1000, &options, &sock);
 *     if (r < 0) {
 *         char text[512];
 *         puts(party_connection_failures_format(&failures, text, sizeof(text)));
 *     }
 *     party_connection_failures_finish(&failures);
 *
 * The addresses of a name are raced as RFC 8305 (Happy Eyeballs) describes: families take turns,
 * an attempt starts when the one before it has had its head start or any has failed, and the first
 * that connects wins; the others are closed. On a loop: connector.h.
 *
 * Threads: any.
 */

/* RFC 8305 section 8, the Connection Attempt Delay: the head start of an attempt. */
#define PARTY_CONNECTION_DELAY_MS     250
#define PARTY_CONNECTION_DELAY_MIN_MS 10
#define PARTY_CONNECTION_DELAY_MAX_MS 2000

/* How many addresses of a name are tried at most. */
#define PARTY_CONNECTION_ATTEMPTS_MAX 64

/* An attempt that failed. */
struct party_connection_failure {
    struct party_address address;
    int error; /* -errno of socket(2), bind(2), connect(2) or SO_ERROR; PARTY_ETIMEOUT */
};

/* The attempts that failed, in the order they were started. */
struct party_connection_failures {
    size_t count;
    struct party_connection_failure *entries; /* NULL when count is 0 */
};

/** Frees what the list owns and empties it. A zeroed list and NULL are accepted. */
PARTY_API void party_connection_failures_finish(struct party_connection_failures *failures);

/**
 * Writes all failures into text for people, at most cap bytes with the NUL, cut if it must be:
 * "[::1]:80: Connection refused; 127.0.0.1:80: timed out". "" when there is none. Returns: text.
 */
PARTY_API char *party_connection_failures_format(const struct party_connection_failures *failures,
                                                 char *text, size_t cap);

struct party_connection_options {
    const struct party_address *source; /* Python's source_address: bound before connecting; an
                                           attempt in another family fails with -EAFNOSUPPORT.
                                           NULL: the kernel chooses */
    uint32_t delay_ms; /* head start, PARTY_CONNECTION_DELAY_MIN_MS to .._MAX_MS; 0: .._DELAY_MS */
    int family;        /* AF_INET or AF_INET6: look up this family only; 0: any */
    struct party_connection_failures *ret_failures; /* set by every call, one that succeeds too;
                                                       the caller finishes it. NULL: not asked */
};

/**
 * Python's socket.create_connection with all its parameters (source_address, all_errors): looks
 * host up and connects a stream socket to the first of its addresses that answers, within
 * timeout_ms for the look-up and all attempts together (-1: for ever). The socket's timeout is
 * timeout_ms afterwards. host NULL is loopback. options NULL means all defaults.
 *
 * A look-up under a timeout runs in a thread of its own unless host is numeric. When the time is
 * over the thread is left to itself and ends when the resolver does (resolv.conf(5)); where no
 * thread can be had, the look-up runs in the caller's and its time is not bounded.
 *
 * Returns: 0; PARTY_ETIMEOUT; what party_resolve_getaddrinfo failed with; -EINVAL for a timeout_ms
 *   below -1 or options out of range; -ENOMEM; -EINPROGRESS with timeout_ms 0, which leaves no time
 *   for a look-up or for an answer; when all attempts failed, the last one's error.
 * Owns: on success the caller owns the socket; in any case what ret_failures got.
 * Blocks: up to timeout_ms.
 */
PARTY_API PARTY_MUST_USE int party_sock_create_connection_with(
    const char *host, const char *port, int64_t timeout_ms,
    const struct party_connection_options *options, struct party_sock **ret_sock);

/** party_sock_create_connection_with without options. Returns, owns and blocks as that. */
PARTY_API PARTY_MUST_USE int party_sock_create_connection(const char *host, const char *port,
                                                          int64_t timeout_ms,
                                                          struct party_sock **ret_sock);

struct party_server_options {
    int backlog;         /* 0: SOMAXCONN; negative: none beyond the one the kernel always keeps */
    bool reuse_port;     /* SO_REUSEPORT: several sockets share the port, one per loop; see below */
    bool dualstack_ipv6; /* an INET6 socket serves IPv4, too (IPV6_V6ONLY 0) */
    int unix_mode;       /* permissions of a unix path, 0: what the umask gives */
};

/**
 * Python's socket.create_server: a listening stream socket at address, whose family is the
 * socket's. SO_REUSEADDR is set for INET and INET6; INET6 serves IPv6 only unless dualstack_ipv6
 * is set, whatever net.ipv6.bindv6only says. A unix path left by a dead server (nobody accepts
 * there) is removed first; one that answers is -EADDRINUSE, and so is a path that is no socket, or
 * whose directory cannot be locked (flock(2)) against a server that starts at the same time. close
 * does not remove the path. options NULL means all defaults.
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
 * Clients who connect in between are the first one's, and do not stand in the second one's way.
 *
 * Returns: 0; -errno of socket(2), setsockopt(2), bind(2), listen(2), chmod(2), unlink(2); -EINVAL
 *   for dualstack_ipv6 with another family than INET6; -EOPNOTSUPP for reuse_port with a unix
 *   address, which cannot be shared so (loops may share the descriptor); -ENOMEM.
 * Owns: on success the caller owns the socket.
 * Blocks: up to a second for the lock of a unix path's directory.
 */
PARTY_API PARTY_MUST_USE int party_sock_create_server(const struct party_address *address,
                                                      const struct party_server_options *options,
                                                      struct party_sock **ret_sock);

PARTY_END_DECLS
#endif
