/* SPDX-License-Identifier: MIT */
#include <partyline/listener.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/require.h"
#include "loop/loop_internal.h"
#include "server/accept_error.h"

/*
 * A listener that ran out of descriptors or memory stops watching until a timer ends: the socket
 * stays readable, so watching on would spin. Closing it in its own callback is safe because the
 * accept loop looks at `closed` after each call, and the struct lives until the reap phase.
 */

#define ACCEPTS_PER_TURN 64 /* then the connections that are there get their turn */

struct party_listener {
    struct party_watch watch;
    struct party_timer timer;
    struct party_task task;
    struct party_loop *loop;
    party_accept_fn fn;
    void *user;
    int64_t backoff_ns; /* 0: not backing off */
    int fd;
    bool closed;
};

static void on_acceptable(struct party_watch *watch, unsigned events, void *user);

static int watch_again(struct party_listener *listener)
{
    return party_watch_start(listener->loop, &listener->watch, listener->fd,
                             PARTY_READ | PARTY_EXCLUSIVE, on_acceptable, listener);
}

static void back_off(struct party_listener *listener, int error);

static void on_backoff_end(struct party_timer *timer, void *user)
{
    (void)timer;
    struct party_listener *listener = user;
    int r = watch_again(listener);
    if (r < 0) {
        back_off(listener, r);
    }
}

static void back_off(struct party_listener *listener, int error)
{
    if (listener->backoff_ns == 0) {
        party__loop_log(listener->loop, PARTY_LOG_WARNING, "accepting pauses, new connections wait",
                        error);
    }
    listener->backoff_ns = party__backoff_next_ns(listener->backoff_ns);
    party_watch_stop(&listener->watch);
    int r = party_timer_start(listener->loop, &listener->timer, listener->backoff_ns,
                              on_backoff_end, listener);
    if (r < 0) {
        /* No memory for a timer: better to try again each turn than never. */
        (void)watch_again(listener);
    }
}

static void on_acceptable(struct party_watch *watch, unsigned events, void *user)
{
    (void)watch;
    (void)events;
    struct party_listener *listener = user;
    for (int i = 0; i < ACCEPTS_PER_TURN && !listener->closed; i++) {
        struct party_address peer = {.len = sizeof(peer.u)};
        int fd = accept4(listener->fd, &peer.u.sa, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd == -1) {
            if (party__accept_is_peers_error(errno)) {
                continue;
            }
            if (errno != EAGAIN) {
                back_off(listener, -errno);
            }
            return;
        }
        listener->backoff_ns = 0;
        party_address_from_sockaddr(&peer, &peer.u.sa, peer.len);
        listener->fn(listener, fd, &peer, listener->user);
    }
}

int party_listener_create(struct party_loop *loop, int fd, party_accept_fn fn, void *user,
                          struct party_listener **ret_listener)
{
    PARTY__REQUIRE(-EINVAL, loop, fn, ret_listener);
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1) {
        return -errno;
    }
    struct party_listener *listener = calloc(1, sizeof(*listener));
    if (!listener) {
        return -ENOMEM;
    }
    listener->loop = loop;
    listener->fn = fn;
    listener->user = user;
    listener->fd = fd;
    int r = watch_again(listener);
    if (r < 0) {
        free(listener);
        return r;
    }
    *ret_listener = listener;
    return 0;
}

static void on_listener_reap(struct party_task *task, void *user)
{
    (void)task;
    free(user);
}

void party_listener_close(struct party_listener *listener)
{
    if (!listener || listener->closed) {
        return;
    }
    listener->closed = true;
    party_watch_stop(&listener->watch);
    party_timer_stop(&listener->timer);
    (void)close(listener->fd);
    party_task_init(&listener->task, on_listener_reap, listener);
    party_loop_reap(listener->loop, &listener->task);
}

int party_listener_fileno(const struct party_listener *listener)
{
    PARTY__REQUIRE(-EINVAL, listener);
    return listener->closed ? -1 : listener->fd;
}
