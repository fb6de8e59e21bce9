/* SPDX-License-Identifier: MIT */
#include "core/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static void add(struct record_out *out, const char *bytes, size_t len)
{
    if (out->cap - out->len < len) {
        out->cap = (out->cap + len) * 2;
        out->bytes = xreallocarray(out->bytes, out->cap, 1);
    }
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

void record_put(struct record_out *out, const char *text, size_t len)
{
    if (len > 0) {
        add(out, text, len);
    }
    add(out, "", 1);
}

void record_puts(struct record_out *out, const char *string)
{
    record_put(out, string, strlen(string));
}

void record_put_number(struct record_out *out, uint64_t number)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRIu64, number);
    record_put(out, digits, (size_t)len);
}

void record_end(struct record_out *out)
{
    add(out, "\n", 1);
    out->count++;
}

void record_out_finish(struct record_out *out)
{
    free(out->bytes);
    *out = (struct record_out){0};
}

bool record_next(struct record_in *in, struct record_field *ret_fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ret_fields[i] = (struct record_field){"", 0};
    }
    if (in->len == 0) {
        return false; /* Then bytes may be NULL. */
    }
    const char *at = in->bytes, *end = at + in->len;
    for (size_t i = 0; at < end; i++) {
        if (*at == '\n') {
            in->bytes = at + 1;
            in->len = (size_t)(end - in->bytes);
            return true;
        }
        const char *nul = memchr(at, '\0', (size_t)(end - at));
        if (!nul) {
            break;
        }
        if (i < count) {
            ret_fields[i] = (struct record_field){at, (size_t)(nul - at)};
        }
        at = nul + 1;
    }
    in->len = 0;
    return false;
}

uint64_t record_number(const struct record_field *field)
{
    uint64_t number = 0;
    for (size_t i = 0; i < field->len; i++) {
        if (field->text[i] < '0' || field->text[i] > '9' || number > UINT64_MAX / 10 - 1) {
            return 0;
        }
        number = number * 10 + (uint64_t)(field->text[i] - '0');
    }
    return number;
}
