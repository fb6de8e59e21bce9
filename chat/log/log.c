/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "log/data_dir.h"
#include "log/fault.h"
#include "log/log_internal.h"
#include "log/row.h"
#include "log/schema.h"
#include "log/side_file.h"

/*
 * What keeps the promise "stored before seen", and what could break it:
 *
 * - WAL with synchronous=FULL: COMMIT returns after the sync of the WAL.
 * - The names of the files: the directory is synced here once they exist, since SQLite does not
 * look at the result of its own directory sync.
 * - A sync that fails (`stopped`): the kernel may have dropped the pages and marked them clean, so
 *   that a second sync says yes about data that is nowhere. Nothing is stored any more in this
 *   process, and it leaves the WAL as it is.
 * - The next process (`unproven`): frames it reads from the WAL of the one before may be in the
 * page cache alone, for the same reason. It writes all of them into the database, syncs that and
 * empties the WAL, before it stores anything of its own behind them. When there is no room for it,
 * history can be read and each commit tries again first.
 * - Checkpoints: SQLite's automatic ones hide their errors, a failed sync among them. So they are
 *   done here, by this connection alone, before a commit rather than after it: a failed sync then
 *   stops the commit that has not been answered, and one that has been done is answered sooner. A
 *   checkpoint that fails otherwise (no room) is no matter: the WAL goes on to hold everything.
 *
 * A batch that met LOG_STOPPED may be found stored after a restart; it was never acknowledged, so
 * nobody was told a lie. A batch that met another fault is rolled back and its place in the WAL
 * taken by the next.
 */

enum statement {
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROOM,
    STMT_TOPIC,
    STMT_MESSAGE,
    STMT_PRIVATE,
    STMT_STATE,
    STMT_STATE_READ,
    STMT_ROOM_NAME,
    STMT_RECENT,
    STMT_EACH_ROOM,
    STMT_COUNT,
};

static const char *const statement_sql[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROOM] = "INSERT INTO rooms(id, name) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING",
    [STMT_TOPIC] = "UPDATE rooms SET topic = ?2, topic_actor = ?3, topic_time = ?4 WHERE id = ?1",
    [STMT_MESSAGE] = "INSERT INTO messages(room, seq, number, time, kind, actor, text)"
                     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [STMT_PRIVATE] = "INSERT INTO private_messages(number, time, actor, target, text)"
                     " VALUES(?1, ?2, ?3, ?4, ?5)",
    [STMT_STATE] = "UPDATE state SET last_number = ?1, last_time = ?2 WHERE id = 1",
    [STMT_STATE_READ] = "SELECT last_number, last_time FROM state WHERE id = 1",
    [STMT_ROOM_NAME] = "SELECT name FROM rooms WHERE id = ?1",
    [STMT_RECENT] = "SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1"
                    " ORDER BY seq DESC LIMIT ?2",
    [STMT_EACH_ROOM] = "SELECT id, name, topic, topic_actor, topic_time, coalesce((SELECT max(seq)"
                       " FROM messages WHERE room = rooms.id), 0) FROM rooms ORDER BY id",
};

/* Rooms that are known to be in the table, by the low bits of their id: one place each. */
#define KNOWN_ROOMS 1024

struct log {
    struct data_dir dir;
    char *db_path;
    int side_fd; /* -1: not open */
    sqlite3 *db;
    sqlite3_stmt *statements[STMT_COUNT];
    uint64_t last_number;
    int64_t last_time_ms;
    bool stopped;  /* see above; for ever */
    bool unproven; /* see above; until a checkpoint has moved everything */
    int wal_frames, wal_moved_frames;
    uint32_t known_rooms[KNOWN_ROOMS];
    char message[LOG_MESSAGE_CAP];
};

/* ---- faults ---- */

static enum log_fault say_stopped(struct log *log)
{
    (void)snprintf(log->message, sizeof(log->message),
                   "a sync of %s failed: nothing more can be stored until the server is restarted",
                   log->db_path);
    return LOG_STOPPED;
}

/* The fault for what the last call on the database met, with its message. */
static enum log_fault met(struct log *log, int code)
{
    if (fault_is_sync(code)) {
        log->stopped = true;
        return say_stopped(log);
    }
    fault_describe(log->db, code, log->db_path, log->message, sizeof(log->message));
    return fault_of(log->db, code);
}

/* ---- checkpoints ---- */

static int on_wal(void *user, sqlite3 *db, const char *name, int frames)
{
    struct log *log = user;
    (void)db;
    (void)name;
    if (frames < log->wal_frames) {
        log->wal_moved_frames = 0; /* The WAL started anew. */
    }
    log->wal_frames = frames;
    return SQLITE_OK;
}

