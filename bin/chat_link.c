/* SPDX-License-Identifier: MIT */
#include "chat_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <partyline/connection.h>
#include <partyline/error.h>
#include <partyline/sock.h>

#include "base/xalloc.h"
#include "wire/text.h"

#define DEFAULT_HOST "127.0.0.1"
#define DEFAULT_PORT "60000"

/* A server that vanished without a word is noticed after two minutes. */
#define KEEP_IDLE_S     60
#define KEEP_INTERVAL_S 15
#define KEEP_COUNT      4
#define KEEP_UNACKED_MS 60000

/* ---- where to ---- */

static int parse_host(const char *text, struct chat_target *target)
{
    /* No text is no address to the library; here it is what nobody needs to say. */
    if (text[0] != '\0') {
        int r = party_address_split(text, target->host, sizeof target->host, target->port,
                                    sizeof target->port);
        if (r < 0) {
            return r;
        }
    }
    if (target->host[0] == '\0') {
        (void)snprintf(target->host, sizeof target->host, DEFAULT_HOST);
    }
    if (target->port[0] == '\0') {
        (void)snprintf(target->port, sizeof target->port, DEFAULT_PORT);
    }
    bool v6 = strchr(target->host, ':') != NULL;
    (void)snprintf(target->shown, sizeof target->shown, v6 ? "[%s]:%s" : "%s:%s", target->host,
                   target->port);
    return 0;
}

int chat_target_parse(const char *text, struct chat_target *ret_target)
{
    *ret_target = (struct chat_target){0};
    const char *scheme = strstr(text, "://");
    if (scheme) {
        text = scheme + 3;
    }
    if (strncmp(text, "unix:", 5) == 0) {
        int r = party_address_parse(text, &ret_target->address);
        ret_target->is_address = true;
        (void)snprintf(ret_target->shown, sizeof ret_target->shown, "%s", text);
        return r;
    }
    return parse_host(text, ret_target);
}

/* ---- connecting ---- */

struct outcome {
    int fd;   /* of the connection; -1 when there is none */
    int code; /* the library's; 0 with fd */
};

struct attempt {
    struct chat_target target;
    int pipe_fd;
};

static int connect_address(const struct party_address *address, struct party_sock **ret_sock)
{
    struct party_sock *sock;
    int r = party_sock_socket(party_address_family(address), SOCK_STREAM, 0, &sock);
    if (r < 0) {
        return r;
    }
    r = party_sock_settimeout(sock, CHAT_CONNECT_MS);
    r = r < 0 ? r : party_sock_connect(sock, address);
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}

static void *run_attempt(void *user)
{
    struct attempt *attempt = user;
    struct party_sock *sock;
    struct outcome outcome = {.fd = -1};
    const struct chat_target *target = &attempt->target;
    outcome.code = target->is_address ? connect_address(&target->address, &sock)
                                      : party_sock_create_connection(target->host, target->port,
                                                                     CHAT_CONNECT_MS, &sock);
    if (outcome.code == 0) {
        outcome.fd = party_sock_detach(sock);
    }
    if (write(attempt->pipe_fd, &outcome, sizeof outcome) != (ssize_t)sizeof outcome &&
        outcome.fd != -1) {
        (void)close(outcome.fd); /* nobody waits for it any more */
    }
    (void)close(attempt->pipe_fd);
    free(attempt);
    return NULL;
}

/* Signals are for the thread that waits for keys. */
static int start_thread(struct attempt *attempt)
{
    pthread_t thread;
    pthread_attr_t attr;
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&thread, &attr, run_attempt, attempt);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return -r;
}

static void end(struct chat_link *link, const char *cause)
{
    chat_link_close(link);
    link->events->on_closed(cause, link->user);
}

void chat_link_open(struct chat_link *link, const struct chat_target *target)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) == -1) {
        end(link, party_strerror(-errno));
        return;
    }
    struct attempt *attempt = xcalloc(1, sizeof(*attempt));
    attempt->target = *target;
    attempt->pipe_fd = fds[1];
    link->state = CHAT_LINK_CONNECTING;
    link->fd = fds[0];
    int r = start_thread(attempt);
    if (r < 0) {
        (void)close(fds[1]);
        free(attempt);
        end(link, party_strerror(r));
    }
}

static void notice_dead_peers(int fd)
{
    const struct {
        int level, name, value;
    } options[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
                   {IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
                   {IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
                   {IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
                   {IPPROTO_TCP, TCP_USER_TIMEOUT, KEEP_UNACKED_MS}};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        /* A unix socket has no such options and needs none. */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int));
    }
}

static void take_outcome(struct chat_link *link)
{
    struct outcome outcome;
    ssize_t n = read(link->fd, &outcome, sizeof outcome);
    if (n == -1 && errno == EINTR) {
        return;
    }
    (void)close(link->fd);
    link->fd = -1;
    if (n != (ssize_t)sizeof outcome) {
        end(link, "the attempt was given up");
    } else if (outcome.code < 0) {
        end(link, party_strerror(outcome.code));
    } else {
        link->fd = outcome.fd;
        link->state = CHAT_LINK_OPEN;
        (void)fcntl(link->fd, F_SETFL, fcntl(link->fd, F_GETFL) | O_NONBLOCK);
        notice_dead_peers(link->fd);
        link->events->on_open(link->user);
    }
}

