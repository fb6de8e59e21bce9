/* SPDX-License-Identifier: MIT */
#include <partyline/resolve.h>

#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "fail_malloc.h"

/* getaddrinfo is counted, and says what a test wants it to. */

int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos);
void __real_freeaddrinfo(struct addrinfo *infos);
void __wrap_freeaddrinfo(struct addrinfo *infos);

static struct {
    unsigned calls;
    int eai;                 /* the answer when it is not 0 */
    int error;               /* errno with it */
    bool is_empty;           /* a success without an address */
    struct addrinfo *answer; /* NULL: libc's */
    char host[64];           /* that was asked for last */
} resolver;

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_infos)
{
    resolver.calls++;
    (void)strncpy(resolver.host, host != NULL ? host : "", sizeof(resolver.host) - 1);
    if (resolver.eai != 0) {
        errno = resolver.error != 0 ? resolver.error : errno;
        return resolver.eai;
    }
    if (resolver.is_empty || resolver.answer != NULL) {
        *ret_infos = resolver.answer;
        return 0;
    }
    return __real_getaddrinfo(host, service, hints, ret_infos);
}

void __wrap_freeaddrinfo(struct addrinfo *infos)
{
    if (infos != resolver.answer) {
        __real_freeaddrinfo(infos);
    }
}

static int reset(void **state)
{
    (void)state;
    memset(&resolver, 0, sizeof(resolver));
    return 0;
}

static void assert_address(const char *host, int port, int family, const char *wanted)
{
    struct party_address address;
    char text[PARTY_ADDRESS_TEXT_MAX];
    int r = party_resolve_address(host, port, family, &address);
    if (r != 0) {
        print_error("%s gives %s\n", host != NULL ? host : "NULL", party_error_name(r));
    }
    assert_int_equal(r, 0);
    assert_string_equal(party_address_format(&address, text, sizeof(text)), wanted);
}

static void assert_refused(const char *host, int port, int family, int code)
{
    struct party_address address = {.len = 77};
    assert_int_equal(party_resolve_address(host, port, family, &address), code);
    assert_int_equal(address.len, 77);
}

static void test_literals_are_not_looked_up(void **state)
{
    (void)state;
    assert_address("", 8080, AF_INET, "0.0.0.0:8080");
    assert_address(NULL, 8080, AF_INET, "0.0.0.0:8080");
    assert_address("", 8080, AF_INET6, "[::]:8080");
    assert_address("<broadcast>", 9, AF_INET, "255.255.255.255:9");
    assert_address("<broadcast>", 9, AF_UNSPEC, "255.255.255.255:9");
    assert_address("255.255.255.255", 9, AF_INET, "255.255.255.255:9");
    assert_address("192.0.2.1", 0, AF_INET, "192.0.2.1:0");
    assert_address("192.0.2.1", 65535, AF_UNSPEC, "192.0.2.1:65535");
    assert_address("2001:db8::1", 80, AF_INET6, "[2001:db8::1]:80");
    assert_address("::1", 80, AF_UNSPEC, "[::1]:80");
    assert_int_equal(resolver.calls, 0);
}

static void test_other_numbers_are_libcs_to_read(void **state)
{
    (void)state;
    assert_address("1", 7, AF_INET, "0.0.0.1:7");
    assert_address("0x7f.1", 7, AF_INET, "127.0.0.1:7");
    assert_int_equal(resolver.calls, 2);
}

static void test_a_scope_is_kept(void **state)
{
    (void)state;
    struct party_address address;
    assert_int_equal(party_resolve_address("fe80::1%7", 80, AF_INET6, &address), 0);
    assert_int_equal(address.u.in6.sin6_scope_id, 7);
    assert_int_equal(address.u.in6.sin6_flowinfo, 0);
    assert_int_equal(party_address_port(&address), 80);
}

static void test_a_name_is_looked_up_in_its_ascii_form(void **state)
{
    (void)state;
    assert_address("localhost", 80, AF_INET, "127.0.0.1:80");
    assert_string_equal(resolver.host, "localhost");
#ifdef PARTY_HAVE_IDN2
    resolver.eai = EAI_NONAME;
    assert_refused("b\u00fccher.invalid", 80, AF_INET, PARTY_EGAI_NONAME);
    assert_string_equal(resolver.host, "xn--bcher-kva.invalid");
    assert_refused("b\u00fccher..invalid", 80, AF_INET, PARTY_EIDNA_EMPTY);
#else
    assert_refused("b\u00fccher.invalid", 80, AF_INET, PARTY_EIDNA_UNSUPPORTED);
#endif
}

static void test_ports_out_of_range_are_refused(void **state)
{
    (void)state;
    assert_refused("127.0.0.1", -1, AF_INET, -ERANGE);
    assert_refused("127.0.0.1", 65536, AF_INET, -ERANGE);
    assert_int_equal(resolver.calls, 0);
}

static void test_families_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    assert_refused("127.0.0.1", 80, AF_UNIX, -EAFNOSUPPORT);
    assert_refused("<broadcast>", 80, AF_INET6, -EAFNOSUPPORT);
    assert_refused("", 80, AF_UNSPEC, -EAFNOSUPPORT);
    assert_int_equal(resolver.calls, 0);
    assert_refused("::1", 80, AF_INET, PARTY_EGAI_ADDRFAMILY);
    assert_refused("127.0.0.1", 80, AF_INET6, PARTY_EGAI_ADDRFAMILY);
}

