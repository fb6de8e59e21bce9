/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_SOCK_TLS_MEMORY_TEST_UTIL_H
#define PARTYLINE_SOCK_TLS_MEMORY_TEST_UTIL_H

#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

/* Counts OpenSSL's memory, and lets its n-th allocation fail. */

/* Behind the wrappers of fail_malloc.h, whose counts are of our own allocations only. */
void *__real_malloc(size_t size);
void __real_free(void *block);

#define HEADER_BYTES 16u /* keeps what is behind it aligned */

static size_t used_bytes;
static long fail_in; /* the so manieth allocation from now on fails; 0: none */
static bool failed;

static inline bool refuse(void)
{
    if (fail_in > 0 && --fail_in == 0) {
        failed = true;
        return true;
    }
    return false;
}

static inline void *count_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    char *block = refuse() ? NULL : __real_malloc(size + HEADER_BYTES);
    if (!block) {
        return NULL;
    }
    memcpy(block, &size, sizeof(size));
    used_bytes += size;
    return block + HEADER_BYTES;
}

static inline size_t size_of(const char *block)
{
    size_t size;
    memcpy(&size, block - HEADER_BYTES, sizeof(size));
    return size;
}

static inline void count_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (block) {
        used_bytes -= size_of(block);
        __real_free((char *)block - HEADER_BYTES);
    }
}

static inline void *count_realloc(void *block, size_t size, const char *file, int line)
{
    if (!block) {
        return count_malloc(size, file, line);
    }
    void *made = count_malloc(size, file, line);
    if (made) {
        size_t old = size_of(block);
        memcpy(made, block, old < size ? old : size);
        count_free(block, file, line);
    }
    return made;
}

/* Before OpenSSL has allocated anything. Returns: whether it could be done. */
static inline bool count_openssl_memory(void)
{
    return CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) == 1;
}

static inline bool openssl_has_errors(void)
{
    return ERR_peek_error() != 0;
}

#endif
