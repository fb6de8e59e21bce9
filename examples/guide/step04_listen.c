/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <partyline/partyline.h>

static int answer_one(struct party_sock *listener)
{
    struct party_sock *client;
    struct party_address peer;
    int r = party_sock_accept(listener, &client, &peer);
    if (r < 0) {
        return r;
    }
    char text[PARTY_ADDRESS_TEXT_MAX];
    printf("%s is here\n", party_address_format(&peer, text, sizeof(text)));
    char question[1024]; /* read it: to close on unread bytes would cut our answer off, too */
    ssize_t n = party_sock_recv(client, question, sizeof(question), 0);
    if (n >= 0) {
        n = party_sock_sendall(client, "HELLO\n", 6, 0);
    }
    party_sock_close(client);
    return (int)n;
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s HOST:PORT\n", argv[0]);
        return 2;
    }
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_address_parse(argv[1], &address);
    if (r == 0) {
        r = party_sock_create_server(&address, NULL, &listener);
    }
    if (r == 0) {
        r = party_sock_getsockname(listener, &address);
    }
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        fflush(stdout);
        r = answer_one(listener);
    }
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], party_strerror(r));
    }
    party_sock_close(listener);
    return r < 0;
}
