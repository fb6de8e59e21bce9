/* SPDX-License-Identifier: MIT */
#include <partyline/connection.h>

#include <errno.h>
#include <sys/socket.h>

#include <partyline/error.h>
#include <partyline/resolve.h>

#include "base/clock.h"
#include "sock/sock_call.h"

/* The share of one address when left_count are still to be tried, itself included: a first address
   that never answers must not use up the time of all. */
static int64_t share_deadline(int64_t deadline_ns, size_t left_count)
{
    if (deadline_ns == PARTY__NEVER_NS) {
        return deadline_ns;
    }
    int64_t now_ns = party__now_ns();
    int64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    return now_ns + left_ns / (int64_t)left_count;
}

static int connect_entry(const struct party_resolve_entry *entry, int64_t timeout_ms,
                         int64_t deadline_ns, struct party_sock **ret_sock)
{
    struct party_sock *sock;
    int r = party__sock_new(entry->family, entry->type, entry->proto, timeout_ms, &sock);
    if (r < 0) {
        return r;
    }
    r = party__sock_connect_until(sock, &entry->address, deadline_ns);
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}

int party_sock_create_connection(const char *host, const char *port, int64_t timeout_ms,
                                 struct party_sock **ret_sock)
{
    if (timeout_ms < -1) {
        return -EINVAL;
    }
    struct party_resolve_list list;
    int r = party_resolve_getaddrinfo(host, port, AF_UNSPEC, SOCK_STREAM, 0, 0, &list);
    if (r < 0) {
        return r;
    }
    int64_t deadline_ns = party__deadline_ns(timeout_ms);
    r = PARTY_EGAI_NODATA;
    for (size_t i = 0; i < list.count; i++) {
        int64_t until_ns = share_deadline(deadline_ns, list.count - i);
        r = connect_entry(&list.entries[i], timeout_ms, until_ns, ret_sock);
        /* Without memory the next address would fare no better, and its error would hide this. */
        if (r == 0 || r == -ENOMEM) {
            break;
        }
    }
    party_resolve_list_finish(&list);
    return r;
}
