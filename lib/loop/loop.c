/* SPDX-License-Identifier: MIT */
/*
 * The turns of a loop, its tasks, and how other threads wake it.
 *
 * Posted tasks form a stack that posters push onto with compare-and-swap; the loop takes the whole
 * stack with one exchange and reverses it, which gives each poster's order back. As nobody takes a
 * single task from the stack, a head that looks unchanged is as good as unchanged (no ABA problem).
 *
 * The wake-up. A poster writes the eventfd only when the loop sleeps:
 *
 *     loop:   sleeping = true;           look at the mailbox;  wait
 *     poster: put into the mailbox;      look at sleeping;     write the eventfd
 *
 * Both sides write first and read second, and all four are sequentially consistent, so at least one
 * of them sees the other: the loop finds the task and does not wait, or the poster finds it asleep
 * and wakes it. Of several posters the one that resets the flag writes. A wake-up that comes late,
 * after the loop got up by itself, costs one empty turn.
 *
 * The eventfd is watched edge-triggered: each write is reported once, and nobody ever reads it.
 */
#include <partyline/loop.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "loop/loop_internal.h"

/* The first one is the default. */
static const struct party__backend *const backends[] = {&party__backend_epoll,
                                                        &party__backend_uring};

static int64_t monotonic_ns(void *user)
{
    (void)user;
    return party__now_ns();
}

int party__timeout_ms_round_up(int64_t timeout_ns)
{
    if (timeout_ns < 0) {
        return -1;
    }
    int64_t timeout_ms =
        timeout_ns / PARTY__NS_PER_MS + (timeout_ns % PARTY__NS_PER_MS != 0 ? 1 : 0);
    return timeout_ms < INT32_MAX ? (int)timeout_ms : INT32_MAX;
}

void party__loop_log(const struct party_loop *loop, enum party_log_level level, const char *what,
                     int error)
{
    if (loop->log != NULL) {
        char message[160];
        (void)snprintf(message, sizeof message, "%s: %s", what, party_strerror(error));
        loop->log(level, message, loop->log_user);
    }
}

/* ---- tasks ---- */

static void append(struct party__task_list *list, struct party_task *task)
{
    task->next = NULL;
    if (list->first == NULL) {
        list->first = task;
    } else {
        list->last->next = task;
    }
    list->last = task;
}

/* Calls until none is left, also what the calls append. A task may be freed by its own call. */
static void call_all(struct party__task_list *list)
{
    while (list->first != NULL) {
        struct party_task *task = list->first;
        list->first = task->next;
        task->next = NULL;
        task->fn(task, task->user);
    }
}

/* Calls what has been posted by now; what is posted meanwhile waits for the next call. */
static void call_posted(struct party_loop *loop)
{
    if (atomic_load_explicit(&loop->mailbox.posted, memory_order_relaxed) == NULL) {
        return;
    }
    struct party_task *newest = atomic_exchange(&loop->mailbox.posted, NULL);
    struct party_task *oldest = NULL;
    while (newest != NULL) {
        struct party_task *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct party_task *task = oldest;
        oldest = task->next;
        task->next = NULL;
        task->fn(task, task->user);
    }
}

static void wake(struct party_loop *loop)
{
    if (!atomic_load(&loop->mailbox.sleeping) || !atomic_exchange(&loop->mailbox.sleeping, false)) {
        return;
    }
    const uint64_t one = 1;
    ssize_t len = write(loop->wake.fd, &one, sizeof one);
    assert(len == (ssize_t)sizeof one); /* An eventfd refuses only when 2^64 wake-ups are unread. */
    (void)len;
}

void party_loop_post(struct party_loop *loop, struct party_task *task)
{
    PARTY__REQUIRE_VOID(loop, task);
    struct party_task *head = atomic_load_explicit(&loop->mailbox.posted, memory_order_relaxed);
    do {
        task->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&loop->mailbox.posted, &head, task,
                                                    memory_order_seq_cst, memory_order_relaxed));
    wake(loop);
}

