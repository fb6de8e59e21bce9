/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/require.h"

/* Descriptors that travel over unix sockets. */

#define FDS_MAX           253 /* SCM_MAX_FD of the kernel */
#define FDS_CONTROL_BYTES CMSG_SPACE(FDS_MAX * sizeof(int))

/* What else a socket may have been told to deliver (credentials, times, a label), which comes
   before the descriptors and would take their place. */
#define OTHERS_CONTROL_BYTES 512

/* A descriptor of the sending process that comes when SO_PASSPIDFD asks for it (Linux 6.5). */
#define SCM_PIDFD_TYPE 4

ssize_t party_sock_send_fds(struct party_sock *sock, const void *buf, size_t len, int flags,
                            const struct party_sock_fds *fds)
{
    PARTY__REQUIRE(-EINVAL, sock, fds);
    if (fds->count > FDS_MAX || (fds->count > 0 && fds->fds == NULL)) {
        return -EINVAL;
    }
    char control[FDS_CONTROL_BYTES];
    /* sendmsg(2) only reads what the pointer, which is not const, leads to. */
    struct iovec iov = {.iov_base = (void *)(uintptr_t)buf, .iov_len = len};
    struct party_sock_message message = {.iov = &iov, .iov_count = 1, .control = control};
    struct party_sock_cmsg cmsg = {
        .level = SOL_SOCKET, .type = SCM_RIGHTS, .data = fds->fds, .len = fds->count * sizeof(int)};
    if (fds->count > 0) {
        int r = party_sock_cmsg_add(&message, sizeof(control), &cmsg);
        if (r < 0) {
            return r;
        }
    }
    return party_sock_sendmsg(sock, &message, flags);
}

/* Keeps what has room and closes the rest, so that none is left that nobody knows of. */
static void take_fds(const struct party_sock_cmsg *cmsg, struct party_sock_fds *fds)
{
    bool is_rights = cmsg->level == SOL_SOCKET && cmsg->type == SCM_RIGHTS;
    bool is_pidfd = cmsg->level == SOL_SOCKET && cmsg->type == SCM_PIDFD_TYPE;
    if (!is_rights && !is_pidfd) {
        return;
    }
    for (size_t at = 0; cmsg->len - at >= sizeof(int); at += sizeof(int)) {
        int fd;
        memcpy(&fd, (const char *)cmsg->data + at, sizeof(fd));
        if (is_rights && fds->count < fds->cap) {
            fds->fds[fds->count] = fd;
            fds->count++;
        } else if (fd >= 0) {
            (void)close(fd);
            fds->flags |= is_rights ? MSG_CTRUNC : 0;
        }
    }
}

static void take_all_fds(const struct party_sock_message *message, struct party_sock_fds *fds)
{
    size_t cursor = 0;
    struct party_sock_cmsg cmsg;
    while (party_sock_cmsg_next(message, &cursor, &cmsg) > 0) {
        take_fds(&cmsg, fds);
    }
}

void party_sock_cmsg_close_fds(const struct party_sock_message *message)
{
    PARTY__REQUIRE_VOID(message);
    struct party_sock_fds none = {0};
    take_all_fds(message, &none);
}

ssize_t party_sock_recv_fds(struct party_sock *sock, void *buf, size_t len, int flags,
                            struct party_sock_fds *fds)
{
    PARTY__REQUIRE(-EINVAL, sock, fds);
    if (fds->cap > 0 && fds->fds == NULL) {
        return -EINVAL;
    }
    char control[OTHERS_CONTROL_BYTES + FDS_CONTROL_BYTES];
    struct iovec iov = {.iov_base = buf, .iov_len = len};
    struct party_sock_message message = {
        .iov = &iov, .iov_count = 1, .control = control, .control_len = sizeof(control)};
    ssize_t n = party_sock_recvmsg(sock, &message, flags);
    if (n < 0) {
        return n;
    }
    fds->count = 0;
    fds->flags = message.flags;
    take_all_fds(&message, fds);
    return n;
}
