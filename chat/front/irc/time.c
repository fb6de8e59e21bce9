/* SPDX-License-Identifier: MIT */
#include "front/irc/time.h"

#include <stddef.h>
#include <time.h>

/* Exactly so many digits. */
static bool digits(const char **at, const char *end, int count, int *ret)
{
    *ret = 0;
    for (int i = 0; i < count; i++) {
        if (*at == end || **at < '0' || **at > '9') {
            return false;
        }
        *ret = *ret * 10 + (*(*at)++ - '0');
    }
    return true;
}

static bool mark(const char **at, const char *end, char wanted)
{
    return *at < end && *(*at)++ == wanted;
}

/* Milliseconds of a fraction; what is finer is dropped. */
static bool fraction(const char **at, const char *end, int *ret_ms)
{
    int count = 0, scale = 100;
    *ret_ms = 0;
    while (*at < end && **at >= '0' && **at <= '9' && count < 9) {
        *ret_ms += (**at - '0') * scale;
        scale /= 10;
        (*at)++;
        count++;
    }
    return count > 0;
}

bool irc_parse_time(struct irc_span text, int64_t *ret_ms)
{
    const char *at = text.text, *end = text.text + text.len;
    struct tm tm = {0};
    int ms = 0;
    if (!digits(&at, end, 4, &tm.tm_year) || !mark(&at, end, '-') ||
        !digits(&at, end, 2, &tm.tm_mon) || !mark(&at, end, '-') ||
        !digits(&at, end, 2, &tm.tm_mday) || !mark(&at, end, 'T') ||
        !digits(&at, end, 2, &tm.tm_hour) || !mark(&at, end, ':') ||
        !digits(&at, end, 2, &tm.tm_min) || !mark(&at, end, ':') ||
        !digits(&at, end, 2, &tm.tm_sec)) {
        return false;
    }
    if (at < end && *at == '.') {
        at++;
        if (!fraction(&at, end, &ms)) {
            return false;
        }
    }
    if (!mark(&at, end, 'Z') || at != end) {
        return false;
    }
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60) {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_ms = (int64_t)timegm(&tm) * 1000 + ms;
    return true;
}
