/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_PROXY_CLIENT_H
#define PARTYLINE_SOCK_PROXY_CLIENT_H

#include <partyline/proxy.h>

/* Inside lib/sock: a client that any of the protocols fills. */

/* The longest output: CONNECT with the host twice, and Basic with user, colon and password. */
#define PARTY__PROXY_OUTPUT_MAX_BYTES 1536

/* The longest answer of SOCKS5: four bytes, a name with its length, a port. */
#define PARTY__SOCKS5_ANSWER_MAX_BYTES (4 + 1 + 255 + 2)

struct party_proxy_client;

/* A protocol: writes its first output, then takes bytes. */
struct party__proxy_ops {
    /** Writes the first output. Everything in the settings has been checked. */
    void (*begin)(struct party_proxy_client *client);
    /** Takes one byte. Returns: 0; a PARTY_EPROXY_ code. May write output, may set is_done. */
    int (*take)(struct party_proxy_client *client, uint8_t byte);
};

struct party_proxy_client {
    const struct party__proxy_ops *ops;
    char host[PARTY_PROXY_TEXT_MAX_BYTES + 1];
    char user[PARTY_PROXY_TEXT_MAX_BYTES + 1];
    char password[PARTY_PROXY_TEXT_MAX_BYTES + 1];
    bool has_user;
    uint16_t port;
    struct party_address address; /* of host when it is numeric, with port; else AF_UNSPEC */

    uint8_t output[PARTY__PROXY_OUTPUT_MAX_BYTES];
    size_t output_len;
    size_t output_sent;

    unsigned state; /* the protocol's own */
    bool is_done;
    int error; /* 0: none */
    struct party_proxy_answer answer;
    uint8_t input[PARTY__SOCKS5_ANSWER_MAX_BYTES]; /* SOCKS5: the answer so far */
    size_t input_len;                              /* SOCKS5: bytes in input; else bytes taken */
    size_t status_len;                             /* HTTP: bytes of the status line taken */
};

/** Appends to the output. It always fits, as the settings' lengths are checked. */
void party__proxy_put(struct party_proxy_client *client, const void *bytes, size_t len);
void party__proxy_put_text(struct party_proxy_client *client, const char *text);
void party__proxy_put_byte(struct party_proxy_client *client, uint8_t byte);

/** Whether SOCKS4 can ask for the address; one without a family stands for a name. */
bool party__proxy_socks4_has_place_for(const struct party_address *address);

extern const struct party__proxy_ops party__proxy_socks4_ops;
extern const struct party__proxy_ops party__proxy_socks5_ops;
extern const struct party__proxy_ops party__proxy_http_ops;

#endif
