/* SPDX-License-Identifier: MIT */
#include "front/front_test_util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "test_loop.h"

/* ---- the server around the shard ---- */

static void apply_chain(struct house *house, struct command *first)
{
    struct event_list events = {0};
    hub_begin(house->hub);
    while (first) {
        struct command *next = first->next;
        house->number += hub_apply(house->hub, first, house->time_ms, house->number, &events);
        command_destroy(first);
        first = next;
    }
    hub_commit(house->hub);
    assert_null(hub_check(house->hub));
    for (size_t i = 0; i < events.count; i++) {
        if (events.items[i]->durable) {
            event_list_take(&house->log, event_ref(events.items[i]));
        }
    }
    if (events.count > 0) {
        shard_deliver_later(house->shard, batch_create(&events, 1));
    }
}

static void submit(struct command *first, struct command *last, unsigned count, void *user)
{
    struct house *house = user;
    unsigned counted = 0;
    for (struct command *command = first; command; command = command->next) {
        counted++;
        assert_true(command->next || command == last);
    }
    assert_int_equal(counted, count);
    house->submitted += count;
    if (!house->hold) {
        apply_chain(house, first);
    } else if (house->held_last) {
        house->held_last->next = first;
        house->held_last = last;
    } else {
        house->held_first = first;
        house->held_last = last;
    }
}

void house_apply_held(struct house *house)
{
    struct command *first = house->held_first;
    house->hold = false;
    house->held_first = NULL;
    house->held_last = NULL;
    if (first) {
        apply_chain(house, first);
    }
    house_settle(house);
}

static bool is_backlogged(void *user)
{
    struct house *house = user;
    return house->backlogged;
}

static bool is_found(const struct event *event, const struct history_query *query)
{
    if (event->room_id != query->room_id || event->seq == 0) {
        return false;
    }
    switch (query->kind) {
    case HISTORY_BEFORE:
        return event->seq < query->seq;
    case HISTORY_AFTER:
        return event->seq > query->seq;
    case HISTORY_SINCE:
        return event->time_ms >= query->time_ms;
    case HISTORY_UNTIL:
        return event->time_ms < query->time_ms;
    case HISTORY_SEARCH:
        return strstr(event->text, query->text) != NULL;
    default:
        return true;
    }
}

/* As reader_history, over the list. */
static void look_up(struct house *house, struct query *query)
{
    const struct history_query *history = &query->history;
    bool forward = history->kind == HISTORY_AFTER || history->kind == HISTORY_SINCE;
    struct event_list all = {0};
    for (size_t i = 0; i < house->log.count; i++) {
        if (is_found(house->log.items[i], history)) {
            event_list_take(&all, event_ref(house->log.items[i]));
        }
    }
    query->fault = house->fault;
    query->more = all.count > history->count;
    size_t from = query->more && !forward ? all.count - history->count : 0;
    for (size_t i = from; query->fault == LOG_OK && i < all.count; i++) {
        if (query->found.count < history->count) {
            event_list_take(&query->found, event_ref(all.items[i]));
        }
    }
    event_list_finish(&all);
}

static bool ask(struct query *query, struct shard *shard, void *user)
{
    struct house *house = user;
    if (house->refuse_asks) {
        return false;
    }
    query->shard = shard;
    house->asked++;
    if (house->hold_answers) {
        assert_null(house->held_query);
        house->held_query = query;
        return true;
    }
    look_up(house, query);
    shard_answer_later(shard, query);
    return true;
}

void house_answer_held(struct house *house)
{
    struct query *query = house->held_query;
    assert_non_null(query);
    house->held_query = NULL;
    look_up(house, query);
    shard_answer_later(house->shard, query);
    house_settle(house);
}

