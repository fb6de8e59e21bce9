/* SPDX-License-Identifier: MIT */
#include <partyline/resolve.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "sock/idna.h"

#define PORT_MAX 65535

/*
 * glibc reads a numeric service with strtoul(3) and keeps its low 16 bits: "65616" would be port 80
 * and "-1" port 65535. Such a service is refused here instead.
 */
static int check_service(const char *service)
{
    if (isspace((unsigned char)service[0]) || service[0] == '-' || service[0] == '+') {
        return PARTY_EGAI_SERVICE;
    }
    unsigned long port = 0;
    for (size_t i = 0; service[i] != '\0'; i++) {
        if (service[i] < '0' || service[i] > '9') {
            return 0;
        }
        port = port * 10 + (unsigned long)(service[i] - '0');
        if (port > PORT_MAX) {
            return PARTY_EGAI_SERVICE;
        }
    }
    return 0;
}

static int copy_entries(const struct addrinfo *infos, struct party_resolve_list *list)
{
    size_t count = 0;
    for (const struct addrinfo *info = infos; info != NULL; info = info->ai_next) {
        count++;
    }
    if (count == 0) {
        return 0;
    }
    list->entries = calloc(count, sizeof(list->entries[0]));
    if (list->entries == NULL) {
        return -ENOMEM;
    }
    for (const struct addrinfo *info = infos; info != NULL; info = info->ai_next) {
        struct party_resolve_entry *entry = &list->entries[list->count];
        entry->family = info->ai_family;
        entry->type = info->ai_socktype;
        entry->proto = info->ai_protocol;
        party_address_from_sockaddr(&entry->address, info->ai_addr, info->ai_addrlen);
        list->count++;
    }
    /* Only the first entry carries the name, and only with AI_CANONNAME. */
    if (infos->ai_canonname != NULL) {
        list->canonname = strdup(infos->ai_canonname);
        if (list->canonname == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

static int check_arguments(const char *host, const char *service)
{
    if (host == NULL && service == NULL) {
        return PARTY_EGAI_NONAME;
    }
    return service != NULL ? check_service(service) : 0;
}

int party_resolve_getaddrinfo(const char *host, const char *service, int family, int type,
                              int proto, int flags, struct party_resolve_list *ret_list)
{
    char buffer[PARTY__IDNA_CAP];
    int r = check_arguments(host, service);
    if (r == 0 && host != NULL) {
        r = party__idna_encode(host, buffer, &host);
    }
    if (r < 0) {
        return r;
    }
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = type, .ai_protocol = proto, .ai_flags = flags};
    struct addrinfo *infos = NULL;
    errno = 0;
    int eai = getaddrinfo(host, service, &hints, &infos);
    if (eai != 0) {
        return party_error_from_gai(eai, errno);
    }
    struct party_resolve_list list = {0};
    r = copy_entries(infos, &list);
    freeaddrinfo(infos);
    if (r < 0) {
        party_resolve_list_finish(&list);
        return r;
    }
    *ret_list = list;
    return 0;
}

void party_resolve_list_finish(struct party_resolve_list *list)
{
    if (list == NULL) {
        return;
    }
    free(list->entries);
    free(list->canonname);
    *list = (struct party_resolve_list){0};
}

/* ---- one address for bind, connect, sendto ---- */

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
    if (port < 0 || port > PORT_MAX) {
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
