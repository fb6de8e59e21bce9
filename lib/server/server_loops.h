/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_SERVER_LOOPS_H
#define PARTYLINE_SERVER_SERVER_LOOPS_H

#include <pthread.h>

#include <partyline/listener.h>
#include <partyline/loop.h>
#include <partyline/stream.h>

#include "server/server_internal.h"

/* The loops model in two files: server_loops.c is what happens in a loop, server_loop_threads.c
   what is around the loops. */

struct party__server_loop {
    struct party_server *server;
    struct party_loop *loop;
    int own_fd; /* a listening socket beside the server's; -1: the server's is used */
    struct party_listener *listener; /* stream kinds, until it stops to accept; else NULL */
    struct party_watch packets;      /* datagram kinds */
    int packets_fd;                  /* what it watches, the place's own; -1: none */
    struct party_timer pause;        /* until packets are watched again */
    int64_t backoff_ns;              /* 0: packets are watched */
    struct party__request *streams;
    struct party_task drain_task;
    struct party_task cut_task;
    bool is_running;   /* under the server's lock: self is valid */
    pthread_t self;    /* as the thread itself knows it */
    pthread_t to_join; /* as its maker knows it */
    int result;        /* of party_loop_run; valid once joined */
};

struct party__loops {
    struct party_stream_ops stream_ops; /* settings.stream with on_close replaced */
    struct party_watch stop;            /* of stop_fd, by the first loop */
    bool stopped;                       /* the first loop's thread: stop_fd was seen */
    /* Under the server's lock: */
    bool is_open; /* all loops are made */
    size_t count; /* loops that were made */
    size_t wanted;
    struct party__server_loop places[];
};

/** Starts to accept, or to take packets. Owns: on success fd, a duplicate of the server's.
 */
int party__server_loop_begin(struct party__server_loop *place, int fd);
void party__server_loop_stop_accepting(struct party__server_loop *place);
/** Tells the streams' handlers that the server drains. */
void party__server_loop_tell(struct party__server_loop *place);
void party__server_loop_close_streams(struct party__server_loop *place);
void party__server_loop_pause(struct party__server_loop *place, int error);
/** The streams' on_close. */
void party__server_stream_closed(struct party_stream *stream, int reason, void *user);

#endif
