/* SPDX-License-Identifier: MIT */
#ifndef PARTYLINE_LOOP_URING_H
#define PARTYLINE_LOOP_URING_H

/*
 * A ring fit for waiting: which kernels give one, and what may be asked of it. What is done with it
 * is uring.c's.
 */

#include <liburing.h>

/* What one submission holds; a fuller turn submits more than once. */
#define PARTY__URING_SUBMISSIONS 256

/* Completions until the kernel has to keep some aside, which it does, only slower. */
#define PARTY__URING_COMPLETIONS 4096

/**
 * Opens a ring that is disabled still, and limited for good to polls and their removal: what
 * seccomp cannot see shall not be able to do more. The first thread to enable it may use it.
 * Returns: 0; -EMFILE, -ENFILE; else another -errno, and *ret_why says why there are no rings here.
 * Owns: the caller ends the ring with io_uring_queue_exit.
 * Kernel: 5.17. From 6.1 on completions are worked off only when the loop waits.
 */
int party__uring_open(struct io_uring *ret_ring, const char **ret_why);

/** Enables the ring for the calling thread. Returns: 0; -errno. */
int party__uring_enable(struct io_uring *ring);

#endif
