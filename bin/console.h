/* SPDX-License-Identifier: MIT */
#ifndef BIN_CONSOLE_H
#define BIN_CONSOLE_H

struct console;
struct logger;
struct server;

/*
 * The operator's prompt of a server that runs on a terminal: the commands of `partyline ctl`, with
 * the log above. It is a thread of its own, which talks to the server as any operator does.
 */

/**
 * Starts the console, when standard input and output are a terminal and this process is in its
 * foreground. While it runs, the log that would go to a terminal goes through it.
 * Returns: NULL when there is none.
 */
struct console *console_start(struct server *server, struct logger *logger);

/** Ends it and gives the terminal back. NULL is accepted. */
void console_stop(struct console *console);

#endif
