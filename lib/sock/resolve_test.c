/* SPDX-License-Identifier: MIT */
#include <partyline/resolve.h>

#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/error.h>

#include "fail_malloc.h"

/* Numeric hosts and the loopback names only: what a name server says is not ours to test. */

static void assert_first_is(const struct party_resolve_list *list, const char *wanted)
{
    char text[PARTY_ADDRESS_TEXT_MAX];
    assert_true(list->count > 0);
    party_address_format(&list->entries[0].address, text, sizeof(text));
    assert_string_equal(text, wanted);
}

static void test_numeric_host_and_port_need_no_name_server(void **state)
{
    (void)state;
    struct party_resolve_list list;
    assert_int_equal(
        party_resolve_getaddrinfo("127.0.0.1", "60000", AF_INET, SOCK_STREAM, 0, 0, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries[0].family, AF_INET);
    assert_int_equal(list.entries[0].type, SOCK_STREAM);
    assert_int_equal(list.entries[0].proto, IPPROTO_TCP);
    assert_null(list.canonname);
    assert_first_is(&list, "127.0.0.1:60000");
    party_resolve_list_finish(&list);

    assert_int_equal(party_resolve_getaddrinfo("::1", "1", 0, SOCK_DGRAM, 0, 0, &list), 0);
    assert_int_equal(list.entries[0].family, AF_INET6);
    assert_int_equal(list.entries[0].proto, IPPROTO_UDP);
    assert_first_is(&list, "[::1]:1");
    party_resolve_list_finish(&list);
}

static void test_without_type_each_type_is_listed(void **state)
{
    (void)state;
    struct party_resolve_list list;
    assert_int_equal(party_resolve_getaddrinfo("127.0.0.1", "9", 0, 0, 0, 0, &list), 0);
    bool has_stream = false;
    bool has_dgram = false;
    for (size_t i = 0; i < list.count; i++) {
        has_stream = has_stream || list.entries[i].type == SOCK_STREAM;
        has_dgram = has_dgram || list.entries[i].type == SOCK_DGRAM;
    }
    assert_true(has_stream);
    assert_true(has_dgram);
    party_resolve_list_finish(&list);
}

static void test_no_host_is_wildcard_when_passive_and_loopback_when_not(void **state)
{
    (void)state;
    struct party_resolve_list list;
    assert_int_equal(
        party_resolve_getaddrinfo(NULL, "80", AF_INET, SOCK_STREAM, 0, AI_PASSIVE, &list), 0);
    assert_first_is(&list, "0.0.0.0:80");
    party_resolve_list_finish(&list);
    assert_int_equal(party_resolve_getaddrinfo(NULL, "80", AF_INET, SOCK_STREAM, 0, 0, &list), 0);
    assert_first_is(&list, "127.0.0.1:80");
    party_resolve_list_finish(&list);
}

static void test_no_service_is_port_zero(void **state)
{
    (void)state;
    static const char *const services[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        struct party_resolve_list list;
        assert_int_equal(
            party_resolve_getaddrinfo("127.0.0.1", services[i], 0, SOCK_STREAM, 0, 0, &list), 0);
        assert_first_is(&list, "127.0.0.1:0");
        party_resolve_list_finish(&list);
    }
    struct party_resolve_list list;
    assert_int_equal(
        party_resolve_getaddrinfo(NULL, "", AF_INET, SOCK_STREAM, 0, AI_PASSIVE, &list), 0);
    assert_first_is(&list, "0.0.0.0:0");
    party_resolve_list_finish(&list);
}

static void test_raw_sockets_resolve_without_a_service(void **state)
{
    (void)state;
    struct party_resolve_list list;
    assert_int_equal(party_resolve_getaddrinfo("127.0.0.1", NULL, AF_INET, SOCK_RAW, 0, 0, &list),
                     0);
    assert_int_equal(list.entries[0].type, SOCK_RAW);
    party_resolve_list_finish(&list);
}

static void test_localhost_is_loopback(void **state)
{
    (void)state;
    struct party_resolve_list list;
    assert_int_equal(party_resolve_getaddrinfo("localhost", "7", AF_INET, SOCK_STREAM, 0, 0, &list),
                     0);
    assert_first_is(&list, "127.0.0.1:7");
    party_resolve_list_finish(&list);
}

static void test_canonname_is_given_when_asked_for(void **state)
{
    (void)state;
    struct party_resolve_list list;
    assert_int_equal(party_resolve_getaddrinfo("127.0.0.1", "7", AF_INET, SOCK_STREAM, 0,
                                               AI_CANONNAME | AI_NUMERICHOST, &list),
                     0);
    assert_non_null(list.canonname);
    assert_string_equal(list.canonname, "127.0.0.1");
    party_resolve_list_finish(&list);
    assert_null(list.canonname);
    assert_null(list.entries);
    assert_int_equal(list.count, 0);
}

static void test_failures_have_their_codes_and_leave_the_list(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        const char *service;
        int family;
        int type;
        int flags;
        int code;
    } cases[] = {
        {"", "80", 0, SOCK_STREAM, 0, PARTY_EGAI_NONAME},
        {NULL, NULL, 0, SOCK_STREAM, AI_PASSIVE, PARTY_EGAI_NONAME},
        {"not-numeric", "80", 0, SOCK_STREAM, AI_NUMERICHOST, PARTY_EGAI_NONAME},
        {"127.0.0.1", "http", 0, SOCK_STREAM, AI_NUMERICSERV, PARTY_EGAI_NONAME},
        {"127.0.0.1", "no-such-service", 0, SOCK_STREAM, 0, PARTY_EGAI_SERVICE},
        {"127.0.0.1", "80", 12345, SOCK_STREAM, 0, PARTY_EGAI_FAMILY},
        {"127.0.0.1", "80", 0, 12345, 0, PARTY_EGAI_SOCKTYPE},
        {"127.0.0.1", "80", 0, SOCK_STREAM, 1 << 30, PARTY_EGAI_BADFLAGS},
        {"::1", "80", AF_INET, SOCK_STREAM, 0, PARTY_EGAI_ADDRFAMILY},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct party_resolve_list list = {.count = 77};
        int r = party_resolve_getaddrinfo(cases[i].host, cases[i].service, cases[i].family,
                                          cases[i].type, 0, cases[i].flags, &list);
        if (r != cases[i].code) {
            print_error("case %zu gives %s\n", i, party_error_name(r));
        }
        assert_int_equal(r, cases[i].code);
        assert_int_equal(list.count, 77);
    }
}

