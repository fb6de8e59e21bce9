/* SPDX-License-Identifier: MIT */
#include "chat_connect.h"

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
#include <partyline/sock.h>
#include <partyline/tls.h>

#include "base/xalloc.h"

/* A server that vanished without a word is noticed after two minutes. */
#define KEEP_IDLE_S     60
#define KEEP_INTERVAL_S 15
#define KEEP_COUNT      4
#define KEEP_UNACKED_MS 60000

struct attempt {
    struct chat_target target;
    struct party_tls_context *context; /* a reference; NULL: without TLS */
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

/* Owns: takes sock. */
static int secure(struct attempt *attempt, struct party_sock *sock, struct chat_outcome *outcome)
{
    struct party_tls_options options = {
        .server_hostname = attempt->target.is_address ? "localhost" : attempt->target.host};
    int r = party_sock_settimeout(sock, CHAT_CONNECT_MS);
    r = r < 0 ? r : party_tls_wrap_socket(attempt->context, sock, &options, &outcome->tls);
    if (r < 0) {
        party_sock_close(sock);
        return r;
    }
    r = party_tls_do_handshake(outcome->tls);
    r = r < 0 ? r : party_sock_settimeout(sock, 0);
    if (r < 0) {
        (void)snprintf(outcome->text, sizeof outcome->text, "%s",
                       party_tls_error_text(outcome->tls));
        party_tls_close(outcome->tls);
        outcome->tls = NULL;
    }
    return r;
}

static void connect_target(struct attempt *attempt, struct chat_outcome *outcome)
{
    const struct chat_target *target = &attempt->target;
    struct party_sock *sock;
    outcome->code = target->is_address ? connect_address(&target->address, &sock)
                                       : party_sock_create_connection(target->host, target->port,
                                                                      CHAT_CONNECT_MS, &sock);
    if (outcome->code < 0) {
        return;
    }
    notice_dead_peers(party_sock_fileno(sock));
    if (attempt->context) {
        outcome->code = secure(attempt, sock, outcome);
        return;
    }
    outcome->code = party_sock_settimeout(sock, 0);
    if (outcome->code < 0) {
        party_sock_close(sock);
        return;
    }
    outcome->sock = sock;
}

static void *run_attempt(void *user)
{
    struct attempt *attempt = user;
    struct chat_outcome outcome = {.thread = pthread_self()};
    connect_target(attempt, &outcome);
    if (write(attempt->pipe_fd, &outcome, sizeof outcome) != (ssize_t)sizeof outcome) {
        /* Nobody waits for it any more. */
        (void)pthread_detach(outcome.thread);
        party_tls_close(outcome.tls);
        if (outcome.sock) {
            party_sock_close(outcome.sock);
        }
    }
    (void)close(attempt->pipe_fd);
    party_tls_context_unref(attempt->context);
    free(attempt);
    return NULL;
}

/* Signals are for the thread that waits for keys. */
static int start_thread(struct attempt *attempt)
{
    pthread_t thread;
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&thread, NULL, run_attempt, attempt);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

int chat_connect_start(const struct chat_target *target, struct party_tls_context *context)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) == -1) {
        return -errno;
    }
    struct attempt *attempt = xcalloc(1, sizeof(*attempt));
    attempt->target = *target;
    attempt->context = context ? party_tls_context_ref(context) : NULL;
    attempt->pipe_fd = fds[1];
    int r = start_thread(attempt);
    if (r < 0) {
        (void)close(fds[0]);
        (void)close(fds[1]);
        party_tls_context_unref(attempt->context);
        free(attempt);
        return r;
    }
    return fds[0];
}

int chat_connect_take(int fd, struct chat_outcome *ret_outcome)
{
    ssize_t n = read(fd, ret_outcome, sizeof *ret_outcome);
    if (n == -1 && errno == EINTR) {
        return -EINTR;
    }
    if (n != (ssize_t)sizeof *ret_outcome) {
        return -EPIPE;
    }
    /* It is at its end. OpenSSL frees what it keeps for a thread when that ends, which must not
     * happen while the process does. */
    (void)pthread_join(ret_outcome->thread, NULL);
    return 0;
}
