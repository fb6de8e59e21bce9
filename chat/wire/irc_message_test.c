/* SPDX-License-Identifier: MIT */
#include "wire/irc_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_splitter.h"
#include "wire/irc_test_util.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) literal, sizeof(literal) - 1

struct row {
    const char *line;
    size_t len;
    const char *expected; /* see irc_test_util.h */
};

static const struct row rows[] = {
    /* the shapes of the specification */
    {BYTES("PING"), "PING"},
    {BYTES("PING tok"), "PING [tok]"},
    {BYTES("PING :tok"), "PING [tok]"},
    {BYTES("PING a b c"), "PING [a][b][c]"},
    {BYTES("PING a b :c d"), "PING [a][b][c d]"},
    {BYTES(":irc.example.com CAP * LIST :"), ":{irc.example.com} CAP [*][LIST][]"},
    {BYTES("CAP * LS :multi-prefix sasl"), "CAP [*][LS][multi-prefix sasl]"},
    {BYTES("CAP REQ :sasl message-tags foo"), "CAP [REQ][sasl message-tags foo]"},
    {BYTES(":dan!d@localhost PRIVMSG #chan :Hey!"), ":{dan!d@localhost} PRIVMSG [#chan][Hey!]"},
    {BYTES(":dan!d@localhost PRIVMSG #chan Hey!"), ":{dan!d@localhost} PRIVMSG [#chan][Hey!]"},
    {BYTES(":dan!d@localhost PRIVMSG #chan ::-)"), ":{dan!d@localhost} PRIVMSG [#chan][:-)]"},
    {BYTES("@id=234AB :dan!d@localhost PRIVMSG #chan :Hey what's up!"),
     "@{id=234AB} :{dan!d@localhost} PRIVMSG [#chan][Hey what's up!]"},
    {BYTES("@a=b;c=32;k;rt=ql7 foo"), "@{a=b;c=32;k;rt=ql7} foo"},
    {BYTES(":src 001 me :Welcome"), ":{src} 001 [me][Welcome]"},
    {BYTES("001"), "001"},
    {BYTES("999 x"), "999 [x]"},
    {BYTES("privmsg #c hi"), "privmsg [#c][hi]"},
    {BYTES("PrivMsg #c hi"), "PrivMsg [#c][hi]"},
    {BYTES("Q"), "Q"},
    {BYTES("QUIT :"), "QUIT []"},
    {BYTES("TOPIC #c :"), "TOPIC [#c][]"},
    {BYTES("TOPIC #c ::"), "TOPIC [#c][:]"},
    {BYTES("TOPIC #c : "), "TOPIC [#c][ ]"},
    {BYTES("TOPIC #c :  a  "), "TOPIC [#c][  a  ]"},
    /* spaces */
    {BYTES("PING   a   b"), "PING [a][b]"},
    {BYTES("PING a "), "PING [a]"},
    {BYTES("PING a   "), "PING [a]"},
    {BYTES("PING "), "PING"},
    {BYTES("PING      "), "PING"},
    {BYTES(" PING a"), "PING [a]"},
    {BYTES("    PING a"), "PING [a]"},
    {BYTES(" :src PING a"), ":{src} PING [a]"},
    {BYTES(" @t PING a"), "@{t} PING [a]"},
    {BYTES("@t    PING a"), "@{t} PING [a]"},
    {BYTES(":src    PING    a"), ":{src} PING [a]"},
    {BYTES("@t   :src   PING   a   :  b  "), "@{t} :{src} PING [a][  b  ]"},
    {BYTES("PING a  :b"), "PING [a][b]"},
    {BYTES("PING  :"), "PING []"},
    {BYTES("PING :a :b"), "PING [a :b]"},
    {BYTES("PING :a  "), "PING [a  ]"},
    {BYTES("PING\ta"), "bad-command PING\\09a"},
    {BYTES("PING a\tb"), "PING [a\\09b]"},
    {BYTES("\tPING a"), "bad-command \\09PING [a]"},
    /* colons inside */
    {BYTES("PING a:b"), "PING [a:b]"},
    {BYTES("PING a:b:"), "PING [a:b:]"},
    {BYTES("PING a: b"), "PING [a:][b]"},
    {BYTES("PING ::"), "PING [:]"},
    {BYTES("PING ::::"), "PING [:::]"},
    {BYTES("PING :: a"), "PING [: a]"},
    {BYTES("PING 2001:db8::1 :::1"), "PING [2001:db8::1][::1]"},
    {BYTES(":a:b PING"), ":{a:b} PING"},
    {BYTES("::a PING"), ":{:a} PING"},
    {BYTES(":n!u@2001:db8::1 PING"), ":{n!u@2001:db8::1} PING"},
    /* nothing, and less than a message */
    {BYTES(""), "empty"},
    {BYTES(" "), "empty"},
    {BYTES("          "), "empty"},
    {BYTES(":"), "no-command"},
    {BYTES(": "), "no-command"},
    {BYTES(":src"), "no-command"},
    {BYTES(":src "), "no-command"},
    {BYTES(":src      "), "no-command"},
    {BYTES("@"), "no-command"},
    {BYTES("@ "), "no-command"},
    {BYTES("@t"), "no-command"},
    {BYTES("@t "), "no-command"},
    {BYTES("@t :src"), "no-command"},
    {BYTES("@t :src "), "no-command"},
    {BYTES("@t :"), "no-command"},
    {BYTES("@ :"), "no-command"},
    {BYTES("@:"), "no-command"},
    {BYTES("@;;;;"), "no-command"},
    /* empty parts */
    {BYTES("@ PING"), "@{} PING"},
    {BYTES(": PING"), ":{} PING"},
    {BYTES("@ : PING"), "@{} :{} PING"},
    {BYTES("@; PING"), "@{;} PING"},
    {BYTES("@= PING"), "@{=} PING"},
    {BYTES("@=;=x;; PING"), "@{=;=x;;} PING"},
    /* tags stay as they are */
    {BYTES("@a=\\:\\s\\\\\\r\\n PING"), "@{a=\\:\\s\\\\\\r\\n} PING"},
    {BYTES("@a=b\\ PING"), "@{a=b\\} PING"},
    {BYTES("@+x/y=z;+typing=active TAGMSG #c"), "@{+x/y=z;+typing=active} TAGMSG [#c]"},
    {BYTES("@a=:b :c PING"), "@{a=:b} :{c} PING"},
    {BYTES("@@a PING"), "@{@a} PING"},
    {BYTES("@a @b PING"), "bad-command @{a} @b [PING]"},
    {BYTES("@a=1;a=2 PING"), "@{a=1;a=2} PING"},
    {BYTES("@\xff\xfe=\x80 PING"), "@{\\ff\\fe=\\80} PING"},
    {BYTES("@a=\x01\x02 PING"), "@{a=\\01\\02} PING"},
    {BYTES("PING @a"), "PING [@a]"},
    {BYTES(":src @a PING"), "bad-command :{src} @a [PING]"},
    {BYTES(":a :b PING"), "bad-command :{a} :b [PING]"},
    /* commands that are none */
    {BYTES("PI-NG a"), "bad-command PI-NG [a]"},
    {BYTES("1 a"), "bad-command 1 [a]"},
    {BYTES("12 a"), "bad-command 12 [a]"},
    {BYTES("0001 a"), "bad-command 0001 [a]"},
    {BYTES("00a x"), "bad-command 00a [x]"},
    {BYTES("A12"), "bad-command A12"},
    {BYTES("PING1"), "bad-command PING1"},
    {BYTES("#chan hi"), "bad-command #chan [hi]"},
    {BYTES("/join #chan"), "bad-command /join [#chan]"},
    {BYTES("* a"), "bad-command * [a]"},
    {BYTES("-"), "bad-command -"},
    {BYTES("PING, a"), "bad-command PING, [a]"},
    {BYTES("PING:a"), "bad-command PING:a"},
    {BYTES("\xc3\x89TAT"), "bad-command \\c3\\89TAT"},
    {BYTES("\xff"), "bad-command \\ff"},
    {BYTES("\x01"), "bad-command \\01"},
    {BYTES("\x1b[2J"), "bad-command \\1b[2J"},
    {BYTES("\xef\xbb\xbfNICK a"), "bad-command \\ef\\bb\\bfNICK [a]"},
    {BYTES("GET / HTTP/1.1"), "GET [/][HTTP/1.1]"},
    {BYTES("Host: irc.example.com"), "bad-command Host: [irc.example.com]"},
    {BYTES("{\"json\": 1}"), "bad-command {\"json\": [1}]"},
    {BYTES("%s%n%n %x"), "bad-command %s%n%n [%x]"},
    /* bytes that break a line */
    {BYTES("\0"), "breaks"},
    {BYTES("PING\0"), "breaks"},
    {BYTES("\0PING"), "breaks"},
    {BYTES("PI\0NG a"), "breaks"},
    {BYTES("PING a\0b"), "breaks"},
    {BYTES("PING :a\0"), "breaks"},
    {BYTES("PING :a\nQUIT"), "breaks"},
    {BYTES("PING :a\rQUIT"), "breaks"},
    {BYTES("PING :a\r\nQUIT"), "breaks"},
    {BYTES("\r"), "breaks"},
    {BYTES("\n"), "breaks"},
    {BYTES("@a=\r PING"), "breaks"},
    {BYTES("@a=\0 PING"), "breaks"},
    {BYTES(":s\nrc PING"), "breaks"},
    {BYTES("  \0  "), "breaks"},
    {BYTES("\0\0\0\0"), "breaks"},
    /* other bytes are text */
    {BYTES("PRIVMSG #c :\x01"
           "ACTION waves\x01"),
     "PRIVMSG [#c][\\01ACTION waves\\01]"},
    {BYTES("PRIVMSG #c :\x02"
           "bold\x0f"),
     "PRIVMSG [#c][\\02bold\\0f]"},
    {BYTES("PRIVMSG #c :caf\xe9"), "PRIVMSG [#c][caf\\e9]"},
    {BYTES("PRIVMSG #c :\xf0\x9f\x98\x80"), "PRIVMSG [#c][\\f0\\9f\\98\\80]"},
    {BYTES("PRIVMSG #c :\xed\xa0\x80\xc0\x80\xf5"), "PRIVMSG [#c][\\ed\\a0\\80\\c0\\80\\f5]"},
    {BYTES("PRIVMSG #c :\xe2\x80\xa8\xc2\x85"), "PRIVMSG [#c][\\e2\\80\\a8\\c2\\85]"},
    {BYTES("PRIVMSG #c\xc2\xa0x :hi"), "PRIVMSG [#c\\c2\\a0x][hi]"},
    {BYTES("PRIVMSG \x07 :\x7f"), "PRIVMSG [\\07][\\7f]"},
    {BYTES("NICK \xe5\x90\x8d"), "NICK [\\e5\\90\\8d]"},
    {BYTES("JOIN ,,,, ,"), "JOIN [,,,,][,]"},
    {BYTES("MODE #c +b *!*@*"), "MODE [#c][+b][*!*@*]"},
    {BYTES("USER a 0 * :R N"), "USER [a][0][*][R N]"},
    /* parameters without end: the 15th takes the rest */
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][15]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][15 16]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :15 16"),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][15 16]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 ::15"),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][:15]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 :16 17 "),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][15 :16 17 ]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 :14 15 16 17"),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14 15 16 17]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14   "),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14]"},
    {BYTES("X 1 2 3 4 5 6 7 8 9 10 11 12 13 14 :"),
     "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][]"},
};

