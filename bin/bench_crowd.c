/* SPDX-License-Identifier: MIT */
/*
 * A member goes CLOSED, CONNECTING, GREETING, (JOINING,) JOINED. Readiness moves it out of
 * CONNECTING, lines of the server out of the others. Members are never closed one by one: a
 * connection that ends ends the run, because figures of a smaller crowd would be figures of
 * something else.
 */
#include "bench_crowd.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/xalloc.h"

#define CONNECTING_MAX 64  /* connections on their way at once: fewer than any backlog */
#define GREETING_MAX   512 /* connections not let in at once: some servers do that once a second */
#define PER_SOURCE     20000 /* connections from one loopback address: it has 28,000 ports */
#define CHUNK_BYTES    (128 * 1024)
#define PREFIX_BYTES   1024 /* what a server may write in front of a text */
#define FILES_BESIDES  64   /* descriptors that are no connections */

void crowd_fail(struct crowd *crowd, const char *format, ...)
{
    char cause[300];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(cause, sizeof cause, format, args);
    va_end(args);
    if (crowd->failed) {
        return;
    }
    crowd->failed = true;
    bool told = crowd->trouble[0] != '\0';
    bench_complain("%s%s%s", cause, told ? "; the server said: " : "", crowd->trouble);
    party_loop_stop(crowd->loop);
}

void crowd_stop(struct crowd *crowd)
{
    party_loop_stop(crowd->loop);
}

const char *crowd_room(const struct crowd *crowd)
{
    return crowd->options->room;
}

void crowd_say(struct crowd_member *member, const char *bytes, size_t len)
{
    ssize_t sent = send(member->fd, bytes, len, MSG_NOSIGNAL);
    if (sent != (ssize_t)len) {
        crowd_fail(member->crowd, "member %u: cannot send: %s", member->index,
                   sent == -1 ? party_strerror(-errno) : "the server does not read");
    }
}

/* Sends verb, a blank, argument and end in one piece. */
static void say_words(struct crowd_member *member, const char *verb, const char *argument,
                      const char *end)
{
    char text[600];
    int len = snprintf(text, sizeof text, "%s %s%s", verb, argument, end);
    crowd_say(member, text, len < (int)sizeof text ? (size_t)len : sizeof text - 1);
}

static void open_more(struct party_task *task, void *user);

static void queue_open(struct crowd *crowd)
{
    if (!crowd->open_queued && crowd->opened < crowd->count) {
        crowd->open_queued = true;
        party_loop_post(crowd->loop, &crowd->open_task);
    }
}

static void set_joined(struct crowd_member *member)
{
    struct crowd *crowd = member->crowd;
    member->state = CROWD_JOINED;
    crowd->joined++;
    if (crowd->events->on_joined != NULL) {
        crowd->events->on_joined(member, crowd->user);
    }
    queue_open(crowd);
    if (crowd->joined == crowd->count) {
        crowd->events->on_all_joined(crowd, crowd->user);
    }
}

/* The second word of an IRC line with a prefix, or the first of one without. */
static const char *irc_verb(const char *line)
{
    if (line[0] != ':') {
        return line;
    }
    const char *blank = strchr(line, ' ');
    return blank == NULL ? line : blank + 1;
}

static void irc_welcome(struct crowd_member *member)
{
    const char *room = crowd_room(member->crowd);
    if (room == NULL) {
        set_joined(member);
        return;
    }
    member->state = CROWD_JOINING;
    say_words(member, "JOIN", room, "\r\n");
}

/* The server's complaint is kept, and fails a crowd one of whose members is not in yet. */
static void complained(struct crowd_member *member, const char *line)
{
    struct crowd *crowd = member->crowd;
    (void)snprintf(crowd->trouble, sizeof crowd->trouble, "%.*s", (int)sizeof crowd->trouble - 1,
                   line);
    if (member->state != CROWD_JOINED) {
        crowd_fail(crowd, "member %u was not let in", member->index);
    }
}

static void irc_line(struct crowd_member *member, const char *line)
{
    const char *verb = irc_verb(line);
    if (strncmp(verb, "PING ", 5) == 0) {
        say_words(member, "PONG", verb + 5, "\r\n");
    } else if (member->state == CROWD_GREETING && strncmp(verb, "001 ", 4) == 0) {
        irc_welcome(member);
    } else if (member->state == CROWD_JOINING && strncmp(verb, "366 ", 4) == 0) {
        set_joined(member);
    } else if (strncmp(verb, "ERROR ", 6) == 0 ||
               (verb[0] == '4' && isdigit((unsigned char)verb[1]) != 0 &&
                isdigit((unsigned char)verb[2]) != 0 && strncmp(verb, "422", 3) != 0)) {
        complained(member, line);
    }
}

