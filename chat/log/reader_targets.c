/* SPDX-License-Identifier: MIT */
#include "log/reader_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * With whom and where there was talk, and where a single message lies.
 */

/* People one question looks at; whoever knows more sees those first by name. */
#define TARGETS_OTHERS_MAX 10000
/* Rows behind the last message of a room or person that may be hidden; else it is not listed. */
#define TARGETS_ROWS_MAX 1000

struct target {
    uint32_t room_id; /* 0: a person */
    int64_t time_ms;
    char *name;
};

struct targets {
    struct target *items;
    size_t count, cap;
    int64_t after_ms, before_ms;
};

static void take_target(struct targets *targets, uint32_t room_id, int64_t time_ms,
                        const char *name, size_t len)
{
    if (time_ms <= targets->after_ms || time_ms >= targets->before_ms) {
        return;
    }
    if (targets->count == targets->cap) {
        targets->cap = targets->cap == 0 ? 16 : targets->cap * 2;
        targets->items = xreallocarray(targets->items, targets->cap, sizeof(*targets->items));
    }
    targets->items[targets->count++] =
        (struct target){.room_id = room_id, .time_ms = time_ms, .name = xmemdup0(name, len)};
}

static void targets_finish(struct targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        free(targets->items[i].name);
    }
    free(targets->items);
}

/* By time, then by what keeps the order the same each time. */
static int compare(const void *left, const void *right)
{
    const struct target *a = left, *b = right;
    if (a->time_ms != b->time_ms) {
        return a->time_ms < b->time_ms ? -1 : 1;
    }
    if (a->room_id != b->room_id) {
        return a->room_id < b->room_id ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static int look_at_room(struct reader *reader, const struct history_room *asked,
                        struct targets *targets)
{
    struct row_room room;
    struct event_list found = {0};
    struct row_walk walk = {.kinds = ROW_KINDS_MESSAGES, .count = 1, .rows_max = TARGETS_ROWS_MAX};
    int code = row_room_load(reader->statements[READER_ROOM_NAME], asked->room_id, &room);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }
    sqlite3_stmt *stmt = reader->statements[READER_MESSAGES_DOWN];
    (void)sqlite3_bind_int64(stmt, 1, asked->room_id);
    (void)sqlite3_bind_int64(stmt, 2, reader_key(asked->floor));
    (void)sqlite3_bind_int64(stmt, 3, INT64_MAX);
    code = row_walk(stmt, &room, &walk, &found);
    if (code == SQLITE_OK && found.count > 0) {
        take_target(targets, room.id, found.items[0]->time_ms, room.name, room.name_len);
    }
    event_list_finish(&found);
    free(room.name);
    return code;
}

static int look_at_other(struct reader *reader, const struct reader_place *place,
                         struct targets *targets)
{
    struct event_list found = {0};
    struct row_walk walk = {.kinds = ROW_KINDS_MESSAGES, .count = 1, .rows_max = TARGETS_ROWS_MAX};
    int code = reader_walk_private(reader, place, 0, INT64_MAX, true, &walk, &found);
    if (code == SQLITE_OK && found.count > 0) {
        const struct event *event = found.items[0];
        bool to_us = event->type == EVENT_PRIVATE_TO;
        /* As it was called then, not folded. */
        take_target(targets, 0, event->time_ms, to_us ? event->actor : event->target,
                    to_us ? event->actor_len : event->target_len);
    }
    event_list_finish(&found);
    return code;
}

/* The first folded name behind `other`, which is freed. Returns: SQLITE_ROW, SQLITE_DONE or an
 * error. */
static int next_other(struct reader *reader, struct reader_place *place)
{
    sqlite3_stmt *stmt = reader->statements[READER_NEXT_OTHER];
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)place->room.identity);
    (void)sqlite3_bind_text64(stmt, 2, place->other, place->other_len, SQLITE_STATIC, SQLITE_UTF8);
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        const char *other = (const char *)sqlite3_column_text(stmt, 0);
        size_t len = (size_t)sqlite3_column_bytes(stmt, 0);
        char *copy = xmemdup0(other ? other : "", len);
        free(place->other);
        place->other = copy;
        place->other_len = len;
    }
    (void)sqlite3_reset(stmt);
    return code;
}

