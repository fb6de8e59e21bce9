/* SPDX-License-Identifier: MIT */
/*
 * A connection that ends after it was of use is an outage: a timer runs, then the link is opened
 * again, and the session catches up. One that never was of use ends the program.
 */
#include "chat_live.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "chat.h"
#include "command.h"
#include "prompt.h"
#include "stop_signal.h"

#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 30000
#define EARLY_MAX    100 /* lines typed before the server is there */

/* ---- what is shown ---- */

void chat_live_tell(struct chat_live *live, const char *format, ...)
{
    char text[1024] = "--- ";
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text + 4, sizeof text - 4, format, args);
    va_end(args);
    prompt_print(live->prompt, text, strlen(text));
}

void chat_live_show(struct chat_live *live, const struct chat_line *line)
{
    size_t len;
    if (!live->colours) {
        prompt_print(live->prompt, line->text, line->len);
        return;
    }
    char *painted = chat_line_paint(line, &len);
    prompt_print(live->prompt, painted, len);
    free(painted);
}

void chat_live_finish(struct chat_live *live, int code)
{
    live->over = true;
    live->code = code;
}

void chat_live_back(struct chat_live *live)
{
    if (live->outage) {
        live->outage = false;
        chat_live_tell(live, "connected again");
    }
}

void chat_live_settled(struct chat_live *live)
{
    live->attempts = 0;
    if (!live->leaving) {
        live->deadline_ms = -1;
    }
}

/* ---- the connection ---- */

/* One clean line that is not empty. */
static void submit(struct chat_live *live, const char *typed);

static void on_open(void *user)
{
    struct chat_live *live = user;
    live->returning = live->entered;
    if (!live->ops) {
        live->ops = live->link.protocol == CHAT_IRC ? &chat_live_irc_ops : &chat_live_line_ops;
        live->session = live->ops->create(live);
    }
    live->ops->on_open(live->session);
    for (size_t i = 0; i < live->early_count; i++) {
        submit(live, live->early[i]);
        free(live->early[i]);
    }
    live->early_count = 0;
}

static void on_line(const char *text, size_t len, void *user)
{
    struct chat_live *live = user;
    live->ops->on_line(text, len, live->session);
}

static void on_bytes(const char *bytes, size_t len, void *user)
{
    struct chat_live *live = user;
    live->ops->on_bytes(bytes, len, live->session);
}

/* 1 s, 2 s, 4 s ... 30 s, each a quarter more or less, so that not all come back at once. */
static int64_t retry_delay_ms(unsigned attempts)
{
    int64_t delay_ms = attempts < 5 ? RETRY_MIN_MS << attempts : RETRY_MAX_MS;
    delay_ms = delay_ms * (75 + random() % 51) / 100;
    return delay_ms < RETRY_MIN_MS   ? RETRY_MIN_MS
           : delay_ms > RETRY_MAX_MS ? RETRY_MAX_MS
                                     : delay_ms;
}

static void on_closed(const char *cause, void *user)
{
    struct chat_live *live = user;
    char text[600];
    if (live->session) {
        const char *farewell = live->ops->farewell(live->session);
        (void)snprintf(text, sizeof text, "%s%s%s", cause, farewell[0] ? "; it said: " : "",
                       farewell);
        cause = text;
        live->ops->on_lost(live->session);
    }
    live->deadline_ms = -1;
    if (live->over) {
        return;
    }
    if (live->leaving) {
        chat_live_finish(live, EXIT_DONE);
    } else if (!live->entered) {
        (void)snprintf(live->failure, sizeof live->failure, "cannot connect to %s: %s",
                       live->options->target.shown, cause);
        chat_live_finish(live, EXIT_FAILED);
    } else if (live->dismissed) {
        chat_live_tell(live, "the server ended the connection");
        chat_live_finish(live, EXIT_FAILED);
    } else if (live->options->no_reconnect) {
        chat_live_tell(live, "connection lost (%s)", cause);
        chat_live_finish(live, EXIT_FAILED);
    } else {
        if (!live->outage) {
            live->outage = true;
            chat_live_tell(live, "connection lost (%s), trying again", cause);
        }
        live->retry_ms = chat_now_ms() + retry_delay_ms(live->attempts++);
    }
}

void chat_live_drop(struct chat_live *live, const char *cause)
{
    chat_link_close(&live->link);
    on_closed(cause, live);
}

static const struct chat_link_events link_events = {
    .on_open = on_open, .on_line = on_line, .on_bytes = on_bytes, .on_closed = on_closed};

/* ---- what is typed ---- */

static void leave(struct chat_live *live, const char *typed)
{
    if (live->link.state != CHAT_LINK_OPEN || live->leaving) {
        chat_link_close(&live->link);
        chat_live_finish(live, live->entered ? EXIT_DONE : EXIT_FAILED);
        return;
    }
    live->leaving = true;
    live->ops->leave(live->session, typed);
}

static void keep_early(struct chat_live *live, const char *typed)
{
    if (live->early_count == EARLY_MAX) {
        chat_live_tell(live, "not kept, %d lines wait already: %.200s", EARLY_MAX, typed);
        return;
    }
    live->early = xreallocarray(live->early, live->early_count + 1, sizeof(*live->early));
    live->early[live->early_count++] = xmemdup0(typed, strlen(typed));
}

static void submit(struct chat_live *live, const char *typed)
{
    if (chat_typed_is_quit(typed)) {
        leave(live, typed);
    } else if (!live->session) {
        keep_early(live, typed);
    } else {
        live->ops->submit(live->session, typed);
    }
}

