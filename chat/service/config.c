/* SPDX-License-Identifier: MIT */
#include "service/config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "service/config_json.h"
#include "service/config_scan.h"
#include "service/config_schema.h"

#define LOOPS_MAX 64

static char *copy(const char *text)
{
    return xmemdup0(text, strlen(text));
}

void config_default(struct config *ret_config)
{
    static const struct listen_url local = {.kind = LISTEN_ANY, .host = "127.0.0.1", .port = 60000};

    *ret_config = (struct config){
        .name = copy("partyline"),
        .network = copy("Partyline"),
        .description = copy(""),
        .motd = copy(""),
        .lobby = copy("lobby"),
        .cloak = true,
        .history = {.enabled = true, .persist_tags = true, .persist_tag_list = copy("")},
        .backend = CONFIG_BACKEND_EPOLL,
        .log = LOGGER_STDERR,
        .log_level = PARTY_LOG_INFO,
    };
    config_set_listen(ret_config, &local, 1);
    config_check_default(ret_config);
}

void config_finish(struct config *config)
{
    free(config->name);
    free(config->network);
    free(config->description);
    free(config->listen);
    free(config->data);
    free(config->motd);
    free(config->lobby);
    free(config->history.persist_tag_list);
    config_finish_secrets(config);
    *config = (struct config){0};
}

void config_set_listen(struct config *config, const struct listen_url *urls, size_t count)
{
    free(config->listen);
    config->listen = xcalloc(count, sizeof *urls);
    memcpy(config->listen, urls, count * sizeof *urls);
    config->listen_count = count;
}

static int load_scanned(const struct config_report *report, const struct config_scan *scan,
                        const void *text, size_t len, struct config *ret_config)
{
    static const struct config_raw nothing;
    struct config_raw *raw = NULL;
    struct config config;

    /* An empty document has no node, or an empty scalar that libcyaml would not take for one. */
    if (scan->count > 0 && !(scan->count == 1 && scan->nodes[0].text != NULL &&
                             scan->nodes[0].is_plain && scan->nodes[0].text[0] == '\0')) {
        if (config_check_form(report, scan) < 0 ||
            config_raw_load(report, scan, text, len, &raw) < 0) {
            return -1;
        }
    }
    config_default(&config);
    int r = config_check_values(report, scan, raw != NULL ? raw : &nothing, &config);
    if (r == 0) {
        *ret_config = config;
    } else {
        config_finish(&config);
    }
    config_raw_free(raw, scan);
    return r;
}

int config_load_text(const char *path, const void *text, size_t len, struct config *ret_config,
                     char *message, size_t cap)
{
    const struct config_report report = {path, message, cap};
    struct config_scan scan;

    if (len > CONFIG_FILE_MAX_BYTES) {
        return config_fail(&report, 0, "", "larger than %d bytes", CONFIG_FILE_MAX_BYTES);
    }
    char *yaml = xmemdup0(text, len);
    size_t yaml_len = config_json_join_pairs(yaml, len);
    int r = config_scan(&report, yaml, yaml_len, &scan);
    if (r == 0) {
        r = load_scanned(&report, &scan, yaml, yaml_len, ret_config);
    }
    config_scan_finish(&scan);
    explicit_bzero(yaml, len); /* There may be passwords in it. */
    free(yaml);
    return r;
}

/* Reads up to cap bytes. Returns: how many; -errno. */
static ssize_t read_all(int fd, char *bytes, size_t cap)
{
    size_t len = 0;

    while (len < cap) {
        ssize_t n = read(fd, bytes + len, cap - len);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1) {
            return -errno;
        }
        if (n == 0) {
            break;
        }
        len += (size_t)n;
    }
    return (ssize_t)len;
}

