/* SPDX-License-Identifier: MIT */
/*
 * sendfile_client [HOST [PORT]]: writes what a server sends, up to its end, to standard output.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int fetch(struct party_sock *sock)
{
    char data[64 * 1024];
    ssize_t n;
    while ((n = party_sock_recv(sock, data, sizeof(data), 0)) > 0) {
        if (fwrite(data, 1, (size_t)n, stdout) < (size_t)n) {
            return PARTY_EOF;
        }
    }
    return (int)n;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60001";
    if (argc > 3) {
        fprintf(stderr, "usage: sendfile_client [HOST [PORT]]\n");
        return 2;
    }

    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    r = r < 0 ? r : fetch(sock);
    if (r < 0) {
        fprintf(stderr, "sendfile_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
