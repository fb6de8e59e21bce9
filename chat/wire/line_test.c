/* SPDX-License-Identifier: MIT */
#include "wire/line.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/fuzz/line_transcript.h"

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal)  literal, sizeof(literal) - 1

#define TABLE_MAX_BYTES 16
#define RANDOM_SPLITS   50

/* Telnet commands, spelled so that they can stand in a literal. */
#define IAC  "\xff"
#define DONT "\xfe"
#define DO   "\xfd"
#define WONT "\xfc"
#define WILL "\xfb"
#define SB   "\xfa"
#define GA   "\xf9"
#define EL   "\xf8"
#define EC   "\xf7"
#define AYT  "\xf6"
#define AO   "\xf5"
#define IP   "\xf4"
#define BRK  "\xf3"
#define DM   "\xf2"
#define NOP  "\xf1"
#define SE   "\xf0"

struct row {
    const char *input;
    size_t len;
    const char *expected;
};

/* Every row is decoded with room for TABLE_MAX_BYTES and then ended. */
static const struct row rows[] = {
    {BYTES(""), ""},
    {BYTES("hello\n"), "line \"hello\"\n"},
    {BYTES("a\r\nb\n"), "line \"a\"\nline \"b\"\n"},
    {BYTES("a\r\0b\n"), "line \"a\"\nline \"b\"\n"},
    {BYTES("a\rb\r"), "line \"a\"\nline \"b\"\n"},
    {BYTES("no end"), "line \"no end\"\n"},
    {BYTES("\n"), "line \"\"\n"},
    {BYTES("\r\n"), "line \"\"\n"},
    {BYTES("\n\n\r\n\r\r\0\n"),
     "line \"\"\nline \"\"\nline \"\"\nline \"\"\nline \"\"\nline \"\"\n"},
    {BYTES("\n\r"), "line \"\"\nline \"\"\n"},
    {BYTES("a\r\n\0\n"), "line \"a\"\nline \"\\00\"\n"},
    {BYTES("a\0b\n\0"), "line \"a\\00b\"\nline \"\\00\"\n"},
    /* UTF-8 */
    {BYTES("\xc3\xa9\n"), "line \"\\c3\\a9\"\n"},
    {BYTES("caf\xe9\nok\n"), "not-utf8\nline \"ok\"\n"},
    {BYTES("\xe6\xbc\nok"), "not-utf8\nline \"ok\"\n"},
    {BYTES("\xe6\xbc"), "not-utf8\n"},
    {BYTES("\xe6" IAC NOP "\xbc" IAC GA "\xa2\n"), "line \"\\e6\\bc\\a2\"\n"},
    /* commands between the bytes of an end, and at the end of all */
    {BYTES("a\r" IAC NOP "\nb\n"), "line \"a\"\nline \"b\"\n"},
    {BYTES("a\r" IAC WILL "\x01\nb\n"), "line \"a\"\nanswer ff fe 01\nline \"b\"\n"},
    {BYTES("a\r" IAC EC "\nb\n"), "line \"a\"\nline \"b\"\n"},
    {BYTES("a\r" IAC SB "\x01\n" IAC SE "\0b\n"), "line \"a\"\nline \"b\"\n"},
    {BYTES("a\r" IAC IAC "\nb\n"), "line \"a\"\nnot-utf8\nline \"b\"\n"},
    {BYTES("a\n" IAC), "line \"a\"\n"},
    {BYTES("a\n" IAC WILL), "line \"a\"\n"},
    {BYTES("ab" IAC), "line \"ab\"\n"},
    /* commands that ask for nothing */
    {BYTES("a" IAC NOP IAC DM IAC GA IAC AO IAC SE "b\n"), "line \"ab\"\n"},
    {BYTES("a" IAC "\xec" IAC "\xed" IAC "\xee" IAC "\xef"
           "b\n"),
     "line \"ab\"\n"},
    {BYTES("a" IAC IAC "b\nc\n"), "not-utf8\nline \"c\"\n"},
    /* no command at all: Latin-1 */
    {BYTES("hel\xff\nok\n"), "not-utf8\nline \"ok\"\n"},
    {BYTES("hel\xff\r\nok\n"), "not-utf8\nline \"ok\"\n"},
    {BYTES("\xff"
           "a\nok\n"),
     "not-utf8\nline \"ok\"\n"},
    /* are you there */
    {BYTES(IAC AYT), "ayt\n"},
    {BYTES("ab" IAC AYT "c\n" IAC AYT), "ayt\nline \"abc\"\nayt\n"},
    /* erase */
    {BYTES(IAC EC IAC EL "a\n"), "line \"a\"\n"},
    {BYTES("ab" IAC EC "\n"), "line \"a\"\n"},
    {BYTES("a" IAC EC IAC EC "\n"), "line \"\"\n"},
    {BYTES("a" IAC EC), ""},
    {BYTES("a\xc3\xa9" IAC EC "\n"), "line \"a\"\n"},
    {BYTES("a\xe6\xbc\xa2" IAC EC IAC EC "\n"), "line \"\"\n"},
    {BYTES("\xf0\x9f\x98\x80" IAC EC "x\n"), "line \"x\"\n"},
    {BYTES("x\xe6\xbc" IAC EC IAC EC "y\n"), "line \"xy\"\n"},
    {BYTES("secret" IAC EL "open\n"), "line \"open\"\n"},
    {BYTES("rm" IAC IP "ls\n"), "line \"ls\"\n"},
    {BYTES("rm" IAC BRK "ls\n"), "line \"ls\"\n"},
    {BYTES("a\nb" IAC EL "\n"), "line \"a\"\nline \"\"\n"},
    /* options */
    {BYTES(IAC WILL "\x01" IAC DO "\x03x\n"), "answer ff fe 01\nanswer ff fc 03\nline \"x\"\n"},
    {BYTES(IAC WONT "\x01" IAC DONT "\x03x\n"), "line \"x\"\n"},
    {BYTES(IAC DO "\x06"), "answer ff fc 06\n"},
    {BYTES(IAC WILL "\nx\n"), "answer ff fe 0a\nline \"x\"\n"},
    {BYTES(IAC WILL IAC "x\n"), "answer ff fe ff\nline \"x\"\n"},
    {BYTES("x" IAC DO "\r"
           "y\n"),
     "answer ff fc 0d\nline \"xy\"\n"},
    /* subnegotiations */
    {BYTES("a" IAC SB "\x18\0xterm\r\n" IAC SE "b\n"), "line \"ab\"\n"},
    {BYTES(IAC SB "\x18" IAC IAC SE "\n" IAC SE "b\n"), "line \"b\"\n"},
    {BYTES(IAC SB "\x18" IAC WILL "\x01\n" IAC NOP IAC SE "b\n"), "line \"b\"\n"},
    {BYTES(IAC SB IAC SE "b\n"), "line \"b\"\n"},
    {BYTES("a\n" IAC SB "\x1flost\nlost\n"), "line \"a\"\n"},
    {BYTES("a" IAC SB "\x1flost\nlost\n"), "line \"a\"\n"},
    /* length */
    {BYTES("123456789012345\n"), "line \"123456789012345\"\n"},
    {BYTES("1234567890123456\r\n"), "line \"1234567890123456\"\n"},
    {BYTES("12345678901234567\r\nok\n"), "long\nline \"ok\"\n"},
    {BYTES("12345678901234567"), "long\n"},
    {BYTES("1234567890123456"), "line \"1234567890123456\"\n"},
    {BYTES("12345678901234567890\rok\n"), "long\nline \"ok\"\n"},
    {BYTES("1234567890123456" IAC IAC "89\nok\n"), "long\nline \"ok\"\n"},
    {BYTES("1234567890123456\xff\nok\n"), "long\nline \"ok\"\n"},
    {BYTES("1234567890123456" IAC EC "x\n"), "line \"123456789012345x\"\n"},
    {BYTES("12345678901234567" IAC EC IAC EC "x\nok\n"), "long\nline \"ok\"\n"},
    {BYTES("12345678901234567" IAC IAC IAC AYT IAC WILL "\x01yz\nok\n"),
     "long\nayt\nanswer ff fe 01\nline \"ok\"\n"},
    {BYTES("12345678901234567" IAC EL "ok\n"), "long\nline \"ok\"\n"},
    {BYTES("12345678901234567" IAC EL "12345678901234567\n"), "long\nlong\n"},
    {BYTES("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\n"), "not-utf8\n"},
};

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 8;
}

