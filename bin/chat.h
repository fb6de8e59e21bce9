/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_H
#define BIN_CHAT_H

struct chat_options;

/** With an own prompt, for people. Returns: an exit code. */
int chat_live_run(const struct chat_options *options);

/** For pipes. Returns: an exit code. */
int chat_plain_run(const struct chat_options *options);

#endif
