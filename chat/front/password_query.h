/* SPDX-License-Identifier: MIT */
#ifndef CHAT_FRONT_PASSWORD_QUERY_H
#define CHAT_FRONT_PASSWORD_QUERY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>
#include <partyline/loop.h>

/*
 * A password somebody gave, on its way to the thread that checks it and back: to check one takes as
 * long as a hash made for it takes, a tenth of a second, which no loop may wait.
 *
 *     struct password_query *query =
 *         password_query_create(PASSWORD_OPERATOR, name, name_len, password, password_len);
 *     if (!session_check_password(session, query)) {
 *         ...                            one is out already, or too many wait: say "try again"
 *     }
 *     ...                                front->on_password(session, query) has the result
 */
struct shard;

enum password_kind {
    PASSWORD_OPERATOR,   /* of the operator called name */
    PASSWORD_CONNECTION, /* that everybody needs who connects; name has no meaning */
};

enum password_result {
    PASSWORD_WRONG, /* or there is no such operator: nobody learns which, by word or by time */
    PASSWORD_RIGHT,
    PASSWORD_LATER, /* not looked at: too many wrong ones came from this address */
};

struct password_query {
    struct password_query *next; /* link of the checker's queue */
    struct party_task task;      /* the way back */
    struct shard *shard;         /* who asked */
    uint64_t session;
    struct party_address peer;
    _Atomic bool given_up; /* the session is gone: nobody waits for the result */
    enum password_kind kind;
    char *name;                  /* never NULL */
    char *password;              /* never NULL; wiped when the query is destroyed */
    enum password_result result; /* PASSWORD_WRONG until it was checked */
    uint32_t wait_s;             /* PASSWORD_LATER: seconds until the address may try again */
};

/** A query with copies of both texts; a NUL in one ends it. Never NULL. */
struct password_query *password_query_create(enum password_kind kind, const char *name,
                                             size_t name_len, const char *password,
                                             size_t password_len);
/** NULL is accepted. */
void password_query_destroy(struct password_query *query);

#endif
