/* SPDX-License-Identifier: MIT */
/*
 * server_echo PORT: an echo server with a thread per connection, what server_echo.py is in Python.
 */
#include <stdio.h>
#include <stdlib.h>

#include <partyline/partyline.h>

#define CONNECTIONS 4096

static int echo(struct party_request *request, void *user)
{
    char bytes[64 * 1024];
    (void)user;
    for (;;) {
        ssize_t n = party_sock_recv_into(request->sock, bytes, sizeof bytes, 0);
        if (n <= 0) {
            return (int)n;
        }
        int r = party_sock_sendall(request->sock, bytes, (size_t)n, 0);
        if (r < 0) {
            return r;
        }
    }
}

static int die(const char *what, int error)
{
    (void)fprintf(stderr, "server_echo: %s: %s\n", what, party_strerror(error));
    return 1;
}

int main(int argc, char **argv)
{
    struct party_server_settings settings = {
        .model = PARTY_SERVER_THREADS,
        .handler = {.handle = echo, .disable_nagle_algorithm = true},
        .request_queue_size = CONNECTIONS,
        .max_threads = CONNECTIONS,
        .daemon_threads = true,
    };
    char text[PARTY_ADDRESS_TEXT_MAX];
    (void)snprintf(text, sizeof text, "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    int r = party_address_parse(text, &settings.address);
    if (r < 0) {
        return die(text, r);
    }
    struct party_server *server;
    r = party_server_create(&settings, &server);
    if (r < 0) {
        return die(text, r);
    }
    (void)printf("listening on raw://%s\n",
                 party_address_format(party_server_address(server), text, sizeof text));
    (void)fflush(stdout);
    r = party_server_serve_forever(server);
    party_server_destroy(server);
    return r < 0 ? die("serving", r) : 0;
}
