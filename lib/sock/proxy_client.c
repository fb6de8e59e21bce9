/* SPDX-License-Identifier: MIT */
#include "sock/proxy_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"

/*
 * A client is in turns to speak (output waits) or to listen, done, or broken (error is set). What
 * the bytes mean is the protocol's; here is what both have in common.
 */

void party__proxy_put(struct party_proxy_client *client, const void *bytes, size_t len)
{
    assert(len <= sizeof(client->output) - client->output_len);
    memcpy(client->output + client->output_len, bytes, len);
    client->output_len += len;
}

void party__proxy_put_text(struct party_proxy_client *client, const char *text)
{
    party__proxy_put(client, text, strlen(text));
}

void party__proxy_put_byte(struct party_proxy_client *client, uint8_t byte)
{
    party__proxy_put(client, &byte, 1);
}

/* The address when host is numeric. */
static struct party_address numeric_address(const char *host, uint16_t port)
{
    struct party_address address = {0};
    if (inet_pton(AF_INET, host, &address.u.in.sin_addr) == 1) {
        address.u.in.sin_family = AF_INET;
        address.len = sizeof(address.u.in);
    } else if (inet_pton(AF_INET6, host, &address.u.in6.sin6_addr) == 1) {
        address.u.in6.sin6_family = AF_INET6;
        address.len = sizeof(address.u.in6);
    }
    party_address_set_port(&address, port);
    return address;
}

/* Whether all bytes can stand in a host name; anything else could end a line or a field. */
static bool is_name(const char *host)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._";
    return host[0] != '\0' && host[strspn(host, allowed)] == '\0';
}

static bool has_control_bytes(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

/* Copies a text of the settings. Returns: 0; -EINVAL when it is too long. */
static int copy_text(const char *text, char *copy)
{
    size_t len = strnlen(text, PARTY_PROXY_TEXT_MAX_BYTES + 1);
    if (len > PARTY_PROXY_TEXT_MAX_BYTES) {
        return -EINVAL;
    }
    memcpy(copy, text, len + 1);
    return 0;
}

static int take_user(struct party_proxy_client *client, const struct party_proxy_settings *settings)
{
    if (settings->user == NULL) {
        return settings->password == NULL ? 0 : -EINVAL;
    }
    if (settings->protocol == PARTY_PROXY_SOCKS4 && settings->password != NULL) {
        return -EINVAL; /* it has no place for one, and to leave it out would be silent */
    }
    const char *password = settings->password != NULL ? settings->password : "";
    if (copy_text(settings->user, client->user) < 0 || copy_text(password, client->password) < 0 ||
        client->user[0] == '\0') {
        return -EINVAL;
    }
    /* RFC 7617 section 2. SOCKS5 counts its bytes and takes them all. */
    if (settings->protocol == PARTY_PROXY_HTTP &&
        (has_control_bytes(client->user) || has_control_bytes(client->password) ||
         strchr(client->user, ':') != NULL)) {
        return -EINVAL;
    }
    client->has_user = true;
    return 0;
}

static int take_settings(struct party_proxy_client *client,
                         const struct party_proxy_settings *settings)
{
    if (settings->host == NULL || settings->port == 0 ||
        copy_text(settings->host, client->host) < 0) {
        return -EINVAL;
    }
    client->port = settings->port;
    client->address = numeric_address(client->host, client->port);
    if (client->address.len == 0 && !is_name(client->host)) {
        return PARTY_EADDRESS;
    }
    if (settings->protocol == PARTY_PROXY_SOCKS4 &&
        !party__proxy_socks4_has_place_for(&client->address)) {
        return PARTY_EADDRESS;
    }
    return take_user(client, settings);
}

int party_proxy_client_create(const struct party_proxy_settings *settings,
                              struct party_proxy_client **ret_client)
{
    PARTY__REQUIRE(-EINVAL, settings, ret_client);
    static const struct party__proxy_ops *const all_ops[] = {
        [PARTY_PROXY_SOCKS5] = &party__proxy_socks5_ops,
        [PARTY_PROXY_HTTP] = &party__proxy_http_ops,
        [PARTY_PROXY_SOCKS4] = &party__proxy_socks4_ops,
    };
    size_t protocol = (size_t)settings->protocol;
    if (protocol >= sizeof(all_ops) / sizeof(all_ops[0])) {
        return -EINVAL;
    }
    struct party_proxy_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return -ENOMEM;
    }
    client->ops = all_ops[protocol];
    client->answer.status = -1;
    int r = take_settings(client, settings);
    if (r < 0) {
        party_proxy_client_destroy(client);
        return r;
    }
    client->ops->begin(client);
    *ret_client = client;
    return 0;
}

void party_proxy_client_destroy(struct party_proxy_client *client)
{
    if (client == NULL) {
        return;
    }
    explicit_bzero(client, sizeof(*client));
    free(client);
}

const uint8_t *party_proxy_client_output(const struct party_proxy_client *client, size_t *ret_len)
{
    PARTY__REQUIRE(NULL, client, ret_len);
    *ret_len = client->output_len - client->output_sent;
    return client->output + client->output_sent;
}

void party_proxy_client_sent(struct party_proxy_client *client, size_t len)
{
    PARTY__REQUIRE_VOID(client);
    size_t left = client->output_len - client->output_sent;
    assert(len <= left);
    client->output_sent += len < left ? len : left;
    if (client->output_sent == client->output_len) {
        client->output_len = 0;
        client->output_sent = 0;
    }
}

ssize_t party_proxy_client_input(struct party_proxy_client *client, const void *data, size_t len)
{
    PARTY__REQUIRE(-EINVAL, client);
    PARTY__REQUIRE_BYTES(-EINVAL, data, len);
    const uint8_t *bytes = data;
    size_t taken = 0;
    while (taken < len && client->error == 0 && !client->is_done && client->output_len == 0) {
        client->error = client->ops->take(client, bytes[taken]);
        taken++;
    }
    return client->error < 0 ? client->error : (ssize_t)taken;
}

bool party_proxy_client_is_done(const struct party_proxy_client *client)
{
    PARTY__REQUIRE(false, client);
    return client->is_done;
}

const struct party_proxy_answer *party_proxy_client_answer(const struct party_proxy_client *client)
{
    PARTY__REQUIRE(NULL, client);
    return &client->answer;
}
