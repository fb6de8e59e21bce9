/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command.h"

int cmd_version(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        (void)printf("usage: partyline version\n");
        return EXIT_DONE;
    }
    if (argc > 1) {
        (void)fprintf(stderr, "partyline version: %s: takes no arguments\n", argv[1]);
        return EXIT_USAGE;
    }
    (void)printf("partyline %s\n", PARTYLINE_VERSION);
    return EXIT_DONE;
}
