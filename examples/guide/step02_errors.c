/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock)
{
    char answer[1024];
    int r = party_sock_sendall(sock, "hello\n", 6, 0);
    if (r < 0) {
        return r;
    }
    ssize_t n = party_sock_recv(sock, answer, sizeof(answer), 0);
    if (n <= 0) {
        return n == 0 ? PARTY_EOF : (int)n;
    }
    fwrite(answer, 1, (size_t)n, stdout);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s HOST PORT\n", argv[0]);
        return 2;
    }
    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(argv[1], argv[2], 10 * 1000, &sock);
    if (r == 0) {
        r = ask(sock);
    }
    if (r < 0) {
        fprintf(stderr, "%s:%s: %s\n", argv[1], argv[2], party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
