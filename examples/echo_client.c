/* SPDX-License-Identifier: MIT */
/*
 * echo_client [HOST [PORT]]: sends each line that is typed and prints what comes back.
 *
 * Here the client knows how long the answer is, as long as the question, and reads until it has
 * that much, however many pieces it comes in.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

/* Reads exactly len bytes. Returns: 0; PARTY_EOF when the stream ends before; a negative code. */
static int recv_exactly(struct party_sock *sock, char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = party_sock_recv(sock, data, len, 0);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int ask(struct party_sock *sock)
{
    char line[512];
    while (printf(">"), fgets(line, sizeof(line), stdin) != NULL) {
        size_t len = strcspn(line, "\n");
        int r = party_sock_sendall(sock, line, len, 0);
        r = r < 0 ? r : recv_exactly(sock, line, len);
        if (r < 0) {
            return r;
        }
        printf("answer: %.*s\n", (int)len, line);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "9000";
    if (argc > 3) {
        fprintf(stderr, "usage: echo_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    r = r < 0 ? r : ask(sock);
    if (r < 0) {
        fprintf(stderr, "echo_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
