/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <partyline/error.h>

#include "base/xalloc.h"
#include "command.h"
#include "ctl_link.h"
#include "operator.h"
#include "prompt.h"
#include "service/config.h"
#include "stop_signal.h"

/* partyline ctl: what an operator asks of a running server. */

static const char usage_text[] =
    "usage: partyline ctl [--data DIR | --socket PATH | --config FILE] [COMMAND]...\n"
    "\n"
    "Carries out a command at the running server of this user and prints the answer. Without a\n"
    "command it shows a prompt, or reads one command a line when standard input is no terminal.\n"
    "\n"
    "  --data DIR      the server's directory, as given to partyline serve --data\n"
    "  --socket PATH   the server's operator socket; DIR/ctl.sock by default\n"
    "  --config FILE   the server's configuration, which names the directory\n"
    "\n"
    "  clients              who is connected, from where, in which rooms\n"
    "  rooms                the rooms, how many are in them, their topics\n"
    "  threads              the server's threads and their CPU time\n"
    "  say TEXT             say something to every room\n"
    "  kick NAME [REASON]   end a user's connection\n"
    "  reload               read the configuration again\n"
    "  help                 the server's own list\n"
    "  quit                 stop the server in good order\n"
    "\n"
    "Exit status: 0 when the server did it, 1 when it did not or no server answers, 2 for wrong\n"
    "usage.\n";

struct ctl {
    char path[PATH_MAX];
    bool failed;
    bool answered;
    int signal_fd;
};

static void complain(const char *cause)
{
    (void)fprintf(stderr, "partyline ctl: %s\n", cause);
}

static int usage_error(const char *what, const char *value)
{
    (void)fprintf(stderr, "partyline ctl: %s%s%s; see partyline ctl --help\n", what,
                  value ? ": " : "", value ? value : "");
    return EXIT_USAGE;
}

/* ---- which server ---- */

struct place {
    const char *data, *socket, *config; /* at most one is not NULL */
};

