/* SPDX-License-Identifier: MIT */
#include "wire/irc_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_tag.h"
#include "wire/irc_test_util.h"
#include "wire/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the message reads back as; "" when it was refused. */
static void read_back(struct irc_writer *writer, struct irc_dump *dump)
{
    dump->len = 0;
    dump->text[0] = '\0';
    size_t len = irc_writer_end(writer);
    if (len == 0) {
        return;
    }
    assert_true(len >= 3);
    assert_true(len - writer->tags_len <= IRC_BODY_MAX_BYTES);
    assert_memory_equal(writer->bytes + len - 2, "\r\n", 2);
    struct irc_message message;
    enum irc_message_fault fault = irc_message_parse(writer->bytes, len - 2, &message);
    assert_int_equal(fault, IRC_MESSAGE_OK);
    irc_dump_message(dump, fault, &message);
}

static void assert_message(struct irc_writer *writer, const char *expected)
{
    struct irc_dump dump;
    read_back(writer, &dump);
    assert_string_equal(dump.text, expected);
}

static void start(struct irc_writer *writer, const char *command)
{
    irc_writer_init(writer, IRC_TAGS_MAX_BYTES);
    irc_writer_put_command(writer, irc_span(command));
}

static void test_parts_are_written_in_order(void **state)
{
    (void)state;
    struct irc_writer writer;
    irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
    assert_true(
        irc_writer_put_tag(&writer, irc_span("time"), irc_span("2026-01-01T00:00:00.000Z")));
    assert_true(irc_writer_put_tag(&writer, irc_span("bot"), (struct irc_span){0}));
    assert_true(irc_writer_put_tag(&writer, irc_span("x"), irc_span("a; \\\r\n")));
    assert_true(irc_writer_put_raw_tag(&writer, irc_span("+y/z"), irc_span("\\s\\")));
    irc_writer_put_source(&writer, irc_span("n!u@h"));
    irc_writer_put_command(&writer, irc_span("PRIVMSG"));
    irc_writer_put_param(&writer, irc_span("#c"));
    irc_writer_put_text(&writer, irc_span("hi there"));
    size_t len = irc_writer_end(&writer);
    static const char expected[] =
        "@time=2026-01-01T00:00:00.000Z;bot;x=a\\:\\s\\\\\\r\\n;+y/z=\\s\\ "
        ":n!u@h PRIVMSG #c :hi there\r\n";
    assert_int_equal(len, sizeof(expected) - 1);
    assert_memory_equal(writer.bytes, expected, len);
}

static void test_a_parameter_that_needs_a_colon_can_only_be_the_last(void **state)
{
    (void)state;
    static const char *const last[] = {"", ":a", "a b", " ", ":", " a"};
    for (size_t i = 0; i < COUNT(last); i++) {
        struct irc_writer writer;
        start(&writer, "X");
        irc_writer_put_param(&writer, irc_span("a"));
        irc_writer_put_param(&writer, irc_span(last[i]));
        struct irc_dump dump;
        read_back(&writer, &dump);
        char expected[32];
        (void)snprintf(expected, sizeof(expected), "X [a][%s]", last[i]);
        assert_string_equal(dump.text, expected);

        start(&writer, "X");
        irc_writer_put_param(&writer, irc_span(last[i]));
        irc_writer_put_param(&writer, irc_span("b"));
        assert_int_equal(irc_writer_end(&writer), 0);
    }
    struct irc_writer writer;
    start(&writer, "X");
    irc_writer_put_text(&writer, irc_span("a"));
    irc_writer_put_text(&writer, irc_span("b"));
    assert_int_equal(irc_writer_end(&writer), 0);
}