static void line_line(struct crowd_member *member, const char *line)
{
    if (member->state != CROWD_GREETING || strncmp(line, "*** ", 4) != 0) {
        return;
    }
    if (strncmp(line, "*** Not now: ", 13) == 0) {
        complained(member, line);
        return;
    }
    const char *room = crowd_room(member->crowd);
    if (room != NULL) {
        say_words(member, "/join", room, "\n");
    }
    set_joined(member);
}

void crowd_line(struct crowd_member *member, const char *line, size_t len)
{
    char text[512];
    if (member->crowd->options->protocol == BENCH_RAW) {
        return;
    }
    if (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    len = len < sizeof text ? len : sizeof text - 1;
    memcpy(text, line, len);
    text[len] = '\0';
    if (member->crowd->options->protocol == BENCH_IRC) {
        irc_line(member, text);
    } else {
        line_line(member, text);
    }
}

static void each_line(struct crowd_member *member, const char *from, const char *to)
{
    while (from < to) {
        const char *end = memchr(from, '\n', (size_t)(to - from));
        crowd_line(member, from, (size_t)(end - from));
        from = end + 1;
    }
}

/* Keeps the bytes behind the last newline; what is held already stands in front of them. */
static void hold(struct crowd_member *member, const char *bytes, size_t len)
{
    struct crowd *crowd = member->crowd;
    char *held = crowd->held + member->index * crowd->held_cap;
    if (len >= crowd->held_cap) {
        memcpy(held, bytes + len - crowd->held_cap, crowd->held_cap);
        member->held = (uint32_t)crowd->held_cap;
        return;
    }
    size_t keep = member->held;
    if (keep + len > crowd->held_cap) {
        keep = crowd->held_cap - len;
        memmove(held, held + member->held - keep, keep);
    }
    memcpy(held + keep, bytes, len);
    member->held = (uint32_t)(keep + len);
}

static void read_member(struct crowd_member *member)
{
    struct crowd *crowd = member->crowd;
    char *start = crowd->chunk + crowd->held_cap;
    ssize_t got = recv(member->fd, start, CHUNK_BYTES, 0);
    if (got <= 0) {
        if (got == 0) {
            crowd_fail(crowd, "member %u: the server closed the connection", member->index);
        } else if (errno != EAGAIN && errno != EINTR) {
            crowd_fail(crowd, "member %u: %s", member->index, party_strerror(-errno));
        }
        return;
    }
    const char *end = start + got;
    const char *last = memrchr(start, '\n', (size_t)got);
    if (last == NULL) {
        hold(member, start, (size_t)got);
        return;
    }
    const char *from = start;
    if (member->held > 0) {
        from = start - member->held;
        memcpy(start - member->held, crowd->held + member->index * crowd->held_cap, member->held);
        member->held = 0;
    }
    last++;
    if (crowd->events->on_lines != NULL) {
        crowd->events->on_lines(member, from, last, crowd->user);
    } else {
        each_line(member, from, last);
    }
    if (last < end) {
        hold(member, last, (size_t)(end - last));
    }
}

static void set_connected(struct crowd_member *member)
{
    struct crowd *crowd = member->crowd;
    if (party_watch_modify(&member->watch, PARTY_READ) < 0) {
        crowd_fail(crowd, "member %u: cannot be watched", member->index);
        return;
    }
    member->state = CROWD_GREETING;
    crowd->connecting--;
    queue_open(crowd);
    if (crowd->options->protocol == BENCH_RAW) {
        set_joined(member);
    } else if (crowd->options->protocol == BENCH_IRC) {
        char text[80];
        int len = snprintf(text, sizeof text, "NICK b%05u%s\r\nUSER bench 0 * :bench\r\n",
                           member->index, crowd->nick_tail);
        crowd_say(member, text, (size_t)len);
    }
}

static void on_ready(struct party_watch *watch, unsigned events, void *user)
{
    struct crowd_member *member = user;
    (void)watch;
    if (member->state == CROWD_CONNECTING) {
        int error = 0;
        int r = party_sock_getsockopt(member->sock, SOL_SOCKET, SO_ERROR, &error);
        if (r < 0 || error != 0) {
            crowd_fail(member->crowd, "%s: %s", member->crowd->options->connect,
                       party_strerror(r < 0 ? r : -error));
        } else {
            set_connected(member);
        }
        return;
    }
    if ((events & PARTY_WRITE) != 0 && member->crowd->events->on_writable != NULL) {
        member->crowd->events->on_writable(member, member->crowd->user);
    }
    if ((events & (PARTY_READ | PARTY_ERROR)) != 0) {
        read_member(member);
    }
}

/* One address has no more than 28,000 ports to one destination; all of 127.0.0.0/8 is ours. */
static int bind_source(const struct crowd *crowd, const struct crowd_member *member)
{
    const struct party_address *target = &crowd->options->target;
    if (party_address_family(target) != AF_INET || crowd->count <= PER_SOURCE ||
        (ntohl(target->u.in.sin_addr.s_addr) >> 24) != 127) {
        return 0;
    }
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_addr.s_addr =
                                 htonl(INADDR_LOOPBACK + 1 + member->index / PER_SOURCE)};
    struct party_address source;
    party_address_from_sockaddr(&source, (const struct sockaddr *)&in, sizeof in);
    int r = party_sock_setsockopt(member->sock, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    return r < 0 ? r : party_sock_bind(member->sock, &source);
}

/* Returns: 0; -EAGAIN when a unix socket's backlog is full and a later try may succeed; -errno. */
static int open_member(struct crowd *crowd, struct crowd_member *member)
{
    int family = party_address_family(&crowd->options->target);
    int r = party_sock_socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0, &member->sock);
    if (r < 0) {
        return r;
    }
    member->fd = party_sock_fileno(member->sock);
    member->opened_ns = bench_now_ns();
    if (family != AF_UNIX) {
        r = party_sock_setsockopt(member->sock, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    if (r == 0) {
        r = bind_source(crowd, member);
    }
    if (r == 0) {
        r = party_sock_connect(member->sock, &crowd->options->target);
        r = r == -EINPROGRESS ? 0 : r;
    }
    if (r == 0) {
        r = party_watch_start(crowd->loop, &member->watch, member->fd, PARTY_READ | PARTY_WRITE,
                              on_ready, member);
    }
    if (r < 0) {
        party_sock_close(member->sock);
        member->sock = NULL;
        return r;
    }
    member->state = CROWD_CONNECTING;
    crowd->connecting++;
    return 0;
}

static void open_more(struct party_task *task, void *user)
{
    struct crowd *crowd = user;
    (void)task;
    crowd->open_queued = false;
    while (crowd->opened < crowd->count && crowd->connecting < CONNECTING_MAX &&
           crowd->opened - crowd->joined < GREETING_MAX) {
        int r = open_member(crowd, &crowd->members[crowd->opened]);
        if (r == -EAGAIN && crowd->connecting > 0) {
            return; /* the next one that connects queues this task again */
        }
        if (r < 0) {
            crowd_fail(crowd, "%s: %s", crowd->options->connect, party_strerror(r));
            return;
        }
        crowd->opened++;
    }
}

/* Returns: 0; -errno. Only a privileged process may go beyond the hard limit. */
static int raise_files(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        return -errno;
    }
    if (limit.rlim_cur >= wanted) {
        return 0;
    }
    limit.rlim_cur = wanted;
    limit.rlim_max = limit.rlim_max < wanted ? wanted : limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == -1 ? -errno : 0;
}

int crowd_init(struct crowd *crowd, const struct bench_options *options,
               const struct crowd_events *events, void *user)
{
    *crowd = (struct crowd){.options = options, .events = events, .user = user};
    int r = raise_files(options->members + FILES_BESIDES);
    if (r < 0) {
        bench_complain("%llu open files: %s", (unsigned long long)options->members,
                       party_strerror(r));
        return -1;
    }
    r = party_loop_create(NULL, &crowd->loop);
    if (r < 0) {
        bench_complain("loop: %s", party_strerror(r));
        return -1;
    }
    crowd->count = options->members;
    crowd->members = xcalloc(crowd->count, sizeof *crowd->members);
    for (size_t i = 0; i < crowd->count; i++) {
        crowd->members[i].crowd = crowd;
        crowd->members[i].index = (uint32_t)i;
    }
    crowd->held_cap = options->size + PREFIX_BYTES;
    crowd->held = xcalloc(crowd->count, crowd->held_cap);
    crowd->chunk = xmalloc(crowd->held_cap + CHUNK_BYTES);
    for (int i = 0; i < 3; i++) {
        crowd->nick_tail[i] = (char)('a' + (bench_now_ns() >> (10 + 5 * i)) % 26);
    }
    party_task_init(&crowd->open_task, open_more, crowd);
    return 0;
}

int crowd_run(struct crowd *crowd)
{
    queue_open(crowd);
    int r = party_loop_run(crowd->loop);
    if (r < 0) {
        crowd_fail(crowd, "loop: %s", party_strerror(r));
    }
    return crowd->failed ? -1 : 0;
}

void crowd_finish(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->opened; i++) {
        party_watch_stop(&crowd->members[i].watch);
        party_sock_close(crowd->members[i].sock);
    }
    party_loop_destroy(crowd->loop);
    free(crowd->members);
    free(crowd->held);
    free(crowd->chunk);
}
