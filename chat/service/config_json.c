/* SPDX-License-Identifier: MIT */
#include "service/config_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* "\ud83d\ude00" becomes "\U0001f600". */
#define PAIR_BYTES   12
#define JOINED_BYTES 10

/* The four digits of an escape "\uXXXX" at p. Returns: the number, -1 when it is none. */
static int read_escape(const char *p, const char *end)
{
    int value = 0;

    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    for (int i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef";
        char c = p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] + ('a' - 'A')) : p[i];
        const char *digit = c != '\0' ? strchr(digits, c) : NULL;
        if (digit == NULL) {
            return -1;
        }
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

/* The character that two escapes at p stand for; 0 when they are no pair. */
static unsigned read_pair(const char *p, const char *end)
{
    int high = read_escape(p, end);
    int low = high >= 0xd800 && high < 0xdc00 ? read_escape(p + 6, end) : -1;

    return low >= 0xdc00 && low < 0xe000
               ? 0x10000u + (((unsigned)high & 0x3ff) << 10 | ((unsigned)low & 0x3ff))
               : 0;
}

size_t config_json_join_pairs(char *text, size_t len)
{
    static const char outside[] = " \t\r\n{}[]:,-+.0123456789eEtrufalsn";
    const char *end = text + len;
    const char *in = text;
    char *out = text;
    bool in_string = false;

    while (in < end) {
        size_t step = 1;
        if (in_string && *in == '\\') {
            unsigned character = read_pair(in, end);
            if (character != 0) {
                char joined[JOINED_BYTES + 1];
                (void)snprintf(joined, sizeof joined, "\\U%08x", character);
                memcpy(out, joined, JOINED_BYTES);
                out += JOINED_BYTES;
                in += PAIR_BYTES;
                continue;
            }
            step = end - in > 1 ? 2 : 1; /* an escaped quote does not end the string */
        } else if (*in == '"') {
            in_string = !in_string;
        } else if (!in_string && memchr(outside, *in, sizeof outside - 1) == NULL) {
            break; /* not JSON: quotes may mean something else from here on */
        }
        memmove(out, in, step);
        out += step;
        in += step;
    }
    memmove(out, in, (size_t)(end - in));
    return (size_t)(out - text) + (size_t)(end - in);
}
