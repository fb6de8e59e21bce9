/* SPDX-License-Identifier: MIT */
#include "service/hub_thread.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"

/*
 * While more commands wait, what was committed is held so long at the most and released together
 * with theirs: the loops send once per member and release, and a send costs more than a commit. A
 * message that comes alone is released at once.
 */
#define HOLD_MAX_NS     (2 * 1000000ll)
#define HOLD_MAX_EVENTS 8192u

/* With nothing to do for so long the WAL is moved into the database. */
#define QUIET_NS 1000000000ll

/*
 * A single command that finds the hub at rest is run by the thread that brings it: to wake the
 * hub's thread and be woken by it costs more than the commit. That thread is a loop, so it is done
 * only as long as the disk is quick: after a commit that took longer the hub's thread takes
 * everything, until it has seen a quick one.
 *
 * Who runs commands owns the hub and the log: it has set busy, under the lock. What comes meanwhile
 * waits for the hub's thread, which the owner wakes when it is done.
 */

struct hub_thread {
    struct hub_thread_settings settings;
    struct hub *hub;
    struct log *log;
    pthread_t thread;
    bool started;

    pthread_mutex_t lock;
    pthread_cond_t wake; /* commands, limits or the end came */
    pthread_cond_t idle; /* nothing waits and nothing is at work */
    struct command *first, *last;
    struct hub_limits limits;
    uint32_t recent;
    bool limits_changed;
    bool stopping;
    bool busy;           /* somebody owns what stands below */
    bool quick;          /* the last commit was: commands may be run where they come from */
    bool checkpoint_due; /* something was committed since the last quiet moment */
    int64_t last_run_ns; /* when commands were last run */
    _Atomic unsigned waiting;

    /* of the owner alone */
    uint64_t next_number;
    uint32_t recent_now;      /* what recent was when the thread last looked */
    bool stopped;             /* a sync failed: see LOG_STOPPED */
    bool failing;             /* the last commit failed: the recovery is worth a line in the log */
    bool tried;               /* to commit, by this owner */
    bool committed;           /* likewise, and it was done */
    int64_t commit_ns;        /* what the last commit took */
    struct event_list events; /* not released yet: held ones, then those of the current batch */
    int64_t held_since_ns;    /* when the first of them was committed */
};

static int64_t wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t steady_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void restore_room(const struct log_room *room, void *user)
{
    struct hub_thread *t = user;
    int r = hub_restore_room(t->hub, room->id, room->name, room->topic, room->topic_actor,
                             room->topic_time_ms, room->last_seq);
    if (r < 0) {
        logger_write(t->settings.logger, PARTY_LOG_ERROR, 0,
                     "room %u (%s) of the database is left out: its name is not allowed or is there"
                     " twice",
                     room->id, room->name);
        return;
    }
    hub_restore_topic_source(t->hub, room->id, room->topic_source);
    hub_restore_sealed(t->hub, room->id, room->sealed);
}

struct hub_thread *hub_thread_create(const struct hub_thread_settings *settings)
{
    struct hub_thread *t = xcalloc(1, sizeof(*t));
    pthread_condattr_t attr;
    t->settings = *settings;
    if (t->settings.quick_commit_ns == 0) {
        t->settings.quick_commit_ns = HUB_QUICK_COMMIT_NS;
    }
    t->hub = settings->hub;
    t->log = settings->log;
    t->recent = settings->recent;
    t->recent_now = settings->recent;
    t->next_number = log_last_number(t->log) + 1;
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&t->wake, &attr);
    (void)pthread_cond_init(&t->idle, &attr);
    (void)pthread_condattr_destroy(&attr);
    hub_restore_time(t->hub, log_last_time_ms(t->log));
    if (log_each_room(t->log, restore_room, t) != LOG_OK) {
        logger_write(settings->logger, PARTY_LOG_ERROR, 0, "cannot read the rooms: %s",
                     log_message(t->log));
    }
    return t;
}

/* The rooms that the commands are about to enter get their last messages from the log. A room whose
 * messages cannot be read is asked for again when the next one enters. */
