/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_LOG_STATE_H
#define CHAT_LOG_LOG_STATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "log/data_dir.h"
#include "log/fault.h"
#include "log/log.h"

/*
 * The inside of a log, shared by the files that open it (log.c), store in it (log_store.c) and read
 * from it (log_read.c).
 */

enum log_statement {
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROOM,
    STMT_TOPIC,
    STMT_MESSAGE,
    STMT_PRIVATE,
    STMT_CONVERSATION,
    STMT_ROOM_EVENT,
    STMT_RENAME_ROOM,
    STMT_SEAL,
    STMT_OPEN_ANEW,
    STMT_FORGET_EVENTS,
    STMT_REDACT,
    STMT_REDACT_PRIVATE,
    STMT_SEQ_AT,
    STMT_SEQ_LAST,
    STMT_ROOM_NAME,
    STMT_RECENT,
    STMT_EACH_ROOM,
    STMT_COUNT,
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
    bool stopped;  /* a sync failed; for ever: see log.c */
    bool unproven; /* until a checkpoint has moved all of an old WAL: see log.c */
    bool settled;  /* what the process before left open is closed: see settle in log_store.c */
    int wal_frames, wal_moved_frames;
    int wal_restart_at; /* frames from which readers are waited for */
    uint32_t known_rooms[KNOWN_ROOMS];
    char message[LOG_MESSAGE_CAP];
};

/** The fault for what the last call on the database met, with its message; a sync stops the log. */
enum log_fault log_met(struct log *log, int code);

/** Does what must or should be done before a batch is stored. Returns: LOG_OK, or why not to. */
enum log_fault log_prepare_to_store(struct log *log);

#endif
