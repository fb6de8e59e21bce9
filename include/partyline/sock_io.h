/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_IO_H
#define PARTYLINE_SOCK_IO_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/*
 * What sends and receives on a socket (see sock.h), with Python's names. Python has two forms of
 * each receiving call, one that makes the bytes object and one that fills a buffer; in C both are
 * the same, and both names are here.
 *
 *     char buf[2048];
 *     struct party_address peer;
 *     ssize_t n = party_sock_recvfrom(sock, buf, sizeof(buf), 0, &peer);
 *     if (n >= 0) {
 *         n = party_sock_sendto(sock, buf, (size_t)n, 0, &peer);
 *     }
 *
 * Returns, unless a contract says more: -EAGAIN when the socket's timeout is 0 and the call would
 * have to wait; PARTY_ETIMEOUT when the timeout ran out; -errno of the system call; the code of an
 * interrupt function (party_sock_set_interrupt). flags are the MSG_ flags of the system call;
 * MSG_NOSIGNAL is always set. The timeout is the rule with MSG_DONTWAIT, too: as in Python, only a
 * timeout of -1 lets it make a call that does not wait.
 *
 * Owns: nothing; buffers and addresses are borrowed for the call. Blocks: up to the socket's
 * timeout, which counts for a call in all, not for each of its system calls.
 */
struct party_sock;

/**
 * Reads what has arrived, at most len bytes. Python's socket.recv and recv_into.
 * Returns: bytes read (> 0); 0 at end of stream, for an empty datagram, and for len 0, which makes
 *   no system call; of a datagram that is longer than len the rest is lost. With MSG_TRUNC it is
 *   the length of the datagram, which may be more than len.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_recv(struct party_sock *sock, void *buf, size_t len,
                                                 int flags);
PARTY_API PARTY_MUST_USE ssize_t party_sock_recv_into(struct party_sock *sock, void *buf,
                                                      size_t len, int flags);

/**
 * The same and who sent it. Python's socket.recvfrom and recvfrom_into. A connected stream socket
 * does not tell: ret_peer is then the empty address (family AF_UNSPEC). ret_peer may be NULL.
 * Returns: as party_sock_recv; but len 0 takes a datagram or waits for one, as in Python.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_recvfrom(struct party_sock *sock, void *buf, size_t len,
                                                     int flags, struct party_address *ret_peer);
PARTY_API PARTY_MUST_USE ssize_t party_sock_recvfrom_into(struct party_sock *sock, void *buf,
                                                          size_t len, int flags,
                                                          struct party_address *ret_peer);

/** Python's socket.send: sends what fits, perhaps less than len. Returns: bytes taken. */
PARTY_API PARTY_MUST_USE ssize_t party_sock_send(struct party_sock *sock, const void *buf,
                                                 size_t len, int flags);

/** Python's socket.sendto: a datagram to address. Returns: bytes taken. */
PARTY_API PARTY_MUST_USE ssize_t party_sock_sendto(struct party_sock *sock, const void *buf,
                                                   size_t len, int flags,
                                                   const struct party_address *address);

/**
 * Python's socket.sendall: sends everything, with one deadline for the whole call.
 * Returns: 0. After a failure it is unknown how much went out.
 */
PARTY_API PARTY_MUST_USE int party_sock_sendall(struct party_sock *sock, const void *buf,
                                                size_t len, int flags);

/*
 * Messages: bytes in several buffers, with an address and control messages.
 */

/* To send: all but flags is read. To receive: iov and the room for control are given, the rest is
   filled. {0} is a message of nothing. */
struct party_sock_message {
    struct iovec *iov;            /* the buffers, in order; NULL when iov_count is 0 */
    size_t iov_count;             /* more than IOV_MAX (1024) is -EMSGSIZE */
    void *control;                /* control messages; NULL when control_len is 0 */
    size_t control_len;           /* bytes of them; receiving: before the call the room for them */
    struct party_address address; /* the other side; empty: the connected peer, or unknown */
    int flags;                    /* received: MSG_TRUNC, MSG_CTRUNC, MSG_EOR ... */
};

/**
 * Python's socket.recvmsg and recvmsg_into. MSG_CTRUNC in message->flags says that control messages
 * had no room; descriptors that had none do not exist in this process. Descriptors that came are
 * the caller's, and close-on-exec: MSG_CMSG_CLOEXEC is always set. Returns: bytes read; 0 at end of
 * stream, for an empty datagram, or when there are no buffers. Owns: the descriptors in the control
 * messages, on success.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_recvmsg(struct party_sock *sock,
                                                    struct party_sock_message *message, int flags);
PARTY_API PARTY_MUST_USE ssize_t party_sock_recvmsg_into(struct party_sock *sock,
                                                         struct party_sock_message *message,
                                                         int flags);

/**
 * Python's socket.sendmsg.
 * Returns: bytes taken, perhaps less than all; control messages went with the first of them.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_sendmsg(struct party_sock *sock,
                                                    const struct party_sock_message *message,
                                                    int flags);

/* One control message. */
struct party_sock_cmsg {
    int level;        /* SOL_SOCKET ... */
    int type;         /* SCM_RIGHTS ... */
    const void *data; /* not aligned: copy it out with memcpy */
    size_t len;       /* bytes of data */
};

