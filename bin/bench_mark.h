/* SPDX-License-Identifier: MIT */
#ifndef BIN_BENCH_MARK_H
#define BIN_BENCH_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * What tells one message of a load run from every other: run, sender, number. A mark is the last
 * thing in its line, because servers write in front of a text and not behind it: the receiver finds
 * it without a search. It is made of the characters '=' and '0' to 'o', six bits each, which every
 * server lets through.
 *
 *     =RRRRRSSNNNNNN    run (30 bits), sender (12 bits), number (36 bits)
 */

#define MARK_BYTES       14u
#define MARK_HEAD_BYTES  6u
#define MARK_SENDERS_MAX 4095u /* the largest sender is kept for the caller's own use */

struct bench_run {
    char head[MARK_HEAD_BYTES]; /* '=' and the run */
};

struct bench_mark {
    uint32_t sender;
    uint64_t number;
};

/** The run whose number is the low 30 bits of id. */
struct bench_run bench_run_make(uint32_t id);

/** Writes MARK_BYTES bytes to at. */
void bench_mark_write(char *at, const struct bench_run *run, uint32_t sender, uint64_t number);

/**
 * Reads the mark that ends at end, where a line from start on ends (before its newline; a CR there
 * is skipped). Returns false when the line has none of this run.
 */
static inline bool bench_mark_read(const char *start, const char *end, const struct bench_run *run,
                                   struct bench_mark *ret_mark)
{
    if (end > start && end[-1] == '\r') {
        end--;
    }
    if (end - start < (ptrdiff_t)MARK_BYTES ||
        memcmp(end - MARK_BYTES, run->head, MARK_HEAD_BYTES) != 0) {
        return false;
    }
    uint64_t v;
    memcpy(&v, end - 8, sizeof v);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    /* A byte below '0' borrows and leaves high bits behind, as one above 'o' does. */
    v -= UINT64_C(0x3030303030303030);
    if ((v & UINT64_C(0xc0c0c0c0c0c0c0c0)) != 0) {
        return false;
    }
    v = (v & UINT64_C(0x003f003f003f003f)) | ((v & UINT64_C(0x3f003f003f003f00)) >> 2);
    v = (v & UINT64_C(0x00000fff00000fff)) | ((v & UINT64_C(0x0fff00000fff0000)) >> 4);
    v = (v & UINT64_C(0xffffff)) | (v >> 32 << 24);
    ret_mark->sender = (uint32_t)(v >> 36);
    ret_mark->number = v & UINT64_C(0xfffffffff);
    return true;
}

#endif
