/* SPDX-License-Identifier: MIT */
/*
 * welcome_server [HOST [PORT]]: welcomes two clients in turn, each with words of its own, and ends.
 *
 * The second waits in the backlog while the first is served: accept and recv wait, and one thread
 * does one thing at a time. chat_server.c has a thread for each.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int welcome(struct party_sock *listener, const char *words)
{
    struct party_sock *client;
    struct party_address peer;
    int r = party_sock_accept(listener, &client, &peer);
    if (r < 0) {
        return r;
    }
    char data[1024];
    char text[PARTY_ADDRESS_TEXT_MAX];
    ssize_t n = party_sock_recv(client, data, sizeof(data), 0);
    if (n >= 0) {
        printf("%s %.*s\n", party_address_format(&peer, text, sizeof(text)), (int)n, data);
        n = party_sock_sendall(client, words, strlen(words), 0);
    }
    party_sock_close(client);
    return (int)n;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60000";
    if (argc > 3) {
        fprintf(stderr, "usage: welcome_server [HOST [PORT]]\n");
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
        r = welcome(listener, "welcome to network! ");
    }
    r = r < 0 ? r : welcome(listener, "hello python");
    if (r < 0) {
        fprintf(stderr, "welcome_server: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(listener);
    return r < 0;
}
