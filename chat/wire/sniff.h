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
    /*
     * An HTTP method in capitals (PRI of the HTTP/2 preface counts), a space and the start of a
     * target: '/', '*', "http:" or "https:" in either case, after CONNECT any visible ASCII. So
     * whoever shouts "GET OUT" is a line user.
     */
    SNIFF_HTTP,
    /*
     * CAP, PASS, NICK, USER, SERVICE, SERVER, AUTHENTICATE in capitals and a space or the end of
     * the line, perhaps after empty lines, blanks, "@tags " and ":source "; or "QUIT :", as
     * programs that look whether a server is up say it. QUIT alone is how line users leave.
     * In other letters, which people use who chat, the whole line decides:
     *   cap ls, list, req or end with anything behind it; pass WORD, pass :WORDS; user A B * C,
     *   user A B * :WORDS: IRC.
     *   nick WORD, pass and two or more words, user and four or more: IRC when the next line that
     *   is not empty is one of these too.
     */
    SNIFF_IRC,
    SNIFF_PROXY, /* a PROXY header of version 1 ("PROXY ") or 2 (its 12 byte signature) */
};

#define SNIFF_MAX_BYTES 4096

/**
 * Looks at the first len bytes of a connection. With SNIFF_MAX_BYTES or more it always decides.
 * The decision for some bytes never changes when more come.
 */
enum sniff_kind sniff(const uint8_t *bytes, size_t len);

#endif
