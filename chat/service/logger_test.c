/* SPDX-License-Identifier: MIT */
#include "service/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SECOND 1000000000LL

/* A clock that stands still until it is moved, and the lines the sink was given. */
struct bench {
    struct logger *logger;
    int64_t steady_ns;
    char lines[65536];
    unsigned count;
};

static void bench_clock(int64_t *ret_wall_ns, int64_t *ret_steady_ns, void *user)
{
    const struct bench *bench = user;

    *ret_wall_ns = 1795433467 * SECOND + 123456789;
    *ret_steady_ns = bench->steady_ns;
}

static void bench_sink(enum party_log_level level, const char *line, size_t len, void *user)
{
    struct bench *bench = user;
    size_t used = strlen(bench->lines);

    (void)level;
    assert_int_equal(strlen(line), len);
    (void)snprintf(bench->lines + used, sizeof bench->lines - used, "%s\n", line);
    bench->count++;
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    bench->logger = logger_create(LOGGER_STDERR, PARTY_LOG_INFO);
    logger_set_clock(bench->logger, bench_clock, bench);
    logger_set_sink(bench->logger, bench_sink, bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    logger_destroy(bench->logger);
    free(bench);
    return 0;
}

static void test_line_has_time_level_connection_and_text(void **state)
{
    struct bench *b = *state;

    logger_write(b->logger, PARTY_LOG_INFO, 42, "%s entered", "alice");
    logger_write(b->logger, PARTY_LOG_ERROR, 0, "no room");
    logger_write(b->logger, PARTY_LOG_WARNING, UINT64_MAX, "%d%%", 5);
    assert_string_equal(b->lines,
                        "2026-11-23T12:31:07.123+01:00 info [42] alice entered\n"
                        "2026-11-23T12:31:07.123+01:00 error no room\n"
                        "2026-11-23T12:31:07.123+01:00 warning [18446744073709551615] 5%\n");
}

static void test_levels_below_the_chosen_one_are_silent(void **state)
{
    struct bench *b = *state;

    logger_write(b->logger, PARTY_LOG_DEBUG, 0, "a");
    assert_int_equal(b->count, 0);
    assert_false(logger_is_on(b->logger, PARTY_LOG_DEBUG));
    logger_set(b->logger, LOGGER_STDERR, PARTY_LOG_DEBUG);
    assert_true(logger_is_on(b->logger, PARTY_LOG_DEBUG));
    logger_write(b->logger, PARTY_LOG_DEBUG, 0, "b");
    assert_int_equal(b->count, 1);
    logger_set(b->logger, LOGGER_STDERR, PARTY_LOG_ERROR);
    logger_write(b->logger, PARTY_LOG_WARNING, 0, "c");
    assert_int_equal(b->count, 1);
    logger_write(NULL, PARTY_LOG_ERROR, 0, "d");
    assert_false(logger_is_on(NULL, PARTY_LOG_ERROR));
}

static void assert_escaped(struct bench *b, const char *text, const char *want)
{
    b->lines[0] = '\0';
    logger_write(b->logger, PARTY_LOG_INFO, 0, "%s", text);
    assert_string_equal(b->lines + strlen("2026-11-23T12:31:07.123+01:00 info "), want);
}

static void test_what_could_act_on_a_terminal_is_escaped(void **state)
{
    struct bench *b = *state;

    assert_escaped(b, "a\nb\r\tc", "a\\x0ab\\x0d\\x09c\n");
    assert_escaped(b, "\x1b[31m\x7f", "\\x1b[31m\\x7f\n");
    assert_escaped(b, "\xc2\x9b", "\\xc2\\x9b\n");
    assert_escaped(b, "\xe2\x80\xae", "\\xe2\\x80\\xae\n");
    assert_escaped(b, "caf\xe9 \xc3", "caf\\xe9 \\xc3\n");
    assert_escaped(b, "\xf0\x9f", "\\xf0\\x9f\n");
    assert_escaped(b, "\xc3\xa9 \xe6\xac\xa2 \xf0\x9f\x8e\x89",
                   "\xc3\xa9 \xe6\xac\xa2 \xf0\x9f\x8e\x89\n");
    assert_escaped(b, "back\\slash", "back\\slash\n");
}

static void test_long_text_is_cut_with_dots(void **state)
{
    struct bench *b = *state;
    char text[5000];

    memset(text, 'a', sizeof text);
    text[LOGGER_TEXT_MAX_BYTES - 3] = '\0';
    logger_write(b->logger, PARTY_LOG_INFO, 0, "%s", text);
    assert_null(strstr(b->lines, "..."));
    b->lines[0] = '\0';
    memset(text, '\x01', sizeof text);
    text[sizeof text - 1] = '\0';
    logger_write(b->logger, PARTY_LOG_INFO, UINT64_MAX, "%s", text);
    assert_non_null(strstr(b->lines, "\\x01...\n"));
    assert_in_range(strlen(b->lines), LOGGER_TEXT_MAX_BYTES, LOGGER_TEXT_MAX_BYTES + 128);
}

static void test_lines_beyond_the_rate_are_counted_and_told_later(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < LOGGER_LINES_PER_SECOND + 7; i++) {
        logger_write(b->logger, PARTY_LOG_INFO, 0, "line");
    }
    assert_int_equal(b->count, LOGGER_LINES_PER_SECOND);
    b->steady_ns += SECOND - 1;
    logger_write(b->logger, PARTY_LOG_INFO, 0, "line");
    assert_int_equal(b->count, LOGGER_LINES_PER_SECOND);
    b->steady_ns += 1;
    b->lines[0] = '\0';
    logger_write(b->logger, PARTY_LOG_INFO, 0, "after");
    assert_string_equal(b->lines, "2026-11-23T12:31:07.123+01:00 info 8 lines of this level are "
                                  "missing here\n2026-11-23T12:31:07.123+01:00 info after\n");
    b->lines[0] = '\0';
    logger_write(b->logger, PARTY_LOG_INFO, 0, "once");
    assert_string_equal(b->lines, "2026-11-23T12:31:07.123+01:00 info once\n");
}

