/* SPDX-License-Identifier: MIT */
#include "service/password.h"

#include <argon2.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define MEMORY_KIB 65536u
#define PASSES     3u
#define LANES      4u
#define SALT_BYTES 16u
#define TAG_BYTES  32u

/* What a hash from elsewhere may ask for. */
#define MEMORY_KIB_MOST 1048576u
#define PASSES_MOST     100u
#define LANES_MOST      64u
#define SALT_LEAST      8u
#define TAG_LEAST       16u
#define BYTES_MOST      64u

int password_hash(const char *password, char ret_hash[static PASSWORD_HASH_MAX])
{
    unsigned char salt[SALT_BYTES];
    char hash[PASSWORD_HASH_MAX];

    /* A request of up to 256 bytes is answered whole, getrandom(2). */
    if (getrandom(salt, sizeof salt, 0) == -1) {
        return -errno;
    }
    int r = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password), salt,
                                  sizeof salt, TAG_BYTES, hash, sizeof hash);
    if (r != ARGON2_OK) {
        return -ENOMEM; /* the parameters are right, so nothing else is left, threads included */
    }
    memcpy(ret_hash, hash, sizeof hash);
    return 0;
}

bool password_is_hash(const char *stored)
{
    return strncmp(stored, "$argon2", 7) == 0;
}

/* Takes "NAME=NUMBER" off *text. Returns: whether it is there and the number in its range. */
static bool take_number(const char **text, const char *name, unsigned min, unsigned max)
{
    const char *p = *text;
    unsigned number = 0;

    if (strncmp(p, name, strlen(name)) != 0) {
        return false;
    }
    p += strlen(name);
    size_t digits = strspn(p, "0123456789");
    if (digits == 0 || digits > 7 || (p[0] == '0' && digits > 1)) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        number = number * 10 + (unsigned)(p[i] - '0');
    }
    *text = p + digits;
    return number >= min && number <= max;
}

/* Takes base64 without padding of min to BYTES_MOST bytes off *text. */
static bool take_base64(const char **text, unsigned min)
{
    size_t len = strspn(*text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

    *text += len;
    return len % 4 != 1 && len * 3 / 4 >= min && len * 3 / 4 <= BYTES_MOST;
}

static bool take(const char **text, const char *what)
{
    bool is_there = strncmp(*text, what, strlen(what)) == 0;

    *text += is_there ? strlen(what) : 0;
    return is_there;
}

const char *password_hash_fault(const char *hash)
{
    const char *p = hash;

    if (strlen(hash) > PASSWORD_STORED_MAX_BYTES) {
        return "longer than a hash may be";
    }
    if (!take(&p, "$argon2id$")) {
        return "not a hash that begins with $argon2id$";
    }
    if (!take(&p, "v=19$")) {
        return "not of argon2's version 19";
    }
    if (!take_number(&p, "m=", 8, MEMORY_KIB_MOST) || !take_number(&p, ",t=", 1, PASSES_MOST) ||
        !take_number(&p, ",p=", 1, LANES_MOST)) {
        return "m is to be 8 to 1048576, t 1 to 100 and p 1 to 64";
    }
    if (!take(&p, "$") || !take_base64(&p, SALT_LEAST) || !take(&p, "$") ||
        !take_base64(&p, TAG_LEAST) || *p != '\0') {
        return "the salt (8 to 64 bytes) or the tag (16 to 64 bytes) is not whole";
    }
    return NULL;
}

/* Looks at every byte that was given, whatever is stored. */
static int check_text(const char *stored, const char *given)
{
    size_t stored_len = strlen(stored);
    size_t len = strlen(given);
    unsigned char differs = stored_len != len;

    for (size_t i = 0, k = 0; i < len; i++, k++) {
        k = k < stored_len ? k : 0;
        differs |= (unsigned char)(stored[k] ^ given[i]);
    }
    return differs == 0;
}

int password_check(const char *stored, const char *given)
{
    if (!password_is_hash(stored)) {
        return check_text(stored, given);
    }
    if (password_hash_fault(stored) != NULL) {
        return 0;
    }
    int r = argon2id_verify(stored, given, strlen(given));
    if (r == ARGON2_MEMORY_ALLOCATION_ERROR || r == ARGON2_THREAD_FAIL) {
        return -ENOMEM;
    }
    return r == ARGON2_OK;
}
