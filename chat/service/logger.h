/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_LOGGER_H
#define CHAT_SERVICE_LOGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <partyline/api.h>
#include <partyline/log.h>

/*
 * The log of the process: what the operator is told. Not the log of the chat (log/log.h).
 *
 *     struct logger *logger = logger_create(LOGGER_STDERR, PARTY_LOG_INFO);
 *     logger_write(logger, PARTY_LOG_INFO, 42, "%s entered", name);
 *
 * writes, with one write(2) per line so that lines of several threads never mix:
 *
 *     2026-11-20T12:31:07.123+01:00 info [42] alice entered
 *
 * What could act on a terminal (control bytes, C1 and bidirectional controls, bytes that are not
 * UTF-8) is written as \xHH; a backslash stays as it is. Each level may write
 * LOGGER_LINES_PER_SECOND lines; those above, and those that the target does not take at once (a
 * reader that sleeps must not stop the server), are counted, and the first line written in a later
 * second is preceded by one that says how many are missing.
 *
 * Threads: logger_write and the setters may be called from any thread at any time.
 */
struct logger;

#define LOGGER_LINES_PER_SECOND 100
#define LOGGER_TEXT_MAX_BYTES                                                                      \
    2048 /* of one text after escaping; longer ones are cut with "..."                             \
          */

enum logger_target {
    LOGGER_STDERR,
    LOGGER_SYSLOG,  /* /dev/log, facility daemon */
    LOGGER_JOURNAL, /* the journal's socket: PRIORITY, MESSAGE, SYSLOG_IDENTIFIER,
                       PARTYLINE_CONNECTION; without a journal, as LOGGER_STDERR */
};

/**
 * Makes a logger that writes what is at least as grave as level.
 * Returns: never NULL. Owns: the caller ends it with logger_destroy.
 */
struct logger *logger_create(enum logger_target target, enum party_log_level level);

/** NULL is accepted. No other thread may use it any more. Tells what was suppressed and not told.
 */
void logger_destroy(struct logger *logger);

/** Takes a new target and level (a reread configuration). */
void logger_set(struct logger *logger, enum logger_target target, enum party_log_level level);

/** Whether a line of this level would be written: for texts that are costly to make. */
bool logger_is_on(const struct logger *logger, enum party_log_level level);

/**
 * Writes one line. connection 0: it belongs to none. Without a logger (NULL) nothing happens. A
 * line that cannot be written is lost: there is nowhere to complain.
 * errno is kept. Blocks: never; what the target has no room for is counted as missing.
 */
void logger_write(struct logger *logger, enum party_log_level level, uint64_t connection,
                  const char *fmt, ...) PARTY_PRINTF(4, 5);

/** For libpartyline's log hook; user is the struct logger. */
void logger_hook(enum party_log_level level, const char *message, void *user);

/** line has neither newline nor control bytes and is borrowed until the call returns. */
typedef void (*logger_sink_fn)(enum party_log_level level, const char *line, size_t len,
                               void *user);

/**
 * Hands the lines of LOGGER_STDERR to fn instead: a console draws them above its prompt. NULL ends
 * that. When this returns, no call of the old sink runs any more.
 * Callback: on the thread that logs, one at a time; it must not log.
 */
void logger_set_sink(struct logger *logger, logger_sink_fn fn, void *user);

/** Nanoseconds: of the wall clock, and of a clock that never runs back. */
typedef void (*logger_clock_fn)(int64_t *ret_wall_ns, int64_t *ret_steady_ns, void *user);

/** Another clock than the kernel's, for tests; NULL: the kernel's. Before any other thread logs. */
void logger_set_clock(struct logger *logger, logger_clock_fn fn, void *user);

/** Other sockets than the system's, for tests. The paths are borrowed as long as the logger lives.
 */
void logger_set_paths(struct logger *logger, const char *syslog_path, const char *journal_path);

#endif
