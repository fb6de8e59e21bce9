/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_GUARD_H
#define CHAT_SERVICE_GUARD_H

#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>

/*
 * Who may connect: how many connections there are at all, how many an address holds and how fast it
 * makes new ones; and how many wrong passwords it may give. All loops share one guard.
 *
 *     switch (guard_admit(guard, &peer, now_ns)) {
 *     case GUARD_OK: ...                     and guard_release(guard, &peer) when it is closed
 *     case GUARD_TOO_MANY: ...               tell the peer and close; nothing to release
 *     }
 *
 * An address is an IPv4 address (one mapped into IPv6 too) or the first 64 bits of an IPv6 one:
 * that much a single subscriber has. Unix sockets and other families count towards the total only.
 *
 * Wrong passwords: the first password_tries of an address cost nothing, each one from there on has
 * it wait, GUARD_WAIT_S at first, then twice as long each time, GUARD_WAIT_MAX_S at most. When
 * GUARD_FORGIVE_S have passed since then without one, all are forgiven. Right ones change nothing:
 * whoever has one password of his own must not be able to guess another's for ever.
 *
 * Cost: one look-up under a mutex, whoever connects. At most GUARD_ADDRESSES_MAX addresses are
 * remembered: those with connections, and those whose last ones were so recent that it matters
 * for their rate, or whose passwords were wrong. When there are more, the ones without connections
 * are forgotten, the longest unused first; when all have connections, newcomers are refused with
 * GUARD_FULL.
 *
 * Threads: any thread may call at any time.
 */
struct guard;

#define GUARD_ADDRESSES_MAX 65536
#define GUARD_WAIT_S        15
#define GUARD_WAIT_MAX_S    600
#define GUARD_FORGIVE_S     600

struct guard_settings {
    uint32_t total;           /* connections at once; 0: no limit */
    uint32_t per_address;     /* connections at once of one address; 0: no limit */
    uint32_t rate_per_minute; /* new connections of one address, and so many at once; 0: no limit */
    uint32_t password_tries;  /* wrong passwords of one address without a wait; 0: no limit */
};

enum guard_verdict {
    GUARD_OK,
    GUARD_TOO_MANY, /* the address has per_address connections */
    GUARD_TOO_FAST, /* the address made new connections faster than rate_per_minute */
    GUARD_FULL,     /* total connections are there, or GUARD_ADDRESSES_MAX addresses */
};

/** Returns: never NULL. Owns: the caller ends it with guard_destroy. */
struct guard *guard_create(const struct guard_settings *settings);

/** NULL is accepted. No other thread may use it any more. */
void guard_destroy(struct guard *guard);

/** Takes new limits (a reread configuration); connections that are there stay. */
void guard_set_settings(struct guard *guard, const struct guard_settings *settings);

/**
 * Asks for one more connection of peer. now_ns is of a clock that does not run back.
 * Returns: GUARD_OK, after which guard_release must follow; else the reason, and nothing is
 * counted: who waits is not punished for having asked.
 */
enum guard_verdict guard_admit(struct guard *guard, const struct party_address *peer,
                               int64_t now_ns);

/** Gives back one admitted connection of peer. */
void guard_release(struct guard *guard, const struct party_address *peer);

/**
 * How long peer has to wait until a password of it is looked at.
 * Returns: nanoseconds; 0 when it may give one now.
 */
int64_t guard_password_wait_ns(struct guard *guard, const struct party_address *peer,
                               int64_t now_ns);

/** Counts a wrong password of peer. */
void guard_password_wrong(struct guard *guard, const struct party_address *peer, int64_t now_ns);

/** Connections admitted and not released. */
size_t guard_connections(struct guard *guard);

/** Addresses remembered. */
size_t guard_addresses(struct guard *guard);

#endif
