/* SPDX-License-Identifier: MIT */
#include "loop/uring.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Time-outs as an argument of the wait, no completion dropped, polls with 32 bits of events, and
 * successes that are not reported: the last one came with 5.17, and multishot polls before it.
 */
static const unsigned needed_features =
    IORING_FEAT_EXT_ARG | IORING_FEAT_NODROP | IORING_FEAT_POLL_32BITS | IORING_FEAT_CQE_SKIP;

/*
 * Best first; a kernel refuses a flag it does not know with EINVAL. Without DEFER_TASKRUN (6.1) a
 * completion interrupts the thread whatever it is at, without COOP_TASKRUN (5.19) even by a signal
 * to the processor.
 */
static const unsigned setup_flags[] = {
    IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
        IORING_SETUP_SUBMIT_ALL,
    IORING_SETUP_COOP_TASKRUN | IORING_SETUP_SUBMIT_ALL,
    0,
};

static int open_disabled(struct io_uring *ret_ring, unsigned *ret_features)
{
    int r = -EINVAL;
    for (size_t i = 0; i < sizeof setup_flags / sizeof setup_flags[0] && r == -EINVAL; i++) {
        struct io_uring_params params = {
            .flags = setup_flags[i] | IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE,
            .cq_entries = PARTY__URING_COMPLETIONS,
        };
        r = io_uring_queue_init_params(PARTY__URING_SUBMISSIONS, ret_ring, &params);
        *ret_features = params.features;
    }
    return r;
}

/*
 * The shared library of liburing 2.3 has io_uring_register_restrictions and io_uring_enable_rings
 * in its header only, so both are spelt out.
 *
 * In force from the moment the ring is enabled, and then nothing can be registered any more. */
static int restrict_to_polls(struct io_uring *ring)
{
    struct io_uring_restriction allowed[] = {
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_POLL_ADD},
        {.opcode = IORING_RESTRICTION_SQE_OP, .sqe_op = IORING_OP_POLL_REMOVE},
        {.opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED, .sqe_flags = IOSQE_CQE_SKIP_SUCCESS},
    };
    return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_RESTRICTIONS, allowed,
                             sizeof allowed / sizeof allowed[0]);
}

int party__uring_enable(struct io_uring *ring)
{
    return io_uring_register((unsigned)ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

static const char *reason(int error)
{
    switch (error) {
    case -ENOSYS:
        return "the kernel has no io_uring";
    case -EPERM:
    case -EACCES:
        return "not permitted: sysctl kernel.io_uring_disabled or a seccomp filter";
    case -ENOMEM:
        return "no memory for rings; before Linux 5.12 they count as locked (ulimit -l)";
    default:
        return "the kernel is older than 5.17";
    }
}

int party__uring_open(struct io_uring *ret_ring, const char **ret_why)
{
    struct io_uring ring;
    unsigned features = 0;
    int r = open_disabled(&ring, &features);
    if (r == -EMFILE || r == -ENFILE) {
        return r;
    }
    if (r < 0) {
        *ret_why = reason(r);
        return r;
    }
    bool enough = (features & needed_features) == needed_features;
    r = enough ? restrict_to_polls(&ring) : -EOPNOTSUPP;
    if (r < 0) {
        io_uring_queue_exit(&ring);
        *ret_why = enough ? "the kernel does not restrict rings" : reason(r);
        return r;
    }
    *ret_ring = ring;
    return 0;
}
