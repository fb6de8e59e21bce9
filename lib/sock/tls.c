/* SPDX-License-Identifier: MIT */
#include <partyline/tls.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "sock/sock_call.h"
#include "sock/tls_openssl.h"

/*
 * TLS over a socket, with the socket's time-outs. Each call is a step that is tried until it
 * neither was interrupted nor would have to wait, as party__sock_call does it for system calls;
 * here what is waited for changes from try to try, because a read may have to write and the other
 * way round.
 */

/* What is read and dropped before the socket is closed, so that no reset takes our last bytes. */
#define CLOSE_DRAIN_MAX_BYTES (256u * 1024u)
#define UNWRAP_DROP_MAX_BYTES (256u * 1024u) /* by a call that may not wait */
#define CHUNK_BYTES           4096u

/*
 * A peer can send messages of which nothing is handed over (KeyUpdate, session tickets) as fast as
 * we read them, and OpenSSL reads on and on. After so many calls of recv(2) a try ends, so that the
 * time is looked at. A record takes two.
 */
#define TRY_MAX_RECV_CALLS 512u

static int io_flags(const struct party_tls *tls)
{
    return tls->closing ? MSG_NOSIGNAL | MSG_DONTWAIT : MSG_NOSIGNAL;
}

static ssize_t io_recv(void *user, void *buf, size_t len)
{
    struct party_tls *tls = user;
    if (++tls->recv_calls > TRY_MAX_RECV_CALLS && tls->sock->timeout_ms >= 0) {
        return -EAGAIN;
    }
    ssize_t n = recv(tls->sock->fd, buf, len, io_flags(tls));
    return n == -1 ? -errno : n;
}

static ssize_t io_send(void *user, const void *buf, size_t len)
{
    const struct party_tls *tls = user;
    ssize_t n = send(tls->sock->fd, buf, len, io_flags(tls));
    return n == -1 ? -errno : n;
}

static const struct party__tls_io sock_io = {.recv = io_recv, .send = io_send};

int party_tls_wrap_socket(struct party_tls_context *context, struct party_sock *sock,
                          const struct party_tls_options *options, struct party_tls **ret_tls)
{
    PARTY__REQUIRE(-EINVAL, context, sock, ret_tls);
    struct party_tls *tls;
    int r = party__tls_create(context, options, &sock_io, NULL, &tls);
    if (r < 0) {
        return r;
    }
    tls->io_user = tls;
    tls->sock = sock;
    *ret_tls = tls;
    return 0;
}

typedef ssize_t (*step_fn)(struct party_tls *tls, void *buf, size_t len);

static ssize_t run(struct party_tls *tls, int64_t deadline_ns, step_fn step, void *buf, size_t len)
{
    struct party_sock *sock = tls->sock;
    for (;;) {
        tls->recv_calls = 0;
        ssize_t n = step(tls, buf, len);
        int r = 0;
        if (n == -EINTR) {
            r = party__sock_interrupted(sock);
        } else if (n == -EAGAIN && sock->timeout_ms > 0) {
            deadline_ns = party__sock_deadline(sock, deadline_ns);
            r = party__sock_wait(sock, tls->wants, deadline_ns);
        } else {
            return n;
        }
        if (r < 0) {
            return r;
        }
    }
}

static ssize_t step_handshake(struct party_tls *tls, void *buf, size_t len)
{
    (void)buf;
    (void)len;
    return party__tls_handshake(tls);
}

static ssize_t step_recv(struct party_tls *tls, void *buf, size_t len)
{
    int r = party__tls_handshake(tls);
    return r < 0 ? r : party__tls_read(tls, buf, len);
}

/* buf is only read from. */
static ssize_t step_send(struct party_tls *tls, void *buf, size_t len)
{
    int r = party__tls_handshake(tls);
    return r < 0 ? r : party__tls_write(tls, buf, len);
}

static ssize_t step_end(struct party_tls *tls, void *buf, size_t len)
{
    (void)buf;
    (void)len;
    return party__tls_end(tls);
}

int party_tls_do_handshake(struct party_tls *tls)
{
    PARTY__REQUIRE(-EINVAL, tls);
    return (int)run(tls, PARTY__DEADLINE_OF_TIMEOUT, step_handshake, NULL, 0);
}

