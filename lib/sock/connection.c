/* SPDX-License-Identifier: MIT */
#include <partyline/connection.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <partyline/error.h>
#include <partyline/resolve.h>

#include "base/clock.h"
#include "base/require.h"
#include "sock/connection_lookup.h"
#include "sock/race.h"
#include "sock/sock_call.h"

/* The blocking race: the rules are in race.c, and here is one thread that waits with poll(2). */

void party_connection_failures_finish(struct party_connection_failures *failures)
{
    if (failures != NULL) {
        free(failures->entries);
        *failures = (struct party_connection_failures){0};
    }
}

char *party_connection_failures_format(const struct party_connection_failures *failures, char *text,
                                       size_t cap)
{
    PARTY__REQUIRE(NULL, failures, text);
    size_t len = 0;
    if (cap > 0) {
        text[0] = '\0';
    }
    for (size_t i = 0; i < failures->count && len < cap; i++) {
        char address[PARTY_ADDRESS_TEXT_MAX];
        party_address_format(&failures->entries[i].address, address, sizeof(address));
        int n = snprintf(text + len, cap - len, "%s%s: %s", i > 0 ? "; " : "", address,
                         party_strerror(failures->entries[i].error));
        len += n > 0 ? (size_t)n : 0;
    }
    return text;
}

/* Waits until an attempt under way has news, the next one is due, or deadline_ns has come.
   pollfds has room for all attempts. Returns: how many have news; -errno. */
static int wait_for_news(const struct party__race *race, struct pollfd *pollfds,
                         int64_t deadline_ns)
{
    /* poll(2) leaves out what has the descriptor -1. */
    for (size_t i = 0; i < race->next; i++) {
        pollfds[i] = (struct pollfd){.fd = race->attempts[i].fd, .events = POLLOUT};
    }
    int64_t due_ns = party__race_due_ns(race);
    int64_t until_ns = due_ns < deadline_ns ? due_ns : deadline_ns;
    struct timespec timeout;
    const struct timespec *wait = NULL;
    if (until_ns != PARTY__NEVER_NS) {
        int64_t now_ns = party__now_ns();
        int64_t left_ns = until_ns > now_ns ? until_ns - now_ns : 0;
        timeout.tv_sec = (time_t)(left_ns / PARTY__NS_PER_S);
        timeout.tv_nsec = (long)(left_ns % PARTY__NS_PER_S);
        wait = &timeout;
    }
    int n = ppoll(pollfds, (nfds_t)race->next, wait, NULL);
    if (n == -1) {
        return errno == EINTR ? 0 : -errno;
    }
    return n;
}

/* Starts what is due. Returns: 1 and the index of one that is connected; 0. */
static int start_due(struct party__race *race, int64_t timeout_ms, int64_t now_ns,
                     size_t *ret_winner)
{
    while (race->next < race->count && race->due_ns <= now_ns) {
        size_t index = race->next;
        int r = party__race_start(race, now_ns);
        if (r == 1) {
            *ret_winner = index;
            return 1;
        }
        if (r == 0 && timeout_ms == 0) {
            party__race_fail(race, index, -EINPROGRESS, now_ns);
        }
    }
    return 0;
}

/* Returns: 1 and the index of the first that is connected; 0. */
static int look_at_news(struct party__race *race, const struct pollfd *pollfds, size_t count,
                        size_t *ret_winner)
{
    int64_t now_ns = party__now_ns();
    for (size_t i = 0; i < count; i++) {
        if (pollfds[i].revents != 0 && party__race_check(race, i, now_ns) == 1) {
            *ret_winner = i;
            return 1;
        }
    }
    return 0;
}

