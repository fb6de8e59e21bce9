/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_FILE_INTERNAL_H
#define PARTYLINE_SOCK_FILE_INTERNAL_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Inside lib/sock: stdio streams over anything that is read and written like a socket. */

struct party__file_ops {
    /** Returns: bytes read (> 0); 0 at the end; a negative code. */
    ssize_t (*read)(void *object, void *buf, size_t len);
    /** Writes all. Returns: 0; a negative code. *ret_written is how much was taken, in any case. */
    int (*write)(void *object, const void *buf, size_t len, size_t *ret_written);
    /** The stream is closed. Returns: 0; a negative code, which fclose then reports. */
    int (*release)(void *object);
};

/**
 * A stream over object with party_file_makefile's modes and rules.
 * Returns: 0; -EINVAL; -ENOMEM. Owns: on success the stream has object and calls release once.
 */
int party__file_open(const struct party__file_ops *ops, void *object, const char *mode,
                     FILE **ret_file);

#endif
