/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "core/limit.h"
#include "service/server_internal.h"

/*
 * A loop's thread: its shard, its listeners, and its part of the end, which goes
 *   quiet (listeners close) -> the hub drains -> drain (everybody is told) -> empty, or the
 * deadline each step posted by the control loop, so that it comes behind every batch posted before.
 */

#define DRAIN_POLL_NS (10 * 1000000ll)
/* How long peers have to hang up by themselves once they have got all that was written. */
#define DRAIN_GRACE_NS (250 * 1000000ll)
#define SNIFF_WAIT_MS  300u

static void fill_front_settings(const struct config *config, struct front_settings *ret)
{
    *ret = (struct front_settings){
        .server_name = config->name,
        .network = config->network,
        .description = config->description,
        .lobby = config->lobby,
        .motd = config->motd,
        .line_max_bytes = config->limits.line,
        .nick_max = config->limits.nick,
        .room_max = config->limits.channel,
        .topic_max = server_limit(config->limits.topic, CONFIG_TEXT_CEILING),
        .kick_max = server_limit(config->limits.kick, CONFIG_TEXT_CEILING),
        .away_max = server_limit(config->limits.away, CONFIG_TEXT_CEILING),
        .rooms_per_member = config->limits.channels,
        .monitor_max = config->limits.monitor,
        .multiline_bytes =
            server_limit(config->limits.multiline_bytes, CONFIG_MULTILINE_CEILING_BYTES),
        .multiline_lines =
            server_limit(config->limits.multiline_lines, CONFIG_MULTILINE_CEILING_LINES),
        .history_enabled = config->history.enabled,
        .chathistory_max = server_limit(config->limits.history, CONFIG_CHATHISTORY_CEILING),
        .persist_tags = config->history.persist_tags,
        .persist_tag_list = config->history.persist_tag_list,
        .asks_password = config->password != NULL,
        .ping_s = config->limits.ping,
        .pong_s = config->limits.pong,
        .registration_s = config->limits.registration,
        .history_default = RECENT_DEFAULT,
        .history_max = config->history.max,
        .announce_max = config->limits.announce,
        .flood_burst = config->limits.flood.rate > 0 ? config->limits.flood.burst : 0,
        .flood_rate = config->limits.flood.rate,
        .sniff_wait_ms = SNIFF_WAIT_MS,
        .stream =
            {
                .output_max_bytes = config->limits.sendq,
                .write_timeout_ms = config->limits.write_timeout * 1000,
                .read_timeout_ms = config->limits.idle_timeout * 1000,
                .finish_timeout_ms = SESSION_FINISH_MAX_MS,
                .cut_timeout_ms = SESSION_CUT_MAX_MS,
            },
    };
    if (ret->history_default > ret->history_max) {
        ret->history_default = ret->history_max;
    }
}

/* ---- what the shard needs ---- */

static void env_submit(struct command *first, struct command *last, unsigned count, void *user)
{
    struct worker *worker = user;
    hub_thread_submit(worker->server->hub, first, last, count);
}

static bool env_is_backlogged(void *user)
{
    struct worker *worker = user;
    /* At the end nothing more is heard, so that the hub comes to an end with what was said. */
    return atomic_load_explicit(&worker->server->deaf, memory_order_relaxed) ||
           hub_thread_is_backlogged(worker->server->hub);
}

static bool env_ask(struct query *query, struct shard *shard, void *user)
{
    struct worker *worker = user;
    return reader_thread_ask(worker->server->reader, query, shard);
}

static bool env_check_password(struct password_query *query, struct shard *shard, void *user)
{
    struct worker *worker = user;
    return password_thread_ask(worker->server->passwords, query, shard);
}

_Static_assert(CLOAK_MAX <= SHARD_CLOAK_MAX, "what fronts give must be enough");

static void env_cloak(const struct party_address *peer, char *ret, size_t cap, void *user)
{
    struct worker *worker = user;
    struct server *server = worker->server;
    if (atomic_load_explicit(&server->cloaks, memory_order_relaxed)) {
        cloak_format(server->cloak_key, peer, ret, cap);
    } else {
        cloak_format_bare(peer, ret, cap);
    }
}

