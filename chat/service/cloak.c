/* SPDX-License-Identifier: MIT */
#include "service/cloak.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <openssl/evp.h>

#define PART_BYTES 5 /* 40 bits */
#define PART_CHARS 8

/* RFC 4648 section 6, of exactly 40 bits. */
static void base32(const uint8_t bytes[static PART_BYTES], char ret[static PART_CHARS + 1])
{
    uint64_t bits = 0;

    for (int i = 0; i < PART_BYTES; i++) {
        bits = bits << 8 | bytes[i];
    }
    for (int i = 0; i < PART_CHARS; i++) {
        ret[i] = "abcdefghijklmnopqrstuvwxyz234567"[bits >> (35 - 5 * i) & 31];
    }
    ret[PART_CHARS] = '\0';
}

/* One part: of the address's first len bytes, in the space of that label. False: no memory. */
static bool make_part(const uint8_t key[static CLOAK_KEY_BYTES], const char *label,
                      const uint8_t *bytes, size_t len, char ret[static PART_CHARS + 1])
{
    char text[32]; /* the longest label has 7 bytes, the longest address 16 */
    uint8_t tag[EVP_MAX_MD_SIZE];
    char digest[] = "SHA256";
    size_t label_len = (size_t)snprintf(text, sizeof text, "%s", label);
    size_t tag_len = 0;

    memcpy(text + label_len, bytes, len);
    if (EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, key, CLOAK_KEY_BYTES, (const uint8_t *)text,
                  label_len + len, tag, sizeof tag, &tag_len) == NULL ||
        tag_len < PART_BYTES) {
        return false;
    }
    base32(tag, ret);
    return true;
}

static void format_parts(const uint8_t key[static CLOAK_KEY_BYTES], const uint8_t *ip, bool is_v4,
                         char *ret, size_t cap)
{
    char whole[PART_CHARS + 1], near[PART_CHARS + 1], wide[PART_CHARS + 1];

    if (make_part(key, is_v4 ? "v4/32:" : "v6/128:", ip, is_v4 ? 4 : 16, whole) &&
        make_part(key, is_v4 ? "v4/24:" : "v6/64:", ip, is_v4 ? 3 : 8, near) &&
        make_part(key, is_v4 ? "v4/16:" : "v6/48:", ip, is_v4 ? 2 : 6, wide)) {
        (void)snprintf(ret, cap, "%s.%s.%s.%s", whole, near, wide, is_v4 ? "ip" : "ip6");
    } else {
        (void)snprintf(ret, cap, "hidden.%s", is_v4 ? "ip" : "ip6"); /* rather than the address */
    }
}

void cloak_format(const uint8_t key[static CLOAK_KEY_BYTES], const struct party_address *peer,
                  char *ret, size_t cap)
{
    const struct in6_addr *in6 = &peer->u.in6.sin6_addr;

    switch (party_address_family(peer)) {
    case AF_INET:
        format_parts(key, (const uint8_t *)&peer->u.in.sin_addr, true, ret, cap);
        break;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            format_parts(key, in6->s6_addr + 12, true, ret, cap);
        } else {
            format_parts(key, in6->s6_addr, false, ret, cap);
        }
        break;
    default:
        (void)snprintf(ret, cap, "unix");
        break;
    }
}

void cloak_format_bare(const struct party_address *peer, char *ret, size_t cap)
{
    const struct in6_addr *in6 = &peer->u.in6.sin6_addr;
    char text[INET6_ADDRSTRLEN] = "unix";

    switch (party_address_family(peer)) {
    case AF_INET:
        (void)inet_ntop(AF_INET, &peer->u.in.sin_addr, text, sizeof text);
        break;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            (void)inet_ntop(AF_INET, in6->s6_addr + 12, text, sizeof text);
        } else {
            (void)inet_ntop(AF_INET6, in6, text, sizeof text);
        }
        break;
    default:
        break;
    }
    (void)snprintf(ret, cap, "%s%s", text[0] == ':' ? "0" : "", text);
}
