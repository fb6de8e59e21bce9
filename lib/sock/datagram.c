/* SPDX-License-Identifier: MIT */
#include <partyline/datagram.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/require.h"
#include "sock/sock_call.h"

/*
 * What the kernel is asked for is a message; a datagram of the caller is one message, or several
 * when it has segments. With UDP_SEGMENT a message holds as many segments as the kernel takes at
 * once, without it one. A kernel that does not know UDP_SEGMENT would send the message as one
 * datagram, so it is asked first; one that knows it refuses it for some devices and protocols,
 * which only the attempt shows, and then the segments are sent one by one.
 */

#define BATCH_MAX PARTY_DATAGRAM_BATCH_MAX

/* UDP_MAX_SEGMENTS of the kernel, and what fits into an IP packet with room for its headers. */
#define SEGMENTS_MAX      64
#define SEGMENTED_MAX_LEN 65000

/* Room for both control messages a datagram can have, and for those that the kernel puts between
   them, or before, when the program has asked for time stamps and the like. */
#define CONTROL_BYTES 512

union control {
    struct cmsghdr align;
    unsigned char bytes[CONTROL_BYTES];
};

struct batch {
    struct mmsghdr messages[BATCH_MAX];
    struct iovec iovs[BATCH_MAX];
    union control controls[BATCH_MAX];
    unsigned count;
};

/* ---- receiving ---- */

static int enable_one(const struct party_sock *sock, int level, int name, unsigned feature)
{
    int on = 1;
    if (setsockopt(sock->fd, level, name, &on, sizeof(on)) == 0) {
        return (int)feature;
    }
    return errno == ENOPROTOOPT || errno == EOPNOTSUPP ? 0 : -errno;
}

static int enable_local(const struct party_sock *sock)
{
    switch (sock->family) {
    case AF_INET:
        return enable_one(sock, IPPROTO_IP, IP_PKTINFO, PARTY_DATAGRAM_LOCAL);
    case AF_INET6:
        return enable_one(sock, IPPROTO_IPV6, IPV6_RECVPKTINFO, PARTY_DATAGRAM_LOCAL);
    default:
        return 0;
    }
}

int party_datagram_enable(struct party_sock *sock, unsigned features)
{
    PARTY__REQUIRE(-EINVAL, sock);
    if ((features & ~(PARTY_DATAGRAM_LOCAL | PARTY_DATAGRAM_GRO)) != 0) {
        return -EINVAL;
    }
    int have = 0;
    if ((features & PARTY_DATAGRAM_LOCAL) != 0) {
        have = enable_local(sock);
    }
    bool is_udp = (sock->family == AF_INET || sock->family == AF_INET6) && sock->type == SOCK_DGRAM;
    if (have >= 0 && is_udp && (features & PARTY_DATAGRAM_GRO) != 0) {
        int r = enable_one(sock, IPPROTO_UDP, UDP_GRO, PARTY_DATAGRAM_GRO);
        have = r < 0 ? r : have | r;
    }
    return have;
}

/* A peer on a Unix socket may send descriptors along, which nobody here would close: without room
   for them the kernel does. */
static bool has_control(const struct party_sock *sock)
{
    return sock->family == AF_INET || sock->family == AF_INET6;
}

static void prepare_recv(struct batch *batch, struct party_datagram *datagrams, size_t count,
                         size_t control_len)
{
    batch->count = count < BATCH_MAX ? (unsigned)count : BATCH_MAX;
    for (unsigned i = 0; i < batch->count; i++) {
        struct party_datagram *datagram = &datagrams[i];
        batch->iovs[i] = (struct iovec){.iov_base = datagram->data, .iov_len = datagram->cap};
        batch->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &datagram->peer.u,
            .msg_namelen = sizeof(datagram->peer.u),
            .msg_iov = &batch->iovs[i],
            .msg_iovlen = 1,
            .msg_control = &batch->controls[i],
            .msg_controllen = control_len,
        };
    }
}

static ssize_t try_recvmmsg(const struct party_sock *sock, void *args)
{
    struct batch *batch = args;
    /* With MSG_TRUNC the length is the datagram's, whatever room there was. */
    int flags = MSG_WAITFORONE | MSG_TRUNC | MSG_CMSG_CLOEXEC;
    int n = recvmmsg(sock->fd, batch->messages, batch->count, flags, NULL);
    return n == -1 ? -errno : n;
}

static void read_local4(struct party_datagram *datagram, const struct cmsghdr *cmsg)
{
    struct in_pktinfo info;
    memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = info.ipi_spec_dst};
    party_address_from_sockaddr(&datagram->local, (struct sockaddr *)&in, sizeof(in));
}