static unsigned env_unregistered(void *user)
{
    const struct worker *worker = user;
    const struct server *server = worker->server;
    unsigned count = 0;
    for (unsigned i = 0; i < server->worker_count; i++) {
        count += shard_unregistered(server->workers[i].shard);
    }
    return count;
}

static void env_released(const struct party_address *peer, void *user)
{
    struct worker *worker = user;
    guard_release(worker->server->guard, peer);
}

static bool env_operate(const char *word, char *ret_text, size_t cap, void *user)
{
    struct worker *worker = user;
    return server_operate(word, ret_text, cap, worker->server);
}

static bool env_is_logged(enum party_log_level level, void *user)
{
    struct worker *worker = user;
    return logger_is_on(worker->server->logger, level);
}

static void env_log(enum party_log_level level, uint64_t connection, const char *text, void *user)
{
    struct worker *worker = user;
    logger_write(worker->server->logger, level, connection, "%s", text);
}

/* ---- accepting ---- */

static void refuse(struct worker *worker, int fd, const struct party_address *peer,
                   enum shard_entry entry, const char *why)
{
    char text[PARTY_ADDRESS_TEXT_MAX], line[128];
    int len = entry == ENTRY_IRC ? snprintf(line, sizeof(line), "ERROR :Not now: %s\r\n", why)
                                 : snprintf(line, sizeof(line), "*** Not now: %s.\n", why);
    /* A fresh socket's buffer takes a line; if not, the peer still learns from the end. */
    (void)send(fd, line, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)close(fd);
    logger_write(worker->server->logger, PARTY_LOG_INFO, 0, "%s: refused, %s",
                 party_address_format(peer, text, sizeof(text)), why);
}

static const char *verdict_text(enum guard_verdict verdict)
{
    switch (verdict) {
    case GUARD_TOO_MANY:
        return "too many connections from your address";
    case GUARD_TOO_FAST:
        return "your address connects too often, try again in a minute";
    default:
        return "the server is full";
    }
}

static void on_accept(struct party_listener *listener, int fd, const struct party_address *peer,
                      void *user)
{
    (void)listener;
    struct server_listener *entry = user;
    struct worker *worker = entry->worker;
    if (entry->entry != ENTRY_CTL) {
        enum guard_verdict verdict =
            guard_admit(worker->server->guard, peer, party_loop_now_ns(worker->loop));
        if (verdict != GUARD_OK) {
            refuse(worker, fd, peer, entry->entry, verdict_text(verdict));
            return;
        }
    }
    shard_accept(worker->shard, fd, peer, entry->entry);
}

int worker_add_listener(struct worker *worker, int fd, enum shard_entry entry)
{
    size_t n = worker->listener_count;
    struct server_listener *slot = &worker->listeners[n];
    slot->worker = worker;
    slot->entry = entry;
    int r = party_listener_create(worker->loop, fd, on_accept, slot, &slot->listener);
    if (r == 0) {
        worker->listener_count++;
    }
    return r;
}

/* ---- steps of the control loop ---- */

static void take_settings(struct party_task *task, void *user)
{
    (void)task;
    struct worker *worker = user;
    struct front_settings settings;
    atomic_store(&worker->settings_posted, false);
    (void)pthread_mutex_lock(&worker->server->config_lock);
    fill_front_settings(&worker->server->config, &settings);
    settings.version = PARTYLINE_VERSION;
    settings.started = worker->server->started;
    shard_set_settings(worker->shard, &settings);
    (void)pthread_mutex_unlock(&worker->server->config_lock);
}

void worker_post_settings(struct worker *worker)
{
    if (!atomic_exchange(&worker->settings_posted, true)) {
        party_loop_post(worker->loop, &worker->settings_task);
    }
}

static void quiet(struct party_task *task, void *user)
{
    (void)task;
    struct worker *worker = user;
    for (size_t i = 0; i < worker->listener_count; i++) {
        party_listener_close(worker->listeners[i].listener);
    }
    worker->listener_count = 0;
}

