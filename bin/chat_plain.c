/* SPDX-License-Identifier: MIT */
/*
 * For pipes: one line after the other. The next one is sent when the server has shown the last one
 * to the room or refused it, so that a refusal is known to be of this line, and the exit status can
 * be believed.
 *
 *     GREETING   until the server says which room one is in
 *     NAMING     --nick was asked for, if given
 *     ENTERING   --room was asked for, if given
 *     SETTLING   /time was asked: its answer comes behind the room's last lines, which may be like
 *                one that is to be sent
 *     READY      lines go out; `expected` is set while one waits for its echo
 *     LEAVING    /quit was sent; what still comes is shown, until the server closes
 */
#include "chat.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat_line.h"
#include "command.h"
#include "stop_signal.h"
#include "wire/text.h"

enum phase { GREETING, NAMING, ENTERING, SETTLING, READY, LEAVING };

/* A line one byte too long must be seen to be so. */
#define INPUT_MAX_BYTES (CHAT_TYPED_MAX_BYTES + 2)

struct plain {
    const struct chat_options *options;
    struct chat_link link;
    enum phase phase;
    char name[NAME_CEILING_BYTES + 1];
    char *expected;      /* the body of the line that shows what was sent; NULL: nothing waits */
    bool expects_prefix; /* the server's line may say more */
    bool expects_time;   /* the answer to a /time that nobody typed: it is not shown */
    int64_t deadline_ms; /* for what is waited for; -1: nothing is */
    char *said;          /* the server's last "*** " line, for a complaint; NULL: none yet */
    char input[INPUT_MAX_BYTES];
    size_t input_len;
    unsigned long line_number;
    bool input_ended, skipping; /* skipping: the rest of a line that was too long */
    bool failed, over;
    int signals;
};

static void fail(struct plain *plain, const char *format, ...) PARTY_PRINTF(2, 3);

/* What makes the exit status 1; it goes on unless the connection is gone. */
static void fail(struct plain *plain, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    chat_complain("%s", text);
    plain->failed = true;
}

static void give_up(struct plain *plain)
{
    plain->failed = true;
    plain->over = true;
}

static void send_line(struct plain *plain, const char *line)
{
    int r = chat_link_send(&plain->link, line);
    if (r < 0) {
        fail(plain, "cannot send: %s", party_strerror(r));
        give_up(plain);
    }
}

/* Owns: takes expected. */
static void expect(struct plain *plain, char *expected, bool prefix)
{
    free(plain->expected);
    plain->expected = expected;
    plain->expects_prefix = prefix;
    plain->expects_time = false;
    plain->deadline_ms = expected ? chat_now_ms() + CHAT_ANSWER_MS : -1;
}

static char *copy(const char *text)
{
    return xmemdup0(text, strlen(text));
}

static void ask(struct plain *plain, const char *verb, const char *argument, const char *answer)
{
    char line[600];
    (void)snprintf(line, sizeof line, "%s %.500s", verb, argument);
    expect(plain, copy(answer), true);
    send_line(plain, line);
}

/* Waits until the server has answered all that was sent before. */
static void settle(struct plain *plain)
{
    expect(plain, copy("It is "), true);
    plain->expects_time = true;
    send_line(plain, "/time");
}

static void leave(struct plain *plain)
{
    if (plain->phase == LEAVING || plain->over) {
        return;
    }
    plain->phase = LEAVING;
    expect(plain, NULL, false);
    send_line(plain, "/quit");
    plain->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
}

/* ---- what goes out ---- */