ssize_t party_tls_recv_into(struct party_tls *tls, void *buf, size_t len)
{
    PARTY__REQUIRE(-EINVAL, tls);
    PARTY__REQUIRE_BYTES(-EINVAL, buf, len);
    if (len == 0) {
        return 0;
    }
    ssize_t n = run(tls, PARTY__DEADLINE_OF_TIMEOUT, step_recv, buf, len);
    return n == PARTY_ETLS_TRUNCATED && tls->secure && tls->suppress_ragged_eofs ? 0 : n;
}

ssize_t party_tls_recv(struct party_tls *tls, void *buf, size_t len)
{
    PARTY__REQUIRE(-EINVAL, tls);
    PARTY__REQUIRE_BYTES(-EINVAL, buf, len);
    return party_tls_recv_into(tls, buf, len);
}

ssize_t party_tls_send(struct party_tls *tls, const void *buf, size_t len)
{
    PARTY__REQUIRE(-EINVAL, tls);
    PARTY__REQUIRE_BYTES(-EINVAL, buf, len);
    if (len == 0) {
        return party__tls_error(tls);
    }
    return run(tls, PARTY__DEADLINE_OF_TIMEOUT, step_send, (void *)(uintptr_t)buf, len);
}

int party_tls_sendall(struct party_tls *tls, const void *buf, size_t len)
{
    PARTY__REQUIRE(-EINVAL, tls);
    PARTY__REQUIRE_BYTES(-EINVAL, buf, len);
    int64_t deadline_ns = party__sock_deadline(tls->sock, PARTY__DEADLINE_OF_TIMEOUT);
    const char *rest = buf;
    while (len > 0) {
        ssize_t n = run(tls, deadline_ns, step_send, (void *)(uintptr_t)rest, len);
        if (n < 0) {
            return (int)n;
        }
        rest += n;
        len -= (size_t)n;
    }
    return party__tls_error(tls);
}

int party_tls_send_close_notify(struct party_tls *tls)
{
    PARTY__REQUIRE(-EINVAL, tls);
    return (int)run(tls, PARTY__DEADLINE_OF_TIMEOUT, step_end, NULL, 0);
}

/* A peer that never stops to send must not keep us longer than the time-out says. */
static ssize_t drop_until_end(struct party_tls *tls, int64_t deadline_ns)
{
    char dropped[CHUNK_BYTES];
    size_t sum = 0;
    for (;;) {
        ssize_t n = run(tls, deadline_ns, step_recv, dropped, sizeof(dropped));
        if (n <= 0) {
            return n;
        }
        sum += (size_t)n;
        if (tls->sock->timeout_ms > 0 && party__now_ns() >= deadline_ns) {
            return PARTY_ETIMEOUT;
        }
        if (tls->sock->timeout_ms == 0 && sum >= UNWRAP_DROP_MAX_BYTES) {
            tls->wants = POLLIN;
            return -EAGAIN;
        }
    }
}

int party_tls_unwrap(struct party_tls *tls, struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, tls, ret_sock);
    int64_t deadline_ns = party__sock_deadline(tls->sock, PARTY__DEADLINE_OF_TIMEOUT);
    ssize_t n = run(tls, deadline_ns, step_end, NULL, 0);
    if (n < 0) {
        return (int)n;
    }
    n = drop_until_end(tls, deadline_ns);
    if (n < 0) {
        return (int)n;
    }
    *ret_sock = tls->sock;
    party__tls_destroy(tls);
    return 0;
}

/*
 * What came unread, a session ticket for one, would make the kernel answer a close with a reset,
 * and the peer could lose what we sent last.
 */
static void drop_unread(const struct party_sock *sock)
{
    char dropped[CHUNK_BYTES];
    size_t sum = 0;
    ssize_t n;
    do {
        n = recv(sock->fd, dropped, sizeof(dropped), MSG_DONTWAIT);
        sum += n > 0 ? (size_t)n : 0;
    } while ((n > 0 && sum < CLOSE_DRAIN_MAX_BYTES) || (n == -1 && errno == EINTR));
}

void party_tls_close(struct party_tls *tls)
{
    if (tls == NULL) {
        return;
    }
    struct party_sock *sock = tls->sock;
    tls->closing = true;
    tls->recv_calls = 0;
    (void)party__tls_end(tls); /* as far as it can be done now */
    party__tls_destroy(tls);
    drop_unread(sock);
    (void)party_sock_close(sock); /* gone whatever it says */
}

struct party_sock *party_tls_sock(const struct party_tls *tls)
{
    PARTY__REQUIRE(NULL, tls);
    return tls->sock;
}
