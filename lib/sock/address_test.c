/* SPDX-License-Identifier: MIT */
#include <partyline/address.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <partyline/error.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Big enough to see whether a function wrote where it may not. */
static const unsigned char untouched[sizeof(struct party_address)] = {0xa5, 0x5a, 0xa5};

static void fill_untouched(struct party_address *address)
{
    memcpy(address, untouched, sizeof(*address));
}

static void assert_formats_as(const struct party_address *address, const char *wanted)
{
    char text[PARTY_ADDRESS_TEXT_MAX];
    assert_ptr_equal(party_address_format(address, text, sizeof(text)), text);
    assert_string_equal(text, wanted);
}

static void test_parse_reads_written_forms(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int family;
        uint16_t port;
        const char *formatted;
    } cases[] = {
        {"127.0.0.1:60000", AF_INET, 60000, "127.0.0.1:60000"},
        {"0.0.0.0:0", AF_INET, 0, "0.0.0.0:0"},
        {"255.255.255.255:65535", AF_INET, 65535, "255.255.255.255:65535"},
        {":8080", AF_INET, 8080, "0.0.0.0:8080"},
        {"*:8080", AF_INET, 8080, "0.0.0.0:8080"},
        {"10.0.0.1:00080", AF_INET, 80, "10.0.0.1:80"},
        {"[::1]:60000", AF_INET6, 60000, "[::1]:60000"},
        {"[::]:0", AF_INET6, 0, "[::]:0"},
        {"[2001:DB8:0:0:0:0:0:1]:443", AF_INET6, 443, "[2001:db8::1]:443"},
        {"[::ffff:1.2.3.4]:80", AF_INET6, 80, "1.2.3.4:80"},
        {"[fe80::1%lo]:80", AF_INET6, 80, "[fe80::1%lo]:80"},
        {"[fe80::1%4000000000]:80", AF_INET6, 80, "[fe80::1%4000000000]:80"},
        {"unix:/run/x.sock", AF_UNIX, 0, "unix:/run/x.sock"},
        {"unix:relative", AF_UNIX, 0, "unix:relative"},
        {"unix:/with space:and[colon]", AF_UNIX, 0, "unix:/with space:and[colon]"},
        {"unix:@abstract", AF_UNIX, 0, "unix:@abstract"},
        {"unix:@a\\x00b", AF_UNIX, 0, "unix:@a\\x00b"},
        {"unix:/a\\x0Ab", AF_UNIX, 0, "unix:/a\\x0ab"},
        {"unix:\\x40path", AF_UNIX, 0, "unix:\\x40path"},
        {"unix:/back\\slash", AF_UNIX, 0, "unix:/back\\x5cslash"},
        {"unix:/almost\\x4", AF_UNIX, 0, "unix:/almost\\x5cx4"},
        {"unix:/\xe8\x81\x8a", AF_UNIX, 0, "unix:/\\xe8\\x81\\x8a"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct party_address address;
        assert_int_equal(party_address_parse(cases[i].text, &address), 0);
        assert_int_equal(party_address_family(&address), cases[i].family);
        assert_int_equal(party_address_port(&address), cases[i].port);
        assert_formats_as(&address, cases[i].formatted);
    }
}

static void test_what_format_wrote_parse_reads_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "127.0.0.1:1",      "[::1]:2",         "[fe80::2%lo]:3",        "[::ffff:9.8.7.6]:4",
        "unix:/tmp/a\\x07", "unix:\\x40first", "unix:@\\x00\\xff tail", "unix:@\\x5cx41",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct party_address first;
        struct party_address second;
        char text[PARTY_ADDRESS_TEXT_MAX];
        assert_int_equal(party_address_parse(texts[i], &first), 0);
        party_address_format(&first, text, sizeof(text));
        assert_int_equal(party_address_parse(text, &second), 0);
        assert_true(party_address_equal(&first, &second));
    }
}

static void test_every_byte_of_an_abstract_name_is_read_back(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        struct party_address first = {.len = offsetof(struct sockaddr_un, sun_path) + 3};
        first.u.un.sun_family = AF_UNIX;
        first.u.un.sun_path[1] = (char)(unsigned char)byte;
        first.u.un.sun_path[2] = (char)(unsigned char)byte;
        char text[PARTY_ADDRESS_TEXT_MAX];
        struct party_address second;
        party_address_format(&first, text, sizeof(text));
        assert_int_equal(party_address_parse(text, &second), 0);
        assert_int_equal(second.len, first.len);
        assert_memory_equal(&first.u, &second.u, first.len);
    }
}

