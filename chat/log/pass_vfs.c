/* SPDX-License-Identifier: MIT */
#include "log/pass_vfs.h"

sqlite3_file *pass_real(sqlite3_file *file)
{
    return ((struct pass_file *)file)->real;
}

static int pass_close(sqlite3_file *file)
{
    return pass_real(file)->pMethods->xClose(pass_real(file));
}

static int pass_read(sqlite3_file *file, void *buf, int len, sqlite3_int64 at)
{
    return pass_real(file)->pMethods->xRead(pass_real(file), buf, len, at);
}

static int pass_write(sqlite3_file *file, const void *buf, int len, sqlite3_int64 at)
{
    return pass_real(file)->pMethods->xWrite(pass_real(file), buf, len, at);
}

static int pass_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return pass_real(file)->pMethods->xTruncate(pass_real(file), size);
}

static int pass_sync(sqlite3_file *file, int flags)
{
    return pass_real(file)->pMethods->xSync(pass_real(file), flags);
}

static int pass_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return pass_real(file)->pMethods->xFileSize(pass_real(file), ret_size);
}

static int pass_lock(sqlite3_file *file, int level)
{
    return pass_real(file)->pMethods->xLock(pass_real(file), level);
}

static int pass_unlock(sqlite3_file *file, int level)
{
    return pass_real(file)->pMethods->xUnlock(pass_real(file), level);
}

static int pass_check_lock(sqlite3_file *file, int *ret_locked)
{
    return pass_real(file)->pMethods->xCheckReservedLock(pass_real(file), ret_locked);
}

static int pass_control(sqlite3_file *file, int op, void *arg)
{
    return pass_real(file)->pMethods->xFileControl(pass_real(file), op, arg);
}

static int pass_sector_size(sqlite3_file *file)
{
    return pass_real(file)->pMethods->xSectorSize(pass_real(file));
}

static int pass_traits(sqlite3_file *file)
{
    return pass_real(file)->pMethods->xDeviceCharacteristics(pass_real(file));
}

static int pass_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    return pass_real(file)->pMethods->xShmMap(pass_real(file), page, size, extend, ret_map);
}

static int pass_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return pass_real(file)->pMethods->xShmLock(pass_real(file), offset, count, flags);
}

static void pass_shm_barrier(sqlite3_file *file)
{
    pass_real(file)->pMethods->xShmBarrier(pass_real(file));
}

static int pass_shm_unmap(sqlite3_file *file, int delete_it)
{
    return pass_real(file)->pMethods->xShmUnmap(pass_real(file), delete_it);
}

const sqlite3_io_methods pass_methods = {
    .iVersion = 2,
    .xClose = pass_close,
    .xRead = pass_read,
    .xWrite = pass_write,
    .xTruncate = pass_truncate,
    .xSync = pass_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_lock,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector_size,
    .xDeviceCharacteristics = pass_traits,
    .xShmMap = pass_shm_map,
    .xShmLock = pass_shm_lock,
    .xShmBarrier = pass_shm_barrier,
    .xShmUnmap = pass_shm_unmap,
};

int pass_open(sqlite3_vfs *real, sqlite3_filename name, sqlite3_file *file, size_t file_size,
              const sqlite3_io_methods *methods, int flags, int *ret_flags)
{
    struct pass_file *passing = (struct pass_file *)file;
    passing->real = (sqlite3_file *)(void *)((char *)file + file_size);
    int code = real->xOpen(real, name, passing->real, flags, ret_flags);
    file->pMethods = passing->real->pMethods ? methods : NULL;
    return code;
}

sqlite3_vfs *pass_copy(sqlite3_vfs *vfs, const char *name, size_t file_size)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    *vfs = *real;
    vfs->zName = name;
    vfs->pNext = NULL;
    vfs->szOsFile = (int)file_size + real->szOsFile;
    return real;
}
