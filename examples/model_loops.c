/* SPDX-License-Identifier: MIT */
/*
 * model_loops [HOST [PORT]]: answers in capitals, to all clients from as many threads as there are
 * processors.
 *
 * Python has this in asyncio. Nothing may wait here: a connection is a stream that calls on_data
 * when bytes have come, in whatever pieces, and takes what is written without blocking.
 */
#include <ctype.h>
#include <stdio.h>

#include <partyline/partyline.h>

/* Takes what there is room to answer, so a client that does not read is waited for. */
static size_t on_data(struct party_stream *stream, const uint8_t *data, size_t len, void *user)
{
    (void)user;
    size_t room = party_stream_output_room(stream);
    len = len < room ? len : room;
    for (size_t done = 0; done < len;) {
        char part[1024];
        size_t n = 0;
        while (n < sizeof(part) && done < len) {
            part[n++] = (char)toupper(data[done++]);
        }
        party_stream_write(stream, part, n); /* sent at the end of the loop's turn */
    }
    return len; /* fewer than came: reading pauses */
}

static void on_drain(struct party_stream *stream, void *user)
{
    (void)user;
    party_stream_resume(stream);
}

static void on_close(struct party_stream *stream, int reason, void *user)
{
    (void)stream;
    (void)user;
    if (reason < 0) {
        fprintf(stderr, "model_loops: a client: %s\n", party_strerror(reason));
    }
}

static const struct party_stream_ops stream_ops = {
    .on_data = on_data, .on_close = on_close, .on_drain = on_drain};

static void say(enum party_log_level level, const char *message, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "model_loops: %s\n", message);
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60002";
    if (argc > 3) {
        fprintf(stderr, "usage: model_loops [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .model = PARTY_SERVER_LOOPS,
        .stream = &stream_ops,
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
        fprintf(stderr, "model_loops: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
