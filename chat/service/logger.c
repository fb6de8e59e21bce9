/* SPDX-License-Identifier: MIT */
#include "service/logger.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "service/logger_out.h"
#include "wire/text.h"

#define NS_PER_SECOND 1000000000LL
#define LEVELS        4

/* A line on stderr must be one atomic write for a pipe too: PIPE_BUF is 4096. */
#define LINE_MAX_BYTES (LOGGER_TEXT_MAX_BYTES + 128)

#define SYSLOG_PATH    "/dev/log"
#define JOURNAL_PATH   "/run/systemd/journal/socket"

struct quota {
    int64_t begun_ns; /* when the running second began, by the steady clock */
    unsigned lines;   /* written in it */
    uint64_t missing; /* left out and not told yet */
};

struct logger {
    pthread_mutex_t mutex; /* for all below but level */
    enum logger_target target;
    logger_sink_fn sink;
    void *sink_user;
    logger_clock_fn clock;
    void *clock_user;
    struct quota quotas[LEVELS];
    struct logger_stderr out;
    struct logger_socket syslog, journal;
    _Atomic int level;
};

struct entry {
    enum party_log_level level;
    uint64_t connection;
    int64_t wall_ns;
    const char *text; /* escaped */
};

static const char *const level_names[LEVELS] = {"error", "warning", "info", "debug"};
static const int priorities[LEVELS] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

static int64_t to_ns(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NS_PER_SECOND + time->tv_nsec;
}

static void kernel_clock(int64_t *ret_wall_ns, int64_t *ret_steady_ns, void *user)
{
    struct timespec time;

    (void)user;
    (void)clock_gettime(CLOCK_REALTIME, &time); /* Cannot fail for these clocks. */
    *ret_wall_ns = to_ns(&time);
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    *ret_steady_ns = to_ns(&time);
}

/* ---- one line ---- */

static size_t character_bytes(const char *text, size_t len)
{
    unsigned char c = (unsigned char)text[0];
    size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return n <= len && text_is_utf8(text, n) && text_is_clean(text, n) ? n : 0;
}

/* Writes text with what is not clean as \xHH; ret has LOGGER_TEXT_MAX_BYTES and a NUL. */
static void escape(const char *text, size_t len, char *ret)
{
    const size_t room = LOGGER_TEXT_MAX_BYTES - 3; /* for the dots */
    size_t used = 0;

    for (size_t i = 0; i < len;) {
        size_t n = character_bytes(text + i, len - i);
        size_t need = n > 0 ? n : 4;
        if (used + need > room) {
            memcpy(ret + used, "...", 3);
            used += 3;
            break;
        }
        if (n > 0) {
            memcpy(ret + used, text + i, n);
        } else {
            static const char hex[] = "0123456789abcdef";
            unsigned char c = (unsigned char)text[i];
            const char code[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            memcpy(ret + used, code, sizeof code);
        }
        used += need;
        i += n > 0 ? n : 1;
    }
    ret[used] = '\0';
}

/* "2026-11-20T12:31:07.123+01:00"; strftime's %z has no colon, which RFC 3339 wants. */
static void format_time(int64_t wall_ns, char *ret, size_t cap)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_SECOND);
    int millis = (int)(wall_ns % NS_PER_SECOND / 1000000);
    struct tm tm = {0};
    char date[32], zone[8];

    (void)localtime_r(&seconds, &tm); /* Fails beyond the year 2^31 only. */
    (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)strftime(zone, sizeof zone, "%z", &tm);
    (void)snprintf(ret, cap, "%s.%03d%.3s:%s", date, millis, zone, zone + 3);
}

static void format_connection(uint64_t connection, char *ret, size_t cap)
{
    ret[0] = '\0';
    if (connection != 0) {
        (void)snprintf(ret, cap, "[%llu] ", (unsigned long long)connection);
    }
}

/* ---- targets ---- */

