/* SPDX-License-Identifier: MIT */
/*
 * tcp_time_client [HOST [PORT]]: sends each line that is typed and prints the answer, until an
 * empty line.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock)
{
    char line[512];
    while (printf(">"), fgets(line, sizeof(line), stdin) != NULL) {
        size_t len = strcspn(line, "\n");
        if (len == 0) {
            return 0;
        }
        int r = party_sock_sendall(sock, line, len, 0);
        if (r < 0) {
            return r;
        }
        /* TCP carries bytes and no messages: that one recv gets the whole answer is a habit of
           short answers, not a promise. makefile_client.c does it properly. */
        char answer[1024];
        ssize_t n = party_sock_recv(sock, answer, sizeof(answer), 0);
        if (n <= 0) {
            return (int)n;
        }
        printf("%.*s\n", (int)n, answer);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "12345";
    if (argc > 3) {
        fprintf(stderr, "usage: tcp_time_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* Looks the host up, makes the socket and connects; -1: wait as long as it takes. */
    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    if (r == 0) {
        r = ask(sock);
    }
    if (r < 0) {
        fprintf(stderr, "tcp_time_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
