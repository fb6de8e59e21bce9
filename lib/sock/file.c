/* SPDX-License-Identifier: MIT */
#include <partyline/file.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <partyline/error.h>

#include "base/require.h"
#include "sock/file_internal.h"
#include "sock/sock_call.h"

/*
 * How stdio is brought to keep file.h's promises.
 *
 * A read that fails. glibc's fgets gives back the part of a line it had when errno is EAGAIN, and
 * throws it away for every other errno; getline and fread keep theirs in any case. So a time-out is
 * EAGAIN and not ETIMEDOUT, which besides is what the kernel says of a connection that died.
 *
 * Both directions. A stream has one buffer. When glibc turns from reading to writing with input
 * unread it seeks back by that much, as in a file, and takes the input for gone; when the seek
 * fails so does the write. Therefore the bytes of the last read are kept here too, and a seek back
 * makes them unread: the next read gets them first. All that stdio can have in its buffer is of one
 * read, as it reads only into an empty buffer; so no more than one read has to be kept. From
 * writing to reading glibc flushes by itself.
 *
 * No place to go to. That seek would let fseek and rewind go back in what was read, and glibc goes
 * to a place in its buffer without asking. So it is told that the stream began far from all that a
 * program asks for: of a place it finds nothing in its buffer, asks, and is refused.
 */

#define KEPT_MAX_BYTES BUFSIZ
#define FIRST_POSITION ((off64_t)1 << 62) /* glibc also wants to begin at a buffer's multiple */

struct cookie {
    const struct party__file_ops *ops;
    void *object;
    off64_t position;   /* FIRST_POSITION and the bytes handed to stdio and not taken back */
    size_t kept_cap;    /* 0: the stream has one direction, and nothing is kept */
    size_t kept_len;    /* bytes of the last read */
    size_t kept_offset; /* of these were handed over */
    char kept[];
};

static void set_errno(int code)
{
    errno = code == PARTY_ETIMEOUT ? EAGAIN : -code;
}

static ssize_t read_more(struct cookie *cookie, char *buf, size_t size)
{
    if (cookie->kept_cap == 0) {
        return cookie->ops->read(cookie->object, buf, size);
    }
    if (cookie->kept_offset == cookie->kept_len) {
        /* No more than asked for: an unbuffered stream does not read ahead. */
        size_t len = size < cookie->kept_cap ? size : cookie->kept_cap;
        ssize_t n = cookie->ops->read(cookie->object, cookie->kept, len);
        if (n <= 0) {
            return n;
        }
        cookie->kept_len = (size_t)n;
        cookie->kept_offset = 0;
    }
    size_t left = cookie->kept_len - cookie->kept_offset;
    size_t len = left < size ? left : size;
    memcpy(buf, cookie->kept + cookie->kept_offset, len);
    cookie->kept_offset += len;
    return (ssize_t)len;
}

static ssize_t cookie_read(void *user, char *buf, size_t size)
{
    struct cookie *cookie = user;
    ssize_t n = read_more(cookie, buf, size);
    if (n < 0) {
        set_errno((int)n);
        return -1;
    }
    cookie->position += n;
    return n;
}

static ssize_t cookie_write(void *user, const char *buf, size_t size)
{
    struct cookie *cookie = user;
    size_t written = 0;
    int r = cookie->ops->write(cookie->object, buf, size, &written);
    if (r < 0) {
        set_errno(r);
    }
    return (ssize_t)written;
}

static int cookie_seek(void *user, off64_t *offset, int whence)
{
    struct cookie *cookie = user;
    if (whence == SEEK_END || *offset == INT64_MIN) {
        errno = ESPIPE;
        return -1;
    }
    off64_t back = whence == SEEK_CUR ? -*offset : cookie->position - *offset;
    if (back < 0 || (uint64_t)back > cookie->kept_offset) {
        errno = ESPIPE;
        return -1;
    }
    cookie->kept_offset -= (size_t)back;
    cookie->position -= back;
    *offset = cookie->position;
    return 0;
}

static int cookie_close(void *user)
{
    struct cookie *cookie = user;
    int r = cookie->ops->release(cookie->object);
    free(cookie);
    if (r < 0) {
        set_errno(r);
        return EOF;
    }
    return 0;
}

/* fopencookie's word for one of Python's modes; NULL when it is none. */
static const char *stdio_mode(const char *mode)
{
    if (mode[strspn(mode, "rwb")] != '\0') {
        return NULL;
    }
    if (strchr(mode, 'w') == NULL) {
        return "r";
    }
    return strchr(mode, 'r') == NULL ? "w" : "r+";
}

