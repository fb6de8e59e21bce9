/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_RACE_H
#define PARTYLINE_SOCK_RACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/connection.h>

/*
 * Inside lib: the rules of RFC 8305 over a list of addresses, without waiting. Who waits, with
 * poll(2) or with a loop, asks party__race_due_ns when to call party__race_start next, and calls
 * party__race_check for each attempt whose descriptor has become writable or broken.
 */

struct party__attempt {
    struct party_address address;
    int fd;    /* -1: not started, or ended */
    int error; /* 0: not started, under way, or connected */
};

struct party__race {
    struct party__attempt *attempts; /* in the order to try them */
    size_t count;
    size_t next; /* the first that has not been started */
    size_t live_count;
    int64_t delay_ns;
    int64_t due_ns; /* when attempts[next] may start */
    bool has_source;
    struct party_address source;
    int last_error; /* of the attempt that failed last; 0: none */
};

/** Addresses that lie in an array, alone or as a member of its elements. */
struct party__race_list {
    const struct party_address *first;
    size_t count;
    size_t stride_bytes;
};

/** Whether options may ask for this head start. */
bool party__race_is_delay(uint32_t delay_ms);

/**
 * Orders the addresses: families take turns, and the first address stays the first. options may be
 * NULL. Returns: 0; -EINVAL for a delay out of range; -ENOMEM.
 */
PARTY_MUST_USE int party__race_init(struct party__race *race, const struct party__race_list *list,
                                    const struct party_connection_options *options);

/** Closes what is under way and frees the list. A zeroed race is accepted. */
void party__race_finish(struct party__race *race);

/** When party__race_start is due; PARTY__NEVER_NS when every address has been tried. */
int64_t party__race_due_ns(const struct party__race *race);

/** Whether all attempts have failed. */
bool party__race_is_lost(const struct party__race *race);

/**
 * Starts the next attempt, attempts[next] before the call. Its head start begins at now_ns.
 * Returns: 1 when it is connected; 0 when it is under way; its error when it failed, and then the
 *   next one is due at once.
 */
PARTY_MUST_USE int party__race_start(struct party__race *race, int64_t now_ns);

/** Looks how the attempt with that index ended. Returns: 1 connected; its error when it failed. */
PARTY_MUST_USE int party__race_check(struct party__race *race, size_t index, int64_t now_ns);

/** Ends an attempt that is under way, as failed with error. */
void party__race_fail(struct party__race *race, size_t index, int error, int64_t now_ns);

/** Takes the descriptor of an attempt out: non-blocking and close-on-exec. */
int party__race_steal(struct party__race *race, size_t index);

/**
 * Writes what failed so far to entries, which has room for race->count. With live_error not 0, what
 * is under way counts as failed with it. Returns: how many.
 */
size_t party__race_failures(const struct party__race *race, int live_error,
                            struct party_connection_failure *entries);

#endif