static void test_parse_refuses_junk(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ":",
        "::",
        "::1",
        "::1:80",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1: 80",
        "127.0.0.1:80 ",
        " 127.0.0.1:80",
        "127.0.0.1:+80",
        "127.0.0.1:-1",
        "127.0.0.1:65536",
        "127.0.0.1:000080",
        "127.0.0.1:99999999999999999999",
        "127.0.0.1:80:80",
        "127.0.0.1:http",
        "127.0.0.1:0x50",
        "127.1:80",
        "0127.0.0.1:80",
        "1.2.3.256:80",
        "localhost:80",
        "**:80",
        "[]:80",
        "[*]:80",
        "[::1]",
        "[::1]80",
        "[::1]:",
        "[::1:80",
        "[::1]]:80",
        "[[::1]]:80",
        "[1.2.3.4]:80",
        "[localhost]:80",
        "[12345::]:80",
        "[::1%]:80",
        "[%lo]:80",
        "[::1%a]b]:80",
        "]:80",
        "unix:",
        "unix:@",
        "unix:/a\\x00b",
        "http://127.0.0.1:80",
        "1.2.3.4\x7f:80",
        "\xff\xfe:80",
        "[1:2:3:4:5:6:7:8:9]:80",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct party_address address;
        fill_untouched(&address);
        int r = party_address_parse(texts[i], &address);
        if (r != PARTY_EADDRESS) {
            print_error("\"%s\" gives %s\n", texts[i], party_error_name(r));
        }
        assert_int_equal(r, PARTY_EADDRESS);
        assert_memory_equal(&address, untouched, sizeof(address));
    }
}

static void test_parse_refuses_a_host_longer_than_any(void **state)
{
    (void)state;
    static char text[100000];
    memset(text, '1', sizeof(text));
    memcpy(text + sizeof(text) - 4, ":80", 4);
    struct party_address address;
    assert_int_equal(party_address_parse(text, &address), PARTY_EADDRESS);
    text[0] = '[';
    text[1] = ':';
    memcpy(text + sizeof(text) - 5, "]:80", 5);
    assert_int_equal(party_address_parse(text, &address), PARTY_EADDRESS);
}

static void test_scope_without_interface_is_enodev(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[fe80::1%nosuchif]:80",
        "[fe80::1%0]:80",
        "[fe80::1%99999999999999999999]:80",
        "[fe80::1%an-interface-name-that-is-too-long]:80",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct party_address address;
        fill_untouched(&address);
        assert_int_equal(party_address_parse(texts[i], &address), -ENODEV);
        assert_memory_equal(&address, untouched, sizeof(address));
    }
}

static void test_scope_becomes_the_interfaces_number(void **state)
{
    (void)state;
    struct party_address address;
    assert_int_equal(party_address_parse("[fe80::1%lo]:80", &address), 0);
    assert_int_equal(address.u.in6.sin6_scope_id, if_nametoindex("lo"));
    assert_int_equal(party_address_parse("[fe80::1%1]:80", &address), 0);
    assert_int_equal(address.u.in6.sin6_scope_id, 1);
}

static void test_unix_name_fills_sun_path_and_no_more(void **state)
{
    (void)state;
    char text[256] = "unix:";
    struct party_address address;
    memset(text + 5, 'p', 107);
    assert_int_equal(party_address_parse(text, &address), 0);
    assert_int_equal(address.len, sizeof(struct sockaddr_un));
    assert_int_equal(address.u.un.sun_path[107], '\0');
    assert_formats_as(&address, text);

    text[5 + 107] = 'p';
    fill_untouched(&address);
    assert_int_equal(party_address_parse(text, &address), -ENAMETOOLONG);
    assert_memory_equal(&address, untouched, sizeof(address));

    text[5] = '@';
    assert_int_equal(party_address_parse(text, &address), 0);
    assert_int_equal(address.len, sizeof(struct sockaddr_un));
    assert_formats_as(&address, text);
    text[5 + 108] = 'p';
    assert_int_equal(party_address_parse(text, &address), -ENAMETOOLONG);
}

static void test_longest_text_fits_the_constant(void **state)
{
    (void)state;
    struct party_address address = {.len = sizeof(struct sockaddr_un)};
    address.u.un.sun_family = AF_UNIX;
    memset(address.u.un.sun_path, 0xff, sizeof(address.u.un.sun_path));
    char small[PARTY_ADDRESS_TEXT_MAX];
    char large[PARTY_ADDRESS_TEXT_MAX * 2];
    party_address_format(&address, small, sizeof(small));
    party_address_format(&address, large, sizeof(large));
    assert_string_equal(small, large);
    assert_int_equal(strlen(large), 5 + 108 * 4);
}

