/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>

#include <partyline/partyline.h>

static int serve(struct party_sock *client)
{
    char data[1024];
    ssize_t n;
    while ((n = party_sock_recv(client, data, sizeof(data), 0)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            data[i] = (char)toupper((unsigned char)data[i]);
        }
        int r = party_sock_sendall(client, data, (size_t)n, 0);
        if (r < 0) {
            return r;
        }
    }
    return (int)n;
}

static int serve_for_ever(struct party_sock *listener)
{
    for (;;) {
        struct party_sock *client;
        int r = party_sock_accept(listener, &client, NULL);
        if (r < 0) {
            return r;
        }
        r = party_sock_settimeout(client, 60 * 1000);
        r = r < 0 ? r : serve(client);
        if (r < 0) {
            fprintf(stderr, "a client: %s\n", party_strerror(r));
        }
        party_sock_close(client);
    }
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
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &listener);
    r = r < 0 ? r : party_sock_getsockname(listener, &address);
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        fflush(stdout);
        r = serve_for_ever(listener);
    }
    fprintf(stderr, "%s: %s\n", argv[1], party_strerror(r));
    party_sock_close(listener);
    return 1;
}
