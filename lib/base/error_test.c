/* SPDX-License-Identifier: MIT */
#include <partyline/error.h>

#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct listed {
    int code;
    const char *name;
    const char *text;
};

static const struct listed all[] = {
#define LISTED(name, code, text) {name, #name, text},
    PARTY_ERRORS(LISTED)
#undef LISTED
};

#define ALL_COUNT (sizeof(all) / sizeof(all[0]))

static void test_codes_names_and_texts_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL_COUNT; i++) {
        for (size_t k = i + 1; k < ALL_COUNT; k++) {
            assert_int_not_equal(all[i].code, all[k].code);
            assert_string_not_equal(all[i].name, all[k].name);
            assert_string_not_equal(all[i].text, all[k].text);
        }
    }
}

static void test_codes_lie_below_every_errno(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL_COUNT; i++) {
        assert_true(all[i].code < -4095);
    }
}

static void test_every_code_has_its_name_and_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALL_COUNT; i++) {
        assert_string_equal(party_strerror(all[i].code), all[i].text);
        assert_string_equal(party_error_name(all[i].code), all[i].name);
        assert_true(strlen(all[i].text) > 0);
        assert_null(strchr(all[i].text, '\n'));
    }
}

static void test_errno_has_the_systems_text_and_symbol(void **state)
{
    (void)state;
    assert_string_equal(party_strerror(-ECONNREFUSED), "Connection refused");
    assert_string_equal(party_error_name(-ECONNREFUSED), "ECONNREFUSED");
    assert_string_equal(party_error_name(-EAGAIN), "EAGAIN");
    assert_string_equal(party_strerror(-1), strerror(1));
}

static void test_codes_nobody_defined_are_unknown(void **state)
{
    (void)state;
    static const int codes[] = {-4000, -4095, -4096, -4999, -5199, -5200, -99999, INT32_MIN};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_string_equal(party_strerror(codes[i]), "unknown error");
        assert_string_equal(party_error_name(codes[i]), "?");
    }
}

static void test_success_is_no_error(void **state)
{
    (void)state;
    assert_string_equal(party_strerror(0), "no error");
    assert_string_equal(party_strerror(4096), "no error");
    assert_string_equal(party_error_name(0), "OK");
    assert_int_equal(party_error_kind(0), PARTY_KIND_NONE);
    assert_int_equal(party_error_kind(INT32_MAX), PARTY_KIND_NONE);
}

static void test_kinds_are_pythons_classes(void **state)
{
    (void)state;
    assert_int_equal(party_error_kind(-ECONNREFUSED), PARTY_KIND_OS);
    assert_int_equal(party_error_kind(-EAGAIN), PARTY_KIND_OS);
    assert_int_equal(party_error_kind(-ETIMEDOUT), PARTY_KIND_TIMEOUT);
    assert_int_equal(party_error_kind(PARTY_ETIMEOUT), PARTY_KIND_TIMEOUT);
    assert_int_equal(party_error_kind(PARTY_EOF), PARTY_KIND_LIBRARY);
    assert_int_equal(party_error_kind(PARTY_EADDRESS), PARTY_KIND_LIBRARY);
    for (size_t i = 0; i < ALL_COUNT; i++) {
        bool is_gai = strncmp(all[i].name, "PARTY_EGAI_", 11) == 0;
        assert_int_equal(party_error_kind(all[i].code) == PARTY_KIND_GAI, is_gai);
        bool is_herror = strncmp(all[i].name, "PARTY_EH_", 9) == 0;
        assert_int_equal(party_error_kind(all[i].code) == PARTY_KIND_HERROR, is_herror);
    }
}

static void test_gai_codes_are_translated(void **state)
{
    (void)state;
    static const struct {
        int eai;
        int code;
    } cases[] = {
        {EAI_BADFLAGS, PARTY_EGAI_BADFLAGS},
        {EAI_NONAME, PARTY_EGAI_NONAME},
        {EAI_AGAIN, PARTY_EGAI_AGAIN},
        {EAI_FAIL, PARTY_EGAI_FAIL},
        {EAI_NODATA, PARTY_EGAI_NODATA},
        {EAI_FAMILY, PARTY_EGAI_FAMILY},
        {EAI_SOCKTYPE, PARTY_EGAI_SOCKTYPE},
        {EAI_SERVICE, PARTY_EGAI_SERVICE},
        {EAI_MEMORY, PARTY_EGAI_MEMORY},
        {EAI_ADDRFAMILY, PARTY_EGAI_ADDRFAMILY},
        {EAI_OVERFLOW, PARTY_EGAI_OVERFLOW},
        {-12345, PARTY_EGAI_FAIL},
        {0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(party_error_from_gai(cases[i].eai, EIO), cases[i].code);
    }
}

static void test_gai_system_error_is_the_errno(void **state)
{
    (void)state;
    assert_int_equal(party_error_from_gai(EAI_SYSTEM, EMFILE), -EMFILE);
    /* Never a success, even when nobody set errno. */
    assert_int_equal(party_error_from_gai(EAI_SYSTEM, 0), PARTY_EGAI_FAIL);
}

static void test_host_codes_are_translated(void **state)
{
    (void)state;
    assert_int_equal(party_error_from_h(HOST_NOT_FOUND, EIO), PARTY_EH_HOST_NOT_FOUND);
    assert_int_equal(party_error_from_h(TRY_AGAIN, EIO), PARTY_EH_TRY_AGAIN);
    assert_int_equal(party_error_from_h(NO_RECOVERY, EIO), PARTY_EH_NO_RECOVERY);
    assert_int_equal(party_error_from_h(NO_DATA, EIO), PARTY_EH_NO_DATA);
    assert_int_equal(party_error_from_h(12345, EIO), PARTY_EH_NO_RECOVERY);
    assert_int_equal(party_error_from_h(NETDB_SUCCESS, EIO), 0);
    assert_int_equal(party_error_from_h(NETDB_INTERNAL, EMFILE), -EMFILE);
    assert_int_equal(party_error_from_h(NETDB_INTERNAL, 0), PARTY_EH_NO_RECOVERY);
}

/* Who needs Python's numbers gets them from our codes. */
static void test_look_up_codes_hold_the_systems_numbers(void **state)
{
    (void)state;
    assert_int_equal(PARTY_EGAI_NONAME, -5100 + EAI_NONAME);
    assert_int_equal(PARTY_EGAI_OVERFLOW, -5100 + EAI_OVERFLOW);
    assert_int_equal(PARTY_EH_HOST_NOT_FOUND, -5200 - HOST_NOT_FOUND);
    assert_int_equal(PARTY_EH_NO_DATA, -5200 - NO_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_names_and_texts_are_unique),
        cmocka_unit_test(test_codes_lie_below_every_errno),
        cmocka_unit_test(test_every_code_has_its_name_and_text),
        cmocka_unit_test(test_errno_has_the_systems_text_and_symbol),
        cmocka_unit_test(test_codes_nobody_defined_are_unknown),
        cmocka_unit_test(test_success_is_no_error),
        cmocka_unit_test(test_kinds_are_pythons_classes),
        cmocka_unit_test(test_gai_codes_are_translated),
        cmocka_unit_test(test_gai_system_error_is_the_errno),
        cmocka_unit_test(test_host_codes_are_translated),
        cmocka_unit_test(test_look_up_codes_hold_the_systems_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