static void test_format_cuts_at_the_cap(void **state)
{
    (void)state;
    struct party_address address;
    assert_int_equal(party_address_parse("127.0.0.1:60000", &address), 0);
    char text[32];
    for (size_t cap = 1; cap < 20; cap++) {
        memset(text, 'x', sizeof(text));
        party_address_format(&address, text, cap);
        size_t len = cap - 1 < 15 ? cap - 1 : 15;
        assert_int_equal(strlen(text), len);
        assert_memory_equal(text, "127.0.0.1:60000", len);
        assert_int_equal(text[cap], 'x');
    }
    text[0] = 'x';
    assert_ptr_equal(party_address_format(&address, text, 0), text);
    assert_int_equal(text[0], 'x');
}

static void test_format_names_what_it_cannot_write(void **state)
{
    (void)state;
    struct party_address address = {0};
    assert_formats_as(&address, "family:0");
    address.len = 12;
    address.u.sa.sa_family = AF_X25;
    assert_formats_as(&address, "family:9");
    address.len = sizeof(sa_family_t);
    address.u.sa.sa_family = AF_UNIX;
    assert_formats_as(&address, "unix:");
}

static void test_split_takes_host_and_port_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host;
        const char *port;
    } cases[] = {
        {"localhost:60000", "localhost", "60000"},
        {"localhost", "localhost", ""},
        {"example.org:http", "example.org", "http"},
        {":8080", "", "8080"},
        {"127.0.0.1", "127.0.0.1", ""},
        {"[::1]:80", "::1", "80"},
        {"[::1]", "::1", ""},
        {"[fe80::1%eth0]:80", "fe80::1%eth0", "80"},
        {"b\xc3\xbc\x63her.example:1", "b\xc3\xbc\x63her.example", "1"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char host[64];
        char port[16];
        assert_int_equal(party_address_split(cases[i].text, host, sizeof(host), port, sizeof(port)),
                         0);
        assert_string_equal(host, cases[i].host);
        assert_string_equal(port, cases[i].port);
    }
}

static void test_split_refuses_junk_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",   ":",          "host:",   "::1",   "a:b:c",    "[::1",     "[::1]x",      "[host]:1",
        "[]", "unix:/path", "unix:80", "a b:1", "host:1 2", "host\n:1", "http://host", "host]:1",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        char host[64] = "untouched";
        char port[16] = "untouched";
        assert_int_equal(party_address_split(texts[i], host, sizeof(host), port, sizeof(port)),
                         PARTY_EADDRESS);
        assert_string_equal(host, "untouched");
        assert_string_equal(port, "untouched");
    }
}

static void test_split_tells_what_does_not_fit(void **state)
{
    (void)state;
    char host[5] = "x";
    char port[3] = "y";
    assert_int_equal(party_address_split("abcd:12", host, sizeof(host), port, sizeof(port)), 0);
    assert_string_equal(host, "abcd");
    assert_string_equal(port, "12");
    assert_int_equal(party_address_split("abcde:34", host, sizeof(host), port, sizeof(port)),
                     -ENAMETOOLONG);
    assert_int_equal(party_address_split("efgh:567", host, sizeof(host), port, sizeof(port)),
                     -ENAMETOOLONG);
    assert_string_equal(host, "abcd");
    assert_string_equal(port, "12");
}

static void test_from_sockaddr_takes_any_length(void **state)
{
    (void)state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(7)};
    struct party_address address;
    party_address_from_sockaddr(&address, (struct sockaddr *)&in, sizeof(in));
    assert_formats_as(&address, "0.0.0.0:7");

    party_address_from_sockaddr(&address, NULL, 0);
    assert_int_equal(party_address_family(&address), AF_UNSPEC);

    unsigned char bytes[1024];
    memset(bytes, 0x61, sizeof(bytes));
    sa_family_t family = AF_UNIX;
    memcpy(bytes, &family, sizeof(family));
    struct sockaddr *sa = (struct sockaddr *)(void *)bytes;
    party_address_from_sockaddr(&address, sa, sizeof(bytes));
    assert_true(address.len <= sizeof(address.u));
    char text[PARTY_ADDRESS_TEXT_MAX];
    party_address_format(&address, text, sizeof(text));
    assert_int_equal(strlen(text), 5 + 108);
}

