/* SPDX-License-Identifier: MIT */
#include <partyline/sock_io.h>

#include <errno.h>
#include <limits.h>
#include <linux/if_alg.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/require.h"
#include "sock/sock_call.h"

/* Messages: recvmsg, sendmsg and what is built on them. */

struct recvmsg_args {
    const struct party_sock_message *message;
    int flags;
    struct msghdr header;
    struct sockaddr_storage peer;
};

static ssize_t try_recvmsg(const struct party_sock *sock, void *args)
{
    struct recvmsg_args *want = args;
    want->header = (struct msghdr){
        .msg_name = &want->peer,
        .msg_namelen = sizeof(want->peer),
        .msg_iov = want->message->iov,
        .msg_iovlen = want->message->iov_count,
        .msg_control = want->message->control,
        .msg_controllen = want->message->control_len,
    };
    ssize_t n = recvmsg(sock->fd, &want->header, want->flags | MSG_CMSG_CLOEXEC);
    return n == -1 ? -errno : n;
}

ssize_t party_sock_recvmsg_into(struct party_sock *sock, struct party_sock_message *message,
                                int flags)
{
    PARTY__REQUIRE(-EINVAL, sock, message);
    struct recvmsg_args args;
    args.message = message;
    args.flags = flags;
    ssize_t n = party__sock_call(sock, party__recv_events(flags), PARTY__DEADLINE_OF_TIMEOUT,
                                 try_recvmsg, &args);
    if (n >= 0) {
        message->control_len = args.header.msg_controllen;
        /* The kernel hands this one back: the caller sees it only if it was the caller's. */
        message->flags = args.header.msg_flags & ~(MSG_CMSG_CLOEXEC & ~flags);
        party_address_from_sockaddr(&message->address, (struct sockaddr *)&args.peer,
                                    args.header.msg_namelen);
    }
    return n;
}

ssize_t party_sock_recvmsg(struct party_sock *sock, struct party_sock_message *message, int flags)
{
    PARTY__REQUIRE(-EINVAL, sock, message);
    return party_sock_recvmsg_into(sock, message, flags);
}

struct sendmsg_args {
    struct msghdr header;
    int flags;
};

static ssize_t try_sendmsg(const struct party_sock *sock, void *args)
{
    const struct sendmsg_args *have = args;
    ssize_t n = sendmsg(sock->fd, &have->header, have->flags | MSG_NOSIGNAL);
    return n == -1 ? -errno : n;
}

ssize_t party_sock_sendmsg(struct party_sock *sock, const struct party_sock_message *message,
                           int flags)
{
    PARTY__REQUIRE(-EINVAL, sock, message);
    struct sendmsg_args args = {.flags = flags};
    args.header = (struct msghdr){
        .msg_iov = message->iov,
        .msg_iovlen = message->iov_count,
        .msg_control = message->control,
        .msg_controllen = message->control_len,
    };
    if (message->address.len > 0) {
        /* sendmsg(2) only reads what the pointer, which is not const, leads to. */
        args.header.msg_name = (void *)(uintptr_t)&message->address.u.sa;
        args.header.msg_namelen = message->address.len;
    }
    return party__sock_call(sock, POLLOUT, PARTY__DEADLINE_OF_TIMEOUT, try_sendmsg, &args);
}

/* Bytes of the three control messages of an operation. Returns: them; -EOVERFLOW. */
static ssize_t afalg_space(const struct party_sock_afalg *afalg)
{
    size_t iv_len;
    if (__builtin_add_overflow(sizeof(struct af_alg_iv), afalg->iv_len, &iv_len)) {
        return -EOVERFLOW;
    }
    ssize_t iv_space = party_sock_cmsg_space(iv_len);
    ssize_t number_space = party_sock_cmsg_space(sizeof(uint32_t));
    if (iv_space < 0 || iv_space > INT_MAX - 2 * number_space) {
        return -EOVERFLOW;
    }
    return iv_space + 2 * number_space;
}

static int add_afalg(struct party_sock_message *message, size_t cap, int type, const void *data,
                     size_t len)
{
    struct party_sock_cmsg cmsg = {.level = SOL_ALG, .type = type, .data = data, .len = len};
    return party_sock_cmsg_add(message, cap, &cmsg);
}

/* The vector goes with its length before it. */
static int add_afalg_iv(struct party_sock_message *message, size_t cap,
                        const struct party_sock_afalg *afalg)
{
    size_t len = sizeof(struct af_alg_iv) + afalg->iv_len;
    struct af_alg_iv *iv = malloc(len);
    if (iv == NULL) {
        return -ENOMEM;
    }
    iv->ivlen = (uint32_t)afalg->iv_len;
    if (afalg->iv_len > 0) {
        memcpy(iv->iv, afalg->iv, afalg->iv_len);
    }
    int r = add_afalg(message, cap, ALG_SET_IV, iv, len);
    free(iv);
    return r;
}

static int add_afalg_all(struct party_sock_message *message, size_t cap,
                         const struct party_sock_afalg *afalg)
{
    uint32_t op = (uint32_t)afalg->op;
    int r = add_afalg(message, cap, ALG_SET_OP, &op, sizeof(op));
    if (r == 0 && afalg->iv != NULL) {
        r = add_afalg_iv(message, cap, afalg);
    }
    if (r == 0 && afalg->assoclen >= 0) {
        uint32_t assoclen = (uint32_t)afalg->assoclen;
        r = add_afalg(message, cap, ALG_SET_AEAD_ASSOCLEN, &assoclen, sizeof(assoclen));
    }
    return r;
}

ssize_t party_sock_sendmsg_afalg(struct party_sock *sock, struct iovec *iov, size_t iov_count,
                                 const struct party_sock_afalg *afalg, int flags)
{
    PARTY__REQUIRE(-EINVAL, sock, afalg);
    if (afalg->op < 0 || afalg->assoclen < -1 || afalg->assoclen > UINT32_MAX) {
        return -EINVAL;
    }
    ssize_t cap = afalg_space(afalg);
    if (cap < 0) {
        return cap;
    }
    struct party_sock_message message = {.iov = iov, .iov_count = iov_count};
    message.control = malloc((size_t)cap);
    if (message.control == NULL) {
        return -ENOMEM;
    }
    ssize_t r = add_afalg_all(&message, (size_t)cap, afalg);
    if (r == 0) {
        r = party_sock_sendmsg(sock, &message, flags);
    }
    free(message.control);
    return r;
}
