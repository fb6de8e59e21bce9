/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/partyline.h>

/*
 * proxy_get PROTOCOL PROXY_HOST PROXY_PORT HOST PORT [USER PASSWORD]: connects through a proxy,
 * says "hello", and prints what comes back until the end. For test_proxy.py. When it fails it
 * prints the error's name.
 */

#define TIMEOUT_MS 30000

static int complain(int code)
{
    (void)fprintf(stderr, "%s\n", party_error_name(code));
    return 1;
}

/* Not until the end of the stream: some proxies take a side that is shut down for the end of both.
 */
static int say_hello(struct party_sock *sock)
{
    int lines_left = 2;
    int r = party_sock_sendall(sock, "hello\n", 6, 0);
    while (r == 0 && lines_left > 0) {
        char c;
        ssize_t n = party_sock_recv_into(sock, &c, 1, 0);
        if (n <= 0) {
            return n < 0 ? (int)n : PARTY_EOF;
        }
        (void)putchar(c);
        lines_left -= c == '\n' ? 1 : 0;
    }
    return r;
}

static enum party_proxy_protocol protocol_of(const char *name)
{
    if (strcmp(name, "http") == 0) {
        return PARTY_PROXY_HTTP;
    }
    return strcmp(name, "socks4") == 0 ? PARTY_PROXY_SOCKS4 : PARTY_PROXY_SOCKS5;
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 8) {
        (void)fprintf(stderr, "usage: proxy_get socks5|http|socks4 PROXY_HOST PROXY_PORT HOST PORT "
                              "[USER [PASSWORD]]\n");
        return 2;
    }
    const struct party_proxy_settings settings = {
        .protocol = protocol_of(argv[1]),
        .host = argv[4],
        .port = (uint16_t)strtoul(argv[5], NULL, 10),
        .user = argc > 6 ? argv[6] : NULL,
        .password = argc > 7 ? argv[7] : NULL,
    };
    struct party_sock *sock;
    int r = party_proxy_create_connection(argv[2], argv[3], &settings, TIMEOUT_MS, &sock);
    if (r < 0) {
        return complain(r);
    }
    r = say_hello(sock);
    (void)party_sock_close(sock);
    return r < 0 ? complain(r) : 0;
}
