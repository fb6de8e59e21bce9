/* SPDX-License-Identifier: MIT */
/*
 * chat_makefile_server [HOST [PORT]]: a group chat. What one client sends goes to all; "quit" or an
 * empty line from a client lets it go; "quit" at the prompt ends the server.
 *
 * As chat_server.c, but the server makes a file of each client's socket (Python's makefile): lines
 * are read whole, however many pieces they came in, and fprintf writes them.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: localtime_r */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <partyline/partyline.h>

#define CLIENTS_MAX 100

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *clients[CLIENTS_MAX];

static void send_to_all(const struct party_address *from, const char *data)
{
    char when[32], name[PARTY_ADDRESS_TEXT_MAX];
    time_t now = time(NULL);
    strftime(when, sizeof(when), "%Y%m/%d %H:%M:%S", localtime_r(&now, &(struct tm){0}));
    party_address_format(from, name, sizeof(name));
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (clients[i] != NULL) { /* one that is gone is met by its own thread */
            fprintf(clients[i], "%s %s\n%s\n", when, name, data);
        }
    }
    pthread_mutex_unlock(&lock);
}

/* Called for each client in a thread of its own; the server closes the files afterwards. */
static int handle(struct party_request *request, void *user)
{
    (void)user;
    size_t self = 0;
    pthread_mutex_lock(&lock);
    while (clients[self] != NULL) { /* there is a place for each thread */
        self++;
    }
    clients[self] = request->wfile;
    pthread_mutex_unlock(&lock);

    char data[1000];
    while (fgets(data, sizeof(data), request->rfile) != NULL) {
        data[strcspn(data, "\r\n")] = '\0';
        if (data[0] == '\0' || strcmp(data, "quit") == 0) {
            break;
        }
        send_to_all(&request->client_address, data);
    }

    pthread_mutex_lock(&lock);
    clients[self] = NULL;
    pthread_mutex_unlock(&lock);
    return 0;
}

static void *prompt(void *server)
{
    char line[100];
    while (printf(">> "), fgets(line, sizeof(line), stdin) && strcmp(line, "quit\n") != 0) {
    }
    party_server_stop(server);
    return NULL;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "60000";
    if (argc > 3) {
        fprintf(stderr, "usage: chat_makefile_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IONBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    pthread_t thread;
    struct party_server *server = NULL;
    struct party_server_settings settings = {.model = PARTY_SERVER_THREADS,
                                             .max_threads = CLIENTS_MAX,
                                             .handler = {.handle = handle, .files = true}};
    int r = party_resolve_host_port(host, port, AF_INET, &settings.address);
    r = r < 0 ? r : party_server_create(&settings, &server);
    if (r == 0) {
        settings.address = *party_server_address(server);
        printf("listening on %s\n", party_address_format(&settings.address, text, sizeof(text)));
        r = -pthread_create(&thread, NULL, prompt, server);
    }
    if (r == 0) {
        r = party_server_serve_forever(server);
        pthread_join(thread, NULL);
        party_server_drain(server, 0, NULL); /* wakes the threads that wait for their clients */
    }
    if (r < 0) {
        fprintf(stderr, "chat_makefile_server: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
