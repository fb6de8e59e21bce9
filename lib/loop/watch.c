/* SPDX-License-Identifier: MIT */
/*
 * Watches, and the batch of what became ready.
 *
 * The backend hands the loop a batch of pointers to watches. While the batch is dispatched, any
 * callback may stop any watch, and the memory of a stopped watch may be freed, or started again for
 * another descriptor, before its entry's turn has come. So party_watch_stop clears the entries that
 * still wait: what is dispatched afterwards can only be a watch that was never stopped since the
 * batch was taken. The search costs nothing outside of a dispatch, for then the batch is empty.
 */
#include <partyline/loop.h>

#include <assert.h>
#include <errno.h>
#include <stddef.h>

#include "base/require.h"
#include "loop/loop_internal.h"

static const unsigned asked_for_mask = PARTY_READ | PARTY_WRITE | PARTY_EXCLUSIVE;

void party__watch_dispatch(struct party_loop *loop)
{
    while (loop->ready_next < loop->ready_count) {
        struct party__ready *ready = &loop->ready[loop->ready_next++];
        struct party_watch *watch = ready->watch;
        if (watch == NULL) {
            continue;
        }
        /* A callback before this one may have asked for less. */
        unsigned events = ready->events & (watch->events | PARTY_ERROR);
        if (events != 0) {
            watch->fn(watch, events, watch->user);
        }
    }
    loop->ready_next = 0;
    loop->ready_count = 0;
}

static void forget_ready(struct party_loop *loop, const struct party_watch *watch)
{
    for (size_t i = loop->ready_next; i < loop->ready_count; i++) {
        if (loop->ready[i].watch == watch) {
            loop->ready[i].watch = NULL;
        }
    }
}

int party_watch_start(struct party_loop *loop, struct party_watch *watch, int fd, unsigned events,
                      party_watch_fn fn, void *user)
{
    PARTY__REQUIRE(-EINVAL, loop, watch, fn);
    if (watch->loop != NULL || fn == NULL || (events & ~(asked_for_mask | PARTY_ERROR)) != 0) {
        assert(false && "party_watch_start: a started watch, no function or unknown events");
        return -EINVAL;
    }
    struct party_watch fresh = {.fn = fn, .user = user, .fd = fd, .events = events};
    struct party_watch before = *watch;
    *watch = fresh;
    int r = loop->backend->add(loop->backend_state, watch);
    if (r < 0) {
        *watch = before;
        return r;
    }
    watch->loop = loop;
    return 0;
}

int party_watch_modify(struct party_watch *watch, unsigned events)
{
    PARTY__REQUIRE(-EINVAL, watch);
    struct party_loop *loop = watch->loop;
    if (loop == NULL || (events & ~(asked_for_mask | PARTY_ERROR)) != 0) {
        assert(false && "party_watch_modify: a stopped watch or unknown events");
        return -EINVAL;
    }
    if (events == watch->events) {
        return 0;
    }
    int r = loop->backend->modify(loop->backend_state, watch, events);
    if (r == -ENOENT) {
        forget_ready(loop, watch);
        watch->loop = NULL;
    }
    if (r < 0) {
        return r;
    }
    watch->events = events;
    return 0;
}

void party_watch_stop(struct party_watch *watch)
{
    PARTY__REQUIRE_VOID(watch);
    struct party_loop *loop = watch->loop;
    if (loop == NULL) {
        return;
    }
    int r = loop->backend->remove(loop->backend_state, watch);
    if (r < 0) {
        party__loop_log(loop, PARTY_LOG_WARNING, "a descriptor was closed before its watch ended",
                        r);
    }
    forget_ready(loop, watch);
    watch->loop = NULL;
}
