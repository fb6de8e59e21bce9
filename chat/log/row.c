/* SPDX-License-Identifier: MIT */
#include "log/row.h"

#include <string.h>

#include "base/xalloc.h"
#include "log/schema.h"

int row_kind(const struct event *event)
{
    switch (event->type) {
    case EVENT_MESSAGE:
        return KIND_MESSAGE;
    case EVENT_ACTION:
        return KIND_ACTION;
    case EVENT_NOTICE:
        return KIND_NOTICE;
    case EVENT_TOPIC:
        return KIND_TOPIC;
    default:
        return 0;
    }
}

static int type_of_kind(int kind)
{
    switch (kind) {
    case KIND_MESSAGE:
        return EVENT_MESSAGE;
    case KIND_ACTION:
        return EVENT_ACTION;
    case KIND_NOTICE:
        return EVENT_NOTICE;
    case KIND_TOPIC:
        return EVENT_TOPIC;
    default:
        return -1;
    }
}

static const char *column_text(sqlite3_stmt *stmt, int column, size_t *ret_len)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    *ret_len = (size_t)sqlite3_column_bytes(stmt, column);
    return text;
}

int row_room_load(sqlite3_stmt *stmt, uint32_t id, struct row_room *ret_room)
{
    *ret_room = (struct row_room){.id = id};
    int code = sqlite3_bind_int64(stmt, 1, id);
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW) {
        size_t len;
        const char *name = column_text(stmt, 0, &len);
        ret_room->name = xmemdup0(name ? name : "", len);
        ret_room->name_len = len;
    }
    (void)sqlite3_reset(stmt);
    return code;
}

struct event *row_event(sqlite3_stmt *stmt, const struct row_room *room)
{
    int64_t seq = sqlite3_column_int64(stmt, ROW_SEQ);
    int64_t number = sqlite3_column_int64(stmt, ROW_NUMBER);
    int type = type_of_kind(sqlite3_column_int(stmt, ROW_KIND));
    struct event_parts parts = {
        .audience = AUDIENCE_ROOM,
        .durable = true,
        .room_id = room->id,
        .time_ms = sqlite3_column_int64(stmt, ROW_TIME),
        .room = room->name,
        .room_len = room->name_len,
    };
    parts.actor = column_text(stmt, ROW_ACTOR, &parts.actor_len);
    parts.text = column_text(stmt, ROW_TEXT, &parts.text_len);
    if (type == -1 || seq < 1 || number < 1 || !parts.actor || !parts.text) {
        return NULL;
    }
    parts.type = (enum event_type)type;
    parts.seq = (uint64_t)seq;
    parts.number = (uint64_t)number;
    return event_create(&parts);
}

int row_append_all(sqlite3_stmt *stmt, const struct row_room *room, struct event_list *out)
{
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct event *event = row_event(stmt, room);
        if (!event) {
            return SQLITE_CORRUPT;
        }
        event_list_take(out, event);
    }
    return code;
}

void row_list_cut(struct event_list *list, size_t from)
{
    while (list->count > from) {
        event_unref(list->items[--list->count]);
    }
}

void row_list_reverse(struct event_list *list, size_t from)
{
    for (size_t to = list->count; from + 1 < to; from++) {
        struct event *event = list->items[from];
        list->items[from] = list->items[--to];
        list->items[to] = event;
    }
}