static void parse_copy(const char *line, size_t len, struct irc_dump *dump)
{
    char *copy = irc_test_copy(line, len);
    struct irc_message message;
    enum irc_message_fault fault = irc_message_parse(copy, len, &message);
    irc_dump_message(dump, fault, &message);
    free(copy);
}

static void test_hostile_lines_are_read_as_the_table_says(void **state)
{
    (void)state;
    assert_true(COUNT(rows) >= 120);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_dump dump;
        parse_copy(rows[i].line, rows[i].len, &dump);
        assert_string_equal(dump.text, rows[i].expected);
    }
}

struct seen {
    struct irc_dump dump;
    size_t lines;
};

static bool parse_line(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    struct seen *seen = user;
    assert_int_equal(fault, IRC_LINE_OK);
    parse_copy(line, len, &seen->dump);
    seen->lines++;
    return true;
}

/* Rows that have an end inside are other lines for the splitter, and an empty one is none. */
static void check_through_splitter(size_t piece)
{
    uint32_t seed = 5;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].len == 0 || memchr(rows[i].line, '\r', rows[i].len) ||
            memchr(rows[i].line, '\n', rows[i].len)) {
            continue;
        }
        char input[512];
        memcpy(input, rows[i].line, rows[i].len);
        memcpy(input + rows[i].len, "\r\n", 2);
        size_t len = rows[i].len + 2;
        struct seen seen = {0};
        struct irc_splitter splitter;
        irc_splitter_init(&splitter, IRC_BODY_MAX_BYTES, IRC_CLIENT_TAGS_MAX_BYTES);
        for (size_t at = 0; at < len;) {
            size_t want = piece == 0 ? len : 1 + irc_test_random(&seed) % piece;
            want = want < len - at ? want : len - at;
            char *chunk = irc_test_copy(input + at, want);
            at += irc_splitter_feed(&splitter, (const uint8_t *)chunk, want, parse_line, &seen);
            free(chunk);
        }
        irc_splitter_finish(&splitter);
        assert_int_equal(seen.lines, 1);
        assert_string_equal(seen.dump.text, rows[i].expected);
    }
}

