/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "command.h"
#include "console.h"
#include "service/server.h"

/* partyline serve: the chat server in the foreground. */

struct serve_options {
    const char *config_path;
    const char *data;
    int loops;   /* -1: as configured */
    int backend; /* enum config_backend; -1: as configured */
    int log;     /* enum logger_target; -1: as configured */
    int log_level;
    bool no_console;
    struct listen_url *listen;
    size_t listen_count;
};

static const char usage_text[] =
    "usage: partyline serve [--config FILE] [--listen URL]... [--data DIR] [--loops N]\n"
    "                       [--backend epoll|io_uring] [--log stderr|syslog|journal]\n"
    "                       [--log-level error|warning|info|debug] [--no-console]\n"
    "\n"
    "Runs the chat server until SIGTERM, SIGINT or \"quit\" at its prompt. It prints a line\n"
    "\"listening on URL\" for each listener once connections are accepted.\n"
    "\n"
    "  --config FILE   YAML (or JSON), see partyline.yaml(5); options below go before it\n"
    "  --listen URL    any://HOST:PORT, line://HOST:PORT, irc://HOST:PORT or unix:PATH; may be\n"
    "                  given again; port 0 picks one; default any://127.0.0.1:60000\n"
    "  --data DIR      where messages are kept; made when missing\n"
    "  --loops N       threads that carry connections; 0: one per processor\n"
    "  --backend NAME  how the threads wait: epoll or io_uring; default epoll, which also stands "
    "in\n"
    "                  for io_uring where the system has or allows none\n"
    "  --log TARGET    where the log goes: stderr, syslog or journal; default stderr\n"
    "  --log-level L   what is logged: error, warning, info or debug; each has those before it;\n"
    "                  default info\n"
    "  --no-console    no prompt for the operator when this is a terminal; partyline ctl has the\n"
    "                  same commands\n"
    "\n"
    "SIGHUP reads the configuration again. Exit status: 0 after an end in good order, 1 when\n"
    "the server could not start or failed, 2 for wrong usage, 78 for a damaged database.\n";

static int usage_error(const char *what, const char *value)
{
    (void)fprintf(stderr, "partyline serve: %s%s%s; see partyline serve --help\n", what,
                  value ? ": " : "", value ? value : "");
    return EXIT_USAGE;
}

static int parse_choice(const char *value, const char *const *choices)
{
    for (int i = 0; choices[i]; i++) {
        if (strcmp(value, choices[i]) == 0) {
            return i;
        }
    }
    return -1;
}

static int add_listen(struct serve_options *options, const char *value)
{
    char message[CONFIG_MESSAGE_MAX];
    struct listen_url url;
    if (options->listen_count >= CONFIG_LISTEN_MAX) {
        return usage_error("too many --listen", value);
    }
    if (config_listen_parse(value, &url, message, sizeof(message)) < 0) {
        return usage_error("--listen", message);
    }
    options->listen =
        xreallocarray(options->listen, options->listen_count + 1, sizeof(*options->listen));
    options->listen[options->listen_count++] = url;
    return 0;
}

static int parse_loops(struct serve_options *options, const char *value)
{
    char *end;
    errno = 0;
    long loops = strtol(value, &end, 10);
    if (errno != 0 || *value == '\0' || *end != '\0' || loops < 0 || loops > 64) {
        return usage_error("--loops takes a number from 0 to 64, not", value);
    }
    options->loops = (int)loops;
    return 0;
}

static int take_option(struct serve_options *options, int option, const char *value)
{
    static const char *const backends[] = {"epoll", "io_uring", NULL};
    static const char *const targets[] = {"stderr", "syslog", "journal", NULL};
    static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
    switch (option) {
    case 'c':
        options->config_path = value;
        return *value ? 0 : usage_error("--config takes a file", NULL);
    case 'l':
        return add_listen(options, value);
    case 'd':
        options->data = value;
        return *value ? 0 : usage_error("--data takes a directory", NULL);
    case 'n':
        return parse_loops(options, value);
    case 'b':
        options->backend = parse_choice(value, backends);
        return options->backend >= 0 ? 0 : usage_error("--backend: unknown", value);
    case 'g':
        options->log = parse_choice(value, targets);
        return options->log >= 0 ? 0 : usage_error("--log: unknown", value);
    case 'o':
        options->no_console = true;
        return 0;
    case 'v':
        options->log_level = parse_choice(value, levels);
        return options->log_level >= 0 ? 0 : usage_error("--log-level: unknown", value);
    default:
        return EXIT_USAGE;
    }
}