static void test_no_line_end_gets_into_a_message(void **state)
{
    (void)state;
    static const char bad[] = {'\0', '\r', '\n'};
    for (size_t i = 0; i < sizeof(bad); i++) {
        char text[] = {'a', bad[i], 'Q'};
        struct irc_span span = {text, sizeof(text)};
        struct irc_writer writer;
        start(&writer, "X");
        irc_writer_put_param(&writer, span);
        assert_int_equal(irc_writer_end(&writer), 0);
        irc_writer_init(&writer, 0);
        irc_writer_put_source(&writer, span);
        irc_writer_put_command(&writer, irc_span("X"));
        assert_int_equal(irc_writer_end(&writer), 0);
        irc_writer_init(&writer, 0);
        irc_writer_put_command(&writer, span);
        assert_int_equal(irc_writer_end(&writer), 0);
        start(&writer, "X");
        irc_writer_put_text(&writer, span);
        assert_message(&writer, "X [a Q]");
        start(&writer, "X");
        irc_writer_put_echo(&writer, span, 10);
        assert_message(&writer, "X [*]");
        irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
        assert_false(irc_writer_put_tag(&writer, span, irc_span("v")));
        assert_int_equal(irc_writer_put_tag(&writer, irc_span("k"), span), bad[i] != '\0');
        assert_false(irc_writer_put_raw_tag(&writer, irc_span("k"), span));
    }
}

static void test_parts_out_of_order_refuse_the_message(void **state)
{
    (void)state;
    struct irc_writer writer;
    irc_writer_init(&writer, 0);
    assert_int_equal(irc_writer_end(&writer), 0);
    irc_writer_init(&writer, 0);
    irc_writer_put_param(&writer, irc_span("a"));
    irc_writer_put_command(&writer, irc_span("X"));
    assert_int_equal(irc_writer_end(&writer), 0);
    start(&writer, "X");
    irc_writer_put_source(&writer, irc_span("a"));
    assert_int_equal(irc_writer_end(&writer), 0);
    start(&writer, "X");
    irc_writer_put_command(&writer, irc_span("Y"));
    assert_int_equal(irc_writer_end(&writer), 0);
    irc_writer_init(&writer, 0);
    irc_writer_put_source(&writer, irc_span("a"));
    irc_writer_put_source(&writer, irc_span("b"));
    irc_writer_put_command(&writer, irc_span("Y"));
    assert_int_equal(irc_writer_end(&writer), 0);
    static const char *const commands[] = {"", "X Y", "12", "1234", "A1", ":X", "@X", " X", "X "};
    for (size_t i = 0; i < COUNT(commands); i++) {
        start(&writer, commands[i]);
        assert_int_equal(irc_writer_end(&writer), 0);
    }
    static const char *const sources[] = {"", "a b", " a", "a "};
    for (size_t i = 0; i < COUNT(sources); i++) {
        irc_writer_init(&writer, 0);
        irc_writer_put_source(&writer, irc_span(sources[i]));
        irc_writer_put_command(&writer, irc_span("X"));
        assert_int_equal(irc_writer_end(&writer), 0);
    }
    start(&writer, "X");
    assert_false(irc_writer_put_tag(&writer, irc_span("k"), irc_span("v")));
    assert_message(&writer, "X");
}

static void test_sixteen_parameters_are_refused(void **state)
{
    (void)state;
    struct irc_writer writer;
    start(&writer, "X");
    for (int i = 1; i <= IRC_PARAMS_MAX; i++) {
        irc_writer_put_number(&writer, i);
    }
    struct irc_writer more = writer;
    assert_message(&writer, "X [1][2][3][4][5][6][7][8][9][10][11][12][13][14][15]");
    irc_writer_put_number(&more, 16);
    assert_int_equal(irc_writer_end(&more), 0);
    start(&writer, "X");
    irc_writer_put_number(&writer, -9223372036854775807LL - 1);
    assert_message(&writer, "X [-9223372036854775808]");
}

static void test_echo_is_cut_and_replaced(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max;
        const char *expected;
    } rows[] = {
        {"nick", 30, "X [nick][t]"}, {"nick", 2, "X [ni][t]"},
        {"", 30, "X [*][t]"},        {":x", 30, "X [*][t]"},
        {"a b", 30, "X [*][t]"},     {"\xc3\xa9\xc3\xa9", 3, "X [\\c3\\a9][t]"},
        {"\xc3\xa9", 1, "X [*][t]"}, {"a b", 1, "X [a][t]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_writer writer;
        start(&writer, "X");
        irc_writer_put_echo(&writer, irc_span(rows[i].text), rows[i].max);
        irc_writer_put_text(&writer, irc_span("t"));
        assert_message(&writer, rows[i].expected);
    }
}

