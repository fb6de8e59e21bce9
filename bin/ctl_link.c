/* SPDX-License-Identifier: MIT */
#include "ctl_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "wire/text.h"

/* ---- connecting ---- */

static int connect_path(int fd, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path));
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == -1) {
        return -errno;
    }
    return 0;
}

/* A path that sun_path has no room for is reached through its directory's descriptor; proc(5). */
static int connect_long_path(int fd, const char *path)
{
    char directory[PATH_MAX], through[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *name = strrchr(path, '/');
    if (!name || strlen(path) >= sizeof directory) {
        return -ENAMETOOLONG;
    }
    (void)snprintf(directory, sizeof directory, "%.*s", (int)(name - path + 1), path);
    int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir == -1) {
        return -errno;
    }
    int n = snprintf(through, sizeof through, "/proc/self/fd/%d%s", dir, name);
    int r = n < 0 || (size_t)n >= sizeof through ? -ENAMETOOLONG : connect_path(fd, through);
    (void)close(dir);
    return r;
}

int ctl_link_open(struct ctl_link *link, const char *path, const struct ctl_link_events *events,
                  void *user)
{
    const struct timeval timeout = {.tv_sec = CTL_ANSWER_MS / 1000};
    *link = (struct ctl_link){.fd = -1, .events = events, .user = user};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -errno;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    int r = strlen(path) < sizeof(((struct sockaddr_un *)0)->sun_path)
                ? connect_path(fd, path)
                : connect_long_path(fd, path);
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    link->fd = fd;
    link->in = xmalloc(CTL_ANSWER_LINE_MAX_BYTES);
    ctl_table_init(&link->table, events->on_text, user);
    return 0;
}

void ctl_link_close(struct ctl_link *link)
{
    if (link->fd != -1) {
        (void)close(link->fd);
        link->fd = -1;
        free(link->in);
        link->in = NULL;
        ctl_table_finish(&link->table);
    }
}

/* ---- commands ---- */

/* What stands above the columns of the answer. */
static const char *heading_of(const char *command)
{
    static const char *const headings[][2] = {{"clients", "NUMBER\tNAME\tFROM\tROOMS"},
                                              {"rooms", "ROOM\tPEOPLE\tTOPIC"}};
    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        size_t len = strlen(headings[i][0]);
        if (strncmp(command, headings[i][0], len) == 0 && strchr(" ", command[len])) {
            return headings[i][1];
        }
    }
    return NULL;
}

static int send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n == -1 && errno != EINTR) {
            return errno == EAGAIN ? PARTY_ETIMEOUT : -errno;
        }
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

int ctl_link_send(struct ctl_link *link, const char *command)
{
    if (strchr(command, '\n') || strchr(command, '\r')) {
        return -EINVAL;
    }
    if (link->pending == CTL_PENDING_MAX) {
        return -EBUSY;
    }
    size_t len = strlen(command);
    char *line = xmemdup0(command, len);
    line[len] = '\n';
    int r = send_all(link->fd, line, len + 1);
    free(line);
    if (r == 0) {
        link->headings[link->pending++] = heading_of(command);
    }
    return r;
}

/* ---- answers ---- */

static void on_body(struct ctl_link *link, const char *text, size_t len)
{
    const char *heading = link->pending > 0 ? link->headings[0] : NULL;
    if (heading && !link->heading_shown) {
        link->heading_shown = true;
        ctl_table_add(&link->table, heading, strlen(heading));
    }
    ctl_table_add(&link->table, text, len);
}

static void on_end(struct ctl_link *link, const char *cause)
{
    ctl_table_flush(&link->table);
    link->heading_shown = false;
    if (link->pending > 0) {
        link->pending--;
        memmove(link->headings, link->headings + 1, link->pending * sizeof(link->headings[0]));
    }
    link->events->on_end(cause, link->user);
}

/* The tabs between cells are kept; what could act on a terminal is not. */
static size_t clean_cells(const char *text, size_t len, char *ret)
{
    size_t used = 0;
    for (size_t from = 0; from <= len;) {
        const char *end = memchr(text + from, '\t', len - from);
        size_t count = end ? (size_t)(end - text) - from : len - from;
        used += text_clean(text + from, count, ret + used);
        from += count + 1;
        if (end) {
            ret[used++] = '\t';
        }
    }
    ret[used] = '\0';
    return used;
}

static void on_line(struct ctl_link *link, const char *text, size_t len)
{
    char *clean = xmalloc(len * 3 + 2);
    len = clean_cells(text, len, clean);
    if (strncmp(clean, "| ", 2) == 0) {
        on_body(link, clean + 2, len - 2);
    } else if (strncmp(clean, "error ", 6) == 0) {
        on_end(link, clean + 6);
    } else {
        on_end(link, strcmp(clean, "ok") == 0 ? NULL : clean);
    }
    free(clean);
}

int ctl_link_receive(struct ctl_link *link, bool wait)
{
    ssize_t n = recv(link->fd, link->in + link->in_len, CTL_ANSWER_LINE_MAX_BYTES - link->in_len,
                     wait ? 0 : MSG_DONTWAIT);
    if (n == -1) {
        if (errno == EINTR || (errno == EAGAIN && !wait)) {
            return 0;
        }
        return errno == EAGAIN ? PARTY_ETIMEOUT : -errno;
    }
    if (n == 0) {
        return PARTY_EOF;
    }
    link->in_len += (size_t)n;
    size_t from = 0;
    while (from < link->in_len) {
        char *end = memchr(link->in + from, '\n', link->in_len - from);
        if (!end && (from > 0 || link->in_len < CTL_ANSWER_LINE_MAX_BYTES)) {
            break;
        }
        size_t len = end ? (size_t)(end - link->in) - from : link->in_len - from;
        on_line(link, link->in + from, len);
        from += end ? len + 1 : len;
    }
    link->in_len -= from;
    memmove(link->in, link->in + from, link->in_len);
    return 0;
}
