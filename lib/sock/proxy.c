/* SPDX-License-Identifier: MIT */
#include <partyline/proxy.h>

#include <sys/socket.h>

#include <partyline/connection.h>
#include <partyline/error.h>

#include "base/clock.h"
#include "base/require.h"
#include "sock/sock_call.h"

/*
 * The blocking exchange. Bytes are looked at in the socket's buffer (MSG_PEEK) and taken out only
 * when the client has taken them, as what follows the proxy's last answer is the host's.
 */

#define PEEK_MAX_BYTES 512

/* Sends all output. Returns: 0; an error. */
static int send_output(struct party_sock *sock, struct party_proxy_client *client,
                       int64_t deadline_ns)
{
    for (;;) {
        size_t len;
        const uint8_t *output = party_proxy_client_output(client, &len);
        if (len == 0) {
            return 0;
        }
        size_t sent;
        int r = party__sock_send_until(sock, output, len, 0, deadline_ns, &sent);
        if (r < 0) {
            return r;
        }
        party_proxy_client_sent(client, sent);
    }
}

/* Takes out of the socket's buffer what the client has seen there. */
static int drop(struct party_sock *sock, size_t len, int64_t deadline_ns)
{
    uint8_t buf[PEEK_MAX_BYTES];
    while (len > 0) {
        ssize_t n = party__sock_recv_until(sock, buf, len, 0, deadline_ns);
        if (n <= 0) {
            return n < 0 ? (int)n : PARTY_EOF;
        }
        len -= (size_t)n;
    }
    return 0;
}

static int receive_input(struct party_sock *sock, struct party_proxy_client *client,
                         int64_t deadline_ns)
{
    uint8_t buf[PEEK_MAX_BYTES];
    ssize_t n = party__sock_recv_until(sock, buf, sizeof(buf), MSG_PEEK, deadline_ns);
    if (n <= 0) {
        return n < 0 ? (int)n : PARTY_EOF;
    }
    n = party_proxy_client_input(client, buf, (size_t)n);
    return n < 0 ? (int)n : drop(sock, (size_t)n, deadline_ns);
}

int party_proxy_connect(struct party_sock *sock, const struct party_proxy_settings *settings,
                        struct party_proxy_answer *ret_answer)
{
    PARTY__REQUIRE(-EINVAL, sock, settings);
    struct party_proxy_client *client;
    int r = party_proxy_client_create(settings, &client);
    if (r < 0) {
        return r;
    }
    /* One deadline for all: a proxy that sends a byte now and then must not move it. */
    int64_t deadline_ns = party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT);
    while (r == 0 && !party_proxy_client_is_done(client)) {
        r = send_output(sock, client, deadline_ns);
        if (r == 0) {
            r = receive_input(sock, client, deadline_ns);
        }
    }
    if (ret_answer != NULL) {
        *ret_answer = *party_proxy_client_answer(client);
    }
    party_proxy_client_destroy(client);
    return r;
}

/* What is left until deadline_ns, in whole milliseconds, at least 1; -1 without a deadline. */
static int64_t left_ms(int64_t deadline_ns)
{
    if (deadline_ns == PARTY__NEVER_NS) {
        return -1;
    }
    int64_t left_ns = deadline_ns - party__now_ns();
    return left_ns > PARTY__NS_PER_MS ? left_ns / PARTY__NS_PER_MS : 1;
}

int party_proxy_create_connection(const char *proxy_host, const char *proxy_port,
                                  const struct party_proxy_settings *settings, int64_t timeout_ms,
                                  struct party_sock **ret_sock)
{
    PARTY__REQUIRE(-EINVAL, proxy_port, settings, ret_sock);
    /* Wrong settings are said before anybody is connected to. */
    struct party_proxy_client *client;
    int r = party_proxy_client_create(settings, &client);
    if (r < 0) {
        return r;
    }
    party_proxy_client_destroy(client);
    int64_t deadline_ns = party__deadline_ns(timeout_ms);
    struct party_sock *sock;
    r = party_sock_create_connection(proxy_host, proxy_port, timeout_ms, &sock);
    if (r < 0) {
        return r;
    }
    r = party_sock_settimeout(sock, left_ms(deadline_ns));
    if (r == 0) {
        r = party_proxy_connect(sock, settings, NULL);
    }
    if (r == 0) {
        r = party_sock_settimeout(sock, timeout_ms);
    }
    if (r < 0) {
        (void)party_sock_close(sock);
        return r;
    }
    *ret_sock = sock;
    return 0;
}
