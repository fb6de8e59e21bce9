/* SPDX-License-Identifier: MIT */
#ifndef BIN_PROMPT_ROWS_H
#define BIN_PROMPT_ROWS_H

#include <stddef.h>
#include <wchar.h>

/*
 * Where text of an input line lies on the screen, as libedit lays it out: characters two columns
 * wide are never cut by the edge, a control character is shown as ^X, a tab goes to the next
 * multiple of eight, a newline begins a row. Needs a thread locale with UTF-8 (wcwidth).
 */

struct prompt_rows {
    unsigned row, column; /* where the next character goes; 0, 0 is the first one */
    unsigned columns;     /* of the screen, at least 2 */
};

void prompt_rows_add(struct prompt_rows *rows, const wchar_t *text, size_t len);

/** The row in which the cursor is shown before next, the character behind it (0: none). */
unsigned prompt_rows_cursor(const struct prompt_rows *rows, wchar_t next);

#endif
