/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_DATA_DIR_H
#define CHAT_LOG_DATA_DIR_H

#include <stddef.h>

#include "log/log.h"

/*
 * The directory of the log and the files in it: made for us alone, used by one server at a time,
 * and no file of it is anything but a regular file of ours with one name.
 */

#define DATA_FILE_DB   "partyline.db"
#define DATA_FILE_WAL  "partyline.db-wal"
#define DATA_FILE_SHM  "partyline.db-shm"
#define DATA_FILE_SIDE "partyline.last"
#define DATA_FILE_LOCK "partyline.lock"

struct data_dir {
    char *path;  /* without symbolic links; NULL: not open */
    int fd;      /* the directory; -1: not open */
    int lock_fd; /* the locked partyline.lock; -1: not locked */
};

/**
 * Opens dir, makes it (0700) when missing, and takes its lock.
 * Returns: LOG_OK; LOG_BUSY_DIR, LOG_PERMISSION, LOG_IO or LOG_NO_SPACE with a message.
 * Owns: the caller ends it with data_dir_finish, after a failure too.
 */
enum log_fault data_dir_init(struct data_dir *dir, const char *path, char *ret_message,
                             size_t message_cap);

/**
 * Makes the directories above path (0700) that are missing, durably: for a place the user has not
 * chosen. One that was chosen and is not there is a slip, or a disk that is not mounted, and is
 * refused by data_dir_init. Returns: 0 or -errno.
 */
int data_dir_make_parents(const char *path);

/** Lets go of the lock and the directory. Twice is once. */
void data_dir_finish(struct data_dir *dir);

/**
 * Opens a file of the directory for reading and writing, makes it (0600) when missing, and sees to
 * it that it is a regular file, ours, with one name, and 0600. Returns: LOG_OK; else a fault with a
 * message. Owns: the caller closes *ret_fd.
 */
enum log_fault data_dir_open_file(const struct data_dir *dir, const char *name, int *ret_fd,
                                  char *ret_message, size_t message_cap);

/** Makes the names in the directory durable. Returns: LOG_OK or a fault with a message. */
enum log_fault data_dir_sync(const struct data_dir *dir, char *ret_message, size_t message_cap);

/** "path/name" in fresh memory that the caller frees. */
char *data_dir_join(const char *path, const char *name);

#endif
