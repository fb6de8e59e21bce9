/* SPDX-License-Identifier: MIT */
#include <partyline/inherited.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/require.h"

/* sd_listen_fds(3), SD_LISTEN_FDS_START. */
#define FIRST_FD 3

/* Reads a decimal number without sign, space or leading zero. False: it is none, or above max. */
static bool parse_number(const char *text, long max, long *ret_number)
{
    long number = 0;
    if (text[0] == '\0' || (text[0] == '0' && text[1] != '\0')) {
        return false;
    }
    for (size_t i = 0; text[i] != '\0'; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (text[i] - '0');
        if (number > max) {
            return false;
        }
    }
    *ret_number = number;
    return true;
}

/* Returns: how many descriptors are for this process; -EINVAL. */
static int read_count(void)
{
    const char *pid_text = getenv("LISTEN_PID");
    const char *count_text = getenv("LISTEN_FDS");
    long pid;
    long count;
    if (pid_text == NULL || count_text == NULL) {
        return 0;
    }
    if (!parse_number(pid_text, INT_MAX, &pid) || pid == 0) {
        return -EINVAL;
    }
    if (pid != getpid()) {
        return 0;
    }
    if (!parse_number(count_text, PARTY_INHERITED_MAX, &count)) {
        return -EINVAL;
    }
    return (int)count;
}

/* Gives each entry its name. Returns: 0; -EINVAL when there are more or fewer names; -ENOMEM. */
static int read_names(struct party_inherited_list *list)
{
    const char *at = getenv("LISTEN_FDNAMES");
    for (size_t i = 0; i < list->count; i++) {
        const char *name = "unknown";
        size_t len = strlen(name);
        if (at != NULL) {
            name = at;
            len = strcspn(at, ":");
            bool is_last = i + 1 == list->count;
            if ((at[len] == '\0') != is_last) {
                return -EINVAL;
            }
            at += len + 1;
        }
        list->entries[i].name = strndup(name, len);
        if (list->entries[i].name == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* Returns: 0; -errno. What is no socket stays a descriptor. */
static int take_one(struct party_inherited_entry *entry, int fd)
{
    struct stat st;
    if (fstat(fd, &st) == -1) {
        return -errno;
    }
    if (S_ISSOCK(st.st_mode)) {
        return party_sock_adopt(fd, -1, -1, -1, &entry->sock);
    }
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        return -errno;
    }
    entry->fd = fd;
    return 0;
}

static void free_list(struct party_inherited_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->entries[i].name);
    }
    free(list->entries);
    *list = (struct party_inherited_list){0};
}

/* Lets go of what take_one took, without closing it. */
static void give_back(struct party_inherited_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].sock != NULL) {
            int fd = party_sock_detach(list->entries[i].sock);
            (void)fd; /* open, as it was */
        }
    }
    free_list(list);
}

int party_inherited_take(struct party_inherited_list *ret_list)
{
    PARTY__REQUIRE(-EINVAL, ret_list);
    int count = read_count();
    if (count < 0) {
        return count;
    }
    struct party_inherited_list list = {0};
    if (count > 0) {
        list.entries = calloc((size_t)count, sizeof(list.entries[0]));
        if (list.entries == NULL) {
            return -ENOMEM;
        }
        list.count = (size_t)count;
        for (size_t i = 0; i < list.count; i++) {
            list.entries[i].fd = -1;
        }
        int r = read_names(&list);
        for (int i = 0; i < count && r == 0; i++) {
            r = take_one(&list.entries[i], FIRST_FD + i);
        }
        if (r < 0) {
            give_back(&list);
            return r;
        }
        (void)unsetenv("LISTEN_PID");
        (void)unsetenv("LISTEN_FDS");
        (void)unsetenv("LISTEN_FDNAMES");
    }
    *ret_list = list;
    return 0;
}

void party_inherited_list_finish(struct party_inherited_list *list)
{
    if (list == NULL) {
        return;
    }
    for (size_t i = 0; i < list->count; i++) {
        struct party_inherited_entry *entry = &list->entries[i];
        if (entry->sock != NULL) {
            (void)party_sock_close(entry->sock);
        }
        if (entry->fd != -1) {
            (void)close(entry->fd);
        }
    }
    free_list(list);
}