/* One line of what was typed, or pasted. */
static void on_typed_line(struct chat_live *live, const char *text, size_t len)
{
    char *typed = chat_typed_clean(text, len);
    if (typed[0] == '\0') {
        prompt_erase_read(live->prompt);
    } else if (strlen(typed) > CHAT_TYPED_MAX_BYTES) {
        chat_live_tell(live, "not sent: longer than %d bytes", CHAT_TYPED_MAX_BYTES);
    } else {
        submit(live, typed);
    }
    free(typed);
}

static void on_typed(struct chat_live *live, const char *text)
{
    while (!live->over) {
        size_t len = strcspn(text, "\n");
        on_typed_line(live, text, len);
        if (text[len] == '\0') {
            return;
        }
        text += len + 1;
    }
}

/* ---- waiting ---- */

static void on_signal(struct chat_live *live, int signo)
{
    if (signo == SIGINT && prompt_has_typed(live->prompt)) {
        prompt_drop_typed(live->prompt);
    } else {
        leave(live, "/quit");
    }
}

static void on_deadline(struct chat_live *live)
{
    live->deadline_ms = -1;
    if (live->leaving) {
        chat_live_finish(live, EXIT_DONE);
    } else if (live->session) {
        live->ops->on_deadline(live->session);
    }
}

static void run_timers(struct chat_live *live)
{
    int64_t now_ms = chat_now_ms();
    if (live->retry_ms >= 0 && now_ms >= live->retry_ms) {
        live->retry_ms = -1;
        chat_link_open(&live->link, &live->options->target);
    }
    chat_link_tick(&live->link, now_ms);
    if (!live->over && live->deadline_ms >= 0 && now_ms >= live->deadline_ms) {
        on_deadline(live);
    }
    if (!live->over && live->session) {
        live->ops->tick(live->session, now_ms);
    }
}

static size_t prepare(struct pollfd *fds, int *ret_timeout_ms, void *user)
{
    struct chat_live *live = user;
    const int64_t times[] = {live->retry_ms, live->deadline_ms, chat_link_deadline(&live->link),
                             live->session ? live->ops->next_ms(live->session) : -1};
    int64_t first = -1;
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        if (times[i] >= 0 && (first < 0 || times[i] < first)) {
            first = times[i];
        }
    }
    *ret_timeout_ms = chat_wait_ms(first);
    fds[0] = (struct pollfd){.fd = live->signal_fd, .events = POLLIN};
    return 1 + chat_link_prepare(&live->link, &fds[1]);
}

static bool ready(const struct pollfd *fds, size_t count, void *user)
{
    struct chat_live *live = user;
    if (count > 1 && live->link.fd == fds[1].fd) {
        chat_link_ready(&live->link, fds[1].revents);
    }
    int signo = fds[0].revents != 0 ? stop_signal_take(live->signal_fd) : 0;
    if (signo != 0 && !live->over) {
        on_signal(live, signo);
    }
    if (!live->over) {
        run_timers(live);
    }
    return !live->over;
}

static const struct prompt_events prompt_events = {.prepare = prepare, .ready = ready};

/* ---- all of it ---- */

static bool wants_colours(void)
{
    const char *no = getenv("NO_COLOR"); /* no-color.org: set and not empty */
    return (!no || no[0] == '\0') && prompt_has_cursor();
}

static void read_lines(struct chat_live *live)
{
    while (!live->over) {
        char *typed;
        enum prompt_result result = prompt_read(live->prompt, &typed);
        if (result == PROMPT_LINE) {
            on_typed(live, typed);
            free(typed);
        } else if (result == PROMPT_END) {
            leave(live, "/quit");
            break;
        }
    }
    /* The prompt is at its end; the goodbye is still to come. */
    while (!live->over) {
        struct pollfd fds[PROMPT_POLL_MAX];
        int timeout_ms;
        size_t count = prepare(fds, &timeout_ms, live);
        if (poll(fds, count, timeout_ms) >= 0) {
            (void)ready(fds, count, live);
        }
    }
}

/* Frees all but the prompt. Returns: the lines that nobody has seen. */
static size_t clear(struct chat_live *live)
{
    size_t left = live->early_count;
    chat_link_finish(&live->link);
    if (live->session) {
        left += live->ops->left(live->session);
        live->ops->destroy(live->session);
    }
    for (size_t i = 0; i < live->early_count; i++) {
        free(live->early[i]);
    }
    free(live->early);
    (void)close(live->signal_fd);
    return left;
}

int chat_live_run(const struct chat_options *options)
{
    struct chat_live live = {.options = options, .retry_ms = -1, .deadline_ms = -1};
    live.signal_fd = stop_signal_open();
    if (live.signal_fd < 0) {
        chat_complain("%s", party_strerror(live.signal_fd));
        return EXIT_FAILED;
    }
    srandom((unsigned)getpid() ^ (unsigned)chat_now_ms());
    live.colours = wants_colours();
    live.prompt = prompt_create("> ", &prompt_events, &live);
    chat_link_init(&live.link, &link_events, &live, options->tls);
    chat_link_open(&live.link, &options->target);
    read_lines(&live);
    prompt_destroy(live.prompt);
    if (live.failure[0] != '\0') {
        chat_complain("%s", live.failure);
    }
    size_t left = clear(&live);
    if (left > 0) {
        chat_complain("%zu line%s not said", left, left == 1 ? " was" : "s were");
    }
    return live.code == EXIT_DONE && left > 0 ? EXIT_FAILED : live.code;
}