static void fetch_recent(struct hub_thread *t, const struct command *commands)
{
    for (const struct command *command = commands; command; command = command->next) {
        uint32_t room_id = hub_wants_recent(t->hub, command);
        if (room_id == 0) {
            continue;
        }
        struct event_list recent = {0};
        if (t->recent_now > 0 && log_recent(t->log, room_id, t->recent_now, &recent) != LOG_OK) {
            logger_write(t->settings.logger, PARTY_LOG_WARNING, 0,
                         "cannot read the last messages of a room: %s", log_message(t->log));
        } else {
            hub_restore_recent(t->hub, room_id, recent.items, recent.count);
        }
        event_list_finish(&recent);
    }
}

static void apply_all(struct hub_thread *t, const struct command *commands, int64_t now_ms)
{
    uint64_t number = t->next_number;
    hub_begin(t->hub);
    for (const struct command *command = commands; command; command = command->next) {
        number += hub_apply(t->hub, command, now_ms, number, &t->events);
    }
}

static uint64_t durable_count(const struct event_list *events, size_t from)
{
    uint64_t count = 0;
    for (size_t i = from; i < events->count; i++) {
        count += events->items[i]->durable;
    }
    return count;
}

/* The batch could not be stored: as if it had never been, then without what must be stored. */
static void apply_refusing(struct hub_thread *t, const struct command *commands, int64_t now_ms,
                           const char *why)
{
    hub_set_log_fault(t->hub, why);
    apply_all(t, commands, now_ms);
    hub_commit(t->hub);
    hub_set_log_fault(t->hub, NULL);
}

/* What people are told; the log has the file and the code. */
static const char *fault_text(enum log_fault fault)
{
    switch (fault) {
    case LOG_NO_SPACE:
        return "its disk is full";
    case LOG_STOPPED:
        return "its disk has failed";
    default:
        return "its disk does not take it";
    }
}

static void note_fault(struct hub_thread *t, enum log_fault fault)
{
    if (!t->failing) {
        logger_write(t->settings.logger, PARTY_LOG_ERROR, 0,
                     "messages cannot be stored and are refused: %s", log_message(t->log));
    }
    t->failing = true;
    if (fault == LOG_STOPPED && !t->stopped) {
        t->stopped = true;
        logger_write(t->settings.logger, PARTY_LOG_ERROR, 0,
                     "a sync to the disk failed: nothing is stored until the server has been "
                     "started again and has checked its database");
    }
}

static void note_success(struct hub_thread *t)
{
    if (t->failing) {
        t->failing = false;
        logger_write(t->settings.logger, PARTY_LOG_WARNING, 0, "messages are stored again");
    }
}

static void release(struct hub_thread *t)
{
    if (t->events.count == 0) {
        return;
    }
    struct batch *batch = batch_create(&t->events, t->settings.shard_count);
    for (unsigned i = 0; i < t->settings.shard_count; i++) {
        shard_deliver_later(t->settings.shards[i], batch);
    }
    t->held_since_ns = 0;
}

#ifdef PARTYLINE_TEST_DELIVER_FIRST
/* The control of the crash tests: a program that shows messages before they are stored. */
static void release_unstored(struct hub_thread *t)
{
    struct event_list early = {0};
    for (size_t i = 0; i < t->events.count; i++) {
        event_list_take(&early, event_ref(t->events.items[i]));
    }
    struct batch *batch = batch_create(&early, t->settings.shard_count);
    for (unsigned i = 0; i < t->settings.shard_count; i++) {
        shard_deliver_later(t->settings.shards[i], batch);
    }
}
#endif

