/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_INHERITED_H
#define PARTYLINE_INHERITED_H

#include <stddef.h>

#include <partyline/sock.h>

PARTY_BEGIN_DECLS

/*
 * Sockets that a service manager opened and left to this process: the protocol of sd_listen_fds(3)
 * (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), without libsystemd.
 *
 *     struct party_inherited_list list;
 *     int r = party_inherited_take(&list);
 *     if (r == 0 && list.count > 0 && list.entries[0].sock != NULL) {
 *         server = list.entries[0].sock;
 *         list.entries[0].sock = NULL;
 *     }
 *     party_inherited_list_finish(&list);
 *
 * Threads: one, before others are started, as the environment is read and changed.
 */

/* More descriptors than any manager passes. */
#define PARTY_INHERITED_MAX 4096

struct party_inherited_entry {
    struct party_sock *sock; /* NULL when the descriptor is no socket, or was taken out */
    int fd;                  /* the descriptor that is no socket; -1 when sock has it */
    char *name;              /* of LISTEN_FDNAMES; "unknown" when there are no names */
};

struct party_inherited_list {
    size_t count;
    struct party_inherited_entry *entries; /* in the manager's order; NULL when count is 0 */
};

/**
 * Takes over what LISTEN_FDS counts from descriptor 3 on, makes it close-on-exec, and removes the
 * three variables, so that neither a second call nor a child finds them. A process that was left
 * nothing, or whose LISTEN_PID is another's, gets an empty list and keeps the variables.
 * A socket's timeout is as party_sock_adopt says.
 * Returns: 0; -EINVAL when a variable is malformed, counts more than PARTY_INHERITED_MAX, or names
 *   and descriptors differ in number; -EBADF when a descriptor is not open; -errno of fcntl(2) or
 *   getsockopt(2); -ENOMEM.
 * Owns: on success the caller owns the list; what it takes out it sets to NULL, or -1. On failure
 *   everything is open and the variables are there as before, but close-on-exec may be set, and
 *   with a default timeout O_NONBLOCK.
 */
PARTY_API PARTY_MUST_USE int party_inherited_take(struct party_inherited_list *ret_list);

/** Closes what is still in the list and frees it. A zeroed list and NULL are accepted. */
PARTY_API void party_inherited_list_finish(struct party_inherited_list *list);

PARTY_END_DECLS
#endif