static void read_local6(struct party_datagram *datagram, const struct cmsghdr *cmsg)
{
    struct in6_pktinfo info;
    memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
    if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) {
        return;
    }
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = info.ipi6_addr};
    if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
        in6.sin6_scope_id = info.ipi6_ifindex;
    }
    party_address_from_sockaddr(&datagram->local, (struct sockaddr *)&in6, sizeof(in6));
}

static void read_segment_len(struct party_datagram *datagram, const struct cmsghdr *cmsg)
{
    int len;
    memcpy(&len, CMSG_DATA(cmsg), sizeof(len));
    datagram->segment_len = len > 0 ? (size_t)len : 0;
}

static void read_control(struct party_datagram *datagram, struct msghdr *header)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO &&
            cmsg->cmsg_len >= CMSG_LEN(sizeof(struct in_pktinfo))) {
            read_local4(datagram, cmsg);
        } else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO &&
                   cmsg->cmsg_len >= CMSG_LEN(sizeof(struct in6_pktinfo))) {
            read_local6(datagram, cmsg);
        } else if (cmsg->cmsg_level == IPPROTO_UDP && cmsg->cmsg_type == UDP_GRO &&
                   cmsg->cmsg_len >= CMSG_LEN(sizeof(int))) {
            read_segment_len(datagram, cmsg);
        }
    }
}

static void finish_recv(struct party_datagram *datagram, struct mmsghdr *message)
{
    datagram->len = message->msg_len < datagram->cap ? message->msg_len : datagram->cap;
    datagram->lost_len = message->msg_len - datagram->len;
    datagram->segment_len = 0;
    datagram->local = (struct party_address){0};
    socklen_t peer_len = message->msg_hdr.msg_namelen;
    datagram->peer.len = peer_len <= sizeof(datagram->peer.u) ? peer_len : 0;
    if (party_address_family(&datagram->peer) == AF_UNIX) {
        party_address_from_sockaddr(&datagram->peer, &datagram->peer.u.sa, peer_len);
    }
    read_control(datagram, &message->msg_hdr);
}

int party_datagram_recv_batch(struct party_sock *sock, struct party_datagram *datagrams,
                              size_t count)
{
    PARTY__REQUIRE(-EINVAL, sock);
    PARTY__REQUIRE_BYTES(-EINVAL, datagrams, count);
    if (count == 0) {
        return 0;
    }
    struct batch batch;
    prepare_recv(&batch, datagrams, count, has_control(sock) ? CONTROL_BYTES : 0);
    ssize_t n = party__sock_call(sock, POLLIN, PARTY__DEADLINE_OF_TIMEOUT, try_recvmmsg, &batch);
    for (ssize_t i = 0; i < n; i++) {
        finish_recv(&datagrams[i], &batch.messages[i]);
    }
    return (int)n;
}

bool party_datagram_next(const struct party_datagram *datagram, size_t *cursor,
                         const void **ret_data, size_t *ret_len)
{
    PARTY__REQUIRE(false, datagram, cursor, ret_data, ret_len);
    /* An empty datagram is one too; the cursor beyond the end says that it was given. */
    if (*cursor > datagram->len || (*cursor == datagram->len && datagram->len > 0)) {
        return false;
    }
    size_t left = datagram->len - *cursor;
    size_t len =
        datagram->segment_len > 0 && datagram->segment_len < left ? datagram->segment_len : left;
    *ret_data = (const char *)datagram->data + *cursor;
    *ret_len = len;
    *cursor += len > 0 ? len : 1;
    return true;
}

/* ---- sending ---- */

static bool kernel_has_gso(const struct party_sock *sock)
{
    int value;
    socklen_t len = sizeof(value);
    return getsockopt(sock->fd, IPPROTO_UDP, UDP_SEGMENT, &value, &len) == 0;
}

/* Bytes of the datagram's next message, from offset on. */
static size_t message_len(const struct party_datagram *datagram, size_t offset, bool has_gso)
{
    size_t left = datagram->len - offset;
    size_t segment_len = datagram->segment_len;
    if (segment_len == 0 || segment_len >= left) {
        return left;
    }
    if (!has_gso || segment_len > SEGMENTED_MAX_LEN / 2) {
        return segment_len;
    }
    size_t segments = SEGMENTED_MAX_LEN / segment_len;
    size_t most = (segments < SEGMENTS_MAX ? segments : SEGMENTS_MAX) * segment_len;
    return left < most ? left : most;
}

static void add_control(struct msghdr *header, int level, int type, const void *data, size_t len)
{
    struct cmsghdr cmsg = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    unsigned char *at = (unsigned char *)header->msg_control + header->msg_controllen;
    memset(at, 0, CMSG_SPACE(len));
    memcpy(at, &cmsg, sizeof(cmsg));
    memcpy(at + CMSG_LEN(0), data, len);
    header->msg_controllen += CMSG_SPACE(len);
}

