/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LISTENER_H
#define PARTYLINE_LISTENER_H

#include <partyline/address.h>
#include <partyline/loop.h>

PARTY_BEGIN_DECLS

/*
 * Accepts connections on a loop. When the process or the system is out of descriptors or memory
 * (EMFILE, ENFILE, ENOBUFS, ENOMEM) accepting pauses, 10 ms at first and twice as long each time up
 * to 1 s, and says so once through the loop's log hook: waiting connections stay in the backlog and
 * the loop does not spin.
 *
 * Threads: the loop's.
 */
struct party_listener;

/**
 * A connection came. fd is the callback's: close-on-exec and non-blocking. peer is borrowed for the
 * call. The listener may be closed in it.
 */
typedef void (*party_accept_fn)(struct party_listener *listener, int fd,
                                const struct party_address *peer, void *user);

/**
 * Starts to accept on a listening socket, one that several loops may share (the kernel then wakes
 * one of them).
 * Returns: 0; -ENOMEM; -errno of fcntl(2) or epoll_ctl(2).
 * Owns: on success the listener owns fd; on failure the caller still does.
 */
PARTY_API PARTY_MUST_USE int party_listener_create(struct party_loop *loop, int fd,
                                                   party_accept_fn fn, void *user,
                                                   struct party_listener **ret_listener);

/** Stops accepting and closes the socket. No callback comes any more. NULL is accepted. */
PARTY_API void party_listener_close(struct party_listener *listener);

/** The listening socket; it stays the listener's. */
PARTY_API int party_listener_fileno(const struct party_listener *listener);

PARTY_END_DECLS
#endif
