/* SPDX-License-Identifier: MIT */
/*
 * loop_chat [HOST [PORT]]: a group chat in one thread. What a client sends goes to all, as it is.
 *
 * No thread, no lock: the loop calls, and nothing waits. What is said lies in memory once, and each
 * stream has a span of it to send; who does not read is cut by its output limit and harms nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <partyline/partyline.h>

struct client {
    struct client *next, **link;
    struct party_stream *stream;
};

static struct client *clients; /* of the one loop, in the one thread */

static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)user;
    struct party_buf *buf = party_buf_create((uint32_t)len);
    if (buf == NULL || party_buf_append(buf, data, len) < 0) {
        party_stream_close(stream);
    }
    for (struct client *to = clients; buf != NULL && to != NULL; to = to->next) {
        party_stream_write_span(to->stream, buf, 0, party_buf_len(buf));
    }
    party_buf_unref(buf); /* it lives on until the last stream has sent it */
    return len;
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    struct client *client = user;
    printf("a client is gone: %s\n", reason < 0 ? party_strerror(reason) : "it closed");
    *client->link = client->next;
    if (client->next != NULL) {
        client->next->link = client->link;
    }
    free(client);
}

static const struct party_stream_ops stream_ops = {.on_data = on_data, .on_close = on_close};

static void on_accept(struct party_listener *listener, int fd, const struct party_address *peer,
                      void *loop)
{
    (void)listener;
    struct client *client = malloc(sizeof(*client));
    if (client == NULL ||
        party_stream_create(loop, fd, &stream_ops, NULL, client, &client->stream) < 0) {
        free(client);
        close(fd);
        return;
    }
    char text[PARTY_ADDRESS_TEXT_MAX];
    printf("%s is here\n", party_address_format(peer, text, sizeof(text)));
    client->next = clients;
    client->link = &clients;
    if (clients != NULL) {
        clients->link = &client->next;
    }
    clients = client;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60000";
    if (argc > 3) {
        fprintf(stderr, "usage: loop_chat [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    struct party_address address;
    struct party_sock *sock = NULL;
    struct party_listener *listener = NULL;
    struct party_loop *loop = NULL;
    int r = party_resolve_host_port(host, port, AF_INET, &address);
    r = r < 0 ? r : party_sock_create_server(&address, NULL, &sock);
    r = r < 0 ? r : party_sock_getsockname(sock, &address);
    r = r < 0 ? r : party_loop_create(NULL, &loop);
    r = r < 0 ? r
              : party_listener_create(loop, party_sock_detach(sock), on_accept, loop, &listener);
    if (r == 0) {
        printf("listening on %s\n", party_address_format(&address, text, sizeof(text)));
        r = party_loop_run(loop);
    }
    if (r < 0) {
        fprintf(stderr, "loop_chat: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_listener_close(listener);
    party_loop_destroy(loop);
    return r < 0;
}
