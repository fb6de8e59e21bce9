/* SPDX-License-Identifier: MIT */
#include "service/server.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include <systemd/sd-daemon.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "log/data_dir.h"
#include "service/server_internal.h"

/* Descriptors that are not connections: database, log, sockets, loops. */
#define DESCRIPTORS_APART 64u

static void fill_hub_limits(const struct config *config, struct hub_limits *ret_limits)
{
    *ret_limits = (struct hub_limits){
        .nick_bytes = config->limits.nick,
        .room_bytes = config->limits.channel,
        .text_bytes = config->limits.line,
        .topic_bytes = server_limit(config->limits.topic, CONFIG_TEXT_CEILING),
        .reason_bytes = server_limit(config->limits.kick, CONFIG_TEXT_CEILING),
        .away_bytes = server_limit(config->limits.away, CONFIG_TEXT_CEILING),
        .rooms = config->limits.rooms,
        .rooms_per_member = server_limit(config->limits.channels, UINT32_MAX),
        .monitor = server_limit(config->limits.monitor, UINT32_MAX),
        .whowas = server_limit(config->limits.whowas, CONFIG_WHOWAS_CEILING),
        .multiline_bytes =
            server_limit(config->limits.multiline_bytes, CONFIG_MULTILINE_CEILING_BYTES),
        .multiline_lines =
            server_limit(config->limits.multiline_lines, CONFIG_MULTILINE_CEILING_LINES),
        .recent = config->history.on_join > 0 ? config->history.on_join : UINT32_MAX,
    };
}

/* ---- making it ---- */

/* As many descriptors as the system lets us have, and room for what is no connection. */
static uint32_t raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        return 0;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur > UINT32_MAX) {
        return 0;
    }
    return limit.rlim_cur > 2 * DESCRIPTORS_APART ? (uint32_t)limit.rlim_cur - DESCRIPTORS_APART
                                                  : (uint32_t)limit.rlim_cur / 2;
}

static void guard_values(const struct config *config, struct guard_settings *ret)
{
    uint32_t most = raise_descriptor_limit();
    uint32_t total = config->limits.connections;
    *ret = (struct guard_settings){
        .per_address = config->limits.connections_per_address,
        .password_tries = config->limits.password_tries,
        .rate_per_minute = config->limits.connection_rate,
        .total = total == 0 || (most > 0 && total > most) ? most : total,
    };
}

static struct hub *make_hub(const struct config *config)
{
    struct hub_settings settings = {.lobby = config->lobby, .server_name = config->name};
    fill_hub_limits(config, &settings.limits);
    /* Without a seed names could be chosen that collide; 0 would still be right, only slower. */
    if (getrandom(&settings.hash_seed, sizeof(settings.hash_seed), 0) == -1) {
        settings.hash_seed = 0;
    }
    if (getrandom(&settings.identity_seed, sizeof(settings.identity_seed), 0) == -1) {
        /* At least other than with the last start, whose private messages are not for this one's.
         */
        settings.identity_seed = (uint64_t)time(NULL) << 20 | (uint64_t)getpid();
    }
    return hub_create(&settings);
}

static int open_data(struct server *server, char *ret_dir, char *message, size_t cap)
{
    struct log *log;
    struct reader *reader;
    int r = config_data_dir(&server->config, ret_dir, PATH_MAX);
    if (r < 0) {
        (void)snprintf(message, cap, "no directory for the data: %s; name one with --data",
                       r == -ENOENT ? "there is no home directory" : party_strerror(r));
        return -1;
    }
    /* A fresh home has no ~/.local/state; XDG wants it made. */
    r = server->config.data ? 0 : data_dir_make_parents(ret_dir);
    if (r < 0) {
        (void)snprintf(message, cap, "cannot make the directories above %s: %s", ret_dir,
                       party_strerror(r));
        return -1;
    }
    enum log_fault fault = log_open(ret_dir, &log, message, cap);
    if (fault != LOG_OK) {
        return fault == LOG_DAMAGED || fault == LOG_NEWER ? SERVER_DAMAGED : -1;
    }
    if (cloak_load_key(ret_dir, server->cloak_key, message, cap) < 0) {
        log_close(log);
        return -1;
    }
    struct hub_thread_settings settings = {
        .hub = make_hub(&server->config),
        .log = log,
        .shards = server->shards,
        .shard_count = server->worker_count,
        .recent = server->config.history.on_join,
        .logger = server->logger,
    };
    server->hub = hub_thread_create(&settings);
    if (reader_open(ret_dir, &reader, message, cap) != LOG_OK) {
        return -1;
    }
    r = reader_thread_start(reader, &server->reader);
    if (r < 0) {
        reader_close(reader);
        (void)snprintf(message, cap, "cannot start a thread: %s", party_strerror(r));
        return -1;
    }
    return 0;
}

static void on_stop_signal(struct party_loop *loop, int signo, void *user);
static void on_reload_signal(struct party_loop *loop, int signo, void *user);
static void on_stop_task(struct party_task *task, void *user);
static void on_reload_task(struct party_task *task, void *user);
static void on_workers_done(struct party_task *task, void *user);

