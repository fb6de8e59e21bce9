/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_PROC_H
#define BIN_BENCH_PROC_H

#include <stdint.h>
#include <sys/types.h>

#include <partyline/api.h>

/* What a process has used, all its threads together, as /proc tells it. */

struct proc_cpu {
    int64_t total_ns;        /* by the kernel's clock of the process: exact */
    int64_t user_us, sys_us; /* in steps of a tick, 10 ms as a rule: for the shares only */
};

struct proc_memory {
    int64_t rss_kib, pss_kib;
};

/** Reads user_us and sys_us from the text of /proc/PID/stat. Returns: 0; -EPROTO when it is none.
 */
PARTY_MUST_USE int proc_parse_stat(const char *text, long ticks_per_s, struct proc_cpu *ret_cpu);

/** Reads the text of /proc/PID/smaps_rollup. Returns: 0; -EPROTO when it is no such text. */
PARTY_MUST_USE int proc_parse_rollup(const char *text, struct proc_memory *ret_memory);

/** CPU time so far. Returns: 0; -errno of open(2), read(2), clock_getcpuclockid(3); -EPROTO. */
PARTY_MUST_USE int proc_cpu_read(pid_t pid, struct proc_cpu *ret_cpu);

/** Memory now. Returns: as proc_cpu_read; -EACCES for a process of somebody else. */
PARTY_MUST_USE int proc_memory_read(pid_t pid, struct proc_memory *ret_memory);

#endif
