/* SPDX-License-Identifier: MIT */
/*
 * fds_sender PATH FILE: opens a file and hands it, open, to the program that listens at PATH.
 *
 * The receiver gets a descriptor of its own for the same open file, even of one that it may not
 * open itself. Descriptors travel with bytes, so at least one byte goes with them.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: O_CLOEXEC */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <partyline/partyline.h>

int main(int argc, char *argv[])
{
    if (argc != 3) {
        fprintf(stderr, "usage: fds_sender PATH FILE\n");
        return 2;
    }
    int file = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (file == -1) {
        perror(argv[2]);
        return 1;
    }

    struct party_address address;
    struct party_sock *sock = NULL;
    int r = party_address_unix(argv[1], strlen(argv[1]), &address);
    r = r < 0 ? r : party_sock_socket(AF_UNIX, SOCK_STREAM, 0, &sock);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    if (r == 0) {
        struct party_sock_fds fds = {.fds = &file, .count = 1};
        ssize_t n = party_sock_send_fds(sock, argv[2], strlen(argv[2]), 0, &fds);
        r = n < 0 ? (int)n : 0;
    }
    if (r < 0) {
        fprintf(stderr, "fds_sender: %s: %s\n", argv[1], party_strerror(r));
    }
    party_sock_close(sock);
    close(file);
    return r < 0;
}
