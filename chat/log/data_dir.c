/* SPDX-License-Identifier: MIT */
#include "log/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "log/fault.h"

char *data_dir_join(const char *path, const char *name)
{
    size_t cap = strlen(path) + strlen(name) + 2;
    char *joined = xmalloc(cap);
    (void)snprintf(joined, cap, "%s/%s", path, name);
    return joined;
}

/* A directory that was just made is durable only when its parent says so. */
static int sync_parent(const char *path)
{
    char *copy = xmemdup0(path, strlen(path));
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd == -1) {
        return -errno;
    }
    int result = fsync(fd) == -1 ? -errno : 0;
    (void)close(fd);
    return result;
}

static int make_directory(const char *path)
{
    if (mkdir(path, 0700) == -1) {
        return errno == EEXIST ? 0 : -errno;
    }
    return sync_parent(path);
}

int data_dir_make_parents(const char *path)
{
    char *copy = xmemdup0(path, strlen(path));
    int error = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && !error; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        error = access(copy, F_OK) == 0 ? 0 : make_directory(copy);
        *slash = '/';
    }
    free(copy);
    return error;
}

static enum log_fault check_directory(const struct data_dir *dir, char *ret_message,
                                      size_t message_cap)
{
    struct stat st;
    if (fstat(dir->fd, &st) == -1) {
        return fault_of_errno(errno, "cannot look at", dir->path, ret_message, message_cap);
    }
    if (st.st_uid != geteuid() && st.st_uid != 0) {
        (void)snprintf(ret_message, message_cap,
                       "%s belongs to user %u, not to the user the server runs as (%u)", dir->path,
                       (unsigned)st.st_uid, (unsigned)geteuid());
        return LOG_PERMISSION;
    }
    if (st.st_mode & (S_IWGRP | S_IWOTH)) {
        (void)snprintf(ret_message, message_cap,
                       "%s may be written by others (mode %04o): chmod go-w it, or choose a "
                       "directory for the server alone",
                       dir->path, (unsigned)st.st_mode & 07777);
        return LOG_PERMISSION;
    }
    return LOG_OK;
}

static enum log_fault take_lock(struct data_dir *dir, char *ret_message, size_t message_cap)
{
    enum log_fault fault =
        data_dir_open_file(dir, DATA_FILE_LOCK, &dir->lock_fd, ret_message, message_cap);
    if (fault != LOG_OK) {
        return fault;
    }
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) == -1) {
        if (errno == EWOULDBLOCK) {
            (void)snprintf(ret_message, message_cap, "another server uses %s", dir->path);
            return LOG_BUSY_DIR;
        }
        return fault_of_errno(errno, "cannot lock " DATA_FILE_LOCK " in", dir->path, ret_message,
                              message_cap);
    }
    return LOG_OK;
}

enum log_fault data_dir_init(struct data_dir *dir, const char *path, char *ret_message,
                             size_t message_cap)
{
    *dir = (struct data_dir){.path = NULL, .fd = -1, .lock_fd = -1};
    int error = make_directory(path);
    if (error) {
        return fault_of_errno(-error, "cannot make", path, ret_message, message_cap);
    }
    dir->path = realpath(path, NULL);
    if (dir->path) {
        dir->fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (dir->fd == -1) {
        return fault_of_errno(errno, "cannot open", path, ret_message, message_cap);
    }
    enum log_fault fault = check_directory(dir, ret_message, message_cap);
    if (fault == LOG_OK) {
        fault = take_lock(dir, ret_message, message_cap);
    }
    return fault;
}

void data_dir_finish(struct data_dir *dir)
{
    if (dir->lock_fd != -1) {
        (void)close(dir->lock_fd);
        dir->lock_fd = -1;
    }
    if (dir->fd != -1) {
        (void)close(dir->fd);
        dir->fd = -1;
    }
    free(dir->path);
    dir->path = NULL;
}

static enum log_fault check_file(const struct data_dir *dir, const char *name, int fd,
                                 char *ret_message, size_t message_cap)
{
    struct stat st;
    if (fstat(fd, &st) == -1) {
        return fault_of_errno(errno, "cannot look at", name, ret_message, message_cap);
    }
    const char *wrong = NULL;
    if (!S_ISREG(st.st_mode)) {
        wrong = "is not a regular file";
    } else if (st.st_uid != geteuid()) {
        wrong = "belongs to another user";
    } else if (st.st_nlink != 1) {
        wrong = "has more than one name (hard links)";
    }
    if (wrong) {
        (void)snprintf(ret_message, message_cap, "%s/%s %s", dir->path, name, wrong);
        return LOG_PERMISSION;
    }
    /* Also right when the umask took bits from a new file, or a backup was restored as 0644. */
    if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) == -1) {
        return fault_of_errno(errno, "cannot change the mode of", name, ret_message, message_cap);
    }
    return LOG_OK;
}

enum log_fault data_dir_open_file(const struct data_dir *dir, const char *name, int *ret_fd,
                                  char *ret_message, size_t message_cap)
{
    /* O_NONBLOCK: a FIFO put in the place of the file must not hold us up. */
    int fd = openat(dir->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd == -1) {
        int error = errno;
        char *path = data_dir_join(dir->path, name);
        enum log_fault fault = fault_of_errno(
            error, error == ELOOP ? "will not follow the symbolic link" : "cannot open", path,
            ret_message, message_cap);
        free(path);
        return fault;
    }
    enum log_fault fault = check_file(dir, name, fd, ret_message, message_cap);
    if (fault != LOG_OK) {
        (void)close(fd);
        return fault;
    }
    *ret_fd = fd;
    return LOG_OK;
}

enum log_fault data_dir_sync(const struct data_dir *dir, char *ret_message, size_t message_cap)
{
    if (fsync(dir->fd) == -1) {
        return fault_of_errno(errno, "cannot sync", dir->path, ret_message, message_cap);
    }
    return LOG_OK;
}
