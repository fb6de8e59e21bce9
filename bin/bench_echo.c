/* SPDX-License-Identifier: MIT */
/*
 * All requests are the same bytes, so one block of them, laid end to end, is both what is sent and
 * what each read is compared with: a connection needs no buffer, only its place in the stream.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "bench_crowd.h"
#include "command.h"

#define READ_BYTES (64 * 1024)

struct line_of_requests {
    uint64_t sent, received; /* bytes */
    uint64_t wanted;         /* bytes to have been sent by now */
    bool waiting;            /* for room to send */
};

struct echo {
    struct crowd crowd;
    struct party_timer phase, tick;
    struct line_of_requests *lines; /* one per connection */
    int64_t *sent_ns;               /* depth per connection: when request n % depth went out */
    char *stream;                   /* requests end to end: READ_BYTES and one more request */
    char *chunk;
    uint64_t done, done_at_tick; /* requests */
    uint64_t measured;           /* requests */
    int64_t from_ns, to_ns;
    struct proc_cpu from_cpu, to_cpu;
    struct bench_hist hist;
};

static void on_ready(struct party_watch *watch, unsigned events, void *user);

static void push(struct echo *echo, struct crowd_member *member)
{
    struct line_of_requests *line = &echo->lines[member->index];
    uint64_t size = echo->crowd.options->size;
    while (line->sent < line->wanted) {
        size_t at = line->sent % size;
        size_t len = line->wanted - line->sent;
        len = len < READ_BYTES ? len : READ_BYTES;
        ssize_t put = send(member->fd, echo->stream + at, len, MSG_NOSIGNAL);
        if (put == -1 && errno != EAGAIN && errno != EINTR) {
            crowd_fail(&echo->crowd, "connection %u: %s", member->index, party_strerror(-errno));
            return;
        }
        if (put == -1) {
            break;
        }
        line->sent += (uint64_t)put;
    }
    bool waiting = line->sent < line->wanted;
    if (waiting != line->waiting) {
        line->waiting = waiting;
        if (party_watch_modify(&member->watch, waiting ? PARTY_READ | PARTY_WRITE : PARTY_READ) <
            0) {
            crowd_fail(&echo->crowd, "connection %u: cannot be watched", member->index);
        }
    }
}

/* count more requests are to be sent; they are stamped now, though a full socket may delay them. */
static void request(struct echo *echo, struct crowd_member *member, uint64_t count)
{
    const struct bench_options *options = echo->crowd.options;
    struct line_of_requests *line = &echo->lines[member->index];
    int64_t now = bench_now_ns();
    uint64_t first = line->wanted / options->size;
    for (uint64_t i = first; i < first + count; i++) {
        echo->sent_ns[member->index * options->depth + i % options->depth] = now;
    }
    line->wanted += count * options->size;
    push(echo, member);
}

static void take(struct echo *echo, struct crowd_member *member, size_t len)
{
    const struct bench_options *options = echo->crowd.options;
    struct line_of_requests *line = &echo->lines[member->index];
    if (line->received + len > line->sent ||
        memcmp(echo->chunk, echo->stream + line->received % options->size, len) != 0) {
        crowd_fail(&echo->crowd, "connection %u: other bytes came back than were sent",
                   member->index);
        return;
    }
    uint64_t first = line->received / options->size;
    line->received += len;
    uint64_t count = line->received / options->size - first;
    if (count == 0) {
        return;
    }
    int64_t now = bench_now_ns();
    for (uint64_t i = first; i < first + count; i++) {
        int64_t sent = echo->sent_ns[member->index * options->depth + i % options->depth];
        bench_hist_record(&echo->hist, now - sent);
    }
    echo->done += count;
    request(echo, member, count);
}

static void on_ready(struct party_watch *watch, unsigned events, void *user)
{
    struct crowd_member *member = user;
    struct echo *echo = member->crowd->user;
    (void)watch;
    if ((events & PARTY_WRITE) != 0) {
        push(echo, member);
    }
    if ((events & (PARTY_READ | PARTY_ERROR)) == 0) {
        return;
    }
    ssize_t got = recv(member->fd, echo->chunk, READ_BYTES, 0);
    if (got > 0) {
        take(echo, member, (size_t)got);
    } else if (got == 0) {
        crowd_fail(&echo->crowd, "connection %u: the server closed it", member->index);
    } else if (errno != EAGAIN && errno != EINTR) {
        crowd_fail(&echo->crowd, "connection %u: %s", member->index, party_strerror(-errno));
    }
}

