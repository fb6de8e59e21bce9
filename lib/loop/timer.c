/* SPDX-License-Identifier: MIT */
/*
 * Timers: a heap of four children per node, ordered by (due, sequence). Each timer knows its place,
 * so that it can be stopped and moved without a search. The sequence is drawn at each start; it
 * lets equal times fire in start order, and it tells the timers that were there when a turn's timer
 * phase began from those that its callbacks start: the latter wait for the next turn, so a timer
 * that starts itself anew with no delay cannot starve the rest of the loop.
 */
#include <partyline/loop.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/require.h"
#include "loop/loop_internal.h"

#define HEAP_ARITY     4u
#define HEAP_FIRST_CAP 16u

static bool is_before(const struct party__timer_slot *a, const struct party__timer_slot *b)
{
    return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->sequence < b->sequence);
}

static void place(struct party__timer_heap *heap, uint32_t index,
                  const struct party__timer_slot *slot)
{
    heap->slots[index] = *slot;
    slot->timer->index = index;
}

static uint32_t earliest_child(const struct party__timer_heap *heap, uint32_t index)
{
    uint64_t first = (uint64_t)index * HEAP_ARITY + 1;
    uint64_t end = first + HEAP_ARITY < heap->count ? first + HEAP_ARITY : heap->count;
    uint32_t best = index;
    for (uint64_t child = first; child < end; child++) {
        if (child == first || is_before(&heap->slots[child], &heap->slots[best])) {
            best = (uint32_t)child;
        }
    }
    return best; /* index itself when there is no child */
}

/* Puts slot where it belongs, given that index is a hole from which it may go up or down. */
static void settle(struct party__timer_heap *heap, uint32_t index, struct party__timer_slot slot)
{
    while (index > 0) {
        uint32_t parent = (index - 1) / HEAP_ARITY;
        if (!is_before(&slot, &heap->slots[parent])) {
            break;
        }
        place(heap, index, &heap->slots[parent]);
        index = parent;
    }
    for (;;) {
        uint32_t child = earliest_child(heap, index);
        if (child == index || !is_before(&heap->slots[child], &slot)) {
            break;
        }
        place(heap, index, &heap->slots[child]);
        index = child;
    }
    place(heap, index, &slot);
}

static void take_out(struct party__timer_heap *heap, struct party_timer *timer)
{
    uint32_t hole = timer->index;
    heap->count--;
    if (hole != heap->count) {
        settle(heap, hole, heap->slots[heap->count]);
    }
    timer->loop = NULL;
}

static int make_room(struct party__timer_heap *heap)
{
    if (heap->count < heap->cap) {
        return 0;
    }
    if (heap->cap > UINT32_MAX / 2) {
        return -ENOMEM;
    }
    uint32_t cap = heap->cap == 0 ? HEAP_FIRST_CAP : heap->cap * 2;
    struct party__timer_slot *slots = reallocarray(heap->slots, cap, sizeof *slots);
    if (slots == NULL) {
        return -ENOMEM;
    }
    heap->slots = slots;
    heap->cap = cap;
    return 0;
}

void party__timer_dispatch(struct party_loop *loop)
{
    struct party__timer_heap *heap = &loop->timers;
    uint64_t sequence_limit = heap->next_sequence;
    /*
     * What a callback starts is due now or later and has a sequence at or past the limit, so it
     * stands behind all timers that this phase has to call.
     */
    while (heap->count > 0 && heap->slots[0].due_ns <= loop->now_ns &&
           heap->slots[0].sequence < sequence_limit) {
        struct party_timer *timer = heap->slots[0].timer;
        take_out(heap, timer);
        timer->fn(timer, timer->user);
    }
}

int64_t party__timer_next_due_ns(const struct party_loop *loop)
{
    return loop->timers.count > 0 ? loop->timers.slots[0].due_ns : PARTY__NEVER_NS;
}

void party__timer_finish(struct party_loop *loop)
{
    free(loop->timers.slots);
    loop->timers = (struct party__timer_heap){0};
}

int party_timer_start(struct party_loop *loop, struct party_timer *timer, int64_t delay_ns,
                      party_timer_fn fn, void *user)
{
    PARTY__REQUIRE(-EINVAL, loop, timer, fn);
    struct party__timer_heap *heap = &loop->timers;
    if (fn == NULL || (timer->loop != NULL && timer->loop != loop)) {
        assert(false && "party_timer_start: no function, or a timer of another loop");
        return -EINVAL;
    }
    if (timer->loop == NULL) {
        int r = make_room(heap);
        if (r < 0) {
            return r;
        }
        timer->index = heap->count++;
        timer->loop = loop;
    }
    if (!loop->in_turn) {
        party_loop_update_now(loop);
    }
    int64_t delay = delay_ns > 0 ? delay_ns : 0;
    timer->fn = fn;
    timer->user = user;
    timer->due_ns = delay < PARTY__NEVER_NS - loop->now_ns ? loop->now_ns + delay : PARTY__NEVER_NS;
    settle(heap, timer->index,
           (struct party__timer_slot){
               .due_ns = timer->due_ns, .sequence = heap->next_sequence++, .timer = timer});
    return 0;
}

void party_timer_stop(struct party_timer *timer)
{
    PARTY__REQUIRE_VOID(timer);
    if (timer->loop != NULL) {
        take_out(&timer->loop->timers, timer);
    }
}
