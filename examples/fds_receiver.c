/* SPDX-License-Identifier: MIT */
/*
 * fds_receiver PATH: waits at PATH for somebody who hands it an open file, and prints the file.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <partyline/partyline.h>

static int receive(struct party_sock *listener)
{
    struct party_sock *conn;
    int r = party_sock_accept(listener, &conn, NULL);
    if (r < 0) {
        return r;
    }
    char name[256];
    int file = -1;
    struct party_sock_fds fds = {.fds = &file, .cap = 1};
    ssize_t n = party_sock_recv_fds(conn, name, sizeof(name), 0, &fds);
    party_sock_close(conn);
    if (n <= 0 || fds.count == 0) {
        return n < 0 ? (int)n : PARTY_EOF;
    }
    printf("%.*s:\n", (int)n, name);
    fflush(stdout);
    char data[4096];
    while ((n = read(file, data, sizeof(data))) > 0) {
        fwrite(data, 1, (size_t)n, stdout);
    }
    close(file); /* what came is ours to close */
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: fds_receiver PATH\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_address_unix(argv[1], strlen(argv[1]), &address);
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &listener);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = receive(listener);
    }
    if (r < 0) {
        fprintf(stderr, "fds_receiver: %s: %s\n", argv[1], party_strerror(r));
    }
    party_sock_close(listener);
    return r < 0;
}
