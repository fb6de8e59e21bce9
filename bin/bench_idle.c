/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "bench_crowd.h"
#include "command.h"

struct idle {
    struct crowd crowd;
    struct party_timer tick; /* looks for a standstill, then ends the hold */
    struct bench_hist hist;  /* from connect to the end of the greeting */
    size_t joined_before;    /* at the last tick */
    int64_t started_ns, joined_ns;
    struct proc_cpu hold_cpu;
};

static void on_joined(struct crowd_member *member, void *user)
{
    struct idle *idle = user;
    bench_hist_record(&idle->hist, bench_now_ns() - member->opened_ns);
}

static void on_hold_over(struct party_timer *timer, void *user)
{
    struct idle *idle = user;
    (void)timer;
    crowd_stop(&idle->crowd);
}

static void start_timer(struct idle *idle, double seconds, party_timer_fn fn)
{
    if (party_timer_start(idle->crowd.loop, &idle->tick, (int64_t)(seconds * 1e9), fn, idle) < 0) {
        crowd_fail(&idle->crowd, "out of memory");
    }
}

static void on_all_joined(struct crowd *crowd, void *user)
{
    struct idle *idle = user;
    idle->joined_ns = bench_now_ns();
    if (!bench_cpu(crowd->options, &idle->hold_cpu)) {
        crowd_fail(crowd, "the server cannot be measured");
        return;
    }
    start_timer(idle, crowd->options->hold, on_hold_over);
}

static void on_tick(struct party_timer *timer, void *user)
{
    struct idle *idle = user;
    (void)timer;
    if (idle->crowd.joined == idle->joined_before) {
        crowd_fail(&idle->crowd, "%zu of %zu members joined, then nothing more came",
                   idle->crowd.joined, idle->crowd.count);
        return;
    }
    idle->joined_before = idle->crowd.joined;
    start_timer(idle, idle->crowd.options->patience, on_tick);
}

/* Returns false after a complaint. */
static bool report(const struct idle *idle, const struct proc_memory *before,
                   const struct proc_cpu *cpu_before, struct bench_report *ret_report)
{
    const struct bench_options *options = idle->crowd.options;
    struct proc_memory after;
    struct proc_cpu cpu;
    if (!bench_memory(options, &after) || !bench_cpu(options, &cpu)) {
        return false;
    }
    double n = (double)options->members;
    double seconds = (double)(idle->joined_ns - idle->started_ns) / 1e9;
    report_text(ret_report, "bench", "bench", "idle");
    report_number(ret_report, "members", "members", n, 0);
    report_number(ret_report, "connect_s", "time to connect all, s", seconds, 3);
    report_number(ret_report, "connects_per_s", "connections/s", n / seconds, 0);
    report_latency(ret_report, &idle->hist);
    bench_report_cpu(ret_report, options, cpu_before, &idle->hold_cpu, options->members);
    report_number(ret_report, "hold_cpu_ms", "server CPU while idle, ms",
                  (double)(cpu.total_ns - idle->hold_cpu.total_ns) / 1e6, 2);
    report_number(ret_report, "rss_before_kib", "RSS before, KiB", (double)before->rss_kib, 0);
    report_number(ret_report, "pss_before_kib", "PSS before, KiB", (double)before->pss_kib, 0);
    report_number(ret_report, "rss_after_kib", "RSS after, KiB", (double)after.rss_kib, 0);
    report_number(ret_report, "pss_after_kib", "PSS after, KiB", (double)after.pss_kib, 0);
    report_number(ret_report, "rss_per_connection", "RSS per connection, bytes",
                  (double)(after.rss_kib - before->rss_kib) * 1024 / n, 0);
    report_number(ret_report, "pss_per_connection", "PSS per connection, bytes",
                  (double)(after.pss_kib - before->pss_kib) * 1024 / n, 0);
    return true;
}

static bool run(struct idle *idle, struct bench_report *ret_report)
{
    struct proc_memory before;
    struct proc_cpu cpu_before;
    if (!bench_memory(idle->crowd.options, &before) ||
        !bench_cpu(idle->crowd.options, &cpu_before)) {
        return false;
    }
    start_timer(idle, idle->crowd.options->patience, on_tick);
    idle->started_ns = bench_now_ns();
    bool good = crowd_run(&idle->crowd) == 0 && report(idle, &before, &cpu_before, ret_report);
    party_timer_stop(&idle->tick);
    return good;
}

int bench_idle(const struct bench_options *options)
{
    static const struct crowd_events events = {.on_joined = on_joined,
                                               .on_all_joined = on_all_joined};
    struct idle *idle = xcalloc(1, sizeof *idle);
    struct bench_report result = {0};
    int code = EXIT_FAILED;
    if (crowd_init(&idle->crowd, options, &events, idle) == 0) {
        if (run(idle, &result)) {
            code = bench_publish(&result, options, true);
        }
        crowd_finish(&idle->crowd);
    }
    free(idle);
    return code;
}
