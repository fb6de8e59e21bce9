/* SPDX-License-Identifier: MIT */
#include "wire/sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) literal, sizeof(literal) - 1

static const char *const irc_verbs[] = {"CAP",     "PASS",   "NICK",        "USER",
                                        "SERVICE", "SERVER", "AUTHENTICATE"};
static const char *const http_verbs[] = {"GET",     "HEAD",    "POST",  "PUT",   "DELETE",
                                         "CONNECT", "OPTIONS", "TRACE", "PATCH", "PRI"};

/* From memory that ends with the bytes, so that a sanitizer sees a read behind them. */
static enum sniff_kind sniff_exact(const char *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    enum sniff_kind kind = sniff(copy, len);
    free(copy);
    return kind;
}

static enum sniff_kind sniff_text(const char *text)
{
    return sniff_exact(text, strlen(text));
}

static void test_nothing_is_undecided(void **state)
{
    (void)state;
    assert_int_equal(sniff(NULL, 0), SNIFF_UNDECIDED);
    assert_int_equal(sniff_text(""), SNIFF_UNDECIDED);
}

static void test_first_byte_decides_unless_a_protocol_may_start_with_it(void **state)
{
    (void)state;
    static const char openings[] = "\x16\r\n @:ACDGHNOPQSTUWcnpu";
    for (unsigned byte = 0; byte < 256; byte++) {
        const char first = (char)byte;
        bool opening = byte != 0 && strchr(openings, first);
        assert_int_equal(sniff_exact(&first, 1), opening ? SNIFF_UNDECIDED : SNIFF_LINE);
        /* A second byte that fits nowhere ends the doubt, except in the tags of "@tags NICK". */
        const char two[] = {first, '\x01'};
        assert_int_equal(sniff_exact(two, 2), first == '@' ? SNIFF_UNDECIDED : SNIFF_LINE);
    }
}

struct row {
    const char *bytes;
    size_t len;
    enum sniff_kind kind;
};

