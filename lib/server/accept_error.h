/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_ACCEPT_ERROR_H
#define PARTYLINE_SERVER_ACCEPT_ERROR_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

/* What listeners and servers know of a failing accept(2), and how long they then pause. */

#define PARTY__BACKOFF_MIN_NS (10 * INT64_C(1000000))
#define PARTY__BACKOFF_MAX_NS (1000 * INT64_C(1000000))

/** Errors (positive) of the connection that was taken off the queue, not of the listening socket.
 */
static inline bool party__accept_is_peers_error(int error)
{
    switch (error) {
    case ECONNABORTED:
    case EINTR:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:
        return true;
    default:
        return false;
    }
}

/** The pause after one of backoff_ns; 0: there was none. */
static inline int64_t party__backoff_next_ns(int64_t backoff_ns)
{
    if (backoff_ns == 0) {
        return PARTY__BACKOFF_MIN_NS;
    }
    return backoff_ns < PARTY__BACKOFF_MAX_NS / 2 ? backoff_ns * 2 : PARTY__BACKOFF_MAX_NS;
}

#endif
