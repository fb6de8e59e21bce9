/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_LOG_INTERNAL_H
#define CHAT_LOG_LOG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "log/log.h"

/*
 * Doors for tests: a log on another VFS, or with the weaker sync level that loses on a power cut
 * and so shows that the test for losses can fail. The server uses log_open.
 */
struct log_options {
    const char *vfs;  /* a registered VFS; NULL: SQLite's default */
    bool sync_normal; /* synchronous=NORMAL instead of FULL */
    bool trust_wal;   /* builds on the WAL of the process before without writing it anew */
};

enum log_fault log_open_with(const struct log_options *options, const char *dir,
                             struct log **ret_log, char *ret_message, size_t message_cap);

/** log_reserve for so many frames. */
void log_reserve_frames(struct log *log, int frames);

/* Frames that wait in the WAL before a commit moves them into the database first (4 MiB). */
#define WAL_CHECKPOINT_FRAMES 1000
/* From here on (32 MiB) readers are waited for, so that the WAL can start anew. */
#define WAL_RESTART_FRAMES 8000
/* What is kept of the file of a WAL that had grown longer, once it starts anew. */
#define WAL_KEPT_BYTES (16 * 1024 * 1024)
/* Fewer frames than this are not worth two syncs in a quiet moment. */
#define WAL_QUIET_FRAMES 64
/* How long a foreign lock, or in WAL_RESTART_FRAMES a reader, is waited for. */
#define LOG_BUSY_MS 250
/* Page cache of the writing connection, and of each reader. */
#define LOG_CACHE_KIB    4096
#define READER_CACHE_KIB 2048
/* The longest row that is stored or read; what a damaged database claims beyond it is refused. */
#define LOG_VALUE_BYTES_MAX (1024 * 1024)

#endif
