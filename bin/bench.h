/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_H
#define BIN_BENCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <partyline/address.h>

#include "bench_proc.h"
#include "bench_report.h"

/* What the scenarios of "partyline bench" have in common: their options and small helpers. */

enum bench_protocol {
    BENCH_RAW,  /* whatever a line is, everybody gets it: the floor servers, echo servers */
    BENCH_LINE, /* partyline's line front */
    BENCH_IRC,
};

struct bench_options {
    const char *connect; /* as given */
    struct party_address target;
    enum bench_protocol protocol;
    const char *room;  /* NULL: the protocol's default */
    const char *json;  /* NULL: no JSON */
    uint64_t members;  /* connections, 1.. */
    uint64_t senders;  /* 1..members */
    uint64_t window;   /* messages outstanding in all, 1.. */
    uint64_t size;     /* bytes of a line with its newline */
    uint64_t depth;    /* echo: requests in flight on each connection */
    uint64_t messages; /* 0: run for seconds */
    double seconds, warmup, hold;
    double patience; /* seconds without progress until the run has failed */
    uint64_t pid;    /* the server's; 0: not measured */
};

/* The scenarios. They return an exit code. */
int bench_room(const struct bench_options *options);
int bench_idle(const struct bench_options *options);
int bench_echo(const struct bench_options *options);

/** Prints "partyline bench: cause" to standard error. */
void bench_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Monotonic time, ns. */
int64_t bench_now_ns(void);

/** CPU time of the server. True, and zero, without --pid; false after a complaint. */
bool bench_cpu(const struct bench_options *options, struct proc_cpu *ret_cpu);

/** Memory of the server; as bench_cpu. */
bool bench_memory(const struct bench_options *options, struct proc_memory *ret_memory);

/** Rows for the CPU time of each unit: all, user, system. Nothing without --pid. */
void bench_report_cpu(struct bench_report *report, const struct bench_options *options,
                      const struct proc_cpu *from, const struct proc_cpu *to, uint64_t units);

/** Rows for memory now; nothing without --pid. False after a complaint. */
bool bench_report_memory(struct bench_report *report, const struct bench_options *options);

/** Writes the result. Returns: EXIT_DONE when good, else EXIT_FAILED. */
int bench_publish(const struct bench_report *report, const struct bench_options *options,
                  bool good);

#endif
