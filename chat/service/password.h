/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_PASSWORD_H
#define CHAT_SERVICE_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Passwords as they are stored: as text, or as argon2id writes them, "$argon2id$v=19$m=...,t=...,
 * p=...$SALT$TAG" (RFC 9106; the form is that of argon2's reference code).
 *
 * Threads: any; nothing is shared. One check of a hash takes its m KiB of memory and, with the
 * parameters of password_hash, a tenth of a second: no loop may do it.
 */

#define PASSWORD_MAX_BYTES        256 /* of a password as text */
#define PASSWORD_STORED_MAX_BYTES 512 /* of a hash */
#define PASSWORD_HASH_MAX         128 /* enough for what password_hash writes, with its NUL */

/**
 * Makes a hash of the password: m = 65536 KiB, t = 3, p = 4, a salt of 16 random bytes, a tag
 * of 32. Returns: 0; -ENOMEM; -errno of getrandom(2); ret_hash is untouched then.
 */
int password_hash(const char *password, char ret_hash[static PASSWORD_HASH_MAX]);

/** Whether stored is meant to be a hash: it begins with "$argon2". */
bool password_is_hash(const char *stored);

/**
 * Whether a hash can be checked here, in tolerable time and memory (1 GiB, t 100, p 64).
 * Returns: NULL; else what is wrong with it, a static string.
 */
const char *password_hash_fault(const char *hash);

/**
 * Compares. For a password that is stored as text the time depends on what was given only.
 * Returns: 1 when it is right, 0 when it is wrong or stored is a hash with a fault, -ENOMEM.
 */
int password_check(const char *stored, const char *given);

#endif
