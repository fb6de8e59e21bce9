/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_PASSWORD_THREAD_H
#define CHAT_SERVICE_PASSWORD_THREAD_H

#include <stdbool.h>

#include "front/password_query.h"
#include "front/shard.h"
#include "service/config.h"
#include "service/guard.h"

/*
 * The thread that checks passwords, one after the other: a hash takes a tenth of a second and 64
 * MiB, so many at once would take the machine.
 *
 * Of operators it does not tell by its time whether one is known: when any operator's password is
 * stored as a hash, each answer costs one such hash. Addresses that guess have to wait, as the
 * guard says.
 */
struct password_thread;

/* Passwords that may wait; beyond it they are refused. */
#define PASSWORD_QUEUE_MAX 64u

/**
 * Starts the thread with the configuration's passwords.
 * Returns: 0; -errno of pthread_create(3). Owns: guard is borrowed, config is copied from.
 */
int password_thread_start(struct guard *guard, const struct config *config,
                          struct password_thread **ret_thread);

/** Takes the passwords of a reread configuration. Threads: any. */
void password_thread_set(struct password_thread *thread, const struct config *config);

/** Hands over a query for the shard. False when too many wait; then it stays the caller's. Threads:
 * any. */
bool password_thread_ask(struct password_thread *thread, struct password_query *query,
                         struct shard *shard);

/**
 * Gives back what waits unanswered (PASSWORD_LATER) and ends the thread after the one it is at.
 * NULL is accepted.
 */
void password_thread_destroy(struct password_thread *thread);

#endif
