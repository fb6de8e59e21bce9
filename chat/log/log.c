/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "log/log_internal.h"
#include "log/log_state.h"
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
 * What is taken back is overwritten in its page (secure_delete); the older copies of the page in
 * the WAL and in the database go with the next checkpoints.
 *
 * A batch that met LOG_STOPPED may be found stored after a restart; it was never acknowledged, so
 * nobody was told a lie. A batch that met another fault is rolled back and its place in the WAL
 * taken by the next.
 */

static const char *const statement_sql[STMT_COUNT] = {
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROOM] = "INSERT INTO rooms(id, name) VALUES(?1, ?2) ON CONFLICT(id) DO NOTHING",
    [STMT_TOPIC] = ("UPDATE rooms SET topic = ?2, topic_actor = ?3, topic_time = ?4,"
                    " topic_source = ?5 WHERE id = ?1"),
    [STMT_MESSAGE] = ("INSERT INTO messages(room, seq, number, time, kind, actor, text, source,"
                      " account, tags, extra, identity, flags)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
    [STMT_PRIVATE] = ("INSERT INTO private_messages(target, target_identity, number, time, kind,"
                      " actor, text, source, account, tags, extra, actor_identity, flags)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"),
    /* Ignored: what somebody says to itself. */
    [STMT_CONVERSATION] = ("INSERT OR IGNORE INTO conversations(identity, other, number)"
                           " VALUES(?1, ?2, ?3)"),
    [STMT_ROOM_EVENT] = ("INSERT INTO room_events(room, target, number, time, kind, actor, text,"
                         " source, account, extra, value, flags)"
                         " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?12, ?13)"),
    [STMT_RENAME_ROOM] = "UPDATE rooms SET name = ?2 WHERE id = ?1",
    [STMT_SEAL] = "UPDATE rooms SET sealed = ?2 WHERE id = ?1",
    [STMT_OPEN_ANEW] = ("UPDATE rooms SET sealed = ?2, topic = '', topic_actor = '',"
                        " topic_time = 0, topic_source = '' WHERE id = ?1"),
    [STMT_FORGET_EVENTS] = "DELETE FROM room_events WHERE room = ?1 AND number < ?2",
    [STMT_REDACT] = ("UPDATE messages SET text = '', tags = '', extra = '', redacted = 1"
                     " WHERE room = ?1 AND seq = ?2"),
    [STMT_REDACT_PRIVATE] = ("UPDATE private_messages SET text = '', tags = '', extra = '',"
                             " redacted = 1 WHERE number = ?1"),
    [STMT_SEQ_AT] = ("SELECT seq, time, number FROM messages WHERE room = ?1 AND seq >= ?2"
                     " ORDER BY seq LIMIT 1"),
    [STMT_SEQ_LAST] = ("SELECT seq, time, number FROM messages WHERE room = ?1"
                       " ORDER BY seq DESC LIMIT 1"),
    [STMT_ROOM_NAME] = "SELECT name FROM rooms WHERE id = ?1",
    [STMT_RECENT] = ("SELECT " ROW_COLUMNS " FROM messages WHERE room = ?1 ORDER BY seq DESC"),
    [STMT_EACH_ROOM] = ("SELECT id, name, topic, topic_actor, topic_time, coalesce((SELECT max(seq)"
                        " FROM messages WHERE room = rooms.id), 0), topic_source, sealed"
                        " FROM rooms ORDER BY id"),
};

/* ---- faults ---- */

static enum log_fault say_stopped(struct log *log)
{
    (void)snprintf(log->message, sizeof(log->message),
                   "a sync of %s failed: nothing more can be stored until the server is restarted",
                   log->db_path);
    return LOG_STOPPED;
}

enum log_fault log_met(struct log *log, int code)
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
        log->wal_restart_at = WAL_RESTART_FRAMES;
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
        (void)log_met(log, code);
    }
    return code;
}

enum log_fault log_prepare_to_store(struct log *log)
{
    if (log->stopped) {
        return say_stopped(log);
    }
    if (log->unproven) {
        int code = checkpoint(log, SQLITE_CHECKPOINT_TRUNCATE);
        if (code != SQLITE_OK) {
            return log_met(log, code);
        }
        log->unproven = false;
    } else if (log->wal_frames >= log->wal_restart_at) {
        (void)checkpoint(log, SQLITE_CHECKPOINT_RESTART);
        /* A reader that does not end is not waited for again with each commit. */
        log->wal_restart_at = log->wal_frames + WAL_CHECKPOINT_FRAMES;
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
                   "PRAGMA secure_delete = ON; PRAGMA journal_size_limit = %d",
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
    return code == SQLITE_OK ? LOG_OK : log_met(log, code);
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

/* One look-up a room; max() alone would read every message. */
#define LAST_IN(table, room, place)                                                                \
    "SELECT (SELECT number FROM " table " WHERE room = " room " ORDER BY " place                   \
    " DESC LIMIT 1) AS number, (SELECT time FROM " table " WHERE room = " room " ORDER BY " place  \
    " DESC LIMIT 1) AS time"
#define LAST_OF(parts)                                                                             \
    "SELECT coalesce(max(number), 0), coalesce(max(time), 0) FROM (" parts                         \
    " UNION ALL SELECT * FROM"                                                                     \
    " (SELECT number, time FROM private_messages ORDER BY number DESC LIMIT 1))"

/* An old database is looked at before it is brought up to date. */
static const char last_sql_1[] = LAST_OF(LAST_IN("messages", "rooms.id", "seq") " FROM rooms");
static const char last_sql[] =
    LAST_OF(LAST_IN("messages", "rooms.id", "seq") " FROM rooms UNION ALL " LAST_IN(
        "room_events", "rooms.id", "number") " FROM rooms UNION ALL " LAST_IN("room_events", "0",
                                                                              "number"));

static int read_last(struct log *log, int version)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(log->db, version == 1 ? last_sql_1 : last_sql, -1, &stmt, NULL);
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
        return log_met(log, code);
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
        code = read_last(log, *ret_version);
        if (code != SQLITE_OK) {
            return log_met(log, code);
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
            return log_met(log, code);
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
        return log_met(log, code);
    }
    fault = prepare_statements(log);
    if (fault == LOG_OK) {
        fault = data_dir_sync(&log->dir, log->message, sizeof(log->message));
    }
    if (fault == LOG_OK) {
        /* Without room for it the log opens all the same: see `unproven`. */
        fault = log_prepare_to_store(log);
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
    log->wal_restart_at = WAL_RESTART_FRAMES;
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

/* ---- what it knows ---- */

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
