/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_PROXY_HEADER_INTERNAL_H
#define PARTYLINE_SOCK_PROXY_HEADER_INTERNAL_H

#include <partyline/proxy_header.h>

/* Inside lib/sock: what reading and writing a PROXY header share. */

#define PARTY__PROXY_SIGNATURE       "\r\n\r\n\0\r\nQUIT\n"
#define PARTY__PROXY_SIGNATURE_BYTES 12
#define PARTY__PROXY_START_BYTES     16 /* signature, version and command, family, length */
#define PARTY__PROXY_TLV_START_BYTES 3  /* type, length */
#define PARTY__PROXY_CRC_TYPE        0x03
#define PARTY__PROXY_CRC_BYTES       4
#define PARTY__PROXY_UNIX_BYTES      108

/** The bytes that the family byte's two addresses take; 0 for UNSPEC. */
size_t party__proxy_addresses_len(int family);

/**
 * Walks all fields. ret_crc, which may be NULL, gets the value of the CRC32C field or NULL.
 * Returns: whether they fill tlvs exactly, with at most one CRC32C, of the right length.
 */
bool party__proxy_check_tlvs(const uint8_t *tlvs, size_t len, const uint8_t **ret_crc);

/** CRC32C over data, in which the four bytes at zeroed count as 0. NULL: none do. */
uint32_t party__proxy_crc32c(const uint8_t *data, size_t len, const uint8_t *zeroed);

#endif
