/* SPDX-License-Identifier: MIT */
#include "bench_report.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

static struct report_row *add(struct bench_report *report, const char *key, const char *label)
{
    assert(report->count < REPORT_ROWS_MAX);
    struct report_row *row = &report->rows[report->count++];
    *row = (struct report_row){.key = key, .label = label};
    return row;
}

void report_text(struct bench_report *report, const char *key, const char *label, const char *text)
{
    add(report, key, label)->text = text;
}

void report_number(struct bench_report *report, const char *key, const char *label, double number,
                   int decimals)
{
    struct report_row *row = add(report, key, label);
    row->number = number;
    row->decimals = decimals;
}

void report_latency(struct bench_report *report, const struct bench_hist *hist)
{
    report_number(report, "p50_us", "latency p50, us",
                  (double)bench_hist_percentile(hist, 50) / 1e3, 1);
    report_number(report, "p90_us", "latency p90, us",
                  (double)bench_hist_percentile(hist, 90) / 1e3, 1);
    report_number(report, "p99_us", "latency p99, us",
                  (double)bench_hist_percentile(hist, 99) / 1e3, 1);
    report_number(report, "max_us", "latency max, us", (double)hist->max / 1e3, 1);
}

void report_write_table(const struct bench_report *report, FILE *to)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct report_row *row = &report->rows[i];
        if (row->text != NULL) {
            (void)fprintf(to, "%-28s %16s\n", row->label, row->text);
        } else {
            (void)fprintf(to, "%-28s %16.*f\n", row->label, row->decimals, row->number);
        }
    }
}

static void write_string(const char *text, FILE *to)
{
    (void)putc('"', to);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            (void)fprintf(to, "\\%c", c);
        } else if (c < 0x20) {
            (void)fprintf(to, "\\u%04x", c);
        } else {
            (void)putc(c, to);
        }
    }
    (void)putc('"', to);
}

void report_write_json(const struct bench_report *report, FILE *to)
{
    (void)putc('{', to);
    for (size_t i = 0; i < report->count; i++) {
        const struct report_row *row = &report->rows[i];
        (void)fprintf(to, "%s\"%s\": ", i == 0 ? "" : ", ", row->key);
        if (row->text != NULL) {
            write_string(row->text, to);
        } else {
            (void)fprintf(to, "%.*f", row->decimals, row->number);
        }
    }
    (void)fputs("}\n", to);
}

int report_publish(const struct bench_report *report, const char *json)
{
    if (json != NULL && strcmp(json, "-") == 0) {
        report_write_json(report, stdout);
        return fflush(stdout) == 0 ? 0 : -errno;
    }
    report_write_table(report, stdout);
    if (fflush(stdout) != 0) {
        return -errno;
    }
    if (json == NULL) {
        return 0;
    }
    FILE *to = fopen(json, "we");
    if (to == NULL) {
        return -errno;
    }
    report_write_json(report, to);
    return fclose(to) == 0 ? 0 : -errno;
}
