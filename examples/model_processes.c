/* SPDX-License-Identifier: MIT */
/*
 * model_processes [HOST [PORT]]: answers each line in capitals, to each client in a process of its
 * own.
 *
 * Python's socketserver.ForkingTCPServer: a client can crash no process but its own, and what a
 * handler changes the server does not see. Children that ended are waited for by the server.
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
    fprintf(stderr, "model_processes: %s\n", message);
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60002";
    if (argc > 3) {
        fprintf(stderr, "usage: model_processes [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .model = PARTY_SERVER_PROCESSES,
        .max_children = 40,
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
        fprintf(stderr, "model_processes: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
