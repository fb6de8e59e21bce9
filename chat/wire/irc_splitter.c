/* SPDX-License-Identifier: MIT */
#include "wire/irc_splitter.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/*
 * A line that lies whole in the input is handed on from there. Only the start of one whose end has
 * not come is copied to `partial`, which is freed with the line: partial is NULL exactly when len
 * is 0. So a client that sends whole lines costs no memory between them.
 *
 * How much a line may still take depends on its first byte and on whether the space behind its tags
 * has come; room_left() is asked once per run of bytes and finds that space on the way.
 *
 * A line may hold a password: what is freed is wiped.
 *
 * Whatever is to be changed in the splitter is changed before on_line is called, and nothing in it
 * is touched after on_line said stop: it may be gone by then.
 */

#define PARTIAL_MIN_BYTES 64
#define CR_LF_BYTES       2

/* One call of irc_splitter_feed. */
struct feed {
    const uint8_t *bytes;
    size_t len;
    size_t at; /* bytes taken */
    irc_line_fn on_line;
    void *user;
};

static bool word_has_end(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t lf = word ^ (ones * '\n');
    uint64_t cr = word ^ (ones * '\r');
    /* A byte of 0 borrows into its top bit. */
    uint64_t zeros = ((lf - ones) & ~lf) | ((cr - ones) & ~cr);
    return (zeros & (ones * 0x80)) != 0;
}

/* Bytes before the first CR or LF: len when there is none. */
static size_t run_len(const uint8_t *bytes, size_t len)
{
    size_t at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, bytes + at, sizeof(word));
        if (word_has_end(word)) {
            break;
        }
    }
    while (at < len && bytes[at] != '\n' && bytes[at] != '\r') {
        at++;
    }
    return at;
}

static void drop_partial(struct irc_splitter *splitter)
{
    xfree_wiped(splitter->partial, splitter->len);
    splitter->partial = NULL;
    splitter->len = 0;
    splitter->cap = 0;
    splitter->tags_len = 0;
}

/* How many bytes the unfinished line may still take, of which the run of len bytes are next. */
static size_t room_left(struct irc_splitter *splitter, const uint8_t *run, size_t len)
{
    size_t held = splitter->len;
    bool is_tagged = splitter->max_tags > 0 &&
                     (held > 0 ? splitter->partial[0] == '@' : len > 0 && run[0] == '@');
    if (!is_tagged) {
        return splitter->max_body - held;
    }
    if (splitter->tags_len == 0) {
        size_t room = splitter->max_tags - held;
        const uint8_t *space = memchr(run, ' ', len < room ? len : room);
        if (!space) {
            return room - 1; /* the last byte of the tags can only be the space */
        }
        splitter->tags_len = (uint16_t)(held + (size_t)(space - run) + 1);
    }
    return (size_t)splitter->tags_len + splitter->max_body - held;
}

/* Keeps the start of a line. The caller has checked that there is room. */
static void hold(struct irc_splitter *splitter, const uint8_t *bytes, size_t len)
{
    if (len == 0) {
        return;
    }
    size_t want = splitter->len + len;
    if (want > splitter->cap) {
        size_t most = (size_t)splitter->max_body + splitter->max_tags;
        size_t cap = splitter->cap > 0 ? splitter->cap : PARTIAL_MIN_BYTES;
        while (cap < want) {
            cap *= 2;
        }
        cap = cap < most ? cap : most;
        splitter->partial = xgrow_wiped(splitter->partial, splitter->len, cap);
        splitter->cap = (uint16_t)cap;
    }
    memcpy(splitter->partial + splitter->len, bytes, len);
    splitter->len = (uint16_t)want;
}

/* The memory leaves the splitter first: on_line may finish it. */
static bool report_partial(struct irc_splitter *splitter, const struct feed *feed)
{
    char *line = splitter->partial;
    size_t len = splitter->len;
    splitter->partial = NULL;
    drop_partial(splitter);
    bool go_on = feed->on_line(IRC_LINE_OK, line, len, feed->user);
    xfree_wiped(line, len);
    return go_on;
}

