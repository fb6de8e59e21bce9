/* SPDX-License-Identifier: MIT */
/* In place of uring.c in a library that was built without io_uring. */
#include "loop/backend.h"

#include <errno.h>

static int absent_init(void **ret_state, const char **ret_why)
{
    (void)ret_state;
    *ret_why = "this library was built without it";
    return -EOPNOTSUPP;
}

static void absent_finish(void *state)
{
    (void)state;
}

const struct party__backend party__backend_uring = {
    .name = "io_uring",
    .init = absent_init,
    .finish = absent_finish,
};
