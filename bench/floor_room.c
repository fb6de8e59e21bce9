/* SPDX-License-Identifier: MIT */
/*
 * The floor under every chat server: the least a room can cost on epoll. One thread; lines go to
 * the end of one shared log, each member has an offset into it, and at the end of a turn each
 * member that is behind gets one send. No names, no parsing beyond newlines, nothing stored, no
 * limit on lines but LINE_CAP. A server that does more is measured against this one.
 *
 * `floor_room --store FILE` is the floor under every server that stores before it delivers: each
 * turn writes its lines over FILE, which has its blocks already, and syncs them before anything is
 * sent.
 *
 * Whoever lags LOG_CAP bytes behind is cut, so that the log stays one block that never moves while
 * a turn runs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS   1024
#define READ_CAP (64 * 1024)
#define LINE_CAP 8192
#define LOG_CAP  (64 * 1024 * 1024)

/* The part of a stored file that is written over and over, in whole pages. */
#define STORE_BYTES (4 * 1024 * 1024)
#define PAGE_BYTES  4096

struct member {
    size_t index;  /* place in members */
    size_t offset; /* of the log that went out */
    size_t held;   /* bytes of an unfinished line in line */
    char *line;    /* LINE_CAP bytes; NULL until a line came in pieces */
    int fd;
    int waiting; /* for EPOLLOUT */
};

static int epoll_fd;
static int store_fd = -1; /* -1: nothing is stored */
static off_t store_at;
static struct member **members;
static size_t member_count, member_cap;
static char *log_bytes;
static size_t log_len;
static char chunk[LINE_CAP + READ_CAP];

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void drop(struct member *member)
{
    member_count--;
    members[member->index] = members[member_count];
    members[member->index]->index = member->index;
    (void)close(member->fd);
    free(member->line);
    free(member);
}

static void want(struct member *member, int waiting)
{
    struct epoll_event event = {.events = EPOLLIN | (waiting ? EPOLLOUT : 0), .data.ptr = member};
    member->waiting = waiting;
    if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, member->fd, &event) == -1) {
        die("epoll_ctl");
    }
}

static void enter(int fd)
{
    int on = 1;
    struct member *member = calloc(1, sizeof *member);
    if (member_count == member_cap) {
        member_cap = member_cap == 0 ? 1024 : 2 * member_cap;
        members = realloc(members, member_cap * sizeof *members);
    }
    if (member == NULL || members == NULL) {
        die("memory");
    }
    member->fd = fd;
    member->offset = log_len;
    member->index = member_count;
    members[member_count++] = member;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = member};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1) {
        die("epoll_ctl");
    }
}

static void accept_all(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
        enter(fd);
    }
    if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
        die("accept4");
    }
}

/* Returns 0 when the member is to be dropped. */
static int take(struct member *member)
{
    char *start = chunk + LINE_CAP;
    ssize_t got = recv(member->fd, start, READ_CAP, 0);
    if (got <= 0) {
        return got == -1 && (errno == EAGAIN || errno == EINTR);
    }
    char *end = start + got;
    char *last = memrchr(start, '\n', (size_t)got);
    if (last != NULL) {
        start -= member->held;
        if (member->held > 0) {
            memcpy(start, member->line, member->held);
        }
        size_t len = (size_t)(last + 1 - start);
        if (len > LOG_CAP - log_len) {
            return 0;
        }
        memcpy(log_bytes + log_len, start, len);
        log_len += len;
        member->held = 0;
        start = last + 1;
    }
    size_t rest = (size_t)(end - start);
    if (rest == 0) {
        return 1;
    }
    if (member->line == NULL && (member->line = malloc(LINE_CAP)) == NULL) {
        return 0;
    }
    if (rest > LINE_CAP - member->held) {
        return 0;
    }
    memcpy(member->line + member->held, start, rest);
    member->held += rest;
    return 1;
}

/* Returns 0 when the member is to be dropped. */
static int give(struct member *member)
{
    ssize_t put =
        send(member->fd, log_bytes + member->offset, log_len - member->offset, MSG_NOSIGNAL);
    if (put == -1 && errno != EAGAIN && errno != EINTR) {
        return 0;
    }
    member->offset += put > 0 ? (size_t)put : 0;
    int waiting = member->offset < log_len;
    if (waiting != member->waiting) {
        want(member, waiting);
    }
    return 1;
}

/* Sends what the turn gathered and takes back the part of the log that everybody has. */
static void flush_turn(void)
{
    size_t least = log_len;
    for (size_t i = member_count; i-- > 0;) {
        struct member *member = members[i];
        if (member->offset < log_len && !member->waiting && !give(member)) {
            drop(member);
        } else if (log_len - member->offset > LOG_CAP / 2) {
            drop(member);
        } else if (member->offset < least) {
            least = member->offset;
        }
    }
    /* Moving is put off while somebody lags, or each turn would copy the same bytes again. */
    if (least == log_len || least > LOG_CAP / 4) {
        memmove(log_bytes, log_bytes + least, log_len - least);
        log_len -= least;
        for (size_t i = 0; i < member_count; i++) {
            members[i]->offset -= least;
        }
    }
}

static void store_open(const char *path)
{
    static const char zeros[PAGE_BYTES];
    store_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    for (off_t at = 0; store_fd != -1 && at < STORE_BYTES; at += PAGE_BYTES) {
        if (pwrite(store_fd, zeros, sizeof zeros, at) != sizeof zeros) {
            die(path);
        }
    }
    if (store_fd == -1 || fdatasync(store_fd) == -1) {
        die(path);
    }
}

/* Puts the turn's lines, from this place of the log on, on the disk. */
static void store_turn(size_t from)
{
    size_t len = log_len - from;
    size_t pages = (len + PAGE_BYTES - 1) / PAGE_BYTES;
    if (store_at + (off_t)(pages * PAGE_BYTES) > STORE_BYTES) {
        store_at = 0;
    }
    if (pwrite(store_fd, log_bytes + from, len, store_at) != (ssize_t)len ||
        fdatasync(store_fd) == -1) {
        die("store");
    }
    store_at += (off_t)(pages * PAGE_BYTES);
}

static int listen_any(void)
{
    int on = 1;
    struct rlimit limit;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, len) == -1 || listen(fd, 4096) == -1 ||
        getsockname(fd, (struct sockaddr *)&address, &len) == -1) {
        die("listen");
    }
    (void)printf("listening on raw://127.0.0.1:%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    static struct epoll_event events[EVENTS];
    if (argc == 3 && strcmp(argv[1], "--store") == 0) {
        store_open(argv[2]);
    } else if (argc != 1) {
        (void)fprintf(stderr, "usage: floor_room [--store FILE]\n");
        return 2;
    }
    int listener = listen_any();
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    log_bytes = malloc(LOG_CAP);
    if (log_bytes == NULL || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event) == -1) {
        die("epoll");
    }
    for (;;) {
        size_t before = log_len;
        int count = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct member *member = events[i].data.ptr;
            if (member == NULL) {
                accept_all(listener);
            } else if (((events[i].events & EPOLLOUT) != 0 && !give(member)) ||
                       ((events[i].events & ~(unsigned)EPOLLOUT) != 0 && !take(member))) {
                drop(member);
            }
        }
        if (log_len > before) {
            if (store_fd != -1) {
                store_turn(before);
            }
            flush_turn();
        }
    }
}
