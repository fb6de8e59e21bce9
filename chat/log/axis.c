/* SPDX-License-Identifier: MIT */
#include "log/axis.h"

/* Returns: SQLITE_ROW with the key and what is asked by, SQLITE_DONE for none, or an error. */
static int look_up(sqlite3_stmt *stmt, enum axis_by by, int64_t *ret_key, int64_t *ret_value)
{
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        *ret_key = sqlite3_column_int64(stmt, 0);
        *ret_value = sqlite3_column_int64(stmt, (int)by);
    }
    (void)sqlite3_reset(stmt);
    return code;
}

int axis_find(const struct axis *axis, enum axis_by by, int64_t wanted, int64_t *ret_key)
{
    int64_t low = 1, high, key, value;
    (void)sqlite3_bind_int64(axis->last, 1, axis->room);
    (void)sqlite3_bind_int64(axis->at, 1, axis->room);
    int code = look_up(axis->last, by, &key, &value);
    if (code != SQLITE_ROW) {
        *ret_key = 1;
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }
    high = value < wanted ? key + 1 : key;
    low = value < wanted ? high : low;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        (void)sqlite3_bind_int64(axis->at, 2, middle);
        code = look_up(axis->at, by, &key, &value);
        if (code != SQLITE_ROW) {
            return code == SQLITE_DONE ? SQLITE_CORRUPT : code;
        }
        if (value < wanted) {
            low = key + 1;
        } else {
            high = middle;
        }
    }
    *ret_key = low;
    return SQLITE_OK;
}

int axis_find_number(const struct axis *axis, int64_t number, int64_t *ret_key)
{
    int64_t key, found;
    int code = axis_find(axis, AXIS_NUMBER, number, &key);
    if (code != SQLITE_OK) {
        return code;
    }
    (void)sqlite3_bind_int64(axis->at, 1, axis->room);
    (void)sqlite3_bind_int64(axis->at, 2, key);
    code = look_up(axis->at, AXIS_NUMBER, ret_key, &found);
    return code == SQLITE_ROW && found != number ? SQLITE_DONE : code;
}
