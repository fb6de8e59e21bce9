/* SPDX-License-Identifier: MIT */
#ifndef CHAT_LOG_FAULT_VFS_H
#define CHAT_LOG_FAULT_VFS_H

#include <stdbool.h>

/*
 * A VFS for tests on top of SQLite's own, in which one call fails, or all from one on, the way a
 * disk that is full or broken fails them.
 */

#define FAULT_VFS_NAME "partyline-fault"

enum fault_op {
    FAULT_WRITE = 1,
    FAULT_SYNC = 2,
    FAULT_TRUNCATE = 4,
    FAULT_SHM = 8, /* growing the shared memory file */
    FAULT_READ = 16,
};

struct fault_plan {
    unsigned ops;     /* which calls are counted: fault_op values */
    unsigned fail_at; /* the call that fails, from 1; 0: none */
    bool sticky;      /* and all counted ones after it */
    int code;         /* SQLite's code for it */
    const char *only; /* only files whose name ends in this; NULL: all */
};

/** Registers the VFS; once per process. */
void fault_vfs_register(void);
/** Starts to count from 0 by this plan. */
void fault_vfs_arm(const struct fault_plan *plan);
/** From here on nothing fails. Returns: how many calls did. */
unsigned fault_vfs_disarm(void);

#endif
