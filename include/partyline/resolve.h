/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_RESOLVE_H
#define PARTYLINE_RESOLVE_H

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/* Name look-ups: Python's socket.getaddrinfo and its family. */

struct party_resolve_entry {
    int family;
    int type;
    int proto;
    struct party_address address;
};

struct party_resolve_list {
    size_t count;
    struct party_resolve_entry *entries; /* NULL when count is 0 */
    char *canonname;                     /* NULL when not asked for */
};

/**
 * Python's socket.getaddrinfo: all addresses of host and service, in the order to try them.
 * host NULL or "" is the wildcard with AI_PASSIVE and loopback without; service is a name, a
 * decimal number, or NULL for port 0. 0 for family, type and proto means any. Returns: 0; a
 * PARTY_EGAI_ code; -errno when the system failed; -ENOMEM. Owns: on success the caller owns the
 * list's memory until party_resolve_list_finish. Blocks: as long as the resolver takes
 * (resolv.conf(5)).
 */
PARTY_API PARTY_MUST_USE int party_resolve_getaddrinfo(const char *host, const char *service,
                                                       int family, int type, int proto, int flags,
                                                       struct party_resolve_list *ret_list);

/** Frees what the list owns. A zeroed list and NULL are accepted. */
PARTY_API void party_resolve_list_finish(struct party_resolve_list *list);

PARTY_END_DECLS
#endif
