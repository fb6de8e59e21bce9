/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_RESOLVE_INTERNAL_H
#define PARTYLINE_SOCK_RESOLVE_INTERNAL_H

/* What the files of the resolve module share. */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define PARTY__PORT_MAX 65535

/** Copies text out. Returns: 0; -ENAMETOOLONG when it does not fit, and nothing is written. */
static inline int party__resolve_copy_out(const char *text, char *ret_text, size_t cap)
{
    size_t len = strlen(text);
    if (len >= cap) {
        return -ENAMETOOLONG;
    }
    memcpy(ret_text, text, len + 1);
    return 0;
}

/*
 * The memory into which glibc's gethostbyname2_r(3), getservbyname_r(3) and their like put their
 * strings: they answer ERANGE until it is large enough.
 *
 *     struct party__scratch scratch;
 *     party__scratch_init(&scratch);
 *     do {
 *         r = getservbyname_r(name, proto, &entry, scratch.at, scratch.cap, &found);
 *     } while (r == ERANGE && party__scratch_grow(&scratch));
 *     ...
 *     party__scratch_finish(&scratch);
 */

/* What a name server or a file can make it grow to; a host with 10,000 addresses fits. */
#define PARTY__SCRATCH_MAX_BYTES ((size_t)1 << 20)

struct party__scratch {
    char *at; /* first, or memory of its own */
    size_t cap;
    char first[2048];
};

static inline void party__scratch_init(struct party__scratch *scratch)
{
    scratch->at = scratch->first;
    scratch->cap = sizeof(scratch->first);
}

static inline void party__scratch_finish(struct party__scratch *scratch)
{
    if (scratch->at != scratch->first) {
        free(scratch->at);
    }
}

/** Makes it larger and forgets what is in it. False without memory and at the limit. */
static inline bool party__scratch_grow(struct party__scratch *scratch)
{
    size_t cap = scratch->cap * 4;
    char *larger = cap <= PARTY__SCRATCH_MAX_BYTES ? malloc(cap) : NULL;
    if (larger == NULL) {
        return false;
    }
    party__scratch_finish(scratch);
    scratch->at = larger;
    scratch->cap = cap;
    return true;
}

#endif
