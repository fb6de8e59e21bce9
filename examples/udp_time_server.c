/* SPDX-License-Identifier: MIT */
/*
 * udp_time_server [HOST [PORT]]: sends each datagram back with the time before it.
 *
 * recvfrom says who asked, and the answer goes there: one socket serves any number of clients.
 */
#include <stdio.h>
#include <time.h>

#include <partyline/partyline.h>

#define DATA_MAX 1024

static int answer_for_ever(struct party_sock *sock)
{
    for (;;) {
        char data[DATA_MAX];
        struct party_address peer;
        char from[PARTY_ADDRESS_TEXT_MAX];
        ssize_t n = party_sock_recvfrom(sock, data, sizeof(data), 0, &peer);
        if (n < 0) {
            return (int)n;
        }
        char when[32];
        char answer[DATA_MAX + 64];
        time_t now = time(NULL);
        strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", localtime(&now));
        int len = snprintf(answer, sizeof(answer), "[%s] %.*s", when, (int)n, data);
        party_address_format(&peer, from, sizeof(from));
        n = party_sock_sendto(sock, answer, (size_t)len, 0, &peer);
        if (n < 0) { /* the others can be answered all the same */
            fprintf(stderr, "udp_time_server: %s: %s\n", from, party_strerror((int)n));
        } else {
            printf("received from and returned to: %s\n", from);
        }
    }
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "8888";
    if (argc > 3) {
        fprintf(stderr, "usage: udp_time_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock);
    r = r < 0 ? r : party_sock_bind(sock, &address);
    r = r < 0 ? r : party_sock_getsockname(sock, &address);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = answer_for_ever(sock);
    }
    fprintf(stderr, "udp_time_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(sock);
    return 1;
}