/*
 * Feeds the bytes in pieces of 1 to piece bytes (whole when piece is 0), each from memory that ends
 * with it, again from where the decoder stopped, and ends the input.
 */
static void decode(const char *input, size_t len, uint32_t max_bytes, size_t piece, uint32_t *seed,
                   struct line_transcript *log)
{
    struct line_decoder decoder;
    line_decoder_init(&decoder, max_bytes);
    for (size_t at = 0; at < len;) {
        size_t want = piece == 0 ? len : 1 + next_random(seed) % piece;
        want = want < len - at ? want : len - at;
        uint8_t *chunk = malloc(want);
        assert_non_null(chunk);
        memcpy(chunk, input + at, want);
        size_t lines = log->lines;
        size_t taken = line_decoder_feed(&decoder, chunk, want, &transcript_sink, log);
        assert_true(taken <= want);
        assert_true(taken == want || (log->stop_each && log->lines == lines + 1));
        assert_true(!log->stop_each || log->lines <= lines + 1);
        assert_true(decoder.cap <= max_bytes);
        free(chunk);
        at += taken;
    }
    line_decoder_end(&decoder, &transcript_sink, log);
    assert_null(decoder.partial);
    line_decoder_finish(&decoder);
}

static void check(const char *input, size_t len, uint32_t max_bytes, size_t piece, bool stop_each,
                  uint32_t *seed, const char *expected)
{
    struct line_transcript log = {.stop_each = stop_each};
    decode(input, len, max_bytes, piece, seed, &log);
    assert_string_equal(transcript_text(&log), expected);
    transcript_finish(&log);
}

