/* SPDX-License-Identifier: MIT */
#include "service/config_listen.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct listen_url parse(const char *text)
{
    struct listen_url url;
    char why[256] = "";

    if (config_listen_parse(text, &url, why, sizeof why) < 0) {
        fail_msg("%s", why);
    }
    return url;
}

static void assert_refused(const char *text, const char *want)
{
    struct listen_url url, before;
    char why[256];

    memset(&url, 0x5a, sizeof url);
    before = url;
    assert_int_equal(config_listen_parse(text, &url, why, sizeof why), -1);
    assert_string_equal(why, want);
    assert_memory_equal(&url, &before, sizeof url);
}

static void test_parts_of_a_url_are_told_apart(void **state)
{
    (void)state;
    struct listen_url url = parse("any://127.0.0.1:60000");
    assert_int_equal(url.kind, LISTEN_ANY);
    assert_string_equal(url.host, "127.0.0.1");
    assert_int_equal(url.port, 60000);
    url = parse("line://[fe80::1%eth0]:0");
    assert_int_equal(url.kind, LISTEN_LINE);
    assert_string_equal(url.host, "fe80::1%eth0");
    assert_int_equal(url.port, 0);
    url = parse("irc://chat.example:6667");
    assert_int_equal(url.kind, LISTEN_IRC);
    assert_string_equal(url.host, "chat.example");
    url = parse("any://*:65535");
    assert_string_equal(url.host, "*");
    assert_int_equal(url.port, 65535);
    url = parse("unix:run/a:b");
    assert_int_equal(url.kind, LISTEN_UNIX);
    assert_string_equal(url.path, "run/a:b");
    assert_string_equal(url.host, "");
}

static void test_what_is_no_url_says_why(void **state)
{
    (void)state;
    assert_refused(
        "", ": a listener is any://HOST:PORT, line://HOST:PORT, irc://HOST:PORT or unix:PATH");
    assert_refused(
        "://",
        "://: a listener is any://HOST:PORT, line://HOST:PORT, irc://HOST:PORT or unix:PATH");
    assert_refused("any://", "any://: the port is missing (0 picks a free one)");
    assert_refused("any://:", "any://:: the host is missing (* means every address)");
    assert_refused("any://[]:1", "any://[]:1: not an IPv6 address between the brackets");
    assert_refused("any://[::1]x:1", "any://[::1]x:1: the port is missing (0 picks a free one)");
    assert_refused("any://[::1%]:1", "any://[::1%]:1: not an IPv6 address between the brackets");
    assert_refused("any://[127.0.0.1]:1",
                   "any://[127.0.0.1]:1: not an IPv6 address between the brackets");
    assert_refused("any://-a:1", "any://-a:1: not a host name");
    assert_refused("any://a..b:1", "any://a..b:1: not a host name");
    assert_refused("any://1.2.3:1", "any://1.2.3:1: not an IPv4 address");
    assert_refused("any://a:+1", "any://a:+1: the port is not a number");
    assert_refused("any://a:4294967297", "any://a:4294967297: the port is more than 65535");
    assert_refused("any://a\n:1", "the URL: control characters in it");
    assert_refused("unix:@", "unix:@: the path is missing");
}

static void test_schemes_of_later_versions_are_named(void **state)
{
    static const char *const schemes[] = {"ircs", "ws", "wss", "http", "https"};
    char text[64], want[64];

    (void)state;
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        (void)snprintf(text, sizeof text, "%s://*:1", schemes[i]);
        (void)snprintf(want, sizeof want, "%s:// is not supported by this version", schemes[i]);
        assert_refused(text, want);
    }
}

static void test_longest_parts_fit_and_longer_ones_do_not(void **state)
{
    char text[LISTEN_URL_MAX], back[LISTEN_URL_MAX], why[512];
    struct listen_url url;

    (void)state;
    (void)snprintf(text, sizeof text, "any://%0253d:1", 0);
    memset(text + 6, 'h', 253);
    url = parse(text);
    assert_string_equal(config_listen_format(&url, NULL, back, sizeof back), text);
    (void)snprintf(text, sizeof text, "any://%0254d:1", 0);
    memset(text + 6, 'h', 254);
    assert_int_equal(config_listen_parse(text, &url, why, sizeof why), -1);
    (void)snprintf(text, sizeof text, "unix:%0107d", 0);
    url = parse(text);
    assert_int_equal(strlen(url.path), 107);
    (void)snprintf(text, sizeof text, "unix:%0108d", 0);
    assert_int_equal(config_listen_parse(text, &url, why, sizeof why), -1);
}

static void test_format_puts_in_the_real_address(void **state)
{
    struct party_address real = {.len = sizeof(struct sockaddr_in6)};
    struct listen_url url = parse("line://localhost:0");
    char text[LISTEN_URL_MAX];

    (void)state;
    real.u.in6.sin6_family = AF_INET6;
    real.u.in6.sin6_port = htons(4711);
    real.u.in6.sin6_addr = in6addr_loopback;
    assert_string_equal(config_listen_format(&url, &real, text, sizeof text), "line://[::1]:4711");
    real.len = sizeof(struct sockaddr_in);
    real.u.in.sin_family = AF_INET;
    real.u.in.sin_port = htons(4712);
    real.u.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_string_equal(config_listen_format(&url, &real, text, sizeof text),
                        "line://127.0.0.1:4712");
    url = parse("irc://*:6667");
    assert_string_equal(config_listen_format(&url, NULL, text, sizeof text), "irc://*:6667");
    url = parse("unix:/run/x.sock");
    assert_string_equal(config_listen_format(&url, NULL, text, sizeof text), "unix:/run/x.sock");
    url = parse("any://[::]:7");
    assert_string_equal(config_listen_format(&url, NULL, text, 9), "any://[:");
}

static void test_equal_compares_every_part(void **state)
{
    struct listen_url a = parse("any://a:1"), b = parse("any://a:1");

    (void)state;
    assert_true(config_listen_equal(&a, &b));
    b = parse("line://a:1");
    assert_false(config_listen_equal(&a, &b));
    b = parse("any://a:2");
    assert_false(config_listen_equal(&a, &b));
    b = parse("any://b:1");
    assert_false(config_listen_equal(&a, &b));
    a = parse("unix:a");
    b = parse("unix:b");
    assert_false(config_listen_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_of_a_url_are_told_apart),
        cmocka_unit_test(test_what_is_no_url_says_why),
        cmocka_unit_test(test_schemes_of_later_versions_are_named),
        cmocka_unit_test(test_longest_parts_fit_and_longer_ones_do_not),
        cmocka_unit_test(test_format_puts_in_the_real_address),
        cmocka_unit_test(test_equal_compares_every_part),
    };
    return cmocka_run_group_tests_name("config_listen", tests, NULL, NULL);
}
