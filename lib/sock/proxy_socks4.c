/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <partyline/error.h>

#include "sock/proxy_client.h"

/*
 * SOCKS4 (Ying-Da Lee's protocol, which no RFC has): one question and one answer of eight bytes. A
 * name goes behind the rest of the question, as the extension 4A has it, and the place of the
 * address is taken by one that no host can have, 0.0.0.1.
 */

enum {
    SOCKS4_VERSION = 4,
    ANSWER_VERSION = 0, /* of the answer, not of the protocol */
    COMMAND_CONNECT = 1,
    ANSWER_BYTES = 8, /* version, status, port and address, of which CONNECT has no use */
};

enum { GRANTED = 90, REFUSED = 91, NO_IDENTD = 92, OTHER_IDENTITY = 93 };

bool party__proxy_socks4_has_place_for(const struct party_address *address)
{
    switch (party_address_family(address)) {
    case AF_UNSPEC:
        return true; /* a name */
    case AF_INET:
        return ntohl(address->u.in.sin_addr.s_addr) > 0xff; /* else it stands for a name */
    default:
        return false;
    }
}

/* With the NUL that ends it. */
static void put_ended(struct party_proxy_client *client, const char *text)
{
    party__proxy_put(client, text, strlen(text) + 1);
}

static void begin(struct party_proxy_client *client)
{
    static const uint8_t a_name_follows[4] = {0, 0, 0, 1};
    const uint16_t port = htons(client->port);
    bool is_name = party_address_family(&client->address) == AF_UNSPEC;
    party__proxy_put_byte(client, SOCKS4_VERSION);
    party__proxy_put_byte(client, COMMAND_CONNECT);
    party__proxy_put(client, &port, sizeof(port));
    if (is_name) {
        party__proxy_put(client, a_name_follows, sizeof(a_name_follows));
    } else {
        party__proxy_put(client, &client->address.u.in.sin_addr, 4);
    }
    put_ended(client, client->user);
    if (is_name) {
        put_ended(client, client->host);
    }
}

static int error_of_status(uint8_t status)
{
    switch (status) {
    case GRANTED:
        return 0;
    case REFUSED:
        return PARTY_EPROXY_FAILURE;
    case NO_IDENTD:
    case OTHER_IDENTITY:
        return PARTY_EPROXY_AUTH;
    default:
        return PARTY_EPROXY_UNASSIGNED;
    }
}

static int take(struct party_proxy_client *client, uint8_t byte)
{
    client->input_len++;
    if (client->input_len == 1) {
        return byte == ANSWER_VERSION ? 0 : PARTY_EPROXY_PROTOCOL;
    }
    if (client->input_len == 2) {
        client->answer.status = byte;
        return error_of_status(byte);
    }
    client->is_done = client->input_len == ANSWER_BYTES;
    return 0;
}

const struct party__proxy_ops party__proxy_socks4_ops = {begin, take};
