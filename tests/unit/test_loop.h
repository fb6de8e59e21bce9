/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_TEST_LOOP_H
#define TESTS_UNIT_TEST_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include <partyline/loop.h>

/*
 * A loop whose time a test moves, for tests of the layers above lib/, which see nothing of a loop's
 * inside. A test executable adds test_loop.c to its sources and lib/ to its include directories.
 */

/** From here on the loop's time is *clock_ns. */
void test_loop_use_clock(struct party_loop *loop, const int64_t *clock_ns);

/** Whether a turn would find nothing to do: no task, no timer that is due, nothing ready. */
bool test_loop_is_idle(struct party_loop *loop);

#endif
