/* SPDX-License-Identifier: MIT */
/*
 * seqpacket_client PATH PACKET...: sends each argument as a packet, all at once, then prints the
 * answers, one for each.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock, char *packets[], int count)
{
    for (int i = 0; i < count; i++) {
        ssize_t n = party_sock_send(sock, packets[i], strlen(packets[i]), 0);
        if (n < 0) {
            return (int)n;
        }
    }
    for (int i = 0; i < count; i++) {
        char answer[1024];
        ssize_t n = party_sock_recv(sock, answer, sizeof(answer), 0);
        if (n <= 0) {
            return n == 0 ? PARTY_EOF : (int)n;
        }
        printf("%.*s\n", (int)n, answer);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc < 3) {
        fprintf(stderr, "usage: seqpacket_client PATH PACKET...\n");
        return 2;
    }

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_address_unix(argv[1], strlen(argv[1]), &address);
    r = r < 0 ? r : party_sock_socket(AF_UNIX, SOCK_SEQPACKET, 0, &sock);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    r = r < 0 ? r : ask(sock, argv + 2, argc - 2);
    if (r < 0) {
        fprintf(stderr, "seqpacket_client: %s: %s\n", argv[1], party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
