/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_DATAGRAM_H
#define PARTYLINE_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/*
 * Many datagrams with one system call, in and out: recvmmsg(2), sendmmsg(2), and where the kernel
 * has them UDP's segmentation and coalescing (GSO, GRO), which let one pass through the network
 * stack carry up to 64 datagrams. Python has no such thing; what is there for one datagram at a
 * time is in sock_io.h. Also here: to which of the machine's addresses a datagram was sent, so that
 * a server on a wildcard answers from the right one.
 *
 *     uint8_t room[32][2048];
 *     struct party_datagram datagrams[32];
 *     int have = party_datagram_enable(sock, PARTY_DATAGRAM_LOCAL);
 *     while (have >= 0) {
 *         for (size_t i = 0; i < 32; i++) {
 *             datagrams[i] = (struct party_datagram){.data = room[i], .cap = sizeof(room[i])};
 *         }
 *         int n = party_datagram_recv_batch(sock, datagrams, 32);
 *         if (n < 0 || party_datagram_send_batch(sock, datagrams, (size_t)n) < 0) {
 *             break;
 *         }
 *     }
 *
 * This echoes: a datagram that was received can be sent back as it is, to its sender and from the
 * address it was sent to.
 *
 * On a loop: give the socket time-out 0, watch its descriptor for PARTY_READ, and take a batch or a
 * few in the callback; the watch calls again when more wait.
 *
 * The socket's time-out, interruptions and the codes -EAGAIN and PARTY_ETIMEOUT are as in sock.h.
 * Threads: as a socket's; two threads may receive batches from one socket.
 */
struct party_sock;

/* What goes with one system call at most; longer batches take several. */
#define PARTY_DATAGRAM_BATCH_MAX 64

/* Room that every UDP datagram fits into, also one that coalescing made of several. */
#define PARTY_DATAGRAM_ROOM_BYTES 65535

/* A datagram that came or is to go. Zero it, and set what is said to be given. */
struct party_datagram {
    void *data;         /* the bytes; to receive, the room for them is given */
    size_t cap;         /* to receive, bytes of room at data are given; sending does not look */
    size_t len;         /* bytes of data */
    size_t lost_len;    /* received: bytes at its end that had no room; 0: it is whole */
    size_t segment_len; /* 0: data is one datagram; else several, all but the last so long */
    struct party_address peer; /* who sent it, or gets it; empty: the connected peer */
    struct party_address
        local; /* see PARTY_DATAGRAM_LOCAL; empty: unknown, or the kernel's choice */
};

/* Received datagrams have in local the address (port 0) of this machine they were sent to; on IPv4,
   for a broadcast or a group, the interface's own. It stays empty for an IPv6 group, from which
   nothing can be sent. Sent ones with a local go out from it whether this was enabled or not. */
#define PARTY_DATAGRAM_LOCAL 1u
/* Datagrams of one sender that came in a row with the same length may be received as one with
   segment_len (UDP_GRO). Each then needs PARTY_DATAGRAM_ROOM_BYTES of room. Kernel: since 5.0. */
#define PARTY_DATAGRAM_GRO 2u

/**
 * Turns features (PARTY_DATAGRAM_ flags) on for the socket.
 * Returns: those of them that the socket now has: none on a Unix socket, no GRO where kernel or
 *   protocol has none, and all goes on without; -EINVAL for an unknown flag; else -errno of
 *   setsockopt(2): -EBADF ...
 * Blocks: never.
 */
PARTY_API PARTY_MUST_USE int party_datagram_enable(struct party_sock *sock, unsigned features);

/**
 * Waits for a datagram and takes what else has arrived, at most count datagrams and at most
 * PARTY_DATAGRAM_BATCH_MAX. What was given in data and cap stays; all else of those taken is set.
 * Returns: how many were taken (> 0); 0 for count 0, which makes no system call; -EAGAIN;
 *   PARTY_ETIMEOUT; else -errno of recvmmsg(2): -ECONNREFUSED when a connected peer's host has
 *   refused an earlier datagram. After an error none was taken. Descriptors that came along on a
 *   Unix socket are closed.
 * Blocks: up to the socket's time-out for the first; never for the others.
 */
PARTY_API PARTY_MUST_USE int party_datagram_recv_batch(struct party_sock *sock,
                                                       struct party_datagram *datagrams,
                                                       size_t count);

/**
 * Sends count datagrams. One with segment_len goes out as datagrams of that length, and may be as
 * long as memory is; the kernel divides it where it can (UDP_SEGMENT, since 4.18), else this does.
 * Returns: how many were sent, fewer than count when an error or the end of the time-out came after
 *   the first (the next call meets the error again, if it lasts); -EAGAIN, PARTY_ETIMEOUT; else
 *   -errno of sendmmsg(2): -EMSGSIZE for one that is too long, -EINVAL or -ENETUNREACH for a local
 *   that is none of this machine's addresses ... Of the first that was not sent in whole, data and
 *   len are moved beyond those of its segments that were.
 * Blocks: up to the socket's time-out for all of them together.
 */
PARTY_API PARTY_MUST_USE int party_datagram_send_batch(struct party_sock *sock,
                                                       struct party_datagram *datagrams,
                                                       size_t count);

/**
 * Walks the datagrams that a received one consists of, which is itself when segment_len is 0.
 * *cursor is 0 for the first and is moved on.
 * Returns: true, and the datagram; false when there is none left.
 */
PARTY_API bool party_datagram_next(const struct party_datagram *datagram, size_t *cursor,
                                   const void **ret_data, size_t *ret_len);

PARTY_END_DECLS
#endif
