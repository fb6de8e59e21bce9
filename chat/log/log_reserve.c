/* SPDX-License-Identifier: MIT */
#include "log/log.h"

#include <sqlite3.h>

#include "log/log_internal.h"
#include "log/log_state.h"

/*
 * A commit that makes the WAL longer also changes the file system's own records (size, blocks), and
 * fdatasync(2) then waits for its journal too; one that writes over blocks the file has already
 * does not. On ext4 that is a third of the CPU and half of the time. So the WAL gets its usual
 * length beforehand: SQLite writes over it from the front, after each checkpoint again.
 *
 * The zeros are no frames to SQLite: a frame counts only with the salt of the WAL's header and the
 * right checksum, and reading the WAL after a crash ends at the first that has not.
 */

#define FRAME_BYTES         (4096 + 24)
#define WAL_RESERVED_FRAMES (WAL_CHECKPOINT_FRAMES + 256)
#define WRITE_BYTES         65536

void log_reserve(struct log *log)
{
    log_reserve_frames(log, WAL_RESERVED_FRAMES);
}

void log_reserve_frames(struct log *log, int frames)
{
    static const char zeros[WRITE_BYTES];
    sqlite3_file *wal = NULL;
    sqlite3_int64 before = 0;
    const sqlite3_int64 wanted = (sqlite3_int64)frames * FRAME_BYTES;
    if (log->stopped || log->unproven ||
        sqlite3_file_control(log->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, (void *)&wal) !=
            SQLITE_OK ||
        !wal || !wal->pMethods || wal->pMethods->xFileSize(wal, &before) != SQLITE_OK) {
        return;
    }
    sqlite3_int64 size = before;
    while (size < wanted) {
        int len = wanted - size < WRITE_BYTES ? (int)(wanted - size) : WRITE_BYTES;
        if (wal->pMethods->xWrite(wal, zeros, len, size) != SQLITE_OK) {
            /* No room: what little there is must be left to commits and checkpoints, which say
               themselves when it is not enough. */
            (void)wal->pMethods->xTruncate(wal, before);
            return;
        }
        size += len;
    }
    if (fault_is_sync(wal->pMethods->xSync(wal, SQLITE_SYNC_DATAONLY))) {
        (void)log_met(log, SQLITE_IOERR_FSYNC);
    }
}
