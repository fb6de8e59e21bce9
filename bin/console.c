/* SPDX-License-Identifier: MIT */
/*
 * Lines of the log come from any thread; they are queued under a mutex, and the console's thread,
 * which alone touches the terminal, prints them. The queue is short: a thread of the server never
 * waits for a terminal whose user has stopped the output, so lines beyond it are counted instead.
 *
 * The end comes from console_stop, after the server's own. Ctrl-D only asks the server to stop; the
 * thread goes on printing the log until then. A terminal whose output is stopped (Ctrl-S) does not
 * hold up the end: what is left then goes to a descriptor that does not block, and a signal takes
 * the thread out of the write it waits in.
 */
#include "console.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "operator.h"
#include "prompt.h"
#include "service/logger_out.h"
#include "service/server.h"

#define LOG_LINES_MAX 1000
#define STOP_SECONDS  1 /* for the terminal to take what is left */

struct console {
    struct server *server;
    struct logger *logger;
    pthread_t thread;
    int wake_fd;
    bool has_log;          /* the logger's lines come here */
    pthread_mutex_t mutex; /* for all below */
    char *lines[LOG_LINES_MAX];
    size_t count;
    uint64_t missing; /* lines there was no room for */
    bool stopping;
};

static void wake(struct console *console)
{
    uint64_t one = 1;
    ssize_t n = write(console->wake_fd, &one, sizeof one);
    (void)n; /* full means it is awake already */
}

static void on_log(enum party_log_level level, const char *line, size_t len, void *user)
{
    struct console *console = user;
    (void)level;
    (void)pthread_mutex_lock(&console->mutex);
    if (console->count < LOG_LINES_MAX) {
        console->lines[console->count++] = xmemdup0(line, len);
    } else {
        console->missing++;
    }
    (void)pthread_mutex_unlock(&console->mutex);
    wake(console);
}

/* The terminal may be slow: the lines are taken out of the queue before they are printed. */
static bool on_ready(struct prompt *prompt, void *user)
{
    struct console *console = user;
    uint64_t ignored;
    ssize_t n = read(console->wake_fd, &ignored, sizeof ignored);
    (void)n;
    (void)pthread_mutex_lock(&console->mutex);
    size_t count = console->count;
    uint64_t missing = console->missing;
    bool stopping = console->stopping;
    char **lines = xcalloc(count + 1, sizeof(*lines));
    memcpy(lines, console->lines, count * sizeof(*lines));
    console->count = 0;
    console->missing = 0;
    (void)pthread_mutex_unlock(&console->mutex);
    for (size_t i = 0; i < count; i++) {
        prompt_print(prompt, lines[i], strlen(lines[i]));
        free(lines[i]);
    }
    free(lines);
    if (missing > 0) {
        char text[64];
        int len = snprintf(text, sizeof text, "%llu lines of the log are missing here",
                           (unsigned long long)missing);
        prompt_print(prompt, text, (size_t)len);
    }
    return !stopping;
}

static bool on_end(struct prompt *prompt, void *user)
{
    struct console *console = user;
    (void)prompt;
    /* Once stopping, the server may be gone. */
    (void)pthread_mutex_lock(&console->mutex);
    if (!console->stopping) {
        server_stop(console->server);
    }
    (void)pthread_mutex_unlock(&console->mutex);
    return true;
}

/* The server stops, and closes its operator's connections first. */
static bool on_lost(struct prompt *prompt, const char *cause, void *user)
{
    (void)prompt;
    (void)cause;
    (void)user;
    return true;
}

static void *run(void *user)
{
    struct console *console = user;
    const struct operator_events events = {.fd = console->wake_fd,
                                           .on_ready = on_ready,
                                           .on_end = on_end,
                                           .on_lost = on_lost,
                                           .user = console};
    (void)pthread_setname_np(pthread_self(), "console");
    int r = operator_run(server_ctl_path(console->server), &events);
    if (r < 0) {
        logger_set_sink(console->logger, NULL, NULL);
        logger_write(console->logger, PARTY_LOG_WARNING, 0, "there is no console: %s",
                     party_strerror(r));
    }
    return NULL;
}

struct console *console_start(struct server *server, struct logger *logger)
{
    if (!prompt_is_possible()) {
        return NULL;
    }
    struct console *console = xcalloc(1, sizeof(*console));
    console->server = server;
    console->logger = logger;
    (void)pthread_mutex_init(&console->mutex, NULL);
    console->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* A log that goes to a file is none of the console's business. */
    console->has_log = isatty(STDERR_FILENO) == 1;
    if (console->has_log) {
        logger_set_sink(logger, on_log, console);
    }
    if (console->wake_fd == -1 || pthread_create(&console->thread, NULL, run, console) != 0) {
        logger_set_sink(logger, NULL, NULL);
        logger_write(logger, PARTY_LOG_WARNING, 0, "there is no console: no thread for it");
        if (console->wake_fd != -1) {
            (void)close(console->wake_fd);
        }
        free(console);
        return NULL;
    }
    return console;
}

/* Returns: whether the thread has ended in time. */
static bool join(struct console *console)
{
    struct timespec end;
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += STOP_SECONDS;
    return pthread_clockjoin_np(console->thread, NULL, CLOCK_MONOTONIC, &end) == 0;
}

static void on_interrupt(int signo)
{
    (void)signo; /* To interrupt is all it is for. */
}

/* Makes fd one that does not block, if it is a terminal. */
static void unblock(int fd)
{
    if (isatty(fd) != 1) {
        return;
    }
    int own = logger_reopen(fd);
    if (own == -1) {
        own = open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    if (own != -1) {
        (void)dup2(own, fd);
        (void)close(own);
    }
}

/* The descriptors go first, so that no write which begins after the signal can block. */
static bool interrupt_and_join(struct console *console)
{
    struct sigaction action = {.sa_handler = on_interrupt}; /* without SA_RESTART */
    unblock(STDOUT_FILENO);
    unblock(STDERR_FILENO);
    (void)sigaction(SIGURG, &action, NULL);
    (void)pthread_kill(console->thread, SIGURG);
    return join(console);
}

static void print_rest(struct console *console)
{
    struct logger_stderr out = {0};
    for (size_t i = 0; i < console->count; i++) {
        size_t len = strlen(console->lines[i]);
        console->lines[i][len] = '\n'; /* its end is known */
        (void)logger_stderr_write(&out, console->lines[i], len + 1);
        free(console->lines[i]);
    }
    logger_stderr_close(&out);
}

void console_stop(struct console *console)
{
    if (!console) {
        return;
    }
    (void)pthread_mutex_lock(&console->mutex);
    console->stopping = true;
    (void)pthread_mutex_unlock(&console->mutex);
    wake(console);
    bool joined = join(console) || interrupt_and_join(console);
    if (console->has_log) {
        logger_set_sink(console->logger, NULL, NULL);
    }
    if (!joined) {
        return; /* The thread goes with the process, and needs the console until then. */
    }
    print_rest(console);
    (void)close(console->wake_fd);
    (void)pthread_mutex_destroy(&console->mutex);
    free(console);
}
