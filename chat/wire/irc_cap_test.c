/* SPDX-License-Identifier: MIT */
#include "wire/irc_cap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_test_util.h"
#include "wire/irc_writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MANY         100

static void test_lists_are_read_as_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *list, *expected;
    } rows[] = {
        {"", ""},
        {"   ", ""},
        {"sasl", "[sasl]"},
        {"-sasl", "-[sasl]"},
        {"multi-prefix sasl", "[multi-prefix][sasl]"},
        {"  multi-prefix   sasl  ", "[multi-prefix][sasl]"},
        {"sasl=PLAIN,EXTERNAL", "[sasl=PLAIN,EXTERNAL]"},
        {"-a b -c", "-[a][b]-[c]"},
        {"a= b", "[a=][b]"},
        {"a=b=c", "[a=b=c]"},
        {"-", "-[]"},
        {"--a", "-[-a]"},
        {"=x", "[=x]"},
        {"-=x", "-[=x]"},
        {"draft/chathistory ~a =", "[draft/chathistory][~a][=]"},
        {"a a -a", "[a][a]-[a]"},
        {"\xff\xfe", "[\\ff\\fe]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].list);
        char *copy = irc_test_copy(rows[i].list, len);
        struct irc_span list = {copy, len};
        struct irc_cap cap;
        struct irc_dump dump = {0};
        while (irc_cap_next(&list, &cap)) {
            irc_dump_add(&dump, irc_span(cap.is_off ? "-[" : "["));
            irc_dump_add(&dump, cap.name);
            irc_dump_part(&dump, "=", cap.value, "");
            irc_dump_add(&dump, irc_span("]"));
        }
        assert_string_equal(dump.text, rows[i].expected);
        free(copy);
    }
}

static void test_versions_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned version;
    } rows[] = {
        {"302", 302},
        {"301", 301},
        {"0302", 302},
        {"307", 307},
        {"", 0},
        {"-302", 0},
        {"3a", 0},
        {"0x12e", 0},
        {" 302", 0},
        {"0", 0},
        {"65535", 65535},
        {"65536", 65535},
        {"99999999999999999999999999", 65535},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(irc_cap_version(irc_span(rows[i].text)), rows[i].version);
    }
    assert_int_equal(irc_cap_version((struct irc_span){0}), 0);
}

static void write_one(const struct irc_cap_list *list, const char *expected)
{
    struct irc_writer writer;
    irc_writer_init(&writer, 0);
    size_t at = 0;
    assert_false(irc_cap_put(&writer, list, &at));
    assert_int_equal(at, list->count);
    size_t len = irc_writer_end(&writer);
    assert_true(irc_span_is((struct irc_span){writer.bytes, len}, expected));
}

static void test_short_lists_are_one_line(void **state)
{
    (void)state;
    const struct irc_cap caps[] = {
        {irc_span("multi-prefix"), {0}, false},
        {irc_span("sasl"), irc_span("PLAIN"), false},
        {irc_span("a"), {0}, true},
        {irc_span(""), {0}, false},
        {irc_span("x y"), {0}, false},
        {irc_span("x"), irc_span("y\r\nQUIT"), false},
    };
    struct irc_cap_list list = {.source = irc_span("s"), .subcommand = "LS", .caps = caps};
    write_one(&list, ":s CAP * LS :\r\n");
    list.count = 2;
    write_one(&list, ":s CAP * LS :multi-prefix sasl\r\n");
    list.has_values = list.is_continued = true;
    list.client = irc_span("dan");
    write_one(&list, ":s CAP dan LS :multi-prefix sasl=PLAIN\r\n");
    list.count = COUNT(caps);
    list.subcommand = "ACK";
    write_one(&list, ":s CAP dan ACK :multi-prefix sasl=PLAIN -a\r\n");
}

/* Writes a long list and reads it back. Returns the number of lines. */
static size_t check_long_list(struct irc_cap_list *list)
{
    size_t at = 0;
    size_t seen = 0;
    size_t lines = 0;
    for (bool has_more = true; has_more; lines++) {
        struct irc_writer writer;
        irc_writer_init(&writer, 0);
        has_more = irc_cap_put(&writer, list, &at);
        size_t len = irc_writer_end(&writer);
        assert_true(len > 2 && len <= 512);
        assert_false(writer.is_cut);
        struct irc_message message;
        assert_int_equal(irc_message_parse(writer.bytes, len - 2, &message), IRC_MESSAGE_OK);
        bool is_marked = message.param_count == 4;
        assert_int_equal(is_marked, has_more && list->is_continued);
        assert_true(!is_marked || irc_span_is(message.params[2], "*"));
        struct irc_cap cap;
        while (irc_cap_next(&message.params[message.param_count - 1], &cap)) {
            const struct irc_cap *expected = &list->caps[seen++];
            assert_int_equal(cap.name.len, expected->name.len);
            assert_memory_equal(cap.name.text, expected->name.text, cap.name.len);
            assert_int_equal(cap.is_off, expected->is_off);
            assert_int_equal(cap.value.text != NULL, list->has_values);
        }
    }
    assert_int_equal(seen, list->count);
    return lines;
}

static void test_long_lists_are_continued(void **state)
{
    (void)state;
    char names[MANY][32];
    struct irc_cap caps[MANY];
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "draft/capability-%zu", i);
        caps[i] = (struct irc_cap){irc_span(names[i]), irc_span("v"), i % 3 == 0};
    }
    struct irc_cap_list list = {
        .source = irc_span("irc.example.com"), .subcommand = "LS", .caps = caps, .count = MANY};
    for (int continued = 0; continued < 2; continued++) {
        list.is_continued = continued == 1;
        list.has_values = list.is_continued;
        assert_in_range(check_long_list(&list), 4, 6);
    }
    /* every length of a list around the end of a line */
    for (size_t count = 1; count < MANY; count++) {
        list.count = count;
        (void)check_long_list(&list);
    }
}

static void test_a_capability_longer_than_a_line_is_left_out(void **state)
{
    (void)state;
    char name[600];
    memset(name, 'a', sizeof(name));
    for (size_t len = 480; len < 520; len++) {
        const struct irc_cap caps[] = {{{name, len}, {0}, false}, {irc_span("b"), {0}, false}};
        const struct irc_cap_list list = {
            .source = irc_span("s"), .subcommand = "NAK", .caps = caps, .count = 2};
        size_t at = 0;
        size_t names = 0;
        for (bool has_more = true; has_more;) {
            struct irc_writer writer;
            irc_writer_init(&writer, 0);
            has_more = irc_cap_put(&writer, &list, &at);
            size_t line_len = irc_writer_end(&writer);
            assert_true(line_len > 0 && !writer.is_cut);
            struct irc_message message;
            (void)irc_message_parse(writer.bytes, line_len - 2, &message);
            struct irc_cap cap;
            while (irc_cap_next(&message.params[2], &cap)) {
                names++;
            }
        }
        /* ":s CAP * NAK :" takes 14 bytes of 510 */
        assert_int_equal(names, len <= 496 ? 2 : 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_are_read_as_the_table_says),
        cmocka_unit_test(test_versions_are_numbers),
        cmocka_unit_test(test_short_lists_are_one_line),
        cmocka_unit_test(test_long_lists_are_continued),
        cmocka_unit_test(test_a_capability_longer_than_a_line_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
