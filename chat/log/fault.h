/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_FAULT_H
#define CHAT_LOG_FAULT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "log/log.h"

/*
 * What SQLite and the system say, in the words of log.h and in words for people. A message without
 * room for it is cut, never refused: message_cap may be 0.
 */

#define LOG_MESSAGE_CAP 512

/** Whether code says that a sync failed: from then on nothing is known about what is on the disk.
 */
bool fault_is_sync(int code);

/** The fault for an extended result code of SQLite; db (NULL when there is none) tells the errno.
 */
enum log_fault fault_of(sqlite3 *db, int code);

/** The message for the last failed call on db, which met code while it worked on path. */
void fault_describe(sqlite3 *db, int code, const char *path, char *ret_message, size_t message_cap);

/** The same for a failed system call: "what path: text of the errno". Returns: the fault for it. */
enum log_fault fault_of_errno(int error, const char *what, const char *path, char *ret_message,
                              size_t message_cap);

#endif
