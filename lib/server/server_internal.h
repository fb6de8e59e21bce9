/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SERVER_SERVER_INTERNAL_H
#define PARTYLINE_SERVER_SERVER_INTERNAL_H

/*
 * The server as its own files see it: server.c (life, serving), server_ops.c (default steps),
 * server_wait.c (sleeping and waking), request.c, server_drain.c, and a file or two per model.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/server.h>
#include <partyline/sock.h>

struct party__children;
struct party__loops;
struct party__pool;
struct party__server_loop;

/* A request as the server sees it. The public part comes first: a pointer to one is a pointer to
   the other. */
struct party__request {
    struct party_request pub;
    /* Under the server's lock: */
    struct party__request *prev; /* in server->active */
    struct party__request *next;
    bool is_listed;
    int fd;           /* what drain may shut down; -1: nothing, or not any more */
    bool running;     /* runner stands in finish_request, or in a step after it */
    pthread_t runner; /* valid while running */
    /* The processes model's: */
    bool is_handed_over; /* to a child, with which it ends */
    /* The threads model's: */
    struct party__request *queue_next;
    /* The loops model's: */
    struct party__server_loop *place;
    struct party__request *place_prev; /* in place->streams */
    struct party__request *place_next;
    bool is_set_up; /* the handler knows it */
    /* request_files.c's: */
    char *rbuffer; /* NULL: libc's, or none */
    char *wbuffer;
    char *answer; /* what was written to a packet's wfile */
    size_t answer_len;
    /* get_packet's: */
    uint8_t bytes[]; /* the packet */
};

static inline struct party__request *party__request_of(struct party_request *request)
{
    return (struct party__request *)(void *)request;
}

/* What makes one model different from another. Each may be NULL. */
struct party__server_model {
    /** Makes what the model needs. Returns: 0 or a negative code. */
    int (*open)(struct party_server *server);
    /** The default of server_activate, for streams. NULL: listens. */
    int (*activate)(struct party_server *server);
    /** Serves until told to stop, in place of server.c's waiting and taking. */
    int (*serve)(struct party_server *server);
    /** The default of process_request. */
    int (*process_request)(struct party_server *server, struct party_request *request);
    /** Whether one more request can be taken; if not, the wake-up fd tells when. */
    bool (*has_room)(struct party_server *server);
    /** A descriptor that is readable when attend has something to do; -1: none. */
    int (*attention_fd)(const struct party_server *server);
    /** Attends to what ended: reaps children. */
    void (*attend)(struct party_server *server);
    /** After how long attend is to be called though nothing happened; PARTY__NEVER_NS: never. */
    int64_t (*patience_ns)(const struct party_server *server);
    /** Whether the calling thread serves beside serving_thread. */
    bool (*is_serving_thread)(const struct party_server *server);
    /** For a model whose requests need serving to go on while they are waited for: stops accepting,
        tells them. */
    void (*begin_drain)(struct party_server *server);
    /** Waits for what is not in the list of requests. Returns: whether all ended in time. */
    bool (*await_children)(struct party_server *server, int64_t deadline_ns);
    /** Cuts what the descriptors of requests do not reach, and may add to drained who that is. */
    void (*cut)(struct party_server *server, struct party_server_drained *drained);
    /** Ends the model's threads or children, waits for them when asked to. */
    void (*close)(struct party_server *server, bool wait);
    /** How many of those who were cut close did not wait for. NULL: none of them. */
    size_t (*count_stuck)(const struct party_server *server);
    /** Frees what open made. Accepts half of it. */
    void (*release)(struct party_server *server);
};

extern const struct party__server_model party__server_loops;
extern const struct party__server_model party__server_serial;
extern const struct party__server_model party__server_threads;
extern const struct party__server_model party__server_processes;

struct party_server {
    struct party_server_settings settings; /* with the defaults filled in */
    const struct party__server_model *model;
    struct party_sock *sock; /* NULL once closed */
    struct party_address address;
    int64_t timeout_ms;  /* handle_request's; -1: none */
    int64_t backoff_ns;  /* the serving thread's: 0: not backing off */
    int64_t retry_at_ns; /* not before this is accepted again, while backoff_ns is not 0 */
    /*
     * Readable while a stop is asked for. It is the kernel's, so that a handler in a child can stop
     * its parent, and a write to it all a signal handler has to do.
     */
    int stop_fd;
    int wake_fd;          /* eventfd: a model has room again */
    atomic_bool stopping; /* for handlers that ask; stop_fd is what counts */
    bool is_child;        /* this is the copy in a child process */
    struct party__pool *pool;
    struct party__children *children;
    struct party__loops *loops;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* serving ended, a request ended; CLOCK_MONOTONIC */
    /* Under the lock: */
    size_t references; /* the owner, each request, each thread of the pool */
    uint64_t turn;     /* how often somebody began to serve */
    bool serving;
    bool closed;
    bool draining;
    bool left_behind;              /* drain gave up on handlers that still run */
    bool close_is_left;            /* to the serving thread, on which drain gave up */
    pthread_t serving_thread;      /* valid while serving */
    struct party__request *active; /* all requests there are */
    size_t active_count;
    uint64_t ended_count; /* requests that are no more */
};

