/* SPDX-License-Identifier: MIT */
/*
 * seqpacket_server PATH: says of each packet of a client how long it was.
 *
 * SOCK_SEQPACKET is connected and loses nothing, as a stream, and keeps packets apart, as
 * datagrams: each recv gives one packet. create_server makes streams, so this takes the steps one
 * by one.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int answer_one(struct party_sock *listener)
{
    struct party_sock *client;
    int r = party_sock_accept(listener, &client, NULL);
    if (r < 0) {
        return r;
    }
    char packet[1024];
    ssize_t n;
    while ((n = party_sock_recv(client, packet, sizeof(packet), 0)) > 0) {
        char answer[64];
        int len = snprintf(answer, sizeof(answer), "%zd bytes", n);
        if (party_sock_send(client, answer, (size_t)len, 0) < 0) {
            break;
        }
    }
    party_sock_close(client);
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: seqpacket_server PATH\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_address_unix(argv[1], strlen(argv[1]), &address);
    r = r < 0 ? r : party_sock_socket(AF_UNIX, SOCK_SEQPACKET, 0, &listener);
    r = r < 0 ? r : party_sock_bind(listener, &address);
    r = r < 0 ? r : party_sock_listen(listener, 5);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
    }
    while (r == 0) {
        r = answer_one(listener);
    }
    fprintf(stderr, "seqpacket_server: %s: %s\n", argv[1], party_strerror(r));
    party_sock_close(listener);
    return 1;
}
