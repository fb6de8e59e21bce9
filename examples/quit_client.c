/* SPDX-License-Identifier: MIT */
/*
 * quit_client [HOST [PORT]]: sends what is typed and prints the answers, until an empty line or
 * "quit", which ends the server, too.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <partyline/partyline.h>

static int ask(struct party_sock *sock, const char *host)
{
    char line[512];
    while (printf(">"), fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0') {
            return 0;
        }
        int r = party_sock_sendall(sock, line, strlen(line), 0);
        if (r < 0) {
            return r;
        }
        printf("发送信息到%s：%s\n", host, line);
        if (strcasecmp(line, "quit") == 0) {
            return 0;
        }
        char answer[1024];
        ssize_t n = party_sock_recv(sock, answer, sizeof(answer), 0);
        if (n <= 0) {
            return (int)n;
        }
        printf("从%s收到信息：%.*s\n", host, (int)n, answer);
    }
    return 0;
}

int main(int argc, char *argv[])
{
    const char *host = argc > 1 ? argv[1] : "127.0.0.1";
    const char *port = argc > 2 ? argv[2] : "1122";
    if (argc > 3) {
        fprintf(stderr, "usage: quit_client [HOST [PORT]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    struct party_sock *sock = NULL;
    int r = party_sock_create_connection(host, port, -1, &sock);
    if (r == 0) {
        r = ask(sock, host);
    }
    if (r < 0) {
        fprintf(stderr, "quit_client: %s:%s: %s\n", host, port, party_strerror(r));
    }
    party_sock_close(sock);
    return r < 0;
}
