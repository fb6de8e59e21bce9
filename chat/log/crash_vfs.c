/* SPDX-License-Identifier: MIT */
#include "log/crash_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "log/pass_vfs.h"

#define SECTOR    512
#define FILES_MAX 8

/* A write, or with bytes NULL a truncation to `at`. */
struct pending {
    struct pending *next;
    char *bytes;
    size_t len;
    int64_t at;
};

struct disk_file {
    char *path; /* NULL: a free place */
    char *durable;
    size_t durable_len;
    struct pending *first, **last;
};

struct crash_file {
    struct pass_file pass;
    struct disk_file *disk; /* NULL for temporary files */
};

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;
static struct disk_file files[FILES_MAX];
static uint64_t random_state;
static unsigned calls, cut_call, syncs, lost_sync;
static bool is_cut;

/* xorshift64*: the same seed gives the same cut. */
static uint64_t next_random(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}

/* ---- what is on the disk ---- */

static void forget_pending(struct disk_file *file)
{
    while (file->first) {
        struct pending *next = file->first->next;
        free(file->first->bytes);
        free(file->first);
        file->first = next;
    }
    file->last = &file->first;
}

static void forget_file(struct disk_file *file)
{
    forget_pending(file);
    free(file->path);
    free(file->durable);
    *file = (struct disk_file){0};
}

static void set_durable_len(struct disk_file *file, size_t len)
{
    file->durable = xreallocarray(file->durable, len, 1);
    if (len > file->durable_len) {
        memset(file->durable + file->durable_len, 0, len - file->durable_len);
    }
    file->durable_len = len;
}

static void apply_part(struct disk_file *file, const struct pending *write, size_t from, size_t to)
{
    size_t at = (size_t)write->at;
    if (at + to > file->durable_len) {
        set_durable_len(file, at + to);
    }
    memcpy(file->durable + at + from, write->bytes + from, to - from);
}

/* all: a sync; else each sector by chance, and for some files by all or nothing, as disks do too.
 */
static void apply_pending(struct disk_file *file, bool all)
{
    unsigned mood = all ? 0 : (unsigned)(next_random() % 4);
    for (const struct pending *write = file->first; write; write = write->next) {
        bool whole = all || mood == 1;
        if (!write->bytes) {
            if (whole || next_random() % 2) {
                set_durable_len(file, (size_t)write->at);
            }
            continue;
        }
        for (size_t from = 0; from < write->len; from += SECTOR) {
            size_t to = from + SECTOR < write->len ? from + SECTOR : write->len;
            if (whole || (mood != 2 && next_random() % 2)) {
                apply_part(file, write, from, to);
            }
        }
    }
    forget_pending(file);
}

static void load(struct disk_file *file, const char *path)
{
    file->path = xmemdup0(path, strlen(path));
    file->last = &file->first;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return;
    }
    off_t size = lseek(fd, 0, SEEK_END);
    set_durable_len(file, (size_t)size);
    if (pread(fd, file->durable, (size_t)size, 0) != size) {
        abort();
    }
    (void)close(fd);
}

static struct disk_file *find(const char *path)
{
    struct disk_file *place = NULL;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (files[i].path && strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
        if (!files[i].path) {
            place = &files[i];
        }
    }
    if (!place) {
        abort();
    }
    load(place, path);
    return place;
}

static void note(struct disk_file *file, const void *bytes, size_t len, int64_t at)
{
    if (!file) {
        return;
    }
    struct pending *pending = xcalloc(1, sizeof(*pending));
    pending->bytes = bytes ? xmemdup0(bytes, len) : NULL;
    pending->len = len;
    pending->at = at;
    *file->last = pending;
    file->last = &pending->next;
}

/* ---- the calls ---- */

static bool power_is_gone(void)
{
    calls++;
    if (!is_cut && cut_call != 0 && calls >= cut_call) {
        crash_vfs_cut();
    }
    return is_cut;
}

