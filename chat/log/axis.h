/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_AXIS_H
#define CHAT_LOG_AXIS_H

#include <sqlite3.h>
#include <stdint.h>

/*
 * Rows along their key (a room's seq, or the number), with which neither time nor number ever fall:
 * so the place of a time or a number is found by halving, and no index has to be kept for it.
 */

enum axis_by { AXIS_TIME = 1, AXIS_NUMBER = 2 };

struct axis {
    sqlite3_stmt *at;   /* key, time, number of the first row with a key of at least ?2 in the
                           room ?1 */
    sqlite3_stmt *last; /* the same of the last row in the room ?1 */
    int64_t room;
};

/**
 * Finds the key of the first row whose time or number is at least `wanted`; one more than the last
 * key when there is none, 1 when there is no row. Returns: SQLITE_OK or an error.
 */
int axis_find(const struct axis *axis, enum axis_by by, int64_t wanted, int64_t *ret_key);

/**
 * Finds the row with just this number. Returns: SQLITE_ROW with its key, SQLITE_DONE when there is
 * none, or an error.
 */
int axis_find_number(const struct axis *axis, int64_t number, int64_t *ret_key);

#endif
