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

static void say(enum party_log_level level, const char *message, void *user)
{
    (void)level;
    (void)user;
    fprintf(stderr, "%s\n", message);
}

int main(int argc, char *argv[])
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s HOST:PORT\n", argv[0]);
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
        .model = PARTY_SERVER_THREADS,
        .max_threads = 200,
        .handler = {.handle = handle, .files = true, .timeout_ms = 60 * 1000},
        .allow_reuse_address = true,
        .log = say,
    };
    int r = party_address_parse(argv[1], &settings.address);
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
        fprintf(stderr, "%s: %s\n", argv[1], party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
