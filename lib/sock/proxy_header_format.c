/* SPDX-License-Identifier: MIT */
#include "sock/proxy_header_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"

/* Writing a PROXY header. It is made in a buffer of its own size first: what does not fit leaves
   the caller's untouched. */

/* Returns: the family of both addresses; -EAFNOSUPPORT when there is none such. */
static int common_family(const struct party_proxy_header *header)
{
    int family = party_address_family(&header->source);
    if (header->is_local) {
        return AF_UNSPEC;
    }
    if (family != party_address_family(&header->destination) ||
        (family != AF_UNSPEC && family != AF_INET && family != AF_INET6 && family != AF_UNIX)) {
        return -EAFNOSUPPORT;
    }
    return family;
}

static ssize_t copy_out(const void *from, size_t len, void *buf, size_t cap)
{
    if (len > cap) {
        return -ENOSPC;
    }
    memcpy(buf, from, len);
    return (ssize_t)len;
}

/* ---- version 1 ---- */

static const char *host_text(const struct party_address *address, char *text, socklen_t cap)
{
    bool is_v4 = party_address_family(address) == AF_INET;
    const void *addr =
        is_v4 ? (const void *)&address->u.in.sin_addr : (const void *)&address->u.in6.sin6_addr;
    return inet_ntop(is_v4 ? AF_INET : AF_INET6, addr, text, cap);
}

static ssize_t format_v1(const struct party_proxy_header *header, void *buf, size_t cap)
{
    if (header->is_local || header->type == SOCK_DGRAM || header->tlvs_len > 0 ||
        header->has_checksum) {
        return -EINVAL;
    }
    int family = common_family(header);
    if (family < 0 || family == AF_UNIX) {
        return -EAFNOSUPPORT;
    }
    char line[PARTY_PROXY_HEADER_V1_MAX_BYTES + 1] = "PROXY UNKNOWN\r\n";
    if (family != AF_UNSPEC) {
        char source[INET6_ADDRSTRLEN];
        char destination[INET6_ADDRSTRLEN];
        (void)snprintf(line, sizeof(line), "PROXY %s %s %s %u %u\r\n",
                       family == AF_INET ? "TCP4" : "TCP6",
                       host_text(&header->source, source, sizeof(source)),
                       host_text(&header->destination, destination, sizeof(destination)),
                       (unsigned)party_address_port(&header->source),
                       (unsigned)party_address_port(&header->destination));
    }
    return copy_out(line, strlen(line), buf, cap);
}

/* ---- version 2 ---- */

struct writer {
    uint8_t bytes[PARTY_PROXY_HEADER_MAX_BYTES];
    size_t len;
};

static void put(struct writer *writer, const void *bytes, size_t len)
{
    memcpy(writer->bytes + writer->len, bytes, len);
    writer->len += len;
}

static void put_unix(struct writer *writer, const struct party_address *address)
{
    uint8_t name[PARTY__PROXY_UNIX_BYTES] = {0};
    size_t offset = offsetof(struct sockaddr_un, sun_path);
    size_t len = address->len > offset ? address->len - offset : 0;
    memcpy(name, address->u.un.sun_path, len < sizeof(name) ? len : sizeof(name));
    put(writer, name, sizeof(name));
}

static void put_addresses(struct writer *writer, const struct party_proxy_header *header,
                          int family)
{
    const struct party_address *source = &header->source;
    const struct party_address *destination = &header->destination;
    if (family == AF_UNIX) {
        put_unix(writer, source);
        put_unix(writer, destination);
    } else if (family == AF_INET) {
        put(writer, &source->u.in.sin_addr, 4);
        put(writer, &destination->u.in.sin_addr, 4);
    } else if (family == AF_INET6) {
        put(writer, &source->u.in6.sin6_addr, 16);
        put(writer, &destination->u.in6.sin6_addr, 16);
    }
    if (family == AF_INET || family == AF_INET6) {
        const uint16_t ports[] = {htons(party_address_port(source)),
                                  htons(party_address_port(destination))};
        put(writer, ports, sizeof(ports));
    }
}

/* The checksum's field is the last; it counts as zeroes in what it sums up. */
static void put_checksum(struct writer *writer)
{
    static const uint8_t field[] = {PARTY__PROXY_CRC_TYPE, 0, PARTY__PROXY_CRC_BYTES, 0, 0, 0, 0};
    put(writer, field, sizeof(field));
    uint32_t crc = htonl(party__proxy_crc32c(writer->bytes, writer->len, NULL));
    memcpy(writer->bytes + writer->len - sizeof(crc), &crc, sizeof(crc));
}

/* The byte that tells family and transport. */
static uint8_t family_byte(int family, int type)
{
    unsigned high = family == AF_INET ? 1U : family == AF_INET6 ? 2U : 3U;
    return family == AF_UNSPEC ? 0 : (uint8_t)(high << 4 | (type == SOCK_DGRAM ? 2U : 1U));
}

static ssize_t format_v2(const struct party_proxy_header *header, void *buf, size_t cap)
{
    const uint8_t *own_crc;
    int family = common_family(header);
    if (family < 0) {
        return family;
    }
    if (!party__proxy_check_tlvs(header->tlvs, header->tlvs_len, &own_crc) || own_crc != NULL) {
        return -EINVAL;
    }
    uint8_t family_and_type = family_byte(family, header->type);
    size_t crc_len =
        header->has_checksum ? PARTY__PROXY_TLV_START_BYTES + PARTY__PROXY_CRC_BYTES : 0;
    size_t rest_len = party__proxy_addresses_len(family_and_type >> 4) + crc_len;
    if (header->tlvs_len > PARTY_PROXY_HEADER_MAX_BYTES - PARTY__PROXY_START_BYTES - rest_len) {
        return PARTY_EPROXY_TOOLONG;
    }
    rest_len += header->tlvs_len;
    const uint8_t start[] = {header->is_local ? 0x20 : 0x21, family_and_type,
                             (uint8_t)(rest_len >> 8), (uint8_t)rest_len};
    struct writer writer = {.len = 0};
    put(&writer, PARTY__PROXY_SIGNATURE, PARTY__PROXY_SIGNATURE_BYTES);
    put(&writer, start, sizeof(start));
    put_addresses(&writer, header, family);
    if (header->tlvs_len > 0) {
        put(&writer, header->tlvs, header->tlvs_len);
    }
    if (header->has_checksum) {
        put_checksum(&writer);
    }
    return copy_out(writer.bytes, writer.len, buf, cap);
}

ssize_t party_proxy_header_format(const struct party_proxy_header *header, void *buf, size_t cap)
{
    PARTY__REQUIRE(-EINVAL, header);
    PARTY__REQUIRE_BYTES(-EINVAL, buf, cap);
    if (header->type != 0 && header->type != SOCK_STREAM && header->type != SOCK_DGRAM) {
        return -EINVAL;
    }
    if (header->tlvs == NULL && header->tlvs_len > 0) {
        return -EINVAL;
    }
    switch (header->version) {
    case 1:
        return format_v1(header, buf, cap);
    case 2:
        return format_v2(header, buf, cap);
    default:
        return -EINVAL;
    }
}