/* As the server finds its directory. Returns: an exit code. */
static int find_socket(const struct place *place, char *ret_path, size_t cap)
{
    struct config config;
    char dir[PATH_MAX], message[CONFIG_MESSAGE_MAX];
    if (place->socket) {
        (void)snprintf(dir, sizeof dir, "%s", place->socket);
        return (size_t)snprintf(ret_path, cap, "%s", place->socket) < cap ? EXIT_DONE : EXIT_USAGE;
    }
    if (!place->config) {
        config_default(&config);
    } else if (config_load(place->config, &config, message, sizeof message) < 0) {
        complain(message);
        return EXIT_FAILED;
    }
    if (place->data) {
        free(config.data);
        config.data = xmemdup0(place->data, strlen(place->data));
    }
    int r = config_data_dir(&config, dir, sizeof dir);
    config_finish(&config);
    if (r < 0) {
        complain(r == -ENOENT ? "there is no home directory; name the server's with --data"
                              : party_strerror(r));
        return EXIT_FAILED;
    }
    int n = snprintf(ret_path, cap, "%s/ctl.sock", dir);
    if (n < 0 || (size_t)n >= cap) {
        complain(party_strerror(-ENAMETOOLONG));
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

static int no_server(const struct ctl *ctl, int code)
{
    bool nobody = code == -ENOENT || code == -ECONNREFUSED;
    (void)fprintf(stderr,
                  nobody ? "partyline ctl: no server runs here (%s): %s\n"
                         : "partyline ctl: cannot connect to %s: %s\n",
                  ctl->path, party_strerror(code));
    return EXIT_FAILED;
}

/* ---- without a prompt ---- */

static void on_text(const char *line, size_t len, void *user)
{
    struct ctl *ctl = user;
    (void)fwrite(line, 1, len, stdout);
    if (fputc('\n', stdout) == EOF) {
        ctl->failed = true;
    }
}

static void on_answer_end(const char *cause, void *user)
{
    struct ctl *ctl = user;
    ctl->answered = true;
    if (cause) {
        complain(cause);
        ctl->failed = true;
    }
}

static const struct ctl_link_events link_events = {.on_text = on_text, .on_end = on_answer_end};

/* One command and its answer. Returns: false when the connection is gone. */
static bool run_command(struct ctl *ctl, struct ctl_link *link, const char *command)
{
    ctl->answered = false;
    int r = ctl_link_send(link, command);
    while (r == 0 && !ctl->answered) {
        r = ctl_link_receive(link, true);
    }
    if (fflush(stdout) != 0) {
        complain("cannot write to standard output");
        ctl->failed = true;
    }
    if (r < 0 && !ctl->answered) {
        complain(r == PARTY_EOF        ? "the server closed the connection"
                 : r == PARTY_ETIMEOUT ? "the server does not answer"
                 : r == -EINVAL        ? "a command is one line"
                                       : party_strerror(r));
        ctl->failed = true;
    }
    return r == 0 || r == -EINVAL;
}

static void run_input(struct ctl *ctl, struct ctl_link *link)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    bool connected = true;
    while (connected && (len = getline(&line, &cap, stdin)) > 0) {
        if (line[len - 1] == '\n') {
            line[--len] = '\0';
        }
        if (len > 0 && line[len - 1] == '\r') {
            line[--len] = '\0';
        }
        if (line[strspn(line, " ")] != '\0') {
            connected = run_command(ctl, link, line);
        }
    }
    free(line);
}

static char *join_words(int count, char **words)
{
    size_t cap = 1, len = 0;
    for (int i = 0; i < count; i++) {
        cap += strlen(words[i]) + 1;
    }
    char *line = xmalloc(cap);
    line[0] = '\0';
    for (int i = 0; i < count; i++) {
        len += (size_t)snprintf(line + len, cap - len, "%s%s", i > 0 ? " " : "", words[i]);
    }
    return line;
}

/* ---- with a prompt ---- */

static bool on_stop(struct prompt *prompt, void *user)
{
    struct ctl *ctl = user;
    if (stop_signal_take(ctl->signal_fd) == SIGINT && prompt_has_typed(prompt)) {
        prompt_drop_typed(prompt);
        return true;
    }
    return false;
}

static bool on_end(struct prompt *prompt, void *user)
{
    (void)prompt;
    (void)user;
    return false;
}

static bool on_lost(struct prompt *prompt, const char *cause, void *user)
{
    struct ctl *ctl = user;
    (void)ctl;
    prompt_print(prompt, cause, strlen(cause));
    return false;
}

static int run_prompt(struct ctl *ctl)
{
    ctl->signal_fd = stop_signal_open();
    if (ctl->signal_fd < 0) {
        complain(party_strerror(ctl->signal_fd));
        return EXIT_FAILED;
    }
    const struct operator_events events = {.fd = ctl->signal_fd,
                                           .on_ready = on_stop,
                                           .on_end = on_end,
                                           .on_lost = on_lost,
                                           .user = ctl};
    int r = operator_run(ctl->path, &events);
    (void)close(ctl->signal_fd);
    return r < 0 ? no_server(ctl, r) : EXIT_DONE;
}

/* ---- the command line ---- */

/* Returns: -1 to go on; else the exit code. */
static int parse_options(int argc, char **argv, struct place *place)
{
    static const struct option longs[] = {
        {"data", required_argument, NULL, 'd'},
        {"socket", required_argument, NULL, 's'},
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option, places = 0;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:d:s:c:h", longs, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage_text, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || option == ':') {
            return usage_error(option == ':' ? "an argument is missing after" : "unknown option",
                               argv[optind - 1]);
        }
        const char **to = option == 'd'   ? &place->data
                          : option == 's' ? &place->socket
                                          : &place->config;
        places += *to == NULL;
        *to = optarg;
    }
    return places > 1 ? usage_error("--data, --socket, --config: one of them", NULL) : -1;
}

int cmd_ctl(int argc, char **argv)
{
    struct place place = {0};
    struct ctl ctl = {0};
    struct ctl_link link;
    int r = parse_options(argc, argv, &place);
    if (r >= 0) {
        return r;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    r = find_socket(&place, ctl.path, sizeof ctl.path);
    if (r != EXIT_DONE) {
        return r;
    }
    if (optind == argc && prompt_is_possible()) {
        return run_prompt(&ctl);
    }
    r = ctl_link_open(&link, ctl.path, &link_events, &ctl);
    if (r < 0) {
        return no_server(&ctl, r);
    }
    if (optind < argc) {
        char *command = join_words(argc - optind, argv + optind);
        (void)run_command(&ctl, &link, command);
        free(command);
    } else {
        run_input(&ctl, &link);
    }
    ctl_link_close(&link);
    return ctl.failed ? EXIT_FAILED : EXIT_DONE;
}
