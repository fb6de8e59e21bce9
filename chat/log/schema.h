/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_SCHEMA_H
#define CHAT_LOG_SCHEMA_H

#include <sqlite3.h>

/*
 * The tables of the log and their versions. application_id says that the file is ours, user_version
 * which version of the schema it has. A version is a step in a table: an older database is brought
 * up to date step by step in one transaction, a newer one is left alone.
 */

#define SCHEMA_APPLICATION_ID 0x50617274 /* "Part" */

/*
 * How an event's type is written: in messages and private_messages those below 16, in room_events
 * the others. These numbers are on disks: never change one; they stay below 32.
 */
enum schema_kind {
    KIND_MESSAGE = 1,
    KIND_ACTION = 2,
    KIND_NOTICE = 3,
    KIND_TOPIC = 4,
    KIND_TAGS = 5,
    KIND_MODE = 16,
    KIND_REMOVED = 17,
    KIND_ROOM_RENAMED = 18,
    KIND_JOINED = 19,
    KIND_LEFT = 20,
    KIND_QUIT = 21,
    KIND_RENAMED = 22,
    KIND_SEALED = 23,
    KIND_REDACTED = 24,
};

enum schema_state {
    SCHEMA_NEW,     /* nothing is in the file yet */
    SCHEMA_OLD,     /* ours, of an earlier version */
    SCHEMA_CURRENT, /* ours, of this version */
    SCHEMA_NEWER,   /* ours, of a later version of the program */
    SCHEMA_FOREIGN, /* a database of something else */
};

/** The version that this program writes. */
int schema_version(void);

/** Looks at the database. Returns: SQLITE_OK and what it is; else SQLite's code. */
int schema_look(sqlite3 *db, enum schema_state *ret_state, int *ret_version);

/** Brings the database from the version `from` (0: new) up to date. Returns: SQLite's code. */
int schema_upgrade(sqlite3 *db, int from);

#endif
