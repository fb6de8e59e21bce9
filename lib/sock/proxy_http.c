/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include <partyline/error.h>

#include "sock/proxy_client.h"

/*
 * HTTP CONNECT (RFC 9110 section 9.3.6). The answer is a head without a body: what follows its
 * empty line comes from the host. So it is read byte by byte and no byte beyond. The grammar is
 * RFC 9112's without what it lets old senders do: no bare LF, no folded lines.
 *
 *   STATUS ─► REASON ─► LF ─► LINE ─► NAME ─► VALUE ─► LF ─► LINE ... ─► END
 */
enum http_state { STATUS, REASON, LINE_LF, LINE, NAME, VALUE, END_LF };

/* "HTTP/1." DIGIT SP 3DIGIT: 'd' is any digit. */
static const char status_pattern[] = "HTTP/1.d ddd";
#define STATUS_CODE_AT 9

static void put_base64(struct party_proxy_client *client, const char *text, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        uint32_t bits = 0;
        for (size_t j = 0; j < 3; j++) {
            bits = bits << 8 | (i + j < len ? (uint8_t)text[i + j] : 0U);
        }
        for (size_t j = 0; j < 4; j++) {
            bool is_padding = i + j > len;
            uint8_t digit = (uint8_t)digits[bits >> (18 - 6 * j) & 63];
            party__proxy_put_byte(client, is_padding ? '=' : digit);
        }
    }
}

static void put_target(struct party_proxy_client *client)
{
    char port[8];
    bool is_v6 = party_address_family(&client->address) == AF_INET6;
    (void)snprintf(port, sizeof(port), ":%u", (unsigned)client->port);
    party__proxy_put_text(client, is_v6 ? "[" : "");
    party__proxy_put_text(client, client->host);
    party__proxy_put_text(client, is_v6 ? "]" : "");
    party__proxy_put_text(client, port);
}

static void begin(struct party_proxy_client *client)
{
    client->state = STATUS;
    party__proxy_put_text(client, "CONNECT ");
    put_target(client);
    party__proxy_put_text(client, " HTTP/1.1\r\nHost: ");
    put_target(client);
    party__proxy_put_text(client, "\r\n");
    if (client->has_user) {
        char both[2 * PARTY_PROXY_TEXT_MAX_BYTES + 2];
        int len = snprintf(both, sizeof(both), "%s:%s", client->user, client->password);
        party__proxy_put_text(client, "Proxy-Authorization: Basic ");
        put_base64(client, both, (size_t)len);
        party__proxy_put_text(client, "\r\n");
        explicit_bzero(both, sizeof(both));
    }
    party__proxy_put_text(client, "\r\n");
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* RFC 9110 section 5.6.2. */
static bool is_token(uint8_t byte)
{
    uint8_t lower = byte | 0x20;
    return is_digit(byte) || (lower >= 'a' && lower <= 'z') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* RFC 9110 section 5.5: what may stand in a value and in a reason. */
static bool is_text(uint8_t byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static int take_status(struct party_proxy_client *client, uint8_t byte)
{
    size_t at = client->status_len;
    if (at == sizeof(status_pattern) - 1) {
        client->state = byte == '\r' ? LINE_LF : REASON;
        return byte == '\r' || byte == ' ' ? 0 : PARTY_EPROXY_PROTOCOL;
    }
    uint8_t wanted = (uint8_t)status_pattern[at];
    bool fits = wanted == 'd' ? is_digit(byte) : byte == wanted;
    if (!fits) {
        return PARTY_EPROXY_PROTOCOL;
    }
    if (at == STATUS_CODE_AT) {
        client->answer.status = 0;
    }
    if (at >= STATUS_CODE_AT) {
        client->answer.status = client->answer.status * 10 + (byte - '0');
    }
    client->status_len++;
    return 0;
}

/* The head is whole. */
static int end_head(struct party_proxy_client *client)
{
    int status = client->answer.status;
    /* An interim answer; the final one is to come. Nobody asked for another protocol (101). */
    if (status >= 100 && status <= 199 && status != 101) {
        client->state = STATUS;
        client->status_len = 0;
        return 0;
    }
    if (status >= 200 && status <= 299) {
        client->is_done = true;
        return 0;
    }
    if (status < 300 || status > 599) {
        return PARTY_EPROXY_PROTOCOL;
    }
    return status == 407 ? PARTY_EPROXY_AUTH : PARTY_EPROXY_STATUS;
}

/* Goes to next on wanted, stays on what is allowed. */
static int step(struct party_proxy_client *client, bool is_wanted, enum http_state next,
                bool is_allowed)
{
    if (is_wanted) {
        client->state = next;
        return 0;
    }
    return is_allowed ? 0 : PARTY_EPROXY_PROTOCOL;
}

static int take(struct party_proxy_client *client, uint8_t byte)
{
    if (client->input_len == PARTY_PROXY_HEAD_MAX_BYTES) {
        return PARTY_EPROXY_TOOLONG;
    }
    client->input_len++;
    switch ((enum http_state)client->state) {
    case STATUS:
        return take_status(client, byte);
    case REASON:
    case VALUE:
        return step(client, byte == '\r', LINE_LF, is_text(byte));
    case LINE_LF:
        return step(client, byte == '\n', LINE, false);
    case LINE:
        if (byte == '\r') {
            client->state = END_LF;
            return 0;
        }
        return step(client, is_token(byte), NAME, false);
    case NAME:
        return step(client, byte == ':', VALUE, is_token(byte));
    case END_LF:
        return byte == '\n' ? end_head(client) : PARTY_EPROXY_PROTOCOL;
    }
    return PARTY_EPROXY_PROTOCOL;
}

const struct party__proxy_ops party__proxy_http_ops = {begin, take};
