/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_SOCK_CALL_H
#define PARTYLINE_SOCK_SOCK_CALL_H

#include <poll.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <partyline/sock.h>

/* Inside lib/sock: what a socket is made of, and the one function that knows how to wait. */

struct party_sock {
    int fd;
    int family;
    int type; /* without SOCK_NONBLOCK and SOCK_CLOEXEC */
    int proto;
    int64_t timeout_ms; /* -1: waits for ever, and fd is blocking; else fd is non-blocking */
    atomic_uint refs;   /* party_sock_close drops one, each FILE of makefile another (file.h) */
    party_interrupt_fn interrupt_fn; /* NULL: interrupted calls go on */
    void *interrupt_user;
};

/** Keeps the socket and its descriptor until party__sock_unref, beyond party_sock_close too. */
struct party_sock *party__sock_ref(struct party_sock *sock);

/** Drops a reference; the last one closes the descriptor and frees the socket. Returns: 0; -errno
   of close(2), and the socket is gone all the same. */
int party__sock_unref(struct party_sock *sock);

/* For deadline_ns below: the socket's timeout, counted from when the call first has to wait. */
#define PARTY__DEADLINE_OF_TIMEOUT INT64_C(0)

/** One try of a system call. Returns: what the call returned, or -errno. */
typedef ssize_t (*party__sock_try_fn)(const struct party_sock *sock, void *args);

/**
 * Tries until the call neither was interrupted nor would have to wait, waits for events (POLLIN,
 * POLLOUT) between the tries as the socket's timeout says, at most until deadline_ns.
 * Returns: what the last try did; PARTY_ETIMEOUT; -errno of poll(2); the interrupt function's code.
 */
ssize_t party__sock_call(struct party_sock *sock, short events, int64_t deadline_ns,
                         party__sock_try_fn try_once, void *args);

/**
 * Waits until one of events is there or deadline_ns has come; signals do not end it, but the
 * interrupt function may. party__sock_wait_fd waits for another descriptor in the socket's name.
 * Returns: 0 when there may be something to do; PARTY_ETIMEOUT; -errno of poll(2); the interrupt
 *   function's code.
 */
int party__sock_wait(struct party_sock *sock, short events, int64_t deadline_ns);
int party__sock_wait_fd(struct party_sock *sock, int fd, short events, int64_t deadline_ns);

/** Whether one of events is there now. Returns: 1; 0; -errno of poll(2). */
int party__sock_is_ready(int fd, short events);

/** To be called after EINTR, and between the parts of what is sent: a signal amid the bytes makes
   a part shorter and is not told otherwise. Returns: 0: go on; the interrupt function's negative
   code. */
static inline int party__sock_interrupted(struct party_sock *sock)
{
    if (sock->interrupt_fn == NULL) {
        return 0;
    }
    int r = sock->interrupt_fn(sock, sock->interrupt_user);
    return r < 0 ? r : 0;
}

/**
 * What a receiving call with these MSG_ flags waits for. With POLLIN for what lies beside the data,
 * data that nobody takes would end each wait at once. POLLERR needs no asking.
 */
static inline short party__recv_events(int flags)
{
    return (flags & MSG_ERRQUEUE) != 0 ? 0 : (flags & MSG_OOB) != 0 ? POLLPRI : POLLIN;
}

/**
 * recv(2) within deadline_ns. Returns: bytes; 0 at end of stream; as party__sock_call. len is not
 * 0.
 */
ssize_t party__sock_recv_until(struct party_sock *sock, void *buf, size_t len, int flags,
                               int64_t deadline_ns);

/**
 * send(2) until all has gone, at least once, within deadline_ns for all of it. The interrupt
 * function is asked after each part. Returns: 0; as party__sock_call, and *ret_sent, which may not
 * be NULL, says in any case how much went.
 */
int party__sock_send_until(struct party_sock *sock, const void *buf, size_t len, int flags,
                           int64_t deadline_ns, size_t *ret_sent);

/** Turns deadline_ns into a time when it is PARTY__DEADLINE_OF_TIMEOUT. */
int64_t party__sock_deadline(const struct party_sock *sock, int64_t deadline_ns);

/**
 * Fills a socket's struct. timeout_ms must be what fd is: blocking for -1, else non-blocking.
 * Flags in type are left out.
 */
void party__sock_fill(struct party_sock *sock, int fd, int family, int type, int proto,
                      int64_t timeout_ms);

#endif
