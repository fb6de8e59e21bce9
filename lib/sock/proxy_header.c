/* SPDX-License-Identifier: MIT */
#include "sock/proxy_header_internal.h"

#include <arpa/inet.h>
#include <string.h>

#include <partyline/error.h>

#include "base/require.h"

/*
 * Reading. Each call starts from the first byte: a header comes in one piece but for malice, and
 * what there is to look at before it is whole is 16 bytes, or one line of 107.
 */

static const char v1_start[] = "PROXY ";
#define V1_START_BYTES (sizeof(v1_start) - 1)

/* Whether the two agree as far as both go. */
static bool is_prefix(const uint8_t *data, size_t len, const char *wanted, size_t wanted_len)
{
    return memcmp(data, wanted, len < wanted_len ? len : wanted_len) == 0;
}

/* ---- version 1 ---- */

/* Takes the next word, up to a space or the end. Returns: it with a NUL, or NULL: there is none. */
static const char *next_word(char **at)
{
    char *word = *at;
    if (word == NULL || word[0] == '\0') {
        return NULL;
    }
    char *space = strchr(word, ' ');
    if (space != NULL) {
        *space = '\0';
        /* A space that ends the line has an empty word behind it. */
        *at = space + 1;
    } else {
        *at = NULL;
    }
    return word;
}

static bool parse_port(const char *word, uint16_t *ret_port)
{
    unsigned port = 0;
    size_t len = word != NULL ? strlen(word) : 0;
    if (len == 0 || len > 5 || (word[0] == '0' && len > 1)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (word[i] < '0' || word[i] > '9') {
            return false;
        }
        port = port * 10 + (unsigned)(word[i] - '0');
    }
    *ret_port = (uint16_t)port;
    return port <= UINT16_MAX;
}

static bool parse_host(const char *word, int family, struct party_address *address)
{
    if (word == NULL) {
        return false;
    }
    address->u.sa.sa_family = (sa_family_t)family;
    if (family == AF_INET) {
        address->len = sizeof(address->u.in);
        return inet_pton(AF_INET, word, &address->u.in.sin_addr) == 1;
    }
    address->len = sizeof(address->u.in6);
    return inet_pton(AF_INET6, word, &address->u.in6.sin6_addr) == 1;
}

/* Reads what stands between "PROXY " and the line's end. */
static bool parse_v1_line(char *line, struct party_proxy_header *header)
{
    char *at = line;
    const char *protocol = next_word(&at);
    if (protocol == NULL) {
        return false;
    }
    if (strcmp(protocol, "UNKNOWN") == 0) {
        /* Whatever follows is to be ignored. */
        return true;
    }
    bool is_v4 = strcmp(protocol, "TCP4") == 0;
    if (!is_v4 && strcmp(protocol, "TCP6") != 0) {
        return false;
    }
    int family = is_v4 ? AF_INET : AF_INET6;
    uint16_t source_port;
    uint16_t destination_port;
    if (!parse_host(next_word(&at), family, &header->source) ||
        !parse_host(next_word(&at), family, &header->destination) ||
        !parse_port(next_word(&at), &source_port) ||
        !parse_port(next_word(&at), &destination_port) || at != NULL) {
        return false;
    }
    party_address_set_port(&header->source, source_port);
    party_address_set_port(&header->destination, destination_port);
    header->type = SOCK_STREAM;
    return true;
}

static ssize_t parse_v1(const uint8_t *data, size_t len, struct party_proxy_header *ret_header)
{
    size_t max = PARTY_PROXY_HEADER_V1_MAX_BYTES;
    size_t seen = len < max ? len : max;
    const uint8_t *cr = memchr(data, '\r', seen);
    const uint8_t *lf = memchr(data, '\n', seen);
    if (lf != NULL && (cr == NULL || lf != cr + 1)) {
        return PARTY_EPROXY_HEADER;
    }
    if (lf == NULL) {
        bool is_open = cr == NULL || cr + 1 == data + len;
        return is_open && seen < max ? 0 : PARTY_EPROXY_HEADER;
    }
    char line[PARTY_PROXY_HEADER_V1_MAX_BYTES];
    size_t line_len = (size_t)(cr - data) - V1_START_BYTES;
    memcpy(line, data + V1_START_BYTES, line_len);
    line[line_len] = '\0';
    struct party_proxy_header header = {.version = 1};
    if (memchr(line, '\0', line_len) != NULL || !parse_v1_line(line, &header)) {
        return PARTY_EPROXY_HEADER;
    }
    *ret_header = header;
    return lf + 1 - data;
}

