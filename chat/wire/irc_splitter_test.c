/* SPDX-License-Identifier: MIT */
#include "wire/irc_splitter.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wire/irc_test_util.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define BYTES(literal) literal, sizeof(literal) - 1

/* Limits of the table: ten bytes of a line, eight of tags with '@' and space. */
#define TABLE_BODY_BYTES 12
#define TABLE_TAGS_BYTES 8

/* What was told: each line in quotation marks, "long" and its tags for one that is too
   long. */
struct log {
    struct irc_dump dump;
    size_t lines;
    bool stop_each;
};

static bool log_line(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    struct log *log = user;
    log->lines++;
    if (fault == IRC_LINE_OK) {
        assert_true(len > 0);
        irc_dump_part(&log->dump, "\"", (struct irc_span){line, len}, "\"");
    } else {
        irc_dump_part(&log->dump, " long", (struct irc_span){line, len}, " ");
    }
    return !log->stop_each;
}

struct row {
    const char *input;
    size_t len;
    const char *expected;
};

static const struct row rows[] = {
    {BYTES("PING a\r\n"), "\"PING a\""},
    {BYTES("A\r\nB\r\n"), "\"A\"\"B\""},
    {BYTES("A\nB\n"), "\"A\"\"B\""},
    {BYTES("A\rB\r"), "\"A\"\"B\""},
    {BYTES("A\n\rB\n\r"), "\"A\"\"B\""},
    {BYTES("A\r\r\nB\n"), "\"A\"\"B\""},
    {BYTES("A\r\n\nB\n"), "\"A\"\"B\""},
    {BYTES("\r\n\r\n\n\r\r"), ""},
    {BYTES(""), ""},
    {BYTES("A"), ""},
    {BYTES("A\nB"), "\"A\""},
    {BYTES(" \n"), "\" \""},
    {BYTES("A\0B\n"), "\"A\\00B\""},
    {BYTES("\0\n"), "\"\\00\""},
    {BYTES("\xff\xfb\x01\n"), "\"\\ff\\fb\\01\""},
    /* length of the rest */
    {BYTES("123456789\n"), "\"123456789\""},
    {BYTES("1234567890\r\n"), "\"1234567890\""},
    {BYTES("1234567890\n"), "\"1234567890\""},
    {BYTES("1234567890\r"), "\"1234567890\""},
    {BYTES("1234567890"), ""},
    {BYTES("12345678901"), " long "},
    {BYTES("12345678901\r\nOK\n"), " long \"OK\""},
    {BYTES("12345678901\rOK\n"), " long \"OK\""},
    {BYTES("12345678901234567890123456789\nOK\n"), " long \"OK\""},
    {BYTES("12345678901\n12345678901\nOK\n"), " long  long \"OK\""},
    {BYTES("12345678901@a b\nOK\n"), " long \"OK\""},
    /* tags */
    {BYTES("@a B\n"), "\"@a B\""},
    {BYTES("@23456 B\n"), "\"@23456 B\""},
    {BYTES("@234567 B\n"), "\"@234567 B\""},
    {BYTES("@2345678 B\nOK\n"), " long@ \"OK\""},
    {BYTES("@2345678"), " long@ "},
    {BYTES("@234567"), ""},
    {BYTES("@234567\n"), "\"@234567\""},
    {BYTES("@234567 1234567890\n"), "\"@234567 1234567890\""},
    {BYTES("@234567 12345678901\nOK\n"), " long@234567  \"OK\""},
    {BYTES("@a 1234567890\n"), "\"@a 1234567890\""},
    {BYTES("@a 12345678901\nOK\n"), " long@a  \"OK\""},
    {BYTES("@a          B\n"), "\"@a          B\""},
    {BYTES("@a           B\nOK\n"), " long@a  \"OK\""},
    {BYTES("@ 1234567890\n"), "\"@ 1234567890\""},
    {BYTES("@\n"), "\"@\""},
    {BYTES(" @a 456789\n"), "\" @a 456789\""},
    {BYTES(" @a 4567890\nOK\n"), " long \"OK\""},
    {BYTES("@a 1\n@2345678\n@b 2\n"), "\"@a 1\" long@ \"@b 2\""},
    {BYTES("@a 1\n1234567890\n"), "\"@a 1\"\"1234567890\""},
    {BYTES("@a 1\n12345678901\n"), "\"@a 1\" long "},
};

