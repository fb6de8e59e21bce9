/* SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* with -std=c17 too: sigwait */
#include <ctype.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include <partyline/partyline.h>

/* Waits for a signal in a thread of its own, where it may do anything. */
static void *end(void *server)
{
    sigset_t signals;
    int signo;
    pthread_sigmask(SIG_BLOCK, NULL, &signals); /* what main has blocked */
    sigwait(&signals, &signo);

    struct party_server_drained drained;
    int r = party_server_drain(server, 5 * 1000, &drained);
    if (r == 0) {
        printf("the end: %zu ended by themselves, %zu were cut\n", drained.finished, drained.cut);
        party_server_drained_finish(&drained);
    }
    return NULL;
}

static int setup(struct party_request *request, void *context)
{
    return party_stream_start_tls(request->stream, context, NULL);
}

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
        fprintf(stderr, "a client: %s\n", party_strerror(reason));
    }
}

static void drain(struct party_request *request, void *user)
{
    (void)user;
    party_stream_finish(request->stream); /* what is queued goes out, then it closes */
}

static const struct party_stream_ops stream_ops = {
    .on_data = on_data, .on_close = on_close, .on_drain = on_drain};
static const struct party_stream_limits limits = {.read_timeout_ms = 60 * 1000};

static void say(enum party_log_level level, const char *message, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "%s\n", message);
}

int main(int argc, char *argv[])
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s HOST:PORT CHAIN.pem KEY.pem\n", argv[0]);
        return 2;
    }
    pthread_t ending;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before there is any other thread */

    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .model = PARTY_SERVER_LOOPS,
        .handler = {.setup = setup, .drain = drain},
        .stream = &stream_ops,
        .stream_limits = &limits,
        .allow_reuse_address = true,
        .log = say,
    };
    char why[256] = "";
    struct party_tls_context *context = NULL;
    struct party_tls_keypair keypair = {argv[2], argv[3]};
    struct party_tls_settings tls = {.keypairs = &keypair, .keypair_count = 1};
    int r = party_address_parse(argv[1], &settings.address);
    r = r < 0 ? r : party_tls_context_create(PARTY_TLS_SERVER, &tls, why, sizeof(why), &context);
    settings.user = context;
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r == 0) {
        char text[PARTY_ADDRESS_TEXT_MAX];
        settings.address = *party_server_address(server);
        printf("listening on %s\n", party_address_format(&settings.address, text, sizeof(text)));
        fflush(stdout);
        r = -pthread_create(&ending, NULL, end, server);
    }
    if (r == 0) {
        r = party_server_serve_forever(server);
        if (r < 0) {
            pthread_kill(ending, SIGTERM); /* it still waits for one */
        }
        pthread_join(ending, NULL);
    }
    if (r < 0) {
        fprintf(stderr, "%s: %s%s%s\n", argv[1], party_strerror(r), why[0] != '\0' ? ": " : "",
                why);
    }
    party_server_destroy(server);
    party_tls_context_unref(context);
    return r < 0;
}
