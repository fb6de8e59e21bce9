/* SPDX-License-Identifier: MIT */
#ifndef CHAT_WIRE_SNIFF_H
#define CHAT_WIRE_SNIFF_H

#include <stddef.h>
#include <stdint.h>

/*
 * What does a new connection speak? Decided by its first bytes, once. No I/O.
 */

enum sniff_kind {
    SNIFF_UNDECIDED, /* more bytes are needed */
    SNIFF_LINE,      /* anything else: a line user, telnet included */
    SNIFF_TLS,       /* a TLS record with a handshake: 0x16 0x03 */
    SNIFF_HTTP,      /* an HTTP method in capitals and a space, or the HTTP/2 preface */
    SNIFF_IRC,   /* CAP, PASS, NICK, USER, SERVICE, SERVER, AUTHENTICATE in capitals and a space,
                    perhaps after "@tags " and blanks */
    SNIFF_PROXY, /* a PROXY header of version 1 ("PROXY ") or 2 (its 12 byte signature) */
};

#define SNIFF_MAX_BYTES 4096

/**
 * Looks at the first len bytes of a connection. With SNIFF_MAX_BYTES or more it always decides.
 * The decision for some bytes never changes when more come.
 */
enum sniff_kind sniff(const uint8_t *bytes, size_t len);

#endif
