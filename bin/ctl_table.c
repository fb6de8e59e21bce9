/* SPDX-License-Identifier: MIT */
#include "ctl_table.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "base/xalloc.h"

#define GAP 2 /* spaces between columns */

void ctl_table_init(struct ctl_table *table, ctl_table_fn print, void *user)
{
    *table = (struct ctl_table){.print = print, .user = user};
}

static void drop_rows(struct ctl_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->rows[i]);
    }
    table->count = 0;
}

void ctl_table_finish(struct ctl_table *table)
{
    drop_rows(table);
    free(table->rows);
    table->rows = NULL;
}

/* Columns of the screen that the text takes. */
static size_t text_width(const char *text, size_t len)
{
    size_t width = 0;
    for (size_t i = 0; i < len;) {
        utf8proc_int32_t codepoint;
        utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)text + i,
                                              (utf8proc_ssize_t)(len - i), &codepoint);
        if (n <= 0) {
            width++;
            i++;
            continue;
        }
        width += (size_t)utf8proc_charwidth(codepoint);
        i += (size_t)n;
    }
    return width;
}

/* The length of the cell that begins the text; the last column takes all. */
static size_t cell_length(const char *text, size_t column)
{
    return column + 1 < CTL_TABLE_COLUMNS ? strcspn(text, "\t") : strlen(text);
}

static void measure(const char *row, size_t *widths)
{
    for (size_t column = 0;; column++) {
        size_t len = cell_length(row, column);
        size_t width = text_width(row, len);
        if (row[len] == '\0') {
            return; /* nothing stands behind the last cell */
        }
        widths[column] = width > widths[column] ? width : widths[column];
        row += len + 1;
    }
}

static void print_row(const struct ctl_table *table, const char *row, const size_t *widths)
{
    size_t room = strlen(row) + 1;
    for (size_t i = 0; i < CTL_TABLE_COLUMNS; i++) {
        room += widths[i] + GAP;
    }
    char *line = xmalloc(room);
    size_t used = 0;
    for (size_t column = 0;; column++) {
        size_t len = cell_length(row, column);
        memcpy(line + used, row, len);
        used += len;
        if (row[len] == '\0') {
            break;
        }
        size_t pad = widths[column] + GAP - text_width(row, len);
        memset(line + used, ' ', pad);
        used += pad;
        row += len + 1;
    }
    while (used > 0 && line[used - 1] == ' ') {
        used--;
    }
    table->print(line, used, table->user);
    free(line);
}

void ctl_table_flush(struct ctl_table *table)
{
    size_t widths[CTL_TABLE_COLUMNS] = {0};
    for (size_t i = 0; i < table->count; i++) {
        measure(table->rows[i], widths);
    }
    for (size_t i = 0; i < table->count; i++) {
        print_row(table, table->rows[i], widths);
    }
    drop_rows(table);
}

void ctl_table_add(struct ctl_table *table, const char *row, size_t len)
{
    if (!table->rows) {
        table->rows = xcalloc(CTL_TABLE_ROWS, sizeof(*table->rows));
    }
    if (table->count == CTL_TABLE_ROWS) {
        ctl_table_flush(table);
    }
    table->rows[table->count++] = xmemdup0(row, len);
}
