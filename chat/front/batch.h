/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_BATCH_H
#define CHAT_FRONT_BATCH_H

#include <stdatomic.h>
#include <stddef.h>

#include <partyline/loop.h>

#include "core/event.h"

/*
 * What one commit released: the events in their order, for every loop at once. Immutable and
 * counted by reference; each loop gets it through a task that lies in it.
 */

struct batch;

struct batch_delivery {
    struct party_task task;
    struct batch *batch;
};

struct batch {
    _Atomic unsigned refs; /* one for each delivery */
    size_t count;
    struct event **items;
    unsigned delivery_count;
    struct batch_delivery deliveries[];
};

/**
 * Makes a batch for delivery_count (at least 1) loops. The events move from the list, which is
 * empty afterwards.
 */
struct batch *batch_create(struct event_list *events, unsigned delivery_count);

/** One delivery is done; the last one frees batch and events. Threads: any. */
void batch_unref(struct batch *batch);

#endif
