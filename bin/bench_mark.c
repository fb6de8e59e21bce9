/* SPDX-License-Identifier: MIT */
#include "bench_mark.h"

static void write_digits(char *at, uint64_t value, unsigned count)
{
    for (unsigned i = count; i-- > 0; value >>= 6) {
        at[i] = (char)('0' + (char)(value & 63));
    }
}

struct bench_run bench_run_make(uint32_t id)
{
    struct bench_run run = {.head = "="};
    write_digits(run.head + 1, id, MARK_HEAD_BYTES - 1);
    return run;
}

void bench_mark_write(char *at, const struct bench_run *run, uint32_t sender, uint64_t number)
{
    memcpy(at, run->head, MARK_HEAD_BYTES);
    write_digits(at + MARK_HEAD_BYTES, sender, 2);
    write_digits(at + MARK_HEAD_BYTES + 2, number, 6);
}
