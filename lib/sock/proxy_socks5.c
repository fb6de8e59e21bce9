/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <partyline/error.h>

#include "sock/proxy_client.h"

/*
 * SOCKS5 (RFC 1928), with user and password as RFC 1929 has them:
 *
 *   METHOD   sent: the ways to say who we are; the proxy picks one
 *   AUTH     sent: user and password; the proxy says whether it takes them
 *   REPLY    sent: where to; the proxy says how it went, and from which address
 */
enum socks5_state { METHOD, AUTH, REPLY };

enum {
    SOCKS5_VERSION = 5,
    AUTH_VERSION = 1,
    METHOD_NONE = 0,
    METHOD_PASSWORD = 2,
    METHOD_REFUSED = 0xff,
    COMMAND_CONNECT = 1,
    TYPE_IPV4 = 1,
    TYPE_NAME = 3,
    TYPE_IPV6 = 4,
};

/* Where in a reply its parts lie. */
enum { REPLY_STATUS = 1, REPLY_TYPE = 3, REPLY_ADDRESS = 4 };

static void begin(struct party_proxy_client *client)
{
    client->state = METHOD;
    party__proxy_put_byte(client, SOCKS5_VERSION);
    party__proxy_put_byte(client, client->has_user ? 2 : 1);
    party__proxy_put_byte(client, METHOD_NONE);
    if (client->has_user) {
        party__proxy_put_byte(client, METHOD_PASSWORD);
    }
}

static void put_counted(struct party_proxy_client *client, const char *text)
{
    size_t len = strlen(text);
    party__proxy_put_byte(client, (uint8_t)len);
    party__proxy_put(client, text, len);
}

static void put_auth(struct party_proxy_client *client)
{
    client->state = AUTH;
    party__proxy_put_byte(client, AUTH_VERSION);
    put_counted(client, client->user);
    put_counted(client, client->password);
}

static void put_request(struct party_proxy_client *client)
{
    const uint16_t port = htons(client->port);
    client->state = REPLY;
    party__proxy_put_byte(client, SOCKS5_VERSION);
    party__proxy_put_byte(client, COMMAND_CONNECT);
    party__proxy_put_byte(client, 0);
    switch (party_address_family(&client->address)) {
    case AF_INET:
        party__proxy_put_byte(client, TYPE_IPV4);
        party__proxy_put(client, &client->address.u.in.sin_addr, 4);
        break;
    case AF_INET6:
        party__proxy_put_byte(client, TYPE_IPV6);
        party__proxy_put(client, &client->address.u.in6.sin6_addr, 16);
        break;
    default:
        party__proxy_put_byte(client, TYPE_NAME);
        put_counted(client, client->host);
        break;
    }
    party__proxy_put(client, &port, sizeof(port));
}

static int take_method(struct party_proxy_client *client)
{
    if (client->input[0] != SOCKS5_VERSION) {
        return PARTY_EPROXY_PROTOCOL;
    }
    uint8_t method = client->input[1];
    if (method == METHOD_REFUSED) {
        return PARTY_EPROXY_METHODS;
    }
    if (method == METHOD_PASSWORD && client->has_user) {
        put_auth(client);
        return 0;
    }
    if (method != METHOD_NONE) {
        return PARTY_EPROXY_PROTOCOL;
    }
    put_request(client);
    return 0;
}

static int take_auth(struct party_proxy_client *client)
{
    if (client->input[0] != AUTH_VERSION) {
        return PARTY_EPROXY_PROTOCOL;
    }
    if (client->input[1] != 0) {
        return PARTY_EPROXY_AUTH;
    }
    put_request(client);
    return 0;
}

/* RFC 1928 section 6, the reply field. */
static int error_of_status(uint8_t status)
{
    static const int errors[] = {
        0,
        PARTY_EPROXY_FAILURE,
        PARTY_EPROXY_NOTALLOWED,
        PARTY_EPROXY_NETUNREACH,
        PARTY_EPROXY_HOSTUNREACH,
        PARTY_EPROXY_CONNREFUSED,
        PARTY_EPROXY_TTL,
        PARTY_EPROXY_COMMAND,
        PARTY_EPROXY_ADDRTYPE,
    };
    return status < sizeof(errors) / sizeof(errors[0]) ? errors[status] : PARTY_EPROXY_UNASSIGNED;
}

/* How long the address in the reply is, its length byte included. 0: no such type. */
static size_t address_len(const struct party_proxy_client *client)
{
    switch (client->input[REPLY_TYPE]) {
    case TYPE_IPV4:
        return 4;
    case TYPE_IPV6:
        return 16;
    case TYPE_NAME:
        return (size_t)client->input[REPLY_ADDRESS] + 1;
    default:
        return 0;
    }
}

static void keep_bound_address(struct party_proxy_client *client, size_t len)
{
    const uint8_t *at = client->input + REPLY_ADDRESS;
    struct party_address *bound = &client->answer.bound;
    uint16_t port;
    memcpy(&port, at + len, sizeof(port));
    if (client->input[REPLY_TYPE] == TYPE_IPV4) {
        bound->len = sizeof(bound->u.in);
        bound->u.in.sin_family = AF_INET;
        bound->u.in.sin_port = port;
        memcpy(&bound->u.in.sin_addr, at, len);
    } else if (client->input[REPLY_TYPE] == TYPE_IPV6) {
        bound->len = sizeof(bound->u.in6);
        bound->u.in6.sin6_family = AF_INET6;
        bound->u.in6.sin6_port = port;
        memcpy(&bound->u.in6.sin6_addr, at, len);
    }
}

/* Looks at a reply of which input_len bytes are there. */
static int take_reply(struct party_proxy_client *client)
{
    /* What proxies write into the third byte, which is reserved, is of no interest. */
    if (client->input_len == 2) {
        if (client->input[0] != SOCKS5_VERSION) {
            return PARTY_EPROXY_PROTOCOL;
        }
        client->answer.status = client->input[REPLY_STATUS];
        return error_of_status(client->input[REPLY_STATUS]);
    }
    if (client->input_len <= REPLY_ADDRESS) {
        return 0;
    }
    size_t len = address_len(client);
    if (len == 0) {
        return PARTY_EPROXY_PROTOCOL;
    }
    if (client->input_len == REPLY_ADDRESS + len + sizeof(uint16_t)) {
        keep_bound_address(client, len);
        client->is_done = true;
    }
    return 0;
}

static int take(struct party_proxy_client *client, uint8_t byte)
{
    client->input[client->input_len] = byte;
    client->input_len++;
    if (client->state == REPLY) {
        return take_reply(client);
    }
    if (client->input_len < 2) {
        return 0;
    }
    client->input_len = 0;
    return client->state == METHOD ? take_method(client) : take_auth(client);
}

const struct party__proxy_ops party__proxy_socks5_ops = {begin, take};
