/* SPDX-License-Identifier: MIT */
#include "loop/backend.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "loop/loop_internal.h"

struct epoll_state {
    int fd;
    bool no_pwait2; /* the kernel (before 5.11) or a seccomp filter refused epoll_pwait2(2) */
    struct epoll_event events[PARTY__BATCH_MAX];
};

static int epoll_init(void **ret_state, const char **ret_why)
{
    (void)ret_why; /* There is no Linux without epoll. */
    struct epoll_state *epoll = calloc(1, sizeof *epoll);
    if (epoll == NULL) {
        return -ENOMEM;
    }
    epoll->fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll->fd == -1) {
        int r = -errno;
        free(epoll);
        return r;
    }
    *ret_state = epoll;
    return 0;
}

static void epoll_finish(void *state)
{
    struct epoll_state *epoll = state;
    if (epoll != NULL) {
        (void)close(epoll->fd); /* Nothing can be done about a failing close. */
        free(epoll);
    }
}

uint32_t party__poll_events(unsigned events)
{
    return ((events & PARTY_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((events & PARTY_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0) |
           ((events & PARTY_EXCLUSIVE) != 0 ? (uint32_t)EPOLLEXCLUSIVE : 0) |
           ((events & PARTY__EDGE) != 0 ? (uint32_t)EPOLLET : 0);
}

/*
 * A hang-up counts as readable too: at the end of a pipe the kernel reports EPOLLHUP alone, and who
 * asked for PARTY_READ is promised the end of the stream. Who did not ask is not told, since the
 * loop cuts events down to those asked for.
 */
unsigned party__ready_events(uint32_t events)
{
    return ((events & (EPOLLIN | EPOLLHUP)) != 0 ? PARTY_READ : 0) |
           ((events & EPOLLOUT) != 0 ? PARTY_WRITE : 0) |
           ((events & (EPOLLERR | EPOLLHUP)) != 0 ? PARTY_ERROR : 0);
}

static int control(const struct epoll_state *epoll, int operation, struct party_watch *watch,
                   unsigned events)
{
    struct epoll_event event = {.data.ptr = watch};
    event.events = party__poll_events(events);
    return epoll_ctl(epoll->fd, operation, watch->fd, &event) == -1 ? -errno : 0;
}

static int epoll_add(void *state, struct party_watch *watch)
{
    return control(state, EPOLL_CTL_ADD, watch, watch->events);
}

static int epoll_remove(void *state, struct party_watch *watch)
{
    return control(state, EPOLL_CTL_DEL, watch, 0);
}

/* The kernel takes EPOLLEXCLUSIVE in EPOLL_CTL_ADD only, and refuses to modify what has it. */
static int epoll_modify(void *state, struct party_watch *watch, unsigned events)
{
    if (((watch->events | events) & PARTY_EXCLUSIVE) == 0) {
        return control(state, EPOLL_CTL_MOD, watch, events);
    }
    int r = control(state, EPOLL_CTL_DEL, watch, 0);
    if (r < 0) {
        return r;
    }
    r = control(state, EPOLL_CTL_ADD, watch, events);
    if (r < 0 && control(state, EPOLL_CTL_ADD, watch, watch->events) < 0) {
        return -ENOENT;
    }
    return r;
}

static int wait_for_events(struct epoll_state *epoll, int64_t timeout_ns, int cap)
{
#ifdef PARTY_HAVE_EPOLL_PWAIT2
    if (timeout_ns > 0 && !epoll->no_pwait2) {
        struct timespec timeout = {.tv_sec = (time_t)(timeout_ns / PARTY__NS_PER_S),
                                   .tv_nsec = (long)(timeout_ns % PARTY__NS_PER_S)};
        int count = epoll_pwait2(epoll->fd, epoll->events, cap, &timeout, NULL);
        if (count != -1 || (errno != ENOSYS && errno != EPERM)) {
            return count;
        }
        epoll->no_pwait2 = true;
    }
#endif
    return epoll_wait(epoll->fd, epoll->events, cap, party__timeout_ms_round_up(timeout_ns));
}

static int epoll_wait_ready(void *state, int64_t timeout_ns, struct party__ready *ret_ready,
                            size_t cap)
{
    struct epoll_state *epoll = state;
    int limit = cap < PARTY__BATCH_MAX ? (int)cap : PARTY__BATCH_MAX;
    int count = wait_for_events(epoll, timeout_ns, limit);
    if (count == -1) {
        return -errno;
    }
    for (int i = 0; i < count; i++) {
        ret_ready[i].watch = epoll->events[i].data.ptr;
        ret_ready[i].events = party__ready_events(epoll->events[i].events);
    }
    return count;
}

const struct party__backend party__backend_epoll = {
    .name = "epoll",
    .init = epoll_init,
    .finish = epoll_finish,
    .add = epoll_add,
    .modify = epoll_modify,
    .remove = epoll_remove,
    .wait = epoll_wait_ready,
};