static const struct row rows[] = {
    {BYTES("G"), SNIFF_UNDECIDED},
    {BYTES("GE"), SNIFF_UNDECIDED},
    {BYTES("GET"), SNIFF_UNDECIDED},
    {BYTES("GET "), SNIFF_UNDECIDED},
    {BYTES("GET /"), SNIFF_HTTP},
    {BYTES("GET / HTTP/1.1\r\n"), SNIFF_HTTP},
    {BYTES("GET h"), SNIFF_UNDECIDED},
    {BYTES("GET http"), SNIFF_UNDECIDED},
    {BYTES("GET http:"), SNIFF_HTTP},
    {BYTES("GET HTTPS://x"), SNIFF_HTTP},
    {BYTES("GET help\n"), SNIFF_LINE},
    {BYTES("GET OUT\n"), SNIFF_LINE},
    {BYTES("GET\n"), SNIFF_LINE},
    {BYTES("GET  /"), SNIFF_LINE},
    {BYTES("GEX"), SNIFF_LINE},
    {BYTES("GETTING ready\n"), SNIFF_LINE},
    {BYTES("get / HTTP/1.1"), SNIFF_LINE},
    {BYTES("OPTIONS *"), SNIFF_HTTP},
    {BYTES("CONNECT "), SNIFF_UNDECIDED},
    {BYTES("CONNECT example.org:443"), SNIFF_HTTP},
    {BYTES("CONNECT \n"), SNIFF_LINE},
    {BYTES("CONNECT  x"), SNIFF_LINE},
    {BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), SNIFF_HTTP},
    {BYTES("PRIVATE talk"), SNIFF_LINE},
    {BYTES("CAP"), SNIFF_UNDECIDED},
    {BYTES("CAP\r\n"), SNIFF_IRC},
    {BYTES("CAP LS 302\r\n"), SNIFF_IRC},
    {BYTES("CAPITAL"), SNIFF_LINE},
    {BYTES("cap ls"), SNIFF_UNDECIDED},
    {BYTES("cap ls\r\n"), SNIFF_IRC},
    {BYTES("Cap Ls 302\r"), SNIFF_IRC},
    {BYTES("cap REQ :batch\n"), SNIFF_IRC},
    {BYTES("cap it all\n"), SNIFF_LINE},
    {BYTES("cap\n"), SNIFF_LINE},
    {BYTES("captain\n"), SNIFF_LINE},
    {BYTES("pass secret"), SNIFF_UNDECIDED},
    {BYTES("pass secret\n"), SNIFF_IRC},
    {BYTES("Pass  secret \r\n"), SNIFF_IRC},
    {BYTES("pass :my secret\r\n"), SNIFF_IRC},
    {BYTES("pass me the salt\n"), SNIFF_UNDECIDED},
    {BYTES("pass me the salt\nplease\n"), SNIFF_LINE},
    {BYTES("pass me the salt\nnick says please\n"), SNIFF_LINE},
    {BYTES("pass my secret\r\nnick bob\r\n"), SNIFF_IRC},
    {BYTES("pass\n"), SNIFF_LINE},
    {BYTES("Nick x\r\n"), SNIFF_UNDECIDED},
    {BYTES("nick x\r\nUser x 0 * :x\r\n"), SNIFF_IRC},
    {BYTES("nick x\r\n\r\nuser x x x :x\r\n"), SNIFF_IRC},
    {BYTES("nick x\nuser x x x"), SNIFF_UNDECIDED},
    {BYTES("nick x\nuser x\n"), SNIFF_LINE},
    {BYTES("nick hello\nhow are you\n"), SNIFF_LINE},
    {BYTES("nick is here\n"), SNIFF_LINE},
    {BYTES("nickname\n"), SNIFF_LINE},
    {BYTES("user bob 0 * :Bob B\r\n"), SNIFF_IRC},
    {BYTES("user bob 8 * Bob\r\n"), SNIFF_IRC},
    {BYTES("user bob host server :Bob B\r\n"), SNIFF_UNDECIDED},
    {BYTES("user bob host server :Bob B\r\nnick bob\r\n"), SNIFF_IRC},
    {BYTES("user error in line :(\n"), SNIFF_UNDECIDED},
    {BYTES("user error in line :(\nagain\n"), SNIFF_LINE},
    {BYTES("user error\n"), SNIFF_LINE},
    {BYTES("server is down\n"), SNIFF_LINE},
    {BYTES("WEBIRC secret gw host 10.0.0.1"), SNIFF_UNDECIDED},
    {BYTES("WEBIRC secret gw host 10.0.0.1\r\n"), SNIFF_IRC},
    {BYTES("@t WEBIRC secret gw host\r\n"), SNIFF_IRC},
    {BYTES("WEBIRC is down\n"), SNIFF_LINE},
    {BYTES("WEBIRC\n"), SNIFF_LINE},
    {BYTES("WEBIRCS are four words\n"), SNIFF_LINE},
    {BYTES("webirc is down right now\n"), SNIFF_LINE},
    {BYTES("PING x\r\n"), SNIFF_UNDECIDED},
    {BYTES("PING :x y\r\nPASS secret\r\n"), SNIFF_IRC},
    {BYTES("ping x\r\nping y\r\nnick x\r\n"), SNIFF_IRC},
    {BYTES("ping x\nis there anybody\n"), SNIFF_LINE},
    {BYTES("PING x\nPING y\nhello\n"), SNIFF_LINE},
    {BYTES("PING\nPASS x\n"), SNIFF_LINE},
    {BYTES("ping pong ping\nnick x\n"), SNIFF_LINE},
    {BYTES("nick x\nping x\n"), SNIFF_LINE},
    {BYTES("QUIT\r\n"), SNIFF_LINE},
    {BYTES("QUIT"), SNIFF_UNDECIDED},
    {BYTES("QUIT "), SNIFF_UNDECIDED},
    {BYTES("QUIT smoking"), SNIFF_LINE},
    {BYTES("QUIT :is there anybody"), SNIFF_IRC},
    {BYTES("SERV"), SNIFF_UNDECIDED},
    {BYTES("SERVE dinner"), SNIFF_LINE},
    {BYTES(":"), SNIFF_UNDECIDED},
    {BYTES(":a"), SNIFF_UNDECIDED},
    {BYTES(":a "), SNIFF_UNDECIDED},
    {BYTES(":a NICK x"), SNIFF_IRC},
    {BYTES(":a\n"), SNIFF_LINE},
    {BYTES(": NICK x"), SNIFF_LINE},
    {BYTES(":) hello\n"), SNIFF_LINE},
    {BYTES("@t :a  pass x\n"), SNIFF_IRC},
    {BYTES(" NICK x"), SNIFF_IRC},
    {BYTES("  pass x\n"), SNIFF_IRC},
    {BYTES("\r\n\n NICK x"), SNIFF_IRC},
    {BYTES("   "), SNIFF_UNDECIDED},
    {BYTES("  hello\n"), SNIFF_LINE},
    {BYTES("@"), SNIFF_UNDECIDED},
    {BYTES("@tag"), SNIFF_UNDECIDED},
    {BYTES("@tag "), SNIFF_UNDECIDED},
    {BYTES("@tag NICK"), SNIFF_UNDECIDED},
    {BYTES("@tag NICK x"), SNIFF_IRC},
    {BYTES("@a=b;c=d    CAP LS\r\n"), SNIFF_IRC},
    {BYTES("@alice hello\n"), SNIFF_LINE},
    {BYTES("@alice\n"), SNIFF_LINE},
    {BYTES("@ NICK x"), SNIFF_LINE},
    {BYTES("@tag GET / HTTP/1.1"), SNIFF_LINE},
    {BYTES("\x16"), SNIFF_UNDECIDED},
    {BYTES("\x16\x03"), SNIFF_TLS},
    {BYTES("\x16\x03\x01\x02\0\x01"), SNIFF_TLS},
    {BYTES("\x16\x02"), SNIFF_LINE},
    {BYTES("PROXY"), SNIFF_UNDECIDED},
    {BYTES("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"), SNIFF_PROXY},
    {BYTES("PROXYING"), SNIFF_LINE},
    {BYTES("\r"), SNIFF_UNDECIDED},
    {BYTES("\r\n"), SNIFF_UNDECIDED},
    {BYTES("\r\nhello"), SNIFF_LINE},
    {BYTES("\r\n\r\n\0\r\nQUIT"), SNIFF_UNDECIDED},
    {BYTES("\r\n\r\n\0\r\nQUIT\n"), SNIFF_PROXY},
    {BYTES("\n"), SNIFF_UNDECIDED},
    {BYTES("\nhello"), SNIFF_LINE},
    {BYTES("\xff"), SNIFF_LINE},
    {BYTES("\xff\xfd\x03NICK x\r\n"), SNIFF_LINE},
    {BYTES("\xe4\xbd\xa0\xe5\xa5\xbd\n"), SNIFF_LINE},
    {BYTES("hello\n"), SNIFF_LINE},
};

