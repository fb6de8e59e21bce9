/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_REQUEST_H
#define PARTYLINE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/*
 * What a server (server.h) gives to a handler: one connection, or one packet. A handler is three
 * steps, Python's BaseRequestHandler; with files it is Python's StreamRequestHandler or
 * DatagramRequestHandler, which differ in what rfile and wfile are.
 *
 *     static int handle(struct party_request *request, void *user)
 *     {
 *         char line[200];
 *         while (fgets(line, sizeof line, request->rfile) != NULL) {
 *             fprintf(request->wfile, "you said %s", line);
 *         }
 *         return 0;
 *     }
 *
 *     static const struct party_handler handler = {.handle = handle, .files = true};
 *
 * Threads: a request belongs to the thread that runs it.
 */
struct party_server;
struct party_sock;
struct party_stream;

/* Made by the server; handlers read the fields, and may set rfile, wfile and data. */
struct party_request {
    struct party_server *server;
    /* Stream kinds: the connection, the request's own. Datagram kinds: the server's socket, shared
       with every other request; it waits where a call has to. NULL in the loops model's streams,
       and after party_request_steal_sock. */
    struct party_sock *sock;
    struct party_address
        client_address;    /* of family AF_UNIX without a name where the client has none */
    const uint8_t *packet; /* datagram kinds: what came; else NULL */
    size_t packet_len;     /* bytes */
    /* Handlers with files, else NULL. Stream kinds: read and write the connection. Datagram kinds:
       rfile reads the packet, what is written to wfile is sent to the client at the end. */
    FILE *rfile; /* who closes one of them sets it to NULL */
    FILE *wfile;
    struct party_stream *stream; /* the loops model's streams; else NULL */
    void *user;                  /* party_server_settings.user */
    void *data;                  /* the handler's own; NULL at first */
};

struct party_handler {
    /**
     * Before handle. Returns: 0; a negative code, and then neither handle nor finish is called and
     * handle_error gets the code. NULL: nothing to set up.
     */
    int (*setup)(struct party_request *request, void *user);
    /** The work. Returns: 0, or a negative code for handle_error. NULL: none. */
    int (*handle)(struct party_request *request, void *user);
    /**
     * After handle, also when it failed. Returns: as handle; when both fail, handle_error gets the
     * code of handle. NULL: nothing to clean up.
     */
    int (*finish)(struct party_request *request, void *user);
    /**
     * The loops model's streams: the server drains and will cut the stream at the deadline. Called
     * in the loop's thread, once. NULL: nothing; a stream may go on until then.
     */
    void (*drain)(struct party_request *request, void *user);

    /* Python's StreamRequestHandler; of these, DatagramRequestHandler has files only. */

    bool files;   /* make rfile and wfile before setup, flush and close them after finish; file.h
                     says how they fail */
    int rbufsize; /* bytes rfile reads ahead; 0 and -1 (Python's): libc's size; 1: none */
    int wbufsize; /* bytes wfile gathers; 0 (Python's): each call writes at once; -1: libc's size */
    int64_t timeout_ms;           /* the connection's time-out; 0: none is set */
    bool disable_nagle_algorithm; /* TCP_NODELAY; for a wbufsize that is not 0 */
};

/**
 * Makes a request of a connection, for who replaces get_request with something of his own.
 * Returns: 0; -ENOMEM.
 * Owns: on success the request owns sock, on failure the caller still does. client_address is
 *   copied. The request itself ends where get_request's result ends (server.h).
 */
PARTY_API PARTY_MUST_USE int party_request_create(struct party_server *server,
                                                  struct party_sock *sock,
                                                  const struct party_address *client_address,
                                                  struct party_request **ret_request);

/** The same for a packet, of which it keeps a copy. Returns: 0; -ENOMEM. */
PARTY_API PARTY_MUST_USE int party_request_create_packet(struct party_server *server,
                                                         const void *packet, size_t packet_len,
                                                         const struct party_address *client_address,
                                                         struct party_request **ret_request);

/**
 * Takes the connection out of the request: the server then neither closes it nor cuts it when it
 * drains. For a handler that hands its connection to somebody else. Not together with files.
 * Returns: the socket, which the caller now owns; NULL when the request has none of its own.
 */
PARTY_API PARTY_MUST_USE struct party_sock *party_request_steal_sock(struct party_request *request);

PARTY_END_DECLS
#endif
