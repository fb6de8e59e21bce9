/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_BASE_REQUIRE_H
#define PARTYLINE_BASE_REQUIRE_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * What a public function says to a NULL that its contract does not allow (partyline.h). It is the
 * first statement of each that takes such a pointer:
 *
 *     int party_sock_bind(struct party_sock *sock, const struct party_address *address)
 *     {
 *         PARTY__REQUIRE(-EINVAL, sock, address);
 *
 * A library with assertions ends the process with what assert(3) prints, the function and the
 * argument; one without returns the first argument. Up to five pointers. Not asked is user, which
 * is nobody's but the caller's. Bytes and arrays that come with their length may be NULL when they
 * are none, and are asked with PARTY__REQUIRE_BYTES; what only the kernel looks at it refuses
 * itself.
 */
#define PARTY__REQUIRE(result, ...)                                                                \
    do {                                                                                           \
        if (PARTY__HAS_NULL(__VA_ARGS__)) {                                                        \
            return result;                                                                         \
        }                                                                                          \
    } while (0)

/** The same where nothing is returned. */
#define PARTY__REQUIRE_VOID(...)                                                                   \
    do {                                                                                           \
        if (PARTY__HAS_NULL(__VA_ARGS__)) {                                                        \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/** The same for what comes with its length, in bytes or elements. */
#define PARTY__REQUIRE_BYTES(result, bytes, len)                                                   \
    do {                                                                                           \
        if ((len) > 0 && PARTY__IS_NULL(bytes)) {                                                  \
            return result;                                                                         \
        }                                                                                          \
    } while (0)

/** And where nothing is returned. */
#define PARTY__REQUIRE_BYTES_VOID(bytes, len)                                                      \
    do {                                                                                           \
        if ((len) > 0 && PARTY__IS_NULL(bytes)) {                                                  \
            return;                                                                                \
        }                                                                                          \
    } while (0)

#ifdef NDEBUG
#define PARTY__IS_NULL(a) __builtin_expect((a) == NULL, 0)
#else
#define PARTY__IS_NULL(a)                                                                          \
    (__builtin_expect((a) == NULL, 0)                                                              \
         ? (__assert_fail(#a " != NULL", __FILE__, __LINE__, __func__), true)                      \
         : false)
#endif

#define PARTY__PICK(_1, _2, _3, _4, _5, name, ...) name
#define PARTY__HAS_NULL(...)                                                                       \
    (PARTY__PICK(__VA_ARGS__, PARTY__HAS_NULL5, PARTY__HAS_NULL4, PARTY__HAS_NULL3,                \
                 PARTY__HAS_NULL2, PARTY__HAS_NULL1, 0)(__VA_ARGS__))
#define PARTY__HAS_NULL1(a)             PARTY__IS_NULL(a)
#define PARTY__HAS_NULL2(a, b)          PARTY__IS_NULL(a) || PARTY__IS_NULL(b)
#define PARTY__HAS_NULL3(a, b, c)       PARTY__HAS_NULL2(a, b) || PARTY__IS_NULL(c)
#define PARTY__HAS_NULL4(a, b, c, d)    PARTY__HAS_NULL3(a, b, c) || PARTY__IS_NULL(d)
#define PARTY__HAS_NULL5(a, b, c, d, e) PARTY__HAS_NULL4(a, b, c, d) || PARTY__IS_NULL(e)

#endif