static void test_openings_are_told_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum sniff_kind kind = sniff_exact(rows[i].bytes, rows[i].len);
        if (kind != rows[i].kind) {
            fail_msg("\"%.*s\" is %d, not %d", (int)rows[i].len, rows[i].bytes, (int)kind,
                     (int)rows[i].kind);
        }
    }
}

static void test_whole_lines_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum sniff_line kind;
    } lines[] = {
        {"hello\n", SNIFF_LINE_CHAT},
        {"\n", SNIFF_LINE_CHAT},
        {"cap\n", SNIFF_LINE_CHAT},
        {"nick is here\n", SNIFF_LINE_CHAT},
        {"user error\n", SNIFF_LINE_CHAT},
        {"webirc is down right now\n", SNIFF_LINE_CHAT},
        {"ping\n", SNIFF_LINE_CHAT},
        {"ping x\n", SNIFF_LINE_PING},
        {"PING :x y\n", SNIFF_LINE_PING},
        {"pass me the salt\n", SNIFF_LINE_PERHAPS},
        {"user error in line :(\n", SNIFF_LINE_PERHAPS},
        {"nick x\n", SNIFF_LINE_IRC},
        {" pass secret\n", SNIFF_LINE_IRC},
        {"PASS my secret\n", SNIFF_LINE_IRC},
        {"user low 0 * :low\n", SNIFF_LINE_IRC},
        {"cap end\n", SNIFF_LINE_IRC},
        {"@t :a NICK x\n", SNIFF_LINE_IRC},
        {"AUTHENTICATE cGFzcw==\n", SNIFF_LINE_IRC},
        {"QUIT :bye\n", SNIFF_LINE_IRC},
        {"WEBIRC secret gw host 10.0.0.1\n", SNIFF_LINE_IRC},
    };
    for (size_t i = 0; i < COUNT(lines); i++) {
        size_t len = strlen(lines[i].line);
        char *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, lines[i].line, len);
        if (sniff_line((const uint8_t *)copy, len) != lines[i].kind) {
            print_error("%s", lines[i].line);
            fail();
        }
        free(copy);
    }
    /* However long it is. */
    static char gateway[2 * SNIFF_MAX_BYTES] = "WEBIRC ";
    memset(gateway + 7, 's', sizeof(gateway) - 7);
    memcpy(gateway + sizeof(gateway) - 10, " gw h ip\n", 9);
    assert_int_equal(sniff_line((const uint8_t *)gateway, sizeof(gateway) - 1), SNIFF_LINE_IRC);
}