/* ---- version 2 ---- */

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };

static void get_inet(struct party_address *address, const uint8_t *addr, const uint8_t *port)
{
    address->len = sizeof(address->u.in);
    address->u.in.sin_family = AF_INET;
    memcpy(&address->u.in.sin_addr, addr, 4);
    memcpy(&address->u.in.sin_port, port, 2);
}

static void get_inet6(struct party_address *address, const uint8_t *addr, const uint8_t *port)
{
    address->len = sizeof(address->u.in6);
    address->u.in6.sin6_family = AF_INET6;
    memcpy(&address->u.in6.sin6_addr, addr, 16);
    memcpy(&address->u.in6.sin6_port, port, 2);
}

/* A path ends at its first NUL; a name that begins with one is abstract, its padding not part of
   it; all NUL is a socket without a name. */
static void get_unix(struct party_address *address, const uint8_t *name)
{
    size_t len = PARTY__PROXY_UNIX_BYTES;
    if (name[0] != '\0') {
        len = strnlen((const char *)name, len);
    } else {
        while (len > 0 && name[len - 1] == '\0') {
            len--;
        }
    }
    size_t nul = name[0] != '\0' && len < PARTY__PROXY_UNIX_BYTES ? 1 : 0;
    address->u.un.sun_family = AF_UNIX;
    memcpy(address->u.un.sun_path, name, len);
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + nul);
}

size_t party__proxy_addresses_len(int family)
{
    switch (family) {
    case 1:
        return 12;
    case 2:
        return 36;
    case 3:
        return 2 * PARTY__PROXY_UNIX_BYTES;
    default:
        return 0;
    }
}

static void get_addresses(struct party_proxy_header *header, int family, const uint8_t *at)
{
    switch (family) {
    case 1:
        get_inet(&header->source, at, at + 8);
        get_inet(&header->destination, at + 4, at + 10);
        break;
    case 2:
        get_inet6(&header->source, at, at + 32);
        get_inet6(&header->destination, at + 16, at + 34);
        break;
    default:
        get_unix(&header->source, at);
        get_unix(&header->destination, at + PARTY__PROXY_UNIX_BYTES);
        break;
    }
}

