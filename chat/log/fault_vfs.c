/* SPDX-License-Identifier: MIT */
#include "log/fault_vfs.h"

#include <sqlite3.h>
#include <string.h>

struct fault_file {
    sqlite3_file base;
    const char
        *name; /* SQLite's, which lives as long as the file is open; NULL for temporary ones */
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_vfs *real_vfs;
static struct fault_plan plan;
static unsigned calls, failures;

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

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

static int file_close(sqlite3_file *file)
{
    return real(file)->pMethods->xClose(real(file));
}

static int file_read(sqlite3_file *file, void *buf, int len, sqlite3_int64 at)
{
    return real(file)->pMethods->xRead(real(file), buf, len, at);
}

/* A disk that is full takes the first part of a write. */
static int file_write(sqlite3_file *file, const void *buf, int len, sqlite3_int64 at)
{
    if (fails(file, FAULT_WRITE)) {
        (void)real(file)->pMethods->xWrite(real(file), buf, len / 2, at);
        return plan.code;
    }
    return real(file)->pMethods->xWrite(real(file), buf, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (fails(file, FAULT_TRUNCATE)) {
        return plan.code;
    }
    return real(file)->pMethods->xTruncate(real(file), size);
}

/* Not passed on: these tests run through hundreds of logs, and none of them cuts the power. */
static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    return fails(file, FAULT_SYNC) ? plan.code : SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real(file)->pMethods->xFileSize(real(file), ret_size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int file_check_lock(sqlite3_file *file, int *ret_locked)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), ret_locked);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int file_traits(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    if (extend && fails(file, FAULT_SHM)) {
        return plan.code;
    }
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, ret_map);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete_it)
{
    return real(file)->pMethods->xShmUnmap(real(file), delete_it);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    struct fault_file *wrapped = (struct fault_file *)file;
    (void)vfs;
    wrapped->name = name;
    wrapped->real = (sqlite3_file *)(wrapped + 1);
    int code = real_vfs->xOpen(real_vfs, name, wrapped->real, flags, ret_flags);
    file->pMethods = wrapped->real->pMethods ? &methods : NULL;
    return code;
}

void fault_vfs_register(void)
{
    static sqlite3_vfs vfs;
    if (real_vfs) {
        return;
    }
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = FAULT_VFS_NAME;
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
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
