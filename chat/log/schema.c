/* SPDX-License-Identifier: MIT */
#include "log/schema.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * messages is clustered by (room, seq): the history of a room lies together on the disk, its last
 * number is one look-up (so no row per room is rewritten with each commit), and since neither
 * number nor time ever fall with seq, a time is found by halving, without an index that each commit
 * would have to keep.
 *
 * room_events has what happened to a room and has no seq, clustered in the same way by number; what
 * belongs to no room (a private message taken back) lies in room 0. conversations finds the private
 * messages of somebody with somebody: twice each, once for each of the two, with the other's folded
 * name. Identities are 64 bits without a sign, kept as SQLite's with one.
 *
 * A room's newest row must never be deleted: its seq and the next one hang on it. So does the last
 * number of all, which is the greatest of the rooms' last ones in messages and room_events: a row
 * for it would be one more page to write with each commit.
 */
static const char *const steps[] = {
    /* 1 */
    "CREATE TABLE rooms("
    " id INTEGER PRIMARY KEY,"
    " name TEXT NOT NULL,"
    " topic TEXT NOT NULL DEFAULT '',"
    " topic_actor TEXT NOT NULL DEFAULT '',"
    " topic_time INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE TABLE messages("
    " room INTEGER NOT NULL,"
    " seq INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " actor TEXT NOT NULL,"
    " text TEXT NOT NULL,"
    " PRIMARY KEY(room, seq)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE private_messages("
    " number INTEGER PRIMARY KEY,"
    " time INTEGER NOT NULL,"
    " actor TEXT NOT NULL,"
    " target TEXT NOT NULL,"
    " text TEXT NOT NULL"
    ") STRICT;",
    /* 2 */
    "ALTER TABLE rooms ADD COLUMN topic_source TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE rooms ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE messages ADD COLUMN source TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE messages ADD COLUMN account TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE messages ADD COLUMN tags TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE messages ADD COLUMN extra TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE messages ADD COLUMN identity INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE messages ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE messages ADD COLUMN redacted INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE private_messages ADD COLUMN source TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE private_messages ADD COLUMN account TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE private_messages ADD COLUMN tags TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE private_messages ADD COLUMN extra TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE private_messages ADD COLUMN actor_identity INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE private_messages ADD COLUMN flags INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE private_messages ADD COLUMN redacted INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE private_messages ADD COLUMN kind INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE private_messages ADD COLUMN target_identity INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE conversations("
    " identity INTEGER NOT NULL,"
    " other TEXT NOT NULL,"
    " number INTEGER NOT NULL,"
    " PRIMARY KEY(identity, other, number)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE room_events("
    " room INTEGER NOT NULL,"
    " number INTEGER NOT NULL,"
    " time INTEGER NOT NULL,"
    " kind INTEGER NOT NULL,"
    " actor TEXT NOT NULL,"
    " text TEXT NOT NULL,"
    " source TEXT NOT NULL,"
    " account TEXT NOT NULL,"
    " target TEXT NOT NULL,"
    " extra TEXT NOT NULL,"
    " value INTEGER NOT NULL,"
    " flags INTEGER NOT NULL,"
    " PRIMARY KEY(room, number)"
    ") STRICT, WITHOUT ROWID;",
};

int schema_version(void)
{
    return (int)(sizeof(steps) / sizeof(steps[0]));
}

static int read_integer(sqlite3 *db, const char *sql, int *ret_value)
{
    sqlite3_stmt *stmt = NULL;
    int code = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (code == SQLITE_OK) {
        code = sqlite3_step(stmt);
        if (code == SQLITE_ROW) {
            *ret_value = sqlite3_column_int(stmt, 0);
            code = SQLITE_OK;
        }
    }
    (void)sqlite3_finalize(stmt);
    return code;
}

int schema_look(sqlite3 *db, enum schema_state *ret_state, int *ret_version)
{
    int application = 0, version = 0, tables = 0;
    int code = read_integer(db, "PRAGMA application_id", &application);
    if (code == SQLITE_OK) {
        code = read_integer(db, "PRAGMA user_version", &version);
    }
    if (code == SQLITE_OK) {
        code = read_integer(db, "SELECT count(*) FROM sqlite_master", &tables);
    }
    if (code != SQLITE_OK) {
        return code;
    }
    *ret_version = version;
    if (application == 0 && version == 0 && tables == 0) {
        *ret_state = SCHEMA_NEW;
    } else if (application != SCHEMA_APPLICATION_ID || version < 1) {
        *ret_state = SCHEMA_FOREIGN;
    } else if (version > schema_version()) {
        *ret_state = SCHEMA_NEWER;
    } else {
        *ret_state = version < schema_version() ? SCHEMA_OLD : SCHEMA_CURRENT;
    }
    return SQLITE_OK;
}

int schema_upgrade(sqlite3 *db, int from)
{
    int code = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (int i = from; code == SQLITE_OK && i < schema_version(); i++) {
        code = sqlite3_exec(db, steps[i], NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        char sql[96];
        (void)snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
                       SCHEMA_APPLICATION_ID, schema_version());
        code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    if (code == SQLITE_OK) {
        code = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }
    if (code != SQLITE_OK && !sqlite3_get_autocommit(db)) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}
