/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_READER_THREAD_H
#define CHAT_SERVICE_READER_THREAD_H

#include <stdbool.h>

#include "front/query.h"
#include "front/shard.h"
#include "log/reader.h"

/*
 * The thread that answers history and search from a read-only connection of its own, so that a long
 * search never delays a message.
 */
struct reader_thread;

/*
 * Queries that may wait; beyond it they are refused. A search reads much and takes its time: what
 * waits for one is bounded apart, and history goes before all of them.
 */
#define READER_QUEUE_MAX    256u
#define READER_SEARCHES_MAX 32u

/** Starts the thread; reader becomes its own. Returns: 0; -errno of pthread_create(3). */
int reader_thread_start(struct reader *reader, struct reader_thread **ret_thread);

/** Hands over a query for the shard. False when too many wait; then it stays the caller's. Threads:
 * any. */
bool reader_thread_ask(struct reader_thread *thread, struct query *query, struct shard *shard);

/**
 * Gives back what waits unanswered (LOG_IO), ends the thread after the query it is at, and closes
 * the reader. NULL is accepted.
 */
void reader_thread_destroy(struct reader_thread *thread);

/** Whether reader_thread_destroy has begun. Threads: any. */
bool reader_thread_is_ending(struct reader_thread *thread);

#endif
