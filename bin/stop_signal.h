/* SPDX-License-Identifier: MIT */
#ifndef BIN_STOP_SIGNAL_H
#define BIN_STOP_SIGNAL_H

#include <partyline/api.h>

/*
 * SIGINT, SIGTERM and SIGHUP as something to poll for: a program at a prompt gives the terminal
 * back before it ends.
 */

/** Blocks the signals. Returns: a descriptor that the caller closes; -errno. */
PARTY_MUST_USE int stop_signal_open(void);

/** Takes a signal off the descriptor. Returns: its number; 0 when none came. */
int stop_signal_take(int fd);

#endif
