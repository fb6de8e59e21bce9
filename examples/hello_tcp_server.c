/* SPDX-License-Identifier: MIT */
/*
 * hello_tcp_server [HOST [PORT]]: reads a greeting from each client and greets back.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int greet(struct party_sock *listener)
{
    struct party_sock *client;
    int r = party_sock_accept(listener, &client, NULL);
    if (r < 0) {
        return r;
    }
    char data[1024];
    ssize_t n = party_sock_recv(client, data, sizeof(data), 0);
    if (n >= 0) {
        printf("%.*s\n", (int)n, data);
        n = party_sock_sendall(client, "hello from server", 17, 0);
    }
    if (n < 0) {
        fprintf(stderr, "hello_tcp_server: a client: %s\n", party_strerror((int)n));
    }
    party_sock_close(client);
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "12345";
    if (argc > 3) {
        fprintf(stderr, "usage: hello_tcp_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &listener);
    r = r < 0 ? r : party_sock_getsockname(listener, &address);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
    }
    while (r == 0) {
        r = greet(listener);
    }
    fprintf(stderr, "hello_tcp_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(listener);
    return 1;
}