static void test_text_is_cut_at_512_bytes_between_characters(void **state)
{
    (void)state;
    static const char *const units[] = {"x", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};
    for (size_t i = 0; i < COUNT(units); i++) {
        size_t unit = strlen(units[i]);
        for (size_t lead = 0; lead < 4; lead++) {
            char text[900];
            memset(text, 'a', lead);
            size_t len = lead;
            while (len + unit <= sizeof(text)) {
                memcpy(text + len, units[i], unit);
                len += unit;
            }
            struct irc_writer writer;
            irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
            assert_true(irc_writer_put_tag(&writer, irc_span("k"), irc_span("v")));
            irc_writer_put_command(&writer, irc_span("X"));
            irc_writer_put_text(&writer, (struct irc_span){text, len});
            size_t written = irc_writer_end(&writer);
            size_t body = written - strlen("@k=v ");
            assert_true(writer.is_cut);
            assert_true(body <= 512 && body > 512 - unit);
            assert_true(text_is_utf8(writer.bytes, written));
        }
    }
}

static void test_what_is_no_text_is_never_cut(void **state)
{
    (void)state;
    char text[600];
    memset(text, 'x', sizeof(text));
    struct irc_writer writer;
    start(&writer, "X");
    assert_int_equal(irc_writer_room(&writer), 509);
    irc_writer_put_param(&writer, (struct irc_span){text, 508});
    assert_int_equal(irc_writer_room(&writer), 0);
    assert_int_equal(irc_writer_end(&writer), 512);
    start(&writer, "X");
    irc_writer_put_param(&writer, (struct irc_span){text, 509});
    assert_int_equal(irc_writer_end(&writer), 0);
    start(&writer, "X");
    irc_writer_put_param(&writer, (struct irc_span){text, 506});
    irc_writer_put_text(&writer, irc_span("")); /* " :" takes the last two */
    assert_int_equal(irc_writer_end(&writer), 512);
    start(&writer, "X");
    irc_writer_put_param(&writer, (struct irc_span){text, 507});
    irc_writer_put_text(&writer, irc_span(""));
    assert_int_equal(irc_writer_end(&writer), 0);
    irc_writer_init(&writer, 0);
    irc_writer_put_source(&writer, (struct irc_span){text, 509});
    irc_writer_put_command(&writer, irc_span("X"));
    assert_int_equal(irc_writer_end(&writer), 0);
    irc_writer_init(&writer, 0);
    irc_writer_put_source(&writer, (struct irc_span){text, 507});
    irc_writer_put_command(&writer, irc_span("X"));
    assert_int_equal(irc_writer_end(&writer), 512);
}

static void test_tags_have_a_limit_of_their_own_and_are_left_out_whole(void **state)
{
    (void)state;
    static char text[9000];
    memset(text, 'x', sizeof(text));
    static const size_t limits[] = {IRC_CLIENT_TAGS_MAX_BYTES, IRC_TAGS_MAX_BYTES};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct irc_writer writer;
        irc_writer_init(&writer, limits[i]);
        size_t most = limits[i] - strlen("@k= ");
        assert_false(irc_writer_put_tag(&writer, irc_span("k"), (struct irc_span){text, most + 1}));
        assert_true(irc_writer_put_tag(&writer, irc_span("k"), (struct irc_span){text, most}));
        assert_false(irc_writer_put_tag(&writer, irc_span("l"), irc_span("")));
        irc_writer_put_command(&writer, irc_span("X"));
        irc_writer_put_text(&writer, (struct irc_span){text, sizeof(text)});
        assert_int_equal(irc_writer_end(&writer), limits[i] + IRC_BODY_MAX_BYTES);
        assert_int_equal(writer.tags_len, limits[i]);
    }
    struct irc_writer writer;
    irc_writer_init(&writer, 0);
    assert_false(irc_writer_put_tag(&writer, irc_span("k"), irc_span("v")));
    irc_writer_put_command(&writer, irc_span("X"));
    assert_message(&writer, "X");
    /* escaping makes a value longer: it counts as it is sent */
    memset(text, ' ', 10);
    irc_writer_init(&writer, 23);
    assert_false(irc_writer_put_tag(&writer, irc_span("k"), (struct irc_span){text, 10}));
    irc_writer_init(&writer, 24);
    assert_true(irc_writer_put_tag(&writer, irc_span("k"), (struct irc_span){text, 10}));
}

