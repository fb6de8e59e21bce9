/* SPDX-License-Identifier: MIT */
#include "sock/sock_call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include <partyline/error.h>

#include "base/clock.h"

/*
 * The rule for blocking, in one place.
 *
 *     timeout -1    The descriptor is blocking and the kernel waits. EINTR: ask the interrupt
 *                   function, if there is one, and try again.
 *     timeout 0     The descriptor is non-blocking. EAGAIN is the answer.
 *     timeout > 0   The descriptor is non-blocking. The call is tried first, as mostly there is
 *                   something to read or room to write, and then one system call is all it takes.
 *                   On EAGAIN poll(2) waits for what is left until the deadline, and the call is
 *                   tried again: poll may promise what another thread or a bad checksum has taken
 *                   away.
 *
 * The deadline is fixed when a call first has to wait, or before by who makes several calls under
 * one deadline. Interruptions and false promises never move it.
 */

int64_t party__sock_deadline(const struct party_sock *sock, int64_t deadline_ns)
{
    return deadline_ns == PARTY__DEADLINE_OF_TIMEOUT ? party__deadline_ns(sock->timeout_ms)
                                                     : deadline_ns;
}

/* Milliseconds for poll(2), rounded up so that it never returns before the deadline, and cut to
   what an int can hold: the caller looks at the clock again. */
static int poll_timeout_ms(int64_t deadline_ns, int64_t now_ns)
{
    int64_t left_ns = deadline_ns - now_ns;
    int64_t left_ms = left_ns / PARTY__NS_PER_MS + (left_ns % PARTY__NS_PER_MS > 0 ? 1 : 0);
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

int party__sock_is_ready(int fd, short events)
{
    struct pollfd pollfd = {.fd = fd, .events = events};
    int n;
    do {
        n = poll(&pollfd, 1, 0);
    } while (n == -1 && errno == EINTR);
    return n == -1 ? -errno : n;
}

int party__sock_wait_fd(struct party_sock *sock, int fd, short events, int64_t deadline_ns)
{
    for (;;) {
        int timeout_ms = -1;
        if (deadline_ns != PARTY__NEVER_NS) {
            int64_t now_ns = party__now_ns();
            if (now_ns >= deadline_ns) {
                return PARTY_ETIMEOUT;
            }
            timeout_ms = poll_timeout_ms(deadline_ns, now_ns);
        }
        struct pollfd pollfd = {.fd = fd, .events = events};
        int n = poll(&pollfd, 1, timeout_ms);
        if (n > 0) {
            return 0;
        }
        if (n == 0) {
            continue;
        }
        int r = errno == EINTR ? party__sock_interrupted(sock) : -errno;
        if (r < 0) {
            return r;
        }
    }
}

int party__sock_wait(struct party_sock *sock, short events, int64_t deadline_ns)
{
    return party__sock_wait_fd(sock, sock->fd, events, deadline_ns);
}

ssize_t party__sock_call(struct party_sock *sock, short events, int64_t deadline_ns,
                         party__sock_try_fn try_once, void *args)
{
    for (;;) {
        ssize_t n = try_once(sock, args);
        if (n >= 0) {
            return n;
        }
        int r;
        if (n == -EINTR) {
            r = party__sock_interrupted(sock);
        } else if (n != -EAGAIN || sock->timeout_ms <= 0) {
            return n;
        } else {
            deadline_ns = party__sock_deadline(sock, deadline_ns);
            r = party__sock_wait(sock, events, deadline_ns);
        }
        if (r < 0) {
            return r;
        }
    }
}
