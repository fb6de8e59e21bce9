/* SPDX-License-Identifier: MIT */
/*
 * tcp_time_server [HOST [PORT]]: sends back what a client sends, with the time before it.
 *
 * The steps of every TCP server, one by one: socket, bind, listen, accept; then recv and send on
 * the new socket that accept gave. One client is served at a time; the others wait.
 */
#include <stdio.h>
#include <time.h>

#include <partyline/partyline.h>

#define DATA_MAX 1024

static int serve(struct party_sock *client)
{
    for (;;) {
        char data[DATA_MAX];
        ssize_t n = party_sock_recv(client, data, sizeof(data), 0);
        if (n <= 0) {
            return (int)n; /* 0: the client has closed its side */
        }
        char when[32];
        char answer[DATA_MAX + 64];
        time_t now = time(NULL);
        strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", localtime(&now));
        int len = snprintf(answer, sizeof(answer), "Hi,you send me :[%s] %.*s", when, (int)n, data);
        int r = party_sock_sendall(client, answer, (size_t)len, 0);
        if (r < 0) {
            return r;
        }
        printf("[%s] : %.*s\n", when, (int)n, data);
    }
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
        printf("connect from %s\n", party_address_format(&peer, text, sizeof(text)));
        r = serve(client);
        if (r < 0) { /* this client's trouble is not the server's */
            fprintf(stderr, "tcp_time_server: %s: %s\n", text, party_strerror(r));
        }
        party_sock_close(client);
    }
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "";
    const char *port = argc > 2 ? argv[2] : "12345";
    if (argc > 3) {
        fprintf(stderr, "usage: tcp_time_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *listener = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_STREAM, 0, &listener);
    r = r < 0 ? r : party_sock_bind(listener, &address);
    r = r < 0 ? r : party_sock_listen(listener, 5);
    r = r < 0 ? r : party_sock_getsockname(listener, &address);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = accept_for_ever(listener);
    }
    fprintf(stderr, "tcp_time_server: %s:%s: %s\n", host, port, party_strerror(r));
    party_sock_close(listener);
    return 1;
}
