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
     * WEBIRC in capitals, as gateways begin with it, with three parameters at least.
     * In other letters, which people use who chat, the whole line decides:
     *   cap ls, list, req or end with anything behind it; pass WORD, pass :WORDS; user A B * C,
     *   user A B * :WORDS: IRC.
     *   nick WORD, pass and two or more words, user and four or more: IRC when the next line that
     *   is not empty is one of these too.
     *   ping WORD, ping :WORDS, perhaps several: IRC when any of these comes next.
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

/* What one whole line of somebody is who has said nothing but such lines yet. */
enum sniff_line {
    SNIFF_LINE_CHAT,
    SNIFF_LINE_PING,    /* ping WORD: chat, and yet a handshake may come behind it */
    SNIFF_LINE_PERHAPS, /* chat by itself; IRC behind a line of IRC */
    SNIFF_LINE_IRC,     /* what sniff knows without the next line, and nick WORD */
};

/** Looks at a line that ends with LF, of any length. */
enum sniff_line sniff_line(const uint8_t *line, size_t len);

#endif
