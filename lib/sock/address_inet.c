/* SPDX-License-Identifier: MIT */
#include <partyline/address.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"

int party_address_inet_aton(const char *text, struct in_addr *ret_addr)
{
    PARTY__REQUIRE(-EINVAL, text, ret_addr);
    struct in_addr addr;
    if (inet_aton(text, &addr) == 0) {
        return PARTY_EADDRESS;
    }
    *ret_addr = addr;
    return 0;
}

char *party_address_inet_ntoa(struct in_addr addr, char *text)
{
    PARTY__REQUIRE(NULL, text);
    /* Room for any address is what the caller has promised, so this cannot fail. */
    (void)inet_ntop(AF_INET, &addr, text, INET_ADDRSTRLEN);
    return text;
}

/* Bytes of an address of the family; 0 when it is another one. */
static size_t addr_size(int family)
{
    return family == AF_INET    ? sizeof(struct in_addr)
           : family == AF_INET6 ? sizeof(struct in6_addr)
                                : 0;
}

int party_address_inet_pton(int family, const char *text, void *ret_addr)
{
    PARTY__REQUIRE(-EINVAL, text, ret_addr);
    if (addr_size(family) == 0) {
        return -EAFNOSUPPORT;
    }
    struct in6_addr addr;
    if (inet_pton(family, text, &addr) != 1) {
        return PARTY_EADDRESS;
    }
    memcpy(ret_addr, &addr, addr_size(family));
    return 0;
}

int party_address_inet_ntop(int family, const void *addr, size_t len, char *ret_text, size_t cap)
{
    PARTY__REQUIRE(-EINVAL, ret_text);
    PARTY__REQUIRE_BYTES(-EINVAL, addr, len);
    if (addr_size(family) == 0) {
        return -EAFNOSUPPORT;
    }
    if (len != addr_size(family)) {
        return -EINVAL;
    }
    char text[INET6_ADDRSTRLEN];
    (void)inet_ntop(family, addr, text, sizeof(text));
    size_t size = strlen(text) + 1;
    if (size > cap) {
        return -ENOSPC;
    }
    memcpy(ret_text, text, size);
    return 0;
}

uint16_t party_address_htons(uint16_t number)
{
    return htons(number);
}

uint32_t party_address_htonl(uint32_t number)
{
    return htonl(number);
}

uint16_t party_address_ntohs(uint16_t number)
{
    return ntohs(number);
}

uint32_t party_address_ntohl(uint32_t number)
{
    return ntohl(number);
}
