/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/server_internal.h"

/*
 * The processes model: a child for each request.
 *
 * The end of a child is learnt from its pidfd, which an epoll descriptor watches among the others:
 * no signal handler, no polling. A child is reaped by its own pid, so that the program's other
 * children stay the program's. When there is no descriptor left for a pidfd, the child is looked
 * after every BLIND_PATIENCE_MS while it runs.
 *
 * The list belongs to the serving thread, and to close and drain once nobody serves. fork happens
 * with the server's lock held, so that what it guards is whole in the child, which then makes lock
 * and condition anew: who waits for them in the parent does not exist here.
 */

#define BLIND_PATIENCE_MS 50
#define REAPED_AT_ONCE    16
#define AWAIT_MAX_MS      60000 /* of one wait, among others */

struct child {
    struct child *next;
    pid_t pid;
    int pidfd;     /* -1: there was no descriptor for it */
    bool is_cut;   /* its end is no news */
    bool is_stuck; /* it may not be signalled, so nobody knows when it ends */
    struct party_address client;
};

struct party__children {
    struct child *first;
    size_t count;
    size_t blind; /* those without a pidfd */
    int epoll_fd;
    bool is_cut; /* who still runs when the server closes is killed */
};

static int children_open(struct party_server *server)
{
    struct party__children *children = calloc(1, sizeof(*children));
    if (children == NULL) {
        return -ENOMEM;
    }
    children->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (children->epoll_fd == -1) {
        int r = -errno;
        free(children);
        return r;
    }
    server->children = children;
    return 0;
}

/* ---- the end of a child ---- */

static void say_how_it_ended(const struct party_server *server, const struct child *child,
                             int status)
{
    if (!WIFSIGNALED(status) || child->is_cut) {
        return; /* what failed in it, it has said itself */
    }
    char cause[64];
    const char *name = sigabbrev_np(WTERMSIG(status));
    (void)snprintf(cause, sizeof(cause), "ended by signal %d (SIG%s)", WTERMSIG(status),
                   name != NULL ? name : "?");
    party__server_log(server, PARTY_LOG_WARNING, "the process that served", &child->client, cause);
}

/* Returns: whether the child is no more. */
static bool reap(const struct party_server *server, struct child *child, int flags)
{
    for (;;) {
        int status = 0;
        pid_t pid = waitpid(child->pid, &status, flags);
        if (pid == child->pid) {
            say_how_it_ended(server, child, status);
            return true;
        }
        if (pid == -1 && errno == EINTR) {
            continue;
        }
        /* ECHILD: the program ignores SIGCHLD, or has reaped it: gone either way. */
        return pid == -1;
    }
}

static void forget_child(struct party__children *children, struct child **link)
{
    struct child *child = *link;
    *link = child->next;
    children->count--;
    if (child->pidfd != -1) {
        /* Closing would not take it out of the set: a child forked meanwhile still has a copy. */
        (void)epoll_ctl(children->epoll_fd, EPOLL_CTL_DEL, child->pidfd, NULL);
        (void)close(child->pidfd);
    } else {
        children->blind--;
    }
    free(child);
}

/* A request ends with its child, not when the parent has let go of it. */
static void count_one_ended(struct party_server *server)
{
    (void)pthread_mutex_lock(&server->lock);
    server->ended_count++;
    (void)pthread_mutex_unlock(&server->lock);
}

/* Reaps what has ended; with flags 0 waits for all but those that are stuck. */
static void collect_children(struct party_server *server, int flags)
{
    struct child **link = &server->children->first;
    while (*link != NULL) {
        if (reap(server, *link, (*link)->is_stuck ? WNOHANG : flags)) {
            forget_child(server->children, link);
            count_one_ended(server);
        } else {
            link = &(*link)->next;
        }
    }
}

/* Reaps those whose pidfd says that they ended. */
static void collect_reported(struct party_server *server)
{
    struct epoll_event events[REAPED_AT_ONCE];
    int n = epoll_wait(server->children->epoll_fd, events, REAPED_AT_ONCE, 0);
    for (int i = 0; i < n; i++) {
        struct child *child = events[i].data.ptr;
        struct child **link = &server->children->first;
        while (*link != child) {
            link = &(*link)->next;
        }
        if (reap(server, child, WNOHANG)) {
            forget_child(server->children, link);
            count_one_ended(server);
        }
    }
}

static void children_attend(struct party_server *server)
{
    if (server->children->blind > 0) {
        collect_children(server, WNOHANG);
    } else if (server->children->count > 0) {
        collect_reported(server);
    }
}

/* ---- the beginning of a child ---- */

/* What the child has no use for. The stop descriptor stays: its handler may stop the parent. */
static void close_inherited(struct party_server *server)
{
    for (struct child *child = server->children->first; child != NULL; child = child->next) {
        if (child->pidfd != -1) {
            (void)close(child->pidfd);
        }
    }
    (void)close(server->children->epoll_fd);
    if (server->settings.kind == PARTY_SERVER_STREAM) {
        party_sock_close(server->sock);
        server->sock = NULL;
    }
}

