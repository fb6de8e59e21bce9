/* SPDX-License-Identifier: MIT */
/*
 * timestamp_server [HOST [PORT]]: sends back what comes as "TIME:DATA" and a newline, so that
 * telnet shows it well.
 */
#include <stdio.h>
#include <time.h>

#include <partyline/partyline.h>

#define DATA_MAX 1024

static int serve(struct party_sock *client)
{
    char data[DATA_MAX];
    ssize_t n;
    while ((n = party_sock_recv(client, data, sizeof(data), 0)) > 0) {
        char when[32];
        char answer[DATA_MAX + 64];
        time_t now = time(NULL);
        strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", localtime(&now));
        int len = snprintf(answer, sizeof(answer), "%s:%.*s\n", when, (int)n, data);
        int r = party_sock_sendall(client, answer, (size_t)len, 0);
        if (r < 0) {
            return r;
        }
    }
    return (int)n;
}

static int accept_for_ever(struct party_sock *listener)
{
    for (;;) {
        struct party_sock *client;
        struct party_address peer;
        char text[PARTY_ADDRESS_TEXT_MAX];
        int r = party_sock_accept(listener, &client, &peer);
        if (r < 0) {
            return r;
        }
        printf("...connected from: %s\n", party_address_format(&peer, text, sizeof(text)));
        r = serve(client);
        if (r < 0) {
            fprintf(stderr, "timestamp_server: %s: %s\n", text, party_strerror(r));
        }
        party_sock_close(client); /* with the brackets, which one forgets in Python */
    }
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "21567";
    if (argc > 3) {
        fprintf(stderr, "usage: timestamp_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &listener);
    r = r < 0 ? r : party_sock_getsockname(listener, &address);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = accept_for_ever(listener);
    }
    fprintf(stderr, "timestamp_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(listener);
    return 1;
}