static void test_ports_that_would_wrap_are_refused(void **state)
{
    (void)state;
    static const char *const services[] = {
        "65536", "65616", "-1", "+80", " 80", "\t80", "99999999999999999999999999",
    };
    for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
        struct party_resolve_list list;
        assert_int_equal(
            party_resolve_getaddrinfo("127.0.0.1", services[i], 0, SOCK_STREAM, 0, 0, &list),
            PARTY_EGAI_SERVICE);
    }
    struct party_resolve_list list;
    assert_int_equal(party_resolve_getaddrinfo("127.0.0.1", "65535", 0, SOCK_STREAM, 0, 0, &list),
                     0);
    assert_first_is(&list, "127.0.0.1:65535");
    party_resolve_list_finish(&list);
}

static void test_finish_accepts_a_zeroed_list(void **state)
{
    (void)state;
    struct party_resolve_list list = {0};
    party_resolve_list_finish(&list);
    party_resolve_list_finish(&list);
    party_resolve_list_finish(NULL);
    assert_null(list.entries);
}

static int look_up_with_canonname(void *user)
{
    (void)user;
    struct party_resolve_list list;
    int r = party_resolve_getaddrinfo("127.0.0.1", "7", AF_INET, SOCK_STREAM, 0,
                                      AI_CANONNAME | AI_NUMERICHOST, &list);
    if (r == 0) {
        party_resolve_list_finish(&list);
    }
    return r;
}

static void test_getaddrinfo_survives_no_memory(void **state)
{
    (void)state;
    assert_int_equal(assert_survives_malloc_failure(look_up_with_canonname, NULL), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numeric_host_and_port_need_no_name_server),
        cmocka_unit_test(test_without_type_each_type_is_listed),
        cmocka_unit_test(test_no_host_is_wildcard_when_passive_and_loopback_when_not),
        cmocka_unit_test(test_no_service_is_port_zero),
        cmocka_unit_test(test_raw_sockets_resolve_without_a_service),
        cmocka_unit_test(test_localhost_is_loopback),
        cmocka_unit_test(test_canonname_is_given_when_asked_for),
        cmocka_unit_test(test_failures_have_their_codes_and_leave_the_list),
        cmocka_unit_test(test_ports_that_would_wrap_are_refused),
        cmocka_unit_test(test_finish_accepts_a_zeroed_list),
        cmocka_unit_test(test_getaddrinfo_survives_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
