/* SPDX-License-Identifier: MIT */
#include "log/side_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(SIDE_LINE_BYTES == 15 + 2 + 20 + 1 + 16 + 1, "the parts of the line");

/* FNV-1a: enough to recognise a torn line; it defends against accidents, not against an author. */
static uint64_t checksum(const char *bytes, size_t len)
{
    uint64_t sum = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++) {
        sum = (sum ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

static void format_line(char line[static SIDE_LINE_BYTES + 1], uint64_t number)
{
    int len = snprintf(line, SIDE_LINE_BYTES + 1, "partyline-last 1 %020" PRIu64, number);
    uint64_t sum = checksum(line, (size_t)len);
    (void)snprintf(line + len, (size_t)(SIDE_LINE_BYTES + 1 - len), " %016" PRIx64 "\n", sum);
}

uint64_t side_file_read(int fd)
{
    char line[SIDE_LINE_BYTES + 1] = "", expected[SIDE_LINE_BYTES + 1];
    if (pread(fd, line, SIDE_LINE_BYTES, 0) != SIDE_LINE_BYTES) {
        return 0;
    }
    uint64_t number = strtoull(line + sizeof("partyline-last 1 ") - 1, NULL, 10);
    /* One form per number: what does not come out the same again was not written by us. */
    format_line(expected, number);
    return memcmp(line, expected, SIDE_LINE_BYTES) == 0 ? number : 0;
}

int side_file_write(int fd, uint64_t number)
{
    char line[SIDE_LINE_BYTES + 1];
    format_line(line, number);
    ssize_t written = pwrite(fd, line, SIDE_LINE_BYTES, 0);
    if (written == -1) {
        return -errno;
    }
    return written == SIDE_LINE_BYTES ? 0 : -EIO;
}
