/* SPDX-License-Identifier: MIT */
#include "log/fault_vfs.h"

#include <sqlite3.h>
#include <string.h>

#include "log/pass_vfs.h"

struct fault_file {
    struct pass_file pass;
    /* SQLite's, which lives as long as the file is open; NULL for temporary ones. */
    const char *name;
};

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;
static struct fault_plan plan;
static unsigned calls, failures;

static bool ends_in(const char *name, const char *end)
{
    size_t len = name ? strlen(name) : 0, end_len = strlen(end);
    return len >= end_len && strcmp(name + len - end_len, end) == 0;
}

static bool fails(sqlite3_file *file, enum fault_op op)
{
    if (plan.fail_at == 0 || !(plan.ops & op) ||
        (plan.only && !ends_in(((struct fault_file *)file)->name, plan.only))) {
        return false;
    }
    calls++;
    if (calls == plan.fail_at || (plan.sticky && calls > plan.fail_at)) {
        failures++;
        return true;
    }
    return false;
}

static int file_read(sqlite3_file *file, void *buf, int len, sqlite3_int64 at)
{
    if (fails(file, FAULT_READ)) {
        return plan.code;
    }
    return pass_real(file)->pMethods->xRead(pass_real(file), buf, len, at);
}

/* A disk that is full takes the first part of a write. */
static int file_write(sqlite3_file *file, const void *buf, int len, sqlite3_int64 at)
{
    if (fails(file, FAULT_WRITE)) {
        (void)pass_real(file)->pMethods->xWrite(pass_real(file), buf, len / 2, at);
        return plan.code;
    }
    return pass_real(file)->pMethods->xWrite(pass_real(file), buf, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fails(file, FAULT_TRUNCATE)) {
        return plan.code;
    }
    return pass_real(file)->pMethods->xTruncate(pass_real(file), size);
}

/* Not passed on: these tests run through hundreds of logs, and none of them cuts the power. */
static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    return fails(file, FAULT_SYNC) ? plan.code : SQLITE_OK;
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    if (extend && fails(file, FAULT_SHM)) {
        return plan.code;
    }
    return pass_real(file)->pMethods->xShmMap(pass_real(file), page, size, extend, ret_map);
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    struct fault_file *wrapped = (struct fault_file *)file;
    (void)vfs;
    wrapped->name = name;
    return pass_open(real_vfs, name, file, sizeof(*wrapped), &methods, flags, ret_flags);
}

void fault_vfs_register(void)
{
    static sqlite3_vfs vfs;
    if (real_vfs) {
        return;
    }
    real_vfs = pass_copy(&vfs, FAULT_VFS_NAME, sizeof(struct fault_file));
    methods = pass_methods;
    methods.xRead = file_read;
    methods.xWrite = file_write;
    methods.xTruncate = file_truncate;
    methods.xSync = file_sync;
    methods.xShmMap = file_shm_map;
    vfs.xOpen = vfs_open;
    (void)sqlite3_vfs_register(&vfs, 0);
}

void fault_vfs_arm(const struct fault_plan *new_plan)
{
    plan = *new_plan;
    calls = 0;
    failures = 0;
}

unsigned fault_vfs_disarm(void)
{
    plan = (struct fault_plan){0};
    return failures;
}
