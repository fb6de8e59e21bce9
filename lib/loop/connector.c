/* SPDX-License-Identifier: MIT */
#include <partyline/connector.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "sock/race.h"

/*
 * A connector is
 *
 *   looking up   a query of party_lookup is open; its callback always comes and moves on
 *   racing       attempts have watches, and the timer is at the next start or the deadline
 *   ended        the result is known, nothing is open but a connection that won; a deferred task
 *                is queued
 *   told         the callback runs; the connector is freed when it returns
 *
 * Everything that ends it goes through end(), which calls nobody: the callback comes from the
 * deferred task, so never from within party_connector_start or party_connector_cancel.
 */
enum connector_state { LOOKING_UP, RACING, ENDED, TOLD };

struct attempt_watch {
    struct party_watch watch;
    struct party_connector *connector;
};

struct party_connector {
    struct party_loop *loop;
    party_connector_fn fn;
    void *user;
    enum connector_state state;
    int result; /* once ended */
    struct party_lookup_query *query;
    struct party_task task;
    struct party_timer timer;
    int64_t deadline_ns;
    struct party_address source;
    struct party_connection_options options;
    struct party__race race;
    struct attempt_watch *watches; /* one for each of the race's attempts */
    struct party_connection_failures failures;
};

static void destroy(struct party_connector *connector)
{
    party__race_finish(&connector->race);
    party_connection_failures_finish(&connector->failures);
    free(connector->watches);
    free(connector);
}

static void tell(struct party_task *task, void *user)
{
    (void)task;
    struct party_connector *connector = user;
    connector->state = TOLD;
    connector->fn(connector, connector->result, connector->user);
    destroy(connector);
}

/* A winner has been taken out of the race before; what is still in it is closed. */
static void end(struct party_connector *connector, int result)
{
    party_timer_stop(&connector->timer);
    for (size_t i = 0; i < connector->race.next; i++) {
        party_watch_stop(&connector->watches[i].watch);
    }
    if (connector->failures.entries != NULL) {
        connector->failures.count = party__race_failures(&connector->race, result < 0 ? result : 0,
                                                         connector->failures.entries);
    }
    if (connector->failures.count == 0) {
        party_connection_failures_finish(&connector->failures);
    }
    party__race_finish(&connector->race);
    connector->state = ENDED;
    connector->result = result;
    party_loop_defer(connector->loop, &connector->task);
}

static void end_with_winner(struct party_connector *connector, size_t index)
{
    party_watch_stop(&connector->watches[index].watch);
    end(connector, party__race_steal(&connector->race, index));
}

static void advance(struct party_connector *connector);

static void on_timer(struct party_timer *timer, void *user)
{
    (void)timer;
    advance(user);
}

static void on_news(struct party_watch *watch, unsigned events, void *user)
{
    (void)events;
    struct attempt_watch *self = user;
    struct party_connector *connector = self->connector;
    size_t index = (size_t)(self - connector->watches);
    /* Before the descriptor is closed. */
    party_watch_stop(watch);
    if (party__race_check(&connector->race, index, party_loop_now_ns(connector->loop)) == 1) {
        end_with_winner(connector, index);
        return;
    }
    advance(connector);
}

/* Returns: 1 when it has ended the connector; 0. */
static int start_next(struct party_connector *connector, int64_t now_ns)
{
    struct party__race *race = &connector->race;
    size_t index = race->next;
    int r = party__race_start(race, now_ns);
    if (r == 1) {
        end_with_winner(connector, index);
        return 1;
    }
    if (r == 0) {
        struct attempt_watch *self = &connector->watches[index];
        self->connector = connector;
        r = party_watch_start(connector->loop, &self->watch, race->attempts[index].fd, PARTY_WRITE,
                              on_news, self);
        if (r < 0) {
            party__race_fail(race, index, r, now_ns);
        }
    }
    return 0;
}

/* Starts what is due and sets the timer to what comes next, or ends. */
static void advance(struct party_connector *connector)
{
    struct party__race *race = &connector->race;
    int64_t now_ns = party_loop_now_ns(connector->loop);
    if (now_ns >= connector->deadline_ns) {
        end(connector, PARTY_ETIMEOUT);
        return;
    }
    while (party__race_due_ns(race) <= now_ns) {
        if (start_next(connector, now_ns) == 1) {
            return;
        }
    }
    if (party__race_is_lost(race)) {
        end(connector, race->last_error);
        return;
    }
    int64_t due_ns = party__race_due_ns(race);
    int64_t until_ns = due_ns < connector->deadline_ns ? due_ns : connector->deadline_ns;
    if (until_ns == PARTY__NEVER_NS) {
        party_timer_stop(&connector->timer);
        return;
    }
    int r = party_timer_start(connector->loop, &connector->timer, until_ns - now_ns, on_timer,
                              connector);
    if (r < 0) {
        end(connector, r);
    }
}