/* Feeds pieces of 1 to piece bytes, whole when 0, each from memory that ends with it. */
static void split(const char *input, size_t len, size_t piece, uint32_t *seed, struct log *log)
{
    struct irc_splitter splitter;
    irc_splitter_init(&splitter, TABLE_BODY_BYTES, TABLE_TAGS_BYTES);
    for (size_t at = 0; at < len;) {
        size_t want = piece == 0 ? len : 1 + irc_test_random(seed) % piece;
        want = want < len - at ? want : len - at;
        char *chunk = irc_test_copy(input + at, want);
        size_t lines = log->lines;
        size_t taken = irc_splitter_feed(&splitter, (const uint8_t *)chunk, want, log_line, log);
        assert_true(taken == want || (log->stop_each && log->lines == lines + 1));
        assert_true(!log->stop_each || log->lines <= lines + 1);
        assert_true((splitter.partial == NULL) == (splitter.len == 0));
        assert_true(splitter.cap <= TABLE_BODY_BYTES + TABLE_TAGS_BYTES);
        free(chunk);
        at += taken;
    }
    irc_splitter_finish(&splitter);
}

static void check_rows(size_t piece, bool stop_each)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct log log = {.stop_each = stop_each};
        split(rows[i].input, rows[i].len, piece, &seed, &log);
        assert_string_equal(log.dump.text, rows[i].expected);
    }
}

static void test_input_is_split_as_expected_whole_and_byte_by_byte(void **state)
{
    (void)state;
    check_rows(0, false);
    check_rows(1, false);
}

static void test_input_is_split_the_same_at_random_splits(void **state)
{
    (void)state;
    for (size_t piece = 2; piece < 30; piece++) {
        check_rows(piece, false);
    }
}

static void test_input_is_split_the_same_when_stopped_at_every_line(void **state)
{
    (void)state;
    for (size_t piece = 0; piece < 9; piece++) {
        check_rows(piece, true);
    }
}

static void test_random_bytes_are_split_the_same_however_fed(void **state)
{
    (void)state;
    static const char likely[] = "ab  \r\n\0@@;";
    uint32_t seed = 42;
    for (int round = 0; round < 500; round++) {
        char input[200];
        for (size_t i = 0; i < sizeof(input); i++) {
            input[i] = likely[irc_test_random(&seed) % (sizeof(likely) - 1)];
        }
        struct log whole = {0};
        split(input, sizeof(input), 0, &seed, &whole);
        for (size_t piece = 1; piece < 12; piece++) {
            struct log log = {.stop_each = piece % 2 == 0};
            split(input, sizeof(input), piece, &seed, &log);
            assert_string_equal(log.dump.text, whole.dump.text);
        }
    }
}

struct size_log {
    size_t lines, too_long, last_len;
};

static bool log_size(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    (void)line;
    struct size_log *log = user;
    log->lines += fault == IRC_LINE_OK;
    log->too_long += fault == IRC_LINE_TOO_LONG;
    log->last_len = len;
    return true;
}

