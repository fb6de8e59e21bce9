/* SPDX-License-Identifier: MIT */
#include "chat_plain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat.h"
#include "chat_line.h"
#include "command.h"
#include "stop_signal.h"
#include "wire/text.h"

void chat_plain_fail(struct chat_plain *plain, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    chat_complain("%s", text);
    plain->failed = true;
}

void chat_plain_give_up(struct chat_plain *plain)
{
    plain->failed = true;
    plain->over = true;
}

void chat_plain_print(struct chat_plain *plain, const char *text, size_t len)
{
    (void)fwrite(text, 1, len, stdout);
    (void)fputc('\n', stdout);
    if ((fflush(stdout) != 0 || ferror(stdout)) && !plain->over) {
        chat_plain_fail(plain, "cannot write to standard output");
        chat_plain_give_up(plain);
    }
}

/* ---- what goes out ---- */

/* One line of standard input. */
static void submit(struct chat_plain *plain, const char *text, size_t len)
{
    plain->line_number++;
    if (len > 0 && text[len - 1] == '\r') {
        len--;
    }
    if (!text_is_utf8(text, len)) {
        chat_plain_fail(plain, "line %lu is not UTF-8 and was not sent", plain->line_number);
        return;
    }
    char *typed = chat_typed_clean(text, len);
    if (chat_typed_is_quit(typed)) {
        plain->input_ended = true;
        plain->input_len = 0;
    } else if (typed[0] != '\0') { /* an empty line says nothing */
        plain->ops->submit(typed, plain->session);
    }
    free(typed);
}

static bool is_ready(const struct chat_plain *plain)
{
    return plain->session && !plain->over && plain->ops->is_ready(plain->session);
}

/* Sends lines until one has to be waited for. */
static void submit_lines(struct chat_plain *plain)
{
    while (is_ready(plain)) {
        char *end = memchr(plain->input, '\n', plain->input_len);
        if (!end && plain->input_ended && plain->input_len > 0) {
            end = plain->input + plain->input_len; /* a last line without its end */
        }
        if (!end) {
            break;
        }
        size_t len = (size_t)(end - plain->input);
        size_t taken = len < plain->input_len ? len + 1 : len;
        char line[CHAT_INPUT_MAX_BYTES];
        memcpy(line, plain->input, len);
        plain->input_len -= taken;
        memmove(plain->input, plain->input + taken, plain->input_len);
        if (plain->skipping) {
            plain->skipping = false;
        } else {
            submit(plain, line, len);
        }
    }
    if (is_ready(plain) && plain->input_ended && plain->input_len == 0) {
        plain->ops->leave(plain->session);
    }
}

static void read_input(struct chat_plain *plain)
{
    ssize_t n = read(STDIN_FILENO, plain->input + plain->input_len,
                     sizeof(plain->input) - plain->input_len);
    if (n > 0) {
        plain->input_len += (size_t)n;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        plain->input_ended = true;
    }
    if (plain->input_len == sizeof(plain->input) && !memchr(plain->input, '\n', plain->input_len)) {
        if (!plain->skipping) {
            chat_plain_fail(plain, "line %lu is longer than %d bytes and was not sent",
                            ++plain->line_number, CHAT_TYPED_MAX_BYTES);
        }
        plain->skipping = true;
        plain->input_len = 0;
    }
}

/* ---- the connection ---- */

static void on_open(void *user)
{
    struct chat_plain *plain = user;
    plain->ops = plain->link.protocol == CHAT_IRC ? &chat_plain_irc_ops : &chat_plain_line_ops;
    plain->session = plain->ops->create(plain);
    plain->ops->on_open(plain->session);
}

static void on_line(const char *text, size_t len, void *user)
{
    struct chat_plain *plain = user;
    plain->ops->on_line(text, len, plain->session);
}

static void on_bytes(const char *bytes, size_t len, void *user)
{
    struct chat_plain *plain = user;
    plain->ops->on_bytes(bytes, len, plain->session);
}

static void on_closed(const char *cause, void *user)
{
    struct chat_plain *plain = user;
    if (plain->session) {
        plain->ops->on_closed(cause, plain->session);
    } else {
        chat_plain_fail(plain, "cannot connect to %s: %s", plain->options->target.shown, cause);
    }
    plain->over = true;
}

static const struct chat_link_events events = {
    .on_open = on_open, .on_line = on_line, .on_bytes = on_bytes, .on_closed = on_closed};

/* ---- the loop ---- */

/* The first signal is an end of the input, the second is an order. */
static void on_signal(struct chat_plain *plain)
{
    if (plain->signals++ > 0 || !plain->session || !plain->ops->is_entered(plain->session)) {
        chat_plain_give_up(plain);
        return;
    }
    plain->input_ended = true;
    plain->input_len = 0;
}

static int wait_ms(const struct chat_plain *plain)
{
    const int64_t times[] = {plain->deadline_ms, chat_link_deadline(&plain->link),
                             plain->session ? plain->ops->next_ms(plain->session) : -1};
    int64_t first = -1;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i] >= 0 && (first < 0 || times[i] < first)) {
            first = times[i];
        }
    }
    return chat_wait_ms(first);
}

static void run_timers(struct chat_plain *plain)
{
    chat_link_tick(&plain->link, chat_now_ms());
    if (plain->session && !plain->over) {
        plain->ops->tick(plain->session);
    }
    if (plain->session && !plain->over && plain->deadline_ms >= 0 &&
        chat_now_ms() >= plain->deadline_ms) {
        plain->ops->on_deadline(plain->session);
    }
}

static void turn(struct chat_plain *plain, int signal_fd)
{
    struct pollfd fds[3] = {{.fd = signal_fd, .events = POLLIN}, {.fd = -1}, {.fd = -1}};
    if (!plain->input_ended && is_ready(plain)) {
        fds[1] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    }
    (void)chat_link_prepare(&plain->link, &fds[2]);
    if (poll(fds, 3, wait_ms(plain)) == -1) {
        return;
    }
    chat_link_ready(&plain->link, fds[2].revents);
    if (plain->over) {
        return;
    }
    if (fds[0].revents != 0 && stop_signal_take(signal_fd) != 0) {
        on_signal(plain);
    }
    if (fds[1].revents != 0) {
        read_input(plain);
    }
    submit_lines(plain);
    if (!plain->over) {
        run_timers(plain);
    }
}

int chat_plain_run(const struct chat_options *options)
{
    struct chat_plain *plain = xcalloc(1, sizeof(*plain));
    plain->options = options;
    plain->deadline_ms = -1;
    chat_link_init(&plain->link, &events, plain, options->tls);
    int signal_fd = stop_signal_open();
    if (signal_fd < 0) {
        chat_complain("%s", party_strerror(signal_fd));
        chat_plain_give_up(plain);
    } else {
        chat_link_open(&plain->link, &options->target);
    }
    while (!plain->over) {
        turn(plain, signal_fd);
    }
    bool failed = plain->failed;
    chat_link_finish(&plain->link);
    if (signal_fd >= 0) {
        (void)close(signal_fd);
    }
    if (plain->session) {
        plain->ops->destroy(plain->session);
    }
    free(plain);
    return failed ? EXIT_FAILED : EXIT_DONE;
}
