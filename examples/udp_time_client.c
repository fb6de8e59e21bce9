/* SPDX-License-Identifier: MIT */
/*
 * udp_time_client [HOST [PORT]]: sends each line that is typed as a datagram and prints the answer,
 * until an empty line.
 *
 * A datagram may get lost, the question or the answer, and nobody says so. Without a time-out the
 * client would wait for ever.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock, const struct party_address *server)
{
    char line[512];
    while (printf(">"), fgets(line, sizeof(line), stdin) != NULL) {
        size_t len = strcspn(line, "\n");
        if (len == 0) {
            return 0;
        }
        char answer[1024];
        ssize_t n = party_sock_sendto(sock, line, len, 0, server);
        if (n >= 0) {
            n = party_sock_recvfrom(sock, answer, sizeof(answer), 0, NULL);
        }
        if (n < 0) {
            return (int)n;
        }
        printf("%.*s\n", (int)n, answer);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "8888";
    if (argc > 3) {
        fprintf(stderr, "usage: udp_time_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock);
    r = r < 0 ? r : party_sock_settimeout(sock, 10 * 1000);
    r = r < 0 ? r : ask(sock, &address);
    if (r < 0) {
        fprintf(stderr, "udp_time_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
