/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_SIDE_FILE_H
#define CHAT_LOG_SIDE_FILE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The side file: one fixed-width line with the number of the last committed event.
 *
 *     partyline-last 1 00000000000000000042 8c1f0e2b6a33d7f4
 *
 * It is written after each commit and never synced, so after a power cut it may be old or torn: an
 * old one says less than the database knows, a torn one fails its checksum and says nothing. What
 * it can never do is to know more than a sound database: a commit is on the disk before it is
 * written here. A side file that does know more proves that the database lost its tail, which
 * SQLite itself passes over in silence when a bit of the WAL is wrong.
 */

#define SIDE_LINE_BYTES 55

/** Returns: the number in the file; 0 when it is empty, torn or not ours. */
uint64_t side_file_read(int fd);

/** Writes the number. Returns: 0 or -errno; the file may then be torn. */
int side_file_write(int fd, uint64_t number);

#endif