void party_loop_defer(struct party_loop *loop, struct party_task *task)
{
    PARTY__REQUIRE_VOID(loop, task);
    append(&loop->deferred, task);
}

void party_loop_reap(struct party_loop *loop, struct party_task *task)
{
    PARTY__REQUIRE_VOID(loop, task);
    append(&loop->reaped, task);
}

/* ---- turns ---- */

static bool has_mail(struct party_loop *loop)
{
    return atomic_load(&loop->mailbox.posted) != NULL || atomic_load(&loop->mailbox.stopping);
}

/* How long the loop may wait: -1 for ever, 0 not at all. limit_ns is a time or PARTY__NEVER_NS. */
static int64_t time_to_wait_ns(const struct party_loop *loop, int64_t limit_ns)
{
    if (loop->deferred.first != NULL || loop->reaped.first != NULL) {
        return 0;
    }
    int64_t due_ns = party__timer_next_due_ns(loop);
    int64_t until_ns = due_ns < limit_ns ? due_ns : limit_ns;
    if (until_ns == PARTY__NEVER_NS) {
        return -1;
    }
    /* The time of the turn that just ended may be long past, so the clock is asked again. */
    if (until_ns <= loop->now_ns) {
        return 0;
    }
    int64_t now_ns = loop->clock_ns(loop->clock_user);
    return until_ns > now_ns ? until_ns - now_ns : 0;
}

static int wait_until_due(struct party_loop *loop, int64_t limit_ns)
{
    for (;;) {
        int64_t timeout_ns = time_to_wait_ns(loop, limit_ns);
        if (timeout_ns != 0) {
            atomic_store(&loop->mailbox.sleeping, true);
            if (has_mail(loop)) {
                atomic_store_explicit(&loop->mailbox.sleeping, false, memory_order_relaxed);
                timeout_ns = 0;
            }
        }
        int r = loop->backend->wait(loop->backend_state, timeout_ns, loop->ready, PARTY__BATCH_MAX);
        if (timeout_ns != 0) {
            atomic_store_explicit(&loop->mailbox.sleeping, false, memory_order_relaxed);
        }
        if (r != -EINTR) {
            return r;
        }
    }
}

static int turn(struct party_loop *loop, int64_t limit_ns)
{
    assert(!loop->in_turn);
    int count = wait_until_due(loop, limit_ns);
    if (count < 0) {
        party__loop_log(loop, PARTY_LOG_ERROR, "the loop cannot wait", count);
        return count;
    }
    loop->in_turn = true;
    loop->now_ns = loop->clock_ns(loop->clock_user);
    loop->ready_count = (size_t)count;
    party__watch_dispatch(loop);
    party__timer_dispatch(loop);
    call_posted(loop);
    call_all(&loop->deferred);
    call_all(&loop->reaped);
    loop->in_turn = false;
    return 0;
}

