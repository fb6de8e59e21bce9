/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock)
{
    FILE *file;
    int r = party_file_makefile(sock, "rw", &file);
    if (r < 0) {
        return r;
    }
    char line[1024];
    fputs("hello\n", file); /* goes out before the stream reads */
    if (fgets(line, sizeof(line), file) != NULL) {
        fputs(line, stdout);
    } else {
        r = party_file_error(file);
        r = r < 0 ? r : PARTY_EOF; /* no error, and no answer */
    }
    fclose(file);
    return r;
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