static void test_every_irc_verb_needs_a_blank_or_the_end_of_the_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(irc_verbs); i++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            char text[32];
            int len = snprintf(text, sizeof(text), "%s%c", irc_verbs[i], (int)byte);
            bool ends = byte == ' ' || byte == '\r' || byte == '\n';
            assert_int_equal(sniff_exact(text, (size_t)len), ends ? SNIFF_IRC : SNIFF_LINE);
        }
        for (size_t len = 1; len <= strlen(irc_verbs[i]); len++) {
            assert_int_equal(sniff_exact(irc_verbs[i], len), SNIFF_UNDECIDED);
        }
    }
}

static void test_every_http_verb_needs_a_blank_and_a_target(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(http_verbs); i++) {
        bool connect = strcmp(http_verbs[i], "CONNECT") == 0;
        char text[32];
        for (unsigned byte = 0; byte < 256; byte++) {
            int len = snprintf(text, sizeof(text), "%s%c", http_verbs[i], (int)byte);
            assert_int_equal(sniff_exact(text, (size_t)len),
                             byte == ' ' ? SNIFF_UNDECIDED : SNIFF_LINE);
            len = snprintf(text, sizeof(text), "%s %c", http_verbs[i], (int)byte);
            enum sniff_kind expected = byte == '/' || byte == '*'   ? SNIFF_HTTP
                                       : byte == 'h' || byte == 'H' ? SNIFF_UNDECIDED
                                                                    : SNIFF_LINE;
            if (connect) {
                expected = byte > ' ' && byte < 0x7f ? SNIFF_HTTP : SNIFF_LINE;
            }
            assert_int_equal(sniff_exact(text, (size_t)len), expected);
        }
        for (size_t len = 1; len <= strlen(http_verbs[i]); len++) {
            assert_int_equal(sniff_exact(http_verbs[i], len), SNIFF_UNDECIDED);
        }
    }
}