/* One line of standard input. */
static void submit(struct plain *plain, const char *text, size_t len)
{
    const char *args;
    plain->line_number++;
    if (len > 0 && text[len - 1] == '\r') {
        len--;
    }
    if (!text_is_utf8(text, len)) {
        fail(plain, "line %lu is not UTF-8 and was not sent", plain->line_number);
        return;
    }
    char *typed = chat_typed_clean(text, len);
    if (typed[0] == '\0') {
        free(typed);
        return; /* an empty line says nothing */
    }
    if (chat_typed_is_quit(typed)) {
        plain->input_ended = true;
        plain->input_len = 0;
        free(typed);
        return;
    }
    char *echo = chat_typed_echo(plain->name, typed);
    if (echo) {
        expect(plain, echo, false);
    } else if (chat_typed_is(typed, "nick", &args) && args[0] && strcmp(args, plain->name) != 0) {
        expect(plain, copy("You are now called "), true);
    } else if (chat_typed_is(typed, "join", &args) && args[0]) {
        expect(plain, copy("You are in "), true);
    } else if (chat_typed_is(typed, "msg", &args) && strchr(args, ' ')) {
        expect(plain, copy("[you -> "), true);
    } else if (chat_typed_is(typed, "time", NULL)) {
        expect(plain, copy("It is "), true);
    }
    send_line(plain, typed);
    if (!plain->expected && !plain->over) {
        settle(plain); /* a command whose answer is whatever comes before that of /time */
    }
    free(typed);
}

/* Sends lines until one has to be waited for. */
static void submit_lines(struct plain *plain)
{
    while (plain->phase == READY && !plain->expected && !plain->over) {
        char *end = memchr(plain->input, '\n', plain->input_len);
        if (!end && plain->input_ended && plain->input_len > 0) {
            end = plain->input + plain->input_len; /* a last line without its end */
        }
        if (!end) {
            break;
        }
        size_t len = (size_t)(end - plain->input);
        size_t taken = len < plain->input_len ? len + 1 : len;
        char line[INPUT_MAX_BYTES];
        memcpy(line, plain->input, len);
        plain->input_len -= taken;
        memmove(plain->input, plain->input + taken, plain->input_len);
        if (plain->skipping) {
            plain->skipping = false;
        } else {
            submit(plain, line, len);
        }
    }
    if (plain->phase == READY && !plain->expected && plain->input_ended && plain->input_len == 0) {
        leave(plain);
    }
}

static void read_input(struct plain *plain)
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
            fail(plain, "line %lu is longer than %d bytes and was not sent", ++plain->line_number,
                 CHAT_TYPED_MAX_BYTES);
        }
        plain->skipping = true;
        plain->input_len = 0;
    }
}

/* ---- what comes in ---- */

static bool is_expected(const struct plain *plain, const struct chat_line *line)
{
    if (!plain->expected) {
        return false;
    }
    size_t len = strlen(plain->expected);
    return line->body != line->text && line->body_len >= len &&
           (plain->expects_prefix || line->body_len == len) &&
           memcmp(line->body, plain->expected, len) == 0 &&
           (plain->expects_prefix || chat_line_is_stored(line));
}

/* The next step on the way to READY. */
static void advance(struct plain *plain)
{
    const struct chat_options *options = plain->options;
    bool joined = plain->expected && strcmp(plain->expected, "You are in ") == 0;
    expect(plain, NULL, false);
    if (plain->phase == GREETING) {
        plain->phase = NAMING;
        if (options->nick && strcmp(options->nick, plain->name) != 0) {
            ask(plain, "/nick", options->nick, "You are now called ");
            return;
        }
    }
    if (plain->phase == NAMING) {
        plain->phase = ENTERING;
        if (options->room) {
            ask(plain, "/join", options->room, "You are in ");
            return;
        }
    }
    if (plain->phase == ENTERING || (plain->phase == READY && joined)) {
        plain->phase = SETTLING;
        settle(plain);
    } else if (plain->phase == SETTLING) {
        plain->phase = READY;
    }
}

static void on_refusal(struct plain *plain, const char *text)
{
    fail(plain, "%s", text);
    if (plain->phase != READY) {
        leave(plain); /* not under another name, nor in another room */
    } else if (!plain->expects_time) {
        expect(plain, NULL, false);
    }
}

