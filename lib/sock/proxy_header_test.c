/* SPDX-License-Identifier: MIT */
#include <partyline/proxy_header.h>

#include <errno.h>

#include "sock/sock_test_util.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static void assert_address(const struct party_address *address, const char *wanted)
{
    char text[PARTY_ADDRESS_TEXT_MAX];
    assert_string_equal(party_address_format(address, text, sizeof(text)), wanted);
}

/* The verdict on bytes must come at the same point however they are cut, and once it has come more
   bytes must not change it. Returns: the verdict on all of them. */
static ssize_t parse_each_split(const char *bytes, size_t len, struct party_proxy_header *header)
{
    ssize_t verdict = 0;
    for (size_t i = 0; i <= len; i++) {
        char piece[256];
        assert_true(len < sizeof(piece));
        /* What lies behind the piece must not be looked at: it would make a difference. */
        memset(piece, 'x', sizeof(piece));
        memcpy(piece, bytes, i);
        struct party_proxy_header untouched;
        memset(&untouched, 0x5a, sizeof(untouched));
        ssize_t n = party_proxy_header_parse(piece, i, &untouched);
        if (n <= 0) {
            const uint8_t *first = (const uint8_t *)&untouched;
            assert_int_equal(*first, 0x5a);
        }
        if (verdict != 0) {
            assert_int_equal(n, verdict);
        }
        verdict = n;
    }
    assert_int_equal(party_proxy_header_parse(bytes, len, header), verdict);
    return verdict;
}

#define PARSE(bytes, header) parse_each_split(bytes, sizeof(bytes) - 1, header)

static void test_v1_tells_both_addresses(void **state)
{
    (void)state;
    struct party_proxy_header header;
    assert_int_equal(PARSE("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\nGET /", &header), 45);
    assert_int_equal(header.version, 1);
    assert_int_equal(header.type, SOCK_STREAM);
    assert_false(header.is_local);
    assert_null(header.tlvs);
    assert_address(&header.source, "192.0.2.1:56324");
    assert_address(&header.destination, "198.51.100.2:443");
    assert_true(PARSE("PROXY TCP6 2001:db8::1 ::2 0 65535\r\n", &header) > 0);
    assert_address(&header.source, "[2001:db8::1]:0");
    assert_address(&header.destination, "[::2]:65535");
}

static void test_v1_unknown_tells_nothing(void **state)
{
    (void)state;
    static const char longest[] = "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                                  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    struct party_proxy_header header;
    assert_int_equal(sizeof(longest) - 1, PARTY_PROXY_HEADER_V1_MAX_BYTES);
    assert_int_equal(PARSE(longest, &header), PARTY_PROXY_HEADER_V1_MAX_BYTES);
    assert_int_equal(PARSE("PROXY UNKNOWN\r\n", &header), 15);
    assert_int_equal(header.version, 1);
    assert_int_equal(header.type, 0);
    assert_int_equal(header.source.len, 0);
    assert_int_equal(header.destination.len, 0);
}

static void test_v1_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2x\r\n",
        "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        "PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP6 ::1%lo ::2 1 2\r\n",
        "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY \r\n",
        "PROXY\r\n",
        "PROXy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "proxy UNKNOWN\r\n",
        "GET / HTTP/1.1\r\n",
        "PROXY UNKNOWN a\rb\r\n",
        "PROXY UNKNOWN a\nb\r\n",
        "\n",
        "\r\n\r\nQ",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct party_proxy_header header;
        char line[160];
        int len = snprintf(line, sizeof(line), "%s", lines[i]);
        /* What ends in a bare CR is decided by the next byte. */
        line[len] = 'x';
        ssize_t n = parse_each_split(line, (size_t)len + 1, &header);
        if (n != PARTY_EPROXY_HEADER) {
            print_error("line %zu: %zd\n", i, n);
            fail();
        }
    }
    struct party_proxy_header header;
    assert_int_equal(PARSE("PROXY UNKNOWN\0\r\n", &header), PARTY_EPROXY_HEADER);
}

