/* SPDX-License-Identifier: MIT */
/*
 * hello_tcp_client [HOST [PORT]]: greets a server and prints its answer.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int greet(struct party_sock *sock)
{
    int r = party_sock_sendall(sock, "hello from client", 17, 0);
    if (r < 0) {
        return r;
    }
    char answer[1024];
    ssize_t n = party_sock_recv(sock, answer, sizeof(answer), 0);
    if (n < 0) {
        return (int)n;
    }
    printf("%.*s\n", (int)n, answer);
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "12345";
    if (argc > 3) {
        fprintf(stderr, "usage: hello_tcp_client [HOST [PORT]]\n");
        return 2;
    }

    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    r = r < 0 ? r : greet(sock);
    if (r < 0) {
        fprintf(stderr, "hello_tcp_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
