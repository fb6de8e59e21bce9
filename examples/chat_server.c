/* SPDX-License-Identifier: MIT */
/*
 * chat_server [HOST [PORT]]: a group chat. What one client sends goes to all; "quit" or an empty
 * line from a client lets it go; "quit" at the prompt ends the server.
 *
 * Each client has a thread, and the lock keeps the list whole while one walks it. What threads do
 * not solve: one client that does not read stops, in the end, everybody. loop_chat.c is better.
 */
#define _DEFAULT_SOURCE /* with -std=c17 too: localtime_r */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <partyline/partyline.h>

#define CLIENTS_MAX 100

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct party_sock *clients[CLIENTS_MAX];

static void send_to_all(const struct party_address *from, const char *data)
{
    char when[32], name[PARTY_ADDRESS_TEXT_MAX];
    time_t now = time(NULL);
    strftime(when, sizeof(when), "%Y%m/%d %H:%M:%S", localtime_r(&now, &(struct tm){0}));
    party_address_format(from, name, sizeof(name));
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        char message[2048];
        int len = snprintf(message, sizeof(message), "%s %s\n%s\n", when, name, data);
        if (clients[i] && party_sock_sendall(clients[i], message, (size_t)len, 0) < 0) {
            printf("a client is gone\n"); /* its own thread finds that out, too */
        }
    }
    pthread_mutex_unlock(&lock);
}

/* Called for each client in a thread of its own; the server closes the socket afterwards. */
static int handle(struct party_request *request, void *user)
{
    (void)user;
    size_t self = 0;
    pthread_mutex_lock(&lock);
    while (clients[self] != NULL) { /* there is a place for each thread */
        self++;
    }
    clients[self] = request->sock;
    pthread_mutex_unlock(&lock);

    char data[1025];
    ssize_t n;
    while ((n = party_sock_recv(request->sock, data, sizeof(data) - 1, 0)) > 0) {
        data[n] = '\0';
        data[strcspn(data, "\r\n")] = '\0';
        if (data[0] == '\0' || strcmp(data, "quit") == 0) {
            break;
        }
        send_to_all(&request->client_address, data);
    }

    pthread_mutex_lock(&lock);
    clients[self] = NULL;
    pthread_mutex_unlock(&lock);
    return (int)(n < 0 ? n : 0);
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
        fprintf(stderr, "usage: chat_server [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IONBF, 0);

    char text[PARTY_ADDRESS_TEXT_MAX];
    pthread_t thread;
    struct party_server *server = NULL;
    struct party_server_settings settings = {
        .model = PARTY_SERVER_THREADS, .max_threads = CLIENTS_MAX, .handler = {.handle = handle}};
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
        fprintf(stderr, "chat_server: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_server_destroy(server);
    return r < 0;
}
