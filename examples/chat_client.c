/* SPDX-License-Identifier: MIT */
/*
 * chat_client [HOST [PORT]]: joins a group chat, sends what is typed and prints what comes, until
 * "quit".
 *
 * recv waits, and so does the keyboard: each has a thread.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static void *receive(void *sock)
{
    char data[1024];
    ssize_t n;
    while ((n = party_sock_recv(sock, data, sizeof(data), 0)) > 0) {
        printf("%.*s", (int)n, data);
    }
    printf("the chat is over%s%s\n", n < 0 ? ": " : "", n < 0 ? party_strerror((int)n) : "");
    return NULL;
}

static int talk(struct party_sock *sock)
{
    int r = party_sock_sendall(sock, "I'm ready\n", 10, 0); /* the server wants a newline */
    char line[512];
    while (r == 0 && fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "quit\n") != 0) {
        r = party_sock_sendall(sock, line, strlen(line), 0);
    }
    return r;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60000";
    if (argc > 3) {
        fprintf(stderr, "usage: chat_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    pthread_t thread;
    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    r = r < 0 ? r : -pthread_create(&thread, NULL, receive, sock);
    if (r == 0) {
        r = talk(sock);
        /* Wakes the other thread, which must not use the socket any more when it is closed. */
        int down = party_sock_shutdown(sock, SHUT_RDWR);
        pthread_join(thread, NULL);
        r = r < 0 || down == -ENOTCONN ? r : down;
    }
    if (r < 0) {
        fprintf(stderr, "chat_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