/**
 * Python's CMSG_LEN and CMSG_SPACE: bytes of control a message with data_len bytes takes as the
 * last one, and padded for another to follow. Returns: the bytes; -EOVERFLOW when they are more
 * than INT_MAX.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_cmsg_len(size_t data_len);
PARTY_API PARTY_MUST_USE ssize_t party_sock_cmsg_space(size_t data_len);

/**
 * Appends a control message to a message that is to be sent, whose control has room for cap bytes
 * and has control_len of them in use.
 * Returns: 0; -ENOBUFS when it does not fit; -EOVERFLOW as party_sock_cmsg_space; -EINVAL for no
 *   control, or a length without data.
 */
PARTY_API PARTY_MUST_USE int party_sock_cmsg_add(struct party_sock_message *message, size_t cap,
                                                 const struct party_sock_cmsg *cmsg);

/**
 * Walks the control messages that came with a message. *cursor is 0 for the first and is moved on.
 * One whose end was cut off is given as far as it goes, and is the last.
 *
 *     size_t cursor = 0;
 *     struct party_sock_cmsg cmsg;
 *     while (party_sock_cmsg_next(&message, &cursor, &cmsg) > 0) {
 *         ...
 *     }
 *
 * Returns: 1; 0 at the end; -EBADMSG for what is no control message, which ends the walk; -EINVAL
 *   for a control_len without control.
 */
PARTY_API PARTY_MUST_USE int party_sock_cmsg_next(const struct party_sock_message *message,
                                                  size_t *cursor, struct party_sock_cmsg *ret_cmsg);

/** Closes the descriptors that came with a message, for who cannot keep them. */
PARTY_API void party_sock_cmsg_close_fds(const struct party_sock_message *message);

/* Descriptors that go with a message. The kernel lets at most 253 go at once. */
struct party_sock_fds {
    int *fds;     /* the descriptors; NULL when there are none */
    size_t cap;   /* receiving: room in fds */
    size_t count; /* how many there are to send, or came */
    int flags;    /* received: MSG_CTRUNC when more came than there was room for */
};

/**
 * Python's socket.send_fds: sends bytes, and descriptors with the first of them. len must be at
 * least 1 on a stream: with no byte none goes, and nobody is told.
 * Returns: bytes taken; -EINVAL for more than 253 descriptors, or a count without fds.
 * Owns: the caller keeps the descriptors; the receiver gets duplicates.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_send_fds(struct party_sock *sock, const void *buf,
                                                     size_t len, int flags,
                                                     const struct party_sock_fds *fds);

/**
 * Python's socket.recv_fds: reads bytes and the descriptors that came with them, which are
 * close-on-exec. What came beyond cap is closed and told by MSG_CTRUNC in fds->flags.
 * Returns: bytes read; 0 at end of stream; -EINVAL for a cap without fds.
 * Owns: the caller owns the descriptors.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_recv_fds(struct party_sock *sock, void *buf, size_t len,
                                                     int flags, struct party_sock_fds *fds);

/**
 * Python's socket.sendfile: sends count bytes (-1: up to the end) of the file fd from offset on
 * (-1: from where the file is), by sendfile(2), or by reading and sending where the kernel refuses
 * that (pipes, special files). The file's position is behind what was sent afterwards, where it has
 * one. What was read of a pipe and could not be sent is lost.
 * Returns: 0 when all went out or the file ended, in either case *ret_sent says how much; -EINVAL
 *   when sock is no SOCK_STREAM, for an offset or a count below -1; -errno of sendfile(2), read(2),
 *   lseek(2), send(2). *ret_sent is set after a failure, too. With timeout 0, -EAGAIN says that the
 *   rest is to be sent later.
 */
PARTY_API PARTY_MUST_USE int party_sock_sendfile(struct party_sock *sock, int fd, int64_t offset,
                                                 int64_t count, int64_t *ret_sent);

/* What sendmsg_afalg tells the kernel of an operation of its cryptography (AF_ALG). */
struct party_sock_afalg {
    int op;           /* ALG_OP_DECRYPT or ALG_OP_ENCRYPT of <linux/if_alg.h> */
    const void *iv;   /* NULL: none */
    size_t iv_len;    /* bytes of iv */
    int64_t assoclen; /* length of the associated data; -1: none is given */
};

/**
 * Python's socket.sendmsg_afalg: sends the data of an operation to a socket of AF_ALG.
 * Returns: bytes taken; -EINVAL when op or assoclen is out of range; -EOVERFLOW for an iv that is
 *   too long; -ENOMEM.
 */
PARTY_API PARTY_MUST_USE ssize_t party_sock_sendmsg_afalg(struct party_sock *sock,
                                                          struct iovec *iov, size_t iov_count,
                                                          const struct party_sock_afalg *afalg,
                                                          int flags);

PARTY_END_DECLS
#endif
