/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "front/shard_internal.h"

/*
 * Sessions of a shard. A session's id is (serial << 32 | shard << 24 | slot): never 0, never used
 * again, and its place is found without a look-up. The serial alone is what people are shown
 * (session_number); shards count in strides, so it is one session's too.
 */

#define SLOT_BITS 24u
#define SLOT_MASK ((1u << SLOT_BITS) - 1u)

struct session *shard_session(const struct shard *shard, uint64_t id)
{
    uint32_t slot = (uint32_t)id & SLOT_MASK;
    if (((uint32_t)id >> SLOT_BITS) != shard->index || slot >= shard->slot_cap) {
        return NULL;
    }
    struct session *session = shard->slots[slot];
    return session && session->id == id ? session : NULL;
}

uint32_t session_slot(const struct session *session)
{
    return (uint32_t)session->id & SLOT_MASK;
}

static uint32_t take_slot(struct shard *shard)
{
    if (shard->free_count == 0) {
        uint32_t cap = shard->slot_cap + shard->slot_cap / 2 + 64;
        shard->slots = xreallocarray(shard->slots, cap, sizeof(*shard->slots));
        shard->tick_due_ns = xreallocarray(shard->tick_due_ns, cap, sizeof(int64_t));
        shard->free_slots = xreallocarray(shard->free_slots, cap, sizeof(uint32_t));
        for (uint32_t slot = cap; slot > shard->slot_cap; slot--) {
            shard->slots[slot - 1] = NULL;
            shard->tick_due_ns[slot - 1] = INT64_MAX;
            shard->free_slots[shard->free_count++] = slot - 1;
        }
        shard->slot_cap = cap;
    }
    return shard->free_slots[--shard->free_count];
}

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)stream;
    struct session *session = user;
    struct shard *shard = session->shard;
    if (shard->env.is_backlogged(shard->env.user)) {
        shard_stall(shard, session);
        return 0;
    }
    return session->front->on_data(session, data, len);
}

static void on_end(struct party_stream *stream, void *user)
{
    (void)stream;
    struct session *session = user;
    session->front->on_end(session);
}

static void on_cut(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    struct session *session = user;
    session->front->on_cut(session, reason);
}

/* The operator's own connections, the console's among them, are no news. */
static enum party_log_level connection_level(const struct session *session)
{
    return session->front == &ctl_front ? PARTY_LOG_DEBUG : PARTY_LOG_INFO;
}

/* The stream is gone, and the session with it; the hub hears of it unless it knows. */
static void on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    struct session *session = user;
    struct shard *shard = session->shard;
    const char *why = reason == 0 ? "connection closed" : party_strerror(reason);
    session_log(session, connection_level(session), "disconnected: %s", why);
    if (session->entered && !session->gone) {
        (void)session_submit(session, COMMAND_QUIT, NULL, 0, why, strlen(why));
    }
    if (session->query) {
        atomic_store(&session->query->given_up, true); /* it still comes back, and is freed then */
    }
    if (session->password_query) {
        atomic_store(&session->password_query->given_up, true); /* likewise */
    }
    room_remove_all(session);
    if (session->timer) {
        party_timer_stop(session->timer);
        free(session->timer);
    }
    if (session->memberships != &session->one) {
        free(session->memberships);
    }
    if (session->admitted) {
        struct party_address peer;
        origin_address(&session->origin, &peer);
        shard->env.released(&peer, shard->env.user);
    }
    session->front->finish(session);
    uint32_t slot = session_slot(session);
    shard->slots[slot] = NULL;
    shard->tick_due_ns[slot] = INT64_MAX;
    shard->free_slots[shard->free_count++] = slot;
    shard->session_count--;
    free(session);
}

static const struct party_stream_ops session_stream_ops = {
    .on_data = on_data,
    .on_end = on_end,
    .on_cut = on_cut,
    .on_close = on_close,
};

struct session *session_begin(struct shard *shard, const struct front *front,
                              struct party_stream *stream, const struct origin *origin,
                              bool admitted)
{
    struct session *session = xcalloc(1, front->session_size);
    uint32_t slot = take_slot(shard);
    session->front = front;
    session->shard = shard;
    session->stream = stream;
    session->memberships = &session->one;
    session->membership_cap = 1;
    session->origin = *origin;
    session->admitted = admitted;
    session->id = ((uint64_t)shard->serial << 32) | ((uint64_t)shard->index << SLOT_BITS) | slot;
    shard->serial += shard->stride;
    shard->slots[slot] = session;
    shard->session_count++;
    party_stream_set_user(stream, &session_stream_ops, session);
    char peer[PARTY_ADDRESS_TEXT_MAX];
    session_log(session, connection_level(session), "connected from %s (%s)",
                origin_format(origin, peer, sizeof(peer)), front->name);
    front->on_open(session);
    return session;
}

static void submit_now(struct party_task *task, void *user)
{
    (void)task;
    struct shard *shard = user;
    shard->submit_queued = false;
    struct command *first = shard->first;
    struct command *last = shard->last;
    unsigned count = shard->command_count;
    shard->first = NULL;
    shard->last = NULL;
    shard->command_count = 0;
    if (first) {
        shard->env.submit(first, last, count, shard->env.user);
    }
}