static bool put_terminal(struct logger *logger, const struct entry *entry)
{
    char line[LINE_MAX_BYTES], when[64], connection[32];

    format_time(entry->wall_ns, when, sizeof when);
    format_connection(entry->connection, connection, sizeof connection);
    int n = snprintf(line, sizeof line, "%s %s %s%s\n", when, level_names[entry->level], connection,
                     entry->text);
    size_t len = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (logger->sink == NULL) {
        return logger_stderr_write(&logger->out, line, len) == LOGGER_SENT;
    }
    line[len - 1] = '\0';
    logger->sink(entry->level, line, len - 1, logger->sink_user);
    return true;
}

/* RFC 3164, as syslog(3) has it: that one waits for a daemon that does not read. */
static bool put_syslog(struct logger *logger, const struct entry *entry)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char line[LINE_MAX_BYTES], connection[32];
    time_t seconds = (time_t)(entry->wall_ns / NS_PER_SECOND);
    struct tm tm = {0};

    (void)localtime_r(&seconds, &tm); /* Fails beyond the year 2^31 only. */
    format_connection(entry->connection, connection, sizeof connection);
    int n = snprintf(line, sizeof line, "<%d>%s %2d %02d:%02d:%02d partyline[%ld]: %s%s",
                     LOG_DAEMON | priorities[entry->level], months[tm.tm_mon], tm.tm_mday,
                     tm.tm_hour, tm.tm_min, tm.tm_sec, (long)getpid(), connection, entry->text);
    size_t len = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    return logger_socket_send(&logger->syslog, line, len) == LOGGER_SENT;
}

/* The journal's own protocol: fields in lines, which works as long as the text has none. */
static enum logger_outcome put_journal(struct logger *logger, const struct entry *entry)
{
    char fields[LINE_MAX_BYTES], connection[48] = "";

    if (entry->connection != 0) {
        (void)snprintf(connection, sizeof connection, "PARTYLINE_CONNECTION=%llu\n",
                       (unsigned long long)entry->connection);
    }
    int n =
        snprintf(fields, sizeof fields, "PRIORITY=%d\nSYSLOG_IDENTIFIER=partyline\n%sMESSAGE=%s\n",
                 priorities[entry->level], connection, entry->text);
    size_t len = (size_t)n < sizeof fields ? (size_t)n : sizeof fields - 1;
    return logger_socket_send(&logger->journal, fields, len);
}

static bool put(struct logger *logger, const struct entry *entry)
{
    if (logger->target == LOGGER_SYSLOG) {
        return put_syslog(logger, entry);
    }
    if (logger->target == LOGGER_JOURNAL) {
        enum logger_outcome outcome = put_journal(logger, entry);
        if (outcome != LOGGER_NOBODY) {
            return outcome == LOGGER_SENT;
        }
    }
    return put_terminal(logger, entry);
}

/* ---- how much ---- */

/* Says for each level how many lines are missing, once their second is over; at the end, at once.
 */
static void tell_missing(struct logger *logger, int64_t wall_ns, int64_t steady_ns, bool at_once)
{
    for (int i = 0; i < LEVELS; i++) {
        struct quota *quota = &logger->quotas[i];
        if (quota->missing == 0 || (!at_once && steady_ns - quota->begun_ns < NS_PER_SECOND)) {
            continue;
        }
        char text[64];
        (void)snprintf(text, sizeof text, "%llu lines of this level are missing here",
                       (unsigned long long)quota->missing);
        const struct entry entry = {(enum party_log_level)i, 0, wall_ns, text};
        if (put(logger, &entry)) {
            quota->missing = 0;
        }
    }
}

static bool is_within_quota(struct quota *quota, int64_t steady_ns)
{
    if (steady_ns - quota->begun_ns >= NS_PER_SECOND) {
        quota->begun_ns = steady_ns;
        quota->lines = 0;
    }
    return quota->lines < LOGGER_LINES_PER_SECOND;
}

static void write_text(struct logger *logger, enum party_log_level level, uint64_t connection,
                       const char *text)
{
    struct entry entry = {level, connection, 0, text};
    struct quota *quota = &logger->quotas[level];
    int64_t steady_ns = 0;

    pthread_mutex_lock(&logger->mutex);
    logger->clock(&entry.wall_ns, &steady_ns, logger->clock_user);
    tell_missing(logger, entry.wall_ns, steady_ns, false);
    if (is_within_quota(quota, steady_ns) && put(logger, &entry)) {
        quota->lines++;
    } else {
        quota->missing++;
    }
    pthread_mutex_unlock(&logger->mutex);
}

