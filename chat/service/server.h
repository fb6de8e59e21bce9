/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_SERVER_H
#define CHAT_SERVICE_SERVER_H

#include <stddef.h>

#include "service/config.h"
#include "service/logger.h"

/*
 * The running server: the hub's thread, a reader thread, one thread per loop with its shard and its
 * listeners, and the control loop of the calling thread, which has the signals and the end.
 *
 *   server_create    opens the data directory, binds every listener
 *   server_run       serves until SIGTERM, SIGINT or `quit`; SIGHUP reads the configuration again
 *   server_destroy   closes the rest
 *
 * The end is in good order: listeners are closed, what was said is committed and delivered,
 * everyone is told, connections get a few seconds to take it, and the log is closed. A second
 * signal cuts that short.
 */
struct server;

/*
 * The end takes at most 10 s: so long the hub may take to store what was said, so long a connection
 * to take what is queued for it; what is left is for closing the log.
 */
#define HUB_DRAIN_MAX_MS      4000
#define SESSION_FINISH_MAX_MS 3000

/* So long who was cut for not reading has to read why, unless the server ends before. */
#define SESSION_CUT_MAX_MS 30000

struct server_settings {
    const char *config_path; /* NULL: there is none, SIGHUP changes nothing */
    /* Changes a freshly read configuration as the command line wants it; NULL: nothing to change.
     */
    void (*adjust)(struct config *config, void *user);
    void *adjust_user;
    struct logger *logger;
};

/* The database is damaged or of a newer version: starting again will not help. */
#define SERVER_DAMAGED (-2)

/**
 * Returns: 0; -1 or SERVER_DAMAGED with one line for people in message.
 * Owns: on success the caller ends it with server_destroy. settings is copied; what it points to is
 *   borrowed until then.
 */
int server_create(const struct server_settings *settings, struct server **ret_server, char *message,
                  size_t cap);

/** Calls fn for each listener with its URL, the real port in it. */
void server_each_url(const struct server *server, void (*fn)(const char *url, void *user),
                     void *user);

/** The path of the operator's socket. */
const char *server_ctl_path(const struct server *server);

/** Serves. Returns: 0 after an end in good order; -1 when a thread or the loop failed. */
int server_run(struct server *server);

/** Ends server_run as SIGTERM does. Threads: any. */
void server_stop(struct server *server);

/** NULL is accepted. */
void server_destroy(struct server *server);

#endif