static int make_control(struct server *server)
{
    struct party_loop_settings settings = {.log = logger_hook, .log_user = server->logger};
    int r = party_loop_create(&settings, &server->control);
    /* Added before the first thread is made, so that all inherit the blocked signals. */
    r = r < 0 ? r : party_loop_add_signal(server->control, SIGTERM, on_stop_signal, server);
    r = r < 0 ? r : party_loop_add_signal(server->control, SIGINT, on_stop_signal, server);
    r = r < 0 ? r : party_loop_add_signal(server->control, SIGHUP, on_reload_signal, server);
    party_task_init(&server->stop_task, on_stop_task, server);
    party_task_init(&server->reload_task, on_reload_task, server);
    party_task_init(&server->workers_done_task, on_workers_done, server);
    return r;
}

static int make_workers(struct server *server)
{
    server->worker_count = config_loops(&server->config);
    server->workers = xcalloc(server->worker_count, sizeof(*server->workers));
    server->shards = xcalloc(server->worker_count, sizeof(struct shard *));
    for (unsigned i = 0; i < server->worker_count; i++) {
        int r = worker_init(server, &server->workers[i], i);
        if (r < 0) {
            return r;
        }
        server->shards[i] = server->workers[i].shard;
    }
    return 0;
}

/* The configuration in force is the server's own copy, made by reading the file or from nothing. */
static int take_config(struct server *server, char *message, size_t cap)
{
    const struct server_settings *settings = &server->settings;
    if (!settings->config_path) {
        config_default(&server->config);
    } else if (config_load(settings->config_path, &server->config, message, cap) < 0) {
        return -1;
    }
    if (settings->adjust) {
        settings->adjust(&server->config, settings->adjust_user);
    }
    return 0;
}

static void warn(const char *text, void *user)
{
    struct server *server = user;
    logger_write(server->logger, PARTY_LOG_WARNING, 0, "%s", text);
}

int server_create(const struct server_settings *settings, struct server **ret_server, char *message,
                  size_t cap)
{
    struct server *server = xcalloc(1, sizeof(*server));
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm)) {
        (void)strftime(server->started, sizeof(server->started), "%Y-%m-%d %H:%M:%S UTC", &tm);
    }
    char dir[PATH_MAX];
    struct guard_settings guard;
    server->settings = *settings;
    server->logger = settings->logger;
    (void)pthread_mutex_init(&server->config_lock, NULL);
    if (take_config(server, message, cap) < 0) {
        server_destroy(server);
        return -1;
    }
    config_warn(&server->config, warn, server);
    atomic_store(&server->cloaks, server->config.cloak);
    guard_values(&server->config, &guard);
    server->guard = guard_create(&guard);
    int r = make_control(server);
    r = r < 0 ? r : make_workers(server);
    if (r < 0) {
        (void)snprintf(message, cap, "cannot start: %s", party_strerror(r));
        server_destroy(server);
        return -1;
    }
    r = password_thread_start(server->guard, &server->config, &server->passwords);
    if (r < 0) {
        (void)snprintf(message, cap, "cannot start a thread: %s", party_strerror(r));
        server_destroy(server);
        return -1;
    }
    r = open_data(server, dir, message, cap);
    r = r < 0 ? r : server_bind(server, dir, message, cap);
    if (r < 0) {
        server_destroy(server);
        return r;
    }
    *ret_server = server;
    return 0;
}

void server_each_url(const struct server *server, void (*fn)(const char *url, void *user),
                     void *user)
{
    for (size_t i = 0; i < server->url_count; i++) {
        fn(server->urls[i], user);
    }
}

const char *server_ctl_path(const struct server *server)
{
    return server->ctl_path;
}

/* ---- the end ---- */

static void cut_short(struct server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        party_loop_post(server->workers[i].loop, &server->workers[i].cut_task);
    }
}

static void begin_stop(struct server *server)
{
    server->stopping = true;
    (void)sd_notify(0, "STOPPING=1");
    logger_write(server->logger, PARTY_LOG_INFO, 0, "stopping");
    atomic_store(&server->deaf, true);
    server_remove_files(server);
    for (unsigned i = 0; i < server->worker_count; i++) {
        party_loop_post(server->workers[i].loop, &server->workers[i].quiet_task);
    }
    /* What was said before is stored and on its way to the loops before they say goodbye. */
    if (!hub_thread_drain(server->hub, HUB_DRAIN_MAX_MS)) {
        logger_write(server->logger, PARTY_LOG_WARNING, 0,
                     "the disk is slow: goodbye is said before everything is stored");
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        party_loop_post(server->workers[i].loop, &server->workers[i].drain_task);
    }
}

static void on_stop_signal(struct party_loop *loop, int signo, void *user)
{
    (void)loop;
    (void)signo;
    struct server *server = user;
    if (!server->stopping) {
        begin_stop(server);
    } else if (!server->failed) {
        server->failed = true; /* once: the task must not be posted twice */
        cut_short(server);
    }
}

