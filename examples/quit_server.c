/* SPDX-License-Identifier: MIT */
/*
 * quit_server [HOST [PORT]]: answers each message, and ends when one says "quit".
 *
 * The answer is in Chinese: text goes over a socket as bytes, and UTF-8 needs nothing special.
 */
#include <stdbool.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include <partyline/partyline.h>

#define DATA_MAX 1024

/* Returns: 1 when the client said quit; 0 when it left; a negative code. */
static int serve(struct party_sock *client, const struct party_address *peer)
{
    char from[INET_ADDRSTRLEN];
    party_address_inet_ntoa(peer->u.in.sin_addr, from);
    for (;;) {
        char data[DATA_MAX + 1];
        ssize_t n = party_sock_recv(client, data, DATA_MAX, 0);
        if (n <= 0) {
            return (int)n;
        }
        data[n] = '\0';
        char answer[DATA_MAX + 64];
        int len = snprintf(answer, sizeof(answer), "%s发送给我的信息是:%s", from, data);
        int r = party_sock_sendall(client, answer, (size_t)len, 0);
        if (r < 0) {
            return r;
        }
        char when[32];
        time_t now = time(NULL);
        strftime(when, sizeof(when), "%Y-%m-%d %X", localtime(&now));
        printf("[%s] : %s\n", when, data);
        if (strcasecmp(data, "quit") == 0) {
            return 1;
        }
    }
}

static int accept_until_quit(struct party_sock *listener)
{
    bool is_over = false;
    while (!is_over) {
        struct party_sock *client;
        struct party_address peer;
        int r = party_sock_accept(listener, &client, &peer);
        if (r < 0) {
            return r;
        }
        r = serve(client, &peer);
        if (r < 0) {
            fprintf(stderr, "quit_server: a client: %s\n", party_strerror(r));
        }
        is_over = r == 1;
        party_sock_close(client);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "1122";
    if (argc > 3) {
        fprintf(stderr, "usage: quit_server [HOST [PORT]]\n");
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
        r = accept_until_quit(listener);
    }
    if (r < 0) {
        fprintf(stderr, "quit_server: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(listener);
    return r < 0;
}
