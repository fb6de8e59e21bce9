/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_H
#define PARTYLINE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>
#include <partyline/log.h>
#include <partyline/request.h>
#include <partyline/server_ops.h>

PARTY_BEGIN_DECLS

/*
 * Python's socketserver: accepts connections or takes packets, and runs a handler (request.h) for
 * each of them. Names and meaning are Python's; where they differ it is said below.
 *
 *     struct party_server_settings settings = {
 *         .model = PARTY_SERVER_THREADS,
 *         .handler = {.handle = handle, .files = true},
 *     };
 *     int r = party_address_parse("127.0.0.1:60000", &settings.address);
 *     r = party_server_create(&settings, &server);
 *     r = party_server_serve_forever(server);   (until party_server_shutdown in another thread)
 *     party_server_destroy(server);
 *
 * Beside Python: serve_forever sleeps until something happens instead of polling; shutdown may be
 * called from a handler; a server has a bounded number of threads and waits when all are busy; when
 * the process is out of descriptors or memory accepting pauses (10 ms, doubling to 1 s) and says so
 * once through the log hook; the socket's own time-out plays no part in handle_request; a child is
 * waited for by its pid only, never by waitpid(-1).
 *
 * Signals are left alone: no handler is set. The server's own threads block all signals a process
 * gets from outside, so that these arrive in the program's threads as before.
 *
 * Threads: one thread serves (serve_forever or handle_request); shutdown, stop, is_stopping, drain
 * and close may be called from any; what looks at the socket or the address not beside close.
 */

enum party_server_kind {
    PARTY_SERVER_STREAM,   /* Python's TCPServer and UnixStreamServer, as the address says */
    PARTY_SERVER_DATAGRAM, /* Python's UDPServer and UnixDatagramServer */
};

enum party_server_model {
    /* Handlers run in the serving thread, one after the other. */
    PARTY_SERVER_SERIAL,
    /* ThreadingMixIn. Each request runs in a thread of a pool that grows up to max_threads; beyond
       that nothing is accepted until one is free: clients wait in the backlog. */
    PARTY_SERVER_THREADS,
    /* ForkingMixIn. Each request runs in a child process; with max_children running, nothing is
       accepted until one has ended. The child is a copy of the calling thread only: where the
       process has other threads, locks they held at that moment stay held in the child for ever, so
       a handler may use only what those threads do not lock (libc's malloc is safe). What is
       buffered in the parent's FILEs is in the child too: flush before serving. The child ends by
       _exit(2): atexit(3) functions are not called and FILEs other than wfile not flushed. In the
       child of a stream kind party_server_sock gives NULL: it does not listen. When fork(2) or
       pthread_create(3) fails, that request fails (handle_error) and the server goes on. */
    PARTY_SERVER_PROCESSES,
    /* Event loops (loop.h), max_threads of them, the first in the serving thread. Each connection
       is a stream (stream.h) of one of them; the handler must never wait. The steps of a stream are
       settings.stream's, whose user is the struct party_request; the handler's setup is called when
       a stream has been made and finish after its on_close; handle and files are not used.
       Datagram kinds: handle as in the other models, in the loop's thread. get_request,
       process_request and finish_request are not called for streams, shutdown_request and
       close_request only for those that verify_request refuses; handle_request is not for this
       model. */
    PARTY_SERVER_LOOPS,
};

#define PARTY_SERVER_REQUEST_QUEUE_SIZE 5    /* Python's */
#define PARTY_SERVER_LOOPS_QUEUE_SIZE   1024 /* of the loops model, which is for many */
#define PARTY_SERVER_MAX_PACKET_SIZE    8192 /* Python's */
#define PARTY_SERVER_MAX_CHILDREN       40   /* Python's */
#define PARTY_SERVER_MAX_THREADS        1000 /* of a pool */
#define PARTY_SERVER_CUT_MS             1000 /* what is left to who was cut, see drain */

struct party_stream_ops;
struct party_stream_limits;

