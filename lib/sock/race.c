/* SPDX-License-Identifier: MIT */
#include "sock/race.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/clock.h"

/*
 * An attempt is waiting (fd -1, error 0, index >= next), under way (fd open), failed (fd -1, error
 * set), or has won (fd open, then stolen). Only the one who drives the race moves it on; nothing
 * here waits, reads a clock or calls back.
 */

static const struct party_address *address_at(const struct party__race_list *list, size_t index)
{
    return (const struct party_address *)((const char *)list->first + index * list->stride_bytes);
}

static bool is_of_first_family(const struct party__race_list *list, size_t index)
{
    return party_address_family(address_at(list, index)) == party_address_family(list->first);
}

/* The next index from index on that is, or is not, of the first address's family. */
static size_t next_of(const struct party__race_list *list, size_t index, bool of_first_family)
{
    while (index < list->count && is_of_first_family(list, index) != of_first_family) {
        index++;
    }
    return index;
}

/* RFC 8305 section 4 with a First Address Family Count of 1. */
static void interleave(struct party__race *race, const struct party__race_list *list)
{
    size_t first = next_of(list, 0, true);
    size_t other = next_of(list, 0, false);
    bool take_first = true;
    for (size_t i = 0; i < race->count; i++) {
        bool from_first = first < list->count && (take_first || other >= list->count);
        size_t *from = from_first ? &first : &other;
        race->attempts[i] = (struct party__attempt){.address = *address_at(list, *from), .fd = -1};
        *from = next_of(list, *from + 1, from_first);
        take_first = !from_first;
    }
}

bool party__race_is_delay(uint32_t delay_ms)
{
    return delay_ms == 0 ||
           (delay_ms >= PARTY_CONNECTION_DELAY_MIN_MS && delay_ms <= PARTY_CONNECTION_DELAY_MAX_MS);
}

int party__race_init(struct party__race *race, const struct party__race_list *list,
                     const struct party_connection_options *options)
{
    static const struct party_connection_options defaults = {0};
    options = options != NULL ? options : &defaults;
    if (!party__race_is_delay(options->delay_ms)) {
        return -EINVAL;
    }
    uint32_t delay_ms = options->delay_ms != 0 ? options->delay_ms : PARTY_CONNECTION_DELAY_MS;
    *race = (struct party__race){.delay_ns = delay_ms * PARTY__NS_PER_MS, .due_ns = INT64_MIN};
    if (options->source != NULL) {
        race->has_source = true;
        race->source = *options->source;
    }
    if (list->count == 0) {
        return 0;
    }
    race->count =
        list->count < PARTY_CONNECTION_ATTEMPTS_MAX ? list->count : PARTY_CONNECTION_ATTEMPTS_MAX;
    race->attempts = calloc(race->count, sizeof(race->attempts[0]));
    if (race->attempts == NULL) {
        return -ENOMEM;
    }
    interleave(race, list);
    return 0;
}

void party__race_finish(struct party__race *race)
{
    for (size_t i = 0; i < race->next; i++) {
        if (race->attempts[i].fd != -1) {
            (void)close(race->attempts[i].fd);
        }
    }
    free(race->attempts);
    *race = (struct party__race){0};
}

int64_t party__race_due_ns(const struct party__race *race)
{
    return race->next < race->count ? race->due_ns : PARTY__NEVER_NS;
}

bool party__race_is_lost(const struct party__race *race)
{
    return race->live_count == 0 && race->next >= race->count;
}

/* Makes a socket for the attempt. Returns: its descriptor; -errno. */
static int open_socket(const struct party__race *race, int family)
{
    if (race->has_source && party_address_family(&race->source) != family) {
        return -EAFNOSUPPORT;
    }
    int proto = family == AF_INET || family == AF_INET6 ? IPPROTO_TCP : 0;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
    if (fd == -1) {
        return -errno;
    }
    if (race->has_source && bind(fd, &race->source.u.sa, race->source.len) == -1) {
        int r = -errno;
        (void)close(fd);
        return r;
    }
    return fd;
}

/* Returns: 0 connected; -EINPROGRESS; another -errno. */
static int begin_connect(int fd, const struct party_address *address)
{
    int r;
    do {
        r = connect(fd, &address->u.sa, address->len) == -1 ? -errno : 0;
        /* A unix socket's connect(2) that was interrupted has left nothing behind; another's goes
           on in the kernel. */
    } while (r == -EINTR && party_address_family(address) == AF_UNIX);
    return r == -EINTR ? -EINPROGRESS : r;
}

static void set_failed(struct party__race *race, struct party__attempt *attempt, int error,
                       int64_t now_ns)
{
    attempt->error = error;
    race->last_error = error;
    race->due_ns = now_ns;
}

int party__race_start(struct party__race *race, int64_t now_ns)
{
    struct party__attempt *attempt = &race->attempts[race->next];
    race->next++;
    int fd = open_socket(race, party_address_family(&attempt->address));
    if (fd < 0) {
        set_failed(race, attempt, fd, now_ns);
        return fd;
    }
    int r = begin_connect(fd, &attempt->address);
    if (r < 0 && r != -EINPROGRESS) {
        (void)close(fd);
        set_failed(race, attempt, r, now_ns);
        return r;
    }
    attempt->fd = fd;
    race->live_count++;
    if (__builtin_add_overflow(now_ns, race->delay_ns, &race->due_ns)) {
        race->due_ns = PARTY__NEVER_NS;
    }
    return r == 0 ? 1 : 0;
}

void party__race_fail(struct party__race *race, size_t index, int error, int64_t now_ns)
{
    struct party__attempt *attempt = &race->attempts[index];
    (void)close(attempt->fd);
    attempt->fd = -1;
    race->live_count--;
    set_failed(race, attempt, error, now_ns);
}

int party__race_check(struct party__race *race, size_t index, int64_t now_ns)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(race->attempts[index].fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1) {
        error = errno;
    }
    if (error == 0 || error == EISCONN) {
        return 1;
    }
    party__race_fail(race, index, -error, now_ns);
    return -error;
}

int party__race_steal(struct party__race *race, size_t index)
{
    int fd = race->attempts[index].fd;
    race->attempts[index].fd = -1;
    race->live_count--;
    return fd;
}

size_t party__race_failures(const struct party__race *race, int live_error,
                            struct party_connection_failure *entries)
{
    size_t count = 0;
    for (size_t i = 0; i < race->next; i++) {
        const struct party__attempt *attempt = &race->attempts[i];
        int error = attempt->fd != -1 ? live_error : attempt->error;
        if (error != 0) {
            entries[count] = (struct party_connection_failure){attempt->address, error};
            count++;
        }
    }
    return count;
}
