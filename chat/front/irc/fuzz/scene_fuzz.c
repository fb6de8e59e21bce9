/* SPDX-License-Identifier: MIT */
#include "scene.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"
#include "scene_log.h"
#include "test_loop.h"

/* ---- the hub's side ---- */

/* Applies a chain as one batch. Returns: the events. */
static struct event_list apply_all(struct scene *scene, const struct command *first)
{
    struct event_list events = {0};
    uint64_t number = scene->number;
    hub_begin(scene->hub);
    for (const struct command *command = first; command; command = command->next) {
        number += hub_apply(scene->hub, command, scene->time_ms, number, &events);
    }
    return events;
}

static void keep(struct scene *scene, const struct event_list *events)
{
    for (size_t i = 0; i < events->count; i++) {
        if (events->items[i]->durable) {
            fuzz_check(events->items[i]->number == scene->number);
            scene->number++;
            event_list_take(&scene->log, event_ref(events->items[i]));
        }
    }
}

static void apply_chain(struct scene *scene, struct command *first)
{
    struct event_list events = apply_all(scene, first);
    if (scene->fails_once) {
        scene->fails_once = false;
        event_list_clear(&events);
        event_list_finish(&events);
        hub_rollback(scene->hub);
        fuzz_check(hub_check(scene->hub) == NULL);
        hub_set_log_fault(scene->hub, "no room on the disk");
        events = apply_all(scene, first);
        hub_set_log_fault(scene->hub, NULL);
    }
    hub_commit(scene->hub);
    const char *wrong = hub_check(scene->hub);
    if (wrong) {
        (void)fprintf(stderr, "hub_check: %s\n", wrong);
        abort();
    }
    keep(scene, &events);
    while (first) {
        struct command *next = first->next;
        command_destroy(first);
        first = next;
    }
    if (events.count > 0) {
        shard_deliver_later(scene->shard, batch_create(&events, 1));
    }
    event_list_finish(&events);
}

static void submit(struct command *first, struct command *last, unsigned count, void *user)
{
    struct scene *scene = user;
    (void)count;
    if (!scene->holds_commands) {
        apply_chain(scene, first);
    } else if (scene->held_last) {
        scene->held_last->next = first;
        scene->held_last = last;
    } else {
        scene->held_first = first;
        scene->held_last = last;
    }
}

static bool is_backlogged(void *user)
{
    (void)user;
    return false;
}

/* ---- the reader's and the checker's side ---- */

static void answer(struct scene *scene, struct query *query)
{
    scene_log_answer(&scene->log, query);
    shard_answer_later(scene->shard, query);
}

static bool ask(struct query *query, struct shard *shard, void *user)
{
    struct scene *scene = user;
    query->shard = shard;
    if (scene->holds_answers) {
        query->next = scene->held_queries;
        scene->held_queries = query;
    } else {
        answer(scene, query);
    }
    return true;
}

static bool check_password(struct password_query *query, struct shard *shard, void *user)
{
    struct scene *scene = user;
    query->shard = shard;
    query->result = strcmp(query->password, "right") == 0 ? PASSWORD_RIGHT : PASSWORD_WRONG;
    if (scene->holds_answers) {
        query->next = scene->held_passwords;
        scene->held_passwords = query;
    } else {
        shard_password_later(shard, query);
    }
    return true;
}

static void cloak(const struct party_address *peer, char *ret, size_t cap, void *user)
{
    (void)user;
    (void)peer;
    (void)snprintf(ret, cap, "cloaked.example");
}

static void released(const struct party_address *peer, void *user)
{
    struct scene *scene = user;
    (void)peer;
    scene->released++;
}

static unsigned unregistered(void *user)
{
    const struct scene *scene = user;
    return shard_unregistered(scene->shard);
}

static bool operate(const char *word, char *ret_text, size_t cap, void *user)
{
    (void)user;
    (void)snprintf(ret_text, cap, "%s: done\n", word);
    return word[0] != 'r';
}

static bool is_logged(enum party_log_level level, void *user)
{
    (void)level;
    (void)user;
    return false;
}

