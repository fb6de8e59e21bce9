/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <partyline/partyline.h>

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    struct party_sock *sock;
    if (party_sock_create_connection(argv[1], argv[2], -1, &sock) < 0) {
        return 1;
    }
    char answer[1024];
    ssize_t n = party_sock_sendall(sock, "hello\n", 6, 0);
    if (n == 0) {
        n = party_sock_recv(sock, answer, sizeof(answer), 0);
    }
    if (n > 0) {
        fwrite(answer, 1, (size_t)n, stdout);
    }
    party_sock_close(sock);
    return n < 0;
}
