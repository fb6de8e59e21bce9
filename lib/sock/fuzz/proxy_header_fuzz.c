/* SPDX-License-Identifier: MIT */
#include <partyline/proxy_header.h>

#include "fuzz.h"

/*
 * The input is what a connection sent first. Promises: the verdict on a start of it stays the
 * verdict on all; what comes behind a header is not looked at; a header that was read can be
 * written, and is then read the same.
 */

static ssize_t parse_start(const uint8_t *data, size_t len, struct party_proxy_header *ret_header)
{
    struct party_proxy_tlv tlv;
    size_t offset = 0;
    uint8_t *start = fuzz_copy(data, len);
    ssize_t n = party_proxy_header_parse(start, len, ret_header);
    fuzz_check(n <= (ssize_t)len);
    if (n > 0) {
        size_t fields_len = 0;
        while (party_proxy_header_next_tlv(ret_header, &offset, &tlv)) {
            fields_len += 3 + tlv.len;
            fuzz_check(tlv.value >= start && tlv.value + tlv.len <= start + n);
        }
        fuzz_check(fields_len == ret_header->tlvs_len);
        /* It must not be looked at once the copy is gone. */
        if (ret_header->tlvs != NULL) {
            ret_header->tlvs = data + (ret_header->tlvs - start);
        }
    }
    free(start);
    return n;
}

static void check_written(struct party_proxy_header header)
{
    static uint8_t buf[PARTY_PROXY_HEADER_MAX_BYTES];
    struct party_proxy_header read;
    /* Its own checksum is one of the fields; it would be another one after writing. */
    if (header.has_checksum || header.is_local) {
        return;
    }
    ssize_t len = party_proxy_header_format(&header, buf, sizeof(buf));
    fuzz_check(len > 0);
    fuzz_check(party_proxy_header_parse(buf, (size_t)len, &read) == len);
    fuzz_check(read.version == header.version && read.type == header.type);
    fuzz_check(read.source.len == header.source.len);
    fuzz_check(party_address_equal(&read.source, &header.source));
    fuzz_check(party_address_equal(&read.destination, &header.destination));
    fuzz_check(read.tlvs_len == header.tlvs_len);
    fuzz_check(read.tlvs_len == 0 || memcmp(read.tlvs, header.tlvs, read.tlvs_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct party_proxy_header header;
    ssize_t whole = parse_start(data, size, &header);
    /* Every short start, then sparser ones. */
    for (size_t len = 0; len < size; len += len < 128 ? 1 : 1 + len / 8) {
        struct party_proxy_header other;
        ssize_t n = parse_start(data, len, &other);
        fuzz_check(n == 0 || n == whole);
        fuzz_check(whole <= 0 || n == 0 || len >= (size_t)whole);
    }
    fuzz_check(whole != 0 || size < PARTY_PROXY_HEADER_MAX_BYTES);
    if (whole > 0) {
        fuzz_check(whole >= 15);
        check_written(header);
    }
    return 0;
}
