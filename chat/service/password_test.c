/* SPDX-License-Identifier: MIT */
#include "service/password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The answers argon2's reference code is tested with, for "password" and "somesalt". */
#define KNOWN "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
#define KNOWN_LARGE                                                                                \
    "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

static void test_known_hashes_are_checked(void **state)
{
    (void)state;
    assert_int_equal(password_check(KNOWN, "password"), 1);
    assert_int_equal(password_check(KNOWN_LARGE, "password"), 1);
    assert_int_equal(password_check(KNOWN, "passwore"), 0);
    assert_int_equal(password_check(KNOWN, ""), 0);
    /* The hash itself is no password. */
    assert_int_equal(password_check(KNOWN, KNOWN), 0);
}

static void test_new_hash_has_the_promised_form(void **state)
{
    char one[PASSWORD_HASH_MAX], two[PASSWORD_HASH_MAX];
    static const char form[] = "$argon2id$v=19$m=65536,t=3,p=4$";

    (void)state;
    assert_int_equal(password_hash("sésame", one), 0);
    assert_int_equal(password_hash("sésame", two), 0);
    assert_memory_equal(one, form, strlen(form));
    /* 16 bytes of salt, a dollar sign, 32 bytes of tag, in base64 without padding. */
    assert_int_equal(strlen(one), strlen(form) + 22 + 1 + 43);
    assert_null(password_hash_fault(one));
    assert_string_not_equal(one, two);
    assert_int_equal(password_check(one, "sésame"), 1);
    assert_int_equal(password_check(one, "sesame"), 0);
}

static void test_texts_are_compared_whole(void **state)
{
    (void)state;
    assert_int_equal(password_check("open sesame", "open sesame"), 1);
    assert_int_equal(password_check("open sesame", "open sesam"), 0);
    assert_int_equal(password_check("open sesame", "open sesamee"), 0);
    assert_int_equal(password_check("open sesame", "Open sesame"), 0);
    assert_int_equal(password_check("open sesame", ""), 0);
    assert_int_equal(password_check("ab", "abab"), 0);
    assert_int_equal(password_check("", "a"), 0);
    assert_int_equal(password_check("a", ""), 0);
}

static void test_hash_with_a_fault_fits_nothing(void **state)
{
    static const char *const bad[] = {
        "$argon2id$",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=16$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=0256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=1048577,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=99999999999,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMA",
        "$argon2id$v=19$m=256,t=0,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=101,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=65$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29t$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4=",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4 ",
    };

    (void)state;
    assert_null(password_hash_fault(KNOWN));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_non_null(password_hash_fault(bad[i]));
        assert_true(password_is_hash(bad[i]));
        assert_int_equal(password_check(bad[i], "password"), 0);
    }
    assert_false(password_is_hash("$argon"));
}

static void test_long_hash_is_refused(void **state)
{
    char hash[PASSWORD_STORED_MAX_BYTES + 2];

    (void)state;
    memset(hash, 'A', sizeof hash - 1);
    hash[sizeof hash - 1] = '\0';
    memcpy(hash, KNOWN, strlen(KNOWN));
    assert_string_equal(password_hash_fault(hash), "longer than a hash may be");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_hashes_are_checked),
        cmocka_unit_test(test_new_hash_has_the_promised_form),
        cmocka_unit_test(test_texts_are_compared_whole),
        cmocka_unit_test(test_hash_with_a_fault_fits_nothing),
        cmocka_unit_test(test_long_hash_is_refused),
    };
    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
