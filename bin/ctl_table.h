/* SPDX-License-Identifier: MIT */
#ifndef BIN_CTL_TABLE_H
#define BIN_CTL_TABLE_H

#include <stddef.h>

/*
 * Rows with tabs between their cells, as columns for people. Up to CTL_TABLE_ROWS rows are laid out
 * together; with more, the table goes on with widths of its own.
 */

#define CTL_TABLE_ROWS    1000
#define CTL_TABLE_COLUMNS 8 /* further cells stay in the last column */

/** line is borrowed for the call. */
typedef void (*ctl_table_fn)(const char *line, size_t len, void *user);

struct ctl_table {
    ctl_table_fn print;
    void *user;
    char **rows; /* NULL while empty */
    size_t count;
};

void ctl_table_init(struct ctl_table *table, ctl_table_fn print, void *user);
/** Drops what was not printed. */
void ctl_table_finish(struct ctl_table *table);

void ctl_table_add(struct ctl_table *table, const char *row, size_t len);
/** Prints what was added. */
void ctl_table_flush(struct ctl_table *table);

#endif