/* Returns: 0 and the index of the winner; PARTY_ETIMEOUT; the error that ended the race. */
static int run_race(struct party__race *race, struct pollfd *pollfds, int64_t timeout_ms,
                    int64_t deadline_ns, size_t *ret_winner)
{
    for (;;) {
        int64_t now_ns = party__now_ns();
        /* With a timeout of 0 each address gets its one try. */
        if (timeout_ms != 0 && now_ns >= deadline_ns) {
            return PARTY_ETIMEOUT;
        }
        if (start_due(race, timeout_ms, now_ns, ret_winner) == 1) {
            return 0;
        }
        if (party__race_is_lost(race)) {
            return race->last_error;
        }
        int n = wait_for_news(race, pollfds, deadline_ns);
        if (n < 0) {
            return n;
        }
        if (n > 0 && look_at_news(race, pollfds, race->next, ret_winner) == 1) {
            return 0;
        }
    }
}

/* Makes a socket of the winner. Its descriptor stays the race's on failure. */
static int make_sock(struct party__race *race, size_t winner, int64_t timeout_ms,
                     struct party_sock **ret_sock)
{
    struct party_sock *sock;
    int r = party_sock_adopt(race->attempts[winner].fd, -1, -1, -1, &sock);
    if (r < 0) {
        return r;
    }
    (void)party__race_steal(race, winner);
    r = party_sock_settimeout(sock, timeout_ms);
    if (r < 0) {
        (void)party_sock_close(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}

static int connect_to_list(const struct party_resolve_list *list, int64_t timeout_ms,
                           int64_t deadline_ns, const struct party_connection_options *options,
                           struct party_sock **ret_sock)
{
    struct party__race race = {0};
    struct pollfd *pollfds = NULL;
    struct party_connection_failure *entries = NULL;
    const struct party__race_list addresses = {&list->entries[0].address, list->count,
                                               sizeof(list->entries[0])};
    int r = party__race_init(&race, &addresses, options);
    if (r < 0) {
        return r;
    }
    r = -ENOMEM;
    pollfds = calloc(race.count, sizeof(pollfds[0]));
    if (pollfds == NULL) {
        goto out;
    }
    /* Before anything is connected: an error that nobody can be told of must not come later. */
    if (options->ret_failures != NULL) {
        entries = calloc(race.count, sizeof(entries[0]));
        if (entries == NULL) {
            goto out;
        }
    }
    size_t winner = 0;
    r = run_race(&race, pollfds, timeout_ms, deadline_ns, &winner);
    if (entries != NULL) {
        size_t count = party__race_failures(&race, r < 0 ? r : 0, entries);
        *options->ret_failures =
            (struct party_connection_failures){count, count > 0 ? entries : NULL};
        if (count == 0) {
            free(entries);
        }
    }
    if (r == 0) {
        r = make_sock(&race, winner, timeout_ms, ret_sock);
    }

out:
    free(pollfds);
    party__race_finish(&race);
    return r;
}

int party_sock_create_connection_with(const char *host, const char *port, int64_t timeout_ms,
                                      const struct party_connection_options *options,
                                      struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, port, ret_sock);
    static const struct party_connection_options defaults = {0};
    options = options != NULL ? options : &defaults;
    if (options->ret_failures != NULL) {
        *options->ret_failures = (struct party_connection_failures){0};
    }
    if (timeout_ms < -1 || !party__race_is_delay(options->delay_ms)) {
        return -EINVAL;
    }
    int64_t deadline_ns = party__deadline_ns(timeout_ms);
    struct party_resolve_list list;
    int r = party__connection_lookup(host, port, options->family, deadline_ns, &list);
    if (r < 0) {
        return r == PARTY_ETIMEOUT && timeout_ms == 0 ? -EINPROGRESS : r;
    }
    r = PARTY_EGAI_NODATA;
    if (list.count > 0) {
        r = connect_to_list(&list, timeout_ms, deadline_ns, options, ret_sock);
    }
    party_resolve_list_finish(&list);
    return r;
}

int party_sock_create_connection(const char *host, const char *port, int64_t timeout_ms,
                                 struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, port, ret_sock);
    return party_sock_create_connection_with(host, port, timeout_ms, NULL, ret_sock);
}
