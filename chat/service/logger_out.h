/* SPDX-License-Identifier: MIT */
#ifndef CHAT_SERVICE_LOGGER_OUT_H
#define CHAT_SERVICE_LOGGER_OUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The ways out of the logger. None of them ever waits: what cannot be taken at once is refused.
 *
 * Threads: one at a time; the logger's mutex sees to that.
 */

/**
 * Opens what fd is, a terminal or a pipe, once more: an open file description of its own that does
 * not block, so that the flags of the one that is shared with other processes stay as they are.
 * Returns: the descriptor, or -1. Owns: the caller closes it.
 */
int logger_reopen(int fd);

enum logger_outcome {
    LOGGER_SENT,
    LOGGER_DROPPED, /* somebody is there, but takes nothing now */
    LOGGER_NOBODY,
};

/** Standard error: a file, a pipe, a socket or a terminal. All zero is the first state. */
struct logger_stderr {
    int fd;      /* of our own; valid if is_own */
    bool known;  /* what standard error is has been looked at */
    bool is_own; /* lines go to fd, which does not block */
    bool is_terminal;
    bool is_socket;
    bool is_torn; /* a terminal took the last line without its end */
};

/** Writes one line, which ends with a newline. */
enum logger_outcome logger_stderr_write(struct logger_stderr *out, const char *line, size_t len);

/** Looks at what standard error is anew with the next line. */
void logger_stderr_close(struct logger_stderr *out);

/** A connected Unix datagram socket, made when there is something to send. */
struct logger_socket {
    const char *path; /* borrowed */
    int fd;           /* -1: none */
};

void logger_socket_open(struct logger_socket *out);
void logger_socket_close(struct logger_socket *out);

/** Sends one datagram; connects anew when the receiver was started again. */
enum logger_outcome logger_socket_send(struct logger_socket *out, const char *data, size_t len);

#endif
