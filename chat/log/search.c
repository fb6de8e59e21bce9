/* SPDX-License-Identifier: MIT */
#include "log/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct needle {
    char *bytes;
    size_t len;
};

static bool row_contains(sqlite3_stmt *stmt, struct fold *fold, const struct needle *needle,
                         uint64_t *bytes)
{
    const char *text = (const char *)sqlite3_column_text(stmt, ROW_TEXT);
    size_t len = (size_t)sqlite3_column_bytes(stmt, ROW_TEXT);
    if (!text) {
        return false;
    }
    *bytes += len;
    size_t folded_len;
    const char *folded = fold_text(fold, text, len, &folded_len);
    return memmem(folded, folded_len, needle->bytes, needle->len) != NULL;
}

static int take_row(sqlite3_stmt *stmt, const struct row_room *room, struct event_list *out)
{
    struct event *event = row_event(stmt, room);
    if (!event) {
        return SQLITE_CORRUPT;
    }
    event_list_take(out, event);
    return SQLITE_ROW;
}

/* Goes on after the last one wanted until it meets one more, so that `more` is the truth. */
static int scan(struct search *search, sqlite3_stmt *stmt, const struct row_room *room,
                struct fold *fold, const struct needle *needle, struct event_list *out)
{
    uint32_t rows = 0, found = 0;
    uint64_t bytes = 0;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (rows >= search->rows_max || bytes >= search->bytes_max) {
            search->more = true;
            return SQLITE_OK;
        }
        if (row_contains(stmt, fold, needle, &bytes)) {
            if (found == search->count) {
                search->more = true;
                return SQLITE_OK;
            }
            code = take_row(stmt, room, out);
            if (code != SQLITE_ROW) {
                return code;
            }
            found++;
        }
        search->reached = sqlite3_column_int64(stmt, ROW_SEQ);
        rows++;
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int search_run(struct search *search, sqlite3_stmt *stmt, const struct row_room *room,
               struct fold *fold, struct event_list *out)
{
    search->more = false;
    search->reached = search->before;
    struct needle needle;
    const char *folded = fold_text(fold, search->text, search->text_len, &needle.len);
    /* Nothing is looked for when nothing visible is left: it would be found everywhere. */
    if (needle.len == 0) {
        return SQLITE_OK;
    }
    needle.bytes = xmemdup0(folded, needle.len);
    (void)sqlite3_bind_int64(stmt, 1, room->id);
    (void)sqlite3_bind_int64(stmt, 2, search->floor);
    (void)sqlite3_bind_int64(stmt, 3, search->before);
    int code = scan(search, stmt, room, fold, &needle, out);
    (void)sqlite3_reset(stmt);
    free(needle.bytes);
    return code;
}