uint32_t party__proxy_crc32c(const uint8_t *data, size_t len, const uint8_t *zeroed)
{
    /* Castagnoli's polynomial, reflected, for four bits at a time. */
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    uint32_t crc = ~0U;
    for (size_t i = 0; i < len; i++) {
        bool is_zeroed =
            zeroed != NULL && data + i >= zeroed && data + i < zeroed + PARTY__PROXY_CRC_BYTES;
        crc ^= is_zeroed ? 0 : data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

bool party_proxy_header_next_tlv(const struct party_proxy_header *header, size_t *offset,
                                 struct party_proxy_tlv *ret_tlv)
{
    PARTY__REQUIRE(false, header, offset, ret_tlv);
    if (header->tlvs == NULL) {
        return false;
    }
    size_t left = *offset < header->tlvs_len ? header->tlvs_len - *offset : 0;
    if (left < PARTY__PROXY_TLV_START_BYTES) {
        return false;
    }
    const uint8_t *at = header->tlvs + *offset;
    size_t len = (size_t)at[1] << 8 | at[2];
    if (len > left - PARTY__PROXY_TLV_START_BYTES) {
        return false;
    }
    *ret_tlv = (struct party_proxy_tlv){at[0], at + PARTY__PROXY_TLV_START_BYTES, len};
    *offset += PARTY__PROXY_TLV_START_BYTES + len;
    return true;
}

bool party__proxy_check_tlvs(const uint8_t *tlvs, size_t len, const uint8_t **ret_crc)
{
    const struct party_proxy_header header = {.tlvs = tlvs, .tlvs_len = len};
    const uint8_t *crc = NULL;
    struct party_proxy_tlv tlv;
    size_t offset = 0;
    while (party_proxy_header_next_tlv(&header, &offset, &tlv)) {
        if (tlv.type == PARTY__PROXY_CRC_TYPE) {
            if (crc != NULL || tlv.len != PARTY__PROXY_CRC_BYTES) {
                return false;
            }
            crc = tlv.value;
        }
    }
    if (ret_crc != NULL) {
        *ret_crc = crc;
    }
    return offset == len;
}

static uint32_t get_number(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Reads the fields from at on. Returns: 0; PARTY_EPROXY_HEADER; PARTY_EPROXY_CHECKSUM. */
static int get_tlvs(struct party_proxy_header *header, const uint8_t *data, size_t total, size_t at)
{
    const uint8_t *crc;
    if (!party__proxy_check_tlvs(data + at, total - at, &crc)) {
        return PARTY_EPROXY_HEADER;
    }
    if (crc != NULL && get_number(crc) != party__proxy_crc32c(data, total, crc)) {
        return PARTY_EPROXY_CHECKSUM;
    }
    header->has_checksum = crc != NULL;
    header->tlvs = total > at ? data + at : NULL;
    header->tlvs_len = total - at;
    return 0;
}

/* Reads a PROXY command whose bytes are all there. */
static int parse_proxied(const uint8_t *data, size_t total, struct party_proxy_header *header)
{
    int family = data[13] >> 4;
    int transport = data[13] & 15;
    if (family > 3 || transport > 2) {
        return PARTY_EPROXY_HEADER;
    }
    if (family == 0 || transport == 0) {
        /* What stands where addresses would be is to be ignored; it may be fields. */
        int r = data[13] == 0 ? get_tlvs(header, data, total, PARTY__PROXY_START_BYTES) : 0;
        return r == PARTY_EPROXY_CHECKSUM ? r : 0;
    }
    size_t tlvs_at = PARTY__PROXY_START_BYTES + party__proxy_addresses_len(family);
    if (total < tlvs_at) {
        return PARTY_EPROXY_HEADER;
    }
    header->type = transport == 1 ? SOCK_STREAM : SOCK_DGRAM;
    get_addresses(header, family, data + PARTY__PROXY_START_BYTES);
    return get_tlvs(header, data, total, tlvs_at);
}

static ssize_t parse_v2(const uint8_t *data, size_t len, struct party_proxy_header *ret_header)
{
    if (len <= PARTY__PROXY_SIGNATURE_BYTES) {
        return 0;
    }
    uint8_t command = data[12];
    if (command != COMMAND_LOCAL && command != COMMAND_PROXY) {
        return PARTY_EPROXY_HEADER;
    }
    if (len < PARTY__PROXY_START_BYTES) {
        return 0;
    }
    size_t total = PARTY__PROXY_START_BYTES + ((size_t)data[14] << 8 | data[15]);
    if (total > PARTY_PROXY_HEADER_MAX_BYTES) {
        return PARTY_EPROXY_TOOLONG;
    }
    if (len < total) {
        return 0;
    }
    struct party_proxy_header header = {.version = 2, .is_local = command == COMMAND_LOCAL};
    if (!header.is_local) {
        int r = parse_proxied(data, total, &header);
        if (r < 0) {
            return r;
        }
    }
    *ret_header = header;
    return (ssize_t)total;
}

ssize_t party_proxy_header_parse(const void *data, size_t len,
                                 struct party_proxy_header *ret_header)
{
    PARTY__REQUIRE(-EINVAL, ret_header);
    PARTY__REQUIRE_BYTES(-EINVAL, data, len);
    if (len == 0) {
        return 0;
    }
    if (is_prefix(data, len, v1_start, V1_START_BYTES)) {
        return len <= V1_START_BYTES ? 0 : parse_v1(data, len, ret_header);
    }
    if (is_prefix(data, len, PARTY__PROXY_SIGNATURE, PARTY__PROXY_SIGNATURE_BYTES)) {
        return parse_v2(data, len, ret_header);
    }
    return PARTY_EPROXY_HEADER;
}
