/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "fuzz.h"
#include "wire/sniff.h"

/*
 * The input is the first bytes of a connection. Promises: the decision for a start of them stays
 * the decision for all; enough bytes are always decided; binary protocols are told by their first
 * byte.
 */

static enum sniff_kind sniff_start(const uint8_t *data, size_t len)
{
    uint8_t *start = fuzz_copy(data, len);
    enum sniff_kind kind = sniff(start, len);
    free(start);
    return kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum sniff_kind whole = sniff_start(data, size);
    /* Every short start, then sparser ones: the longest opening that is compared has 20 bytes. */
    for (size_t len = 0; len < size; len += len < 64 ? 1 : 1 + len / 8) {
        enum sniff_kind start = sniff_start(data, len);
        fuzz_check(start == SNIFF_UNDECIDED || start == whole);
    }
    fuzz_check(size < SNIFF_MAX_BYTES || whole != SNIFF_UNDECIDED);
    fuzz_check(size > 0 || whole == SNIFF_UNDECIDED);
    fuzz_check(whole != SNIFF_TLS || data[0] == 0x16);
    if (size > 0 && (data[0] >= 0x7f || (data[0] >= 'a' && !strchr("cnpu", data[0])))) {
        fuzz_check(whole == SNIFF_LINE);
    }

    /* An undecided start must be on its way to something: it is text that a protocol knows. */
    if (whole == SNIFF_UNDECIDED && size > 20) {
        fuzz_check(data[0] != '\0' && strchr("@: \r\ncnpuCNPU", data[0]));
    }
    return 0;
}
