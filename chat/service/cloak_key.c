/* SPDX-License-Identifier: MIT */
#include "service/cloak.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <partyline/error.h>

#include "log/data_dir.h"

/*
 * The file of the key. It is written under another name first and renamed when it is safe on the
 * disk: half a key would be another one after a crash, and every ban of a host would be void.
 */

#define KEY_FILE "partyline.cloak"
#define NEW_FILE "partyline.cloak.new"

static int fail(const struct data_dir *dir, const char *what, int error, char *message, size_t cap)
{
    (void)snprintf(message, cap, "%s %s/" KEY_FILE ": %s", what, dir->path, party_strerror(-error));
    return -1;
}

static int open_file(const struct data_dir *dir, const char *name, char *message, size_t cap)
{
    int fd = -1;

    return data_dir_open_file(dir, name, &fd, message, cap) == LOG_OK ? fd : -1;
}

static int write_key(const struct data_dir *dir, const uint8_t key[static CLOAK_KEY_BYTES],
                     char *message, size_t cap)
{
    int fd = open_file(dir, NEW_FILE, message, cap);

    if (fd == -1) {
        return -1;
    }
    errno = EIO; /* what a write that ends early leaves unsaid */
    /* An earlier start may have left bytes behind. */
    bool is_written = ftruncate(fd, 0) == 0 && write(fd, key, CLOAK_KEY_BYTES) == CLOAK_KEY_BYTES &&
                      fsync(fd) == 0 && renameat(dir->fd, NEW_FILE, dir->fd, KEY_FILE) == 0;
    int error = errno;
    (void)close(fd); /* It was synced: nothing can be lost. */
    if (!is_written) {
        (void)unlinkat(dir->fd, NEW_FILE, 0);
        return fail(dir, "cannot write", error, message, cap);
    }
    return data_dir_sync(dir, message, cap) == LOG_OK ? 0 : -1;
}

static int make_key(const struct data_dir *dir, uint8_t ret_key[static CLOAK_KEY_BYTES],
                    char *message, size_t cap)
{
    /* A request of up to 256 bytes is answered whole, getrandom(2). */
    if (getrandom(ret_key, CLOAK_KEY_BYTES, 0) == -1) {
        return fail(dir, "no random bytes for", errno, message, cap);
    }
    return write_key(dir, ret_key, message, cap);
}

static int load(const struct data_dir *dir, uint8_t ret_key[static CLOAK_KEY_BYTES], char *message,
                size_t cap)
{
    uint8_t bytes[CLOAK_KEY_BYTES + 1]; /* one more, to see that there is no more */
    int fd = open_file(dir, KEY_FILE, message, cap);

    if (fd == -1) {
        return -1;
    }
    ssize_t len = pread(fd, bytes, sizeof bytes, 0); /* a short file's read is whole */
    int error = errno;
    (void)close(fd); /* Only read from. */
    int r = 0;
    if (len == -1) {
        r = fail(dir, "cannot read", error, message, cap);
    } else if (len == 0) {
        r = make_key(dir, ret_key, message, cap); /* it was missing: opening makes it */
    } else if (len != CLOAK_KEY_BYTES) {
        (void)snprintf(message, cap,
                       "%s/" KEY_FILE " is not the %d bytes it should be: bring it back from a "
                       "copy, or remove it, and every host name that people see changes",
                       dir->path, CLOAK_KEY_BYTES);
        r = -1;
    } else {
        memcpy(ret_key, bytes, CLOAK_KEY_BYTES);
    }
    explicit_bzero(bytes, sizeof bytes);
    return r;
}

int cloak_load_key(const char *dir, uint8_t ret_key[static CLOAK_KEY_BYTES], char *message,
                   size_t cap)
{
    struct data_dir opened = {
        .path = (char *)dir, .fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), .lock_fd = -1};

    if (opened.fd == -1) {
        return fail(&opened, "cannot reach", errno, message, cap);
    }
    int r = load(&opened, ret_key, message, cap);
    (void)close(opened.fd);
    return r;
}
