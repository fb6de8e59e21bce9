/* SPDX-License-Identifier: MIT */
#include "log/fault.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool fault_is_sync(int code)
{
    return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

static bool no_space(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

static enum log_fault fault_of_io(sqlite3 *db, int code)
{
    if (fault_is_sync(code)) {
        return LOG_STOPPED;
    }
    /* SQLite calls only a full disk under its own write SQLITE_FULL; a spent quota, or no room for
       the shared memory file, arrives as a plain I/O error. */
    if (db && no_space(sqlite3_system_errno(db))) {
        return LOG_NO_SPACE;
    }
    return LOG_IO;
}

enum log_fault fault_of(sqlite3 *db, int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return LOG_OK;
    case SQLITE_FULL:
        return LOG_NO_SPACE;
    case SQLITE_IOERR:
        return fault_of_io(db, code);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return LOG_IO;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return LOG_DAMAGED;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
        return LOG_PERMISSION;
    default:
        return LOG_INTERNAL;
    }
}

void fault_describe(sqlite3 *db, int code, const char *path, char *ret_message, size_t message_cap)
{
    const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    int error = db && (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;
    char why[128] = "";
    if (error) {
        char buf[96];
        (void)snprintf(why, sizeof(why), ": %s", strerror_r(error, buf, sizeof(buf)));
    }
    (void)snprintf(ret_message, message_cap, "%s%s (%s, SQLite code %d)", text, why, path, code);
}

enum log_fault fault_of_errno(int error, const char *what, const char *path, char *ret_message,
                              size_t message_cap)
{
    char buf[96];
    (void)snprintf(ret_message, message_cap, "%s %s: %s", what, path,
                   strerror_r(error, buf, sizeof(buf)));
    if (no_space(error)) {
        return LOG_NO_SPACE;
    }
    switch (error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
        return LOG_PERMISSION;
    default:
        return LOG_IO;
    }
}
