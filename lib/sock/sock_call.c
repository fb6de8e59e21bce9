/* SPDX-License-Identifier: MIT */
#include "sock/sock_call.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include <partyline/error.h>

#include "base/clock.h"

/* After so many promises that came at once and were false, poll is asked after a pause, of a
   millisecond at first and up to 16. */
#define QUICK_PROMISES_MAX  8U
#define PAUSE_DOUBLINGS_MAX 4U

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

/* What party__sock_call knows of poll's promises that the call then found false. */
struct promises {
    bool is_second; /* the call has waited before */
    unsigned quick; /* so many came at once, one after the other */
};

/* Waits without asking for anything. Returns: as party__sock_wait. */
static int pause_for(struct party_sock *sock, short events, int64_t span_ns, int64_t deadline_ns)
{
    int64_t until_ns = party__now_ns() + span_ns;
    if (until_ns >= deadline_ns) {
        return party__sock_wait_fd(sock, -1, events, deadline_ns);
    }
    int r = party__sock_wait_fd(sock, -1, events, until_ns);
    return r == PARTY_ETIMEOUT && party__now_ns() >= until_ns ? 0 : r;
}

/*
 * Some promises never come true: an unconnected unix datagram socket counts as writable though the
 * receiver has no room, and an unread error queue ends every wait. So where poll keeps answering at
 * once, it is asked at growing intervals.
 */
static int wait_for_promise(struct party_sock *sock, short events, int64_t deadline_ns,
                            struct promises *promises)
{
    if (!promises->is_second) {
        promises->is_second = true;
        return party__sock_wait(sock, events, deadline_ns);
    }
    if (promises->quick >= QUICK_PROMISES_MAX) {
        unsigned doublings = promises->quick - QUICK_PROMISES_MAX;
        int64_t span_ns = PARTY__NS_PER_MS
                          << (doublings < PAUSE_DOUBLINGS_MAX ? doublings : PAUSE_DOUBLINGS_MAX);
        int r = pause_for(sock, events, span_ns, deadline_ns);
        if (r < 0) {
            return r;
        }
    }
    int64_t asked_ns = party__now_ns();
    int r = party__sock_wait(sock, events, deadline_ns);
    bool is_quick = party__now_ns() - asked_ns < PARTY__NS_PER_MS;
    promises->quick = is_quick ? promises->quick + 1 : 0;
    return r;
}

ssize_t party__sock_call(struct party_sock *sock, short events, int64_t deadline_ns,
                         party__sock_try_fn try_once, void *args)
{
    struct promises promises = {0};
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
            r = wait_for_promise(sock, events, deadline_ns, &promises);
        }
        if (r < 0) {
            return r;
        }
    }
}
