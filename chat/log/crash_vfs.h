/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_CRASH_VFS_H
#define CHAT_LOG_CRASH_VFS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A VFS for tests that plays a power cut. It keeps for each file what is surely on the disk, and
 * every write since the last sync. When the power is cut, each 512-byte sector of each of those
 * writes has reached the disk or not, by the seed: so writes are dropped, reordered and torn. After
 * the cut every call fails until the machine is "switched on" again.
 *
 * Names of files are taken as durable at once: the log syncs the directory by itself.
 */

#define CRASH_VFS_NAME "partyline-crash"

/** Registers the VFS; once per process. */
void crash_vfs_register(void);

/** Forgets all files, switches on, and cuts the power at the cut_at-th write, truncate or sync from
 * now; 0: never. */
void crash_vfs_start(uint64_t seed, unsigned cut_at);

/** The sync_at-th sync from now fails, and what it should have written is never written any more,
 * though reads go on to show it: as a kernel does that marks failed pages clean. */
void crash_vfs_lose_sync(unsigned sync_at);

/** Whether the power has been cut. */
bool crash_vfs_is_cut(void);

/** Cuts the power now, unless it is cut. */
void crash_vfs_cut(void);

/** Writes what is on the disk into the files of another directory. */
void crash_vfs_salvage(const char *dir);

/** Frees all memory. */
void crash_vfs_finish(void);

#endif
