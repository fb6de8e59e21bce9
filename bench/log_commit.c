/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/event.h"
#include "log/log.h"

/*
 * What storing costs: commits of one message and of 32, in 8 rooms and between two people, each
 * with who said it and from where.
 *
 *     log_commit DIR [COMMITS]
 *
 * DIR must be fresh. Prints the time and the CPU time per commit, in microseconds.
 */

#define ROOMS 8
#define BATCH 32

struct run {
    struct log *log;
    uint64_t number;
    uint64_t seqs[ROOMS];
};

static double seconds(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct event *next_event(struct run *run, bool private)
{
    uint32_t room = (uint32_t)(run->number % ROOMS);
    struct event_parts parts = {
        .type = private ? EVENT_PRIVATE_TO : EVENT_MESSAGE,
        .audience = private ? AUDIENCE_SESSION : AUDIENCE_ROOM,
        .durable = true,
        .room_id = private ? 0 : room + 1,
        .room = "room",
        .room_len = 4,
        .seq = private ? 0 : ++run->seqs[room],
        .number = ++run->number,
        .time_ms = 1700000000000 + (int64_t)run->number,
        .identity = UINT64_C(0x1234567812345678) + room,
        .peer_identity = UINT64_C(0x8765432187654321),
        .actor = "alice",
        .actor_len = 5,
        .target = "bob",
        .target_len = 3,
        .source = "~alice@a1b2c3d4.cloak.example",
        .source_len = 29,
        .text = "a line of chat of the usual length, sixty-four bytes of it, done",
        .text_len = 64,
    };
    return event_create(&parts);
}

static void measure(struct run *run, const char *name, bool private, unsigned batch, long commits)
{
    struct event_list list = {0};
    double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    for (long i = 0; i < commits; i++) {
        for (unsigned n = 0; n < batch; n++) {
            event_list_take(&list, next_event(run, private));
        }
        if (log_commit(run->log, list.items, list.count) != LOG_OK) {
            (void)fprintf(stderr, "%s\n", log_message(run->log));
            exit(1);
        }
        event_list_clear(&list);
    }
    wall = seconds(CLOCK_MONOTONIC) - wall;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    (void)printf("%-8s %2u a commit: %7.1f us, CPU %6.1f us\n", name, batch,
                 wall / (double)commits * 1e6, cpu / (double)commits * 1e6);
    event_list_finish(&list);
}

int main(int argc, char **argv)
{
    struct run run = {0};
    char message[512];
    if (argc < 2) {
        (void)fprintf(stderr, "usage: log_commit DIR [COMMITS]\n");
        return 2;
    }
    long commits = argc > 2 ? strtol(argv[2], NULL, 10) : 20000;
    if (log_open(argv[1], &run.log, message, sizeof(message)) != LOG_OK) {
        (void)fprintf(stderr, "%s\n", message);
        return 1;
    }
    log_reserve(run.log);
    measure(&run, "rooms", false, 1, commits);
    measure(&run, "rooms", false, BATCH, commits / 10);
    measure(&run, "private", true, 1, commits);
    measure(&run, "private", true, BATCH, commits / 10);
    log_close(run.log);
    return 0;
}