/* ---- server.c ---- */

/** Makes the lock and its condition, whatever was there before. */
void party__server_init_lock(struct party_server *server);
void party__server_unref(struct party_server *server);
/** The rest of closing, by who has set server->closed. */
void party__server_close_rest(struct party_server *server, bool wait);
/** Whether the calling thread is one of those that serve. With the lock held. */
bool party__server_is_serving_thread(const struct party_server *server);
/** Whether the calling thread runs a request of the server. With the lock held. */
bool party__server_is_runner(const struct party_server *server);
/** One line through the log hook: "WHAT CLIENT: CAUSE". */
void party__server_log(const struct party_server *server, enum party_log_level level,
                       const char *what, const struct party_address *client, const char *cause);

/* ---- server_ops.c ---- */

/* Call the step or its default. */
int party__step_server_bind(struct party_server *server);
int party__step_server_activate(struct party_server *server);
int party__step_get_request(struct party_server *server, struct party_request **ret_request);
bool party__step_verify_request(struct party_server *server, struct party_request *request);
int party__step_process_request(struct party_server *server, struct party_request *request);
int party__step_finish_request(struct party_server *server, struct party_request *request);
void party__step_service_actions(struct party_server *server);
void party__step_handle_timeout(struct party_server *server);
void party__step_handle_error(struct party_server *server, struct party_request *request,
                              int error);

/** process_request of models that run the handler in the calling thread. */
int party__process_here(struct party_server *server, struct party_request *request);
/** Python's _handle_request_noblock. Returns: 0; what get_request returned. */
int party__server_take_request(struct party_server *server);

/* ---- server_wait.c ---- */

enum party__wake {
    PARTY__WAKE_OTHER,   /* there may be room again, or service_actions is due */
    PARTY__WAKE_REQUEST, /* a request may be got */
    PARTY__WAKE_STOP,
    PARTY__WAKE_TIMEOUT,
};

/** Waits until deadline_ns at most. Returns: an enum party__wake; -errno of poll(2). */
int party__server_wait(struct party_server *server, int64_t deadline_ns);
/** Whether get_request, which failed with error, would fail at once when tried again. */
bool party__server_would_spin(int error);
/** Pauses accepting when get_request failed with error and would again; 0: it did not fail. */
void party__server_back_off(struct party_server *server, int error);
/** Takes the wish to stop back, when serving ended by it. */
void party__server_forget_stop(struct party_server *server);
/** Wakes the serving thread. */
void party__server_wake(struct party_server *server);

/* ---- server_threads.c ---- */

/** pthread_create with signals from outside blocked. Returns: 0 or a negative code. */
int party__thread_create(pthread_t *ret_thread, bool detached, void *(*run)(void *user),
                         void *user);

/* ---- server_drain.c ---- */

/** From here on the kernel refuses who connects, as far as the socket is the server's own. */
void party__server_refuse(struct party_server *server);
void party__drained_add(struct party_server_drained *drained, const struct party_address *client);

/* ---- request.c ---- */

/** Makes one that nobody else sees yet. Returns: 0; -ENOMEM. */
int party__request_new(struct party_server *server, size_t packet_cap,
                       struct party__request **ret_request);
/** Puts it into the server's list, once its client's address stands in it. fd: what drain may shut
 * down; -1: nothing. */
void party__request_publish(struct party__request *request, int fd);
void party__request_free(struct party__request *request);
/** From here on drain leaves the connection alone: it is about to be closed. */
void party__request_keep_from_cut(struct party__request *request);

/* ---- request_files.c ---- */

/** Makes rfile and wfile. Returns: 0; -ENOMEM, and there are none. */
int party__request_open_files(const struct party_handler *handler, struct party__request *request);
/** Flushes and closes them; answers a packet. Returns: 0; what sendto(2) said. */
int party__request_finish_files(struct party__request *request);
/** Closes them; a packet gets no answer. */
void party__request_close_files(struct party__request *request);

#endif
