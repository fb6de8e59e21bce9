/* SPDX-License-Identifier: MIT */
/*
 * model_threads [HOST [PORT]]: answers each line in capitals, to each client in a thread of its
 * own.
 *
 * Python's socketserver.ThreadingTCPServer, but with a bound: when all threads are busy the next
 * client waits in the backlog, and the server cannot be made to start threads without end.
 */
#include <ctype.h>
#include <stdio.h>

#include <partyline/partyline.h>

static int handle(struct party_request *request, void *user)
{
    (void)user;
    char line[1000];
    while (fgets(line, sizeof(line), request->rfile) != NULL) {
        for (char *at = line; *at != '\0'; at++) {
            *at = (char)toupper((unsigned char)*at);
        }
        fputs(line, request->wfile);
    }
    return party_file_error(request->rfile); /* 0: the client has closed */
}

static void say(enum party_log_level level, const char *message, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "model_threads: %s\n", message);
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60002";
    if (argc > 3) {
        fprintf(stderr, "usage: model_threads [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .model = PARTY_SERVER_THREADS,
        .max_threads = 100,
        .handler = {.handle = handle, .files = true},
        .allow_reuse_address = true,
        .log = say, /* who failed, and why */
    };
    int r = party_resolve_host_port(host, port, AF_INET, &settings.address);
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        printf("listening on %s\n",
               party_address_format(party_server_address(server), text, sizeof(text)));
        r = party_server_serve_forever(server); /* until somebody calls party_server_shutdown */
    }
    if (r < 0) {
        fprintf(stderr, "model_threads: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