/* "right" is right, and "later" is not looked at. */
static bool check_password(struct password_query *query, struct shard *shard, void *user)
{
    struct house *house = user;
    if (house->refuse_asks) {
        return false;
    }
    query->shard = shard;
    house->passwords++;
    if (strcmp(query->password, "later") == 0) {
        query->result = PASSWORD_LATER;
        query->wait_s = 15;
    } else if (strcmp(query->password, "right") == 0) {
        query->result = PASSWORD_RIGHT;
    }
    if (house->hold_answers) {
        assert_null(house->held_password);
        house->held_password = query;
    } else {
        shard_password_later(shard, query);
    }
    return true;
}

void house_answer_password(struct house *house)
{
    assert_non_null(house->held_password);
    shard_password_later(house->shard, house->held_password);
    house->held_password = NULL;
    house_settle(house);
}

static void cloak(const struct party_address *peer, char *ret, size_t cap, void *user)
{
    const struct house *house = user;
    assert_int_equal(party_address_family(peer), AF_UNIX);
    assert_in_range(cap, SHARD_CLOAK_MAX, SIZE_MAX);
    (void)snprintf(ret, cap, "%s", house->cloak ? house->cloak : "unix");
}

static unsigned unregistered(void *user)
{
    const struct house *house = user;
    return shard_unregistered(house->shard);
}

static void released(const struct party_address *peer, void *user)
{
    struct house *house = user;
    assert_int_equal(party_address_family(peer), AF_UNIX);
    house->released++;
}

static bool operate(const char *word, char *ret_text, size_t cap, void *user)
{
    struct house *house = user;
    house->operated++;
    if (strcmp(word, "reload") == 0) {
        (void)snprintf(ret_text, cap, "there is no file");
        return false;
    }
    (void)snprintf(ret_text, cap, "%s one\n%s two\n", word, word);
    return true;
}

static bool is_logged(enum party_log_level level, void *user)
{
    (void)level;
    (void)user;
    return true;
}

static void note(enum party_log_level level, uint64_t connection, const char *text, void *user)
{
    struct house *house = user;
    size_t len = strlen(house->logged);
    (void)connection;
    (void)level;
    (void)snprintf(house->logged + len, sizeof(house->logged) - len, "%s\n", text);
}

/* ---- the house ---- */

struct front_settings house_default_settings(void)
{
    return (struct front_settings){
        .server_name = "server",
        .network = "Testnet",
        .lobby = "lobby",
        .motd = "",
        .line_max_bytes = 200,
        .nick_max = 32,
        .room_max = 50,
        .topic_max = 390,
        .kick_max = 260,
        .away_max = 390,
        .rooms_per_member = 100,
        .monitor_max = 100,
        .multiline_bytes = 4096,
        .multiline_lines = 24,
        .history_enabled = true,
        .chathistory_max = 1000,
        .persist_tags = true,
        .history_default = 5,
        .history_max = 20,
        .sniff_wait_ms = 300,
        .stream = {.write_timeout_ms = 10000},
    };
}

struct house *house_open(const struct front_settings *settings, const struct hub_settings *hub)
{
    const struct hub_settings hub_defaults = {0};
    struct house *house = xcalloc(1, sizeof(*house));
    const struct shard_env env = {
        .submit = submit,
        .is_backlogged = is_backlogged,
        .ask = ask,
        .check_password = check_password,
        .cloak = cloak,
        .unregistered = unregistered,
        .released = released,
        .operate = operate,
        .is_logged = is_logged,
        .log = note,
        .user = house,
    };
    (void)setenv("TZ", "UTC", 1);
    tzset();
    house->settings = settings ? *settings : house_default_settings();
    house->clock_ns = 1000000 * TEST_MS;
    house->time_ms = TEST_TIME_MS;
    house->number = 1;
    assert_int_equal(party_loop_create(NULL, &house->loop), 0);
    test_loop_use_clock(house->loop, &house->clock_ns);
    house->hub = hub_create(hub ? hub : &hub_defaults);
    house->shard = shard_create(house->loop, 0, 1, &house->settings, &env);
    return house;
}

