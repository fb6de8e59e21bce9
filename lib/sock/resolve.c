/* SPDX-License-Identifier: MIT */
#include <partyline/resolve.h>

#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/idna.h"
#include "sock/resolve_internal.h"

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
        if (port > PARTY__PORT_MAX) {
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
    PARTY__REQUIRE(-EINVAL, ret_list);
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