static void test_verbs_later_in_the_text_decide_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(http_verbs); i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "hello\r\n%s / HTTP/1.1\r\n", http_verbs[i]);
        assert_int_equal(sniff_text(text), SNIFF_LINE);
        (void)snprintf(text, sizeof(text), "NICK a\r\n%s / HTTP/1.1\r\n", http_verbs[i]);
        assert_int_equal(sniff_text(text), SNIFF_IRC);
    }
}

static void test_long_tags_are_decided_at_the_limit_and_stay_decided(void **state)
{
    (void)state;
    static char text[SNIFF_MAX_BYTES + 64];
    memset(text, 'a', sizeof(text));
    text[0] = '@';
    assert_int_equal(sniff_exact(text, SNIFF_MAX_BYTES - 1), SNIFF_UNDECIDED);
    assert_int_equal(sniff_exact(text, SNIFF_MAX_BYTES), SNIFF_LINE);
    memcpy(text + SNIFF_MAX_BYTES, " NICK x", 7);
    assert_int_equal(sniff_exact(text, sizeof(text)), SNIFF_LINE);
    memcpy(text + SNIFF_MAX_BYTES - 6, " NICK ", 6);
    assert_int_equal(sniff_exact(text, SNIFF_MAX_BYTES), SNIFF_IRC);
    assert_int_equal(sniff_exact(text, sizeof(text)), SNIFF_IRC);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/* Pieces of what the protocols say, with a random byte now and then. */
static size_t random_opening(uint32_t *seed, char *text, size_t cap)
{
    static const char *const pieces[] = {
        "GET",  "HEAD", "POST", " ",    "/",    "*",   "http", ":",       "@",        "tag",
        "NICK", "CAP",  "USER", "SERV", "ICE",  "ER",  "PRI",  "PROXY",   "\r\n",     "\r",
        "\n",   "\x16", "\x03", "AUTH", "\xff", "P",   "CON",  "NECT",    "ENTICATE", "nick",
        "user", "pass", "cap",  "ls",   "a",    " b ", "* ",   "WEBIRC ", "PING",     "ping"};
    size_t len = 0;
    for (uint32_t count = 1 + next_random(seed) % 8; count > 0; count--) {
        const char *piece = pieces[next_random(seed) % COUNT(pieces)];
        size_t piece_len = strlen(piece);
        if (len + piece_len + 1 > cap) {
            break;
        }
        memcpy(text + len, piece, piece_len);
        len += piece_len;
        if (next_random(seed) % 8 == 0) {
            text[len++] = (char)next_random(seed);
        }
    }
    return len;
}

static void test_decision_never_changes_with_more_bytes(void **state)
{
    (void)state;
    uint32_t seed = 7;
    size_t decided[SNIFF_PROXY + 1] = {0};
    for (int round = 0; round < 50000; round++) {
        char text[96];
        size_t len = random_opening(&seed, text, sizeof(text));
        enum sniff_kind kind = SNIFF_UNDECIDED;
        for (size_t part = 0; part <= len; part++) {
            enum sniff_kind now = sniff((const uint8_t *)text, part);
            assert_true(kind == SNIFF_UNDECIDED || now == kind);
            kind = now;
        }
        decided[kind]++;
    }
    for (size_t i = 0; i < COUNT(decided); i++) {
        assert_true(decided[i] > 0); /* each kind was met, so the property was tried on it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_undecided),
        cmocka_unit_test(test_first_byte_decides_unless_a_protocol_may_start_with_it),
        cmocka_unit_test(test_openings_are_told_apart),
        cmocka_unit_test(test_whole_lines_are_told_apart),
        cmocka_unit_test(test_every_irc_verb_needs_a_blank_or_the_end_of_the_line),
        cmocka_unit_test(test_every_http_verb_needs_a_blank_and_a_target),
        cmocka_unit_test(test_verbs_later_in_the_text_decide_nothing),
        cmocka_unit_test(test_long_tags_are_decided_at_the_limit_and_stay_decided),
        cmocka_unit_test(test_decision_never_changes_with_more_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
