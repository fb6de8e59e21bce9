/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "service/server_internal.h"

/* What operators ask of the server itself, not of the chat. */

/* One thread from /proc/self/task/TID/stat, proc(5): name in parentheses, utime and stime 14, 15.
 */
static int describe_thread(const char *tid, char *text, size_t cap)
{
    char path[64], stat[512];
    (void)snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", tid);
    FILE *file = fopen(path, "re");
    if (!file) {
        return 0; /* it ended meanwhile */
    }
    size_t len = fread(stat, 1, sizeof(stat) - 1, file);
    (void)fclose(file);
    stat[len] = '\0';
    char *open = strchr(stat, '('), *close = strrchr(stat, ')');
    unsigned long utime, stime;
    if (!open || !close ||
        sscanf(close + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &utime, &stime) !=
            2) {
        return 0;
    }
    double tick = (double)sysconf(_SC_CLK_TCK);
    int n = snprintf(text, cap, "%-8.20s %-16.*s %8.2f s CPU\n", tid, (int)(close - open - 1),
                     open + 1, (double)(utime + stime) / tick);
    return n > 0 && (size_t)n < cap ? n : 0;
}

static void list_threads(char *text, size_t cap)
{
    DIR *dir = opendir("/proc/self/task");
    size_t len = 0;
    if (!dir) {
        (void)snprintf(text, cap, "cannot read /proc/self/task\n");
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] != '.') {
            len += (size_t)describe_thread(entry->d_name, text + len, cap - len);
        }
    }
    (void)closedir(dir);
}

bool server_operate(const char *word, char *ret_text, size_t cap, void *user)
{
    struct server *server = user;
    if (strcmp(word, "threads") == 0) {
        list_threads(ret_text, cap);
        return true;
    }
    if (strcmp(word, "quit") == 0) {
        server_stop(server);
        return true;
    }
    if (strcmp(word, "reload") == 0) {
        if (!server->settings.config_path) {
            (void)snprintf(ret_text, cap, "the server was started without a configuration file");
            return false;
        }
        if (!atomic_exchange(&server->reload_posted, true)) {
            party_loop_post(server->control, &server->reload_task);
        }
        (void)snprintf(ret_text, cap, "reading %s again; the log says what came of it",
                       server->settings.config_path);
        return true;
    }
    (void)snprintf(ret_text, cap, "there is no such command");
    return false;
}