static void start_timer(struct echo *echo, struct party_timer *timer, double seconds,
                        party_timer_fn fn)
{
    if (party_timer_start(echo->crowd.loop, timer, (int64_t)(seconds * 1e9), fn, echo) < 0) {
        crowd_fail(&echo->crowd, "out of memory");
    }
}

static void on_measured(struct party_timer *timer, void *user)
{
    struct echo *echo = user;
    (void)timer;
    echo->to_ns = bench_now_ns();
    echo->measured = echo->done - echo->measured;
    if (!bench_cpu(echo->crowd.options, &echo->to_cpu)) {
        crowd_fail(&echo->crowd, "the server cannot be measured");
    }
    crowd_stop(&echo->crowd);
}

static void on_warm(struct party_timer *timer, void *user)
{
    struct echo *echo = user;
    (void)timer;
    if (!bench_cpu(echo->crowd.options, &echo->from_cpu)) {
        crowd_fail(&echo->crowd, "the server cannot be measured");
        return;
    }
    echo->hist = (struct bench_hist){0};
    echo->measured = echo->done;
    echo->from_ns = bench_now_ns();
    start_timer(echo, &echo->phase, echo->crowd.options->seconds, on_measured);
}

static void on_all_joined(struct crowd *crowd, void *user)
{
    struct echo *echo = user;
    for (size_t i = 0; i < crowd->count; i++) {
        struct crowd_member *member = &crowd->members[i];
        party_watch_stop(&member->watch);
        if (party_watch_start(crowd->loop, &member->watch, member->fd, PARTY_READ, on_ready,
                              member) < 0) {
            crowd_fail(crowd, "connection %u: cannot be watched", member->index);
            return;
        }
        request(echo, member, crowd->options->depth);
    }
    start_timer(echo, &echo->phase, crowd->options->warmup, on_warm);
}

static void on_tick(struct party_timer *timer, void *user)
{
    struct echo *echo = user;
    uint64_t progress = echo->done + echo->crowd.joined;
    if (progress == echo->done_at_tick) {
        crowd_fail(&echo->crowd, "nothing came back for %g s", echo->crowd.options->patience);
        return;
    }
    echo->done_at_tick = progress;
    start_timer(echo, timer, echo->crowd.options->patience, on_tick);
}

static bool report(const struct echo *echo, struct bench_report *ret_report)
{
    const struct bench_options *options = echo->crowd.options;
    double seconds = (double)(echo->to_ns - echo->from_ns) / 1e9;
    report_text(ret_report, "bench", "bench", "echo");
    report_number(ret_report, "connections", "connections", (double)options->members, 0);
    report_number(ret_report, "size", "bytes of a request", (double)options->size, 0);
    report_number(ret_report, "depth", "requests in flight each", (double)options->depth, 0);
    report_number(ret_report, "seconds", "measured, s", seconds, 3);
    report_number(ret_report, "requests", "requests", (double)echo->measured, 0);
    report_number(ret_report, "requests_per_s", "requests/s", (double)echo->measured / seconds, 0);
    report_latency(ret_report, &echo->hist);
    bench_report_cpu(ret_report, options, &echo->from_cpu, &echo->to_cpu, echo->measured);
    return bench_report_memory(ret_report, options);
}

static void make_stream(struct echo *echo)
{
    size_t size = echo->crowd.options->size;
    echo->stream = xmalloc(READ_BYTES + size);
    for (size_t i = 0; i < READ_BYTES + size; i++) {
        size_t place = i % size;
        echo->stream[i] = place == size - 1 ? '\n' : (char)('a' + place % 26);
    }
}

int bench_echo(const struct bench_options *options)
{
    static const struct crowd_events events = {.on_all_joined = on_all_joined};
    struct echo *echo = xcalloc(1, sizeof *echo);
    struct bench_report result = {0};
    int code = EXIT_FAILED;
    if (crowd_init(&echo->crowd, options, &events, echo) == 0) {
        echo->lines = xcalloc(options->members, sizeof *echo->lines);
        echo->sent_ns = xcalloc(options->members * options->depth, sizeof *echo->sent_ns);
        echo->chunk = xmalloc(READ_BYTES);
        make_stream(echo);
        start_timer(echo, &echo->tick, options->patience, on_tick);
        if (crowd_run(&echo->crowd) == 0 && report(echo, &result)) {
            code = bench_publish(&result, options, true);
        }
        crowd_finish(&echo->crowd);
        free(echo->lines);
        free(echo->sent_ns);
        free(echo->chunk);
        free(echo->stream);
    }
    free(echo);
    return code;
}