static void on_poll(struct party_timer *timer, void *user)
{
    struct worker *worker = user;
    int64_t now_ns = party_loop_now_ns(worker->loop);
    bool late =
        now_ns >= worker->drain_until_ns ||
        (now_ns >= worker->drain_since_ns + DRAIN_GRACE_NS && shard_is_flushed(worker->shard));
    if (late) {
        shard_close_all(worker->shard);
    }
    if (late || shard_connections(worker->shard) == 0 ||
        party_timer_start(worker->loop, timer, DRAIN_POLL_NS, on_poll, worker) < 0) {
        party_loop_stop(worker->loop);
    }
}

static void drain(struct party_task *task, void *user)
{
    (void)task;
    struct worker *worker = user;
    shard_drain(worker->shard, "it was told to stop");
    worker->drain_since_ns = party_loop_now_ns(worker->loop);
    worker->drain_until_ns = worker->drain_since_ns + (SESSION_FINISH_MAX_MS + 500) * 1000000ll;
    if (party_timer_start(worker->loop, &worker->poll, 0, on_poll, worker) < 0) {
        party_loop_stop(worker->loop);
    }
}

static void cut(struct party_task *task, void *user)
{
    (void)task;
    struct worker *worker = user;
    shard_close_all(worker->shard);
    party_loop_stop(worker->loop);
}

/* ---- the thread ---- */

int worker_init(struct server *server, struct worker *worker, unsigned index)
{
    struct party_loop_settings settings = {.log = logger_hook, .log_user = server->logger};
    struct shard_env env = {
        .submit = env_submit,
        .is_backlogged = env_is_backlogged,
        .ask = env_ask,
        .check_password = env_check_password,
        .cloak = env_cloak,
        .unregistered = env_unregistered,
        .released = env_released,
        .operate = env_operate,
        .is_logged = env_is_logged,
        .log = env_log,
        .user = worker,
    };
    struct front_settings front;
    worker->server = server;
    /* Where the first one had to fall back, and said so, the others need not try. */
    settings.backend = index == 0 ? config_backend_name(server->config.backend)
                                  : party_loop_backend(server->workers[0].loop);
    int r = party_loop_create(&settings, &worker->loop);
    if (r < 0) {
        return r;
    }
    fill_front_settings(&server->config, &front);
    front.version = PARTYLINE_VERSION;
    front.started = server->started;
    worker->shard = shard_create(worker->loop, index, server->worker_count, &front, &env);
    party_task_init(&worker->settings_task, take_settings, worker);
    party_task_init(&worker->quiet_task, quiet, worker);
    party_task_init(&worker->drain_task, drain, worker);
    party_task_init(&worker->cut_task, cut, worker);
    return 0;
}

static void *run(void *user)
{
    struct worker *worker = user;
    struct server *server = worker->server;
    int r = party_loop_run(worker->loop);
    if (r < 0) {
        logger_write(server->logger, PARTY_LOG_ERROR, 0, "a loop failed: %s", party_strerror(r));
    }
    if (atomic_fetch_sub(&server->workers_left, 1) == 1) {
        party_loop_post(server->control, &server->workers_done_task);
    }
    return NULL;
}

int worker_start(struct worker *worker)
{
    int r = pthread_create(&worker->thread, NULL, run, worker);
    if (r == 0) {
        char name[16];
        worker->started = true;
        (void)snprintf(name, sizeof(name), "loop-%u",
                       (unsigned)(worker - worker->server->workers) % 1000);
        (void)pthread_setname_np(worker->thread, name);
    }
    return -r;
}

void worker_close(struct worker *worker)
{
    if (!worker->loop) {
        return;
    }
    quiet(NULL, worker);
    shard_close_all(worker->shard);
    /*
     * One turn frees the streams, and with them the sessions, and a second hands what they had to
     * tell to the hub, which is still there; worker_finish comes too late for that.
     */
    int r = party_loop_run_once(worker->loop, 0);
    r = r < 0 ? r : party_loop_run_once(worker->loop, 0);
    if (r < 0) {
        logger_write(worker->server->logger, PARTY_LOG_ERROR, 0, "a loop failed: %s",
                     party_strerror(r));
    }
}

void worker_finish(struct worker *worker)
{
    if (!worker->loop) {
        return;
    }
    party_loop_destroy(worker->loop); /* delivers what is posted still, to nobody */
    shard_destroy(worker->shard);
    free(worker->listeners);
    worker->loop = NULL;
}
