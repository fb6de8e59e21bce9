/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"
#include "wire/irc_splitter.h"

/*
 * The first byte chooses how the input is split, the second the limits, the rest are the bytes of a
 * peer. Promises: whole, split, byte by byte and stopped at each line say the same, and all of them
 * what a second, slow splitter says that shares no code with the first.
 */

/* Lines in the order they were told, each with a byte for its fault and its length before it. */
struct transcript {
    uint8_t *bytes;
    size_t len, cap, lines;
    bool stop_each;
};

static void add(struct transcript *log, const void *bytes, size_t len)
{
    if (log->cap - log->len < len) {
        log->cap = (log->len + len) * 2;
        log->bytes = realloc(log->bytes, log->cap);
        fuzz_check(log->bytes);
    }
    if (len > 0) {
        memcpy(log->bytes + log->len, bytes, len);
        log->len += len;
    }
}

static bool on_line(enum irc_line_fault fault, const char *line, size_t len, void *user)
{
    struct transcript *log = user;
    uint8_t told = (uint8_t)fault;
    fuzz_check(fault != IRC_LINE_OK || len > 0);
    fuzz_check(!memchr(line, '\r', len) && !memchr(line, '\n', len));
    add(log, &told, sizeof(told));
    add(log, &len, sizeof(len));
    add(log, line, len);
    log->lines++;
    return !log->stop_each;
}

/* Whether a line of len bytes is too long, asked of the whole line; in ret_tags_len what is told of
   it all the same. */
static bool is_too_long(const uint8_t *line, size_t len, size_t body, size_t tags,
                        size_t *ret_tags_len)
{
    *ret_tags_len = 0;
    if (tags == 0 || line[0] != '@') {
        return len > body;
    }
    const uint8_t *space = memchr(line, ' ', len);
    size_t tags_len = space ? (size_t)(space - line) + 1 : len + 1;
    *ret_tags_len = space && tags_len <= tags ? tags_len : 1;
    return tags_len > tags || (space && len - tags_len > body);
}

static void run_model(const uint8_t *bytes, size_t len, size_t body, size_t tags,
                      struct transcript *log)
{
    size_t start = 0, tags_len = 0;
    for (size_t at = 0; at <= len; at++) {
        bool ends = at < len && (bytes[at] == '\r' || bytes[at] == '\n');
        if (!ends && at < len) {
            continue;
        }
        size_t line = at - start;
        if (line > 0 && is_too_long(bytes + start, line, body, tags, &tags_len)) {
            (void)on_line(IRC_LINE_TOO_LONG, (const char *)bytes + start, tags_len, log);
        } else if (line > 0 && ends) {
            (void)on_line(IRC_LINE_OK, (const char *)bytes + start, line, log);
        }
        start = at + 1;
    }
}

static void run_splitter(const uint8_t *bytes, size_t len, struct irc_splitter splitter,
                         size_t piece, unsigned seed, struct transcript *log)
{
    size_t at = 0;
    while (at < len) {
        seed = seed * 1103515245U + 12345U;
        size_t want = piece == 0 ? len - at : 1 + (seed >> 16) % piece;
        want = want < len - at ? want : len - at;
        uint8_t *chunk = fuzz_copy(bytes + at, want);
        for (size_t done = 0; done < want;) {
            size_t lines = log->lines;
            done += irc_splitter_feed(&splitter, chunk + done, want - done, on_line, log);
            fuzz_check(done == want || (log->stop_each && log->lines == lines + 1));
            fuzz_check(!log->stop_each || log->lines <= lines + 1);
            fuzz_check(splitter.len <= splitter.cap);
            fuzz_check(splitter.cap <= splitter.max_body + splitter.max_tags);
            fuzz_check((splitter.partial == NULL) == (splitter.len == 0));
        }
        free(chunk);
        at += want;
    }
    irc_splitter_finish(&splitter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    uint8_t split = data[0];
    size_t body = 1U + data[1] % 16U;
    size_t tags = data[1] / 16U;
    data += 2;
    size -= 2;
    struct irc_splitter splitter;
    irc_splitter_init(&splitter, body + 2, tags);
    struct transcript expected = {0};
    run_model(data, size, body, tags, &expected);
    const size_t pieces[] = {0, 1, 1U + split % 32U};
    for (size_t i = 0; i < 3; i++) {
        struct transcript log = {.stop_each = (split >> (5 + i)) & 1};
        run_splitter(data, size, splitter, pieces[i], split, &log);
        fuzz_check(log.lines == expected.lines && log.len == expected.len);
        fuzz_check(log.len == 0 || memcmp(log.bytes, expected.bytes, log.len) == 0);
        free(log.bytes);
    }
    free(expected.bytes);
    return 0;
}
