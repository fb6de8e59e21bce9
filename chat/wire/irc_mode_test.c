/* SPDX-License-Identifier: MIT */
#include "wire/irc_mode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_test_util.h"
#include "wire/irc_writer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct irc_mode_types types = {
    .list = "beI", .always = "k", .when_on = "l", .flag = "imnst", .member = "ov"};

static bool parse(const char *line, struct irc_mode_change *changes, size_t *count)
{
    struct irc_message message;
    assert_int_equal(irc_message_parse(line, strlen(line), &message), IRC_MESSAGE_OK);
    return irc_mode_parse(&types, message.params, message.param_count, changes, count);
}

/* Each change as +o:alice, with ! for an unknown letter, 0 for a missing and x for a bad parameter.
 */
static void print_changes(const struct irc_mode_change *changes, size_t count,
                          struct irc_dump *dump)
{
    static const char *const faults[] = {"", "!", "0", "x"};
    *dump = (struct irc_dump){0};
    for (size_t i = 0; i < count; i++) {
        const struct irc_mode_change *change = &changes[i];
        irc_dump_add(dump, irc_span(i > 0 ? " " : ""));
        irc_dump_add(dump, irc_span(change->is_on ? "+" : "-"));
        irc_dump_add(dump, (struct irc_span){&change->letter, 1});
        irc_dump_add(dump, irc_span(faults[change->fault]));
        irc_dump_part(dump, ":", change->param, "");
    }
}

