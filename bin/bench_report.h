/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_REPORT_H
#define BIN_BENCH_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "bench_hist.h"

/* The result of a run: named values in order, written as a table for people or as one JSON object.
 */

#define REPORT_ROWS_MAX 48

struct report_row {
    const char *key;   /* in JSON; borrowed */
    const char *label; /* in the table; borrowed */
    const char *text;  /* NULL for a number; borrowed */
    double number;
    int decimals;
};

struct bench_report {
    size_t count;
    struct report_row rows[REPORT_ROWS_MAX];
};

void report_text(struct bench_report *report, const char *key, const char *label, const char *text);
void report_number(struct bench_report *report, const char *key, const char *label, double number,
                   int decimals);
/** Percentiles 50, 90, 99 and the maximum of times in ns, as microseconds. */
void report_latency(struct bench_report *report, const struct bench_hist *hist);

void report_write_table(const struct bench_report *report, FILE *to);
void report_write_json(const struct bench_report *report, FILE *to);

/**
 * Writes the table to standard output and, when json is not NULL, JSON to that file; "-" is
 * standard output, and then there is no table. Returns: 0; -errno.
 */
int report_publish(const struct bench_report *report, const char *json);

#endif
