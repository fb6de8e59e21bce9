/* SPDX-License-Identifier: MIT */
#include "base/xalloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void out_of_memory(size_t n, size_t size)
{
    (void)fprintf(stderr, "partyline: out of memory for %zu x %zu bytes\n", n, size);
    abort();
}

void *xcalloc(size_t n, size_t size)
{
    void *block = calloc(n ? n : 1, size ? size : 1);
    if (!block) {
        out_of_memory(n, size);
    }
    return block;
}

void *xmalloc(size_t size)
{
    void *block = malloc(size ? size : 1);
    if (!block) {
        out_of_memory(1, size);
    }
    return block;
}

void *xreallocarray(void *old, size_t n, size_t size)
{
    void *block = reallocarray(old, n ? n : 1, size ? size : 1);
    if (!block) {
        out_of_memory(n, size);
    }
    return block;
}

char *xmemdup0(const void *bytes, size_t len)
{
    if (len == SIZE_MAX) {
        out_of_memory(1, len);
    }
    char *copy = xmalloc(len + 1);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    copy[len] = '\0';
    return copy;
}

void xfree_wiped(void *memory, size_t len)
{
    if (memory) {
        explicit_bzero(memory, len);
        free(memory);
    }
}

void xfree_wiped_string(char *string)
{
    xfree_wiped(string, string ? strlen(string) : 0);
}

void *xgrow_wiped(void *old, size_t len, size_t size)
{
    void *block = xmalloc(size);
    if (len > 0) {
        memcpy(block, old, len);
    }
    xfree_wiped(old, len);
    return block;
}