static void run_batch(struct hub_thread *t, const struct command *commands)
{
    int64_t now_ms = wall_ms();
    size_t from = t->events.count;
    fetch_recent(t, commands);
    if (t->stopped) {
        apply_refusing(t, commands, now_ms, fault_text(LOG_STOPPED));
        return;
    }
    apply_all(t, commands, now_ms);
    uint64_t durable = durable_count(&t->events, from);
    if (durable == 0) {
        hub_commit(t->hub);
        return;
    }
#ifdef PARTYLINE_TEST_DELIVER_FIRST
    release_unstored(t);
#endif
    int64_t began_ns = steady_ns();
    enum log_fault fault = log_commit(t->log, t->events.items + from, t->events.count - from);
    t->commit_ns = steady_ns() - began_ns;
    t->tried = true;
#ifdef PARTYLINE_TEST_DELIVER_FIRST
    event_list_cut(&t->events, 0);
    from = 0;
#endif
    if (fault == LOG_OK) {
        hub_commit(t->hub);
        t->next_number += durable;
        t->committed = true;
        note_success(t);
    } else {
        note_fault(t, fault);
        event_list_cut(&t->events, from);
        hub_rollback(t->hub);
        apply_refusing(t, commands, now_ms, fault_text(fault));
    }
}

/* Whether what is committed waits for what the next commands bring. */
static bool is_held(struct hub_thread *t, bool more)
{
    if (t->events.count == 0) {
        return true;
    }
    int64_t now_ns = steady_ns();
    if (t->held_since_ns == 0) {
        t->held_since_ns = now_ns;
    }
    return more && t->events.count < HOLD_MAX_EVENTS && now_ns - t->held_since_ns < HOLD_MAX_NS;
}

/* Cuts the first HUB_BATCH_MAX commands off the chain. */
static struct command *cut_batch(struct command **chain, unsigned *ret_count)
{
    struct command *first = *chain, *last = first;
    unsigned count = 1;
    while (last->next && count < HUB_BATCH_MAX) {
        last = last->next;
        count++;
    }
    *chain = last->next;
    last->next = NULL;
    *ret_count = count;
    return first;
}

static void run_all(struct hub_thread *t, struct command *chain)
{
    while (chain) {
        unsigned count;
        struct command *batch = cut_batch(&chain, &count);
        run_batch(t, batch);
        while (batch) {
            struct command *next = batch->next;
            command_destroy(batch);
            batch = next;
        }
        unsigned left = atomic_fetch_sub_explicit(&t->waiting, count, memory_order_relaxed) - count;
        if (!is_held(t, left > 0)) {
            release(t);
        }
    }
}

/* Begins and ends the ownership of hub and log, with the lock held. */
static void own(struct hub_thread *t)
{
    t->busy = true;
    t->tried = false;
    t->committed = false;
    if (t->limits_changed) {
        t->limits_changed = false;
        hub_set_limits(t->hub, &t->limits);
        t->recent_now = t->recent;
    }
}

static void disown(struct hub_thread *t)
{
    t->busy = false;
    t->checkpoint_due |= t->committed;
    if (t->tried) {
        t->quick = !t->failing && t->commit_ns < t->settings.quick_commit_ns;
    }
    (void)pthread_cond_broadcast(&t->idle);
}

/* Runs the chain without the lock. */
static void run_owned(struct hub_thread *t, struct command *chain)
{
    (void)pthread_mutex_unlock(&t->lock);
    run_all(t, chain);
    (void)pthread_mutex_lock(&t->lock);
    t->last_run_ns = steady_ns();
}

static void checkpoint(struct hub_thread *t)
{
    t->checkpoint_due = false;
    own(t);
    (void)pthread_mutex_unlock(&t->lock);
    log_checkpoint(t->log);
    (void)pthread_mutex_lock(&t->lock);
    disown(t);
}

/* Waits for a signal with the lock held; a quiet second is used for the checkpoint. */
static void wait_or_checkpoint(struct hub_thread *t)
{
    if (!t->checkpoint_due || t->busy) {
        (void)pthread_cond_wait(&t->wake, &t->lock);
        return;
    }
    int64_t due_ns = t->last_run_ns + QUIET_NS;
    if (steady_ns() >= due_ns) {
        checkpoint(t);
        return;
    }
    struct timespec until = {.tv_sec = (time_t)(due_ns / 1000000000),
                             .tv_nsec = (long)(due_ns % 1000000000)};
    (void)pthread_cond_timedwait(&t->wake, &t->lock, &until);
}

