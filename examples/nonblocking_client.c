/* SPDX-License-Identifier: MIT */
/*
 * nonblocking_client [HOST [PORT [TEXT]]]: asks an echo server without a call that waits, and polls
 * instead, where it could do something else.
 *
 * A socket that does not block answers "not now": EINPROGRESS from connect, EAGAIN from the others.
 * The loop (loop_chat.c) does all of this by itself.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static void wait_for(const char *what, struct party_sock *sock, short events)
{
    struct pollfd ready = {.fd = party_sock_fileno(sock), .events = events};
    printf("%s: not yet\n", what);
    poll(&ready, 1, -1);
}

static int connect_without_waiting(struct party_sock *sock, const struct party_address *address)
{
    int error = party_sock_connect_ex(sock, address); /* a positive errno, as in Python */
    if (error == EINPROGRESS) {
        wait_for("connect", sock, POLLOUT);
        int r = party_sock_getsockopt(sock, SOL_SOCKET, SO_ERROR, &error); /* how it ended */
        if (r < 0) {
            return r;
        }
    }
    return -error;
}

static int ask(struct party_sock *sock, const char *text)
{
    ssize_t n;
    size_t left = strlen(text);
    while (left > 0) {
        n = party_sock_send(sock, text, left, 0);
        if (n >= 0) { /* perhaps less than all */
            text += n;
            left -= (size_t)n;
        } else if (n == -EAGAIN) {
            wait_for("send", sock, POLLOUT);
        } else {
            return (int)n;
        }
    }
    char answer[1024];
    while ((n = party_sock_recv(sock, answer, sizeof(answer), 0)) == -EAGAIN) {
        wait_for("recv", sock, POLLIN);
    }
    if (n > 0) {
        printf("answer: %.*s\n", (int)n, answer);
    }
    return (int)(n < 0 ? n : 0);
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "9000";
    if (argc > 4) {
        fprintf(stderr, "usage: nonblocking_client [HOST [PORT [TEXT]]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock);
    r = r < 0 ? r : party_sock_setblocking(sock, false);
    r = r < 0 ? r : connect_without_waiting(sock, &address);
    r = r < 0 ? r : ask(sock, argc > 3 ? argv[3] : "hello");
    if (r < 0) {
        fprintf(stderr, "nonblocking_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
