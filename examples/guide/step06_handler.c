/* SPDX-License-Identifier: MIT */
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
    return party_file_error(request->rfile);
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s HOST:PORT\n", argv[0]);
        return 2;
    }
    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .handler = {.handle = handle, .files = true},
        .allow_reuse_address = true,
    };
    int r = party_address_parse(argv[1], &settings.address);
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        settings.address = *party_server_address(server);
        printf("listening on %s\n", party_address_format(&settings.address, text, sizeof(text)));
        fflush(stdout);
        r = party_server_serve_forever(server);
    }
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