/* Makes what the race needs. Returns: 0; -ENOMEM; -EINVAL. */
static int prepare_race(struct party_connector *connector, const struct party__race_list *list)
{
    int r = party__race_init(&connector->race, list, &connector->options);
    if (r < 0) {
        return r;
    }
    size_t count = connector->race.count;
    connector->watches = calloc(count, sizeof(connector->watches[0]));
    connector->failures.entries = calloc(count, sizeof(connector->failures.entries[0]));
    if (connector->watches == NULL || connector->failures.entries == NULL) {
        return -ENOMEM;
    }
    connector->state = RACING;
    return 0;
}

static void on_found(struct party_lookup_query *query, int result, struct party_resolve_list *list,
                     void *user)
{
    (void)query;
    struct party_connector *connector = user;
    connector->query = NULL;
    if (result == 0 && list->count == 0) {
        result = PARTY_EGAI_NODATA;
    }
    if (result == 0) {
        const struct party__race_list addresses = {&list->entries[0].address, list->count,
                                                   sizeof(list->entries[0])};
        result = prepare_race(connector, &addresses);
    }
    if (result < 0) {
        end(connector, result);
        return;
    }
    advance(connector);
}

static int64_t timeout_of(const struct party_connector_settings *settings)
{
    return settings->timeout_ms != 0 ? settings->timeout_ms : PARTY_CONNECTOR_TIMEOUT_DEFAULT_MS;
}

static int start_lookup(struct party_connector *connector,
                        const struct party_connector_settings *settings)
{
    const struct party_lookup_question question = {
        .host = settings->host,
        .service = settings->service,
        .family = settings->family,
        .type = SOCK_STREAM,
        .timeout_ms = timeout_of(settings),
    };
    return party_lookup_start(settings->lookup, &question, on_found, connector, &connector->query);
}

static bool is_valid(const struct party_connector_settings *settings)
{
    bool has_addresses = settings->addresses != NULL;
    return has_addresses == (settings->lookup == NULL) &&
           has_addresses == (settings->address_count > 0) && settings->timeout_ms >= -1 &&
           party__race_is_delay(settings->delay_ms);
}

int party_connector_start(struct party_loop *loop, const struct party_connector_settings *settings,
                          party_connector_fn fn, void *user, struct party_connector **ret_connector)
{
    PARTY__REQUIRE(-EINVAL, loop, settings, fn);
    if (!is_valid(settings)) {
        return -EINVAL;
    }
    struct party_connector *connector = calloc(1, sizeof(*connector));
    if (connector == NULL) {
        return -ENOMEM;
    }
    connector->loop = loop;
    connector->fn = fn;
    connector->user = user;
    party_loop_update_now(loop); /* the time-out begins here, however long this turn took */
    connector->deadline_ns =
        party__deadline_after_ns(party_loop_now_ns(loop), timeout_of(settings));
    connector->options.delay_ms = settings->delay_ms;
    if (settings->source != NULL) {
        connector->source = *settings->source;
        connector->options.source = &connector->source;
    }
    party_task_init(&connector->task, tell, connector);
    int r;
    if (settings->addresses != NULL) {
        const struct party__race_list addresses = {settings->addresses, settings->address_count,
                                                   sizeof(settings->addresses[0])};
        r = prepare_race(connector, &addresses);
    } else {
        r = start_lookup(connector, settings);
    }
    if (r < 0) {
        destroy(connector);
        return r;
    }
    if (connector->state == RACING) {
        advance(connector);
    }
    if (ret_connector != NULL) {
        *ret_connector = connector;
    }
    return 0;
}

void party_connector_cancel(struct party_connector *connector)
{
    PARTY__REQUIRE_VOID(connector);
    switch (connector->state) {
    case LOOKING_UP:
        party_lookup_cancel(connector->query);
        break;
    case RACING:
        end(connector, -ECANCELED);
        break;
    case ENDED:
        if (connector->result >= 0) {
            (void)close(connector->result);
        }
        connector->result = -ECANCELED;
        break;
    case TOLD:
        break;
    }
}

const struct party_connection_failures *party_connector_failures(
    const struct party_connector *connector)
{
    PARTY__REQUIRE(NULL, connector);
    return &connector->failures;
}