static void test_lines_are_read_the_same_whole_byte_by_byte_and_at_random_splits(void **state)
{
    (void)state;
    check_through_splitter(0);
    check_through_splitter(1);
    for (size_t piece = 2; piece < 22; piece++) {
        check_through_splitter(piece);
    }
}

static void test_parts_are_spans_of_the_line(void **state)
{
    (void)state;
    static const char line[] = "@a=b :src PRIVMSG #c :hi there";
    struct irc_message message;
    assert_int_equal(irc_message_parse(line, sizeof(line) - 1, &message), IRC_MESSAGE_OK);
    assert_ptr_equal(message.tags.text, line + 1);
    assert_ptr_equal(message.source.text, line + 6);
    assert_ptr_equal(message.command.text, line + 10);
    assert_ptr_equal(message.params[0].text, line + 18);
    assert_ptr_equal(message.params[1].text, line + 22);
    assert_null(message.params[2].text);
}

static void test_sources_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *source, *nick, *user, *host;
    } sources[] = {
        {"nick!user@host", "nick", "user", "host"},
        {"irc.example.com", "irc.example.com", NULL, NULL},
        {"nick@host", "nick", NULL, "host"},
        {"nick!user", "nick", "user", NULL},
        {"nick!~u@2001:db8::1", "nick", "~u", "2001:db8::1"},
        {"nick!a@b@host", "nick", "a@b", "host"},
        {"nick!a!b@host", "nick", "a!b", "host"},
        {"nick@a!b", "nick", NULL, "a!b"},
        {"!@", "", "", ""},
        {"", "", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(sources); i++) {
        struct irc_source source = irc_source_parse(irc_span(sources[i].source));
        assert_true(irc_span_is(source.nick, sources[i].nick));
        assert_true(sources[i].user ? irc_span_is(source.user, sources[i].user)
                                    : source.user.text == NULL);
        assert_true(sources[i].host ? irc_span_is(source.host, sources[i].host)
                                    : source.host.text == NULL);
    }
    assert_null(irc_source_parse((struct irc_span){0}).nick.text);
}