static _Noreturn void run_child(struct party_server *server, struct party_request *request)
{
    server->is_child = true;
    party__server_init_lock(server);
    close_inherited(server);
    int r = party__step_finish_request(server, request);
    if (r < 0) {
        party__step_handle_error(server, request, r);
    }
    party_server_shutdown_request(server, request);
    _exit(r < 0 ? 1 : 0);
}

static void add_child(struct party__children *children, struct child *child)
{
    child->next = children->first;
    children->first = child;
    children->count++;
    child->pidfd = pidfd_open(child->pid, 0);
    if (child->pidfd != -1) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = child};
        if (epoll_ctl(children->epoll_fd, EPOLL_CTL_ADD, child->pidfd, &event) == 0) {
            return;
        }
        (void)close(child->pidfd);
        child->pidfd = -1;
    }
    children->blind++;
}

static int process_in_child(struct party_server *server, struct party_request *request)
{
    struct child *child = calloc(1, sizeof(*child));
    if (child == NULL) {
        return -ENOMEM;
    }
    child->client = request->client_address;
    (void)pthread_mutex_lock(&server->lock);
    pid_t pid = fork();
    int error = errno;
    if (pid == 0) {
        run_child(server, request);
    }
    (void)pthread_mutex_unlock(&server->lock);
    if (pid == -1) {
        free(child);
        return -error;
    }
    child->pid = pid;
    /* First, as this frees the descriptor that the pidfd may need. */
    party__request_of(request)->is_handed_over = true;
    party_server_close_request(server, request);
    add_child(server->children, child);
    return 0;
}

/* ---- the model ---- */

static bool children_have_room(struct party_server *server)
{
    return server->children->count < server->settings.max_children;
}

static int children_fd(const struct party_server *server)
{
    return server->children->epoll_fd;
}

static int64_t children_patience_ns(const struct party_server *server)
{
    return server->children->blind > 0 ? BLIND_PATIENCE_MS * PARTY__NS_PER_MS : PARTY__NEVER_NS;
}

/*
 * A pidfd never means another process. Without one, or where a filter of system calls knows no
 * pidfd_send_signal(2): as long as it is not reaped, its pid is its own, and ours to reap it is. A
 * child that has become somebody else may refuse.
 */
static void signal_child(const struct party_server *server, struct child *child, int signo)
{
    child->is_cut = true;
    if (child->pidfd != -1 && pidfd_send_signal(child->pidfd, signo, NULL, 0) == 0) {
        return;
    }
    child->is_stuck = !reap(server, child, WNOHANG) && kill(child->pid, signo) == -1;
}

static void children_cut(struct party_server *server, struct party_server_drained *drained)
{
    (void)pthread_mutex_lock(&server->lock);
    bool is_served = server->serving;
    (void)pthread_mutex_unlock(&server->lock);
    if (is_served) {
        return; /* a step of the program's does not return, and the list is that thread's */
    }
    server->children->is_cut = true;
    for (struct child *child = server->children->first; child != NULL; child = child->next) {
        party__drained_add(drained, &child->client);
        signal_child(server, child, SIGTERM);
    }
}

static bool children_await(struct party_server *server, int64_t deadline_ns)
{
    struct party__children *children = server->children;
    while (children->count > 0) {
        int64_t now_ns = party__now_ns();
        if (now_ns >= deadline_ns) {
            return false;
        }
        int64_t left_ms = (deadline_ns - now_ns - 1) / PARTY__NS_PER_MS + 1;
        int64_t most_ms = children->blind > 0 ? BLIND_PATIENCE_MS : AWAIT_MAX_MS;
        struct pollfd fd = {.fd = children->epoll_fd, .events = POLLIN};
        (void)poll(&fd, 1, (int)(left_ms < most_ms ? left_ms : most_ms));
        children_attend(server);
    }
    return true;
}

static void children_close(struct party_server *server, bool wait)
{
    for (struct child *child = server->children->first; child != NULL; child = child->next) {
        if (server->children->is_cut) {
            signal_child(server, child, SIGKILL);
        }
    }
    collect_children(server, wait ? 0 : WNOHANG);
}

static size_t children_count_stuck(const struct party_server *server)
{
    size_t count = 0;
    for (struct child *child = server->children->first; child != NULL; child = child->next) {
        count += child->is_stuck;
    }
    return count;
}

static void children_release(struct party_server *server)
{
    struct party__children *children = server->children;
    if (children != NULL) {
        while (children->first != NULL) {
            forget_child(children, &children->first);
        }
        (void)close(children->epoll_fd);
        free(children);
        server->children = NULL;
    }
}

const struct party__server_model party__server_processes = {
    .open = children_open,
    .process_request = process_in_child,
    .has_room = children_have_room,
    .attention_fd = children_fd,
    .attend = children_attend,
    .patience_ns = children_patience_ns,
    .await_children = children_await,
    .cut = children_cut,
    .close = children_close,
    .count_stuck = children_count_stuck,
    .release = children_release,
};