static int frames_waiting(const struct log *log)
{
    return log->wal_frames - log->wal_moved_frames;
}

static int checkpoint(struct log *log, int mode)
{
    int in_wal = -1, moved = -1;
    int code = sqlite3_wal_checkpoint_v2(log->db, "main", mode, &in_wal, &moved);
    if (moved >= 0) {
        log->wal_frames = in_wal;
        log->wal_moved_frames = moved;
    }
    if (fault_is_sync(code)) {
        (void)met(log, code);
    }
    return code;
}

/* What must or should be done before a batch is stored. */
static enum log_fault prepare_to_store(struct log *log)
{
    if (log->stopped) {
        return say_stopped(log);
    }
    if (log->unproven) {
        int code = checkpoint(log, SQLITE_CHECKPOINT_TRUNCATE);
        if (code != SQLITE_OK) {
            return met(log, code);
        }
        log->unproven = false;
    } else if (log->wal_frames >= WAL_RESTART_FRAMES) {
        (void)checkpoint(log, SQLITE_CHECKPOINT_RESTART);
    } else if (frames_waiting(log) >= WAL_CHECKPOINT_FRAMES) {
        (void)checkpoint(log, SQLITE_CHECKPOINT_PASSIVE);
    }
    return log->stopped ? LOG_STOPPED : LOG_OK;
}

void log_checkpoint(struct log *log)
{
    if (!log->stopped && !log->unproven && frames_waiting(log) >= WAL_QUIET_FRAMES) {
        (void)checkpoint(log, SQLITE_CHECKPOINT_PASSIVE);
    }
}

/* ---- opening ---- */

static int configure(sqlite3 *db, const struct log_options *options)
{
    /* The file is data, not program: whoever brings one must not bring code with it. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, LOG_VALUE_BYTES_MAX);
    (void)sqlite3_busy_timeout(db, LOG_BUSY_MS);
    char sql[240];
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA synchronous = %s; PRAGMA cache_size = -%d; PRAGMA mmap_size = 0;"
                   "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;"
                   "PRAGMA journal_size_limit = %d",
                   options->sync_normal ? "NORMAL" : "FULL", LOG_CACHE_KIB, WAL_KEPT_BYTES);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* SQLite opens what is in the place of -wal and -shm: see that it is ours. */
static enum log_fault check_companions(struct log *log)
{
    static const char *const names[] = {DATA_FILE_WAL, DATA_FILE_SHM};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (faccessat(log->dir.fd, names[i], F_OK, AT_SYMLINK_NOFOLLOW) == -1) {
            continue;
        }
        int fd = -1;
        enum log_fault fault =
            data_dir_open_file(&log->dir, names[i], &fd, log->message, sizeof(log->message));
        if (fault != LOG_OK) {
            return fault;
        }
        (void)close(fd);
    }
    return LOG_OK;
}

static enum log_fault open_files(struct log *log, const struct log_options *options)
{
    enum log_fault fault = data_dir_open_file(&log->dir, DATA_FILE_SIDE, &log->side_fd,
                                              log->message, sizeof(log->message));
    if (fault == LOG_OK) {
        fault = check_companions(log);
    }
    /* Made here, since SQLite's own way depends on the umask; -wal and -shm inherit the mode. It is
       closed before SQLite opens it: a later close would drop SQLite's locks. */
    int fd = -1;
    if (fault == LOG_OK) {
        fault =
            data_dir_open_file(&log->dir, DATA_FILE_DB, &fd, log->message, sizeof(log->message));
    }
    if (fault != LOG_OK) {
        return fault;
    }
    (void)close(fd);
    log->db_path = data_dir_join(log->dir.path, DATA_FILE_DB);
    int code = sqlite3_open_v2(log->db_path, &log->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
                                   SQLITE_OPEN_EXRESCODE,
                               options->vfs);
    if (code == SQLITE_OK) {
        code = configure(log->db, options);
    }
    return code == SQLITE_OK ? LOG_OK : met(log, code);
}

static enum log_fault refuse_damaged(struct log *log, uint64_t known)
{
    (void)snprintf(
        log->message, sizeof(log->message),
        "%s ends at number %llu, but %llu was stored: its end is lost. Restore a backup, "
        "or, to accept the loss, remove %s/" DATA_FILE_SIDE,
        log->db_path, (unsigned long long)log->last_number, (unsigned long long)known,
        log->dir.path);
    return LOG_DAMAGED;
}

