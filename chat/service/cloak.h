/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_CLOAK_H
#define CHAT_SERVICE_CLOAK_H

#include <stddef.h>
#include <stdint.h>

#include <partyline/address.h>

/*
 * The host names that people are shown instead of addresses: they tell nothing of the address, stay
 * the same for ever, and can still be banned, one address or a whole network of them.
 *
 *     tvse4gjq.gzu52dp3.vygyo7sa.ip       an IPv4 address; *.gzu52dp3.vygyo7sa.ip is its /24,
 *                                         *.vygyo7sa.ip its /16
 *     mncf3pqs.dacwhjrt.eomkak4i.ip6      an IPv6 address, its /64, its /48
 *     unix                                a Unix socket
 *
 * Each part is the first 40 bits of an HMAC-SHA-256 (RFC 2104) of "v4/32:", "v4/24:", "v4/16:",
 * "v6/128:", "v6/64:" or "v6/48:" and the bytes of the address's first so many bits, in base32
 * (RFC 4648) with small letters. Without a key anybody could compute all 2^32 of them.
 *
 * Threads: any; nothing is shared.
 */

#define CLOAK_KEY_BYTES 32
#define CLOAK_MAX       64 /* enough for every text below, with its NUL */

/** Writes the cloak of an address into ret of cap (CLOAK_MAX or more) bytes. */
void cloak_format(const uint8_t key[static CLOAK_KEY_BYTES], const struct party_address *peer,
                  char *ret, size_t cap);

/**
 * Writes the address itself, without port and scope. One that would begin with a colon begins with
 * a 0, since a word of IRC cannot begin so.
 */
void cloak_format_bare(const struct party_address *peer, char *ret, size_t cap);

/**
 * Reads the key of the data directory, partyline.cloak; makes it from the kernel's random source
 * when it is missing or empty. The directory was checked before (data_dir_init).
 * Returns: 0; -1 with a line in message: no regular file of ours with one name, not 32 bytes, not
 *   to be read or written.
 */
int cloak_load_key(const char *dir, uint8_t ret_key[static CLOAK_KEY_BYTES], char *message,
                   size_t cap);

#endif