static int look_at_others(struct reader *reader, uint64_t identity, struct targets *targets)
{
    struct reader_place place = {.room = {.identity = identity}, .other = xmemdup0("", 0)};
    int code = SQLITE_ROW;
    for (unsigned i = 0; code == SQLITE_ROW && i < TARGETS_OTHERS_MAX; i++) {
        code = next_other(reader, &place);
        if (code == SQLITE_ROW) {
            int looked = look_at_other(reader, &place, targets);
            code = looked == SQLITE_OK ? SQLITE_ROW : looked;
        }
    }
    free(place.other);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static void write_targets(struct targets *targets, uint32_t count, bool latest,
                          struct record_out *out)
{
    size_t first = 0, end = targets->count;
    if (targets->count > 0) {
        qsort(targets->items, targets->count, sizeof(*targets->items), compare);
    }
    if (targets->count > count) {
        first = latest ? targets->count - count : 0;
        end = first + count;
    }
    for (size_t i = first; i < end; i++) {
        const struct target *target = &targets->items[i];
        record_put_number(out, target->room_id);
        record_puts(out, target->name);
        record_put_number(out, (uint64_t)target->time_ms);
        record_end(out);
    }
}

enum log_fault reader_targets(struct reader *reader, const struct targets_query *query,
                              struct record_out *out)
{
    bool latest = query->from_ms > query->to_ms;
    struct targets targets = {.after_ms = latest ? query->to_ms : query->from_ms,
                              .before_ms = latest ? query->from_ms : query->to_ms};
    int code = reader_begin(reader);
    for (size_t i = 0; code == SQLITE_OK && i < query->room_count; i++) {
        code = look_at_room(reader, &query->rooms[i], &targets);
    }
    if (code == SQLITE_OK && query->identity != 0) {
        code = look_at_others(reader, query->identity, &targets);
    }
    enum log_fault fault = reader_end(reader, code);
    if (fault == LOG_OK) {
        write_targets(&targets, query->count < HISTORY_MAX ? query->count : HISTORY_MAX, latest,
                      out);
    }
    targets_finish(&targets);
    return fault;
}

/* ---- one message ---- */

struct message_place {
    uint32_t room_id;
    int64_t seq;
    uint64_t identity, other_identity;
};

static void write_place(sqlite3_stmt *stmt, int actor, int redacted,
                        const struct message_place *place, struct record_out *out)
{
    const char *name = (const char *)sqlite3_column_text(stmt, actor);
    record_put_number(out, place->room_id);
    record_put_number(out, (uint64_t)place->seq);
    record_put_number(out, place->identity);
    record_put_number(out, place->other_identity);
    record_puts(out, name ? name : "");
    record_puts(out, sqlite3_column_int(stmt, redacted) ? "1" : "");
    record_end(out);
}

static int find_in_room(struct reader *reader, const struct message_query *query,
                        struct record_out *out)
{
    const struct axis axis = {reader->statements[READER_SEQ_AT],
                              reader->statements[READER_SEQ_LAST], query->room_id};
    struct message_place place = {.room_id = query->room_id};
    int code = axis_find_number(&axis, reader_key(query->number), &place.seq);
    if (code != SQLITE_ROW) {
        return code;
    }
    sqlite3_stmt *stmt = reader->statements[READER_MESSAGES_UP];
    (void)sqlite3_bind_int64(stmt, 1, query->room_id);
    (void)sqlite3_bind_int64(stmt, 2, place.seq);
    (void)sqlite3_bind_int64(stmt, 3, place.seq + 1);
    code = sqlite3_step(stmt);
    /* A topic is no message. */
    if (code == SQLITE_ROW && sqlite3_column_int(stmt, ROW_KIND) == KIND_TOPIC) {
        code = SQLITE_DONE;
    }
    if (code == SQLITE_ROW) {
        place.identity = (uint64_t)sqlite3_column_int64(stmt, ROW_IDENTITY);
        write_place(stmt, ROW_ACTOR, ROW_REDACTED, &place, out);
    }
    (void)sqlite3_reset(stmt);
    return code;
}

static int find_private(struct reader *reader, const struct message_query *query,
                        struct record_out *out)
{
    sqlite3_stmt *stmt = reader->statements[READER_PRIVATE_ONE];
    (void)sqlite3_bind_int64(stmt, 1, reader_key(query->number));
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW) {
        struct message_place place = {
            .identity = (uint64_t)sqlite3_column_int64(stmt, 0),
            .other_identity = (uint64_t)sqlite3_column_int64(stmt, 1),
        };
        bool ours = query->identity != 0 &&
                    (query->identity == place.identity || query->identity == place.other_identity);
        if (ours) {
            write_place(stmt, 2, 3, &place, out);
        }
        code = ours ? SQLITE_ROW : SQLITE_DONE;
    }
    (void)sqlite3_reset(stmt);
    return code;
}

enum log_fault reader_message_place(struct reader *reader, const struct message_query *query,
                                    struct record_out *out)
{
    int code = reader_begin(reader);
    if (code == SQLITE_OK) {
        code = query->room_id != 0 ? find_in_room(reader, query, out)
                                   : find_private(reader, query, out);
        code = code == SQLITE_ROW ? SQLITE_OK : code == SQLITE_DONE ? SQLITE_NOTFOUND : code;
    }
    return reader_end(reader, code);
}