static void test_each_level_has_its_own_rate(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < LOGGER_LINES_PER_SECOND * 2; i++) {
        logger_write(b->logger, PARTY_LOG_INFO, 0, "noise");
    }
    logger_write(b->logger, PARTY_LOG_ERROR, 0, "the disk is full");
    assert_non_null(strstr(b->lines, "error the disk is full\n"));
}

static void test_a_quiet_end_still_tells_what_is_missing(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < LOGGER_LINES_PER_SECOND + 1; i++) {
        logger_write(b->logger, PARTY_LOG_INFO, 0, "line");
    }
    b->lines[0] = '\0';
    logger_destroy(b->logger);
    b->logger = NULL;
    assert_non_null(strstr(b->lines, "info 1 lines of this level are missing here\n"));
}

/* Runs with stderr being a pipe's end for writing; the end for reading is in fds[0]. */
static int take_stderr(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    int saved = dup(STDERR_FILENO);
    assert_int_not_equal(dup2(fds[1], STDERR_FILENO), -1);
    return saved;
}

static void give_stderr_back(int saved, const int fds[2])
{
    assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
    (void)close(saved);
    (void)close(fds[1]);
}

static void test_stderr_takes_whole_lines(void **state)
{
    struct bench *b = *state;
    char text[256];
    int fds[2];

    logger_set_sink(b->logger, NULL, NULL);
    int saved = take_stderr(fds);
    errno = EDOM;
    logger_write(b->logger, PARTY_LOG_INFO, 7, "hello");
    assert_int_equal(errno, EDOM);
    ssize_t n = read(fds[0], text, sizeof text - 1);
    give_stderr_back(saved, fds);
    (void)close(fds[0]);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "2026-11-23T12:31:07.123+01:00 info [7] hello\n");
}

static void test_full_pipe_drops_lines_but_blocks_nobody(void **state)
{
    struct bench *b = *state;
    char text[4096];
    int fds[2];

    logger_set_sink(b->logger, NULL, NULL);
    int saved = take_stderr(fds);
    memset(text, 'x', sizeof text);
    assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(fds[1], text, sizeof text) > 0) {
    }
    assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
    logger_write(b->logger, PARTY_LOG_INFO, 0, "lost");
    logger_write(b->logger, PARTY_LOG_INFO, 0, "lost");
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    while (read(fds[0], text, sizeof text) > 0) {
    }
    b->steady_ns += SECOND;
    logger_write(b->logger, PARTY_LOG_INFO, 0, "back");
    ssize_t n = read(fds[0], text, sizeof text - 1);
    give_stderr_back(saved, fds);
    (void)close(fds[0]);
    assert_true(n > 0);
    text[n] = '\0';
    assert_string_equal(text, "2026-11-23T12:31:07.123+01:00 info 2 lines of this level are "
                              "missing here\n2026-11-23T12:31:07.123+01:00 info back\n");
}

static void *write_many(void *user)
{
    struct bench *b = user;

    for (int i = 0; i < 20; i++) {
        logger_write(b->logger, PARTY_LOG_INFO, 1, "%040d", 0);
    }
    return NULL;
}

static void test_lines_of_several_threads_do_not_mix(void **state)
{
    struct bench *b = *state;
    pthread_t threads[4];
    unsigned count = 0;

    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, b), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    for (char *line = strtok(b->lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        assert_string_equal(line, "2026-11-23T12:31:07.123+01:00 info [1] "
                                  "0000000000000000000000000000000000000000");
        count++;
    }
    assert_int_equal(count, 80);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_line_has_time_level_connection_and_text),
        BENCH_TEST(test_levels_below_the_chosen_one_are_silent),
        BENCH_TEST(test_what_could_act_on_a_terminal_is_escaped),
        BENCH_TEST(test_long_text_is_cut_with_dots),
        BENCH_TEST(test_lines_beyond_the_rate_are_counted_and_told_later),
        BENCH_TEST(test_each_level_has_its_own_rate),
        BENCH_TEST(test_a_quiet_end_still_tells_what_is_missing),
        BENCH_TEST(test_stderr_takes_whole_lines),
        BENCH_TEST(test_full_pipe_drops_lines_but_blocks_nobody),
        BENCH_TEST(test_lines_of_several_threads_do_not_mix),
    };

    /* A zone that every libc knows without its files, an hour ahead of UTC. */
    assert_int_equal(setenv("TZ", "PLT-1", 1), 0);
    return cmocka_run_group_tests_name("logger", tests, NULL, NULL);
}
