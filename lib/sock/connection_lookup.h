/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_CONNECTION_LOOKUP_H
#define PARTYLINE_SOCK_CONNECTION_LOOKUP_H

#include <stdint.h>

#include <partyline/resolve.h>

/**
 * Looks up the addresses of a stream service until deadline_ns. A deadline that is not
 * PARTY__NEVER_NS needs a thread for a host that is no number, which goes on by itself when the
 * time is over; without a thread the call takes as long as the resolver.
 * Returns: as party_resolve_getaddrinfo; PARTY_ETIMEOUT. Owns: as that.
 */
PARTY_MUST_USE int party__connection_lookup(const char *host, const char *port, int family,
                                            int64_t deadline_ns,
                                            struct party_resolve_list *ret_list);

#endif
