/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <stdio.h>
#include <string.h>

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

static int store_room(struct log *log, const struct event *event)
{
    uint32_t *known = &log->known_rooms[event->room_id % KNOWN_ROOMS];
    if (*known == event->room_id) {
        return SQLITE_OK;
    }
    sqlite3_stmt *stmt = log->statements[STMT_ROOM];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    int code = bind_text(stmt, 2, event->room, event->room_len);
    if (code == SQLITE_OK) {
        code = run(stmt);
    }
    if (code == SQLITE_OK) {
        *known = event->room_id;
    }
    return code;
}

static int store_topic(struct log *log, const struct event *event)
{
    sqlite3_stmt *stmt = log->statements[STMT_TOPIC];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 4, event->time_ms);
    int code = bind_text(stmt, 2, event->text, event->text_len);
    if (code == SQLITE_OK) {
        code = bind_text(stmt, 3, event->actor, event->actor_len);
    }
    return code == SQLITE_OK ? run(stmt) : code;
}

static int store_message(struct log *log, const struct event *event)
{
    int code = store_room(log, event);
    sqlite3_stmt *stmt = log->statements[STMT_MESSAGE];
    (void)sqlite3_bind_int64(stmt, 1, event->room_id);
    (void)sqlite3_bind_int64(stmt, 2, (int64_t)event->seq);
    (void)sqlite3_bind_int64(stmt, 3, (int64_t)event->number);
    (void)sqlite3_bind_int64(stmt, 4, event->time_ms);
    (void)sqlite3_bind_int(stmt, 5, row_kind(event));
    if (code == SQLITE_OK) {
        code = bind_text(stmt, 6, event->actor, event->actor_len);
    }
    if (code == SQLITE_OK) {
        code = bind_text(stmt, 7, event->text, event->text_len);
    }
    if (code == SQLITE_OK) {
        code = run(stmt);
    }
    if (code == SQLITE_OK && event->type == EVENT_TOPIC) {
        code = store_topic(log, event);
    }
    return code;
}

static int store_private(struct log *log, const struct event *event)
{
    sqlite3_stmt *stmt = log->statements[STMT_PRIVATE];
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)event->number);
    (void)sqlite3_bind_int64(stmt, 2, event->time_ms);
    int code = bind_text(stmt, 3, event->actor, event->actor_len);
    if (code == SQLITE_OK) {
        code = bind_text(stmt, 4, event->target, event->target_len);
    }
    if (code == SQLITE_OK) {
        code = bind_text(stmt, 5, event->text, event->text_len);
    }
    return code == SQLITE_OK ? run(stmt) : code;
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
        bool in_room = row_kind(event) != 0 && event->room_id != 0 && event->seq != 0 &&
                       event->seq <= INT64_MAX;
        if ((!in_room && event->type != EVENT_PRIVATE_TO) || event->number <= number ||
            event->number > INT64_MAX) {
            *ret_sound = false;
        }
        number = event->number;
        last = event;
    }
    return last;
}

static int store_all(struct log *log, struct event *const *events, size_t count)
{
    int code = run(log->statements[STMT_BEGIN]);
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        if (events[i]->durable) {
            code = events[i]->type == EVENT_PRIVATE_TO ? store_private(log, events[i])
                                                       : store_message(log, events[i]);
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
    log->last_number = last->number;
    log->last_time_ms = last->time_ms;
    /* A side file that is behind or torn costs only its warning, never a message. */
    (void)side_file_write(log->side_fd, log->last_number);
    return LOG_OK;
}
