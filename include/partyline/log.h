/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOG_H
#define PARTYLINE_LOG_H

#include <partyline/api.h>

PARTY_BEGIN_DECLS

/*
 * The log hook: what the library has to say and no return value can carry (a listener that backs
 * off, a callback that was late). Without a hook it says nothing; it never prints.
 */

enum party_log_level {
    PARTY_LOG_ERROR,
    PARTY_LOG_WARNING,
    PARTY_LOG_INFO,
    PARTY_LOG_DEBUG,
};

/** message is one line without a newline, borrowed until the hook returns. */
typedef void (*party_log_fn)(enum party_log_level level, const char *message, void *user);

PARTY_END_DECLS
#endif