/* Returns: -1 to go on; else the exit code. */
static int parse_options(int argc, char **argv, struct serve_options *options)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"listen", required_argument, NULL, 'l'},
        {"data", required_argument, NULL, 'd'},
        {"loops", required_argument, NULL, 'n'},
        {"backend", required_argument, NULL, 'b'},
        {"log", required_argument, NULL, 'g'},
        {"log-level", required_argument, NULL, 'v'},
        {"no-console", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:c:h", longs, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(usage_text, stdout);
            return EXIT_DONE;
        }
        if (option == '?' || option == ':') {
            return usage_error(option == ':' ? "an argument is missing after" : "unknown option",
                               argv[optind - 1]);
        }
        int r = take_option(options, option, optarg);
        if (r != 0) {
            return r;
        }
    }
    return optind < argc ? usage_error("unexpected argument", argv[optind]) : -1;
}

/* The command line goes before the file, now and after each reload. */
static void adjust(struct config *config, void *user)
{
    const struct serve_options *options = user;
    if (options->listen_count > 0) {
        config_set_listen(config, options->listen, options->listen_count);
    }
    if (options->data) {
        free(config->data);
        config->data = xmemdup0(options->data, strlen(options->data));
    }
    if (options->loops >= 0) {
        config->loops = (uint32_t)options->loops;
    }
    if (options->backend >= 0) {
        config->backend = (enum config_backend)options->backend;
    }
    if (options->log >= 0) {
        config->log = (enum logger_target)options->log;
    }
    if (options->log_level >= 0) {
        config->log_level = (enum party_log_level)options->log_level;
    }
}

static void print_url(const char *url, void *user)
{
    (void)user;
    (void)printf("listening on %s\n", url);
}

/* Where the log goes is known before anything can go wrong with the rest. */
static int make_logger(const struct serve_options *options, struct logger **ret_logger)
{
    struct config config;
    char message[CONFIG_MESSAGE_MAX];
    if (!options->config_path) {
        config_default(&config);
    } else if (config_load(options->config_path, &config, message, sizeof(message)) < 0) {
        (void)fprintf(stderr, "partyline serve: %s\n", message);
        return -1;
    }
    adjust(&config, (void *)options);
    *ret_logger = logger_create(config.log, config.log_level);
    config_finish(&config);
    return 0;
}

int cmd_serve(int argc, char **argv)
{
    struct serve_options options = {.loops = -1, .backend = -1, .log = -1, .log_level = -1};
    char message[CONFIG_MESSAGE_MAX];
    struct logger *logger;
    struct server *server;
    int r = parse_options(argc, argv, &options);
    if (r >= 0) {
        free(options.listen);
        return r;
    }
    /* A closed pipe behind stdout or stderr is no reason to drop a thousand people. */
    (void)signal(SIGPIPE, SIG_IGN);
    /* Nor is a limit on the size of files: the write fails, and what it was for is refused. */
    (void)signal(SIGXFSZ, SIG_IGN);
    if (make_logger(&options, &logger) < 0) {
        free(options.listen);
        return EXIT_FAILED;
    }
    struct server_settings settings = {
        .config_path = options.config_path,
        .adjust = adjust,
        .adjust_user = &options,
        .logger = logger,
    };
    r = server_create(&settings, &server, message, sizeof(message));
    if (r < 0) {
        (void)fprintf(stderr, "partyline serve: %s\n", message);
        logger_destroy(logger);
        free(options.listen);
        return r == SERVER_DAMAGED ? EXIT_DAMAGED : EXIT_FAILED;
    }
    server_each_url(server, print_url, NULL);
    (void)fflush(stdout);
    struct console *console = options.no_console ? NULL : console_start(server, logger);
    r = server_run(server);
    console_stop(console);
    server_destroy(server);
    logger_destroy(logger);
    free(options.listen);
    return r == 0 ? EXIT_DONE : EXIT_FAILED;
}
