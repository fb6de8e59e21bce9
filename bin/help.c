/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command.h"

static int print_list(void)
{
    (void)printf("usage: partyline COMMAND [OPTION]...\n\n");
    for (const struct subcommand *s = subcommands; s->name != NULL; s++) {
        (void)printf("  %-10s %s\n", s->name, s->help);
    }
    (void)printf("\n\"partyline help COMMAND\" says more about one.\n");
    return EXIT_DONE;
}

int cmd_help(int argc, char **argv)
{
    char option[] = "--help";
    if (argc < 2) {
        return print_list();
    }
    if (argc > 2) {
        (void)fprintf(stderr, "partyline help: unexpected argument: %s; help takes one command\n",
                      argv[2]);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], option) == 0 || strcmp(argv[1], "help") == 0) {
        (void)printf("usage: partyline help [COMMAND]\n");
        return EXIT_DONE;
    }
    const struct subcommand *found = subcommand_find(argv[1]);
    if (found == NULL) {
        (void)fprintf(stderr, "partyline help: %s: no such command\n", argv[1]);
        return EXIT_USAGE;
    }
    char *asked[] = {argv[1], option, NULL};
    return found->run(2, asked);
}