static int read_state(struct log *log)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(log->db, statement_sql[STMT_STATE_READ], -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW) {
        log->last_number = (uint64_t)sqlite3_column_int64(stmt, 0);
        log->last_time_ms = sqlite3_column_int64(stmt, 1);
        code = SQLITE_OK;
    } else if (code == SQLITE_DONE) {
        code = SQLITE_CORRUPT;
    }
    (void)sqlite3_finalize(stmt);
    return code;
}

/* Looks at what is there without changing a byte of it, so that a damaged log stays evidence. */
static enum log_fault look(struct log *log, enum schema_state *ret_state, int *ret_version)
{
    uint64_t known = side_file_read(log->side_fd);
    int code = schema_look(log->db, ret_state, ret_version);
    if (code != SQLITE_OK) {
        return met(log, code);
    }
    switch (*ret_state) {
    case SCHEMA_FOREIGN:
        (void)snprintf(log->message, sizeof(log->message),
                       "%s is a database, but not one of Partyline", log->db_path);
        return LOG_DAMAGED;
    case SCHEMA_NEWER:
        (void)snprintf(log->message, sizeof(log->message),
                       "%s was written by a later version of Partyline (schema %d, this program "
                       "knows %d): use that version",
                       log->db_path, *ret_version, schema_version());
        return LOG_NEWER;
    case SCHEMA_NEW:
        break;
    case SCHEMA_OLD:
    case SCHEMA_CURRENT:
        code = read_state(log);
        if (code != SQLITE_OK) {
            return met(log, code);
        }
    }
    return known > log->last_number ? refuse_damaged(log, known) : LOG_OK;
}

static enum log_fault prepare_statements(struct log *log)
{
    for (int i = 0; i < STMT_COUNT; i++) {
        int code = sqlite3_prepare_v3(log->db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                      &log->statements[i], NULL);
        if (code != SQLITE_OK) {
            return met(log, code);
        }
    }
    return LOG_OK;
}

/* SQLite does not call it an error when a file system cannot do WAL: it stays with what it had. */
static int enter_wal_mode(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
    }
    if (code == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(stmt, 0);
        code = mode && strcmp(mode, "wal") == 0 ? SQLITE_OK : SQLITE_CANTOPEN;
    }
    int end = sqlite3_finalize(stmt);
    return code == SQLITE_OK ? end : code;
}

static enum log_fault bring_up(struct log *log, const struct log_options *options)
{
    enum schema_state state;
    int version;
    enum log_fault fault = look(log, &state, &version);
    if (fault != LOG_OK) {
        return fault;
    }
    int code = enter_wal_mode(log->db);
    if (code == SQLITE_OK) {
        (void)sqlite3_wal_hook(log->db, on_wal, log);
        log->unproven = !options->trust_wal;
        if (state != SCHEMA_CURRENT) {
            code = schema_upgrade(log->db, version);
        }
    }
    if (code != SQLITE_OK) {
        return met(log, code);
    }
    fault = prepare_statements(log);
    if (fault == LOG_OK) {
        fault = data_dir_sync(&log->dir, log->message, sizeof(log->message));
    }
    if (fault == LOG_OK) {
        /* Without room for it the log opens all the same: see `unproven`. */
        fault = prepare_to_store(log);
    }
    return fault == LOG_NO_SPACE ? LOG_OK : fault;
}

/* At the start, a statement that does not fit the tables means that the tables are not ours. */
static enum log_fault fault_at_start(enum log_fault fault)
{
    return fault == LOG_INTERNAL ? LOG_DAMAGED : fault;
}