/* ---- lines ---- */

void chat_link_init(struct chat_link *link, const struct chat_link_events *events, void *user)
{
    *link = (struct chat_link){.fd = -1, .events = events, .user = user};
    link->in = xmalloc(CHAT_LINE_IN_MAX_BYTES);
}

void chat_link_close(struct chat_link *link)
{
    if (link->fd != -1) {
        (void)close(link->fd);
    }
    free(link->out);
    link->out = NULL;
    link->fd = -1;
    link->in_len = link->out_len = 0;
    link->skipping = false;
    link->state = CHAT_LINK_CLOSED;
}

void chat_link_finish(struct chat_link *link)
{
    chat_link_close(link);
    free(link->in);
    link->in = NULL;
}

int chat_link_send(struct chat_link *link, const char *line)
{
    size_t len = strlen(line);
    if (link->state != CHAT_LINK_OPEN) {
        return -ENOTCONN;
    }
    if (len + 1 > CHAT_OUT_MAX_BYTES - link->out_len) {
        return -ENOBUFS;
    }
    link->out = xreallocarray(link->out, link->out_len + len + 1, 1);
    memcpy(link->out + link->out_len, line, len);
    link->out[link->out_len + len] = '\n';
    link->out_len += len + 1;
    return 0;
}

static void tell_line(struct chat_link *link, const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '\r') {
        len--;
    }
    char *clean = xmalloc(len * 3 + 1);
    len = text_clean(text, len, clean);
    clean[len] = '\0';
    link->events->on_line(clean, len, link->user);
    free(clean);
}

/*
 * What a server that sends without end can put on the screen is little, and the end of that is not
 * half a character.
 */
static void tell_cut(struct chat_link *link, const char *text, size_t len)
{
    if (len > CHAT_LINE_CUT_BYTES) {
        len = CHAT_LINE_CUT_BYTES;
        while (len > CHAT_LINE_CUT_BYTES - 4 && ((unsigned char)text[len] & 0xC0) == 0x80) {
            len--;
        }
    }
    tell_line(link, text, len);
}

/* An event may have closed the link: then nothing is left to split. */
static void split_lines(struct chat_link *link)
{
    size_t from = 0;
    while (link->state == CHAT_LINK_OPEN && from < link->in_len) {
        char *end = memchr(link->in + from, '\n', link->in_len - from);
        size_t len = end ? (size_t)(end - link->in) - from : link->in_len - from;
        if (!end && (from > 0 || len < CHAT_LINE_IN_MAX_BYTES)) {
            break;
        }
        if (!end && !link->skipping) {
            tell_cut(link, link->in + from, len);
        } else if (!link->skipping) {
            tell_line(link, link->in + from, len);
        }
        link->skipping = end == NULL;
        from += end ? len + 1 : len;
    }
    if (link->state == CHAT_LINK_OPEN) {
        link->in_len -= from;
        memmove(link->in, link->in + from, link->in_len);
    }
}

static void receive(struct chat_link *link)
{
    ssize_t n = recv(link->fd, link->in + link->in_len, CHAT_LINE_IN_MAX_BYTES - link->in_len, 0);
    if (n > 0) {
        link->in_len += (size_t)n;
        split_lines(link);
    } else if (n == 0) {
        if (link->in_len > 0 && !link->skipping) {
            tell_cut(link, link->in, link->in_len);
        }
        if (link->state == CHAT_LINK_OPEN) {
            end(link, "the server closed it");
        }
    } else if (errno != EAGAIN && errno != EINTR) {
        end(link, party_strerror(-errno));
    }
}

/* What the server said last is read before an error in sending ends it all. */
static void transmit(struct chat_link *link)
{
    ssize_t n = send(link->fd, link->out, link->out_len, MSG_NOSIGNAL);
    if (n >= 0) {
        link->out_len -= (size_t)n;
        memmove(link->out, link->out + n, link->out_len);
    } else if (errno != EAGAIN && errno != EINTR) {
        link->out_len = 0;
    }
}

size_t chat_link_prepare(const struct chat_link *link, struct pollfd *fd)
{
    if (link->state == CHAT_LINK_CLOSED) {
        return 0;
    }
    *fd = (struct pollfd){.fd = link->fd, .events = POLLIN};
    if (link->state == CHAT_LINK_OPEN && link->out_len > 0) {
        fd->events |= POLLOUT;
    }
    return 1;
}

void chat_link_ready(struct chat_link *link, short revents)
{
    if (link->state == CHAT_LINK_CONNECTING) {
        if (revents != 0) {
            take_outcome(link);
        }
        return;
    }
    if (link->state == CHAT_LINK_OPEN && (revents & POLLOUT) != 0) {
        transmit(link);
    }
    if (link->state == CHAT_LINK_OPEN && (revents & ~POLLOUT) != 0) {
        receive(link);
    }
}
