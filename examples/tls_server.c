/* SPDX-License-Identifier: MIT */
/*
 * tls_server CERTIFICATE KEY [HOST [PORT]]: an echo server whose connections are encrypted.
 *
 * The certificate and its key are PEM files. The context reads them once; each connection is then
 * wrapped in TLS, and recv and sendall are as before.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static void echo(struct party_tls *tls)
{
    char data[2048];
    ssize_t n;
    while ((n = party_tls_recv(tls, data, sizeof(data))) > 0) { /* the handshake, first of all */
        int r = party_tls_sendall(tls, data, (size_t)n);
        if (r < 0) {
            n = r;
            break;
        }
    }
    if (n < 0) {
        fprintf(stderr, "tls_server: a client: %s (%s)\n", party_strerror((int)n),
                party_tls_error_text(tls));
    }
}

static int serve_one(struct party_sock *listener, struct party_tls_context *context)
{
    struct party_sock *client;
    struct party_tls *tls;
    int r = party_sock_accept(listener, &client, NULL);
    if (r < 0) {
        return r;
    }
    r = party_sock_settimeout(client, 60 * 1000); /* a silent client does not stop the others */
    r = r < 0 ? r : party_tls_wrap_socket(context, client, NULL, &tls);
    if (r < 0) {
        party_sock_close(client);
        return r;
    }
    echo(tls);
    party_tls_close(tls); /* closes the socket, too, which is tls's now */
    return 0;
}

int main(int argc, char *argv[])
{
    if (argc < 3 || argc > 5) {
        fprintf(stderr, "usage: tls_server CERTIFICATE KEY [HOST [PORT]]\n");
        return 2;
    }
    const char *host = argc > 3 ? argv[3] : "";
    const char *port = argc > 4 ? argv[4] : "60443";
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX] = "";
    struct party_address address;
    struct party_sock *listener = NULL;
    struct party_tls_context *context = NULL;
    struct party_tls_keypair keypair = {.chain_file = argv[1], .key_file = argv[2]};
    struct party_tls_settings settings = {.keypairs = &keypair, .keypair_count = 1};
    int r = party_tls_context_create(PARTY_TLS_SERVER, &settings, text, sizeof(text), &context);
    r = r < 0 ? r : party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &listener);
    r = r < 0 ? r : party_sock_getsockname(listener, &address);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
    }
    while (r == 0) {
        r = serve_one(listener, context);
    }
    fprintf(stderr, "tls_server: %s:%s: %s %s\n", host, port, party_strerror(r),
            context == NULL ? text : "");
    party_sock_close(listener);
    party_tls_context_unref(context);
    return 1;
}
