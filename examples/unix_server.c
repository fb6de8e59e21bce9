/* SPDX-License-Identifier: MIT */
/*
 * unix_server PATH: an echo server for the programs of this machine.
 *
 * A Unix socket is a file: who may connect is a matter of its permissions. create_server removes a
 * path that a dead server has left, and no other.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int echo_one(struct party_sock *listener)
{
    struct party_sock *client;
    int r = party_sock_accept(listener, &client, NULL);
    if (r < 0) {
        return r;
    }
    char data[2048];
    ssize_t n;
    while ((n = party_sock_recv(client, data, sizeof(data), 0)) > 0) {
        if (party_sock_sendall(client, data, (size_t)n, 0) < 0) {
            break;
        }
    }
    party_sock_close(client);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: unix_server PATH\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    struct party_server_options options = {.unix_mode = 0600}; /* for this user only */
    int r = party_address_unix(argv[1], strlen(argv[1]), &address);
    r = r < 0 ? r : party_sock_create_server(&address, &options, &listener);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
    }
    while (r == 0) {
        r = echo_one(listener);
    }
    fprintf(stderr, "unix_server: %s: %s\n", argv[1], party_strerror(r));
    party_sock_close(listener);
    return 1;
}
