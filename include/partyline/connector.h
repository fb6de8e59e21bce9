/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_CONNECTOR_H
#define PARTYLINE_CONNECTOR_H

#include <stddef.h>
#include <stdint.h>

#include <partyline/connection.h>
#include <partyline/lookup.h>
#include <partyline/loop.h>

PARTY_BEGIN_DECLS

/*
 * Connects on a loop: races the addresses of a name, or addresses that are known, by the rules of
 * connection.h without ever waiting.
 *
 *     static void on_connected(struct party_connector *connector, int result, void *user)
 *     {
 *         struct client *client = user;
 *         if (result >= 0 && party_stream_create(client->loop, result, &client_ops, NULL, client,
 *                                                &client->stream) < 0) {
 *             close(result);
 *         }
 *     }
 *
 *     struct party_connector_settings settings = {
 *         .lookup = lookup, .host = "example.org", .service = "80", .timeout_ms = 5000};
 *     r = party_connector_start(loop, &settings, on_connected, client, NULL);
 *
 * Threads: the loop's.
 */
struct party_connector;

#define PARTY_CONNECTOR_TIMEOUT_DEFAULT_MS 30000

/* Either addresses or a name. Texts and addresses are copied. */
struct party_connector_settings {
    const struct party_address *addresses; /* to try, the best first; NULL: host is looked up */
    size_t address_count;                  /* 0 when addresses is NULL */
    struct party_lookup *lookup;           /* who looks host up; NULL with addresses */
    const char *host;                      /* NULL with addresses, or for loopback */
    const char *service;                   /* name or number of the port; NULL with addresses */
    int family;                            /* AF_INET or AF_INET6: look up this only; 0: any */
    const struct party_address *source;    /* as in party_connection_options; NULL: none */
    uint32_t delay_ms;                     /* as in party_connection_options; 0: the default */
    int64_t timeout_ms; /* for the look-up and all attempts; -1: none; 0: PARTY_CONNECTOR_TIMEOUT_
                           DEFAULT_MS */
};

/**
 * How it ended. result is the descriptor (>= 0) of the connection that won, non-blocking and
 * close-on-exec, which is the callback's from now on; or PARTY_ETIMEOUT; what the look-up failed
 * with (lookup.h); when all attempts failed, the error of the one that failed last; -ECANCELED
 * after party_connector_cancel, or when the look-up was destroyed; -ENOMEM.
 * Callback: exactly once for each party_connector_start that returned 0, after it returned, in a
 *   turn of the loop or in party_loop_destroy. Anything may be done in it. The connector is gone
 *   afterwards.
 */
typedef void (*party_connector_fn)(struct party_connector *connector, int result, void *user);

/**
 * Starts to connect.
 * Returns: 0; -EINVAL for no address and no lookup, for both, a timeout_ms below -1, or a delay_ms
 *   out of range; -ENOMEM; what party_lookup_start returns.
 * Owns: the connector is the library's; *ret_connector, which may be NULL, is valid until the
 *   callback returns. lookup is borrowed until then. A loop must not be destroyed with connectors
 *   under way: cancel them first.
 */
PARTY_API PARTY_MUST_USE int party_connector_start(struct party_loop *loop,
                                                   const struct party_connector_settings *settings,
                                                   party_connector_fn fn, void *user,
                                                   struct party_connector **ret_connector);

/**
 * Gives up: what is open is closed at once, and the callback comes with -ECANCELED, after this
 * returned, even when the connection was there but not told yet. A second call, and one in the
 * connector's own callback, does nothing.
 */
PARTY_API void party_connector_cancel(struct party_connector *connector);

/**
 * The attempts that failed, for the callback, also when another one has won. Returns: a list that
 * is the connector's and gone with it.
 */
PARTY_API const struct party_connection_failures *party_connector_failures(
    const struct party_connector *connector);

PARTY_END_DECLS
#endif