static void test_v1_has_a_longest_line(void **state)
{
    (void)state;
    struct party_proxy_header header;
    char line[256] = "PROXY UNKNOWN ";
    memset(line + 14, 'a', sizeof(line) - 14);
    assert_int_equal(party_proxy_header_parse(line, 106, &header), 0);
    assert_int_equal(party_proxy_header_parse(line, 107, &header), PARTY_EPROXY_HEADER);
    memcpy(line + 106, "\r\n", 2);
    assert_int_equal(party_proxy_header_parse(line, 108, &header), PARTY_EPROXY_HEADER);
    memcpy(line + 105, "\r\n", 2);
    assert_int_equal(party_proxy_header_parse(line, 107, &header), 107);
}

static void test_v2_tells_addresses_and_fields(void **state)
{
    (void)state;
    struct party_proxy_header header;
    struct party_proxy_tlv tlv;
    size_t offset = 0;
    static const char v4[] = SIGNATURE "\x21\x11\0\x17"
                                       "\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"
                                       "\x02\0\x05"
                                       "a.org"
                                       "\x04\0\0";
    assert_int_equal(PARSE(v4, &header), 39);
    assert_int_equal(header.version, 2);
    assert_int_equal(header.type, SOCK_STREAM);
    assert_false(header.has_checksum);
    assert_address(&header.source, "192.0.2.1:56324");
    assert_address(&header.destination, "198.51.100.2:443");
    assert_true(party_proxy_header_next_tlv(&header, &offset, &tlv));
    assert_int_equal(tlv.type, 2);
    assert_int_equal(tlv.len, 5);
    assert_memory_equal(tlv.value, "a.org", 5);
    assert_true(party_proxy_header_next_tlv(&header, &offset, &tlv));
    assert_int_equal(tlv.type, 4);
    assert_int_equal(tlv.len, 0);
    assert_false(party_proxy_header_next_tlv(&header, &offset, &tlv));

    static const char v6[] = SIGNATURE "\x21\x22\0\x24"
                                       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01"
                                       "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"
                                       "\0\x50\x01\xbb";
    assert_int_equal(PARSE(v6, &header), 52);
    assert_int_equal(header.type, SOCK_DGRAM);
    assert_null(header.tlvs);
    assert_address(&header.source, "[::1]:80");
    assert_address(&header.destination, "[::2]:443");
}

static void test_v2_tells_unix_names(void **state)
{
    (void)state;
    struct party_proxy_header header;
    char bytes[16 + 216] = SIGNATURE "\x21\x31\0\xd8";
    static const struct {
        const char *name;
        size_t len;
        const char *text;
    } cases[] = {{"/run/x", 6, "unix:/run/x"}, {"\0abs", 4, "unix:@abs"}, {"", 0, "unix:"}};
    for (size_t i = 0; i < 3; i++) {
        memset(bytes + 16, 0, 216);
        memcpy(bytes + 16, cases[i].name, cases[i].len);
        memset(bytes + 16 + 108, 'f', 108);
        assert_int_equal(parse_each_split(bytes, sizeof(bytes), &header), sizeof(bytes));
        assert_address(&header.source, cases[i].text);
        assert_int_equal(header.destination.len, offsetof(struct sockaddr_un, sun_path) + 108);
    }
}

static void test_v2_local_and_unspecified_tell_nothing(void **state)
{
    (void)state;
    struct party_proxy_header header;
    /* What a LOCAL header carries is skipped whatever it is. */
    assert_int_equal(PARSE(SIGNATURE "\x20\xff\0\x03"
                                     "abc",
                           &header),
                     19);
    assert_true(header.is_local);
    assert_int_equal(header.source.len, 0);
    assert_null(header.tlvs);
    assert_int_equal(PARSE(SIGNATURE "\x20\0\0\0", &header), 16);

    assert_int_equal(PARSE(SIGNATURE "\x21\0\0\x04\x05\0\x01u", &header), 20);
    assert_false(header.is_local);
    assert_int_equal(header.type, 0);
    assert_int_equal(header.source.len, 0);
    assert_int_equal(header.tlvs_len, 4);
    assert_int_equal(PARSE(SIGNATURE "\x21\0\0\x04zzzz", &header), 20);
    assert_null(header.tlvs);
    assert_int_equal(PARSE(SIGNATURE "\x21\x10\0\x04zzzz", &header), 20);
    assert_int_equal(PARSE(SIGNATURE "\x21\x01\0\x04zzzz", &header), 20);
}

