/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_TEST_UTIL_H
#define PARTYLINE_LOOP_TEST_UTIL_H

/*
 * What the loop's tests share: a loop on the backend under test, a clock that stands still until a
 * test moves it, and a trace of calls. Included after cmocka.h by tests only.
 *
 * Every test program of the loop and the server is entered once per backend; the second entry has
 * PARTY_TEST_BACKEND in its environment, and skips as a whole where that backend is missing.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "loop/loop_internal.h"

/* Settings of a loop on the backend under test. */
static inline struct party_loop_settings test_settings(void)
{
    return (struct party_loop_settings){.backend = getenv("PARTY_TEST_BACKEND")};
}

static inline bool on_epoll(void)
{
    const char *name = test_settings().backend;
    return name == NULL || strcmp(name, "epoll") == 0;
}

static inline void say_skip(enum party_log_level level, const char *message, void *user)
{
    (void)level;
    (void)user;
    (void)printf("1..0 # SKIP %s\n", message);
}

/* Before main, as cmocka cannot leave out a whole program. */
__attribute__((constructor)) static void skip_without_backend(void)
{
    struct party_loop_settings settings = test_settings();
    struct party_loop *loop = NULL;
    settings.log = say_skip;
    if (party_loop_create(&settings, &loop) < 0) {
        return; /* The tests will tell. */
    }
    bool missing =
        settings.backend != NULL && strcmp(party_loop_backend(loop), settings.backend) != 0;
    party_loop_destroy(loop);
    if (missing) {
        exit(0);
    }
}

static inline struct party_loop *create_loop(void)
{
    struct party_loop_settings settings = test_settings();
    struct party_loop *loop = NULL;
    assert_int_equal(party_loop_create(&settings, &loop), 0);
    assert_non_null(loop);
    return loop;
}

static inline int64_t read_test_clock(void *user)
{
    const int64_t *clock_ns = user;
    return *clock_ns;
}

/* From here on the loop's time is *clock_ns. */
static inline void use_test_clock(struct party_loop *loop, int64_t *clock_ns)
{
    loop->clock_ns = read_test_clock;
    loop->clock_user = clock_ns;
    loop->now_ns = *clock_ns;
}

/* A turn; where calls are interrupted on purpose (tests/faults) several, as each may come to less.
 */
static inline void run_turn(struct party_loop *loop)
{
    const char *turns = getenv("PARTY_FAULT_TURNS");
    for (long left = turns == NULL ? 1 : strtol(turns, NULL, 10); left > 0; left--) {
        assert_int_equal(party_loop_run_once(loop, 0), 0);
    }
}

/* Returns once the loop has announced that it waits; it may still be on its way into the kernel. */
static inline void await_sleep(struct party_loop *loop)
{
    while (!atomic_load(&loop->mailbox.sleeping)) {
        sched_yield();
    }
}

static inline int make_eventfd(unsigned count)
{
    int fd = eventfd(count, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_not_equal(fd, -1);
    return fd;
}

/* The lowest free descriptor: the same before and after when nothing leaked. */
static inline int lowest_free_fd(void)
{
    int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd == -1) {
        fd = make_eventfd(0);
    }
    close(fd);
    return fd;
}

struct trace {
    char letters[64];
    size_t len;
};

static inline void trace_add(struct trace *trace, char letter)
{
    assert_true(trace->len + 1 < sizeof trace->letters);
    trace->letters[trace->len++] = letter;
    trace->letters[trace->len] = '\0';
}

/* A task that writes its letter. */
struct letter_task {
    struct party_task task;
    struct trace *trace;
    char letter;
};

static inline void write_letter(struct party_task *task, void *user)
{
    (void)task;
    struct letter_task *self = user;
    trace_add(self->trace, self->letter);
}

static inline void letter_task_init(struct letter_task *self, struct trace *trace, char letter)
{
    self->trace = trace;
    self->letter = letter;
    party_task_init(&self->task, write_letter, self);
}

#endif
