/* SPDX-License-Identifier: MIT */
/*
 * tls_client [HOST [PORT [AUTHORITIES]]]: sends each line that is typed over TLS and prints what
 * comes back.
 *
 * The server's certificate must be for HOST, and signed by one of the authorities in the PEM file,
 * or of the system without one: that is checked unless one says "insecure", which this does not.
 */
#include <stdio.h>
#include <string.h>

#include <partyline/partyline.h>

static int ask(struct party_tls *tls)
{
    int r = party_tls_do_handshake(tls);
    if (r < 0) {
        return r;
    }
    printf("connected with %s, %s\n", party_tls_version(tls), party_tls_cipher(tls, NULL));
    char line[512];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        char answer[1024];
        r = party_tls_sendall(tls, line, strlen(line));
        ssize_t n = r < 0 ? r : party_tls_recv(tls, answer, sizeof(answer));
        if (n <= 0) {
            return (int)n;
        }
        printf("%.*s", (int)n, answer);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "localhost";
    const char *port = argc > 2 ? argv[2] : "60443";
    if (argc > 4) {
        fprintf(stderr, "usage: tls_client [HOST [PORT [AUTHORITIES]]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char why[256] = "";
    struct party_sock *sock = NULL;
    struct party_tls *tls = NULL;
    struct party_tls_context *context = NULL;
    struct party_tls_settings settings = {.ca_file = argc > 3 ? argv[3] : NULL};
    struct party_tls_options options = {.server_hostname = host};
    int r = party_tls_context_create(PARTY_TLS_CLIENT, &settings, why, sizeof(why), &context);
    r = r < 0 ? r : party_sock_create_connection(host, port, 60 * 1000, &sock);
    r = r < 0 ? r : party_tls_wrap_socket(context, sock, &options, &tls);
    if (r == 0) {
        sock = NULL; /* it is tls's now */
        r = ask(tls);
    }
    if (r < 0) {
        const char *detail = tls != NULL ? party_tls_error_text(tls) : why;
        fprintf(stderr, "tls_client: %s:%s: %s%s%s\n", host, port, party_strerror(r),
                detail[0] != '\0' ? ": " : "", detail);
    }
    party_tls_close(tls);
    party_sock_close(sock);
    party_tls_context_unref(context);
    return r < 0;
}
