/* SPDX-License-Identifier: MIT */
/*
 * errors [ADDRESS]: fails in each way that Python has a class of exceptions for, and says which.
 *
 * A code is a number below 0. The kind tells the classes apart; the text is for people, the name
 * for logs. With ADDRESS its host's name is looked up, which should be one without a name.
 */
#include <stdio.h>

#include <partyline/partyline.h>

static void explain(const char *what, int code)
{
    static const char *const classes[] = {
        [PARTY_KIND_NONE] = "no error",          [PARTY_KIND_OS] = "OSError",
        [PARTY_KIND_GAI] = "socket.gaierror",    [PARTY_KIND_HERROR] = "socket.herror",
        [PARTY_KIND_TIMEOUT] = "socket.timeout", [PARTY_KIND_LIBRARY] = "Partyline's own",
    };
    printf("%s: %s: %s (%s)\n", what, classes[party_error_kind(code)], party_strerror(code),
           party_error_name(code));
}

static int ask_nobody(void)
{
    struct party_sock *a, *b;
    int r = party_sock_socketpair(AF_UNIX, SOCK_STREAM, 0, &a, &b);
    if (r < 0) {
        return r;
    }
    char byte;
    r = party_sock_settimeout(a, 10);
    ssize_t n = r < 0 ? r : party_sock_recv(a, &byte, 1, 0); /* b is silent */
    party_sock_close(a);
    party_sock_close(b);
    return (int)n;
}

/* A port that is bound and at which nobody listens. */
static int connect_to_nobody(void)
{
    struct party_address address;
    struct party_sock *deaf = NULL, *sock = NULL;
    int r = party_address_parse("127.0.0.1:0", &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_STREAM, 0, &deaf);
    r = r < 0 ? r : party_sock_bind(deaf, &address);
    r = r < 0 ? r : party_sock_getsockname(deaf, &address);
    r = r < 0 ? r : party_sock_socket(AF_INET, SOCK_STREAM, 0, &sock);
    r = r < 0 ? r : party_sock_connect(sock, &address);
    party_sock_close(sock);
    party_sock_close(deaf);
    return r;
}

int main(int argc, char *argv[])
{
    if (argc > 2) {
        fprintf(stderr, "usage: errors [ADDRESS]\n");
        return 2;
    }
    struct party_address address;
    explain("connect", connect_to_nobody());
    explain("getaddrinfo", party_resolve_address("no such host", 80, AF_INET, &address));
    explain("recv", ask_nobody());
    explain("parse", party_address_parse("no address", &address));
    if (argc > 1) {
        struct party_resolve_host host = {0};
        explain("gethostbyaddr", party_resolve_gethostbyaddr(argv[1], &host));
        party_resolve_host_finish(&host);
    }
    return 0;
}
