/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_QUERY_H
#define CHAT_FRONT_QUERY_H

#include <stdatomic.h>
#include <stdbool.h>

#include <partyline/loop.h>

#include "core/event.h"
#include "log/reader.h"

/*
 * A question of a session to the log, answered by a reader thread: made in the loop, handed to the
 * reader, posted back to the loop with what was found.
 */
struct shard;

struct query {
    struct query *next;     /* link of the reader's queue */
    struct party_task task; /* the way back */
    struct shard *shard;    /* who asked */
    uint64_t session;
    _Atomic bool given_up;        /* the session is gone: the reader need not look any more */
    struct history_query history; /* history.text points to text below */
    char *text;                   /* HISTORY_SEARCH: owned; else NULL */
    struct event_list found;
    bool more;
    enum log_fault fault;
};

/** A zeroed query for the session. Never NULL. */
struct query *query_create(uint64_t session);
/** NULL is accepted. */
void query_destroy(struct query *query);

#endif