static void add_local(struct msghdr *header, const struct party_address *local)
{
    switch (party_address_family(local)) {
    case AF_INET: {
        struct in_pktinfo info = {.ipi_spec_dst = local->u.in.sin_addr};
        add_control(header, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
        break;
    }
    case AF_INET6: {
        struct in6_pktinfo info = {.ipi6_addr = local->u.in6.sin6_addr,
                                   .ipi6_ifindex = local->u.in6.sin6_scope_id};
        add_control(header, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
        break;
    }
    default:
        break;
    }
}

static void add_message(struct batch *batch, struct party_datagram *datagram, size_t offset,
                        size_t len)
{
    unsigned i = batch->count++;
    batch->iovs[i] = (struct iovec){.iov_base = (char *)datagram->data + offset, .iov_len = len};
    struct msghdr *header = &batch->messages[i].msg_hdr;
    *header = (struct msghdr){
        .msg_iov = &batch->iovs[i], .msg_iovlen = 1, .msg_control = &batch->controls[i]};
    if (datagram->peer.len > 0) {
        header->msg_name = &datagram->peer.u;
        header->msg_namelen = datagram->peer.len;
    }
    add_local(header, &datagram->local);
    if (datagram->segment_len > 0 && datagram->segment_len < len) {
        uint16_t segment_len = (uint16_t)datagram->segment_len;
        add_control(header, IPPROTO_UDP, UDP_SEGMENT, &segment_len, sizeof(segment_len));
    }
}

static void prepare_send(struct batch *batch, struct party_datagram *datagrams, size_t count,
                         bool has_gso)
{
    batch->count = 0;
    for (size_t i = 0; i < count && batch->count < BATCH_MAX; i++) {
        size_t offset = 0;
        do {
            size_t len = message_len(&datagrams[i], offset, has_gso);
            add_message(batch, &datagrams[i], offset, len);
            offset += len;
        } while (offset < datagrams[i].len && batch->count < BATCH_MAX);
    }
}

static ssize_t try_sendmmsg(const struct party_sock *sock, void *args)
{
    struct batch *batch = args;
    int n = sendmmsg(sock->fd, batch->messages, batch->count, MSG_NOSIGNAL);
    return n == -1 ? -errno : n;
}

/* Moves the datagrams on by the messages that were sent; those that are done with are as they were.
   *moved is by how much the first of them has been moved, before and after. Returns: how many are
   done with. */
static size_t advance(struct party_datagram *datagrams, const struct batch *batch, ssize_t sent,
                      size_t *moved)
{
    size_t done = 0;
    for (ssize_t i = 0; i < sent; i++) {
        struct party_datagram *datagram = &datagrams[done];
        size_t len = batch->iovs[i].iov_len;
        *moved += len;
        datagram->data = (char *)datagram->data + len;
        datagram->len -= len;
        if (datagram->len == 0) {
            datagram->data = (char *)datagram->data - *moved;
            datagram->len = *moved;
            *moved = 0;
            done++;
        }
    }
    return done;
}

/* Whether the kernel's answer may mean that this message's segments must go one by one. */
static bool is_gso_refused(const struct batch *batch, const struct party_datagram *first, ssize_t n)
{
    return first->segment_len > 0 && batch->iovs[0].iov_len > first->segment_len &&
           (n == -EINVAL || n == -EIO || n == -EMSGSIZE || n == -EOPNOTSUPP || n == -ENOPROTOOPT);
}

static bool has_segments(const struct party_datagram *datagrams, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (datagrams[i].segment_len > 0 && datagrams[i].segment_len < datagrams[i].len) {
            return true;
        }
    }
    return false;
}

int party_datagram_send_batch(struct party_sock *sock, struct party_datagram *datagrams,
                              size_t count)
{
    PARTY__REQUIRE(-EINVAL, sock);
    PARTY__REQUIRE_BYTES(-EINVAL, datagrams, count);
    size_t most = count < INT_MAX ? count : INT_MAX;
    size_t done = 0;
    size_t moved = 0;
    bool has_gso = has_segments(datagrams, most) && kernel_has_gso(sock);
    int64_t deadline_ns = party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT);
    while (done < most) {
        struct batch batch;
        prepare_send(&batch, &datagrams[done], most - done, has_gso);
        ssize_t n = party__sock_call(sock, POLLOUT, deadline_ns, try_sendmmsg, &batch);
        if (n < 0 && has_gso && is_gso_refused(&batch, &datagrams[done], n)) {
            has_gso = false;
            continue;
        }
        if (n < 0) {
            return done > 0 ? (int)done : (int)n;
        }
        done += advance(&datagrams[done], &batch, n, &moved);
    }
    return (int)done;
}
