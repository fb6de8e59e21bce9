/* SPDX-License-Identifier: MIT */
#include "log/row.h"

#include <string.h>

#include "base/xalloc.h"
#include "core/command.h"

static const struct {
    uint8_t type; /* enum event_type */
    uint8_t kind; /* enum schema_kind */
} kinds[] = {
    {EVENT_MESSAGE, KIND_MESSAGE}, {EVENT_ACTION, KIND_ACTION},
    {EVENT_NOTICE, KIND_NOTICE},   {EVENT_TOPIC, KIND_TOPIC},
    {EVENT_TAGS, KIND_TAGS},       {EVENT_MODE, KIND_MODE},
    {EVENT_REMOVED, KIND_REMOVED}, {EVENT_ROOM_RENAMED, KIND_ROOM_RENAMED},
    {EVENT_JOINED, KIND_JOINED},   {EVENT_LEFT, KIND_LEFT},
    {EVENT_QUIT, KIND_QUIT},       {EVENT_RENAMED, KIND_RENAMED},
    {EVENT_SEALED, KIND_SEALED},   {EVENT_REDACTED, KIND_REDACTED},
};

#define KINDS_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* What a message of enum message_kind is stored as. */
static const uint8_t message_kinds[] = {
    [MESSAGE_TEXT] = KIND_MESSAGE,
    [MESSAGE_ACTION] = KIND_ACTION,
    [MESSAGE_NOTICE] = KIND_NOTICE,
    [MESSAGE_TAGS] = KIND_TAGS,
};

#define MESSAGE_KINDS_COUNT (sizeof(message_kinds) / sizeof(message_kinds[0]))

int row_kind(const struct event *event)
{
    if (event->type == EVENT_PRIVATE_TO) {
        return event->kind < MESSAGE_KINDS_COUNT ? message_kinds[event->kind] : 0;
    }
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (kinds[i].type == event->type) {
            return kinds[i].kind;
        }
    }
    return 0;
}

bool row_kind_is_message(int kind)
{
    return kind > 0 && kind < KIND_MODE;
}

/* -1: no kind that this program knows. */
static int type_of_kind(int kind)
{
    for (size_t i = 0; i < KINDS_COUNT; i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].type;
        }
    }
    return -1;
}

static uint8_t message_kind_of(int kind)
{
    for (size_t i = 0; i < MESSAGE_KINDS_COUNT; i++) {
        if (message_kinds[i] == kind) {
            return (uint8_t)i;
        }
    }
    return 0;
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

/* What only private messages and room events have. A room that is renamed had its old name then. */
static void read_rest(sqlite3_stmt *stmt, const struct row_room *room, struct event_parts *parts)
{
    parts->target = column_text(stmt, ROW_TARGET, &parts->target_len);
    parts->value = (uint64_t)sqlite3_column_int64(stmt, ROW_VALUE);
    if (parts->type == EVENT_ROOM_RENAMED) {
        parts->room = parts->extra;
        parts->room_len = parts->extra_len;
        parts->extra = NULL;
        parts->extra_len = 0;
    }
    if (room->id == 0) {
        parts->peer_identity = (uint64_t)sqlite3_column_int64(stmt, ROW_TARGET_IDENTITY);
        parts->audience = AUDIENCE_SESSION;
        parts->type = parts->peer_identity == room->identity ? EVENT_PRIVATE_TO : EVENT_PRIVATE_OF;
    }
}

struct event *row_event(sqlite3_stmt *stmt, const struct row_room *room)
{
    int64_t seq = sqlite3_column_int64(stmt, ROW_SEQ);
    int64_t number = sqlite3_column_int64(stmt, ROW_NUMBER);
    int kind = sqlite3_column_int(stmt, ROW_KIND), type = type_of_kind(kind);
    bool in_messages = sqlite3_column_count(stmt) == ROW_MESSAGE_COUNT;
    struct event_parts parts = {
        .audience = AUDIENCE_ROOM,
        .durable = true,
        .kind = message_kind_of(kind),
        .flags = (uint8_t)sqlite3_column_int(stmt, ROW_FLAGS),
        .room_id = room->id,
        .time_ms = sqlite3_column_int64(stmt, ROW_TIME),
        .identity = (uint64_t)sqlite3_column_int64(stmt, ROW_IDENTITY),
        .room = room->name,
        .room_len = room->name_len,
    };
    parts.actor = column_text(stmt, ROW_ACTOR, &parts.actor_len);
    parts.text = column_text(stmt, ROW_TEXT, &parts.text_len);
    parts.source = column_text(stmt, ROW_SOURCE, &parts.source_len);
    parts.account = column_text(stmt, ROW_ACCOUNT, &parts.account_len);
    parts.tags = column_text(stmt, ROW_TAGS, &parts.tags_len);
    parts.extra = column_text(stmt, ROW_EXTRA, &parts.extra_len);
    if (type == -1 || number < 1 || (in_messages && seq < 1) || !parts.actor || !parts.text ||
        !parts.extra) {
        return NULL;
    }
    parts.type = (enum event_type)type;
    parts.seq = (uint64_t)seq;
    parts.number = (uint64_t)number;
    if (!in_messages) {
        read_rest(stmt, room, &parts);
    }
    return event_create(&parts);
}

static bool is_wanted(sqlite3_stmt *stmt, const struct row_walk *walk, int kind)
{
    return (walk->kinds & ROW_KIND_BIT(kind)) != 0 && sqlite3_column_int(stmt, ROW_REDACTED) == 0;
}

static int walk_on(sqlite3_stmt *stmt, const struct row_room *room, struct row_walk *walk,
                   struct event_list *out)
{
    uint32_t rows = 0, found = 0;
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (rows == walk->rows_max) {
            walk->more = true;
            walk->cut = true;
            return SQLITE_OK;
        }
        rows++;
        int kind = sqlite3_column_int(stmt, ROW_KIND);
        if (type_of_kind(kind) == -1) {
            return SQLITE_CORRUPT;
        }
        if (is_wanted(stmt, walk, kind)) {
            if (found == walk->count) {
                walk->more = true;
                return SQLITE_OK;
            }
            struct event *event = row_event(stmt, room);
            if (!event) {
                return SQLITE_CORRUPT;
            }
            event_list_take(out, event);
            found++;
        }
        walk->reached = (uint64_t)sqlite3_column_int64(stmt, ROW_NUMBER);
    }
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

int row_walk(sqlite3_stmt *stmt, const struct row_room *room, struct row_walk *walk,
             struct event_list *out)
{
    walk->more = false;
    walk->cut = false;
    walk->reached = 0;
    int code = walk_on(stmt, room, walk, out);
    (void)sqlite3_reset(stmt);
    return code;
}

void row_list_reverse(struct event_list *list, size_t from)
{
    for (size_t to = list->count; from + 1 < to; from++) {
        struct event *event = list->items[from];
        list->items[from] = list->items[--to];
        list->items[to] = event;
    }
}