struct command *session_submit(struct session *session, enum command_type type, const char *target,
                               size_t target_len, const char *text, size_t text_len)
{
    struct command_parts parts = {.type = type,
                                  .target = target,
                                  .target_len = target_len,
                                  .text = text,
                                  .text_len = text_len};
    return session_submit_parts(session, &parts);
}

struct command *session_submit_parts(struct session *session, const struct command_parts *parts)
{
    struct shard *shard = session->shard;
    struct command *command = command_make(parts);
    command->session = session->id;
    command->authority = session->front == &ctl_front ? AUTHORITY_OPERATOR : AUTHORITY_USER;
    if (shard->last) {
        shard->last->next = command;
    } else {
        shard->first = command;
    }
    shard->last = command;
    shard->command_count++;
    if (!shard->submit_queued) {
        shard->submit_queued = true;
        party_task_init(&shard->submit_task, submit_now, shard);
        party_loop_defer(shard->loop, &shard->submit_task);
    }
    return command;
}

bool session_ask(struct session *session, struct query *query)
{
    struct shard *shard = session->shard;
    if (session->query || !shard->env.ask(query, shard, shard->env.user)) {
        query_destroy(query);
        return false;
    }
    session->query = query;
    return true;
}

bool session_check_password(struct session *session, struct password_query *query)
{
    struct shard *shard = session->shard;
    query->session = session->id;
    origin_address(&session->origin, &query->peer);
    if (session->password_query || !shard->env.check_password(query, shard, shard->env.user)) {
        password_query_destroy(query);
        return false;
    }
    session->password_query = query;
    return true;
}

void session_cloak(const struct session *session, char *ret, size_t cap)
{
    const struct shard_env *env = &session->shard->env;
    struct party_address peer;
    origin_address(&session->origin, &peer);
    env->cloak(&peer, ret, cap, env->user);
}

uint64_t session_number(uint64_t id)
{
    return id >> 32;
}

void session_log(const struct session *session, enum party_log_level level, const char *format, ...)
{
    const struct shard_env *env = &session->shard->env;
    char text[512];
    if (!env->is_logged(level, env->user)) {
        return;
    }
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    env->log(level, session_number(session->id), text, env->user);
}

void session_write(struct session *session, const char *bytes, size_t len)
{
    party_stream_write(session->stream, bytes, len);
}

size_t session_answer_max(const struct session *session)
{
    return party_stream_output_room(session->stream) / 2;
}

const struct room_view *session_room(const struct session *session)
{
    const struct room_group *group = session->memberships[0].group;
    return group ? group->room : NULL;
}

struct origin origin_of(const struct party_address *peer)
{
    struct origin origin = {0};
    switch (party_address_family(peer)) {
    case AF_INET:
        origin.family = 4;
        memcpy(origin.ip, &peer->u.in.sin_addr, 4);
        break;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(&peer->u.in6.sin6_addr)) {
            origin.family = 4;
            memcpy(origin.ip, &peer->u.in6.sin6_addr.s6_addr[12], 4);
        } else {
            origin.family = 6;
            memcpy(origin.ip, &peer->u.in6.sin6_addr, 16);
        }
        break;
    default:
        return origin;
    }
    origin.port = party_address_port(peer);
    return origin;
}

void origin_address(const struct origin *origin, struct party_address *ret_address)
{
    memset(ret_address, 0, sizeof(*ret_address));
    if (origin->family == 4) {
        ret_address->len = sizeof(ret_address->u.in);
        ret_address->u.in.sin_family = AF_INET;
        ret_address->u.in.sin_port = htons(origin->port);
        memcpy(&ret_address->u.in.sin_addr, origin->ip, 4);
    } else if (origin->family == 6) {
        ret_address->len = sizeof(ret_address->u.in6);
        ret_address->u.in6.sin6_family = AF_INET6;
        ret_address->u.in6.sin6_port = htons(origin->port);
        memcpy(&ret_address->u.in6.sin6_addr, origin->ip, 16);
    } else {
        ret_address->len = sizeof(ret_address->u.sa.sa_family);
        ret_address->u.sa.sa_family = AF_UNIX;
    }
}

char *origin_format(const struct origin *origin, char *text, size_t cap)
{
    if (origin->family == 0) {
        (void)snprintf(text, cap, "unix");
        return text;
    }
    struct party_address address;
    origin_address(origin, &address);
    return party_address_format(&address, text, cap);
}

void text_out_add(struct text_out *out, const char *bytes, size_t len)
{
    if (len > out->cap - out->len) {
        out->cap = (out->len + len) * 2 + 64;
        out->data = xreallocarray(out->data, out->cap, 1);
    }
    if (len > 0) { /* nothing may have no place */
        memcpy(out->data + out->len, bytes, len);
    }
    out->len += len;
}

void text_out_adds(struct text_out *out, const char *string)
{
    text_out_add(out, string, strlen(string));
}

void text_out_addf(struct text_out *out, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (n > 0) {
        text_out_add(out, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
    }
}

void text_out_finish(struct text_out *out)
{
    free(out->data);
    memset(out, 0, sizeof(*out));
}
