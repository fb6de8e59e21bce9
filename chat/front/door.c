/* SPDX-License-Identifier: MIT */
#include "front/door.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "front/shard_internal.h"
#include "wire/sniff.h"

/*
 * A door lives as long as nobody knows what the connection speaks. When it is known the stream goes
 * to a session (or gets a refusal) and the door is freed at once; a stream that was refused
 * finishes without one. Bytes the door has seen go back into the stream, so that the front reads
 * the connection from its first byte.
 */

struct door {
    struct door *prev, *next; /* the shard's list */
    struct shard *shard;
    struct party_stream *stream;
    struct party_timer timer;
    struct origin origin;
    uint32_t len;
    uint8_t *bytes; /* SNIFF_MAX_BYTES once the first came; NULL before */
};

/* How long a vanished peer may go unnoticed, RFC 1122 4.2.3.6 and tcp(7): 60 s + 3 x 20 s. */
#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_INTERVAL_S 20
#define KEEPALIVE_COUNT      3
#define UNACKED_MAX_MS       30000
/* What the kernel takes before the peer's window has room: without it a peer that does not read
   has the kernel hold half a megabyte, beyond every limit of ours; tcp(7). */
#define UNSENT_MAX_BYTES (128 * 1024)

static void door_free(struct door *door)
{
    struct shard *shard = door->shard;
    party_timer_stop(&door->timer);
    if (door->prev) {
        door->prev->next = door->next;
    } else {
        shard->doors = door->next;
    }
    if (door->next) {
        door->next->prev = door->prev;
    }
    shard->door_count--;
    xfree_wiped(door->bytes, door->len);
    free(door);
}

static void release(struct shard *shard, const struct origin *origin)
{
    struct party_address peer;
    origin_address(origin, &peer);
    shard->env.released(&peer, shard->env.user);
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    (void)reason;
    struct door *door = user;
    release(door->shard, &door->origin);
    door_free(door);
}

static size_t drop_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)stream;
    (void)data;
    (void)user;
    return len;
}

static void refuse(struct door *door, const char *answer, size_t len, const char *what)
{
    struct shard *shard = door->shard;
    char text[160], peer[PARTY_ADDRESS_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%s: refused %s", origin_format(&door->origin, peer, 64),
                   what);
    shard->env.log(PARTY_LOG_INFO, 0, text, shard->env.user);
    /* The door stays with the stream for its address, until on_close. */
    static const struct party_stream_ops refused_ops = {.on_data = drop_data, .on_close = on_close};
    party_timer_stop(&door->timer);
    party_stream_set_user(door->stream, &refused_ops, door);
    party_stream_write(door->stream, answer, len);
    party_stream_finish(door->stream);
}

static void admit(struct door *door, const struct front *front)
{
    struct party_stream *stream = door->stream;
    (void)session_begin(door->shard, front, stream, &door->origin, true);
    if (party_stream_unread(stream, door->bytes, door->len) < 0) {
        party_stream_close(stream);
    }
    door_free(door);
}

#define HTTP_BODY                                                                                  \
    "This port carries a chat. Connect with an IRC client, nc, telnet or partyline chat.\n"

static const char http_answer[] = "HTTP/1.1 404 Not Found\r\n"
                                  "Content-Type: text/plain; charset=utf-8\r\n"
                                  "X-Content-Type-Options: nosniff\r\n"
                                  "Cache-Control: no-store\r\n"
                                  "Connection: close\r\n\r\n" HTTP_BODY;
/* RFC 8446 section 6: a fatal handshake_failure alert. */
static const char tls_answer[] = "\x15\x03\x01\x00\x02\x02\x28";
static const char proxy_answer[] = "*** A PROXY header is not accepted here.\n";