static bool has_work(const struct hub_thread *t)
{
    return t->first || t->stopping || t->limits_changed;
}

static void *run(void *user)
{
    struct hub_thread *t = user;
    (void)pthread_mutex_lock(&t->lock);
    own(t);
    (void)pthread_mutex_unlock(&t->lock);
    log_reserve(t->log);
    (void)pthread_mutex_lock(&t->lock);
    disown(t);
    while (!t->stopping || t->first || t->busy) {
        if (t->busy || !has_work(t)) {
            wait_or_checkpoint(t);
            continue;
        }
        own(t);
        while (t->first) {
            struct command *chain = t->first;
            t->first = NULL;
            t->last = NULL;
            run_owned(t, chain);
        }
        release(t); /* what was held for commands that are still being handed over */
        disown(t);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return NULL;
}

int hub_thread_start(struct hub_thread *t)
{
    int r = pthread_create(&t->thread, NULL, run, t);
    if (r == 0) {
        t->started = true;
        (void)pthread_setname_np(t->thread, "hub");
    }
    return -r;
}

/* A single command, with the lock held and the hub at rest. */
static void run_here(struct hub_thread *t, struct command *command)
{
    bool was_due = t->checkpoint_due;
    own(t);
    run_owned(t, command);
    if (!t->first) {
        release(t); /* what was held for commands that are still being handed over */
    }
    disown(t);
    if (has_work(t) || (t->checkpoint_due && !was_due)) {
        (void)pthread_cond_signal(&t->wake);
    }
}

void hub_thread_submit(struct hub_thread *t, struct command *first, struct command *last,
                       unsigned count)
{
    (void)atomic_fetch_add_explicit(&t->waiting, count, memory_order_relaxed);
    (void)pthread_mutex_lock(&t->lock);
    if (count == 1 && t->quick && !t->busy && !has_work(t)) {
        run_here(t, first);
        (void)pthread_mutex_unlock(&t->lock);
        return;
    }
    if (t->last) {
        t->last->next = first;
    } else {
        t->first = first;
    }
    t->last = last;
    bool sleeping = !t->busy;
    (void)pthread_mutex_unlock(&t->lock);
    if (sleeping) {
        (void)pthread_cond_signal(&t->wake);
    }
}

bool hub_thread_is_backlogged(const struct hub_thread *t)
{
    return atomic_load_explicit(&t->waiting, memory_order_relaxed) >= HUB_BACKLOG_MAX;
}

void hub_thread_set_limits(struct hub_thread *t, const struct hub_limits *limits, uint32_t recent)
{
    (void)pthread_mutex_lock(&t->lock);
    t->limits = *limits;
    t->recent = recent;
    t->limits_changed = true;
    (void)pthread_mutex_unlock(&t->lock);
    (void)pthread_cond_signal(&t->wake);
}

bool hub_thread_drain(struct hub_thread *t, unsigned timeout_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int r = 0;
    (void)pthread_mutex_lock(&t->lock);
    while (t->started && (t->first || t->busy) && r == 0) {
        r = pthread_cond_timedwait(&t->idle, &t->lock, &until);
    }
    (void)pthread_mutex_unlock(&t->lock);
    return r == 0;
}

void hub_thread_destroy(struct hub_thread *t)
{
    if (!t) {
        return;
    }
    if (t->started) {
        (void)pthread_mutex_lock(&t->lock);
        t->stopping = true;
        (void)pthread_mutex_unlock(&t->lock);
        (void)pthread_cond_signal(&t->wake);
        (void)pthread_join(t->thread, NULL);
    }
    while (t->first) {
        struct command *next = t->first->next;
        command_destroy(t->first);
        t->first = next;
    }
    event_list_finish(&t->events);
    hub_destroy(t->hub);
    log_close(t->log);
    (void)pthread_cond_destroy(&t->wake);
    (void)pthread_cond_destroy(&t->idle);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}
