/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_CONFIG_LISTEN_H
#define CHAT_SERVICE_CONFIG_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>

/*
 * The URL of a listener, as --listen and the key `listen` take it:
 *
 *     any://HOST:PORT    every protocol the front door can tell apart
 *     line://HOST:PORT   the line protocol only
 *     irc://HOST:PORT    IRC only
 *     unix:PATH          a Unix socket, every protocol; unix:@NAME is an abstract name
 *
 * HOST is an IPv4 address, an IPv6 address in brackets (with a scope, if it must be), a host name
 * or "*" for every address of the machine. PORT is 0 to 65535; 0 has the kernel choose one.
 *
 *     struct listen_url url;
 *     char why[CONFIG_MESSAGE_MAX];
 *     if (config_listen_parse("line://[::1]:0", &url, why, sizeof why) < 0) {
 *         fprintf(stderr, "%s\n", why);
 *     }
 *
 * Threads: any; nothing is shared.
 */

#define LISTEN_HOST_MAX                                                                            \
    254 /* a host name with its NUL; an IPv6 address with its scope is shorter */
#define LISTEN_PATH_MAX 108 /* what sun_path takes, with a NUL */
#define LISTEN_URL_MAX  512 /* enough for every text config_listen_format writes, with its NUL */

enum listen_kind { LISTEN_ANY, LISTEN_LINE, LISTEN_IRC, LISTEN_UNIX };

struct listen_url {
    enum listen_kind kind;
    char host[LISTEN_HOST_MAX]; /* without brackets; "*" for all addresses; "" for LISTEN_UNIX */
    uint16_t port;              /* 0: the kernel chooses; 0 for LISTEN_UNIX */
    char path[LISTEN_PATH_MAX]; /* LISTEN_UNIX only; begins with '@' for an abstract name */
};

/**
 * Reads a URL.
 * Returns: 0; -1 when it is none, with the reason in message (at most cap bytes with the NUL) and
 *   ret_url untouched.
 */
int config_listen_parse(const char *text, struct listen_url *ret_url, char *message, size_t cap);

/**
 * Writes the URL into text, at most cap bytes with the NUL. With real, where the socket was bound
 * in the end (getsockname), its host and port stand in place of the ones asked for; NULL: as asked
 * for. Returns: text.
 */
char *config_listen_format(const struct listen_url *url, const struct party_address *real,
                           char *text, size_t cap);

/** Whether both ask for the same. */
bool config_listen_equal(const struct listen_url *a, const struct listen_url *b);

#endif