/* Zeroed, everything but address and handler has Python's default, or the one named. */
struct party_server_settings {
    struct party_address address; /* where to serve: INET, INET6 (port 0: any free), UNIX */
    enum party_server_kind kind;
    enum party_server_model model;
    struct party_handler handler;
    struct party_server_ops ops;
    void *user; /* given to all steps */

    int address_family;          /* 0: the address's; one that differs from it is -EAFNOSUPPORT */
    unsigned request_queue_size; /* the backlog; 0: the default above, of the model */
    bool allow_reuse_address;    /* SO_REUSEADDR; Python's default is false, too */
    bool allow_reuse_port;       /* SO_REUSEPORT */
    size_t max_packet_size;      /* bytes of a packet, the rest is cut off; 0: the default above */
    unsigned max_children;       /* 0: the default above */
    unsigned max_threads;        /* 0: the default above; loops model: one per processor */
    bool daemon_threads;         /* threads are not waited for by close */
    bool no_block_on_close;      /* Python's block_on_close = False: neither threads nor children,
                                    who are then the program's to wait(2) for */
    bool no_bind_and_activate;   /* Python's bind_and_activate=False: call party_server_bind and
                                    party_server_activate before serving */
    int64_t service_interval_ms; /* service_actions at least so often (Python's poll_interval); 0:
                                    only when something happens */
    /* A bound and listening socket to serve on (inherited, or made by party_sock_create_server)
       instead of address; server_bind and server_activate are not called, and its time-out becomes
       what get_request says. NULL: make one. */
    struct party_sock *sock;

    const struct party_stream_ops *stream; /* the loops model's streams; borrowed for ever */
    const struct party_stream_limits *stream_limits; /* NULL: stream.h's; borrowed for ever */
    const char *loop_backend;                        /* loop.h; NULL: the default */

    party_log_fn log; /* NULL: silent. Called from every thread and child that handles requests */
    void *log_user;
};

/**
 * Makes a server: socket, server_bind, server_activate. A unix path that exists is -EADDRINUSE, as
 * in Python; it is not removed at the end.
 * Returns: 0; -EINVAL for a kind or model that does not exist, a negative interval or time-out, a
 *   settings.sock of the other kind, the loops model with streams and without settings.stream or
 *   its on_data, or with a loop_backend that does not exist; -EAFNOSUPPORT when address_family is
 *   not the address's; -errno of socket(2), setsockopt(2), bind(2), listen(2), eventfd(2) or
 *   epoll_create1(2); what a step of the program's returned; -ENOMEM.
 * Owns: settings is copied; what it points to is borrowed for the server's life. On success the
 *   caller owns the server and the server settings.sock, on failure the caller still owns that.
 */
PARTY_API PARTY_MUST_USE int party_server_create(const struct party_server_settings *settings,
                                                 struct party_server **ret_server);

/**
 * Closes (see party_server_close) and frees the server. Not from one of its own handlers or steps,
 * and not while anybody serves, but for a thread that party_server_drain has left behind.
 * Handlers that close does not wait for may go on to use it: the memory goes with the last of them.
 * NULL is accepted.
 */
PARTY_API void party_server_destroy(struct party_server *server);

/** Python's server_address: the real one after server_bind, also where port 0 was asked for. */
PARTY_API const struct party_address *party_server_address(const struct party_server *server);

/**
 * Python's socket attribute, for setsockopt and the like; it stays the server's. NULL once closed.
 * In the loops model each loop listens on a socket of its own at the port, which shares the port
 * with this one (SO_REUSEPORT), unless server_bind was replaced or no_bind_and_activate is set:
 * then all share this one, and the options it has.
 */
PARTY_API struct party_sock *party_server_sock(const struct party_server *server);

/** Python's fileno: the server's socket, to be watched for reading. -1 once closed. */
PARTY_API int party_server_fileno(const struct party_server *server);

/** Python's server_bind and server_activate, for who set no_bind_and_activate. Returns: the step's
 * result; -EBADF when closed. */
PARTY_API PARTY_MUST_USE int party_server_bind(struct party_server *server);
PARTY_API PARTY_MUST_USE int party_server_activate(struct party_server *server);

