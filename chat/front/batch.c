/* SPDX-License-Identifier: MIT */
#include "front/batch.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct batch *batch_create(struct event_list *events, unsigned delivery_count)
{
    struct batch *batch =
        xcalloc(1, sizeof(*batch) + delivery_count * sizeof(struct batch_delivery));
    atomic_init(&batch->refs, delivery_count);
    batch->delivery_count = delivery_count;
    batch->count = events->count;
    batch->items = events->items;
    memset(events, 0, sizeof(*events));
    for (unsigned i = 0; i < delivery_count; i++) {
        batch->deliveries[i].batch = batch;
    }
    return batch;
}

void batch_unref(struct batch *batch)
{
    if (atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < batch->count; i++) {
        event_unref(batch->items[i]);
    }
    free(batch->items);
    free(batch);
}