static void on_stop_task(struct party_task *task, void *user)
{
    (void)task;
    struct server *server = user;
    if (!server->stopping) {
        begin_stop(server);
    }
}

void server_stop(struct server *server)
{
    if (!atomic_exchange(&server->stop_posted, true)) {
        party_loop_post(server->control, &server->stop_task);
    }
}

static void on_workers_done(struct party_task *task, void *user)
{
    (void)task;
    struct server *server = user;
    party_loop_stop(server->control);
}

/* ---- reading the configuration again ---- */

static void note_difference(const char *key, bool needs_restart, void *user)
{
    struct server *server = user;
    if (needs_restart) {
        logger_write(server->logger, PARTY_LOG_WARNING, 0,
                     "%s: %s has changed, which needs a restart and is left as it was",
                     server->settings.config_path, key);
    } else {
        logger_write(server->logger, PARTY_LOG_INFO, 0, "%s: %s has changed",
                     server->settings.config_path, key);
    }
}

#define SWAP(a, b)                                                                                 \
    do {                                                                                           \
        __typeof__(a) swap_ = (a);                                                                 \
        (a) = (b);                                                                                 \
        (b) = swap_;                                                                               \
    } while (0)

/* Puts a new configuration in force, but for the keys that need a restart. */
static void adopt(struct server *server, struct config *config)
{
    (void)pthread_mutex_lock(&server->config_lock);
    SWAP(server->config, *config);
    SWAP(server->config.name, config->name);
    SWAP(server->config.lobby, config->lobby);
    SWAP(server->config.data, config->data);
    SWAP(server->config.listen, config->listen);
    SWAP(server->config.listen_count, config->listen_count);
    SWAP(server->config.loops, config->loops);
    SWAP(server->config.backend, config->backend);
    (void)pthread_mutex_unlock(&server->config_lock);
}

static void reload(struct server *server)
{
    struct config config;
    char message[CONFIG_MESSAGE_MAX];
    const char *path = server->settings.config_path;
    if (!path || server->stopping) {
        logger_write(server->logger, PARTY_LOG_INFO, 0,
                     "there is no configuration file to read again");
        return;
    }
    if (config_load(path, &config, message, sizeof(message)) < 0) {
        logger_write(server->logger, PARTY_LOG_ERROR, 0, "%s; nothing is changed", message);
        return;
    }
    if (server->settings.adjust) {
        server->settings.adjust(&config, server->settings.adjust_user);
    }
    size_t changed = config_diff(&server->config, &config, note_difference, server);
    adopt(server, &config);
    config_finish(&config);
    logger_set(server->logger, server->config.log, server->config.log_level);
    config_warn(&server->config, warn, server);
    struct guard_settings guard;
    struct hub_limits limits;
    guard_values(&server->config, &guard);
    guard_set_settings(server->guard, &guard);
    fill_hub_limits(&server->config, &limits);
    atomic_store(&server->cloaks, server->config.cloak);
    password_thread_set(server->passwords, &server->config);
    hub_thread_set_limits(server->hub, &limits, server->config.history.on_join);
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_post_settings(&server->workers[i]);
    }
    logger_write(server->logger, PARTY_LOG_INFO, 0, "%s was read again: %zu key%s changed", path,
                 changed, changed == 1 ? "" : "s");
}

static void on_reload_signal(struct party_loop *loop, int signo, void *user)
{
    (void)loop;
    (void)signo;
    reload(user);
}

static void on_reload_task(struct party_task *task, void *user)
{
    (void)task;
    struct server *server = user;
    atomic_store(&server->reload_posted, false);
    reload(server);
}

/* ---- serving ---- */

int server_run(struct server *server)
{
    int r = hub_thread_start(server->hub);
    atomic_store(&server->workers_left, server->worker_count);
    for (unsigned i = 0; r == 0 && i < server->worker_count; i++) {
        r = worker_start(&server->workers[i]);
    }
    if (r < 0) {
        logger_write(server->logger, PARTY_LOG_ERROR, 0, "cannot start a thread: %s",
                     party_strerror(r));
        cut_short(server);
    } else {
        (void)sd_notify(0, "READY=1");
        r = party_loop_run(server->control);
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        if (server->workers[i].started) {
            (void)pthread_join(server->workers[i].thread, NULL);
        }
    }
    return r < 0 ? -1 : 0;
}

void server_destroy(struct server *server)
{
    if (!server) {
        return;
    }
    server_remove_files(server);
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_close(&server->workers[i]);
    }
    reader_thread_destroy(server->reader);
    password_thread_destroy(server->passwords);
    hub_thread_destroy(server->hub);
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_finish(&server->workers[i]);
    }
    party_loop_destroy(server->control);
    guard_destroy(server->guard);
    for (size_t i = 0; i < server->url_count; i++) {
        free(server->urls[i]);
    }
    free(server->urls);
    free(server->workers);
    free(server->shards);
    config_finish(&server->config);
    explicit_bzero(server->cloak_key, sizeof(server->cloak_key));
    (void)pthread_mutex_destroy(&server->config_lock);
    free(server);
}
