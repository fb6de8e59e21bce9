/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "log/axis.h"
#include "log/log_state.h"
#include "log/row.h"
#include "log/side_file.h"

/*
 * One batch, one transaction, one sync. Why it holds is said in log.c.
 */

/* Runs a statement that yields no row, and makes it ready for the next use. */
static int run(sqlite3_stmt *stmt)
{
    int code = sqlite3_step(stmt);
    /* reset repeats the error of the step, if there was one. */
    int reset = sqlite3_reset(stmt);
    return code == SQLITE_DONE ? reset : code;
}

static int bind_text(sqlite3_stmt *stmt, int place, const char *text, size_t len)
{
    return sqlite3_bind_text64(stmt, place, text, len, SQLITE_STATIC, SQLITE_UTF8);
}

static int store_room(struct log *log, uint32_t room_id, const struct event *event)
{
    uint32_t *known = &log->known_rooms[room_id % KNOWN_ROOMS];
    if (*known == room_id) {
        return SQLITE_OK;
    }
    sqlite3_stmt *stmt = log->statements[STMT_ROOM];
    (void)sqlite3_bind_int64(stmt, 1, room_id);
    int code = bind_text(stmt, 2, event->room, event->room_len);
    if (code == SQLITE_OK) {
        code = run(stmt);
    }
    if (code == SQLITE_OK) {
        *known = room_id;
    }
    return code;
}

static int bind_next(sqlite3_stmt *stmt, int place, const char *text, size_t len, int code)
{
    return code == SQLITE_OK ? bind_text(stmt, place, text, len) : code;
}

/* What all statements that store an event have in the same places. */
static int bind_common(sqlite3_stmt *stmt, const struct event *event)
{
    (void)sqlite3_bind_int64(stmt, 3, (int64_t)event->number);
    (void)sqlite3_bind_int64(stmt, 4, event->time_ms);
    (void)sqlite3_bind_int(stmt, 5, row_kind(event));
    (void)sqlite3_bind_int(stmt, 13, event->flags & EVENT_FLAG_BOT);
    int code = bind_text(stmt, 6, event->actor, event->actor_len);
    code = bind_next(stmt, 7, event->text, event->text_len, code);
    code = bind_next(stmt, 8, event->source, event->source_len, code);
    code = bind_next(stmt, 9, event->account, event->account_len, code);
    return bind_next(stmt, 11, event->extra, event->extra_len, code);
}

static int bind_message(sqlite3_stmt *stmt, const struct event *event)
{
    (void)sqlite3_bind_int64(stmt, 12, (int64_t)event->identity);
    return bind_next(stmt, 10, event->tags, event->tags_len, bind_common(stmt, event));
}

/* ---- messages ---- */

static int store_topic(struct log *log, const struct event *event)
{
    sqlite3_stmt *stmt = log->statements[STMT_TOPIC];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 4, event->time_ms);
    int code = bind_text(stmt, 2, event->text, event->text_len);
    code = bind_next(stmt, 3, event->actor, event->actor_len, code);
    code = bind_next(stmt, 5, event->source, event->source_len, code);
    return code == SQLITE_OK ? run(stmt) : code;
}

static int store_message(struct log *log, const struct event *event)
{
    int code = store_room(log, event->room_id, event);
    sqlite3_stmt *stmt = log->statements[STMT_MESSAGE];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)event->seq);
    if (code == SQLITE_OK) {
        code = bind_message(stmt, event);
    }
    if (code == SQLITE_OK) {
        code = run(stmt);
    }
    if (code == SQLITE_OK && event->type == EVENT_TOPIC) {
        code = store_topic(log, event);
    }
    return code;
}

/* One of the two places where a private message is found; nobody without identity asks for it. */
static int store_conversation(struct log *log, uint64_t identity, const char *other, size_t len,
                              uint64_t number)
{
    size_t folded_len = 0;
    char *folded = identity != 0 ? name_fold(other, len, &folded_len) : NULL;
    if (!folded) {
        return SQLITE_OK;
    }
    sqlite3_stmt *stmt = log->statements[STMT_CONVERSATION];
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)identity);
    (void)sqlite3_bind_int64(stmt, 3, (int64_t)number);
    int code = bind_text(stmt, 2, folded, folded_len);
    if (code == SQLITE_OK) {
        code = run(stmt);
    }
    free(folded);
    return code;
}