static void note(enum party_log_level level, uint64_t connection, const char *text, void *user)
{
    (void)level;
    (void)connection;
    (void)text;
    (void)user;
}

/* ---- the scene ---- */

void scene_open(struct scene *scene, const struct front_settings *settings,
                const struct hub_settings *hub)
{
    const struct shard_env env = {
        .submit = submit,
        .is_backlogged = is_backlogged,
        .ask = ask,
        .check_password = check_password,
        .cloak = cloak,
        .released = released,
        .unregistered = unregistered,
        .operate = operate,
        .is_logged = is_logged,
        .log = note,
        .user = scene,
    };
    *scene = (struct scene){
        .settings = *settings, .clock_ns = 1000000000000, .time_ms = 1795177867000, .number = 1};
    fuzz_check(party_loop_create(NULL, &scene->loop) == 0);
    test_loop_use_clock(scene->loop, &scene->clock_ns);
    scene->hub = hub_create(hub);
    scene->shard = shard_create(scene->loop, 0, 1, &scene->settings, &env);
}

int scene_connect(struct scene *scene, enum shard_entry entry)
{
    const struct party_address peer = {.len = sizeof(sa_family_t), .u.sa.sa_family = AF_UNIX};
    int fds[2];
    fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) == 0);
    scene->admitted++;
    shard_accept(scene->shard, fds[0], &peer, entry);
    return fds[1];
}

void scene_settle(struct scene *scene)
{
    for (int turns = 0; !test_loop_is_idle(scene->loop); turns++) {
        fuzz_check(party_loop_run_once(scene->loop, 0) == 0);
        fuzz_check(turns < 10000); /* it comes to rest */
    }
}

void scene_wait_ms(struct scene *scene, int64_t ms)
{
    scene->clock_ns += ms * 1000000;
    scene->time_ms += ms;
    scene_settle(scene);
}

bool scene_is_holding(const struct scene *scene)
{
    return scene->held_first || scene->held_queries || scene->held_passwords;
}

static void release_answers(struct scene *scene)
{
    while (scene->held_queries) {
        struct query *query = scene->held_queries;
        scene->held_queries = query->next;
        query->next = NULL;
        answer(scene, query);
    }
    while (scene->held_passwords) {
        struct password_query *query = scene->held_passwords;
        scene->held_passwords = query->next;
        query->next = NULL;
        shard_password_later(scene->shard, query);
    }
}

void scene_release(struct scene *scene)
{
    scene_settle(scene); /* what is under way is held too, behind the rest */
    scene->holds_commands = false;
    scene->holds_answers = false;
    struct command *first = scene->held_first;
    scene->held_first = NULL;
    scene->held_last = NULL;
    if (first) {
        apply_chain(scene, first);
    }
    release_answers(scene);
    scene_settle(scene);
}

struct event *scene_ask(struct scene *scene, enum command_type type, const char *target)
{
    struct event_list events = {0};
    struct command *command = command_make(&(struct command_parts){
        .type = type,
        .session = UINT64_MAX,
        .authority = AUTHORITY_OPERATOR,
        .target = target,
        .target_len = strlen(target),
    });
    hub_begin(scene->hub);
    (void)hub_apply(scene->hub, command, scene->time_ms, scene->number, &events);
    hub_commit(scene->hub);
    command_destroy(command);
    fuzz_check(events.count == 1);
    struct event *event = event_ref(events.items[0]);
    event_list_finish(&events);
    return event;
}

void scene_close(struct scene *scene)
{
    scene_release(scene);
    shard_close_all(scene->shard);
    scene_settle(scene);
    fuzz_check(shard_connections(scene->shard) == 0 && shard_unregistered(scene->shard) == 0);
    fuzz_check(hub_member_count(scene->hub) == 0);
    fuzz_check(scene->released == scene->admitted);
    party_loop_destroy(scene->loop);
    shard_destroy(scene->shard);
    hub_destroy(scene->hub);
    event_list_finish(&scene->log);
}
