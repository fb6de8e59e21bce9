/* SPDX-License-Identifier: MIT */
/* Hosts by name and by address, the way of Python's gethostby functions, and this host's name. */
#include <partyline/resolve.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/idna.h"
#include "sock/resolve_internal.h"

/* Linux ends names at 64 bytes; this is enough for kernels to come. */
#define HOST_NAME_CAP 256

int party_resolve_getnameinfo(const struct party_address *address, int flags, char *ret_host,
                              size_t host_cap, char *ret_service, size_t service_cap)
{
    PARTY__REQUIRE(-EINVAL, address);
    /* glibc would give names to unix addresses too; Python has none for them. */
    int family = party_address_family(address);
    if (family != AF_INET && family != AF_INET6) {
        return PARTY_EGAI_FAMILY;
    }
    if (ret_host == NULL && ret_service == NULL) {
        return PARTY_EGAI_NONAME;
    }
    char host[NI_MAXHOST];
    char service[NI_MAXSERV];
    errno = 0;
    int eai = getnameinfo(&address->u.sa, address->len, ret_host != NULL ? host : NULL,
                          ret_host != NULL ? sizeof(host) : 0, ret_service != NULL ? service : NULL,
                          ret_service != NULL ? sizeof(service) : 0, flags);
    if (eai != 0) {
        return party_error_from_gai(eai, errno);
    }
    /* Both are measured before either is written. */
    if ((ret_host != NULL && strlen(host) >= host_cap) ||
        (ret_service != NULL && strlen(service) >= service_cap)) {
        return -ENAMETOOLONG;
    }
    if (ret_host != NULL) {
        (void)party__resolve_copy_out(host, ret_host, host_cap);
    }
    if (ret_service != NULL) {
        (void)party__resolve_copy_out(service, ret_service, service_cap);
    }
    return 0;
}

int party_resolve_gethostbyname(const char *host, char ret_text[INET_ADDRSTRLEN])
{
    PARTY__REQUIRE(-EINVAL, ret_text);
    struct party_address address;
    int r = party_resolve_address(host, 0, AF_INET, &address);
    if (r < 0) {
        return r;
    }
    /* It cannot fail: the family is known and the text has room. */
    (void)inet_ntop(AF_INET, &address.u.in.sin_addr, ret_text, INET_ADDRSTRLEN);
    return 0;
}

/* ---- a host with all its names ---- */

static size_t count_pointers(char *const *list)
{
    size_t count = 0;
    while (list != NULL && list[count] != NULL) {
        count++;
    }
    return count;
}

static char *put_text(char *at, const char *text, char **ret_next)
{
    size_t size = strlen(text) + 1;
    memcpy(at, text, size);
    *ret_next = at + size;
    return at;
}

/* All of a host is one block of memory, which begins with the aliases: pointers, then texts. */
static int copy_host(const struct hostent *entry, struct party_resolve_host *ret_host)
{
    size_t alias_count = count_pointers(entry->h_aliases);
    size_t address_count = count_pointers(entry->h_addr_list);
    size_t size = (alias_count + address_count) * sizeof(char *) + strlen(entry->h_name) + 1;
    for (size_t i = 0; i < alias_count; i++) {
        size += strlen(entry->h_aliases[i]) + 1;
    }
    size += address_count * INET6_ADDRSTRLEN;

    char **pointers = malloc(size);
    if (pointers == NULL) {
        return -ENOMEM;
    }
    struct party_resolve_host host = {
        .alias_count = alias_count, .aliases = pointers, .address_count = address_count};
    host.addresses = pointers + alias_count;
    char *next = (char *)(host.addresses + address_count);
    host.name = put_text(next, entry->h_name, &next);
    for (size_t i = 0; i < alias_count; i++) {
        host.aliases[i] = put_text(next, entry->h_aliases[i], &next);
    }
    for (size_t i = 0; i < address_count; i++) {
        host.addresses[i] = next;
        (void)inet_ntop(entry->h_addrtype, entry->h_addr_list[i], next, INET6_ADDRSTRLEN);
        next += INET6_ADDRSTRLEN;
    }
    *ret_host = host;
    return 0;
}

/* What a gethostby call has left: its result, found or NULL, and h_errno. */
static int take_host(int r, const struct hostent *found, int herr, int family,
                     struct party_resolve_host *ret_host)
{
    if (found == NULL) {
        int code = r == ERANGE ? -ENOMEM : party_error_from_h(herr, r);
        /* Nothing found and nothing said is not found. */
        return code < 0 ? code : PARTY_EH_HOST_NOT_FOUND;
    }
    if (found->h_addrtype != family) {
        return -EAFNOSUPPORT;
    }
    return copy_host(found, ret_host);
}

