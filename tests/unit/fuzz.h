/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_FUZZ_H
#define TESTS_UNIT_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * What the fuzz targets share. A target is built twice: with libFuzzer, which makes up inputs, and
 * with replay_main.c, which runs the files of tests/corpus; random_main.c makes inputs up without
 * libFuzzer.
 */

/** Ends the process when a promise is broken; unlike assert() it stays in every build. */
#define fuzz_check(promise)                                                                        \
    do {                                                                                           \
        if (!(promise)) {                                                                          \
            (void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise);            \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/** A copy that ends where its memory ends, so that a read behind it is seen. Never NULL. */
static inline void *fuzz_copy(const void *bytes, size_t len)
{
    uint8_t *copy = calloc(len > 0 ? len : 1, 1);
    fuzz_check(copy);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
