/* SPDX-License-Identifier: MIT */
/* The one address that bind, connect and sendto need of a host and a port. */
#include <partyline/resolve.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/resolve_internal.h"

static void put_v4(struct party_address *address, struct in_addr addr)
{
    *address = (struct party_address){.len = sizeof(address->u.in)};
    address->u.in.sin_family = AF_INET;
    address->u.in.sin_addr = addr;
}

static void put_v6(struct party_address *address, const struct in6_addr *addr)
{
    *address = (struct party_address){.len = sizeof(address->u.in6)};
    address->u.in6.sin6_family = AF_INET6;
    address->u.in6.sin6_addr = *addr;
}

static int wildcard(int family, struct party_address *address)
{
    switch (family) {
    case AF_INET:
        put_v4(address, (struct in_addr){htonl(INADDR_ANY)});
        return 0;
    case AF_INET6:
        put_v6(address, &in6addr_any);
        return 0;
    default:
        /* There are two, and which of them is meant nobody said. */
        return -EAFNOSUPPORT;
    }
}

/* Reads what is an address by itself. Returns: 1; 0 when the host must be looked up. */
static int read_numeric(const char *host, int family, struct party_address *address)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (family != AF_INET6 && inet_pton(AF_INET, host, &v4) == 1) {
        put_v4(address, v4);
        return 1;
    }
    /* A text with a scope is none that inet_pton(3) reads: getaddrinfo knows the interfaces. */
    if (family != AF_INET && inet_pton(AF_INET6, host, &v6) == 1) {
        put_v6(address, &v6);
        return 1;
    }
    return 0;
}

static int look_up_first(const char *host, int family, struct party_address *address)
{
    struct party_resolve_list list;
    int r = party_resolve_getaddrinfo(host, NULL, family, 0, 0, 0, &list);
    if (r < 0) {
        return r;
    }
    if (list.count == 0) {
        r = PARTY_EGAI_NODATA;
    } else if (list.entries[0].family != AF_INET && list.entries[0].family != AF_INET6) {
        r = -EAFNOSUPPORT;
    } else {
        *address = list.entries[0].address;
    }
    party_resolve_list_finish(&list);
    return r;
}

static int address_of_host(const char *host, int family, struct party_address *address)
{
    if (host == NULL || host[0] == '\0') {
        return wildcard(family, address);
    }
    if (strcmp(host, "<broadcast>") == 0) {
        if (family == AF_INET6) {
            return -EAFNOSUPPORT;
        }
        put_v4(address, (struct in_addr){htonl(INADDR_BROADCAST)});
        return 0;
    }
    int r = read_numeric(host, family, address);
    return r == 1 ? 0 : look_up_first(host, family, address);
}

int party_resolve_address(const char *host, int port, int family, struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, ret_address);
    if (port < 0 || port > PARTY__PORT_MAX) {
        return -ERANGE;
    }
    if (family != AF_INET && family != AF_INET6 && family != AF_UNSPEC) {
        return -EAFNOSUPPORT;
    }
    struct party_address address;
    int r = address_of_host(host, family, &address);
    if (r < 0) {
        return r;
    }
    party_address_set_port(&address, (uint16_t)port);
    *ret_address = address;
    return 0;
}

/* The port that text names: digits are read here, other text is a service's name. */
static int port_of_text(const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return 0;
    }
    if (strspn(text, "+-0123456789") != strlen(text)) {
        int port = party_resolve_getservbyname(text, NULL);
        return port == -ENOENT ? PARTY_EGAI_SERVICE : port;
    }
    int port = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '+' || *at == '-') {
            return PARTY_EGAI_SERVICE;
        }
        port = port * 10 + (*at - '0');
        if (port > PARTY__PORT_MAX) {
            return PARTY_EGAI_SERVICE;
        }
    }
    return port;
}

int party_resolve_host_port(const char *host, const char *port, int family,
                            struct party_address *ret_address)
{
    PARTY__REQUIRE(-EINVAL, ret_address);
    int number = port_of_text(port);
    return number < 0 ? number : party_resolve_address(host, number, family, ret_address);
}
