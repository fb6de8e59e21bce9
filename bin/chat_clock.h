/* SPDX-License-Identifier: MIT */
#ifndef BIN_CHAT_CLOCK_H
#define BIN_CHAT_CLOCK_H

#include <stdint.h>

/** Milliseconds of a clock that never runs back. */
int64_t chat_now_ms(void);

/** How long poll may wait until the time; -1 for a time of -1: never. */
int chat_wait_ms(int64_t until_ms);

#endif