static void print(struct plain *plain, const char *text, size_t len)
{
    (void)fwrite(text, 1, len, stdout);
    (void)fputc('\n', stdout);
    if ((fflush(stdout) != 0 || ferror(stdout)) && !plain->over) {
        fail(plain, "cannot write to standard output");
        give_up(plain);
    }
}

static void on_line(const char *text, size_t len, void *user)
{
    struct plain *plain = user;
    char room[ROOM_NAME_CEILING_BYTES + 1];
    struct chat_line line = chat_line_parse(text, len);
    if (!plain->expects_time || !is_expected(plain, &line)) {
        print(plain, text, len);
    }
    (void)chat_line_own_name(&line, plain->name);
    if (line.kind == CHAT_LINE_SERVER) {
        free(plain->said);
        plain->said = copy(text);
    }
    if (plain->phase == GREETING) {
        if (plain->name[0] != '\0' && chat_line_own_room(&line, room)) {
            advance(plain);
        }
    } else if (is_expected(plain, &line)) {
        advance(plain);
    } else if (plain->expected && chat_line_is_refusal(&line)) {
        on_refusal(plain, text);
    }
}

static void on_open(void *user)
{
    struct plain *plain = user;
    /* A listener for all protocols waits for a first byte; an empty line is nobody's but ours. */
    send_line(plain, "");
    plain->deadline_ms = chat_now_ms() + CHAT_ANSWER_MS;
}

static void on_closed(const char *cause, void *user)
{
    struct plain *plain = user;
    plain->over = true;
    if (plain->phase == GREETING && plain->name[0] == '\0' && !plain->said) {
        fail(plain, "cannot connect to %s: %s", plain->options->target.shown, cause);
    } else if (plain->phase != LEAVING) {
        fail(plain, "connection lost: %s%s%s", cause, plain->said ? "; the server said: " : "",
             plain->said ? plain->said : "");
    }
}

static const struct chat_link_events events = {
    .on_open = on_open, .on_line = on_line, .on_closed = on_closed};

/* ---- the loop ---- */

static void on_deadline(struct plain *plain)
{
    if (plain->phase == LEAVING) {
        plain->over = true; /* all is confirmed; the server is slow to close */
        return;
    }
    fail(plain, "%s within %d s%s%s",
         plain->phase == GREETING ? "the server did not greet"
                                  : "the server did not confirm a line",
         CHAT_ANSWER_MS / 1000, plain->said ? "; it said: " : "", plain->said ? plain->said : "");
    give_up(plain);
}

/* The first signal is an end of the input, the second is an order. */
static void on_signal(struct plain *plain)
{
    if (plain->signals++ > 0 || plain->phase != READY) {
        give_up(plain);
        return;
    }
    plain->input_ended = true;
    plain->input_len = 0;
}

static void turn(struct plain *plain, int signal_fd)
{
    struct pollfd fds[3] = {{.fd = signal_fd, .events = POLLIN}, {.fd = -1}, {.fd = -1}};
    if (!plain->expected && !plain->input_ended && plain->phase == READY) {
        fds[1] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    }
    (void)chat_link_prepare(&plain->link, &fds[2]);
    if (poll(fds, 3, chat_wait_ms(plain->deadline_ms)) == -1) {
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
    if (!plain->over && plain->deadline_ms >= 0 && chat_now_ms() >= plain->deadline_ms) {
        on_deadline(plain);
    }
}

int chat_plain_run(const struct chat_options *options)
{
    struct plain *plain = xcalloc(1, sizeof(*plain));
    plain->options = options;
    plain->deadline_ms = -1;
    chat_link_init(&plain->link, &events, plain);
    int signal_fd = stop_signal_open();
    if (signal_fd < 0) {
        chat_complain("%s", party_strerror(signal_fd));
        give_up(plain);
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
    free(plain->expected);
    free(plain->said);
    free(plain);
    return failed ? EXIT_FAILED : EXIT_DONE;
}
