/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_HUB_THREAD_H
#define CHAT_SERVICE_HUB_THREAD_H

#include <stdbool.h>

#include "core/hub.h"
#include "front/shard.h"
#include "log/log.h"
#include "service/logger.h"

/*
 * The thread that owns the hub and the log. It takes all commands that wait, applies them, has the
 * log commit what is durable, and only then hands the events to the shards. While the disk works
 * the next batch gathers: group commit needs no timer. A single command that finds it at rest is
 * run by the thread that brings it, as long as the disk is quick (quick_commit_ns).
 *
 * A batch that cannot be stored is undone and applied again with what must be stored refused, so
 * people still come, go and change their names while the disk is full. After a failed sync nothing
 * is stored any more until the process has been started again (log.h, LOG_STOPPED).
 */
struct hub_thread;

/* Commands that may wait; beyond it reading pauses (hub_thread_is_backlogged). */
#define HUB_BACKLOG_MAX 16384u
/* Commands of one commit. */
#define HUB_BATCH_MAX 4096u
/* A commit that takes less may hold up the loop that a message comes from. */
#define HUB_QUICK_COMMIT_NS 1000000ll

struct hub_thread_settings {
    struct hub *hub; /* becomes the thread's own */
    struct log *log; /* likewise */
    struct shard *const *shards;
    unsigned shard_count;
    uint32_t recent;         /* messages shown to who enters */
    int64_t quick_commit_ns; /* 0: HUB_QUICK_COMMIT_NS */
    struct logger *logger;
};

/** Makes it; nothing runs yet, commands may be submitted. settings is copied. Never NULL. */
struct hub_thread *hub_thread_create(const struct hub_thread_settings *settings);

/** Starts the thread. Returns: 0; -errno of pthread_create(3). */
int hub_thread_start(struct hub_thread *thread);

/**
 * Hands over a chain of commands. Threads: any.
 * Blocks: not, but for a single command that finds the hub at rest after a quick commit: then for
 * the time of its own.
 */
void hub_thread_submit(struct hub_thread *thread, struct command *first, struct command *last,
                       unsigned count);

/** Whether HUB_BACKLOG_MAX is reached. Threads: any. */
bool hub_thread_is_backlogged(const struct hub_thread *thread);

/** Takes new limits before the next batch. Threads: any. */
void hub_thread_set_limits(struct hub_thread *thread, const struct hub_limits *limits,
                           uint32_t recent);

/**
 * Waits until all that was submitted before is committed and handed to the shards, at most
 * timeout_ms. Returns: whether it is.
 */
bool hub_thread_drain(struct hub_thread *thread, unsigned timeout_ms);

/** Drains, ends the thread, frees hub, log and the rest. NULL is accepted. */
void hub_thread_destroy(struct hub_thread *thread);

#endif
