/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "service/logger.h"

#define SECOND 1000000000LL
#define STAMP  "2026-11-23T12:31:07.123+01:00 "

struct bench {
    struct logger *logger;
    int64_t steady_ns;
    char folder[64], syslog[96], journal[96];
    int receiver;
    char line[512]; /* the last one the sink was given */
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

    (void)level;
    (void)len;
    (void)snprintf(bench->line, sizeof bench->line, "%s", line);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    (void)snprintf(bench->folder, sizeof bench->folder, "/tmp/logger-out-XXXXXX");
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->syslog, sizeof bench->syslog, "%s/log", bench->folder);
    (void)snprintf(bench->journal, sizeof bench->journal, "%s/journal", bench->folder);
    bench->receiver = -1;
    bench->logger = logger_create(LOGGER_STDERR, PARTY_LOG_INFO);
    logger_set_clock(bench->logger, bench_clock, bench);
    logger_set_paths(bench->logger, bench->syslog, bench->journal);
    logger_set_sink(bench->logger, bench_sink, bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    logger_destroy(bench->logger);
    if (bench->receiver != -1) {
        (void)close(bench->receiver);
    }
    (void)unlink(bench->syslog);
    (void)unlink(bench->journal);
    (void)rmdir(bench->folder);
    free(bench);
    return 0;
}

/* Starts what reads datagrams at path, in place of one that was there before. */
static void receive_at(struct bench *b, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (b->receiver != -1) {
        (void)close(b->receiver);
        assert_int_equal(unlink(path), 0);
    }
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    b->receiver = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_not_equal(b->receiver, -1);
    assert_int_equal(bind(b->receiver, (struct sockaddr *)&address, sizeof address), 0);
}

static void assert_received(struct bench *b, const char *want)
{
    char data[4096];
    ssize_t n = recv(b->receiver, data, sizeof data - 1, 0);

    assert_true(n > 0);
    data[n] = '\0';
    assert_string_equal(data, want);
}

static unsigned count_received(struct bench *b)
{
    char data[4096];
    unsigned count = 0;

    while (recv(b->receiver, data, sizeof data, 0) > 0) {
        count++;
    }
    return count;
}

static const char *syslog_line(const char *priority, const char *text)
{
    static char line[256];

    (void)snprintf(line, sizeof line, "<%s>Nov 23 12:31:07 partyline[%ld]: %s", priority,
                   (long)getpid(), text);
    return line;
}

static void test_syslog_gets_priority_and_text(void **state)
{
    struct bench *b = *state;

    receive_at(b, b->syslog);
    logger_set(b->logger, LOGGER_SYSLOG, PARTY_LOG_INFO);
    logger_write(b->logger, PARTY_LOG_WARNING, 9, "50%% of %s\n", "it");
    assert_received(b, syslog_line("28", "[9] 50% of it\\x0a"));
    logger_write(b->logger, PARTY_LOG_ERROR, 0, "%%n");
    assert_received(b, syslog_line("27", "%n"));
    assert_string_equal(b->line, "");
}

static void test_journal_gets_fields(void **state)
{
    struct bench *b = *state;

    receive_at(b, b->journal);
    logger_set(b->logger, LOGGER_JOURNAL, PARTY_LOG_INFO);
    logger_write(b->logger, PARTY_LOG_ERROR, 9, "gone");
    assert_received(b, "PRIORITY=3\nSYSLOG_IDENTIFIER=partyline\nPARTYLINE_CONNECTION=9\n"
                       "MESSAGE=gone\n");
    logger_write(b->logger, PARTY_LOG_INFO, 0, "two\nlines");
    assert_received(b, "PRIORITY=6\nSYSLOG_IDENTIFIER=partyline\nMESSAGE=two\\x0alines\n");
    assert_string_equal(b->line, "");
}

static void test_without_a_journal_stderr_takes_the_lines(void **state)
{
    struct bench *b = *state;

    logger_set(b->logger, LOGGER_JOURNAL, PARTY_LOG_INFO);
    logger_hook(PARTY_LOG_ERROR, "gone %s", b->logger);
    assert_string_equal(b->line, STAMP "error gone %s");
}

/* Fills the receiver, who does not read. Returns: how many lines were written. */
static unsigned overfill(struct bench *b)
{
    for (unsigned i = 0; i < LOGGER_LINES_PER_SECOND; i++) {
        logger_write(b->logger, PARTY_LOG_INFO, 0, "%2000d", 0);
    }
    return LOGGER_LINES_PER_SECOND;
}

static void assert_missing_are_told(struct bench *b, const char *before, const char *after)
{
    char want[256];

    unsigned written = overfill(b);
    unsigned received = count_received(b);
    assert_in_range(received, 1, written - 1);
    b->steady_ns += SECOND;
    logger_write(b->logger, PARTY_LOG_INFO, 0, "back");
    (void)snprintf(want, sizeof want, "%s%u lines of this level are missing here%s", before,
                   written - received, after);
    assert_received(b, want);
    (void)snprintf(want, sizeof want, "%sback%s", before, after);
    assert_received(b, want);
}

static void test_syslog_that_does_not_read_blocks_nobody(void **state)
{
    struct bench *b = *state;

    receive_at(b, b->syslog);
    logger_set(b->logger, LOGGER_SYSLOG, PARTY_LOG_INFO);
    assert_missing_are_told(b, syslog_line("30", ""), "");
}