static void test_inputs_are_decoded_as_expected_when_fed_whole(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        check(rows[i].input, rows[i].len, TABLE_MAX_BYTES, 0, false, &seed, rows[i].expected);
    }
}

static void test_inputs_are_decoded_the_same_byte_by_byte(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        check(rows[i].input, rows[i].len, TABLE_MAX_BYTES, 1, false, &seed, rows[i].expected);
    }
}

static void test_inputs_are_decoded_the_same_at_random_splits(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t round = 0; round < RANDOM_SPLITS; round++) {
            check(rows[i].input, rows[i].len, TABLE_MAX_BYTES, 1 + round % 9, false, &seed,
                  rows[i].expected);
        }
    }
}

static void test_inputs_are_decoded_the_same_when_stopped_at_every_line(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t piece = 0; piece < 9; piece++) {
            check(rows[i].input, rows[i].len, TABLE_MAX_BYTES, piece, true, &seed,
                  rows[i].expected);
        }
    }
}

/* Bytes that mean something, in any order. */
static void test_random_bytes_are_decoded_the_same_however_split(void **state)
{
    (void)state;
    static const char likely[] = "ab\r\n\0\xff\xfb\xfd\xfa\xf0\xf7\xf8\xf6\xc3\xa9\xe6";
    uint32_t seed = 42;
    for (int round = 0; round < 400; round++) {
        char input[300];
        for (size_t i = 0; i < sizeof(input); i++) {
            input[i] = likely[next_random(&seed) % (sizeof(likely) - 1)];
        }
        uint32_t max_bytes = 1 + next_random(&seed) % 20;
        struct line_transcript whole = {0};
        decode(input, sizeof(input), max_bytes, 0, &seed, &whole);
        for (size_t piece = 1; piece < 12; piece++) {
            check(input, sizeof(input), max_bytes, piece, piece % 2 == 0, &seed,
                  transcript_text(&whole));
        }
        transcript_finish(&whole);
    }
}

static void test_every_option_is_refused_once_per_request(void **state)
{
    (void)state;
    static const uint8_t verbs[] = {251, 252, 253, 254};
    uint32_t seed = 1;
    for (unsigned option = 0; option < 256; option++) {
        for (size_t i = 0; i < COUNT(verbs); i++) {
            const uint8_t input[] = {255, verbs[i], (uint8_t)option, 'x', '\n'};
            char expected[64] = "line \"x\"\n";
            if (verbs[i] == 251 || verbs[i] == 253) {
                (void)snprintf(expected, sizeof(expected), "answer ff %s %02x\nline \"x\"\n",
                               verbs[i] == 251 ? "fe" : "fc", option);
            }
            for (size_t piece = 0; piece < 3; piece++) {
                check((const char *)input, sizeof(input), TABLE_MAX_BYTES, piece, false, &seed,
                      expected);
            }
        }
    }
}

/* Two decoders that hear each other's answers must fall silent: a refusal is not answered. */
static void test_answers_are_never_answered(void **state)
{
    (void)state;
    struct line_decoder decoder;
    line_decoder_init(&decoder, TABLE_MAX_BYTES);
    struct line_transcript log = {0};
    for (unsigned option = 0; option < 256; option++) {
        const uint8_t answers[] = {255, 254, (uint8_t)option, 255, 252, (uint8_t)option};
        (void)line_decoder_feed(&decoder, answers, sizeof(answers), &transcript_sink, &log);
    }
    assert_int_equal(log.len, 0);
    line_decoder_finish(&decoder);
}

