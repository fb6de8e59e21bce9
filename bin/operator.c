/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "ctl_link.h"
#include "prompt.h"

struct operator
{
    const struct operator_events *events;
    struct prompt *prompt;
    struct ctl_link link;
    bool printed; /* since the last answer's end */
    bool over;
};

static void on_text(const char *line, size_t len, void *user)
{
    struct operator* op = user;
    op->printed = true;
    prompt_print(op->prompt, line, len);
}

static void print_words(struct operator* op, const char *before, const char *words)
{
    size_t cap = strlen(before) + strlen(words) + 1;
    char *line = xmalloc(cap);
    int len = snprintf(line, cap, "%s%s", before, words);
    prompt_print(op->prompt, line, (size_t)len);
    free(line);
}

static void on_answer_end(const char *cause, void *user)
{
    struct operator* op = user;
    if (cause) {
        print_words(op, "error: ", cause);
    } else if (!op->printed) {
        print_words(op, "ok", "");
    }
    op->printed = false;
}

static const struct ctl_link_events link_events = {.on_text = on_text, .on_end = on_answer_end};

static size_t prepare(struct pollfd *fds, int *ret_timeout_ms, void *user)
{
    struct operator* op = user;
    (void)ret_timeout_ms;
    /* poll leaves out what is -1. */
    fds[0] = (struct pollfd){.fd = op->events->fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = op->link.fd, .events = POLLIN};
    return 2;
}

static void lose(struct operator* op, int code)
{
    ctl_link_close(&op->link);
    const char *cause = code == PARTY_EOF ? "the server has ended" : party_strerror(code);
    if (!op->events->on_lost(op->prompt, cause, op->events->user)) {
        op->over = true;
    }
}

static bool ready(const struct pollfd *fds, size_t count, void *user)
{
    struct operator* op = user;
    (void)count;
    if (fds[1].revents != 0 && op->link.fd != -1) {
        int r = ctl_link_receive(&op->link, false);
        if (r < 0) {
            lose(op, r);
        }
    }
    if (fds[0].revents != 0 && !op->over && !op->events->on_ready(op->prompt, op->events->user)) {
        op->over = true;
    }
    return !op->over;
}

static const struct prompt_events prompt_events = {.prepare = prepare, .ready = ready};

static void submit(struct operator* op, const char *command)
{
    if (op->link.fd == -1) {
        print_words(op, "error: ", "the server cannot be talked to any more");
        return;
    }
    int r = ctl_link_send(&op->link, command);
    if (r == -EBUSY) {
        print_words(op, "error: ", "too many commands wait for their answer");
    } else if (r == -EINVAL) {
        print_words(op, "error: ", "one line at a time");
    } else if (r < 0) {
        lose(op, r);
    }
}

/* After Ctrl-D: prints until an event ends it. */
static void linger(struct operator* op)
{
    while (!op->over) {
        struct pollfd fds[PROMPT_POLL_MAX];
        int timeout_ms = -1;
        size_t count = prepare(fds, &timeout_ms, op);
        if (poll(fds, count, timeout_ms) > 0) {
            (void)ready(fds, count, op);
            (void)fflush(stdout);
        }
    }
}

int operator_run(const char *path, const struct operator_events *events)
{
    struct operator op = {.events = events};
    int r = ctl_link_open(&op.link, path, &link_events, &op);
    if (r < 0) {
        return r;
    }
    op.prompt = prompt_create(">> ", &prompt_events, &op);
    while (!op.over) {
        char *typed;
        enum prompt_result result = prompt_read(op.prompt, &typed);
        if (result == PROMPT_LINE) {
            if (typed[strspn(typed, " ")] != '\0') {
                submit(&op, typed);
            }
            free(typed);
        } else if (result == PROMPT_END) {
            op.over = !events->on_end(op.prompt, events->user);
            linger(&op);
        }
    }
    prompt_destroy(op.prompt);
    ctl_link_close(&op.link);
    return 0;
}
