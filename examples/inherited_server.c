/* SPDX-License-Identifier: MIT */
/*
 * inherited_server: an echo server that opens no port. A service manager has opened it and starts
 * this program when somebody comes: what inetd and xinetd did, and systemd does.
 *
 *     systemd-socket-activate -l 9000 ./inherited_server
 */
#include <stdio.h>

#include <partyline/partyline.h>

static int echo_one(struct party_sock *listener)
{
    struct party_sock *client;
    int r = party_sock_accept(listener, &client, NULL);
    if (r < 0) {
        return r;
    }
    char data[2048];
    ssize_t n;
    while ((n = party_sock_recv(client, data, sizeof(data), 0)) > 0) {
        if (party_sock_sendall(client, data, (size_t)n, 0) < 0) {
            break;
        }
    }
    party_sock_close(client);
    return 0;
}

int main(int argc, char *argv[])
{
    (void)argv;
    if (argc > 1) {
        fprintf(stderr, "usage: inherited_server (started by a service manager)\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX] = "nothing";
    struct party_address address;
    struct party_inherited_list list = {0};
    int r = party_inherited_take(&list);
    struct party_sock *listener = r == 0 && list.count > 0 ? list.entries[0].sock : NULL;
    if (listener != NULL) {
        r = party_sock_settimeout(listener, -1); /* whatever the manager has set */
        r = r < 0 ? r : party_sock_getsockname(listener, &address);
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        while (r == 0) {
            r = echo_one(listener);
        }
    }
    fprintf(stderr, "inherited_server: %s: %s\n", text,
            r < 0 ? party_strerror(r) : "no socket was inherited");
    party_inherited_list_finish(&list); /* closes what it still has */
    return 1;
}