static void test_long_subnegotiation_takes_no_memory_and_ends(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 511, 512, 513, 70000, 1000000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct line_decoder decoder;
        line_decoder_init(&decoder, TABLE_MAX_BYTES);
        struct line_transcript log = {0};
        uint8_t *body = malloc(sizes[i] + 1);
        assert_non_null(body);
        memset(body, '\n', sizes[i]);
        (void)line_decoder_feed(&decoder, (const uint8_t *)IAC SB "\x18", 3, &transcript_sink,
                                &log);
        assert_int_equal(line_decoder_feed(&decoder, body, sizes[i], &transcript_sink, &log),
                         sizes[i]);
        assert_null(decoder.partial);
        assert_true(decoder.sub_len <= LINE_SUB_MAX_BYTES);
        (void)line_decoder_feed(&decoder, (const uint8_t *)IAC SE "ok\n", 5, &transcript_sink,
                                &log);
        assert_string_equal(transcript_text(&log), "line \"ok\"\n");
        transcript_finish(&log);
        free(body);
        line_decoder_finish(&decoder);
    }
}

static void test_lines_up_to_the_limit_pass_and_longer_ones_do_not(void **state)
{
    (void)state;
    static const uint32_t limits[] = {1, 2, 63, 64, 65, 510, 4096};
    uint32_t seed = 3;
    for (size_t i = 0; i < COUNT(limits); i++) {
        uint32_t max = limits[i];
        const size_t sizes[] = {0, max - 1, max, max + 1, 4096, 5000};
        for (size_t j = 0; j < COUNT(sizes); j++) {
            char *input = malloc(sizes[j] + 4);
            char *expected = malloc(sizes[j] + 32);
            assert_non_null(input);
            assert_non_null(expected);
            memset(input, 'x', sizes[j]);
            memcpy(input + sizes[j], "\r\ny\n", 4);
            static const char next[] = "line \"y\"\n";
            if (sizes[j] > max) {
                (void)snprintf(expected, sizes[j] + 32, "long\n%s", next);
            } else {
                (void)snprintf(expected, sizes[j] + 32, "line \"%.*s\"\n%s", (int)sizes[j], input,
                               next);
            }
            const size_t pieces[] = {0, 1, 7, 1000};
            for (size_t k = 0; k < COUNT(pieces); k++) {
                check(input, sizes[j] + 4, max, pieces[k], k % 2 == 0, &seed, expected);
            }
            free(expected);
            free(input);
        }
    }
}

static void test_endless_line_is_told_once_and_takes_bounded_memory(void **state)
{
    (void)state;
    enum { chunk_bytes = 65536, chunks = 1600 }; /* 100 MiB */
    uint8_t *chunk = malloc(chunk_bytes);
    assert_non_null(chunk);
    memset(chunk, 'x', chunk_bytes);
    struct line_decoder decoder;
    line_decoder_init(&decoder, 4096);
    struct line_transcript log = {0};
    transcript_puts(&log, "");
    size_t before = mallinfo2().uordblks;
    for (int i = 0; i < chunks; i++) {
        /* The first piece is held: the limit is met while a partial line exists. */
        size_t len = i == 0 ? 4096 : chunk_bytes;
        assert_int_equal(line_decoder_feed(&decoder, chunk, len, &transcript_sink, &log), len);
        assert_true(decoder.cap <= 4096);
        assert_true(mallinfo2().uordblks <= before + 8192);
    }
    assert_null(decoder.partial);
    assert_string_equal(transcript_text(&log), "long\n");
    (void)line_decoder_feed(&decoder, (const uint8_t *)"\nok\n", 4, &transcript_sink, &log);
    assert_string_equal(transcript_text(&log), "long\nline \"ok\"\n");
    transcript_finish(&log);
    line_decoder_finish(&decoder);
    free(chunk);
}

struct borrow {
    const uint8_t *from, *to;
    size_t inside, lines;
};

static bool note_borrow(enum line_fault fault, const char *line, size_t len, void *user)
{
    struct borrow *borrow = user;
    const uint8_t *start = (const uint8_t *)line;
    assert_int_equal(fault, LINE_OK);
    borrow->inside += start >= borrow->from && start + len <= borrow->to;
    borrow->lines++;
    return true;
}

