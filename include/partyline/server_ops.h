/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_OPS_H
#define PARTYLINE_SERVER_OPS_H

#include <stdbool.h>

#include <partyline/api.h>

PARTY_BEGIN_DECLS

/*
 * The steps of a server (server.h) that a program may replace, by Python's names.
 *
 *     static bool verify_request(struct party_server *server, struct party_request *request,
 *                                void *user)
 *     {
 *         return is_welcome(&request->client_address);
 *     }
 *
 *     settings.ops.verify_request = verify_request;
 *
 * Threads: steps are called in the thread that serves, but for finish_request, shutdown_request,
 * close_request and handle_error, which are called where the request runs.
 */
struct party_request;
struct party_server;

/*
 * Python's overridable methods. Each may be NULL: the default, which can also be called by who
 * replaces it (party_server_default_...). Codes: 0, or negative for a failure.
 */
struct party_server_ops {
    /** Gives the socket its address. Default: sets the reuse options, binds. */
    int (*server_bind)(struct party_server *server, void *user);
    /** Makes the socket ready. Default: listens, with request_queue_size; datagrams: nothing. */
    int (*server_activate)(struct party_server *server, void *user);
    /**
     * Takes the next connection or packet. It must not wait, as what was ready may be gone: the
     * socket of streams has a time-out of 0, that of datagrams is to be read with MSG_DONTWAIT. A
     * failure is the end of this try only.
     */
    int (*get_request)(struct party_server *server, struct party_request **ret_request, void *user);
    /** Whether to go on with the request; if not, it ends with shutdown_request. Default: yes. */
    bool (*verify_request)(struct party_server *server, struct party_request *request, void *user);
    /**
     * Has the request done. Returns 0 when it has taken the request over: the request then ends by
     * party_server_shutdown_request, party_server_close_request or
     * party_server_process_request_thread, here or later in any thread. On failure the server calls
     * handle_error and ends the request. Default: as the model says.
     */
    int (*process_request)(struct party_server *server, struct party_request *request, void *user);
    /** Runs the handler. Default: files, setup, handle, finish, as request.h says. */
    int (*finish_request)(struct party_server *server, struct party_request *request, void *user);
    /**
     * Ends the request in good order. A drain does not cut this: what may wait here should have a
     * time-out. Default: shuts the connection's sending side, then close_request.
     */
    void (*shutdown_request)(struct party_server *server, struct party_request *request,
                             void *user);
    /** Lets go of the request. Default: closes the connection; nothing for a packet. */
    void (*close_request)(struct party_server *server, struct party_request *request, void *user);
    /** Called in each turn of serve_forever, after a request and after a wake-up. Default: nothing.
     */
    void (*service_actions)(struct party_server *server, void *user);
    /** Nothing came within handle_request's time-out. Default: nothing. */
    void (*handle_timeout)(struct party_server *server, void *user);
    /**
     * Processing the request failed with error, a negative code. Called in the thread or process
     * that ran it. Default: says it through the log hook, with the client's address and the cause.
     */
    void (*handle_error)(struct party_server *server, struct party_request *request, int error,
                         void *user);
};

/*
 * The defaults, for who replaces a step and wants it done, too. They are Python's super().step().
 */
PARTY_API PARTY_MUST_USE int party_server_default_server_bind(struct party_server *server);
PARTY_API PARTY_MUST_USE int party_server_default_server_activate(struct party_server *server);
PARTY_API PARTY_MUST_USE int party_server_default_get_request(struct party_server *server,
                                                              struct party_request **ret_request);
PARTY_API PARTY_MUST_USE int party_server_default_process_request(struct party_server *server,
                                                                  struct party_request *request);
PARTY_API PARTY_MUST_USE int party_server_default_finish_request(struct party_server *server,
                                                                 struct party_request *request);
PARTY_API void party_server_default_shutdown_request(struct party_server *server,
                                                     struct party_request *request);
PARTY_API void party_server_default_close_request(struct party_server *server,
                                                  struct party_request *request);
PARTY_API void party_server_default_handle_error(struct party_server *server,
                                                 struct party_request *request, int error);

/*
 * For a process_request of one's own. Each of these ends the request and frees it; the request is
 * not to be used after it.
 */

/**
 * Python's process_request_thread: finish_request, handle_error when that failed, then
 * shutdown_request. Blocks: while the handler runs. Threads: any.
 */
PARTY_API void party_server_process_request_thread(struct party_server *server,
                                                   struct party_request *request);
/** Calls the step shutdown_request, frees the request. Threads: any. */
PARTY_API void party_server_shutdown_request(struct party_server *server,
                                             struct party_request *request);
/** Calls the step close_request, frees the request: for a parent whose child has it. Threads: any.
 */
PARTY_API void party_server_close_request(struct party_server *server,
                                          struct party_request *request);

PARTY_END_DECLS
#endif