static void test_journal_that_does_not_read_blocks_nobody(void **state)
{
    struct bench *b = *state;

    receive_at(b, b->journal);
    logger_set(b->logger, LOGGER_JOURNAL, PARTY_LOG_INFO);
    assert_missing_are_told(b, "PRIORITY=6\nSYSLOG_IDENTIFIER=partyline\nMESSAGE=", "\n");
    /* It is there, so stderr is none of its lines' business. */
    assert_string_equal(b->line, "");
}

static void test_syslog_that_was_started_again_gets_the_next_line(void **state)
{
    struct bench *b = *state;

    receive_at(b, b->syslog);
    logger_set(b->logger, LOGGER_SYSLOG, PARTY_LOG_INFO);
    logger_write(b->logger, PARTY_LOG_INFO, 0, "one");
    assert_received(b, syslog_line("30", "one"));
    receive_at(b, b->syslog);
    logger_write(b->logger, PARTY_LOG_INFO, 0, "two");
    assert_received(b, syslog_line("30", "two"));
}

static void test_lines_without_a_syslog_are_told_when_it_is_there(void **state)
{
    struct bench *b = *state;

    logger_set(b->logger, LOGGER_SYSLOG, PARTY_LOG_INFO);
    logger_write(b->logger, PARTY_LOG_INFO, 0, "lost");
    receive_at(b, b->syslog);
    b->steady_ns += SECOND;
    logger_write(b->logger, PARTY_LOG_INFO, 0, "there");
    assert_received(b, syslog_line("30", "1 lines of this level are missing here"));
    assert_received(b, syslog_line("30", "there"));
}

/* Reads once, and appends it to text. Fails no test: standard error is not what it was. */
static bool read_terminal(int master, char *text, size_t cap)
{
    struct pollfd readable = {.fd = master, .events = POLLIN};
    size_t len = strlen(text);
    ssize_t n = poll(&readable, 1, 10000) == 1 ? read(master, text + len, cap - 1 - len) : -1;

    text[len + (n > 0 ? (size_t)n : 0)] = '\0';
    return n > 0;
}

/* Returns: how many lines there are, with those that are told to be missing. */
static unsigned count_lines(char *text, unsigned *ret_missing)
{
    const size_t head = strlen(STAMP "info ");
    unsigned count = 0, missing;
    char word[16];

    *ret_missing = 0;
    for (char *line = strtok(text, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        size_t len = strlen(line);
        if (len == head + 2000 || (len > head && strcmp(line + head, "back") == 0)) {
            count++;
        } else if (len > head &&
                   sscanf(line + head, "%u lines of this level are missing %15s", &missing, word) ==
                       2 &&
                   strcmp(word, "here") == 0) {
            *ret_missing += missing;
        }
    }
    return count + *ret_missing;
}

static void test_terminal_that_is_not_read_blocks_nobody(void **state)
{
    struct bench *b = *state;
    static char text[1 << 20];
    struct termios mode;
    int master, slave;
    unsigned missing;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(tcgetattr(slave, &mode), 0);
    /* Lines end with two bytes, so that room is left which a whole line does not fit in. */
    mode.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    assert_int_equal(tcsetattr(slave, TCSANOW, &mode), 0);
    int saved = dup(STDERR_FILENO);
    assert_int_not_equal(dup2(slave, STDERR_FILENO), -1);
    logger_set_sink(b->logger, NULL, NULL);
    int flags_before = fcntl(slave, F_GETFL);
    unsigned written = overfill(b);
    int flags_after = fcntl(slave, F_GETFL);
    text[0] = '\0';
    bool goes_on = true;
    while (goes_on && strstr(text, "info back\r\n") == NULL) {
        goes_on = read_terminal(master, text, sizeof text);
        b->steady_ns += SECOND;
        logger_write(b->logger, PARTY_LOG_INFO, 0, "back");
        written++;
    }
    logger_destroy(b->logger);
    b->logger = NULL;
    assert_int_not_equal(dup2(saved, STDERR_FILENO), -1);
    (void)close(saved);
    assert_true(goes_on);
    /* Bytes come in order: behind a mark, nothing of the log is left. */
    assert_int_equal(write(slave, "END", 3), 3);
    while (strstr(text, "END") == NULL) {
        assert_true(read_terminal(master, text, sizeof text));
    }
    (void)close(slave);
    (void)close(master);
    assert_int_equal(flags_after, flags_before);
    assert_int_equal(count_lines(text, &missing), written);
    assert_true(missing > 0);
}

#define BENCH_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BENCH_TEST(test_syslog_gets_priority_and_text),
        BENCH_TEST(test_journal_gets_fields),
        BENCH_TEST(test_without_a_journal_stderr_takes_the_lines),
        BENCH_TEST(test_syslog_that_does_not_read_blocks_nobody),
        BENCH_TEST(test_journal_that_does_not_read_blocks_nobody),
        BENCH_TEST(test_syslog_that_was_started_again_gets_the_next_line),
        BENCH_TEST(test_lines_without_a_syslog_are_told_when_it_is_there),
        BENCH_TEST(test_terminal_that_is_not_read_blocks_nobody),
    };

    /* A zone that every libc knows without its files, an hour ahead of UTC. */
    assert_int_equal(setenv("TZ", "PLT-1", 1), 0);
    return cmocka_run_group_tests_name("logger_out", tests, NULL, NULL);
}