static int store_private(struct log *log, const struct event *event)
{
    sqlite3_stmt *stmt = log->statements[STMT_PRIVATE];
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)event->peer_identity);
    int code = bind_text(stmt, 1, event->target, event->target_len);
    if (code == SQLITE_OK) {
        code = bind_message(stmt, event);
    }
    if (code == SQLITE_OK) {
        code = run(stmt);
    }
    if (code == SQLITE_OK) {
        code = store_conversation(log, event->identity, event->target, event->target_len,
                                  event->number);
    }
    if (code == SQLITE_OK) {
        code = store_conversation(log, event->peer_identity, event->actor, event->actor_len,
                                  event->number);
    }
    return code;
}

/* ---- what has no seq ---- */

/* What is not there (any more) need not be erased. */
static int erase(struct log *log, const struct event *event)
{
    const struct axis axis = {.at = log->statements[STMT_SEQ_AT],
                              .last = log->statements[STMT_SEQ_LAST],
                              .room = event->room_id};
    sqlite3_stmt *stmt = log->statements[STMT_REDACT_PRIVATE];
    int64_t number = (int64_t)event->value, seq;
    if (event->room_id == 0) {
        (void)sqlite3_bind_int64(stmt, 1, number);
        return run(stmt);
    }
    int code = axis_find_number(&axis, number, &seq);
    if (code != SQLITE_ROW) {
        return code == SQLITE_DONE ? SQLITE_OK : code;
    }
    stmt = log->statements[STMT_REDACT];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 2, seq);
    return run(stmt);
}

static int seal(struct log *log, const struct event *event)
{
    bool closed = event->value == EVENT_SEALED_ALL;
    sqlite3_stmt *stmt = log->statements[closed ? STMT_SEAL : STMT_OPEN_ANEW];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)event->value);
    int code = run(stmt);
    if (code != SQLITE_OK || event->value != 0) {
        return code;
    }
    /* Nothing was said in it, so no seq tells later what was set in it; it is for nobody. */
    stmt = log->statements[STMT_FORGET_EVENTS];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)event->number);
    return run(stmt);
}

static int rename_room(struct log *log, const struct event *event)
{
    sqlite3_stmt *stmt = log->statements[STMT_RENAME_ROOM];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    int code = bind_text(stmt, 2, event->target, event->target_len);
    return code == SQLITE_OK ? run(stmt) : code;
}

static int store_room_event(struct log *log, uint32_t room_id, const struct event *event)
{
    sqlite3_stmt *stmt = log->statements[STMT_ROOM_EVENT];
    (void)sqlite3_bind_int64(stmt, 1, room_id);
    (void)sqlite3_bind_int64(stmt, 12, (int64_t)event->value);
    int code = bind_text(stmt, 2, event->target, event->target_len);
    if (code == SQLITE_OK) {
        code = bind_common(stmt, event);
    }
    if (event->type == EVENT_ROOM_RENAMED) {
        /* The old name, which nothing else remembers. */
        code = bind_next(stmt, 11, event->room, event->room_len, code);
    }
    return code == SQLITE_OK ? run(stmt) : code;
}

static int store_in_rooms(struct log *log, const struct event *event)
{
    int code = SQLITE_OK;
    if (event->audience == AUDIENCE_ROOMS) {
        for (uint32_t i = 0; code == SQLITE_OK && i < event->room_count; i++) {
            code = store_room_event(log, event->rooms[i], event);
        }
        /* Its number must be found again though none of the rooms is stored. */
        return code == SQLITE_OK ? store_room_event(log, 0, event) : code;
    }
    if (event->room_id != 0) {
        code = store_room(log, event->room_id, event);
    }
    return code == SQLITE_OK ? store_room_event(log, event->room_id, event) : code;
}

static int store_happening(struct log *log, const struct event *event)
{
    int code = store_in_rooms(log, event);
    if (code != SQLITE_OK) {
        return code;
    }
    switch (event->type) {
    case EVENT_REDACTED:
        return erase(log, event);
    case EVENT_SEALED:
        return seal(log, event);
    case EVENT_ROOM_RENAMED:
        return rename_room(log, event);
    default:
        return SQLITE_OK;
    }
}

