/* SPDX-License-Identifier: MIT */
#include "wire/irc_numeric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_standard.h"
#include "wire/irc_test_util.h"
#include "wire/irc_writer.h"
#include "wire/text.h"

#define COUNT(array)                          (sizeof(array) / sizeof((array)[0]))

#define NUMBER_OF(number, name, params, text) (number),
static const int numbers[] = {IRC_NUMERICS(NUMBER_OF)};

static void test_numbers_and_names_are_unique_and_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct irc_numeric_info *info = irc_numeric_find(numbers[i]);
        assert_non_null(info);
        assert_int_equal(info->number, numbers[i]);
        assert_in_range(info->number, 1, 999);
        assert_true(i == 0 || numbers[i] > numbers[i - 1]);
        assert_true(strncmp(info->name, "RPL_", 4) == 0 || strncmp(info->name, "ERR_", 4) == 0);
        assert_int_equal(strspn(info->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"),
                         strlen(info->name));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(irc_numeric_find(numbers[j])->name, info->name);
        }
    }
    static const int unknown[] = {-1, 0, 6, 355, 500, 999, 1000, 100000};
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_null(irc_numeric_find(unknown[i]));
    }
}

static void test_texts_and_parameters_are_well_formed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct irc_numeric_info *info = irc_numeric_find(numbers[i]);
        size_t words = info->params[0] != '\0';
        for (const char *at = info->params; *at != '\0'; at++) {
            assert_non_null(strchr("abcdefghijklmnopqrstuvwxyz_[]. ", *at));
            words += *at == ' ';
            assert_false(*at == ' ' && (at[1] == ' ' || at[1] == '\0'));
        }
        assert_true(words + 2 <= IRC_PARAMS_MAX);
        if (!info->text) {
            continue;
        }
        assert_true(strlen(info->text) > 0 && strlen(info->text) < 100);
        assert_true(text_is_clean(info->text, strlen(info->text)));
        bool is_open = false;
        for (const char *at = info->text; *at != '\0'; at++) {
            assert_int_equal(*at == '<' || *at == '>',
                             (*at == '<' && !is_open) || (*at == '>' && is_open));
            is_open = *at == '<' || (is_open && *at != '>');
        }
        assert_false(is_open);
    }
}

/* A reply without parameters between client and text. */
static void write_reply(struct irc_writer *writer, enum irc_numeric numeric, const char *client,
                        const struct irc_span *values, size_t count, struct irc_dump *dump)
{
    irc_writer_init(writer, 0);
    irc_numeric_start(writer, irc_span("irc.example.com"), numeric, irc_span(client));
    if (irc_numeric_find((int)numeric)->text) {
        irc_numeric_put_text(writer, numeric, values, count);
    }
    size_t len = irc_writer_end(writer);
    assert_true(len > 2);
    struct irc_message message;
    assert_int_equal(irc_message_parse(writer->bytes, len - 2, &message), IRC_MESSAGE_OK);
    irc_dump_message(dump, IRC_MESSAGE_OK, &message);
}

static void test_replies_are_written_with_client_and_text(void **state)
{
    (void)state;
    struct irc_writer writer;
    struct irc_dump dump;
    write_reply(&writer, IRC_ERR_NOTREGISTERED, "", NULL, 0, &dump);
    assert_string_equal(dump.text, ":{irc.example.com} 451 [*][You have not registered]");
    const struct irc_span welcome[] = {irc_span("Example"), irc_span("dan")};
    write_reply(&writer, IRC_RPL_WELCOME, "dan", welcome, 2, &dump);
    assert_string_equal(dump.text,
                        ":{irc.example.com} 001 [dan][Welcome to the Example Network, dan]");
    write_reply(&writer, IRC_RPL_WELCOME, "dan", welcome, 1, &dump);
    assert_string_equal(dump.text,
                        ":{irc.example.com} 001 [dan][Welcome to the Example Network, ]");
    write_reply(&writer, IRC_RPL_WELCOME, "dan", NULL, 0, &dump);
    assert_string_equal(dump.text, ":{irc.example.com} 001 [dan][Welcome to the  Network, ]");
    const struct irc_span topic = {"a\r\nQUIT\0<b> %s", 14};
    write_reply(&writer, IRC_RPL_TOPIC, "dan", &topic, 1, &dump);
    assert_string_equal(dump.text, ":{irc.example.com} 332 [dan][a  QUIT <b> %s]");
    for (size_t i = 0; i < COUNT(numbers); i++) {
        write_reply(&writer, (enum irc_numeric)numbers[i], "dan", NULL, 0, &dump);
        assert_int_equal(atoi(dump.text + strlen(":{irc.example.com} ")), numbers[i]);
    }
}

static void test_long_values_are_cut_between_characters(void **state)
{
    (void)state;
    char text[2000];
    for (size_t lead = 0; lead < 4; lead++) {
        memset(text, 'a', lead);
        for (size_t i = lead; i + 4 <= sizeof(text); i += 4) {
            memcpy(text + i, "\xf0\x9f\x98\x80", 4);
        }
        struct irc_span values[] = {{text, lead + 1996 - lead % 4}, irc_span("never")};
        struct irc_writer writer;
        irc_writer_init(&writer, 0);
        irc_numeric_start(&writer, irc_span("s"), IRC_RPL_LUSERME, irc_span("c"));
        irc_numeric_put_text(&writer, IRC_RPL_LUSERME, values, 2);
        size_t len = irc_writer_end(&writer);
        assert_true(len > 508 && len <= 512);
        assert_true(writer.is_cut);
        assert_true(text_is_utf8(writer.bytes, len));
    }
}

#define CODE_OF(code, text) #code,
static const char *const codes[] = {IRC_STANDARD_CODES(CODE_OF)};

static void test_standard_replies_name_command_code_and_context(void **state)
{
    (void)state;
    assert_int_equal(COUNT(codes), IRC_STANDARD_COUNT);
    static const char *const verbs[] = {"FAIL", "WARN", "NOTE"};
    for (size_t i = 0; i < COUNT(codes); i++) {
        enum irc_standard code = (enum irc_standard)i;
        assert_string_equal(irc_standard_code(code), codes[i]);
        assert_true(i == 0 || strcmp(codes[i], codes[i - 1]) > 0);
        assert_true(text_is_clean(irc_standard_text(code), strlen(irc_standard_text(code))));
        struct irc_writer writer;
        irc_writer_init(&writer, 0);
        irc_standard_start(&writer, irc_span("s"), (enum irc_standard_verb)(i % 3),
                           i % 2 ? irc_span("REDACT") : (struct irc_span){0}, code);
        irc_writer_put_param(&writer, irc_span("#chan"));
        irc_writer_put_text(&writer, irc_span(irc_standard_text(code)));
        size_t len = irc_writer_end(&writer);
        struct irc_message message;
        assert_int_equal(irc_message_parse(writer.bytes, len - 2, &message), IRC_MESSAGE_OK);
        assert_true(irc_span_is(message.command, verbs[i % 3]));
        assert_true(irc_span_is(message.params[0], i % 2 ? "REDACT" : "*"));
        assert_true(irc_span_is(message.params[1], codes[i]));
        assert_true(irc_span_is(message.params[3], irc_standard_text(code)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_and_names_are_unique_and_in_order),
        cmocka_unit_test(test_texts_and_parameters_are_well_formed),
        cmocka_unit_test(test_replies_are_written_with_client_and_text),
        cmocka_unit_test(test_long_values_are_cut_between_characters),
        cmocka_unit_test(test_standard_replies_name_command_code_and_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