/* ---- the rest of the interface ---- */

struct logger *logger_create(enum logger_target target, enum party_log_level level)
{
    struct logger *logger = xcalloc(1, sizeof *logger);

    pthread_mutex_init(&logger->mutex, NULL); /* Cannot fail with default attributes. */
    logger_set_clock(logger, NULL, NULL);
    logger->syslog = (struct logger_socket){SYSLOG_PATH, -1};
    logger->journal = (struct logger_socket){JOURNAL_PATH, -1};
    for (int i = 0; i < LEVELS; i++) {
        logger->quotas[i].begun_ns = -NS_PER_SECOND;
    }
    tzset(); /* localtime_r need not do it. */
    logger_set(logger, target, level);
    return logger;
}

void logger_destroy(struct logger *logger)
{
    int64_t wall_ns = 0, steady_ns = 0;

    if (logger == NULL) {
        return;
    }
    logger->clock(&wall_ns, &steady_ns, logger->clock_user);
    tell_missing(logger, wall_ns, steady_ns, true);
    logger_socket_close(&logger->syslog);
    logger_socket_close(&logger->journal);
    logger_stderr_close(&logger->out);
    pthread_mutex_destroy(&logger->mutex);
    free(logger);
}

/* Connects what is used now: later there may be no descriptor left for it. */
static void open_sockets(struct logger *logger)
{
    logger_socket_close(&logger->syslog);
    logger_socket_close(&logger->journal);
    if (logger->target == LOGGER_SYSLOG) {
        logger_socket_open(&logger->syslog);
    } else if (logger->target == LOGGER_JOURNAL) {
        logger_socket_open(&logger->journal);
    }
}

void logger_set(struct logger *logger, enum logger_target target, enum party_log_level level)
{
    pthread_mutex_lock(&logger->mutex);
    logger->target = target;
    atomic_store_explicit(&logger->level, (int)level, memory_order_relaxed);
    open_sockets(logger);
    pthread_mutex_unlock(&logger->mutex);
}

void logger_set_paths(struct logger *logger, const char *syslog_path, const char *journal_path)
{
    pthread_mutex_lock(&logger->mutex);
    logger->syslog.path = syslog_path;
    logger->journal.path = journal_path;
    open_sockets(logger);
    pthread_mutex_unlock(&logger->mutex);
}

bool logger_is_on(const struct logger *logger, enum party_log_level level)
{
    return logger != NULL &&
           (int)level <= atomic_load_explicit(&logger->level, memory_order_relaxed);
}

void logger_write(struct logger *logger, enum party_log_level level, uint64_t connection,
                  const char *fmt, ...)
{
    /* Longer than what may come out, so that a cut within a character shows as dots. */
    char raw[LOGGER_TEXT_MAX_BYTES + 8], text[LOGGER_TEXT_MAX_BYTES + 1];
    int saved = errno;
    va_list args;

    if (!logger_is_on(logger, level) || level > PARTY_LOG_DEBUG) {
        return;
    }
    va_start(args, fmt);
    int n = vsnprintf(raw, sizeof raw, fmt, args);
    va_end(args);
    if (n < 0) {
        return; /* A conversion that cannot be done: nothing to write. */
    }
    escape(raw, (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1, text);
    write_text(logger, level, connection, text);
    errno = saved;
}

void logger_hook(enum party_log_level level, const char *message, void *user)
{
    logger_write(user, level, 0, "%s", message);
}

void logger_set_sink(struct logger *logger, logger_sink_fn fn, void *user)
{
    pthread_mutex_lock(&logger->mutex);
    logger->sink = fn;
    logger->sink_user = user;
    pthread_mutex_unlock(&logger->mutex);
}

void logger_set_clock(struct logger *logger, logger_clock_fn fn, void *user)
{
    logger->clock = fn != NULL ? fn : kernel_clock;
    logger->clock_user = user;
}
