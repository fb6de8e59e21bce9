/* SPDX-License-Identifier: MIT */
/* What the scenarios measure of the server and how they tell it. */
#include "bench.h"

#include <partyline/error.h>

#include "command.h"

bool bench_cpu(const struct bench_options *options, struct proc_cpu *ret_cpu)
{
    *ret_cpu = (struct proc_cpu){0};
    int r = options->pid == 0 ? 0 : proc_cpu_read((pid_t)options->pid, ret_cpu);
    if (r < 0) {
        bench_complain("CPU time of process %d: %s", (int)options->pid, party_strerror(r));
    }
    return r == 0;
}

bool bench_memory(const struct bench_options *options, struct proc_memory *ret_memory)
{
    *ret_memory = (struct proc_memory){0};
    int r = options->pid == 0 ? 0 : proc_memory_read((pid_t)options->pid, ret_memory);
    if (r < 0) {
        bench_complain("memory of process %d: %s", (int)options->pid, party_strerror(r));
    }
    return r == 0;
}

void bench_report_cpu(struct bench_report *report, const struct bench_options *options,
                      const struct proc_cpu *from, const struct proc_cpu *to, uint64_t units)
{
    if (options->pid == 0 || units == 0) {
        return;
    }
    double user = (double)(to->user_us - from->user_us);
    double sys = (double)(to->sys_us - from->sys_us);
    double total = (double)(to->total_ns - from->total_ns) / 1e3;
    double each = total / (double)units;
    report_number(report, "server_cpu_us", "server CPU each, us", each, 4);
    if (user + sys > 0) {
        report_number(report, "server_user_us", "  user, us", each * user / (user + sys), 4);
        report_number(report, "server_sys_us", "  system, us", each * sys / (user + sys), 4);
    }
    report_number(report, "server_cpu_s", "server CPU in all, s", total / 1e6, 3);
}

bool bench_report_memory(struct bench_report *report, const struct bench_options *options)
{
    struct proc_memory memory;
    if (options->pid == 0) {
        return true;
    }
    if (!bench_memory(options, &memory)) {
        return false;
    }
    report_number(report, "server_rss_kib", "server RSS, KiB", (double)memory.rss_kib, 0);
    report_number(report, "server_pss_kib", "server PSS, KiB", (double)memory.pss_kib, 0);
    return true;
}

int bench_publish(const struct bench_report *report, const struct bench_options *options, bool good)
{
    int r = report_publish(report, options->json);
    if (r < 0) {
        bench_complain("%s: %s", options->json == NULL ? "standard output" : options->json,
                       party_strerror(r));
        return EXIT_FAILED;
    }
    return good ? EXIT_DONE : EXIT_FAILED;
}
