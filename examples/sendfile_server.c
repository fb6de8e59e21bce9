/* SPDX-License-Identifier: MIT */
/*
 * sendfile_server FILE [HOST [PORT]]: sends the file to everybody who connects.
 *
 * sendfile has the kernel copy the file to the socket: its bytes never come into the program.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: O_CLOEXEC */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <partyline/partyline.h>

static int send_one(struct party_sock *listener, int file)
{
    struct party_sock *client;
    struct party_address peer;
    int r = party_sock_accept(listener, &client, &peer);
    if (r < 0) {
        return r;
    }
    char text[PARTY_ADDRESS_TEXT_MAX];
    int64_t sent = 0;
    /* From the beginning of the file, all there is. */
    r = party_sock_sendfile(client, file, 0, -1, &sent);
    printf("%s: %lld bytes: %s\n", party_address_format(&peer, text, sizeof(text)), (long long)sent,
           party_strerror(r));
    party_sock_close(client);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: sendfile_server FILE [HOST [PORT]]\n");
        return 2;
    }
    const char *host = argc > 2 ? argv[2] : "127.0.0.1";
    const char *port = argc > 3 ? argv[3] : "60001";
    setvbuf(stdout, NULL, _IOLBF, 0);

    int file = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (file == -1) {
        perror(argv[1]);
        return 1;
    }
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
        r = send_one(listener, file);
    }
    fprintf(stderr, "sendfile_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(listener);
    close(file);
    return 1;
}