/* ---- batches ---- */

/*
 * What the process before left open, in the first transaction of this one, in which the numbers
 * rise beyond all that is removed. A room that was closed is open and new to whoever comes now. A
 * room in which nothing was said is known to nobody: the hub may make another one with its id.
 */
static const char settle_sql[] =
    "UPDATE rooms SET topic = '', topic_actor = '', topic_time = 0, topic_source = '', sealed ="
    " coalesce((SELECT max(seq) FROM messages WHERE room = rooms.id), 0)"
    " WHERE sealed = 9223372036854775807;"
    "DELETE FROM room_events WHERE room <> 0 AND room IN (SELECT id FROM rooms WHERE"
    " (SELECT max(seq) FROM messages WHERE room = rooms.id) IS NULL);"
    "DELETE FROM rooms WHERE (SELECT max(seq) FROM messages WHERE room = rooms.id) IS NULL";

static bool has_place(const struct event *event)
{
    int kind = row_kind(event);
    if (event->type == EVENT_PRIVATE_TO) {
        return kind != 0;
    }
    if (row_kind_is_message(kind)) {
        return event->room_id != 0 && event->seq != 0 && event->seq <= INT64_MAX;
    }
    return kind != 0 && (event->room_id != 0 || event->type == EVENT_REDACTED ||
                         event->audience == AUDIENCE_ROOMS);
}

/*
 * The events are sound or nothing is begun: each belongs somewhere, and the numbers rise from the
 * last one stored. Returns: the last durable one, NULL when none is; *ret_sound is false when one
 * is not.
 */
static const struct event *check_events(const struct log *log, struct event *const *events,
                                        size_t count, bool *ret_sound)
{
    const struct event *last = NULL;
    uint64_t number = log->last_number;
    *ret_sound = true;
    for (size_t i = 0; i < count; i++) {
        const struct event *event = events[i];
        if (!event->durable) {
            continue;
        }
        if (!has_place(event) || event->number <= number || event->number > INT64_MAX) {
            *ret_sound = false;
        }
        number = event->number;
        last = event;
    }
    return last;
}

static int store_one(struct log *log, const struct event *event)
{
    if (event->type == EVENT_PRIVATE_TO) {
        return store_private(log, event);
    }
    return row_kind_is_message(row_kind(event)) ? store_message(log, event)
                                                : store_happening(log, event);
}

static int store_all(struct log *log, struct event *const *events, size_t count)
{
    int code = run(log->statements[STMT_BEGIN]);
    if (code == SQLITE_OK && !log->settled) {
        code = sqlite3_exec(log->db, settle_sql, NULL, NULL, NULL);
    }
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        if (events[i]->durable) {
            code = store_one(log, events[i]);
        }
    }
    return code == SQLITE_OK ? run(log->statements[STMT_COMMIT]) : code;
}

/* The message is taken before the rollback, which would leave its own. */
static enum log_fault give_up(struct log *log, int code)
{
    enum log_fault fault = log_met(log, code);
    memset(log->known_rooms, 0, sizeof(log->known_rooms));
    /* After some errors SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(log->db)) {
        int rollback = sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
        if (fault_is_sync(rollback)) {
            return log_met(log, rollback);
        }
    }
    return fault;
}

enum log_fault log_commit(struct log *log, struct event *const *events, size_t count)
{
    bool sound;
    const struct event *last = check_events(log, events, count, &sound);
    if (!last) {
        return LOG_OK;
    }
    enum log_fault fault = log_prepare_to_store(log);
    if (fault != LOG_OK) {
        return fault;
    }
    if (!sound) {
        (void)snprintf(log->message, sizeof(log->message),
                       "an event that cannot be stored, or numbers that do not rise from %llu",
                       (unsigned long long)log->last_number);
        return LOG_INTERNAL;
    }
    int code = store_all(log, events, count);
    if (code != SQLITE_OK) {
        return give_up(log, code);
    }
    log->settled = true;
    log->last_number = last->number;
    log->last_time_ms = last->time_ms;
    /* A side file that is behind or torn costs only its warning, never a message. */
    (void)side_file_write(log->side_fd, log->last_number);
    return LOG_OK;
}
