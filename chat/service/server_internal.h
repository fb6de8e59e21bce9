/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_SERVER_INTERNAL_H
#define CHAT_SERVICE_SERVER_INTERNAL_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include <partyline/listener.h>

#include "front/shard.h"
#include "service/cloak.h"
#include "service/guard.h"
#include "service/hub_thread.h"
#include "service/password_thread.h"
#include "service/reader_thread.h"
#include "service/server.h"

#define SERVER_LOOPS_MAX 64u

struct server_listener {
    struct party_listener *listener;
    struct worker *worker;
    enum shard_entry entry;
};

/* The file of a Unix listener, which is this one while device and inode are the same. */
struct server_file {
    char *path;
    dev_t device;
    ino_t inode;
};

/* One loop's thread. */
struct worker {
    struct server *server;
    struct party_loop *loop;
    struct shard *shard;
    pthread_t thread;
    bool started;
    struct server_listener *listeners;
    size_t listener_count;
    struct party_task settings_task; /* a reread configuration */
    _Atomic bool settings_posted;
    struct party_task quiet_task; /* the end: no new connections */
    struct party_task drain_task; /* the end: everybody is told */
    struct party_task cut_task;   /* the end: now */
    struct party_timer poll;
    int64_t drain_until_ns;
    int64_t drain_since_ns;
};

struct server {
    struct server_settings settings;
    struct config config; /* what is in force */
    struct logger *logger;
    struct guard *guard;
    struct hub_thread *hub;
    struct reader_thread *reader;
    struct password_thread *passwords;
    struct party_loop *control;
    struct worker *workers;
    struct shard **shards;
    unsigned worker_count;
    char **urls;
    size_t url_count;
    struct server_file *files; /* those that server_bind made, until server_remove_files */
    size_t file_count;
    char ctl_path[PATH_MAX];
    uint8_t cloak_key[CLOAK_KEY_BYTES];
    _Atomic bool cloaks;         /* whether people see cloaks: config.cloak, for all threads */
    char started[64];            /* when, for people */
    pthread_mutex_t config_lock; /* config, while workers take over new settings */
    struct party_task stop_task, reload_task, workers_done_task;
    _Atomic bool stop_posted, reload_posted;
    _Atomic unsigned workers_left;
    _Atomic bool deaf; /* the end has begun: what peers send is left unread */
    bool stopping, failed;
};

/** A limit of the configuration, where 0 means none, for who needs one: the ceiling then. */
static inline uint32_t server_limit(uint32_t value, uint32_t ceiling)
{
    return value > 0 ? value : ceiling;
}

/* ---- server_bind.c ---- */

/** Binds every listener of the configuration, and the operator's. 0; -1 with a message. */
int server_bind(struct server *server, const char *data_dir, char *message, size_t cap);

/** Removes the files of the Unix listeners, but for those that somebody has bound anew. Before the
 * listeners are closed: an inode that is in use is nobody else's. */
void server_remove_files(struct server *server);

/* ---- server_worker.c ---- */

int worker_init(struct server *server, struct worker *worker, unsigned index);
/** Adds a listening socket to the worker. Owns: fd, on success. */
int worker_add_listener(struct worker *worker, int fd, enum shard_entry entry);
int worker_start(struct worker *worker);
/** Has the worker take over the server's settings. Threads: the control loop's. */
void worker_post_settings(struct worker *worker);
/** Closes its listeners and sessions; the hub's thread may still post to it. */
void worker_close(struct worker *worker);
/** Frees it, after the hub's thread has ended. */
void worker_finish(struct worker *worker);

/* ---- server_operate.c ---- */

bool server_operate(const char *word, char *ret_text, size_t cap, void *user);

#endif
