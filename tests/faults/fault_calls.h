/* SPDX-License-Identifier: MIT */
#ifndef TESTS_FAULTS_FAULT_CALLS_H
#define TESTS_FAULTS_FAULT_CALLS_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/* Between the calls in place of the kernel's (fault_calls.c) and what decides on them (fault.c). */

/** Counts the call. Returns: true and errno when it has to fail. */
bool fault_fails(enum fault_call call);

/** The same for a call on len bytes, which is made 1 when the call has to be short. */
bool fault_fails_or_cuts(enum fault_call call, int fd, size_t *len);

/** Counts the call. Returns: 0; the errno it has to fail with; FAULT_SHORT. */
int fault_decide(enum fault_call call);

#endif
