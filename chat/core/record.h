/* SPDX-License-Identifier: MIT */
#ifndef CHAT_CORE_RECORD_H
#define CHAT_CORE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Several strings in one: fields that end with NUL, records that end with a new line behind the
 * last field's NUL. No string in the chat holds a NUL; a field may hold a new line, for a record
 * ends only where one begins a field.
 *
 *     struct record_out out = {0};
 *     record_put(&out, "alice", 5);
 *     record_put_number(&out, 17);
 *     record_end(&out);
 *     ... out.bytes, out.len, out.count ...
 *     record_out_finish(&out);
 *
 *     struct record_in in = {bytes, len};
 *     struct record_field fields[2];
 *     while (record_next(&in, fields, 2)) { ... }
 */

/* Zeroed it is empty. */
struct record_out {
    char *bytes;
    size_t len, cap;
    uint64_t count; /* of records that were ended */
};

void record_put(struct record_out *out, const char *text, size_t len);
void record_puts(struct record_out *out, const char *string);
void record_put_number(struct record_out *out, uint64_t number);
void record_end(struct record_out *out);
void record_out_finish(struct record_out *out);

struct record_in {
    const char *bytes;
    size_t len;
};

struct record_field {
    const char *text; /* ended by a NUL its length does not count; never NULL */
    size_t len;
};

/**
 * Takes the next record. Of its fields the first `count` are in ret_fields; those it does not have
 * are "". Returns: false at the end, also when what is left is no whole record.
 */
bool record_next(struct record_in *in, struct record_field *ret_fields, size_t count);

/** The field as a number; 0 when it is none. */
uint64_t record_number(const struct record_field *field);

#endif
