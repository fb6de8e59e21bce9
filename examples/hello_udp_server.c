/* SPDX-License-Identifier: MIT */
/*
 * hello_udp_server [HOST [PORT]]: prints each greeting that comes and greets back who sent it.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int greet(struct party_sock *sock)
{
    char data[1024];
    struct party_address peer;
    ssize_t n = party_sock_recvfrom(sock, data, sizeof(data), 0, &peer);
    if (n < 0) {
        return (int)n;
    }
    printf("%.*s\n", (int)n, data);
    n = party_sock_sendto(sock, "hello from server", 17, 0, &peer);
    if (n < 0) {
        fprintf(stderr, "hello_udp_server: a client: %s\n", party_strerror((int)n));
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "12348";
    if (argc > 3) {
        fprintf(stderr, "usage: hello_udp_server [HOST [PORT]]\n");
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
    }
    while (r == 0) {
        r = greet(sock);
    }
    fprintf(stderr, "hello_udp_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(sock);
    return 1;
}
