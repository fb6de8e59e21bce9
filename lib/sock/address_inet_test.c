/* SPDX-License-Identifier: MIT */
#include <partyline/address.h>

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/error.h>

static void test_inet_aton_takes_the_forms_of_old(void **state)
{
    (void)state;
    static const char *const loopbacks[] = {"127.0.0.1", "127.1", "0x7f000001", "2130706433",
                                            "0177.0.0.1"};
    for (size_t i = 0; i < sizeof(loopbacks) / sizeof(loopbacks[0]); i++) {
        struct in_addr addr = {0};
        assert_int_equal(party_address_inet_aton(loopbacks[i], &addr), 0);
        assert_int_equal(addr.s_addr, htonl(INADDR_LOOPBACK));
    }
}

static void test_inet_aton_refuses_and_leaves_the_output(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "localhost", "1.2.3.4.5", "256.0.0.1", "::1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct in_addr addr = {.s_addr = 7};
        assert_int_equal(party_address_inet_aton(wrong[i], &addr), PARTY_EADDRESS);
        assert_int_equal(addr.s_addr, 7);
    }
}

static void test_inet_ntoa_writes_the_longest(void **state)
{
    (void)state;
    char text[INET_ADDRSTRLEN];
    struct in_addr addr = {.s_addr = INADDR_BROADCAST};
    assert_string_equal(party_address_inet_ntoa(addr, text), "255.255.255.255");
    addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_string_equal(party_address_inet_ntoa(addr, text), "127.0.0.1");
}

static void test_inet_pton_and_ntop_are_each_others_reverse(void **state)
{
    (void)state;
    static const struct {
        int family;
        const char *text;
        size_t len;
    } cases[] = {
        {AF_INET, "0.0.0.0", 4},
        {AF_INET, "192.0.2.255", 4},
        {AF_INET6, "::", 16},
        {AF_INET6, "2001:db8::1:0:0:1", 16},
        {AF_INET6, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 16},
        {AF_INET6, "::ffff:192.0.2.1", 16},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char addr[16];
        char text[INET6_ADDRSTRLEN];
        assert_int_equal(party_address_inet_pton(cases[i].family, cases[i].text, addr), 0);
        assert_int_equal(party_address_inet_ntop(cases[i].family, addr, cases[i].len, text, 46), 0);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_inet_pton_says_what_is_wrong(void **state)
{
    (void)state;
    unsigned char addr[16] = {1, 2, 3};
    assert_int_equal(party_address_inet_pton(AF_INET, "127.1", addr), PARTY_EADDRESS);
    assert_int_equal(party_address_inet_pton(AF_INET, "::1", addr), PARTY_EADDRESS);
    assert_int_equal(party_address_inet_pton(AF_INET6, "127.0.0.1", addr), PARTY_EADDRESS);
    assert_int_equal(party_address_inet_pton(AF_INET6, "fe80::1%lo", addr), PARTY_EADDRESS);
    assert_int_equal(party_address_inet_pton(AF_UNIX, "127.0.0.1", addr), -EAFNOSUPPORT);
    assert_memory_equal(addr, "\1\2\3", 4);
}

static void test_inet_ntop_says_what_is_wrong(void **state)
{
    (void)state;
    unsigned char addr[16] = {127, 0, 0, 1};
    char text[INET6_ADDRSTRLEN] = "as it was";
    assert_int_equal(party_address_inet_ntop(AF_INET, addr, 3, text, sizeof(text)), -EINVAL);
    assert_int_equal(party_address_inet_ntop(AF_INET, addr, 16, text, sizeof(text)), -EINVAL);
    assert_int_equal(party_address_inet_ntop(AF_INET6, addr, 4, text, sizeof(text)), -EINVAL);
    assert_int_equal(party_address_inet_ntop(AF_INET, addr, 4, text, 9), -ENOSPC);
    assert_int_equal(party_address_inet_ntop(AF_PACKET, addr, 4, text, 46), -EAFNOSUPPORT);
    assert_string_equal(text, "as it was");
    assert_int_equal(party_address_inet_ntop(AF_INET, addr, 4, text, 10), 0);
    assert_string_equal(text, "127.0.0.1");
}

static void test_byte_order_is_the_networks(void **state)
{
    (void)state;
    uint16_t net16 = party_address_htons(0x1234);
    uint32_t net32 = party_address_htonl(0x12345678);
    assert_memory_equal(&net16, "\x12\x34", 2);
    assert_memory_equal(&net32, "\x12\x34\x56\x78", 4);
    assert_int_equal(party_address_ntohs(net16), 0x1234);
    assert_int_equal(party_address_ntohl(net32), 0x12345678);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inet_aton_takes_the_forms_of_old),
        cmocka_unit_test(test_inet_aton_refuses_and_leaves_the_output),
        cmocka_unit_test(test_inet_ntoa_writes_the_longest),
        cmocka_unit_test(test_inet_pton_and_ntop_are_each_others_reverse),
        cmocka_unit_test(test_inet_pton_says_what_is_wrong),
        cmocka_unit_test(test_inet_ntop_says_what_is_wrong),
        cmocka_unit_test(test_byte_order_is_the_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