static void test_kernels_longer_length_for_a_full_path_is_understood(void **state)
{
    (void)state;
    /* For a path of 108 bytes getsockname(2) says 111: two of the family, the path and a NUL. */
    struct sockaddr_storage storage = {0};
    struct sockaddr_un *un = (struct sockaddr_un *)&storage;
    un->sun_family = AF_UNIX;
    memset(un->sun_path, 'q', sizeof(un->sun_path));
    struct party_address address;
    party_address_from_sockaddr(&address, (struct sockaddr *)&storage, 111);
    char wanted[128] = "unix:";
    memset(wanted + 5, 'q', 108);
    assert_formats_as(&address, wanted);
    /* And 111 is what bind(2) and connect(2) refuse. */
    assert_int_equal(address.len, sizeof(struct sockaddr_un));
}

static void test_set_port_changes_only_where_there_is_one(void **state)
{
    (void)state;
    struct party_address address;
    assert_int_equal(party_address_parse("1.2.3.4:1", &address), 0);
    party_address_set_port(&address, 513);
    assert_formats_as(&address, "1.2.3.4:513");
    assert_int_equal(party_address_parse("[::1]:1", &address), 0);
    party_address_set_port(&address, 65535);
    assert_formats_as(&address, "[::1]:65535");
    assert_int_equal(party_address_parse("unix:/x", &address), 0);
    party_address_set_port(&address, 1);
    assert_int_equal(party_address_port(&address), 0);
    assert_formats_as(&address, "unix:/x");
}

static void test_equal_compares_places(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        {"1.2.3.4:5", "1.2.3.4:5", true},
        {"1.2.3.4:5", "1.2.3.4:6", false},
        {"1.2.3.4:5", "1.2.3.5:5", false},
        {"[::ffff:1.2.3.4]:5", "1.2.3.4:5", true},
        {"[::1]:5", "[0:0::1]:5", true},
        {"[::1]:5", "[::2]:5", false},
        {"[::]:5", "0.0.0.0:5", false},
        {"[fe80::1%1]:5", "[fe80::1%2]:5", false},
        {"[fe80::1%1]:5", "[fe80::1%1]:5", true},
        {"unix:/a", "unix:/a", true},
        {"unix:/a", "unix:/ab", false},
        {"unix:/a", "unix:@/a", false},
        {"unix:@a", "unix:@a", true},
        {"unix:@a", "unix:@a\\x00", false},
        {"unix:/a", "1.2.3.4:5", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct party_address a;
        struct party_address b;
        assert_int_equal(party_address_parse(cases[i].a, &a), 0);
        assert_int_equal(party_address_parse(cases[i].b, &b), 0);
        assert_int_equal(party_address_equal(&a, &b), cases[i].equal);
        assert_int_equal(party_address_equal(&b, &a), cases[i].equal);
    }
}

static void test_equal_ignores_the_nul_a_path_may_end_with(void **state)
{
    (void)state;
    struct party_address with_nul;
    assert_int_equal(party_address_parse("unix:/a", &with_nul), 0);
    struct party_address without_nul = with_nul;
    without_nul.len--;
    assert_true(party_address_equal(&with_nul, &without_nul));
}

static void test_equal_ignores_the_flow_of_v6(void **state)
{
    (void)state;
    struct party_address a;
    assert_int_equal(party_address_parse("[::1]:5", &a), 0);
    struct party_address b = a;
    b.u.in6.sin6_flowinfo = 77;
    assert_true(party_address_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_reads_written_forms),
        cmocka_unit_test(test_what_format_wrote_parse_reads_back),
        cmocka_unit_test(test_every_byte_of_an_abstract_name_is_read_back),
        cmocka_unit_test(test_parse_refuses_junk),
        cmocka_unit_test(test_parse_refuses_a_host_longer_than_any),
        cmocka_unit_test(test_scope_without_interface_is_enodev),
        cmocka_unit_test(test_scope_becomes_the_interfaces_number),
        cmocka_unit_test(test_unix_name_fills_sun_path_and_no_more),
        cmocka_unit_test(test_longest_text_fits_the_constant),
        cmocka_unit_test(test_format_cuts_at_the_cap),
        cmocka_unit_test(test_format_names_what_it_cannot_write),
        cmocka_unit_test(test_split_takes_host_and_port_apart),
        cmocka_unit_test(test_split_refuses_junk_and_writes_nothing),
        cmocka_unit_test(test_split_tells_what_does_not_fit),
        cmocka_unit_test(test_from_sockaddr_takes_any_length),
        cmocka_unit_test(test_kernels_longer_length_for_a_full_path_is_understood),
        cmocka_unit_test(test_set_port_changes_only_where_there_is_one),
        cmocka_unit_test(test_equal_compares_places),
        cmocka_unit_test(test_equal_ignores_the_nul_a_path_may_end_with),
        cmocka_unit_test(test_equal_ignores_the_flow_of_v6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
