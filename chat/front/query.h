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

enum query_kind { QUERY_HISTORY, QUERY_TARGETS, QUERY_MESSAGE };

struct query {
    struct query *next;     /* link of the reader's queue */
    struct party_task task; /* the way back */
    struct shard *shard;    /* who asked */
    uint64_t session;
    _Atomic bool given_up; /* the session is gone: the reader need not look any more */
    enum query_kind kind;
    struct history_query history; /* QUERY_HISTORY; history.text or .other points to text below */
    struct targets_query targets; /* QUERY_TARGETS; targets.rooms points to rooms below */
    struct message_query message; /* QUERY_MESSAGE */
    char *text;                   /* owned; NULL when history needs none */
    struct history_room *rooms;   /* owned; NULL but for QUERY_TARGETS */
    struct event_list found;
    bool more;
    struct record_out records; /* found by QUERY_TARGETS and QUERY_MESSAGE: see reader.h */
    enum log_fault fault;
};

/** A zeroed query for the session. Never NULL. */
struct query *query_create(uint64_t session);
/** NULL is accepted. */
void query_destroy(struct query *query);

#endif
