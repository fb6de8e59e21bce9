/* SPDX-License-Identifier: MIT */
/*
 * makefile_client [HOST [PORT]]: sends each line that is typed and prints the line that answers it.
 *
 * makefile gives a socket as a FILE, and stdio does what recv leaves to the program: a line is
 * read whole, however many pieces it comes in, and what follows it is kept.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int ask(FILE *server)
{
    char line[512];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        fputs(line, server);
        fflush(server); /* the server cannot answer what is still in our buffer */
        char answer[1024];
        if (fgets(answer, sizeof(answer), server) == NULL) {
            return party_file_error(server); /* why; 0: the server has closed */
        }
        fputs(answer, stdout);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60000";
    if (argc > 3) {
        fprintf(stderr, "usage: makefile_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    FILE *server;
    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    r = r < 0 ? r : party_file_makefile(sock, "rw", &server);
    if (r == 0) {
        r = ask(server);
        fclose(server);
    }
    if (r < 0) {
        fprintf(stderr, "makefile_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