/**
 * Python's serve_forever: handles requests until party_server_shutdown or party_server_stop; at
 * once when one of them was called first.
 * Returns: 0 when it was told to stop; -EBUSY when a thread serves already, or drains; -EBADF when
 *   closed; -errno of poll(2); loops model: what making a loop, a listener or a thread returned.
 */
PARTY_API PARTY_MUST_USE int party_server_serve_forever(struct party_server *server);

/**
 * Python's handle_request: waits for one request and has it done as the model says; handle_timeout
 * is called when none came in time. Also waits for a free thread or child.
 * Returns: 0, also after a time-out, a stop, and a request that was refused or failed;
 *   -EOPNOTSUPP in the loops model; -EBUSY, -EBADF as above; what get_request returned.
 * Blocks: up to the time-out of party_server_settimeout, and while the handler runs.
 */
PARTY_API PARTY_MUST_USE int party_server_handle_request(struct party_server *server);

/**
 * Python's timeout attribute, for handle_request: milliseconds, -1 waits for ever (the default; in
 * the processes model 300,000 as in Python), 0 never waits. Not while handle_request runs.
 * Returns: 0; -EINVAL for another negative value.
 */
PARTY_API PARTY_MUST_USE int party_server_settimeout(struct party_server *server,
                                                     int64_t timeout_ms);
PARTY_API int64_t party_server_gettimeout(const struct party_server *server);

/**
 * Python's shutdown: ends serve_forever, after the request that the serving thread is busy with,
 * and waits until it has returned. Threads and children go on with their requests; the loops
 * model's streams stand still until somebody serves again.
 * Called in a thread that serves, or in a child process, it does not wait. Threads: any.
 */
PARTY_API void party_server_shutdown(struct party_server *server);

/** As party_server_shutdown, without waiting. Threads: any; safe in a signal handler. */
PARTY_API void party_server_stop(struct party_server *server);

/** Whether shutdown, stop, drain or close was called and nobody serves anew. Threads: any. */
PARTY_API bool party_server_is_stopping(const struct party_server *server);

/**
 * Python's server_close: closes the socket, then waits for the threads (unless daemon_threads) and
 * children, for ever if need be, unless no_block_on_close. A second call does nothing.
 * The loops model's streams are closed with the reason 0.
 * Returns: 0; -EBUSY while a thread serves (shut down first) or drains; -EDEADLK from a handler or
 *   a step of its own in another thread.
 */
PARTY_API int party_server_close(struct party_server *server);

/* What party_server_drain did. */
struct party_server_drained {
    size_t finished; /* requests that were running and ended by themselves */
    size_t cut;      /* requests that were cut at the deadline */
    size_t stuck;    /* those of them whose handler has not returned even so: left behind */
    struct party_address *clients; /* of the cut ones, cut of them; NULL when none, or no memory.
                                      Freed by party_server_drained_finish */
};

/**
 * Stops accepting, waits up to timeout_ms (-1: for ever) for the running requests, cuts the rest,
 * closes the server. To cut is to shut a connection down in both directions, so that its handler
 * reads the end and fails to write; to send a child SIGTERM; to close a stream. Who then does not
 * end within PARTY_SERVER_CUT_MS is killed (SIGKILL) when it is a child, and left behind when it is
 * a thread, or a child that may not be signalled as it has become somebody else: close and destroy
 * no longer wait for it. Streams are told before (party_handler.drain).
 * The loops model's streams are cut at once when nobody serves them, also when that ends meanwhile.
 * Returns: 0; -EDEADLK from a handler, a step or a thread that serves; -EBUSY when another thread
 * drains; -EINVAL for a timeout_ms below -1. ret_drained may be NULL. Blocks: up to timeout_ms and
 * PARTY_SERVER_CUT_MS. Threads: any other.
 */
PARTY_API int party_server_drain(struct party_server *server, int64_t timeout_ms,
                                 struct party_server_drained *ret_drained);

/** Frees what party_server_drain filled in; zeroed or finished it is accepted, and NULL. */
PARTY_API void party_server_drained_finish(struct party_server_drained *drained);

PARTY_END_DECLS
#endif
