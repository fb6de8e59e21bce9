/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>

/*
 * Run by the build: writes skeleton_table.c, taken from ICU's data of UTS 39, so that the
 * server needs no ICU when it runs. Only what may stand in a name (name.h) and stays as it is under
 * NFD is in it.
 */

#define POOL_CAP 65536

struct pool {
    unsigned char bytes[POOL_CAP];
    size_t len;
};

static UBool is_wanted(const UNormalizer2 *nfd, UChar32 c)
{
    if (c < 0x80) {
        return c > ' ' && c < 0x7f;
    }
    UErrorCode status = U_ZERO_ERROR;
    UChar decomposition[32];
    if (unorm2_getDecomposition(nfd, c, decomposition, 32, &status) >= 0) {
        return 0;
    }
    return (U_GET_GC_MASK(c) & (U_GC_L_MASK | U_GC_M_MASK | U_GC_ND_MASK)) != 0;
}

/* Puts the skeleton of one character at the end of the pool. Returns: 1 when it is another one, 0
 * when it is the character itself, -1 on failure. */
static int put_skeleton(struct pool *pool, const USpoofChecker *checker, UChar32 c)
{
    char utf8[U8_MAX_LENGTH];
    int32_t utf8_len = 0;
    UErrorCode status = U_ZERO_ERROR;
    U8_APPEND_UNSAFE(utf8, utf8_len, c);
    char *at = (char *)pool->bytes + pool->len;
    int32_t cap = (int32_t)(POOL_CAP - pool->len);
    int32_t len = uspoof_getSkeletonUTF8(checker, 0, utf8, utf8_len, at, cap, &status);
    if (U_FAILURE(status) || len >= cap) {
        return -1;
    }
    if (len == utf8_len && memcmp(at, utf8, (size_t)len) == 0) {
        return 0;
    }
    pool->len += (size_t)len;
    return 1;
}

static int write_table(const USpoofChecker *checker, const UNormalizer2 *nfd)
{
    static struct pool pool;
    static UChar32 characters[POOL_CAP];
    static size_t ends[POOL_CAP];
    size_t count = 0;
    for (UChar32 c = 0; c <= UCHAR_MAX_VALUE; c++) {
        if (U_IS_SURROGATE(c) || !is_wanted(nfd, c)) {
            continue;
        }
        int put = put_skeleton(&pool, checker, c);
        if (put < 0 || count == POOL_CAP || pool.len > UINT16_MAX) {
            return -1;
        }
        if (put > 0) {
            characters[count] = c;
            ends[count++] = pool.len;
        }
    }
    printf("/* Made by skeleton_gen.c from Unicode %s. */\n", U_UNICODE_VERSION);
    printf("#include \"core/skeleton_table.h\"\n\nconst uint32_t skeleton_characters[] = {");
    for (size_t i = 0; i < count; i++) {
        printf("%s%#x,", i % 12 == 0 ? "\n" : " ", (unsigned)characters[i]);
    }
    printf("\n};\nconst size_t skeleton_character_count = %zu;\n\n", count);
    printf("const uint16_t skeleton_ends[] = {");
    for (size_t i = 0; i < count; i++) {
        printf("%s%zu,", i % 16 == 0 ? "\n" : " ", ends[i]);
    }
    printf("\n};\n\nconst unsigned char skeleton_bytes[] = {");
    for (size_t i = 0; i < pool.len; i++) {
        printf("%s%u,", i % 20 == 0 ? "\n" : " ", pool.bytes[i]);
    }
    printf("\n};\n");
    return fflush(stdout) == 0 ? 0 : -1;
}

int main(void)
{
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker *checker = uspoof_open(&status);
    const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);
    if (U_FAILURE(status)) {
        (void)fprintf(stderr, "skeleton_gen: %s\n", u_errorName(status));
        return 1;
    }
    int written = write_table(checker, nfd);
    uspoof_close(checker);
    if (written < 0) {
        (void)fprintf(stderr, "skeleton_gen: the table cannot be written\n");
        return 1;
    }
    return 0;
}
