/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_PASS_VFS_H
#define CHAT_LOG_PASS_VFS_H

#include <sqlite3.h>
#include <stddef.h>

/*
 * What the VFSs for tests have in common: files that pass each call on to SQLite's own VFS. A VFS
 * takes pass_methods, puts functions of its own in the places it cares for, and begins its struct
 * of a file with struct pass_file.
 */

struct pass_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind the struct that begins with this one */
};

extern const sqlite3_io_methods pass_methods;

/** SQLite's own file below this one. */
sqlite3_file *pass_real(sqlite3_file *file);

/** Opens the file below one of file_size bytes; the file gets `methods` when that worked. */
int pass_open(sqlite3_vfs *real, sqlite3_filename name, sqlite3_file *file, size_t file_size,
              const sqlite3_io_methods *methods, int flags, int *ret_flags);

/**
 * Makes vfs a copy of SQLite's own with this name, for files of file_size bytes. The caller puts
 * its functions in and registers it. Returns: SQLite's own.
 */
sqlite3_vfs *pass_copy(sqlite3_vfs *vfs, const char *name, size_t file_size);

#endif
