/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "server/accept_error.h"
#include "server/server_internal.h"

/*
 * How the serving thread sleeps. It watches up to four descriptors: the wish to stop, the wake-up
 * of a model that has room again, the model's own (children), and the server's socket. The socket
 * is left out while the model has no room or accepting pauses, since it would stay readable.
 */

static int64_t min_ns(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int left_ms(int64_t deadline_ns, int64_t now_ns)
{
    if (deadline_ns == PARTY__NEVER_NS) {
        return -1;
    }
    if (deadline_ns <= now_ns) {
        return 0;
    }
    int64_t ms = (deadline_ns - now_ns + PARTY__NS_PER_MS - 1) / PARTY__NS_PER_MS;
    return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void empty_eventfd(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n; /* EAGAIN: somebody was faster, and it is empty */
}

static void raise_eventfd(int fd)
{
    uint64_t one = 1;
    ssize_t n = write(fd, &one, sizeof(one));
    (void)n; /* EAGAIN: the counter is at its end, and so readable */
}

/* When to look again though nothing happened. */
static int64_t due_ns(const struct party_server *server, int64_t now_ns, int64_t deadline_ns)
{
    int64_t due = deadline_ns;
    if (server->backoff_ns != 0) {
        due = min_ns(due, server->retry_at_ns);
    }
    if (server->settings.service_interval_ms > 0) {
        due = min_ns(due, party__deadline_ns(server->settings.service_interval_ms));
    }
    if (server->model->patience_ns != NULL) {
        int64_t patience_ns = server->model->patience_ns(server);
        due = patience_ns == PARTY__NEVER_NS ? due : min_ns(due, now_ns + patience_ns);
    }
    return due;
}

int party__server_wait(struct party_server *server, int64_t deadline_ns)
{
    int64_t now_ns = party__now_ns();
    bool has_room = server->model->has_room == NULL || server->model->has_room(server);
    bool pauses = server->backoff_ns != 0 && now_ns < server->retry_at_ns;
    int attention_fd =
        server->model->attention_fd == NULL ? -1 : server->model->attention_fd(server);
    /* poll(2) skips negative descriptors. */
    struct pollfd fds[] = {
        {.fd = server->stop_fd, .events = POLLIN},
        {.fd = server->wake_fd, .events = POLLIN},
        {.fd = attention_fd, .events = POLLIN},
        {.fd = has_room && !pauses ? party_sock_fileno(server->sock) : -1, .events = POLLIN},
    };
    int n = poll(fds, sizeof(fds) / sizeof(fds[0]),
                 left_ms(due_ns(server, now_ns, deadline_ns), now_ns));
    if (n == -1 && errno != EINTR) {
        return -errno;
    }
    if (server->model->attend != NULL) {
        server->model->attend(server);
    }
    if (n <= 0) {
        return deadline_ns != PARTY__NEVER_NS && party__now_ns() >= deadline_ns
                   ? PARTY__WAKE_TIMEOUT
                   : PARTY__WAKE_OTHER;
    }
    if (fds[0].revents != 0) {
        atomic_store(&server->stopping, true);
        return PARTY__WAKE_STOP;
    }
    if (fds[1].revents != 0) {
        empty_eventfd(server->wake_fd);
    }
    return fds[3].revents != 0 ? PARTY__WAKE_REQUEST : PARTY__WAKE_OTHER;
}

bool party__server_would_spin(int error)
{
    switch (-error) {
    case EAGAIN:
    case ECONNRESET:
    case ECONNREFUSED: /* datagrams: what an answer met */
    case EPIPE:
    case ETIMEDOUT:
        return false;
    default:
        /* Codes of the library come from steps that talked to the client, as TLS does. */
        return error > PARTY_EOF && !party__accept_is_peers_error(-error);
    }
}

void party__server_back_off(struct party_server *server, int error)
{
    if (error >= 0) {
        server->backoff_ns = 0;
        return;
    }
    if (!party__server_would_spin(error)) {
        return;
    }
    /* A drain has the kernel refuse clients, and accept fails with it. */
    if (server->backoff_ns == 0 && !atomic_load(&server->stopping)) {
        party__server_log(server, PARTY_LOG_WARNING, "accepting pauses, new requests wait, at",
                          &server->address, party_strerror(error));
    }
    server->backoff_ns = party__backoff_next_ns(server->backoff_ns);
    server->retry_at_ns = party__now_ns() + server->backoff_ns;
}

void party__server_forget_stop(struct party_server *server)
{
    empty_eventfd(server->stop_fd);
}

void party__server_wake(struct party_server *server)
{
    raise_eventfd(server->wake_fd);
}

void party_server_stop(struct party_server *server)
{
    PARTY__REQUIRE_VOID(server);
    /* All of this may run in a signal handler, so errno must stay. */
    int saved = errno;
    atomic_store(&server->stopping, true);
    raise_eventfd(server->stop_fd);
    errno = saved;
}