static int file_read(sqlite3_file *file, void *buf, int len, sqlite3_int64 at)
{
    return is_cut ? SQLITE_IOERR_READ
                  : pass_real(file)->pMethods->xRead(pass_real(file), buf, len, at);
}

static int file_write(sqlite3_file *file, const void *buf, int len, sqlite3_int64 at)
{
    struct disk_file *disk = ((struct crash_file *)file)->disk;
    if (is_cut) {
        return SQLITE_IOERR_WRITE;
    }
    /* Before the call is counted: the write that meets the cut may reach the disk in part. */
    note(disk, buf, (size_t)len, at);
    if (power_is_gone()) {
        return SQLITE_IOERR_WRITE;
    }
    return pass_real(file)->pMethods->xWrite(pass_real(file), buf, len, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    if (power_is_gone()) {
        return SQLITE_IOERR_TRUNCATE;
    }
    note(((struct crash_file *)file)->disk, NULL, 0, size);
    return pass_real(file)->pMethods->xTruncate(pass_real(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct disk_file *disk = ((struct crash_file *)file)->disk;
    (void)flags;
    if (power_is_gone()) {
        return SQLITE_IOERR_FSYNC;
    }
    if (lost_sync != 0 && ++syncs == lost_sync) {
        if (disk) {
            forget_pending(disk);
        }
        return SQLITE_IOERR_FSYNC;
    }
    if (disk) {
        apply_pending(disk, true);
    }
    return SQLITE_OK;
}

/* Its traits are the real ones: POWERSAFE_OVERWRITE holds, as SQLite takes for granted on Linux: a
 * sector is old or new. */
static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return SECTOR;
}

static int vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    struct crash_file *wrapped = (struct crash_file *)file;
    (void)vfs;
    file->pMethods = NULL;
    if (is_cut) {
        return SQLITE_CANTOPEN;
    }
    wrapped->disk = name ? find(name) : NULL;
    return pass_open(real_vfs, name, file, sizeof(*wrapped), &methods, flags, ret_flags);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    if (is_cut) {
        return SQLITE_IOERR_DELETE;
    }
    forget_file(find(name));
    return real_vfs->xDelete(real_vfs, name, sync_dir);
}

/* ---- the switch ---- */

void crash_vfs_register(void)
{
    static sqlite3_vfs vfs;
    if (real_vfs) {
        return;
    }
    real_vfs = pass_copy(&vfs, CRASH_VFS_NAME, sizeof(struct crash_file));
    methods = pass_methods;
    methods.xRead = file_read;
    methods.xWrite = file_write;
    methods.xTruncate = file_truncate;
    methods.xSync = file_sync;
    methods.xSectorSize = file_sector_size;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    (void)sqlite3_vfs_register(&vfs, 0);
}

void crash_vfs_finish(void)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (files[i].path) {
            forget_file(&files[i]);
        }
    }
}

void crash_vfs_start(uint64_t seed, unsigned cut_at)
{
    crash_vfs_finish();
    random_state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);
    calls = 0;
    cut_call = cut_at;
    syncs = 0;
    lost_sync = 0;
    is_cut = false;
}

void crash_vfs_lose_sync(unsigned sync_at)
{
    syncs = 0;
    lost_sync = sync_at;
}

bool crash_vfs_is_cut(void)
{
    return is_cut;
}

void crash_vfs_cut(void)
{
    if (is_cut) {
        return;
    }
    is_cut = true;
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (files[i].path) {
            apply_pending(&files[i], false);
        }
    }
}

void crash_vfs_salvage(const char *dir)
{
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (!files[i].path) {
            continue;
        }
        char path[600];
        (void)snprintf(path, sizeof(path), "%s%s", dir, strrchr(files[i].path, '/'));
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd == -1 ||
            write(fd, files[i].durable, files[i].durable_len) != (ssize_t)files[i].durable_len) {
            abort();
        }
        (void)close(fd);
    }
}
