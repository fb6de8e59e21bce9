/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_FULL_PATH_H
#define TESTS_UNIT_FULL_PATH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <partyline/address.h>

/*
 * A path, in a directory of its own, that fills all of sun_path. The length that the kernel tells
 * of it is one that it refuses when it is given it.
 */
struct full_path {
    char directory[32];
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
    struct party_address address;
};

static inline void full_path_make(struct full_path *full)
{
    *full = (struct full_path){.directory = "/tmp/partyline-full-XXXXXX"};
    assert_non_null(mkdtemp(full->directory));
    memset(full->path, 'p', sizeof(full->path) - 1);
    memcpy(full->path, full->directory, strlen(full->directory));
    full->path[strlen(full->directory)] = '/';
    full->address.len = sizeof(full->address.u.un);
    full->address.u.un.sun_family = AF_UNIX;
    memcpy(full->address.u.un.sun_path, full->path, sizeof(full->address.u.un.sun_path));
}

static inline void full_path_remove(struct full_path *full)
{
    assert_int_equal(unlink(full->path), 0);
    assert_int_equal(rmdir(full->directory), 0);
}

#endif
