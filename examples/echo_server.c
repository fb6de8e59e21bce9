/* SPDX-License-Identifier: MIT */
/*
 * echo_server [HOST [PORT]]: sends back what comes, to one client after the other.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int echo(struct party_sock *client)
{
    char data[2048];
    ssize_t n;
    while ((n = party_sock_recv(client, data, sizeof(data), 0)) > 0) {
        int r = party_sock_sendall(client, data, (size_t)n, 0);
        if (r < 0) {
            return r;
        }
    }
    return (int)n;
}

static int accept_for_ever(struct party_sock *listener)
{
    for (;;) {
        struct party_sock *client;
        struct party_address peer;
        char text[PARTY_ADDRESS_TEXT_MAX];
        int r = party_sock_accept(listener, &client, &peer);
        if (r < 0) {
            return r;
        }
        printf("%s is here\n", party_address_format(&peer, text, sizeof(text)));
        r = echo(client);
        printf("%s is gone: %s\n", text, r < 0 ? party_strerror(r) : "it closed");
        party_sock_close(client);
    }
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "9000";
    if (argc > 3) {
        fprintf(stderr, "usage: echo_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    /* create_server is socket, bind and listen, and lets a server start again at once at a port
       that it has just left (SO_REUSEADDR). */
    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &listener);
    r = r < 0 ? r : party_sock_getsockname(listener, &address);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = accept_for_ever(listener);
    }
    fprintf(stderr, "echo_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(listener);
    return 1;
}
