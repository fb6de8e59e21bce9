/* SPDX-License-Identifier: MIT */
#include "prompt_rows.h"

#include <wctype.h>

#define TAB_COLUMNS 8u

static void next_row(struct prompt_rows *rows)
{
    rows->row++;
    rows->column = 0;
}

static void put_cells(struct prompt_rows *rows, unsigned width)
{
    if (rows->column + width > rows->columns) {
        next_row(rows); /* libedit fills the rest of the row with spaces */
    }
    rows->column += width;
    if (rows->column >= rows->columns) {
        next_row(rows);
    }
}

/* A character that does not print is shown as several that do, each of which may be the last of a
 * row. */
static void put_spelled(struct prompt_rows *rows, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put_cells(rows, 1);
    }
}

/* libedit spells what does not print: \U+XXXX, with one more digit beyond U+FFFF. */
static unsigned spelled_length(wchar_t c)
{
    return c > 0xffff ? 8 : 7;
}

static void put(struct prompt_rows *rows, wchar_t c)
{
    if (c == L'\n') {
        next_row(rows);
    } else if (c == L'\t') {
        unsigned row = rows->row;
        do {
            put_cells(rows, 1);
        } while (rows->row == row && rows->column % TAB_COLUMNS != 0);
    } else if (c < 0x80 && iswcntrl((wint_t)c)) {
        put_spelled(rows, 2);
    } else if (!iswprint((wint_t)c)) {
        put_spelled(rows, spelled_length(c));
    } else {
        /* libedit gives a mark without a width of its own a column all the same. */
        int width = wcwidth(c);
        put_cells(rows, width > 1 ? (unsigned)width : 1);
    }
}

void prompt_rows_add(struct prompt_rows *rows, const wchar_t *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        put(rows, text[i]);
    }
}

unsigned prompt_rows_cursor(const struct prompt_rows *rows, wchar_t next)
{
    int width = next == 0 ? 0 : wcwidth(next);
    return width > 1 && rows->column + (unsigned)width > rows->columns ? rows->row + 1 : rows->row;
}
