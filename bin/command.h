/* SPDX-License-Identifier: MIT */
#ifndef BIN_COMMAND_H
#define BIN_COMMAND_H

/*
 * The subcommands of partyline: one file each, one line each in the table of main.c.
 *
 * A subcommand gets its own name as argv[0], understands --help, writes errors to standard error as
 * "partyline NAME: cause" and returns one of the codes below.
 */

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_DAMAGED = 78, /* serve: the database; EX_CONFIG of sysexits.h, no restart helps */
};

struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help; /* one line */
};

/* Ends with an entry whose name is NULL. */
extern const struct subcommand subcommands[];

/** The subcommand of that name; NULL when there is none. */
const struct subcommand *subcommand_find(const char *name);

int cmd_bench(int argc, char **argv);
int cmd_chat(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_ctl(int argc, char **argv);
int cmd_hash(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_serve(int argc, char **argv);
int cmd_version(int argc, char **argv);

#endif
