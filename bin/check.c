/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "service/config.h"

/* partyline check: is the configuration right? */

static const char usage_text[] =
    "usage: partyline check FILE...\n"
    "\n"
    "Reads each configuration file as `partyline serve --config FILE` would, and says what is\n"
    "wrong with it, by file, line and key, and what is right but not wise. Nothing is started and\n"
    "nothing is changed.\n"
    "\n"
    "Exit status: 0 when all are right, 1 when one is not, 2 for wrong usage.\n";

static void warn(const char *text, void *user)
{
    const char *path = user;
    (void)fprintf(stderr, "partyline check: %s: %s\n", path, text);
}

static int check_file(const char *path)
{
    struct config config;
    char message[CONFIG_MESSAGE_MAX];
    if (config_load(path, &config, message, sizeof(message)) < 0) {
        (void)fprintf(stderr, "partyline check: %s\n", message);
        return -1;
    }
    config_warn(&config, warn, (void *)path);
    (void)printf("%s: right\n", path);
    config_finish(&config);
    return 0;
}

int cmd_check(int argc, char **argv)
{
    int result = EXIT_DONE;
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        (void)fputs(usage_text, stdout);
        return EXIT_DONE;
    }
    if (argc > 1 && argv[1][0] == '-' && argv[1][1] != '\0' && strcmp(argv[1], "--") != 0) {
        (void)fprintf(stderr, "partyline check: unknown option: %s; see partyline check --help\n",
                      argv[1]);
        return EXIT_USAGE;
    }
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (first >= argc) {
        (void)fputs("partyline check: name a configuration file; see partyline check --help\n",
                    stderr);
        return EXIT_USAGE;
    }
    for (int i = first; i < argc; i++) {
        if (check_file(argv[i]) < 0) {
            result = EXIT_FAILED;
        }
    }
    return result;
}
