/* SPDX-License-Identifier: MIT */
/*
 * The floor under every echo server: bare epoll, one thread, one recv and one send per event. What
 * a send did not take waits in a block of its own, and the connection is not read until it went
 * out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS   1024
#define READ_CAP (64 * 1024)

struct peer {
    int fd;
    char *rest; /* what was not taken yet; NULL when all was */
    size_t from, to;
};

static int epoll_fd;
static char chunk[READ_CAP];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(struct peer *peer, int operation, unsigned wanted)
{
    struct epoll_event event = {.events = wanted, .data.ptr = peer};
    if (epoll_ctl(epoll_fd, operation, peer->fd, &event) == -1) {
        die("epoll_ctl");
    }
}

static void accept_all(int listener)
{
    int fd;
    int on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
        struct peer *peer = calloc(1, sizeof *peer);
        if (peer == NULL) {
            die("memory");
        }
        peer->fd = fd;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        watch(peer, EPOLL_CTL_ADD, EPOLLIN);
    }
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        die("accept4");
    }
}

/* Sends; returns the bytes taken, or -1 when the peer is gone. */
static ssize_t put(const struct peer *peer, const char *bytes, size_t len)
{
    ssize_t sent = send(peer->fd, bytes, len, MSG_NOSIGNAL);
    return sent == -1 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

/* Returns 0 when the peer is to be dropped. */
static int on_readable(struct peer *peer)
{
    ssize_t got = recv(peer->fd, chunk, sizeof chunk, 0);
    if (got <= 0) {
        return got == -1 && (errno == EAGAIN || errno == EINTR);
    }
    ssize_t sent = put(peer, chunk, (size_t)got);
    if (sent == -1) {
        return 0;
    }
    if (sent < got) {
        peer->to = (size_t)(got - sent);
        peer->from = 0;
        peer->rest = malloc(peer->to);
        if (peer->rest == NULL) {
            return 0;
        }
        memcpy(peer->rest, chunk + sent, peer->to);
        watch(peer, EPOLL_CTL_MOD, EPOLLOUT);
    }
    return 1;
}

/* Returns 0 when the peer is to be dropped. */
static int on_writable(struct peer *peer)
{
    ssize_t sent = put(peer, peer->rest + peer->from, peer->to - peer->from);
    if (sent == -1) {
        return 0;
    }
    peer->from += (size_t)sent;
    if (peer->from == peer->to) {
        free(peer->rest);
        peer->rest = NULL;
        watch(peer, EPOLL_CTL_MOD, EPOLLIN);
    }
    return 1;
}

static int listen_any(void)
{
    struct rlimit limit;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 || listen(fd, 4096) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &len) == -1) {
        die("listen");
    }
    (void)printf("listening on raw://127.0.0.1:%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

int main(void)
{
    static struct epoll_event events[EVENTS];
    int listener = listen_any();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) == -1) {
        die("epoll_ctl");
    }
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (peer == NULL) {
                accept_all(listener);
            } else if (!(peer->rest != NULL ? on_writable(peer) : on_readable(peer))) {
                (void)close(peer->fd);
                free(peer->rest);
                free(peer);
            }
        }
    }
}
