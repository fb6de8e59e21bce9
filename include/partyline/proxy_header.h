/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_PROXY_HEADER_H
#define PARTYLINE_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/address.h>

PARTY_BEGIN_DECLS

/*
 * The PROXY protocol, versions 1 and 2: the header in which a proxy tells a server who the client
 * is, before the client's first byte. HAProxy's proxy-protocol.txt is the definition.
 *
 *     n = party_proxy_header_parse(data, len, &header);
 *     if (n == 0) { ... wait for more, within a few seconds ... }
 *     if (n < 0) { ... close: this peer is not our proxy ... }
 *     client = header.is_local || header.source.len == 0 ? peer : header.source;
 *
 * Anybody can send such a header: only connections from proxies one knows may be asked for it, and
 * those must be.
 *
 * Nothing here does I/O, allocates or keeps anything. Threads: any.
 */

/* Most bytes of a version 1 header, its line end included. */
#define PARTY_PROXY_HEADER_V1_MAX_BYTES 107

/* Most bytes of a version 2 header that are accepted or written; the format allows 65551. */
#define PARTY_PROXY_HEADER_MAX_BYTES 8192

struct party_proxy_header {
    int version;   /* 1 or 2 */
    bool is_local; /* version 2 LOCAL: the proxy speaks for itself, as to ask how the server is */
    int type;      /* SOCK_STREAM, SOCK_DGRAM; 0: not known */
    struct party_address source;      /* the client; AF_UNSPEC (len 0) when not known */
    struct party_address destination; /* where the client connected to; as source */
    const uint8_t *tlvs; /* version 2: the type-length-value fields; NULL when there are none */
    size_t tlvs_len;     /* bytes of tlvs */
    bool has_checksum;   /* read: there was a CRC32C, and it is right; to write: add one */
};

/* A field of a version 2 header. */
struct party_proxy_tlv {
    uint8_t type; /* PP2_TYPE_ of the definition: 0x01 ALPN, 0x02 authority, 0x20 TLS ... */
    const uint8_t *value;
    size_t len; /* bytes of value */
};

/**
 * Reads the header at the start of what a connection has sent so far. A LOCAL header's addresses
 * and fields are skipped unread, as the definition asks.
 * Returns: the header's length (> 0), and the bytes behind it are the client's; 0 when more bytes
 *   are needed to know; PARTY_EPROXY_HEADER when this is, or will be, no header of version 1 or 2;
 *   PARTY_EPROXY_CHECKSUM when its CRC32C is wrong; PARTY_EPROXY_TOOLONG beyond
 *   PARTY_PROXY_HEADER_MAX_BYTES.
 * Owns: nothing; ret_header->tlvs points into data.
 */
PARTY_API PARTY_MUST_USE ssize_t party_proxy_header_parse(const void *data, size_t len,
                                                          struct party_proxy_header *ret_header);

/**
 * Walks the fields of a header: *offset is 0 at first and is moved on.
 * Returns: whether there was another one.
 */
PARTY_API bool party_proxy_header_next_tlv(const struct party_proxy_header *header, size_t *offset,
                                           struct party_proxy_tlv *ret_tlv);

/**
 * Writes a header into buf. Version 1 says UNKNOWN, version 2 UNSPEC, when both addresses are
 * AF_UNSPEC; a LOCAL header has no addresses. type 0 means SOCK_STREAM.
 * Returns: its length; -ENOSPC when it does not fit into cap; -EAFNOSUPPORT when the addresses are
 *   not both INET, both INET6 or (version 2) both UNIX; -EINVAL for another version or type, for
 *   fields that are malformed, missing or have a CRC32C of their own, and for fields, a checksum,
 *   LOCAL or SOCK_DGRAM in version 1; PARTY_EPROXY_TOOLONG beyond PARTY_PROXY_HEADER_MAX_BYTES.
 */
PARTY_API PARTY_MUST_USE ssize_t party_proxy_header_format(const struct party_proxy_header *header,
                                                           void *buf, size_t cap);

PARTY_END_DECLS
#endif