void house_settle(struct house *house)
{
    int turns = 0;
    while (!test_loop_is_idle(house->loop)) {
        assert_int_equal(party_loop_run_once(house->loop, 0), 0);
        assert_true(++turns < 100000);
    }
}

void house_wait_ms(struct house *house, int64_t ms)
{
    house->clock_ns += ms * TEST_MS;
    house_settle(house);
}

void house_close(struct house *house)
{
    house_apply_held(house);
    if (house->held_query) {
        house_answer_held(house);
    }
    if (house->held_password) {
        house_answer_password(house);
    }
    shard_close_all(house->shard);
    house_settle(house);
    assert_int_equal(shard_connections(house->shard), 0);
    assert_int_equal(hub_member_count(house->hub), 0);
    assert_int_equal(house->released, house->admitted);
    party_loop_destroy(house->loop);
    shard_destroy(house->shard);
    hub_destroy(house->hub);
    event_list_finish(&house->log);
    free(house);
}

/* ---- users ---- */

struct user *user_connect(struct house *house, enum shard_entry entry)
{
    struct user *user = xcalloc(1, sizeof(*user));
    const struct party_address peer = {.len = sizeof(sa_family_t), .u.sa.sa_family = AF_UNIX};
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    user->house = house;
    user->fd = fds[1];
    house->admitted += entry != ENTRY_CTL;
    shard_accept(house->shard, fds[0], &peer, entry);
    return user;
}

struct user *user_enter(struct house *house, const char *name)
{
    struct user *user = user_connect(house, ENTRY_LINE);
    char line[256];
    (void)snprintf(line, sizeof(line), "/nick %s\n", name);
    user_send(user, line);
    assert_reads_some(user, "*** You are now called");
    return user;
}

struct user *user_enter_irc(struct house *house, const char *nick, const char *caps)
{
    struct user *user = user_connect(house, ENTRY_IRC);
    char lines[1024];
    if (caps) {
        (void)snprintf(lines, sizeof(lines), "CAP REQ :%s\r\n", caps);
        user_send(user, lines);
        assert_reads_some(user, " ACK ");
    }
    (void)snprintf(lines, sizeof(lines), "NICK %s\r\nUSER %s 0 * :%s the user\r\n%s", nick, nick,
                   nick, caps ? "CAP END\r\n" : "");
    user_send(user, lines);
    assert_reads_some(user, " 422 ");
    return user;
}

void user_hang_up(struct user *user)
{
    if (user->fd != -1) {
        close(user->fd);
        user->fd = -1;
        house_settle(user->house);
    }
}

void user_free(struct user *user)
{
    if (user->fd != -1) {
        close(user->fd);
    }
    free(user);
}

void user_end_output(struct user *user)
{
    assert_int_equal(shutdown(user->fd, SHUT_WR), 0);
    house_settle(user->house);
}

void user_put(struct user *user, const void *bytes, size_t len)
{
    assert_int_equal(send(user->fd, bytes, len, MSG_NOSIGNAL), len);
}

void user_send_bytes(struct user *user, const void *bytes, size_t len)
{
    user_put(user, bytes, len);
    house_settle(user->house);
}

void user_send(struct user *user, const char *text)
{
    user_send_bytes(user, text, strlen(text));
}

void user_read(struct user *user)
{
    house_settle(user->house);
    while (user->fd != -1 && !user->ended) {
        ssize_t n = recv(user->fd, user->text + user->len, USER_TEXT_MAX - 1 - user->len, 0);
        if (n == -1) {
            assert_int_equal(errno, EAGAIN);
            break;
        }
        user->ended = n == 0;
        user->len += (size_t)n;
        house_settle(user->house);
    }
    user->text[user->len] = '\0';
}

void user_forget(struct user *user)
{
    user->len = 0;
    user->text[0] = '\0';
}