/* A message of tags with tag_data bytes between '@' and space (none when 0) and a rest of body. */
static struct size_log split_sized(size_t tag_data, size_t body, size_t max_tags, size_t piece)
{
    char *input = malloc(tag_data + body + 4);
    assert_non_null(input);
    size_t len = 0;
    if (tag_data > 0) {
        input[len++] = '@';
        memset(input + len, 'a', tag_data);
        len += tag_data;
        input[len++] = ' ';
    }
    memset(input + len, 'x', body);
    len += body;
    memcpy(input + len, "\r\n", 2);
    len += 2;
    struct size_log log = {0};
    struct irc_splitter splitter;
    irc_splitter_init(&splitter, IRC_BODY_MAX_BYTES, max_tags);
    for (size_t at = 0; at < len; at += piece) {
        size_t want = piece < len - at ? piece : len - at;
        assert_int_equal(
            irc_splitter_feed(&splitter, (const uint8_t *)input + at, want, log_size, &log), want);
    }
    irc_splitter_finish(&splitter);
    free(input);
    return log;
}

static void test_limits_are_those_of_the_specifications(void **state)
{
    (void)state;
    static const struct {
        size_t tag_data, body, max_tags, lines;
    } sizes[] = {
        {0, 510, IRC_CLIENT_TAGS_MAX_BYTES, 1},
        {0, 511, IRC_CLIENT_TAGS_MAX_BYTES, 0},
        {4094, 510, IRC_CLIENT_TAGS_MAX_BYTES, 1},
        {4094, 511, IRC_CLIENT_TAGS_MAX_BYTES, 0},
        {4095, 10, IRC_CLIENT_TAGS_MAX_BYTES, 0},
        {8189, 510, IRC_TAGS_MAX_BYTES, 1},
        {8190, 10, IRC_TAGS_MAX_BYTES, 0},
        {8189, 511, IRC_TAGS_MAX_BYTES, 0},
        {100, 408, 0, 1},
        {100, 409, 0, 0},
    };
    static const size_t pieces[] = {1, 7, 100, 510, 512, 4096, 100000};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        for (size_t j = 0; j < COUNT(pieces); j++) {
            struct size_log log =
                split_sized(sizes[i].tag_data, sizes[i].body, sizes[i].max_tags, pieces[j]);
            assert_int_equal(log.lines, sizes[i].lines);
            assert_int_equal(log.too_long, 1 - sizes[i].lines);
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
    for (int tagged = 0; tagged < 2; tagged++) {
        chunk[0] = tagged ? '@' : 'x';
        struct irc_splitter splitter;
        irc_splitter_init(&splitter, IRC_BODY_MAX_BYTES, IRC_CLIENT_TAGS_MAX_BYTES);
        struct size_log log = {0};
        size_t before = mallinfo2().uordblks;
        for (int i = 0; i < chunks; i++) {
            size_t len = i == 0 ? 510 : chunk_bytes;
            assert_int_equal(irc_splitter_feed(&splitter, chunk, len, log_size, &log), len);
            assert_true(mallinfo2().uordblks <= before + 8192);
        }
        assert_null(splitter.partial);
        assert_int_equal(log.too_long, 1);
        (void)irc_splitter_feed(&splitter, (const uint8_t *)"\nok\n", 4, log_size, &log);
        assert_int_equal(log.lines, 1);
        assert_int_equal(log.last_len, 2);
        irc_splitter_finish(&splitter);
    }
    free(chunk);
}

struct borrow {
    const uint8_t *from, *to;
    size_t inside, lines;
};

static bool note_borrow(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    struct borrow *borrow = user;
    const uint8_t *start = (const uint8_t *)line;
    assert_int_equal(fault, IRC_LINE_OK);
    borrow->inside += start >= borrow->from && start + len <= borrow->to;
    borrow->lines++;
    return true;
}

static void test_whole_lines_are_borrowed_from_the_input(void **state)
{
    (void)state;
    static const uint8_t input[] = "one\r\n\ntwo\nthr";
    struct borrow borrow = {.from = input, .to = input + sizeof(input)};
    struct irc_splitter splitter;
    irc_splitter_init(&splitter, IRC_BODY_MAX_BYTES, 0);
    (void)irc_splitter_feed(&splitter, input, sizeof(input) - 1, note_borrow, &borrow);
    assert_int_equal(borrow.lines, 2);
    assert_int_equal(borrow.inside, 2);
    assert_non_null(splitter.partial);
    (void)irc_splitter_feed(&splitter, (const uint8_t *)"ee\n", 3, note_borrow, &borrow);
    assert_int_equal(borrow.lines, 3);
    assert_int_equal(borrow.inside, 2);
    assert_null(splitter.partial);
    irc_splitter_finish(&splitter);
}

/* A session that ends at a line frees its splitter there and then. */
static bool free_splitter(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    struct irc_splitter **splitter = user;
    assert_int_equal(fault, IRC_LINE_OK);
    irc_splitter_finish(*splitter);
    free(*splitter);
    *splitter = NULL;
    assert_int_equal(len, 4);
    assert_memory_equal(line, "QUIT", 4);
    return false;
}

static void test_splitter_may_be_freed_by_the_line_that_stops_it(void **state)
{
    (void)state;
    for (int held = 0; held < 2; held++) {
        struct irc_splitter *splitter = malloc(sizeof(*splitter));
        assert_non_null(splitter);
        irc_splitter_init(splitter, IRC_BODY_MAX_BYTES, 0);
        const uint8_t *input = (const uint8_t *)"QUIT\r\nMORE\r\n";
        if (held) {
            assert_int_equal(irc_splitter_feed(splitter, input, 2, free_splitter, &splitter), 2);
        }
        size_t at = held ? 2 : 0;
        size_t taken = irc_splitter_feed(splitter, input + at, 12 - at, free_splitter, &splitter);
        assert_null(splitter);
        assert_int_equal(at + taken, 5);
    }
}

static void test_finish_accepts_a_zeroed_splitter_and_frees_a_partial_line(void **state)
{
    (void)state;
    struct irc_splitter splitter = {0};
    irc_splitter_finish(&splitter);
    irc_splitter_init(&splitter, IRC_BODY_MAX_BYTES, 0);
    struct size_log log = {0};
    (void)irc_splitter_feed(&splitter, (const uint8_t *)"half", 4, log_size, &log);
    assert_non_null(splitter.partial);
    irc_splitter_finish(&splitter);
    assert_null(splitter.partial);
    assert_int_equal(log.lines, 0);
}

/* However the lines come in, the longest of them is known by how much was skipped. */
static void test_what_is_skipped_of_the_longest_line_is_counted(void **state)
{
    (void)state;
    static const char input[] = "aaaaaaaaaaaaaaaaaaaa\r\nb\r\ncccccccccccccc\r\n";
    for (size_t piece = 1; piece < sizeof(input); piece++) {
        struct size_log log = {0};
        struct irc_splitter splitter;
        irc_splitter_init(&splitter, TABLE_BODY_BYTES, 0);
        for (size_t at = 0; at < sizeof(input) - 1; at += piece) {
            size_t left = sizeof(input) - 1 - at;
            (void)irc_splitter_feed(&splitter, (const uint8_t *)input + at,
                                    piece < left ? piece : left, log_size, &log);
        }
        assert_int_equal(log.too_long, 2);
        assert_int_equal(splitter.skipped, 20 - (TABLE_BODY_BYTES - 2));
        irc_splitter_finish(&splitter);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input_is_split_as_expected_whole_and_byte_by_byte),
        cmocka_unit_test(test_input_is_split_the_same_at_random_splits),
        cmocka_unit_test(test_input_is_split_the_same_when_stopped_at_every_line),
        cmocka_unit_test(test_random_bytes_are_split_the_same_however_fed),
        cmocka_unit_test(test_limits_are_those_of_the_specifications),
        cmocka_unit_test(test_endless_line_is_told_once_and_takes_bounded_memory),
        cmocka_unit_test(test_whole_lines_are_borrowed_from_the_input),
        cmocka_unit_test(test_splitter_may_be_freed_by_the_line_that_stops_it),
        cmocka_unit_test(test_finish_accepts_a_zeroed_splitter_and_frees_a_partial_line),
        cmocka_unit_test(test_what_is_skipped_of_the_longest_line_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
