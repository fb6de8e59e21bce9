/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

const struct subcommand subcommands[] = {
    {"serve", cmd_serve, "run the chat server"},
    {"chat", cmd_chat, "chat from this terminal, or from a pipe"},
    {"ctl", cmd_ctl, "give a running server a command"},
    {"check", cmd_check, "check a configuration file"},
    {"hash", cmd_hash, "make a hash of a password for the configuration"},
    {"bench", cmd_bench, "put load on a server and measure it"},
    {"version", cmd_version, "print the version"},
    {"help", cmd_help, "print this list, or the help of a command"},
    {NULL, NULL, NULL},
};

const struct subcommand *subcommand_find(const char *name)
{
    for (const struct subcommand *s = subcommands; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0) {
            return s;
        }
    }
    return NULL;
}

/*
 * A closed standard descriptor would be given to the next file or socket that is opened, and what
 * is written to standard output or read from standard input would be that one's. Writing fails as
 * it did before, because "done" must not be said of output that nobody can get.
 */
static bool open_missing_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF && open("/dev/null", O_RDONLY) != fd) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!open_missing_streams()) {
        return EXIT_FAILED; /* where to complain is what is missing */
    }
    if (argc < 2) {
        (void)fprintf(stderr, "partyline: a command is missing; \"partyline help\" lists them\n");
        return EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        name = "help";
    } else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        name = "version";
    }
    const struct subcommand *found = subcommand_find(name);
    if (found == NULL) {
        (void)fprintf(stderr, "partyline: %s: no such command; \"partyline help\" lists them\n",
                      name);
        return EXIT_USAGE;
    }
    return found->run(argc - 1, argv + 1);
}
