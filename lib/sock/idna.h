/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_IDNA_H
#define PARTYLINE_SOCK_IDNA_H

/* Host names with letters beyond ASCII, in the form that name servers know (IDNA). */

/* A domain name has at most 255 bytes (RFC 1035 2.3.4), here with a NUL. */
#define PARTY__IDNA_CAP 256

/**
 * The name to look up for host. An ASCII host is its own name, whatever it looks like; another one
 * is taken for UTF-8 and converted into buffer.
 * Returns: 0, and *ret_name is host or buffer; PARTY_EIDNA, PARTY_EIDNA_EMPTY, PARTY_EIDNA_LONG,
 *   PARTY_EIDNA_UNSUPPORTED (resolve.h); -ENOMEM.
 */
int party__idna_encode(const char *host, char buffer[PARTY__IDNA_CAP], const char **ret_name);

#endif
