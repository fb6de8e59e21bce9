/* SPDX-License-Identifier: MIT */
/*
 * udp_sender [HOST [PORT [TEXT]]]: sends one datagram.
 *
 * That it was sent does not say that anybody got it: there is no connection that could fail.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "localhost";
    const char *port = argc > 2 ? argv[2] : "8081";
    const char *text = argc > 3 ? argv[3] : "hello,this is a test info !";
    if (argc > 4) {
        fprintf(stderr, "usage: udp_sender [HOST [PORT [TEXT]]]\n");
        return 2;
    }

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    if (r == 0) {
        r = party_sock_socket(AF_INET, SOCK_DGRAM, 0, &sock);
    }
    if (r == 0) {
        /* A datagram goes as a whole or not at all: there is no rest to send, as TCP may have. */
        ssize_t n = party_sock_sendto(sock, text, strlen(text), 0, &address);
        r = n < 0 ? (int)n : 0;
    }
    if (r < 0) {
        fprintf(stderr, "udp_sender: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock); /* NULL is fine */
    return r < 0;
}
