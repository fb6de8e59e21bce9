/* SPDX-License-Identifier: MIT */
#include "service/config_listen.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const char *const scheme_names[] = {
    [LISTEN_ANY] = "any", [LISTEN_LINE] = "line", [LISTEN_IRC] = "irc"};

#define SCHEMES (sizeof scheme_names / sizeof scheme_names[0])

/* Schemes that have a meaning to come: a plain "unknown" would be misleading. */
static const char *const reserved[] = {"ircs", "ws", "wss", "http", "https"};

/* Messages quote at most this much of a text from outside. */
#define QUOTE_MAX 80

static int fail(char *message, size_t cap, const char *text, const char *what)
{
    (void)snprintf(message, cap, "%.*s: %s", QUOTE_MAX, text, what);
    return -1;
}

static bool has_only(const char *text, const char *chars)
{
    return text[strspn(text, chars)] == '\0';
}

static bool is_host_name(const char *host)
{
    return host[0] != '-' && host[0] != '.' && strstr(host, "..") == NULL &&
           has_only(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
}

/* host holds an IPv6 address with or without a scope; the scope is whatever may name an interface.
 */
static bool is_v6(const char *host)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr in6;
    size_t len = strcspn(host, "%");

    if (len >= sizeof address) {
        return false;
    }
    memcpy(address, host, len);
    address[len] = '\0';
    if (host[len] == '%') {
        size_t scope = strlen(host + len + 1);
        if (scope == 0 || scope >= IF_NAMESIZE || strpbrk(host + len + 1, " /%]") != NULL) {
            return false;
        }
    }
    return inet_pton(AF_INET6, address, &in6) == 1;
}

/* Returns: NULL when the host is one, else what is wrong with it. */
static const char *check_host(const char *host, bool in_brackets)
{
    struct in_addr in;

    if (in_brackets) {
        return is_v6(host) ? NULL : "not an IPv6 address between the brackets";
    }
    if (host[0] == '\0') {
        return "the host is missing (* means every address)";
    }
    if (strcmp(host, "*") == 0) {
        return NULL;
    }
    if (strchr(host, ':') != NULL) {
        return "an IPv6 address stands in brackets, as in [::1]:60000";
    }
    /* Digits and dots alone are never a host name, however the resolver would take them. */
    if (has_only(host, "0123456789.")) {
        return inet_pton(AF_INET, host, &in) == 1 ? NULL : "not an IPv4 address";
    }
    return is_host_name(host) ? NULL : "not a host name";
}

/* Returns: NULL, else what is wrong. */
static const char *parse_port(const char *text, uint16_t *ret_port)
{
    unsigned port = 0;

    if (text[0] == '\0') {
        return "the port is missing (0 picks a free one)";
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return "the port is not a number";
        }
        port = port * 10 + (unsigned)(*p - '0');
        if (port > 65535) {
            return "the port is more than 65535";
        }
    }
    *ret_port = (uint16_t)port;
    return NULL;
}

static int parse_host_port(const char *text, const char *rest, struct listen_url *url,
                           char *message, size_t cap)
{
    bool in_brackets = rest[0] == '[';
    const char *host = rest + in_brackets;
    const char *end = in_brackets ? strchr(host, ']') : strrchr(host, ':');

    if (end == NULL && in_brackets) {
        return fail(message, cap, text, "the closing bracket is missing");
    }
    if (end == NULL) {
        return fail(message, cap, text, "the port is missing (0 picks a free one)");
    }
    if ((size_t)(end - host) >= sizeof url->host) {
        return fail(message, cap, text, "the host is too long");
    }
    memcpy(url->host, host, (size_t)(end - host));
    url->host[end - host] = '\0';
    const char *wrong = check_host(url->host, in_brackets);
    if (wrong != NULL) {
        return fail(message, cap, text, wrong);
    }
    if (in_brackets && *++end != ':') {
        return fail(message, cap, text, "the port is missing (0 picks a free one)");
    }
    wrong = parse_port(end + 1, &url->port);
    return wrong != NULL ? fail(message, cap, text, wrong) : 0;
}

static int parse_unix(const char *text, struct listen_url *url, char *message, size_t cap)
{
    const char *path = text + strlen("unix:");

    if (path[0] == '\0' || strcmp(path, "@") == 0) {
        return fail(message, cap, text, "the path is missing");
    }
    if (strlen(path) >= sizeof url->path) {
        return fail(message, cap, text, "the path is longer than the 107 bytes a socket may have");
    }
    url->kind = LISTEN_UNIX;
    (void)snprintf(url->path, sizeof url->path, "%s", path);
    return 0;
}

static int fail_scheme(const char *text, size_t len, char *message, size_t cap)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strlen(reserved[i]) == len && strncmp(reserved[i], text, len) == 0) {
            (void)snprintf(message, cap, "%s:// is not supported by this version", reserved[i]);
            return -1;
        }
    }
    return fail(message, cap, text,
                "a listener is any://HOST:PORT, line://HOST:PORT, irc://HOST:PORT or unix:PATH");
}

static bool find_scheme(const char *text, size_t len, enum listen_kind *ret_kind)
{
    for (size_t i = 0; i < SCHEMES; i++) {
        if (strlen(scheme_names[i]) == len && strncmp(scheme_names[i], text, len) == 0) {
            *ret_kind = (enum listen_kind)i;
            return true;
        }
    }
    return false;
}

int config_listen_parse(const char *text, struct listen_url *ret_url, char *message, size_t cap)
{
    struct listen_url url = {0};
    int r = 0;

    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return fail(message, cap, "the URL", "control characters in it");
        }
    }
    const char *colons = strstr(text, "://");
    size_t len = colons != NULL ? (size_t)(colons - text) : 0;
    if (strncmp(text, "unix:", 5) == 0) {
        r = parse_unix(text, &url, message, cap);
    } else if (find_scheme(text, len, &url.kind)) {
        r = parse_host_port(text, colons + 3, &url, message, cap);
    } else {
        r = fail_scheme(text, len, message, cap);
    }
    if (r == 0) {
        *ret_url = url;
    }
    return r;
}

char *config_listen_format(const struct listen_url *url, const struct party_address *real,
                           char *text, size_t cap)
{
    char address[PARTY_ADDRESS_TEXT_MAX];

    if (url->kind == LISTEN_UNIX) {
        (void)snprintf(text, cap, "unix:%s", url->path);
    } else if (real != NULL) {
        (void)snprintf(text, cap, "%s://%s", scheme_names[url->kind],
                       party_address_format(real, address, sizeof address));
    } else if (strchr(url->host, ':') != NULL) {
        (void)snprintf(text, cap, "%s://[%s]:%u", scheme_names[url->kind], url->host, url->port);
    } else {
        (void)snprintf(text, cap, "%s://%s:%u", scheme_names[url->kind], url->host, url->port);
    }
    return text;
}

bool config_listen_equal(const struct listen_url *a, const struct listen_url *b)
{
    return a->kind == b->kind && a->port == b->port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->path, b->path) == 0;
}
