/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_LOG_H
#define CHAT_LOG_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event.h"

/*
 * The log: the one order, durable, on SQLite. One connection, owned by the hub's thread, writes and
 * checkpoints; WAL, synchronous=FULL. A side file keeps the last committed number, so that a
 * database that lost its tail is noticed at the next start.
 *
 * Files in the data directory (0700): partyline.db (+ -wal, -shm), partyline.last, all 0600, and
 * partyline.lock, which keeps a second server out.
 *
 * Threads: one, the hub's. Readers have connections of their own: reader.h.
 */
struct log;

enum log_fault {
    LOG_OK = 0,
    LOG_BUSY_DIR = -1,   /* another server has the directory */
    LOG_NEWER = -2,      /* the database is of a later version of the program */
    LOG_DAMAGED = -3,    /* the database lacks what the side file knows, or SQLite says corrupt */
    LOG_NO_SPACE = -4,   /* disk full, quota: worth trying again */
    LOG_IO = -5,         /* reading or writing failed: worth trying again */
    LOG_STOPPED = -6,    /* a sync failed: nothing may be stored until the process is restarted */
    LOG_PERMISSION = -7, /* the directory or a file cannot be used */
    LOG_INTERNAL = -8,   /* anything else SQLite says */
    LOG_UNKNOWN = -9,    /* readers: what was asked about is not there; no fault of the log */
};

/**
 * Opens the log in dir, which is made (0700) when missing; makes or migrates the schema, compares
 * the side file.
 * Returns: LOG_OK; else a log_fault, with a message for people that names the file and the cause in
 *   ret_message (message_cap bytes).
 * Owns: on success the caller owns the log and ends it with log_close.
 */
enum log_fault log_open(const char *dir, struct log **ret_log, char *ret_message,
                        size_t message_cap);

/** Checkpoints and closes. NULL is accepted. */
void log_close(struct log *log);

/** The number of the last committed event, 0 when there is none, and its time. */
uint64_t log_last_number(const struct log *log);
int64_t log_last_time_ms(const struct log *log);

/** One room as the log knows it. Strings are borrowed for the call. */
struct log_room {
    uint32_t id;
    const char *name, *topic, *topic_actor; /* "" when there is none */
    const char *topic_source;               /* "user@host" of topic_actor; "" when not known */
    int64_t topic_time_ms;
    uint64_t last_seq;
    uint64_t sealed; /* history up to this seq is closed: see hub_restore_sealed */
};

typedef void (*log_room_fn)(const struct log_room *room, void *user);

/**
 * Calls fn for every room in which something was said, by id. A room that was closed when the
 * process before ended (EVENT_SEALED_ALL) is sealed up to its last seq and has no topic.
 * Returns: LOG_OK or a fault.
 */
enum log_fault log_each_room(struct log *log, log_room_fn fn, void *user);

/**
 * Appends the last `count` messages (EVENT_MESSAGE, _ACTION, _NOTICE, _TOPIC) of a room to out,
 * oldest first, without those that were taken back. Returns: LOG_OK or a fault.
 */
enum log_fault log_recent(struct log *log, uint32_t room_id, uint32_t count,
                          struct event_list *out);

/**
 * Stores the durable ones among the events, all or none, and syncs them to the disk before it
 * returns. Rooms are stored with their first event, topics and names with their change. Of a
 * message that EVENT_REDACTED takes back, the text, tags and extra are erased. What has a seq is a
 * message of its room; EVENT_MODE, _REMOVED, _ROOM_RENAMED, _SEALED, _REDACTED, _JOINED, _LEFT,
 * _QUIT and _RENAMED have a number only. Returns: LOG_OK (also when none is durable); LOG_NO_SPACE,
 * LOG_IO, LOG_INTERNAL: nothing of it is stored and a later call may succeed; LOG_STOPPED: nothing
 * of it may be acknowledged, and every later call says the same. Blocks: for the disk.
 */
enum log_fault log_commit(struct log *log, struct event *const *events, size_t count);

/** What the last failed call met, for people: "database or disk is full (partyline.db-wal)". */
const char *log_message(const struct log *log);

/**
 * Gives the WAL its usual length beforehand (some 5 MiB), which makes every later commit cheaper.
 * Before the first commit, or in a quiet moment; what cannot be done is left.
 * Blocks: for the disk, some 10 ms.
 */
void log_reserve(struct log *log);

/** Lets SQLite move the WAL into the database, bounded in time; for quiet moments. */
void log_checkpoint(struct log *log);

#endif
