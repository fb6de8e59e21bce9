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
    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .handler = {.handle = handle, .files = true},
        .allow_reuse_address = true,
    };
    int r = argc == 2 ? party_address_parse(argv[1], &settings.address) : PARTY_EADDRESS;
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        settings.address = *party_server_address(server);
        printf("listening on %s\n", party_address_format(&settings.address, text, sizeof(text)));
        fflush(stdout);
        r = party_server_serve_forever(server);
    }
    if (r < 0) {
        fprintf(stderr, "%s: %s\n", argc > 1 ? argv[1] : "HOST:PORT", party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
