/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_PROXY_H
#define PARTYLINE_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/sock.h>

PARTY_BEGIN_DECLS

/*
 * Connections through a proxy: SOCKS5 (RFC 1928, RFC 1929), HTTP CONNECT (RFC 9110 section 9.3.6)
 * and SOCKS4 with its extension 4A. The name of the host goes to the proxy as it is and is looked
 * up there. What a proxy says of the client behind it (the PROXY protocol) is in proxy_header.h.
 *
 *     struct party_proxy_settings settings = {
 *         .protocol = PARTY_PROXY_SOCKS5, .host = "example.org", .port = 80};
 *     r = party_proxy_create_connection("127.0.0.1", "1080", &settings, 10 * 1000, &sock);
 *
 * The blocking functions are made of party_proxy_client, which does no I/O and serves streams, too:
 *
 *     while (!party_proxy_client_is_done(client)) {
 *         output = party_proxy_client_output(client, &len);
 *         ... send up to len bytes of it, then party_proxy_client_sent(client, sent) ...
 *         ... receive; taken = party_proxy_client_input(client, data, len);
 *         ... what was not taken (taken < len) belongs to what comes next ...
 *     }
 *
 * Threads: any; a client belongs to one at a time.
 */

enum party_proxy_protocol {
    PARTY_PROXY_SOCKS5,
    PARTY_PROXY_HTTP,
    PARTY_PROXY_SOCKS4, /* names as the extension 4A has them, which not every proxy knows */
};

/* Most bytes of a host, a user and a password; RFC 1928 and RFC 1929 have a byte for each length.
 */
#define PARTY_PROXY_TEXT_MAX_BYTES 255

/* Most bytes a HTTP proxy may say before the tunnel is there, interim answers included. */
#define PARTY_PROXY_HEAD_MAX_BYTES 8192

struct party_proxy_settings {
    enum party_proxy_protocol protocol;
    const char *host;     /* where to: letters, digits, '-', '.', '_', or a numeric address */
    uint16_t port;        /* 1..65535 */
    const char *user;     /* who asks, not empty; NULL: nobody in particular */
    const char *password; /* NULL: none, or empty when there is a user; SOCKS4 has none */
};

/* What the proxy said. */
struct party_proxy_answer {
    int status;                 /* HTTP: the status code; SOCKS: the reply field; -1: none came */
    struct party_address bound; /* SOCKS5: where the proxy connects from; AF_UNSPEC: not said */
};

/**
 * Has the proxy at the other end of a connected socket connect to settings->host. On success the
 * socket is a connection to that host, and nothing the host sent has been read. The socket's
 * timeout bounds the whole exchange.
 * Returns: 0; PARTY_EOF when the proxy closed; a PARTY_EPROXY_ code; PARTY_EADDRESS for a host with
 *   other bytes than above, and for SOCKS4 an IPv6 address or one of 0.0.0.0/24; -EINVAL for no
 *   host, a port of 0, a text that is too long, a user that is empty, (HTTP) user or password with
 *   control bytes, or a user with a colon, (SOCKS4) a password; -ENOMEM; -EAGAIN, PARTY_ETIMEOUT,
 *   -errno as party_sock_recv_into and party_sock_send.
 * Owns: nothing. After a failure other than those of the arguments the connection is of no use.
 *   ret_answer may be NULL; it is set whenever the exchange has begun.
 * Blocks: up to the socket's timeout in all.
 */
PARTY_API PARTY_MUST_USE int party_proxy_connect(struct party_sock *sock,
                                                 const struct party_proxy_settings *settings,
                                                 struct party_proxy_answer *ret_answer);

/**
 * Connects to the proxy and through it: party_sock_create_connection, then party_proxy_connect,
 * within timeout_ms in all (-1: for ever). The socket's timeout is timeout_ms afterwards.
 * Returns: as the two. Owns: on success the caller owns the socket. Blocks: up to timeout_ms.
 */
PARTY_API PARTY_MUST_USE int party_proxy_create_connection(
    const char *proxy_host, const char *proxy_port, const struct party_proxy_settings *settings,
    int64_t timeout_ms, struct party_sock **ret_sock);

/* ---- without I/O ---- */

struct party_proxy_client;

/**
 * Makes the client's side of the exchange. settings and its texts are copied.
 * Returns: 0; PARTY_EADDRESS, -EINVAL as party_proxy_connect; -ENOMEM.
 * Owns: on success the caller owns the client.
 */
PARTY_API PARTY_MUST_USE int party_proxy_client_create(const struct party_proxy_settings *settings,
                                                       struct party_proxy_client **ret_client);

/** Frees the client and wipes what it knew of the password. NULL is accepted. */
PARTY_API void party_proxy_client_destroy(struct party_proxy_client *client);

/** What is to be sent now, borrowed until the next call. *ret_len is 0 when it is the proxy's turn.
 */
PARTY_API const uint8_t *party_proxy_client_output(const struct party_proxy_client *client,
                                                   size_t *ret_len);

/** Says that so many bytes of the output went out. */
PARTY_API void party_proxy_client_sent(struct party_proxy_client *client, size_t len);

/**
 * Takes what the proxy sent, in pieces of any size, and never a byte beyond its last answer. While
 * there is output to send nothing is taken.
 * Returns: how many bytes were taken; a PARTY_EPROXY_ code, the same again at each later call.
 */
PARTY_API PARTY_MUST_USE ssize_t party_proxy_client_input(struct party_proxy_client *client,
                                                          const void *data, size_t len);

/** Whether the tunnel is there. */
PARTY_API bool party_proxy_client_is_done(const struct party_proxy_client *client);

/** What the proxy has said so far; it stays the client's. */
PARTY_API const struct party_proxy_answer *party_proxy_client_answer(
    const struct party_proxy_client *client);

PARTY_END_DECLS
#endif
