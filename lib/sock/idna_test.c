/* SPDX-License-Identifier: MIT */
#include "sock/idna.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/error.h>

static void assert_refused(const char *host, int code)
{
    char buffer[PARTY__IDNA_CAP];
    const char *name = NULL;
    int r = party__idna_encode(host, buffer, &name);
    if (r != code) {
        print_error("%s gives %s\n", host, r == 0 ? name : party_error_name(r));
    }
    assert_int_equal(r, code);
    assert_null(name);
}

static void test_ascii_is_left_alone_whatever_it_looks_like(void **state)
{
    (void)state;
    static const char *const hosts[] = {
        "", ".", "a..b", "UPPER.Example", "_srv._tcp.example", "-x-", "xn--a", "::1", "a b",
    };
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char buffer[PARTY__IDNA_CAP];
        const char *name = NULL;
        assert_int_equal(party__idna_encode(hosts[i], buffer, &name), 0);
        assert_ptr_equal(name, hosts[i]);
    }
}

#ifdef PARTY_HAVE_IDN2
#include <idn2.h>

int __real_idn2_to_ascii_8z(const char *input, char **output, int flags);
int __wrap_idn2_to_ascii_8z(const char *input, char **output, int flags);

static int idn2_answer; /* what libidn2 says; IDN2_OK lets it work */

int __wrap_idn2_to_ascii_8z(const char *input, char **output, int flags)
{
    return idn2_answer != IDN2_OK ? idn2_answer : __real_idn2_to_ascii_8z(input, output, flags);
}

static void assert_encodes(const char *host, const char *wanted)
{
    char buffer[PARTY__IDNA_CAP];
    const char *name = NULL;
    int r = party__idna_encode(host, buffer, &name);
    if (r != 0) {
        print_error("%s gives %s\n", host, party_error_name(r));
    }
    assert_int_equal(r, 0);
    assert_string_equal(name, wanted);
}

/* What Python's codec 'idna' gives for them too. */
static void test_common_names_have_pythons_form(void **state)
{
    (void)state;
    assert_encodes("b\u00fccher.example", "xn--bcher-kva.example");
    assert_encodes("B\u00dcCHER.EXAMPLE", "xn--bcher-kva.example");
    assert_encodes("bu\u0308cher.example", "xn--bcher-kva.example");
    assert_encodes("\u0438\u0441\u043f\u044b\u0442\u0430\u043d\u0438\u0435.python.org",
                   "xn--80akhbyknj4f.python.org");
    assert_encodes("\u65e5\u672c\u8a9e\u3002jp", "xn--wgv71a119e.jp");
    assert_encodes("\ufb01.\u00fc", "fi.xn--tda");
    assert_encodes("_a_b.\u00fc", "_a_b.xn--tda");
    assert_encodes("\u00fc.", "xn--tda.");
    assert_encodes("\uff11\uff12\uff17.0.0.\uff11", "127.0.0.1");
}

static void test_letters_of_today_are_kept_where_python_replaces_them(void **state)
{
    (void)state;
    assert_encodes("fa\u00df.de", "xn--fa-hia.de");
    assert_encodes("\u03c2.gr", "xn--3xa.gr");
}

static void test_names_with_symbols_are_known(void **state)
{
    (void)state;
    assert_encodes("\u2603.net", "xn--n3h.net");
    assert_encodes("\U0001f4a9.la", "xn--ls8h.la");
}

static void test_empty_labels_are_refused(void **state)
{
    (void)state;
    assert_refused("\u00fc..de", PARTY_EIDNA_EMPTY);
    assert_refused(".\u00fc", PARTY_EIDNA_EMPTY);
    /* Soft hyphens are nothing, full-width dots are dots. */
    assert_refused("\u00ad.\u00fc", PARTY_EIDNA_EMPTY);
    assert_refused("\u00fc\u3002\uff0ede", PARTY_EIDNA_EMPTY);
}

static void test_labels_and_names_that_are_too_long_are_refused(void **state)
{
    (void)state;
    char host[600] = "";
    for (size_t i = 0; i < 62; i++) {
        strcat(host, "\u00fc");
    }
    assert_refused(host, PARTY_EIDNA_LONG);
    host[0] = '\0';
    for (size_t i = 0; i < 130; i++) {
        strcat(host, "a.");
    }
    strcat(host, "\u00fc");
    assert_refused(host, PARTY_EIDNA_LONG);
}

static void test_what_no_domain_can_be_is_refused(void **state)
{
    (void)state;
    assert_refused("\u00fc .de", PARTY_EIDNA);
    assert_refused("<\u00fc>", PARTY_EIDNA);
    assert_refused("-\u00fc.de", PARTY_EIDNA);
    assert_refused("\u00fc\u200d", PARTY_EIDNA);
    assert_refused("xn--a.\u00fc", PARTY_EIDNA);
}

static void test_what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    assert_refused("\xff.de", PARTY_EIDNA);
    assert_refused("b\xfc"
                   "cher.de",
                   PARTY_EIDNA);
    assert_refused("\xed\xa0\x80.de", PARTY_EIDNA);
}

static void test_libidn2_without_memory_is_enomem(void **state)
{
    (void)state;
    idn2_answer = IDN2_MALLOC;
    assert_refused("\u00fc", -ENOMEM);
    idn2_answer = IDN2_OK;
    assert_encodes("\u00fc", "xn--tda");
}
#else
static void test_without_libidn2_other_letters_are_refused_by_name(void **state)
{
    (void)state;
    assert_refused("b\u00fccher.example", PARTY_EIDNA_UNSUPPORTED);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ascii_is_left_alone_whatever_it_looks_like),
#ifdef PARTY_HAVE_IDN2
        cmocka_unit_test(test_common_names_have_pythons_form),
        cmocka_unit_test(test_letters_of_today_are_kept_where_python_replaces_them),
        cmocka_unit_test(test_names_with_symbols_are_known),
        cmocka_unit_test(test_empty_labels_are_refused),
        cmocka_unit_test(test_labels_and_names_that_are_too_long_are_refused),
        cmocka_unit_test(test_what_no_domain_can_be_is_refused),
        cmocka_unit_test(test_what_is_not_utf8_is_refused),
        cmocka_unit_test(test_libidn2_without_memory_is_enomem),
#else
        cmocka_unit_test(test_without_libidn2_other_letters_are_refused_by_name),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