/* keep: leave the WAL as it is. */
static void close_all(struct log *log, bool keep)
{
    for (int i = 0; i < STMT_COUNT; i++) {
        (void)sqlite3_finalize(log->statements[i]);
    }
    if (log->db && keep) {
        (void)sqlite3_db_config(log->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    (void)sqlite3_close(log->db);
    if (log->side_fd != -1) {
        (void)close(log->side_fd);
    }
    data_dir_finish(&log->dir);
    free(log->db_path);
    free(log);
}

enum log_fault log_open_with(const struct log_options *options, const char *dir,
                             struct log **ret_log, char *ret_message, size_t message_cap)
{
    struct log *log = xcalloc(1, sizeof(*log));
    log->side_fd = -1;
    enum log_fault fault = data_dir_init(&log->dir, dir, log->message, sizeof(log->message));
    if (fault == LOG_OK) {
        fault = open_files(log, options);
    }
    if (fault == LOG_OK) {
        fault = fault_at_start(bring_up(log, options));
    }
    if (fault != LOG_OK) {
        (void)snprintf(ret_message, message_cap, "%s", log->message);
        close_all(log, true);
        return fault;
    }
    *ret_log = log;
    return LOG_OK;
}

enum log_fault log_open(const char *dir, struct log **ret_log, char *ret_message,
                        size_t message_cap)
{
    static const struct log_options defaults;
    return log_open_with(&defaults, dir, ret_log, ret_message, message_cap);
}

void log_close(struct log *log)
{
    if (log) {
        close_all(log, log->stopped);
    }
}

/* ---- reading ---- */

uint64_t log_last_number(const struct log *log)
{
    return log->last_number;
}

int64_t log_last_time_ms(const struct log *log)
{
    return log->last_time_ms;
}

const char *log_message(const struct log *log)
{
    return log->message;
}

enum log_fault log_each_room(struct log *log, log_room_fn fn, void *user)
{
    sqlite3_stmt *stmt = log->statements[STMT_EACH_ROOM];
    int code;
    while ((code = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0), last_seq = sqlite3_column_int64(stmt, 5);
        struct log_room room = {
            .name = (const char *)sqlite3_column_text(stmt, 1),
            .topic = (const char *)sqlite3_column_text(stmt, 2),
            .topic_actor = (const char *)sqlite3_column_text(stmt, 3),
            .topic_time_ms = sqlite3_column_int64(stmt, 4),
        };
        if (id < 1 || id > UINT32_MAX || last_seq < 0 || !room.name || !room.topic ||
            !room.topic_actor) {
            code = SQLITE_CORRUPT;
            break;
        }
        room.id = (uint32_t)id;
        room.last_seq = (uint64_t)last_seq;
        fn(&room, user);
    }
    enum log_fault fault = code == SQLITE_DONE ? LOG_OK : met(log, code);
    (void)sqlite3_reset(stmt);
    return fault;
}

enum log_fault log_recent(struct log *log, uint32_t room_id, uint32_t count, struct event_list *out)
{
    struct row_room room;
    size_t from = out->count;
    int code = row_room_load(log->statements[STMT_ROOM_NAME], room_id, &room);
    if (code == SQLITE_ROW) {
        sqlite3_stmt *stmt = log->statements[STMT_RECENT];
        (void)sqlite3_bind_int64(stmt, 1, room_id);
        (void)sqlite3_bind_int64(stmt, 2, count);
        code = row_append_all(stmt, &room, out);
        free(room.name);
        if (code != SQLITE_DONE) {
            row_list_cut(out, from);
        }
        row_list_reverse(out, from);
    }
    enum log_fault fault = code == SQLITE_DONE ? LOG_OK : met(log, code);
    (void)sqlite3_reset(log->statements[STMT_RECENT]);
    return fault;
}

/* ---- storing ---- */

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

static int store_state(struct log *log, uint64_t number, int64_t time_ms)
{
    sqlite3_stmt *stmt = log->statements[STMT_STATE];
    (void)sqlite3_bind_int64(stmt, 1, (int64_t)number);
    (void)sqlite3_bind_int64(stmt, 2, time_ms);
    return run(stmt);
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

static int store_all(struct log *log, struct event *const *events, size_t count,
                     const struct event *last)
{
    int code = run(log->statements[STMT_BEGIN]);
    for (size_t i = 0; code == SQLITE_OK && i < count; i++) {
        if (events[i]->durable) {
            code = events[i]->type == EVENT_PRIVATE_TO ? store_private(log, events[i])
                                                       : store_message(log, events[i]);
        }
    }
    if (code == SQLITE_OK) {
        code = store_state(log, last->number, last->time_ms);
    }
    return code == SQLITE_OK ? run(log->statements[STMT_COMMIT]) : code;
}

/* The message is taken before the rollback, which would leave its own. */
static enum log_fault give_up(struct log *log, int code)
{
    enum log_fault fault = met(log, code);
    memset(log->known_rooms, 0, sizeof(log->known_rooms));
    /* After some errors SQLite has rolled back by itself. */
    if (!sqlite3_get_autocommit(log->db)) {
        int rollback = sqlite3_exec(log->db, "ROLLBACK", NULL, NULL, NULL);
        if (fault_is_sync(rollback)) {
            return met(log, rollback);
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
    enum log_fault fault = prepare_to_store(log);
    if (fault != LOG_OK) {
        return fault;
    }
    if (!sound) {
        (void)snprintf(log->message, sizeof(log->message),
                       "an event that cannot be stored, or numbers that do not rise from %llu",
                       (unsigned long long)log->last_number);
        return LOG_INTERNAL;
    }
    int code = store_all(log, events, count, last);
    if (code != SQLITE_OK) {
        return give_up(log, code);
    }
    log->last_number = last->number;
    log->last_time_ms = last->time_ms;
    /* A side file that is behind or torn costs only its warning, never a message. */
    (void)side_file_write(log->side_fd, log->last_number);
    return LOG_OK;
}