static int load_fd(const struct config_report *report, int fd, struct config *ret_config)
{
    struct stat st;

    if (fstat(fd, &st) == -1) {
        return config_fail(report, 0, "", "%s", party_strerror(-errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return config_fail(report, 0, "",
                           S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
    }
    /* One byte more than allowed, so that a file which grows is seen to be too large. */
    size_t cap = CONFIG_FILE_MAX_BYTES + 1;
    char *text = xmalloc(cap);
    ssize_t len = read_all(fd, text, cap);
    int r = 0;
    if (len < 0) {
        r = config_fail(report, 0, "", "%s", party_strerror((int)len));
    } else {
        r = config_load_text(report->path, text, (size_t)len, ret_config, report->message,
                             report->cap);
    }
    explicit_bzero(text, cap);
    free(text);
    return r;
}

int config_load(const char *path, struct config *ret_config, char *message, size_t cap)
{
    const struct config_report report = {path, message, cap};
    /* Non-blocking, or a FIFO without a writer would stop a reload for ever. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd == -1) {
        return config_fail(&report, 0, "", "%s", party_strerror(-errno));
    }
    int r = load_fd(&report, fd, ret_config);
    (void)close(fd); /* Only read from: nothing can be lost. */
    return r;
}

/* ---- differences ---- */

struct differ {
    config_diff_fn fn;
    void *user;
    size_t count;
};

static void differ_note(struct differ *differ, const char *key, bool differs, bool needs_restart)
{
    if (!differs) {
        return;
    }
    differ->count++;
    if (differ->fn != NULL) {
        differ->fn(key, needs_restart, differ->user);
    }
}

static bool texts_differ(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static bool listeners_differ(const struct config *a, const struct config *b)
{
    if (a->listen_count != b->listen_count) {
        return true;
    }
    for (size_t i = 0; i < a->listen_count; i++) {
        if (!config_listen_equal(&a->listen[i], &b->listen[i])) {
            return true;
        }
    }
    return false;
}

size_t config_diff(const struct config *old_config, const struct config *new_config,
                   config_diff_fn fn, void *user)
{
    const struct config *a = old_config;
    const struct config *b = new_config;
    struct differ d = {fn, user, 0};
    double slower = a->limits.flood.rate - b->limits.flood.rate;

    differ_note(&d, "name", texts_differ(a->name, b->name), true);
    differ_note(&d, "network", texts_differ(a->network, b->network), false);
    differ_note(&d, "description", texts_differ(a->description, b->description), false);
    differ_note(&d, "listen", listeners_differ(a, b), true);
    differ_note(&d, "data", texts_differ(a->data, b->data), true);
    differ_note(&d, "motd", texts_differ(a->motd, b->motd), false);
    differ_note(&d, "lobby", texts_differ(a->lobby, b->lobby), true);
    differ_note(&d, "backend", a->backend != b->backend, true);
    differ_note(&d, "log", a->log != b->log, false);
    differ_note(&d, "log_level", a->log_level != b->log_level, false);
    differ_note(&d, "cloak", a->cloak != b->cloak, false);
    differ_note(&d, "password", texts_differ(a->password, b->password), false);
    differ_note(&d, "operators", config_operators_differ(a, b), false);
    differ_note(&d, "history.enabled", a->history.enabled != b->history.enabled, false);
    differ_note(&d, "history.persist_tags",
                a->history.persist_tags != b->history.persist_tags ||
                    texts_differ(a->history.persist_tag_list, b->history.persist_tag_list),
                false);
    differ_note(&d, "limits.flood.rate", slower < 0 || slower > 0, false);
    return d.count + config_check_diff(a, b, fn, user);
}

/* ---- what depends on the machine ---- */

static const char *home_dir(void)
{
    const char *home = getenv("HOME");

    if (home != NULL && home[0] == '/') {
        return home;
    }
    const struct passwd *user = getpwuid(getuid());
    return user != NULL && user->pw_dir != NULL && user->pw_dir[0] == '/' ? user->pw_dir : NULL;
}

static int put_path(char *ret_path, size_t cap, const char *dir, size_t dir_len, const char *rest)
{
    int n = snprintf(ret_path, cap, "%.*s%s", (int)dir_len, dir, rest);

    return n >= 0 && (size_t)n < cap ? 0 : -ENAMETOOLONG;
}

int config_data_dir(const struct config *config, char *ret_path, size_t cap)
{
    const char *state = getenv("STATE_DIRECTORY");
    const char *xdg = getenv("XDG_STATE_HOME");

    if (config->data != NULL) {
        return put_path(ret_path, cap, config->data, strlen(config->data), "");
    }
    /* systemd separates several with colons; a relative XDG path is to be ignored, says XDG. */
    if (state != NULL && state[0] == '/') {
        return put_path(ret_path, cap, state, strcspn(state, ":"), "");
    }
    if (xdg != NULL && xdg[0] == '/') {
        return put_path(ret_path, cap, xdg, strlen(xdg), "/partyline");
    }
    const char *home = home_dir();
    if (home == NULL) {
        return -ENOENT;
    }
    return put_path(ret_path, cap, home, strlen(home), "/.local/state/partyline");
}

const char *config_backend_name(enum config_backend backend)
{
    return backend == CONFIG_BACKEND_IO_URING ? "io_uring" : "epoll";
}

unsigned config_loops(const struct config *config)
{
    cpu_set_t cpus;

    if (config->loops > 0) {
        return config->loops;
    }
    /* Fails where there are more CPUs than a cpu_set_t holds. */
    if (sched_getaffinity(0, sizeof cpus, &cpus) == -1) {
        return LOOPS_MAX;
    }
    int count = CPU_COUNT(&cpus);
    return count < 1 ? 1 : count > LOOPS_MAX ? LOOPS_MAX : (unsigned)count;
}
