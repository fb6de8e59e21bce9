/* SPDX-License-Identifier: MIT */
#include "test_loop.h"

#include <stddef.h>

#include "loop/loop_internal.h"

static int64_t read_clock(void *user)
{
    const int64_t *clock_ns = user;
    return *clock_ns;
}

void test_loop_use_clock(struct party_loop *loop, const int64_t *clock_ns)
{
    loop->clock_ns = read_clock;
    loop->clock_user = (void *)(uintptr_t)clock_ns;
    loop->now_ns = *clock_ns;
}

bool test_loop_is_idle(struct party_loop *loop)
{
    struct party__ready ready[4];
    return loop->deferred.first == NULL && loop->reaped.first == NULL &&
           atomic_load(&loop->mailbox.posted) == NULL &&
           party__timer_next_due_ns(loop) > loop->clock_ns(loop->clock_user) &&
           loop->backend->wait(loop->backend_state, 0, ready, 4) == 0;
}
