/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_OPTION_H
#define PARTYLINE_SOCK_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <partyline/api.h>

PARTY_BEGIN_DECLS

/*
 * A socket's options, with Python's names. Levels and names are those of the system's headers
 * (SOL_SOCKET and SO_REUSEADDR of <sys/socket.h>, IPPROTO_TCP and TCP_NODELAY of <netinet/tcp.h>).
 *
 *     int r = party_sock_setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, 1);
 *     struct linger linger = {.l_onoff = 1, .l_linger = 0};
 *     r = party_sock_setsockopt_bytes(sock, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
 *
 * No call here blocks.
 */
struct party_sock;

/** Python's socket.setsockopt and getsockopt for int options. Returns: 0; -errno. */
PARTY_API PARTY_MUST_USE int party_sock_setsockopt(struct party_sock *sock, int level, int name,
                                                   int value);
PARTY_API PARTY_MUST_USE int party_sock_getsockopt(const struct party_sock *sock, int level,
                                                   int name, int *ret_value);

/**
 * Python's socket.setsockopt for an option that is bytes or a struct. With value NULL it is
 * Python's setsockopt(level, name, None, len): the kernel gets no value, and len where it has a
 * meaning. Returns: 0; -EINVAL for a len above INT_MAX; -errno of setsockopt(2).
 */
PARTY_API PARTY_MUST_USE int party_sock_setsockopt_bytes(struct party_sock *sock, int level,
                                                         int name, const void *value, size_t len);

/**
 * Python's socket.getsockopt(level, name, cap). What does not fit is cut without a word by some
 * options and refused by others (-EINVAL, -ERANGE).
 * Returns: the bytes written to buf; -EINVAL for a cap above INT_MAX; -errno of getsockopt(2).
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_getsockopt_bytes(const struct party_sock *sock,
                                                             int level, int name, void *buf,
                                                             size_t cap);

/**
 * ioctl(2) on the socket's descriptor (FIONREAD, SIOCGIFADDR ...). Whether the descriptor blocks is
 * for party_sock_settimeout alone: FIONBIO here would contradict the timeout.
 * Returns: what ioctl(2) returned, mostly 0; -errno.
 */
PARTY_API PARTY_MUST_USE int party_sock_ioctl(struct party_sock *sock, unsigned long request,
                                              void *arg);

/** Python's socket.get_inheritable: whether exec keeps the descriptor. Returns: 1; 0; -errno. */
PARTY_API PARTY_MUST_USE int party_sock_get_inheritable(const struct party_sock *sock);

/** Python's socket.set_inheritable. No descriptor is inheritable at first. Returns: 0; -errno. */
PARTY_API PARTY_MUST_USE int party_sock_set_inheritable(struct party_sock *sock,
                                                        bool is_inheritable);

PARTY_END_DECLS
#endif
