/* SPDX-License-Identifier: MIT */
/*
 * udp_receiver [HOST [PORT]]: prints each datagram that comes, and who sent it.
 *
 * UDP has no connections: one socket receives from everybody, and each datagram is whole or not
 * there at all.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int receive(struct party_sock *sock)
{
    for (;;) {
        char data[1024];
        char text[PARTY_ADDRESS_TEXT_MAX];
        struct party_address peer;
        ssize_t n = party_sock_recvfrom(sock, data, sizeof(data), 0, &peer);
        if (n < 0) {
            return (int)n;
        }
        printf("Received: %.*s from %s\n", (int)n, data,
               party_address_format(&peer, text, sizeof(text)));
    }
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : ""; /* every address of this machine */
    const char *port = argc > 2 ? argv[2] : "8081";
    if (argc > 3) {
        fprintf(stderr, "usage: udp_receiver [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* lines go out at once, also into a pipe */

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    if (r == 0) {
        r = party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock);
    }
    if (r == 0) {
        r = party_sock_bind(sock, &address);
    }
    if (r == 0) {
        r = party_sock_getsockname(sock, &address); /* the real port where 0 was asked for */
    }
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = receive(sock);
    }
    fprintf(stderr, "udp_receiver: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(sock);
    return 1;
}