static void test_whole_lines_are_borrowed_from_the_input(void **state)
{
    (void)state;
    static const uint8_t input[] = "one\r\n\ntwo\n" IAC NOP "three\nfo" IAC NOP "ur\nrest";
    const struct line_sink sink = {.on_line = note_borrow};
    struct borrow borrow = {.from = input, .to = input + sizeof(input)};
    struct line_decoder decoder;
    line_decoder_init(&decoder, 512);
    (void)line_decoder_feed(&decoder, input, sizeof(input) - 1, &sink, &borrow);
    assert_int_equal(borrow.lines, 5);
    assert_int_equal(borrow.inside, 4);
    assert_non_null(decoder.partial);
    (void)line_decoder_feed(&decoder, (const uint8_t *)"\n", 1, &sink, &borrow);
    assert_int_equal(borrow.lines, 6);
    assert_null(decoder.partial);
    line_decoder_finish(&decoder);
}

static void test_stop_leaves_the_rest_untouched(void **state)
{
    (void)state;
    static const uint8_t input[] = "one\r\ntwo\nthree" IAC WILL "\x01\n12345678901234567890\nok\n";
    static const char *const after[] = {
        "line \"one\"\n", "line \"two\"\n", "answer ff fe 01\nline \"three\"\n",
        "long\n",         "line \"ok\"\n",
    };
    static const size_t taken[] = {4, 9, 18, 35, 42};
    struct line_decoder decoder;
    line_decoder_init(&decoder, TABLE_MAX_BYTES);
    size_t at = 0;
    for (size_t i = 0; i < COUNT(after); i++) {
        struct line_transcript log = {.stop_each = true};
        at +=
            line_decoder_feed(&decoder, input + at, sizeof(input) - 1 - at, &transcript_sink, &log);
        assert_string_equal(transcript_text(&log), after[i]);
        assert_int_equal(at, taken[i]);
        transcript_finish(&log);
    }
    assert_int_equal(at, sizeof(input) - 1);
    line_decoder_finish(&decoder);
}

/* A session that ends at a line frees its decoder there and then. */
static bool free_decoder(enum line_fault fault, const char *line, size_t len, void *user)
{
    struct line_decoder **decoder = user;
    assert_int_equal(fault, LINE_OK);
    line_decoder_finish(*decoder);
    free(*decoder);
    *decoder = NULL;
    assert_int_equal(len, 4);
    assert_memory_equal(line, "quit", 4);
    return false;
}

static void test_decoder_may_be_freed_by_the_line_that_stops_it(void **state)
{
    (void)state;
    static const struct line_sink sink = {.on_line = free_decoder};
    static const char *const inputs[] = {"quit\nmore\n", "qu" IAC NOP "it\r\nmore\n"};
    for (size_t i = 0; i < COUNT(inputs); i++) {
        struct line_decoder *decoder = malloc(sizeof(*decoder));
        assert_non_null(decoder);
        line_decoder_init(decoder, TABLE_MAX_BYTES);
        size_t taken = line_decoder_feed(decoder, (const uint8_t *)inputs[i], strlen(inputs[i]),
                                         &sink, &decoder);
        assert_null(decoder);
        assert_int_equal(taken, i == 0 ? 5 : 7);
    }
}

static void test_finish_accepts_a_zeroed_decoder_and_frees_a_partial_line(void **state)
{
    (void)state;
    struct line_decoder decoder = {0};
    line_decoder_finish(&decoder);
    line_decoder_init(&decoder, 512);
    struct line_transcript log = {0};
    (void)line_decoder_feed(&decoder, (const uint8_t *)"half", 4, &transcript_sink, &log);
    assert_non_null(decoder.partial);
    line_decoder_finish(&decoder);
    assert_null(decoder.partial);
    assert_int_equal(log.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inputs_are_decoded_as_expected_when_fed_whole),
        cmocka_unit_test(test_inputs_are_decoded_the_same_byte_by_byte),
        cmocka_unit_test(test_inputs_are_decoded_the_same_at_random_splits),
        cmocka_unit_test(test_inputs_are_decoded_the_same_when_stopped_at_every_line),
        cmocka_unit_test(test_random_bytes_are_decoded_the_same_however_split),
        cmocka_unit_test(test_every_option_is_refused_once_per_request),
        cmocka_unit_test(test_answers_are_never_answered),
        cmocka_unit_test(test_long_subnegotiation_takes_no_memory_and_ends),
        cmocka_unit_test(test_lines_up_to_the_limit_pass_and_longer_ones_do_not),
        cmocka_unit_test(test_endless_line_is_told_once_and_takes_bounded_memory),
        cmocka_unit_test(test_whole_lines_are_borrowed_from_the_input),
        cmocka_unit_test(test_stop_leaves_the_rest_untouched),
        cmocka_unit_test(test_decoder_may_be_freed_by_the_line_that_stops_it),
        cmocka_unit_test(test_finish_accepts_a_zeroed_decoder_and_frees_a_partial_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
