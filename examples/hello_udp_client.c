/* SPDX-License-Identifier: MIT */
/*
 * hello_udp_client [HOST [PORT]]: greets a server and prints its answer.
 *
 * connect on a UDP socket makes no connection: it sets where send sends to, and lets the kernel
 * tell what comes back, such as that nobody is there ("Connection refused").
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int greet(struct party_sock *sock)
{
    char answer[1024];
    ssize_t n = party_sock_send(sock, "hello from client", 17, 0);
    if (n >= 0) {
        n = party_sock_recv(sock, answer, sizeof(answer), 0);
    }
    if (n < 0) {
        return (int)n;
    }
    printf("%.*s\n", (int)n, answer);
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "12348";
    if (argc > 3) {
        fprintf(stderr, "usage: hello_udp_client [HOST [PORT]]\n");
        return 2;
    }

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock);
    r = r < 0 ? r : party_sock_settimeout(sock, 10 * 1000);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    r = r < 0 ? r : greet(sock);
    if (r < 0) {
        fprintf(stderr, "hello_udp_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