static void test_spans_compare_by_bytes_or_without_case(void **state)
{
    (void)state;
    assert_true(irc_span_is(irc_span("PING"), "PING"));
    assert_false(irc_span_is(irc_span("PING"), "ping"));
    assert_true(irc_span_is_nocase(irc_span("PiNg"), "pInG"));
    assert_false(irc_span_is_nocase(irc_span("PING"), "PINGS"));
    assert_false(irc_span_is_nocase(irc_span("PINGS"), "PING"));
    assert_false(irc_span_is_nocase(irc_span("{"), "["));
    assert_true(irc_span_is(irc_span(""), ""));
    assert_false(irc_span_is((struct irc_span){0}, ""));
    assert_false(irc_span_is_nocase((struct irc_span){0}, ""));
    assert_true(irc_span_is_middle(irc_span("a:b")));
    assert_false(irc_span_is_middle(irc_span(":a")));
    assert_false(irc_span_is_middle(irc_span("a b")));
    assert_false(irc_span_is_middle(irc_span("")));
    assert_false(irc_span_is_middle((struct irc_span){0}));
    assert_false(irc_span_breaks_line((struct irc_span){0}));
    assert_true(irc_message_is_command(irc_span("005")));
    assert_false(irc_message_is_command(irc_span("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_lines_are_read_as_the_table_says),
        cmocka_unit_test(test_lines_are_read_the_same_whole_byte_by_byte_and_at_random_splits),
        cmocka_unit_test(test_parts_are_spans_of_the_line),
        cmocka_unit_test(test_sources_are_taken_apart),
        cmocka_unit_test(test_spans_compare_by_bytes_or_without_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
