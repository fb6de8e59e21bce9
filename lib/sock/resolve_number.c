/* SPDX-License-Identifier: MIT */
/* Services, protocols and interfaces: names of small numbers. */
#include <partyline/resolve.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"
#include "sock/resolve_internal.h"

/*
 * What a getxbyy_r call that found nothing means. An ERANGE that is left had no memory, or met an
 * answer that no sane file has.
 */
static int not_found(int r)
{
    if (r == ERANGE) {
        return -ENOMEM;
    }
    return r == 0 ? -ENOENT : -r;
}

int party_resolve_getservbyname(const char *name, const char *proto)
{
    PARTY__REQUIRE(-EINVAL, name);
    struct party__scratch scratch;
    struct servent entry;
    struct servent *found = NULL;
    int r;
    party__scratch_init(&scratch);
    do {
        r = getservbyname_r(name, proto, &entry, scratch.at, scratch.cap, &found);
    } while (r == ERANGE && party__scratch_grow(&scratch));
    r = found != NULL ? ntohs((uint16_t)found->s_port) : not_found(r);
    party__scratch_finish(&scratch);
    return r;
}

int party_resolve_getservbyport(int port, const char *proto, char *ret_name, size_t name_cap)
{
    PARTY__REQUIRE(-EINVAL, ret_name);
    if (port < 0 || port > PARTY__PORT_MAX) {
        return -ERANGE;
    }
    struct party__scratch scratch;
    struct servent entry;
    struct servent *found = NULL;
    int r;
    party__scratch_init(&scratch);
    do {
        r = getservbyport_r(htons((uint16_t)port), proto, &entry, scratch.at, scratch.cap, &found);
    } while (r == ERANGE && party__scratch_grow(&scratch));
    r = found != NULL ? party__resolve_copy_out(found->s_name, ret_name, name_cap) : not_found(r);
    party__scratch_finish(&scratch);
    return r;
}

int party_resolve_getprotobyname(const char *name)
{
    PARTY__REQUIRE(-EINVAL, name);
    struct party__scratch scratch;
    struct protoent entry;
    struct protoent *found = NULL;
    int r;
    party__scratch_init(&scratch);
    do {
        r = getprotobyname_r(name, &entry, scratch.at, scratch.cap, &found);
    } while (r == ERANGE && party__scratch_grow(&scratch));
    r = found != NULL ? found->p_proto : not_found(r);
    party__scratch_finish(&scratch);
    return r;
}

/* ---- interfaces ---- */

static int copy_interfaces(const struct if_nameindex *all, struct party_resolve_interfaces *list)
{
    size_t count = 0;
    while (all[count].if_index != 0) {
        count++;
    }
    if (count == 0) {
        return 0;
    }
    list->entries = calloc(count, sizeof(list->entries[0]));
    if (list->entries == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        list->entries[i].index = all[i].if_index;
        /* The last byte stays 0: the kernel's names are shorter than IF_NAMESIZE. */
        strncpy(list->entries[i].name, all[i].if_name, IF_NAMESIZE - 1);
    }
    list->count = count;
    return 0;
}

int party_resolve_if_nameindex(struct party_resolve_interfaces *ret_interfaces)
{
    PARTY__REQUIRE(-EINVAL, ret_interfaces);
    struct if_nameindex *all = if_nameindex();
    if (all == NULL) {
        return -errno;
    }
    struct party_resolve_interfaces list = {0};
    int r = copy_interfaces(all, &list);
    if_freenameindex(all);
    if (r == 0) {
        *ret_interfaces = list;
    }
    return r;
}

void party_resolve_interfaces_finish(struct party_resolve_interfaces *interfaces)
{
    if (interfaces == NULL) {
        return;
    }
    free(interfaces->entries);
    *interfaces = (struct party_resolve_interfaces){0};
}

int party_resolve_if_nametoindex(const char *name, unsigned *ret_index)
{
    PARTY__REQUIRE(-EINVAL, name, ret_index);
    errno = 0;
    unsigned index = if_nametoindex(name);
    if (index == 0) {
        return errno > 0 ? -errno : -ENODEV;
    }
    *ret_index = index;
    return 0;
}

int party_resolve_if_indextoname(unsigned index, char ret_name[IF_NAMESIZE])
{
    PARTY__REQUIRE(-EINVAL, ret_name);
    char name[IF_NAMESIZE];
    errno = 0;
    if (if_indextoname(index, name) == NULL) {
        return errno > 0 ? -errno : -ENXIO;
    }
    memcpy(ret_name, name, IF_NAMESIZE);
    return 0;
}
