/* SPDX-License-Identifier: MIT */
/*
 * loop_timer [COUNT [MILLISECONDS]]: counts, with a pause between, while the keyboard is watched,
 * too: Enter ends it.
 *
 * One thread waits for all at once. A timer calls once and is started anew; a watch calls whenever
 * its descriptor can be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <partyline/partyline.h>

struct counter {
    struct party_loop *loop;
    struct party_timer timer;
    struct party_watch keyboard;
    int64_t pause_ns;
    int now, last;
};

static void on_time(struct party_timer *timer, void *user)
{
    struct counter *counter = user;
    printf("%d\n", ++counter->now);
    if (counter->now == counter->last ||
        party_timer_start(counter->loop, timer, counter->pause_ns, on_time, counter) < 0) {
        party_loop_stop(counter->loop);
    }
}

static void on_keyboard(struct party_watch *keyboard, unsigned events, void *user)
{
    (void)events;
    struct counter *counter = user;
    char line[100];
    ssize_t n = read(keyboard->fd, line, sizeof(line));
    if (n <= 0) { /* its end: there is nothing to watch any more */
        party_watch_stop(keyboard);
    } else {
        party_loop_stop(counter->loop);
    }
}

int main(int argc, char *argv[])
{
    struct counter counter = {.last = argc > 1 ? atoi(argv[1]) : 3};
    long pause_ms = argc > 2 ? atol(argv[2]) : 1000;
    if (argc > 3 || counter.last < 1 || pause_ms < 0 || pause_ms > 3600 * 1000) {
        fprintf(stderr, "usage: loop_timer [COUNT [MILLISECONDS]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    counter.pause_ns = (int64_t)pause_ms * 1000 * 1000;

    int r = party_loop_create(NULL, &counter.loop);
    if (r == 0) {
        r = party_timer_start(counter.loop, &counter.timer, counter.pause_ns, on_time, &counter);
    }
    if (r == 0 && party_watch_start(counter.loop, &counter.keyboard, STDIN_FILENO, PARTY_READ,
                                    on_keyboard, &counter) < 0) {
        printf("counting without a keyboard\n"); /* a file: it cannot be waited for */
    }
    r = r < 0 ? r : party_loop_run(counter.loop);
    if (r < 0) {
        fprintf(stderr, "loop_timer: %s\n", party_strerror(r));
    }
    party_loop_destroy(counter.loop);
    return r < 0;
}
