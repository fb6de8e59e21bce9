/* SPDX-License-Identifier: MIT */
/*
 * timeout_client [HOST [PORT [SECONDS]]]: connects and waits for a first word, but not for ever,
 * and says which way it ended.
 *
 * A time-out is the socket's and holds for each call as a whole. "We waited long enough" has a code
 * of its own; that the peer refused, or is gone, are other codes and come at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include <partyline/partyline.h>

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60000";
    double seconds = argc > 3 ? atof(argv[3]) : 1.0;
    if (argc > 4 || seconds <= 0 || seconds > 3600) {
        fprintf(stderr, "usage: timeout_client [HOST [PORT [SECONDS]]]\n");
        return 2;
    }

    /* The look-up and the connection have the time together; then it is the socket's time-out. */
    struct party_sock *sock = NULL;
    ssize_t n = party_sock_create_connection(host, port, (int64_t)(seconds * 1000), &sock);
    if (n == 0) {
        char data[1024];
        printf("connected; every call may take %.3f s\n",
               (double)party_sock_gettimeout(sock) / 1000);
        n = party_sock_recv(sock, data, sizeof(data), 0);
        if (n > 0) {
            printf("the server said: %.*s\n", (int)n, data);
        } else if (n == 0) {
            printf("the server has closed\n");
        }
    }
    party_sock_close(sock);

    if (n == PARTY_ETIMEOUT) {
        fprintf(stderr, "timeout_client: %s:%s: waited %g s in vain\n", host, port, seconds);
    } else if (n < 0) { /* -ECONNREFUSED: the host is there, and nobody listens at the port ... */
        fprintf(stderr, "timeout_client: %s:%s: %s\n", host, port, party_strerror((int)n));
    }
    return n < 0;
}