static void test_v2_that_is_not_exact_is_refused(void **state)
{
    (void)state;
    struct party_proxy_header header;
    static const struct {
        const char *start; /* 4 bytes behind the signature */
        const char *rest;
        size_t rest_len;
    } cases[] = {
        {"\x11\x11\0\x0c", "", 0},
        {"\x31\x11\0\x0c", "", 0},
        {"\x22\x11\0\x0c", "", 0},
        {"\x2f\x11\0\x0c", "", 0},
        {"\x21\x41\0\x01", "a", 1},
        {"\x21\x13\0\x01", "a", 1},
        {"\x21\xf1\0\x01", "a", 1},
        {"\x21\x11\0\x0b", "abcdefghijk", 11},
        {"\x21\x11\0\x0d", "abcdefghijklm", 13},
        {"\x21\x11\0\x0f", "abcdefghijkl\x01\0\x01", 15},
        {"\x21\x11\0\x12", "abcdefghijkl\x03\0\x03zzz", 18},
        {"\x21\x21\0\x0c", "abcdefghijkl", 12},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char bytes[64] = SIGNATURE;
        memcpy(bytes + 12, cases[i].start, 4);
        memcpy(bytes + 16, cases[i].rest, cases[i].rest_len);
        assert_int_equal(parse_each_split(bytes, 16 + cases[i].rest_len, &header),
                         PARTY_EPROXY_HEADER);
    }
    assert_int_equal(PARSE("\r\n\r\n\0\r\nQUIX", &header), PARTY_EPROXY_HEADER);
    assert_int_equal(PARSE(SIGNATURE "\x21\x11\x1f\xf1", &header), PARTY_EPROXY_TOOLONG);
    assert_int_equal(PARSE(SIGNATURE "\x21\x11\x1f\xf0", &header), 0);
}

static void test_checksum_is_the_one_others_compute(void **state)
{
    (void)state;
    /* Worked out with another program from the definition: CRC32C, most significant byte first. */
    static const char bytes[] = SIGNATURE "\x21\x11\0\x13"
                                          "\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb"
                                          "\x03\0\x04"
                                          "\x20\xec\x95\x49";
    struct party_proxy_header header;
    char copy[sizeof(bytes)];
    assert_int_equal(PARSE(bytes, &header), 35);
    assert_true(header.has_checksum);
    for (size_t bit = 0; bit < 8 * (sizeof(bytes) - 1); bit++) {
        memcpy(copy, bytes, sizeof(bytes));
        copy[bit / 8] = (char)(copy[bit / 8] ^ (1 << bit % 8));
        struct party_proxy_header broken;
        ssize_t n = party_proxy_header_parse(copy, sizeof(bytes) - 1, &broken);
        /* A flipped bit may also ask for more bytes, make it LOCAL, or hide what the field is. */
        bool is_passed = n > 0 && !broken.is_local && broken.has_checksum;
        assert_false(is_passed);
    }
    memcpy(copy, bytes, sizeof(bytes));
    copy[16] = 1;
    assert_int_equal(party_proxy_header_parse(copy, sizeof(bytes) - 1, &header),
                     PARTY_EPROXY_CHECKSUM);
}