int party__file_open(const struct party__file_ops *ops, void *object, const char *mode,
                     FILE **ret_file)
{
    static const cookie_io_functions_t functions = {cookie_read, cookie_write, cookie_seek,
                                                    cookie_close};
    const char *word = stdio_mode(mode);
    if (word == NULL) {
        return -EINVAL;
    }
    size_t kept_cap = word[1] == '+' ? KEPT_MAX_BYTES : 0;
    struct cookie *cookie = malloc(sizeof(*cookie) + kept_cap);
    if (cookie == NULL) {
        return -ENOMEM;
    }
    *cookie = (struct cookie){
        .ops = ops, .object = object, .position = FIRST_POSITION, .kept_cap = kept_cap};
    FILE *file = fopencookie(cookie, word, functions);
    if (file == NULL) {
        free(cookie);
        return -ENOMEM;
    }
    *ret_file = file;
    return 0;
}

static ssize_t read_sock(void *object, void *buf, size_t len)
{
    return party_sock_recv_into(object, buf, len, 0);
}

/* party_sock_sendall that tells how far it came. */
static int write_sock(void *object, const void *buf, size_t len, size_t *ret_written)
{
    struct party_sock *sock = object;
    int64_t deadline_ns = party__sock_deadline(sock, PARTY__DEADLINE_OF_TIMEOUT);
    return party__sock_send_until(sock, buf, len, 0, deadline_ns, ret_written);
}

static int release_sock(void *object)
{
    int r = party__sock_unref(object);
    /* A signal that came while the descriptor was closed has changed nothing. */
    return r == -EINTR ? 0 : r;
}

int party_file_makefile(struct party_sock *sock, const char *mode, FILE **ret_file)
{
    PARTY__REQUIRE(-EINVAL, sock, mode, ret_file);
    static const struct party__file_ops ops = {read_sock, write_sock, release_sock};
    int r = party__file_open(&ops, sock, mode, ret_file);
    if (r == 0) {
        (void)party__sock_ref(sock);
    }
    return r;
}

int party_file_error(FILE *file)
{
    PARTY__REQUIRE(-EINVAL, file);
    /* First, as the calls below may change it. */
    int error = errno;
    if (!ferror(file)) {
        return 0;
    }
    clearerr(file);
    if (error <= 0) {
        return -EIO;
    }
    return error == EAGAIN ? PARTY_ETIMEOUT : -error;
}

#define LINE_CAP_MIN 128

/* Makes room for one more byte and the NUL. */
static int grow_line(struct party_file_line *line)
{
    if (line->len + 1 < line->cap) {
        return 0;
    }
    size_t cap = line->cap == 0 ? LINE_CAP_MIN : line->cap * 2;
    char *text = cap > line->cap ? realloc(line->text, cap) : NULL;
    if (text == NULL) {
        return -ENOMEM;
    }
    line->text = text;
    line->cap = cap;
    return 0;
}

static ssize_t read_line(FILE *file, struct party_file_line *line)
{
    for (;;) {
        if (line->max_bytes != 0 && line->len >= line->max_bytes) {
            line->is_done = true;
            return -EMSGSIZE;
        }
        int r = grow_line(line);
        if (r < 0) {
            return r;
        }
        line->text[line->len] = '\0';
        int c = getc_unlocked(file);
        if (c == EOF) {
            r = party_file_error(file);
            line->is_done = r == 0;
            return r < 0 ? r : (ssize_t)line->len;
        }
        line->text[line->len++] = (char)c;
        line->text[line->len] = '\0';
        if (c == '\n') {
            line->is_done = true;
            return (ssize_t)line->len;
        }
    }
}

ssize_t party_file_readline(FILE *file, struct party_file_line *line)
{
    PARTY__REQUIRE(-EINVAL, file, line);
    if (line->is_done) {
        line->is_done = false;
        line->len = 0;
    }
    flockfile(file);
    /* An error that was there before is not this call's. */
    clearerr_unlocked(file);
    ssize_t r = read_line(file, line);
    funlockfile(file);
    return r;
}

void party_file_line_finish(struct party_file_line *line)
{
    if (line == NULL) {
        return;
    }
    free(line->text);
    *line = (struct party_file_line){.max_bytes = line->max_bytes};
}
