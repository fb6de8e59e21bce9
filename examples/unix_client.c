/* SPDX-License-Identifier: MIT */
/*
 * unix_client PATH [TEXT]: sends a text to a server of this machine and prints all it answers.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock, const char *text)
{
    int r = party_sock_sendall(sock, text, strlen(text), 0);
    /* "No more comes": the server reads the end, and answers still. */
    r = r < 0 ? r : party_sock_shutdown(sock, SHUT_WR);
    if (r < 0) {
        return r;
    }
    char data[2048];
    ssize_t n;
    while ((n = party_sock_recv(sock, data, sizeof(data), 0)) > 0) {
        fwrite(data, 1, (size_t)n, stdout);
    }
    return (int)n;
}

int main(int argc, char *argv[])
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: unix_client PATH [TEXT]\n");
        return 2;
    }

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_address_unix(argv[1], strlen(argv[1]), &address);
    r = r < 0 ? r : party_sock_socket(AF_UNIX, SOCK_STREAM, 0, &sock);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    r = r < 0 ? r : ask(sock, argc > 2 ? argv[2] : "hello\n");
    if (r < 0) {
        fprintf(stderr, "unix_client: %s: %s\n", argv[1], party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