static void test_changes_are_read_as_the_table_says(void **state)
{
    (void)state;
    static const struct {
        const char *line, *expected;
    } rows[] = {
        {"MODE", ""},
        {"MODE :", ""},
        {"MODE +", ""},
        {"MODE +-+-", ""},
        {"MODE +i", "+i"},
        {"MODE i", "+i"},
        {"MODE -i", "-i"},
        {"MODE +im-st+n", "+i +m -s -t +n"},
        {"MODE +o alice", "+o:alice"},
        {"MODE -o alice", "-o:alice"},
        {"MODE +o-v+b alice bob *!*@*", "+o:alice -v:bob +b:*!*@*"},
        {"MODE +l 10", "+l:10"},
        {"MODE -l 10", "-l"},
        {"MODE -lo alice", "-l -o:alice"},
        {"MODE +k key", "+k:key"},
        {"MODE -k key", "-k:key"},
        {"MODE -k", "-k0"},
        {"MODE +k", "+k0"},
        {"MODE +l", "+l0"},
        {"MODE +o", "+o0"},
        {"MODE b", "+b"},
        {"MODE +b", "+b"},
        {"MODE -b", "-b"},
        {"MODE +beI", "+b +e +I"},
        {"MODE +bb a", "+b:a +b"},
        {"MODE +x", "+x!"},
        {"MODE +xo alice", "+x! +o:alice"},
        {"MODE +xyz", "+x! +y! +z!"},
        {"MODE +i a b c", "+i"},
        {"MODE +o :", "+ox:"},
        {"MODE +k :a b", "+kx:a b"},
        {"MODE +k ::a", "+kx::a"},
        {"MODE +l abc", "+l:abc"},
        {"MODE ,", "+,!"},
        {"MODE #", "+#!"},
        {"MODE :+o a", "+o0 + ! +a!"},
        {"MODE \xc3\xa9", "+\\c3! +\\a9!"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_mode_change changes[IRC_MODE_CHANGES_MAX];
        size_t count;
        assert_true(parse(rows[i].line, changes, &count));
        struct irc_dump dump;
        print_changes(changes, count, &dump);
        assert_string_equal(dump.text, rows[i].expected);
    }
}

static void test_letters_have_types(void **state)
{
    (void)state;
    assert_int_equal(irc_mode_type_of(&types, 'b'), IRC_MODE_LIST);
    assert_int_equal(irc_mode_type_of(&types, 'k'), IRC_MODE_ALWAYS);
    assert_int_equal(irc_mode_type_of(&types, 'l'), IRC_MODE_WHEN_ON);
    assert_int_equal(irc_mode_type_of(&types, 'n'), IRC_MODE_FLAG);
    assert_int_equal(irc_mode_type_of(&types, 'v'), IRC_MODE_MEMBER);
    assert_int_equal(irc_mode_type_of(&types, '\0'), IRC_MODE_UNKNOWN);
    const struct irc_mode_types none = {0};
    assert_int_equal(irc_mode_type_of(&none, 'b'), IRC_MODE_UNKNOWN);
}

static void test_more_changes_than_the_limit_are_told(void **state)
{
    (void)state;
    char line[300] = "MODE ";
    struct irc_mode_change changes[IRC_MODE_CHANGES_MAX];
    size_t count;
    memset(line + 5, 'i', IRC_MODE_CHANGES_MAX);
    assert_true(parse(line, changes, &count));
    assert_int_equal(count, IRC_MODE_CHANGES_MAX);
    memset(line + 5, '?', IRC_MODE_CHANGES_MAX + 1);
    assert_false(parse(line, changes, &count));
    assert_int_equal(count, IRC_MODE_CHANGES_MAX);
}

/* All messages that the changes of one line become, a '|' behind each. */
static void write_all(const char *line, size_t max_params, struct irc_dump *dump)
{
    struct irc_mode_change changes[IRC_MODE_CHANGES_MAX];
    size_t count;
    (void)parse(line, changes, &count);
    *dump = (struct irc_dump){0};
    for (size_t at = 0; at < count;) {
        struct irc_writer writer;
        irc_writer_init(&writer, 0);
        irc_writer_put_command(&writer, irc_span("MODE"));
        irc_writer_put_param(&writer, irc_span("#c"));
        size_t put;
        size_t done = irc_mode_put(&writer, changes + at, count - at, max_params, &put);
        assert_true(done > 0 && put <= done);
        at += done;
        size_t len = irc_writer_end(&writer);
        assert_true(len > 0);
        if (put > 0) {
            irc_dump_part(dump, "", (struct irc_span){writer.bytes + 8, len - 10}, "|");
        }
    }
}

static void test_changes_are_written_in_few_messages(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t max_params;
        const char *expected;
    } rows[] = {
        {"MODE +i", 4, "+i|"},
        {"MODE +i-i+i-i", 4, "+i-i+i-i|"},
        {"MODE +oo-vv+b a b c d e", 10, "+oo-vv+b a b c d e|"},
        {"MODE +oo-vv+b a b c d e", 2, "+oo a b|-vv c d|+b e|"},
        {"MODE +oiv a b", 1, "+oi a|+v b|"},
        {"MODE +xiyo a", 4, "+io a|"},
        {"MODE +xyz", 4, ""},
        {"MODE +ok a", 4, "+o a|"},
        {"MODE +ok a :b c", 4, "+o a|"},
        {"MODE +bbb a", 4, "+bbb a|"},
        {"MODE :", 4, ""},
        {"MODE +ooooooooooooooo 1 2 3 4 5 6 7 8 9 10 11 12 13", 99,
         "+ooooooooooooo 1 2 3 4 5 6 7 8 9 10 11 12 13|"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct irc_dump dump;
        write_all(rows[i].line, rows[i].max_params, &dump);
        assert_string_equal(dump.text, rows[i].expected);
    }
}

static void test_parameters_that_do_not_fit_go_into_the_next_message(void **state)
{
    (void)state;
    char mask[505];
    memset(mask, 'm', sizeof(mask));
    /* "MODE #c +b " leaves 499 bytes of 510 */
    for (size_t len = 490; len < sizeof(mask); len++) {
        struct irc_mode_change changes[] = {
            {true, 'i', IRC_MODE_FLAG, IRC_MODE_OK, {0}},
            {true, 'b', IRC_MODE_LIST, IRC_MODE_OK, {mask, len}},
            {false, 'm', IRC_MODE_FLAG, IRC_MODE_OK, {0}},
        };
        size_t at = 0;
        size_t written = 0;
        while (at < COUNT(changes)) {
            struct irc_writer writer;
            irc_writer_init(&writer, 0);
            irc_writer_put_command(&writer, irc_span("MODE"));
            irc_writer_put_param(&writer, irc_span("#c"));
            size_t put;
            at += irc_mode_put(&writer, changes + at, COUNT(changes) - at, 4, &put);
            written += put;
            assert_true(irc_writer_end(&writer) > 0);
        }
        assert_int_equal(written, len <= 499 ? 3 : 2);
    }
}

static void test_nothing_unsafe_is_written(void **state)
{
    (void)state;
    struct irc_mode_change changes[] = {
        {true, ' ', IRC_MODE_FLAG, IRC_MODE_OK, {0}},
        {true, '\r', IRC_MODE_FLAG, IRC_MODE_OK, {0}},
        {true, '\0', IRC_MODE_FLAG, IRC_MODE_OK, {0}},
        {true, ':', IRC_MODE_FLAG, IRC_MODE_OK, {0}},
        {true, 'k', IRC_MODE_ALWAYS, IRC_MODE_OK, {"a\nb", 3}},
        {true, 'k', IRC_MODE_ALWAYS, IRC_MODE_OK, {"", 0}},
        {true, 'x', IRC_MODE_FLAG, IRC_MODE_NO_SUCH, {0}},
    };
    struct irc_writer writer;
    irc_writer_init(&writer, 0);
    irc_writer_put_command(&writer, irc_span("MODE"));
    size_t put;
    assert_int_equal(irc_mode_put(&writer, changes, COUNT(changes), 4, &put), COUNT(changes));
    assert_int_equal(put, 0);
    assert_int_equal(writer.param_count, 0);
    assert_int_equal(irc_mode_put(&writer, changes, 0, 4, &put), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes_are_read_as_the_table_says),
        cmocka_unit_test(test_letters_have_types),
        cmocka_unit_test(test_more_changes_than_the_limit_are_told),
        cmocka_unit_test(test_changes_are_written_in_few_messages),
        cmocka_unit_test(test_parameters_that_do_not_fit_go_into_the_next_message),
        cmocka_unit_test(test_nothing_unsafe_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