/* A random part of letters that mean something; sometimes empty. */
static struct irc_span random_part(uint32_t *seed, char *room, const char *letters)
{
    size_t len = irc_test_random(seed) % 8;
    for (size_t i = 0; i < len; i++) {
        room[i] = letters[irc_test_random(seed) % strlen(letters)];
    }
    return (struct irc_span){room, len};
}

static bool same_span(struct irc_span a, struct irc_span b)
{
    return a.len == b.len && memcmp(a.text, b.text, a.len) == 0;
}

static void check_round_trip(uint32_t *seed)
{
    char room[24][8];
    struct irc_writer writer;
    irc_writer_init(&writer, IRC_TAGS_MAX_BYTES);
    struct irc_span keys[3] = {irc_span("a"), irc_span("+b/c"), irc_span("d-e")};
    struct irc_span values[3];
    size_t tags = irc_test_random(seed) % 4;
    for (size_t i = 0; i < tags; i++) {
        values[i] = random_part(seed, room[i], "ab;\\ \r\n=:@");
        assert_true(irc_writer_put_tag(&writer, keys[i], values[i]));
    }
    struct irc_span source = random_part(seed, room[3], "ab!@.:");
    if (source.len > 0) {
        irc_writer_put_source(&writer, source);
    }
    irc_writer_put_command(&writer, irc_span("PRIVMSG"));
    struct irc_span params[IRC_PARAMS_MAX];
    size_t count = 0;
    size_t want = irc_test_random(seed) % (IRC_PARAMS_MAX + 1);
    while (count < want) {
        struct irc_span param = random_part(seed, room[4 + count], "abc:,  #\xc3\xa9");
        bool is_last = !irc_span_is_middle(param);
        irc_writer_put_param(&writer, param);
        params[count++] = param;
        if (is_last) {
            break;
        }
    }
    size_t len = irc_writer_end(&writer);
    assert_true(len > 2);
    struct irc_message message;
    assert_int_equal(irc_message_parse(writer.bytes, len - 2, &message), IRC_MESSAGE_OK);
    assert_int_equal(message.param_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(same_span(message.params[i], params[i]));
    }
    assert_true(same_span(message.source.text ? message.source : irc_span(""), source));
    for (size_t i = 0; i < tags; i++) {
        char value[32];
        struct irc_span found = irc_tags_find(message.tags, i == 0 ? "a" : i == 1 ? "+b/c" : "d-e");
        assert_non_null(found.text);
        assert_true(same_span((struct irc_span){value, irc_tag_unescape(found, value)}, values[i]));
    }
}

static void test_random_messages_read_back_as_they_were_put(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 20000; round++) {
        check_round_trip(&seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_are_written_in_order),
        cmocka_unit_test(test_a_parameter_that_needs_a_colon_can_only_be_the_last),
        cmocka_unit_test(test_no_line_end_gets_into_a_message),
        cmocka_unit_test(test_parts_out_of_order_refuse_the_message),
        cmocka_unit_test(test_sixteen_parameters_are_refused),
        cmocka_unit_test(test_echo_is_cut_and_replaced),
        cmocka_unit_test(test_text_is_cut_at_512_bytes_between_characters),
        cmocka_unit_test(test_what_is_no_text_is_never_cut),
        cmocka_unit_test(test_tags_have_a_limit_of_their_own_and_are_left_out_whole),
        cmocka_unit_test(test_random_messages_read_back_as_they_were_put),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
