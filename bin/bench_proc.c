/* SPDX-License-Identifier: MIT */
#include "bench_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int proc_parse_stat(const char *text, long ticks_per_s, struct proc_cpu *ret_cpu)
{
    /* The second field is the program's name in brackets and may itself hold blanks and brackets.
     */
    const char *rest = strrchr(text, ')');
    uint64_t user, sys;
    if (rest == NULL || ticks_per_s <= 0 ||
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user,
               &sys) != 2) {
        return -EPROTO;
    }
    ret_cpu->user_us = (int64_t)user * 1000000 / ticks_per_s;
    ret_cpu->sys_us = (int64_t)sys * 1000000 / ticks_per_s;
    return 0;
}

static int line_value(const char *text, const char *name, int64_t *ret_value)
{
    const char *at = strstr(text, name);
    return at != NULL && sscanf(at + strlen(name), " %" SCNd64 " kB", ret_value) == 1 ? 0 : -EPROTO;
}

int proc_parse_rollup(const char *text, struct proc_memory *ret_memory)
{
    struct proc_memory memory;
    if (line_value(text, "\nRss:", &memory.rss_kib) != 0 ||
        line_value(text, "\nPss:", &memory.pss_kib) != 0) {
        return -EPROTO;
    }
    *ret_memory = memory;
    return 0;
}

static int read_file(pid_t pid, const char *name, char *text, size_t cap)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return -errno;
    }
    size_t len = 0;
    ssize_t got;
    int r = 0;
    while (len < cap - 1 && (got = read(fd, text + len, cap - 1 - len)) != 0) {
        if (got == -1) {
            r = -errno;
            break;
        }
        len += (size_t)got;
    }
    text[len] = '\0';
    (void)close(fd);
    return r;
}

int proc_cpu_read(pid_t pid, struct proc_cpu *ret_cpu)
{
    char text[2048];
    struct proc_cpu cpu;
    struct timespec total;
    clockid_t clock;
    int r = read_file(pid, "stat", text, sizeof text);
    if (r == 0) {
        r = proc_parse_stat(text, sysconf(_SC_CLK_TCK), &cpu);
    }
    if (r == 0) {
        r = -clock_getcpuclockid(pid, &clock);
    }
    if (r < 0) {
        return r;
    }
    if (clock_gettime(clock, &total) == -1) {
        return -errno;
    }
    cpu.total_ns = (int64_t)total.tv_sec * 1000000000 + total.tv_nsec;
    *ret_cpu = cpu;
    return 0;
}

int proc_memory_read(pid_t pid, struct proc_memory *ret_memory)
{
    char text[4096];
    int r = read_file(pid, "smaps_rollup", text, sizeof text);
    return r < 0 ? r : proc_parse_rollup(text, ret_memory);
}