int party_loop_run(struct party_loop *loop)
{
    PARTY__REQUIRE(-EINVAL, loop);
    while (!atomic_exchange(&loop->mailbox.stopping, false)) {
        int r = turn(loop, PARTY__NEVER_NS);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int party_loop_run_once(struct party_loop *loop, int timeout_ms)
{
    PARTY__REQUIRE(-EINVAL, loop);
    int64_t limit_ns = PARTY__NEVER_NS;
    if (timeout_ms == 0) {
        limit_ns = loop->now_ns;
    } else if (timeout_ms > 0) {
        limit_ns = loop->clock_ns(loop->clock_user) + (int64_t)timeout_ms * PARTY__NS_PER_MS;
    }
    return turn(loop, limit_ns);
}

void party_loop_stop(struct party_loop *loop)
{
    PARTY__REQUIRE_VOID(loop);
    atomic_store(&loop->mailbox.stopping, true);
    wake(loop);
}

int64_t party_loop_now_ns(const struct party_loop *loop)
{
    PARTY__REQUIRE(-EINVAL, loop);
    return loop->now_ns;
}

void party_loop_update_now(struct party_loop *loop)
{
    PARTY__REQUIRE_VOID(loop);
    loop->now_ns = loop->clock_ns(loop->clock_user);
}

const char *party_loop_backend(const struct party_loop *loop)
{
    PARTY__REQUIRE(NULL, loop);
    return loop->backend->name;
}

/* ---- life ---- */

static const struct party__backend *find_backend(const char *name)
{
    if (name == NULL) {
        return backends[0];
    }
    for (size_t i = 0; i < sizeof backends / sizeof backends[0]; i++) {
        if (strcmp(backends[i]->name, name) == 0) {
            return backends[i];
        }
    }
    return NULL;
}

bool party__backend_is_known(const char *name)
{
    return find_backend(name) != NULL;
}

static int init_backend(struct party_loop *loop, const struct party__backend *backend)
{
    const char *why = NULL;
    int r = backend->init(&loop->backend_state, &why);
    if (r < 0 && why != NULL) {
        char message[160];
        (void)snprintf(message, sizeof message, "no %s (%s), the loop uses %s instead",
                       backend->name, why, backends[0]->name);
        if (loop->log != NULL) {
            loop->log(PARTY_LOG_WARNING, message, loop->log_user);
        }
        backend = backends[0];
        r = backend->init(&loop->backend_state, &why);
    }
    if (r == 0) {
        loop->backend = backend;
    }
    return r;
}

/* The event as such does it: the loop is awake, and the mailbox is looked at in each turn. */
static void on_wake(struct party_watch *watch, unsigned events, void *user)
{
    (void)watch;
    (void)events;
    (void)user;
}

static int start_wake(struct party_loop *loop)
{
    loop->wake.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake.fd == -1) {
        return -errno;
    }
    loop->wake.fn = on_wake;
    loop->wake.events = PARTY_READ | PARTY__EDGE;
    return loop->backend->add(loop->backend_state, &loop->wake);
}

/* Frees what a loop has, which may be half-built. */
static void loop_free(struct party_loop *loop)
{
    party__signal_finish(loop);
    party__timer_finish(loop);
    if (loop->backend != NULL) {
        loop->backend->finish(loop->backend_state);
    }
    if (loop->wake.fd != -1) {
        (void)close(loop->wake.fd); /* Nothing can be done about a failing close. */
    }
    free(loop);
}

int party_loop_create(const struct party_loop_settings *settings, struct party_loop **ret_loop)
{
    PARTY__REQUIRE(-EINVAL, ret_loop);
    const struct party_loop_settings defaults = {0};
    if (settings == NULL) {
        settings = &defaults;
    }
    const struct party__backend *backend = find_backend(settings->backend);
    if (backend == NULL) {
        return -EINVAL;
    }
    struct party_loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        return -ENOMEM;
    }
    loop->clock_ns = monotonic_ns;
    loop->now_ns = monotonic_ns(NULL);
    loop->log = settings->log;
    loop->log_user = settings->log_user;
    loop->wake.fd = -1;
    loop->scratch = loop->scratch_room + PARTY__CACHE_LINE_BYTES -
                    (uintptr_t)loop->scratch_room % PARTY__CACHE_LINE_BYTES;
    atomic_init(&loop->mailbox.posted, NULL);
    atomic_init(&loop->mailbox.sleeping, false);
    atomic_init(&loop->mailbox.stopping, false);
    int r = init_backend(loop, backend);
    if (r == 0) {
        r = start_wake(loop);
    }
    if (r < 0) {
        loop_free(loop);
        return r;
    }
    *ret_loop = loop;
    return 0;
}

void party_loop_destroy(struct party_loop *loop)
{
    if (loop == NULL) {
        return;
    }
    assert(!loop->in_turn);
    do {
        call_posted(loop);
        call_all(&loop->deferred);
        call_all(&loop->reaped);
    } while (loop->deferred.first != NULL || atomic_load(&loop->mailbox.posted) != NULL);
    loop_free(loop);
}
