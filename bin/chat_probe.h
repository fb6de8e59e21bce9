/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_PROBE_H
#define BIN_CHAT_PROBE_H

#include <stddef.h>

/*
 * Which protocol does a server speak? Told by its first bytes. No I/O.
 *
 * A server that speaks first is taken at its word. To one that waits, the client says CHAT_PROBE,
 * with which every IRC client begins, and nothing else: a password or a name goes only to a server
 * that has answered as IRC servers do.
 */

#define CHAT_PROBE "CAP LS 302\r\n"

enum chat_probe_result {
    CHAT_PROBE_UNDECIDED, /* more bytes are needed */
    CHAT_PROBE_LINE,
    CHAT_PROBE_IRC,
    /* A Partyline that knows IRC well enough to say that it is not spoken there: connect anew, and
       speak the line protocol. */
    CHAT_PROBE_REFUSED,
};

/** Looks at the first len bytes of a server. */
enum chat_probe_result chat_probe(const char *bytes, size_t len);

#endif
