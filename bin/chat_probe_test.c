/* SPDX-License-Identifier: MIT */
#include "chat_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    enum chat_probe_result result;
} rows[] = {
    {"*** Welcome to Net. You are guest1;", CHAT_PROBE_LINE},
    {"\r\n*", CHAT_PROBE_LINE},
    {":irc.example CAP * LS :batch\r\n", CHAT_PROBE_IRC},
    {"CAP * LS :\n", CHAT_PROBE_IRC},
    {"@time=x :s NOTICE * :hm\r\n", CHAT_PROBE_IRC},
    {"NOTICE AUTH :*** Looking up your hostname\r\n", CHAT_PROBE_IRC},
    {"PING :12345\r\n", CHAT_PROBE_IRC},
    {"ERROR :Closing link: too many\r\n", CHAT_PROBE_IRC},
    {":s 451 * :Register first\r\n", CHAT_PROBE_IRC},
    {"451 * :Register first\r\n", CHAT_PROBE_IRC},
    {"ERROR :IRC is not spoken here; connect with nc\r\n", CHAT_PROBE_REFUSED},
    {":s ERROR :IRC is not spoken here\r\n", CHAT_PROBE_REFUSED},
    {"220 mail.example ESMTP\r\n", CHAT_PROBE_IRC}, /* three digits: what follows tells */
    {"SSH-2.0-OpenSSH_9.2\r\n", CHAT_PROBE_LINE},
    {"HTTP/1.1 400 Bad Request\r\n", CHAT_PROBE_LINE},
    {"2026-11-21 09:17:20 alice: hello\r\n", CHAT_PROBE_LINE},
    {"Welcome!\r\n", CHAT_PROBE_LINE},
    {":only-a-source\r\n", CHAT_PROBE_LINE},
    {"", CHAT_PROBE_UNDECIDED},
    {"\r\n\r\n", CHAT_PROBE_UNDECIDED},
    {"NOTI", CHAT_PROBE_UNDECIDED},
    {":irc.example 001", CHAT_PROBE_UNDECIDED},
};

static void test_first_bytes_tell_the_protocol(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t len = strlen(rows[i].text);
        assert_int_equal(chat_probe(rows[i].text, len), rows[i].result);
        /* What is decided is not decided otherwise when more comes. */
        enum chat_probe_result before = CHAT_PROBE_UNDECIDED;
        for (size_t part = 0; part <= len; part++) {
            enum chat_probe_result now = chat_probe(rows[i].text, part);
            assert_true(before == CHAT_PROBE_UNDECIDED || now == before);
            before = now;
        }
    }
}

static void test_endless_line_is_none_of_irc(void **state)
{
    (void)state;
    static char text[65536];
    memset(text, 'x', sizeof text);
    assert_int_equal(chat_probe(text, 100), CHAT_PROBE_UNDECIDED);
    assert_int_equal(chat_probe(text, sizeof text), CHAT_PROBE_LINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_bytes_tell_the_protocol),
        cmocka_unit_test(test_endless_line_is_none_of_irc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