int party_resolve_gethostbyname_ex(const char *host, struct party_resolve_host *ret_host)
{
    PARTY__REQUIRE(-EINVAL, ret_host);
    char buffer[PARTY__IDNA_CAP];
    const char *name;
    struct party_address address;
    host = host != NULL ? host : "";
    int r = party__idna_encode(host, buffer, &name);
    if (r == 0) {
        /* Python looks twice: what has no address at all is a gaierror and not an herror. */
        r = party_resolve_address(name, 0, AF_INET, &address);
    }
    if (r < 0) {
        return r;
    }
    struct party__scratch scratch;
    struct hostent entry;
    struct hostent *found = NULL;
    int herr = 0;
    party__scratch_init(&scratch);
    do {
        r = gethostbyname2_r(name, AF_INET, &entry, scratch.at, scratch.cap, &found, &herr);
    } while (r == ERANGE && party__scratch_grow(&scratch));
    r = take_host(r, found, herr, AF_INET, ret_host);
    party__scratch_finish(&scratch);
    return r;
}

int party_resolve_gethostbyaddr(const char *address_or_name, struct party_resolve_host *ret_host)
{
    PARTY__REQUIRE(-EINVAL, ret_host);
    struct party_address address;
    int r = party_resolve_address(address_or_name, 0, AF_UNSPEC, &address);
    if (r < 0) {
        return r;
    }
    int family = party_address_family(&address);
    const void *bytes = &address.u.in.sin_addr;
    socklen_t len = sizeof(address.u.in.sin_addr);
    if (family == AF_INET6) {
        bytes = &address.u.in6.sin6_addr;
        len = sizeof(address.u.in6.sin6_addr);
    }
    struct party__scratch scratch;
    struct hostent entry;
    struct hostent *found = NULL;
    int herr = 0;
    party__scratch_init(&scratch);
    do {
        r = gethostbyaddr_r(bytes, len, family, &entry, scratch.at, scratch.cap, &found, &herr);
    } while (r == ERANGE && party__scratch_grow(&scratch));
    r = take_host(r, found, herr, family, ret_host);
    party__scratch_finish(&scratch);
    return r;
}

void party_resolve_host_finish(struct party_resolve_host *host)
{
    if (host == NULL) {
        return;
    }
    free(host->aliases);
    *host = (struct party_resolve_host){0};
}

/* ---- this host ---- */

int party_resolve_gethostname(char *ret_name, size_t name_cap)
{
    PARTY__REQUIRE(-EINVAL, ret_name);
    char name[HOST_NAME_CAP];
    if (gethostname(name, sizeof(name)) == -1) {
        return -errno;
    }
    name[sizeof(name) - 1] = '\0';
    return party__resolve_copy_out(name, ret_name, name_cap);
}

int party_resolve_sethostname(const char *name)
{
    PARTY__REQUIRE(-EINVAL, name);
    return sethostname(name, strlen(name)) == -1 ? -errno : 0;
}

/* What str.strip() of Python cuts, as far as it is ASCII. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

static bool means_this_host(const char *name)
{
    return name[0] == '\0' || strcmp(name, "0.0.0.0") == 0 || strcmp(name, "::") == 0;
}

/* The name without white space around it, as memory of its own; NULL without memory. */
static char *strip(const char *name)
{
    while (is_space(*name)) {
        name++;
    }
    size_t len = strlen(name);
    while (len > 0 && is_space(name[len - 1])) {
        len--;
    }
    return strndup(name, len);
}

static const char *full_name(const struct party_resolve_host *host)
{
    if (strchr(host->name, '.') != NULL) {
        return host->name;
    }
    for (size_t i = 0; i < host->alias_count; i++) {
        if (strchr(host->aliases[i], '.') != NULL) {
            return host->aliases[i];
        }
    }
    return host->name;
}

static bool is_look_up_failure(int code)
{
    enum party_error_kind kind = party_error_kind(code);
    return code != -ENOMEM && (kind == PARTY_KIND_OS || kind == PARTY_KIND_GAI ||
                               kind == PARTY_KIND_HERROR || kind == PARTY_KIND_TIMEOUT);
}

static int fqdn_of(const char *name, char *ret_name, size_t name_cap)
{
    struct party_resolve_host host;
    int r = party_resolve_gethostbyaddr(name, &host);
    if (r < 0) {
        return is_look_up_failure(r) ? party__resolve_copy_out(name, ret_name, name_cap) : r;
    }
    r = party__resolve_copy_out(full_name(&host), ret_name, name_cap);
    party_resolve_host_finish(&host);
    return r;
}

int party_resolve_getfqdn(const char *name, char *ret_name, size_t name_cap)
{
    PARTY__REQUIRE(-EINVAL, ret_name);
    char *stripped = strip(name != NULL ? name : "");
    if (stripped == NULL) {
        return -ENOMEM;
    }
    int r;
    if (means_this_host(stripped)) {
        char own[HOST_NAME_CAP];
        r = party_resolve_gethostname(own, sizeof(own));
        if (r == 0) {
            r = fqdn_of(own, ret_name, name_cap);
        }
    } else {
        r = fqdn_of(stripped, ret_name, name_cap);
    }
    free(stripped);
    return r;
}