static void test_an_answer_of_another_family_is_refused(void **state)
{
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct addrinfo info = {
        .ai_family = AF_UNIX, .ai_addrlen = sizeof(un), .ai_addr = (struct sockaddr *)&un};
    resolver.answer = &info;
    assert_refused("name", 80, AF_UNSPEC, -EAFNOSUPPORT);
    resolver.answer = NULL;
    resolver.is_empty = true;
    assert_refused("name", 80, AF_UNSPEC, PARTY_EGAI_NODATA);
}

static void test_the_resolvers_errors_are_passed_on(void **state)
{
    (void)state;
    resolver.eai = EAI_AGAIN;
    assert_refused("name", 80, AF_INET, PARTY_EGAI_AGAIN);
    resolver.eai = EAI_FAIL;
    assert_refused("name", 80, AF_INET, PARTY_EGAI_FAIL);
}

/* What getaddrinfo says, as code of ours; EAI_SYSTEM is in the errno. */
static void test_each_answer_of_getaddrinfo_has_its_code(void **state)
{
    (void)state;
    static const int answers[] = {EAI_BADFLAGS, EAI_NONAME, EAI_AGAIN,      EAI_FAIL,
                                  EAI_NODATA,   EAI_FAMILY, EAI_SOCKTYPE,   EAI_SERVICE,
                                  EAI_MEMORY,   EAI_SYSTEM, EAI_ADDRFAMILY, EAI_OVERFLOW};
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct party_resolve_list list = {.count = 77};
        resolver.eai = answers[i];
        int r = party_resolve_getaddrinfo("name", "80", 0, 0, 0, 0, &list);
        /* errno was cleared before the call, and this resolver does not set it. */
        assert_int_equal(r, answers[i] == EAI_SYSTEM ? PARTY_EGAI_FAIL : -5100 + answers[i]);
        assert_int_equal(list.count, 77);
    }
    struct party_resolve_list untouched = {.count = 77};
    resolver.eai = EAI_SYSTEM;
    resolver.error = EMFILE;
    assert_int_equal(party_resolve_getaddrinfo("name", "80", 0, 0, 0, 0, &untouched), -EMFILE);
    assert_int_equal(untouched.count, 77);
    resolver.eai = 0;
    resolver.is_empty = true;
    struct party_resolve_list list = {.count = 77};
    assert_int_equal(party_resolve_getaddrinfo("name", "80", 0, 0, 0, 0, &list), 0);
    assert_int_equal(list.count, 0);
    assert_null(list.entries);
}

static void test_a_port_may_be_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int port; /* or the error */
    } cases[] = {
        {"0", 0},
        {"80", 80},
        {"0080", 80},
        {"65535", 65535},
        {"", 0},
        {NULL, 0},
        {"65536", PARTY_EGAI_SERVICE},
        {"99999999999999999999", PARTY_EGAI_SERVICE},
        {"-1", PARTY_EGAI_SERVICE},
        {"+80", PARTY_EGAI_SERVICE},
        {"80 ", PARTY_EGAI_SERVICE},
        {" 80", PARTY_EGAI_SERVICE},
        {"0x50", PARTY_EGAI_SERVICE},
        {"no such service", PARTY_EGAI_SERVICE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_address address = {.len = 77};
        int r = party_resolve_host_port("127.0.0.1", cases[i].text, AF_INET, &address);
        if (cases[i].port < 0) {
            assert_int_equal(r, cases[i].port);
            assert_int_equal(address.len, 77);
        } else {
            assert_int_equal(r, 0);
            assert_int_equal(party_address_port(&address), cases[i].port);
        }
    }
    int https = party_resolve_getservbyname("https", NULL);
    struct party_address address = {.len = 77};
    int r = party_resolve_host_port("::1", "https", AF_UNSPEC, &address);
    if (https > 0) {
        assert_int_equal(r, 0);
        assert_int_equal(party_address_port(&address), https);
    } else { /* a machine without /etc/services */
        assert_int_equal(r, PARTY_EGAI_SERVICE);
    }
    assert_int_equal(party_resolve_host_port("::1", "80", AF_INET, &address),
                     party_resolve_address("::1", 80, AF_INET, &address));
    assert_int_equal(party_resolve_host_port("", "80", AF_UNSPEC, &address), -EAFNOSUPPORT);
}

static int look_up(void *user)
{
    struct party_address address;
    return party_resolve_address(user, 80, AF_INET, &address);
}

static void test_a_look_up_survives_no_memory(void **state)
{
    (void)state;
    static char host[] = "localhost";
    assert_int_equal(assert_survives_malloc_failure(look_up, host), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_literals_are_not_looked_up, reset),
        cmocka_unit_test_setup(test_other_numbers_are_libcs_to_read, reset),
        cmocka_unit_test_setup(test_a_scope_is_kept, reset),
        cmocka_unit_test_setup(test_a_name_is_looked_up_in_its_ascii_form, reset),
        cmocka_unit_test_setup(test_ports_out_of_range_are_refused, reset),
        cmocka_unit_test_setup(test_families_that_do_not_fit_are_refused, reset),
        cmocka_unit_test_setup(test_an_answer_of_another_family_is_refused, reset),
        cmocka_unit_test_setup(test_the_resolvers_errors_are_passed_on, reset),
        cmocka_unit_test_setup(test_each_answer_of_getaddrinfo_has_its_code, reset),
        cmocka_unit_test_setup(test_a_port_may_be_text, reset),
        cmocka_unit_test_setup(test_a_look_up_survives_no_memory, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