/* Acts on the decision. */
static void decide(struct door *door, enum sniff_kind kind)
{
    switch (kind) {
    case SNIFF_HTTP:
        refuse(door, http_answer, sizeof(http_answer) - 1, "HTTP");
        break;
    case SNIFF_IRC:
        admit(door, &irc_front);
        break;
    case SNIFF_TLS:
        refuse(door, tls_answer, sizeof(tls_answer) - 1, "TLS");
        break;
    case SNIFF_PROXY:
        refuse(door, proxy_answer, sizeof(proxy_answer) - 1, "a PROXY header");
        break;
    default:
        admit(door, &line_front);
        break;
    }
}

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)stream;
    struct door *door = user;
    if (!door->bytes) {
        door->bytes = xmalloc(SNIFF_MAX_BYTES);
    }
    size_t taken = len < SNIFF_MAX_BYTES - door->len ? len : SNIFF_MAX_BYTES - door->len;
    memcpy(door->bytes + door->len, data, taken);
    door->len += (uint32_t)taken;
    enum sniff_kind kind = sniff(door->bytes, door->len);
    if (kind == SNIFF_UNDECIDED) {
        return len;
    }
    if (taken < len && party_stream_unread(stream, data + taken, len - taken) < 0) {
        party_stream_close(stream);
        return len;
    }
    decide(door, kind);
    return len;
}

static void on_end(struct party_stream *stream, void *user)
{
    (void)stream;
    struct door *door = user;
    if (door->len == 0) {
        party_stream_close(door->stream); /* a port scan, a health check: no guest came */
        return;
    }
    admit(door, &line_front);
}

static void on_silence(struct party_timer *timer, void *user)
{
    (void)timer;
    admit(user, &line_front);
}

static const struct party_stream_ops door_ops = {
    .on_data = on_data,
    .on_end = on_end,
    .on_close = on_close,
};

static void set_tcp_options(int fd)
{
    const struct {
        int level, name, value;
    } options[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S},
        {IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S},
        {IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKED_MAX_MS},
        {IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX_BYTES},
    };
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        /* A kernel without one of them still carries the chat. */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
    }
}

static void wait_for_bytes(struct shard *shard, struct party_stream *stream,
                           const struct origin *origin)
{
    struct door *door = xcalloc(1, sizeof(*door));
    door->shard = shard;
    door->stream = stream;
    door->origin = *origin;
    door->next = shard->doors;
    if (door->next) {
        door->next->prev = door;
    }
    shard->doors = door;
    shard->door_count++;
    party_stream_set_user(stream, &door_ops, door);
    int r = party_timer_start(shard->loop, &door->timer,
                              (int64_t)shard->settings.sniff_wait_ms * 1000000, on_silence, door);
    if (r < 0) {
        party_stream_close(stream);
    }
}

/* An operator may ask for lists that no user gets, and is trusted to read them. */
static const struct party_stream_limits ctl_limits = {
    .output_max_bytes = 64u * 1024u * 1024u,
    .write_timeout_ms = 10000,
};

void door_open(struct shard *shard, int fd, const struct origin *origin, enum shard_entry entry)
{
    struct party_stream *stream;
    if (origin->family != 0) {
        set_tcp_options(fd);
    }
    const struct party_stream_limits *limits =
        entry == ENTRY_CTL ? &ctl_limits : &shard->settings.stream;
    int r = party_stream_create(shard->loop, fd, &door_ops, limits, NULL, &stream);
    if (r < 0) {
        shard->env.log(PARTY_LOG_WARNING, 0, party_strerror(r), shard->env.user);
        (void)close(fd);
        if (entry != ENTRY_CTL) {
            release(shard, origin);
        }
        return;
    }
    if (entry == ENTRY_ANY) {
        wait_for_bytes(shard, stream, origin);
    } else {
        const struct front *front = entry == ENTRY_CTL   ? &ctl_front
                                    : entry == ENTRY_IRC ? &irc_front
                                                         : &line_front;
        (void)session_begin(shard, front, stream, origin, entry != ENTRY_CTL);
    }
}

void doors_close(struct shard *shard)
{
    for (struct door *door = shard->doors; door; door = door->next) {
        party_stream_close(door->stream); /* freed in the reap phase, not under this walk */
    }
}
