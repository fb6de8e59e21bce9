/* SPDX-License-Identifier: MIT */
/*
 * timestamp_client [HOST [PORT]]: sends each line that is typed and prints the answer, until an
 * empty line.
 *
 * Here the client makes its socket and connects it by hand; create_connection in the other clients
 * does both, and tries all addresses of the host.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock)
{
    char line[512];
    while (printf(">:"), fgets(line, sizeof(line), stdin) != NULL) {
        size_t len = strcspn(line, "\n");
        if (len == 0) {
            return 0;
        }
        int r = party_sock_sendall(sock, line, len, 0);
        if (r < 0) {
            return r;
        }
        char answer[1024];
        ssize_t n = party_sock_recv(sock, answer, sizeof(answer), 0);
        if (n <= 0) {
            return (int)n;
        }
        printf("%.*s", (int)n, answer); /* it brings its newline */
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "21567";
    if (argc > 3) {
        fprintf(stderr, "usage: timestamp_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    r = r < 0 ? r : ask(sock);
    if (r < 0) {
        fprintf(stderr, "timestamp_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