static bool end_line(struct irc_splitter *splitter, const uint8_t *rest, size_t len,
                     const struct feed *feed)
{
    if (splitter->skipping) {
        splitter->skipping = false;
        return true;
    }
    if (splitter->partial) {
        hold(splitter, rest, len);
        return report_partial(splitter, feed);
    }
    splitter->tags_len = 0;
    return len == 0 || feed->on_line(IRC_LINE_OK, (const char *)rest, len, feed->user);
}

static void count_skipped(struct irc_splitter *splitter, size_t len)
{
    size_t left = UINT32_MAX - splitter->excess;
    splitter->excess += (uint32_t)(len < left ? len : left);
    if (splitter->excess > splitter->skipped) {
        splitter->skipped = splitter->excess;
    }
}

/* run is what came of the line with this input. */
static bool report_too_long(struct irc_splitter *splitter, const uint8_t *run,
                            const struct feed *feed)
{
    size_t tags_len = splitter->tags_len;
    if (splitter->partial && tags_len > splitter->len) {
        hold(splitter, run, tags_len - splitter->len);
    }
    char *held = splitter->partial;
    size_t held_len = splitter->len;
    const char *line = held ? held : (const char *)run;
    if (tags_len == 0 && splitter->max_tags > 0 && line[0] == '@') {
        tags_len = 1; /* it has some, which are too long themselves */
    }
    splitter->partial = NULL;
    drop_partial(splitter);
    splitter->excess = 0;
    count_skipped(splitter, 1);
    splitter->skipping = true;
    bool go_on = feed->on_line(IRC_LINE_TOO_LONG, line, tags_len, feed->user);
    xfree_wiped(held, held_len);
    return go_on;
}

/* Takes bytes up to and with the next end, or up to the first too many. Returns false to stop. */
static bool feed_run(struct irc_splitter *splitter, struct feed *feed)
{
    const uint8_t *run = feed->bytes + feed->at;
    size_t left = feed->len - feed->at;
    size_t len = run_len(run, left);
    if (!splitter->skipping) {
        size_t room = room_left(splitter, run, len);
        if (len > room) {
            /* Not more than the byte too many: stopping here means the same for all splits. */
            feed->at += room + 1;
            return report_too_long(splitter, run, feed);
        }
    } else {
        count_skipped(splitter, len);
    }
    if (len == left) {
        feed->at += len;
        if (!splitter->skipping) {
            hold(splitter, run, len);
        }
        return true;
    }
    feed->at += len + 1;
    splitter->after_cr = run[len] == '\r';
    return end_line(splitter, run, len, feed);
}

void irc_splitter_init(struct irc_splitter *splitter, size_t max_body, size_t max_tags)
{
    assert(max_body > CR_LF_BYTES && max_body <= IRC_BODY_MAX_BYTES);
    assert(max_tags <= IRC_TAGS_MAX_BYTES);
    *splitter = (struct irc_splitter){
        .max_body = (uint16_t)(max_body - CR_LF_BYTES),
        .max_tags = (uint16_t)max_tags,
    };
}

void irc_splitter_finish(struct irc_splitter *splitter)
{
    drop_partial(splitter);
}

size_t irc_splitter_feed(struct irc_splitter *splitter, const uint8_t *bytes, size_t len,
                         irc_line_fn on_line, void *user)
{
    struct feed feed = {.bytes = bytes, .len = len, .on_line = on_line, .user = user};
    bool go_on = true;
    while (go_on && feed.at < feed.len) {
        bool is_second_half = splitter->after_cr && bytes[feed.at] == '\n';
        splitter->after_cr = false;
        if (is_second_half) {
            feed.at++;
        } else {
            go_on = feed_run(splitter, &feed);
        }
    }
    return feed.at;
}