static void assert_round_trip(const struct party_proxy_header *header)
{
    char buf[PARTY_PROXY_HEADER_MAX_BYTES + 1];
    struct party_proxy_header read;
    memset(buf, 'x', sizeof(buf));
    ssize_t len = party_proxy_header_format(header, buf, sizeof(buf));
    assert_true(len > 0);
    assert_int_equal(buf[len], 'x');
    assert_int_equal(party_proxy_header_parse(buf, sizeof(buf), &read), len);
    assert_int_equal(read.version, header->version);
    assert_int_equal(read.is_local, header->is_local);
    assert_int_equal(read.has_checksum, header->has_checksum);
    if (header->is_local) {
        assert_int_equal(read.source.len, 0);
        return;
    }
    if (header->source.len > 0) {
        assert_int_equal(read.type, header->type == 0 ? SOCK_STREAM : header->type);
        assert_true(party_address_equal(&read.source, &header->source));
        assert_true(party_address_equal(&read.destination, &header->destination));
    }
    size_t crc_len = header->has_checksum ? 7 : 0;
    assert_int_equal(read.tlvs_len, header->tlvs_len + crc_len);
    if (header->tlvs_len > 0) {
        assert_memory_equal(read.tlvs, header->tlvs, header->tlvs_len);
    }
    /* With a byte less room nothing is written. */
    memset(buf, 'x', sizeof(buf));
    assert_int_equal(party_proxy_header_format(header, buf, (size_t)len - 1), -ENOSPC);
    assert_int_equal(buf[0], 'x');
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    static const char *const texts[][2] = {
        {"192.0.2.1:1", "127.0.0.1:65535"},
        {"[2001:db8::1]:0", "[::1]:443"},
        {"unix:/run/a", "unix:@abstract"},
    };
    static const uint8_t tlvs[] = {1, 0, 2, 'h', '2', 0x20, 0, 0};
    for (size_t i = 0; i < 3; i++) {
        struct party_proxy_header header = {.source = test_address(texts[i][0]),
                                            .destination = test_address(texts[i][1])};
        header.version = 1;
        if (i < 2) {
            assert_round_trip(&header);
        }
        header.version = 2;
        assert_round_trip(&header);
        header.type = SOCK_DGRAM;
        assert_round_trip(&header);
        header.has_checksum = true;
        assert_round_trip(&header);
        header.tlvs = tlvs;
        header.tlvs_len = sizeof(tlvs);
        assert_round_trip(&header);
        header.has_checksum = false;
        assert_round_trip(&header);
    }
    static const struct party_proxy_header bare[] = {
        {.version = 1}, {.version = 2}, {.version = 2, .is_local = true}};
    for (size_t i = 0; i < 3; i++) {
        assert_round_trip(&bare[i]);
    }
}

static void test_what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    static const uint8_t crc[] = {3, 0, 4, 0, 0, 0, 0};
    static uint8_t huge[PARTY_PROXY_HEADER_MAX_BYTES];
    char buf[PARTY_PROXY_HEADER_MAX_BYTES];
    struct party_address v4 = test_address("192.0.2.1:1");
    struct party_address v6 = test_address("[::1]:1");
    struct party_address local = test_address("unix:/x");
    huge[1] = (sizeof(huge) - 3) >> 8;
    huge[2] = (sizeof(huge) - 3) & 255;
    const struct {
        struct party_proxy_header header;
        int result;
    } cases[] = {
        {{.version = 0}, -EINVAL},
        {{.version = 3}, -EINVAL},
        {{.version = 2, .type = SOCK_RAW}, -EINVAL},
        {{.version = 1, .type = SOCK_DGRAM}, -EINVAL},
        {{.version = 1, .is_local = true}, -EINVAL},
        {{.version = 1, .has_checksum = true}, -EINVAL},
        {{.version = 1, .tlvs = huge, .tlvs_len = 3}, -EINVAL},
        {{.version = 1, .source = local, .destination = local}, -EAFNOSUPPORT},
        {{.version = 1, .source = v4, .destination = v6}, -EAFNOSUPPORT},
        {{.version = 2, .source = v4}, -EAFNOSUPPORT},
        {{.version = 2, .destination = v4}, -EAFNOSUPPORT},
        {{.version = 2, .tlvs = huge, .tlvs_len = 2}, -EINVAL},
        {{.version = 2, .tlvs = NULL, .tlvs_len = 3}, -EINVAL},
        {{.version = 2, .tlvs = crc, .tlvs_len = sizeof(crc)}, -EINVAL},
        {{.version = 2, .tlvs = huge, .tlvs_len = sizeof(huge)}, PARTY_EPROXY_TOOLONG},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_result(party_proxy_header_format(&cases[i].header, buf, sizeof(buf)),
                      cases[i].result);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_tells_both_addresses),
        cmocka_unit_test(test_v1_unknown_tells_nothing),
        cmocka_unit_test(test_v1_that_is_not_exact_is_refused),
        cmocka_unit_test(test_v1_has_a_longest_line),
        cmocka_unit_test(test_v2_tells_addresses_and_fields),
        cmocka_unit_test(test_v2_tells_unix_names),
        cmocka_unit_test(test_v2_local_and_unspecified_tell_nothing),
        cmocka_unit_test(test_v2_that_is_not_exact_is_refused),
        cmocka_unit_test(test_checksum_is_the_one_others_compute),
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_what_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
